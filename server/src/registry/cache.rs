//! What registries said, kept in memory and in one file: manifests by digest for good, tags for a day, refusals for some
//! minutes, hosts that do not answer for an hour.
//!
//! **Invariants:** a file that is broken, foreign or too large is as none; the file is the user's alone, written whole, and
//! holds no credential.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::Platform;
use crate::registry::Trouble;
use crate::registry::manifest::{self, Manifest, Weight};
use crate::registry::names::is_digest;

/// The name of the file in the cache folder.
pub const FILE_NAME: &str = "registry.json";

/// How long a tag stands for the digest it was found to, in seconds.
pub const TAG_LASTS: u64 = 24 * 3_600;

/// How long an image that was refused is not asked for.
pub const REFUSAL_LASTS: u64 = 600;

/// How long a host is left alone that cannot be reached, does not answer, or demands it.
pub const SILENCE_LASTS: u64 = 3_600;

/// So many entries of each kind are kept at most, the latest.
const MOST: usize = 4_096;

/// A larger file is not ours.
const LARGEST: u64 = 16 << 20;

/// The version of the file; one of another version is as none.
const VERSION: u32 = 1;

/// An entry and when it was learned or used, in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Dated<T> {
    at: u64,
    value: T,
}

type Entries<T> = BTreeMap<String, Dated<T>>;

#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Stored {
    version: u32,
    /// By digest.
    manifests: Entries<Manifest>,
    /// The digest of a whole name.
    tags: Entries<String>,
    /// Why a whole name got no answer.
    refused: Entries<String>,
    /// Why a host is left alone.
    silent: Entries<String>,
}

/// What registries said.
#[derive(Debug, Default)]
pub struct Cache {
    file: Option<PathBuf>,
    stored: Stored,
    is_changed: bool,
    now: u64,
}

impl Cache {
    /// What the file in this folder holds.
    pub fn open(folder: Option<&Path>) -> Cache {
        let file = folder.map(|folder| folder.join(FILE_NAME));
        let stored = file.as_deref().and_then(read).unwrap_or_default();
        Cache { file, stored, is_changed: false, now: 0 }
    }

    /// The digest that a name stands for, and when that was found.
    pub(super) fn digest_of(&self, name: &str, now: u64) -> Option<(&str, u64)> {
        let tag = self.stored.tags.get(name).filter(|tag| is_fresh(tag.at, TAG_LASTS, now))?;
        Some((&tag.value, tag.at))
    }

    /// What the image of a digest weighs for a platform; `None` as long as a manifest is missing.
    pub(super) fn weight(&self, digest: &str, platform: &Platform) -> Option<Result<Weight, Trouble>> {
        let chosen = match self.manifest(digest)? {
            Manifest::Image(weight) => weight,
            Manifest::Index(entries) => match manifest::choose(&entries, platform) {
                Err(trouble) => return Some(Err(trouble)),
                Ok(chosen) => match self.manifest(chosen)? {
                    Manifest::Image(weight) => weight,
                    Manifest::Index(_) => return None,
                },
            },
        };
        Some(chosen.check(platform).map(|()| chosen))
    }

    /// Why a name got no answer some minutes ago.
    pub(super) fn refused(&self, name: &str, now: u64) -> Option<String> {
        let refused = self.stored.refused.get(name).filter(|it| is_fresh(it.at, REFUSAL_LASTS, now))?;
        Some(refused.value.clone())
    }

    /// Why a host is left alone, and until when.
    pub(super) fn silent(&self, host: &str, now: u64) -> Option<(String, u64)> {
        let silent = self.stored.silent.get(host).filter(|it| is_fresh(it.at, SILENCE_LASTS, now))?;
        Some((silent.value.clone(), silent.at + SILENCE_LASTS))
    }

    pub(super) fn manifest(&self, digest: &str) -> Option<Manifest> {
        self.stored.manifests.get(digest).map(|it| it.value.clone())
    }

    /// The platform under which an index names this digest.
    pub(super) fn platform_in_index(&self, digest: &str) -> Option<String> {
        self.stored.manifests.values().find_map(|it| match &it.value {
            Manifest::Index(entries) => {
                entries.iter().find(|(_, it)| it == digest).map(|(platform, _)| platform.clone())
            }
            Manifest::Image(_) => None,
        })
    }

    pub(super) fn learn(&mut self, digest: &str, manifest: Manifest) {
        let at = self.now;
        self.stored.manifests.insert(digest.to_owned(), Dated { at, value: manifest });
        self.is_changed = true;
    }

    pub(super) fn learn_tag(&mut self, name: &str, digest: &str, now: u64) {
        self.stored.refused.remove(name);
        put(&mut self.stored.tags, name, digest, now);
        self.touch(now);
    }

    pub(super) fn refuse(&mut self, name: &str, words: &str, now: u64) {
        put(&mut self.stored.refused, name, words, now);
        self.touch(now);
    }

    pub(super) fn silence(&mut self, host: &str, words: &str, now: u64) {
        put(&mut self.stored.silent, host, words, now);
        self.touch(now);
    }

    /// What is learned from now on is of this time.
    pub(super) fn set_time(&mut self, now: u64) {
        self.now = now;
    }

    fn touch(&mut self, now: u64) {
        self.now = now;
        self.is_changed = true;
    }

    /// Writes the file if something was learned, with what others wrote into it meanwhile.
    pub(super) fn save(&mut self, now: u64) -> io::Result<()> {
        let Some(file) = self.file.clone().filter(|_| self.is_changed) else { return Ok(()) };
        if let Some(theirs) = read(&file) {
            join(&mut self.stored.manifests, theirs.manifests);
            join(&mut self.stored.tags, theirs.tags);
            join(&mut self.stored.refused, theirs.refused);
            join(&mut self.stored.silent, theirs.silent);
        }
        prune(&mut self.stored.manifests, u64::MAX, now);
        prune(&mut self.stored.tags, TAG_LASTS, now);
        prune(&mut self.stored.refused, REFUSAL_LASTS, now);
        prune(&mut self.stored.silent, SILENCE_LASTS, now);
        self.stored.version = VERSION;
        let bytes = serde_json::to_vec(&self.stored)?;
        write(&file, &bytes)?;
        self.is_changed = false;
        Ok(())
    }
}

fn put(acc: &mut Entries<String>, key: &str, value: &str, now: u64) {
    acc.insert(key.to_owned(), Dated { at: now, value: value.to_owned() });
}

/// Whether something of that time lasts; what is of a later time than now is not believed.
fn is_fresh(at: u64, lasts: u64, now: u64) -> bool {
    at <= now && now - at < lasts
}

/// Adds what is missing or younger.
fn join<T>(acc: &mut Entries<T>, others: Entries<T>) {
    for (key, other) in others {
        if acc.get(&key).is_none_or(|own| own.at < other.at) {
            acc.insert(key, other);
        }
    }
}

/// Leaves out what does not last, and of too many the oldest.
fn prune<T>(acc: &mut Entries<T>, lasts: u64, now: u64) {
    acc.retain(|_, it| lasts == u64::MAX || is_fresh(it.at, lasts, now));
    let n_spare = acc.len().saturating_sub(MOST);
    let mut oldest: Vec<(u64, String)> = acc.iter().map(|(key, it)| (it.at, key.clone())).collect();
    oldest.sort_unstable();
    for (_, key) in oldest.iter().take(n_spare) {
        acc.remove(key);
    }
}

fn read(file: &Path) -> Option<Stored> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    if read.ok()? as u64 > LARGEST {
        return None;
    }
    let mut res: Stored = serde_json::from_slice(&bytes).ok().filter(|it: &Stored| it.version == VERSION)?;
    res.manifests.retain(|digest, _| is_digest(digest));
    res.tags.retain(|_, tag| is_digest(&tag.value));
    Some(res)
}

/// Writes a file of the cache whole, readable by its owner alone.
pub(super) fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().ok_or(io::ErrorKind::NotFound)?;
    make_folder(folder)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}", std::process::id()));
    // One that a run with this number left behind.
    let _ = fs::remove_file(&temporary);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&temporary).and_then(|mut out| out.write_all(bytes));
    let res = written.and_then(|()| fs::rename(&temporary, file));
    if res.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    res
}

fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        fs::create_dir_all(above)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        // Another run made it.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        res => res,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Cache, FILE_NAME, MOST, REFUSAL_LASTS, SILENCE_LASTS, TAG_LASTS};
    use crate::model::Platform;
    use crate::registry::manifest::{Manifest, Weight, digest_of};

    const NOW: u64 = 1_795_000_000;

    fn image(bytes: u64) -> Manifest {
        Manifest::Image(Weight { bytes, layers: 1, platform: Some("linux/amd64".to_owned()) })
    }

    #[test]
    fn what_was_learned_is_there_the_next_time_and_the_users_alone() {
        let above = tempfile::tempdir().expect("a folder");
        let folder = above.path().join("a/plimsoll");
        let mut cache = Cache::open(Some(&folder));
        let (digest, index) = (digest_of(b"a"), digest_of(b"b"));
        cache.learn(&digest, image(5));
        cache.learn(&index, Manifest::Index(vec![("linux/amd64".to_owned(), digest.clone())]));
        cache.learn_tag("a", &index, NOW);
        cache.save(NOW).expect("it is written");

        let cache = Cache::open(Some(&folder));
        assert_eq!(cache.digest_of("a", NOW + 5), Some((index.as_str(), NOW)));
        let weight = |platform: &str| cache.weight(&index, &Platform::parse(platform).expect("a platform"));
        assert_eq!(weight("linux/amd64").and_then(Result::ok).map(|it| it.bytes), Some(5));
        assert!(weight("linux/arm64").is_some_and(|it| it.is_err()));
        assert_eq!(cache.platform_in_index(&digest).as_deref(), Some("linux/amd64"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
            assert_eq!((mode(folder.join(FILE_NAME)), mode(folder.clone())), (0o600, 0o700));
        }
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 1, "nothing else is left");
    }

    #[test]
    fn each_thing_lasts_as_long_as_it_is_true() {
        let mut cache = Cache::default();
        let digest = digest_of(b"a");
        cache.learn_tag("a", &digest, NOW);
        cache.refuse("b", "no", NOW);
        cache.silence("c", "dead", NOW);
        assert!(cache.digest_of("a", NOW + TAG_LASTS - 1).is_some() && cache.digest_of("a", NOW + TAG_LASTS).is_none());
        assert!(cache.refused("b", NOW + REFUSAL_LASTS - 1).is_some());
        assert!(cache.refused("b", NOW + REFUSAL_LASTS).is_none());
        assert_eq!(cache.silent("c", NOW + 60), Some(("dead".to_owned(), NOW + SILENCE_LASTS)));
        assert!(cache.silent("c", NOW + SILENCE_LASTS).is_none());
        // The clock was set back.
        assert!(cache.digest_of("a", NOW - 1).is_none() && cache.silent("c", NOW - 1).is_none());
    }

    #[test]
    fn a_broken_file_is_as_none_and_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        for text in ["", "{", "[]", "{\"version\":9}", "{\"version\":1}", "\u{0}\u{ff}"] {
            fs::write(folder.path().join(FILE_NAME), text).expect("a file");
            let mut cache = Cache::open(Some(folder.path()));
            assert_eq!(cache.digest_of("a", NOW), None);
            cache.learn_tag("a", &digest_of(b"a"), NOW);
            cache.save(NOW).expect("it is written");
            assert!(Cache::open(Some(folder.path())).digest_of("a", NOW).is_some(), "{text}");
        }
    }

    #[test]
    fn two_runs_keep_what_both_learned() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut caches = [Cache::open(Some(folder.path())), Cache::open(Some(folder.path()))];
        for (cache, name) in caches.iter_mut().zip(["a", "b"]) {
            cache.learn_tag(name, &digest_of(name.as_bytes()), NOW);
            cache.save(NOW).expect("it is written");
        }
        let cache = Cache::open(Some(folder.path()));
        assert!(["a", "b"].iter().all(|name| cache.digest_of(name, NOW).is_some()));
    }

    #[test]
    fn of_too_many_entries_the_oldest_go() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut cache = Cache::open(Some(folder.path()));
        for number in 0..MOST as u64 + 10 {
            cache.learn_tag(&number.to_string(), &digest_of(b"a"), NOW + number);
        }
        let now = NOW + MOST as u64 + 10;
        cache.save(now).expect("it is written");
        let cache = Cache::open(Some(folder.path()));
        assert!(cache.digest_of("9", now).is_none() && cache.digest_of("10", now).is_some());
    }
}

//! The walk of a build context: what lies in it, how large it is, and what its ignore file keeps out.
//!
//! **Invariant:** bounded; follows no symbolic link and opens nothing but the ignore file.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::context::ignore::{IgnoreFile, Matched};
use crate::context::{BuildContext, Entry, EntryKind};
use crate::disk::bytes_of;

/// Where a walk ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Paths in all.
    pub entries: usize,
    /// Folders in each other.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { entries: 100_000, depth: 64 }
    }
}

/// Ends walks from another thread, when nobody waits for them any more. Its clones are one.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Ends the walks that were given this.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// An ignore file is not larger than this.
const LARGEST_IGNORE_FILE: u64 = 1 << 20;

/// Walks the build context of a Dockerfile, the folders near the top first, so that a limit cuts off what is deep. It may
/// take a second on a large tree: not to be called where somebody waits. A folder that cannot be read gives a context
/// that is not known, and so does a walk that was stopped.
pub fn context(folder: &Path, dockerfile: Option<&Path>, limits: Limits, stop: &Stop) -> BuildContext {
    let mut res = BuildContext { folder: Some(crate::disk::slashed(folder)), ..BuildContext::default() };
    if std::fs::read_dir(folder).is_err() {
        return res;
    }
    res.known = true;
    res.dockerfile = dockerfile.and_then(|file| place_in(folder, file));
    read_ignore_file(folder, own_ignore_file(dockerfile), &mut res);
    let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
    let mut waiting = VecDeque::from([(String::new(), Matched::default(), 0)]);
    while let Some((prefix, matched, depth)) = waiting.pop_front() {
        if stop.is_asked() {
            return BuildContext::default();
        }
        let Ok(names) = std::fs::read_dir(folder.join(&prefix)) else {
            res.truncated = true;
            continue;
        };
        let mut here: BTreeMap<String, Entry> = BTreeMap::new();
        for name in names {
            if entries.len() + here.len() >= limits.entries {
                res.truncated = true;
                break;
            }
            // A name that is no text cannot be written in a Dockerfile either.
            let Some((name, entry)) = name.ok().and_then(|it| Some((it.file_name().into_string().ok()?, entry(&it)?)))
            else {
                res.truncated = true;
                continue;
            };
            here.insert(if prefix.is_empty() { name } else { format!("{prefix}/{name}") }, entry);
        }
        for (path, mut entry) in here {
            let (ignored, matched) = res.ignore.step(&matched, &path);
            entry.ignored = ignored;
            let wanted = !ignored || res.ignore.may_take_back_below(&path);
            if entry.kind == EntryKind::Directory && wanted {
                if depth < limits.depth {
                    waiting.push_back((path.clone(), matched, depth + 1));
                } else {
                    res.truncated = true;
                }
            }
            entries.insert(path, entry);
        }
    }
    res.entries = Arc::new(entries);
    res.settled()
}

/// The Dockerfile's own path in the folder. Paths are compared by their text.
pub(super) fn place_in(folder: &Path, dockerfile: &Path) -> Option<String> {
    relative(folder, &std::path::absolute(dockerfile).ok()?)
}

/// `<Dockerfile>.dockerignore` beside the Dockerfile, where it is there.
pub(super) fn own_ignore_file(dockerfile: Option<&Path>) -> Option<PathBuf> {
    let dockerfile = std::path::absolute(dockerfile?).ok()?;
    let mut name = dockerfile.file_name()?.to_owned();
    name.push(".dockerignore");
    Some(dockerfile.with_file_name(name)).filter(|file| file.symlink_metadata().is_ok())
}

/// The Dockerfile's own ignore file, else `.dockerignore` of the context.
fn read_ignore_file(folder: &Path, own: Option<PathBuf>, acc: &mut BuildContext) {
    let common = Some(folder.join(".dockerignore")).filter(|file| file.symlink_metadata().is_ok());
    if let Some(file) = own.or(common) {
        let Some(bytes) = plain_file_inside(&file).and_then(|it| bytes_of(&it, LARGEST_IGNORE_FILE).ok()) else {
            // What it keeps out is not known, so nothing is.
            acc.known = false;
            return;
        };
        acc.ignore_file = Some(relative(folder, &file).unwrap_or_else(|| crate::disk::slashed(&file)));
        acc.ignore_text = String::from_utf8_lossy(&bytes).into_owned();
        acc.ignore = IgnoreFile::parse(&acc.ignore_text);
    }
}

/// The file itself, or the one that a link to the same folder or below leads to.
fn plain_file_inside(file: &Path) -> Option<PathBuf> {
    let target = file.canonicalize().ok()?;
    let inside = target.starts_with(file.parent()?.canonicalize().ok()?);
    (inside && target.is_file()).then_some(target)
}

fn entry(found: &std::fs::DirEntry) -> Option<Entry> {
    let kind = found.file_type().ok()?;
    let kind = if kind.is_file() {
        EntryKind::File
    } else if kind.is_dir() {
        EntryKind::Directory
    } else if kind.is_symlink() {
        EntryKind::Link
    } else {
        EntryKind::Other
    };
    let bytes = if kind == EntryKind::File { found.metadata().ok()?.len() } else { 0 };
    Some(Entry { kind, bytes, ignored: false })
}

fn relative(folder: &Path, file: &Path) -> Option<String> {
    let folder = crate::disk::slashed(folder);
    let file = crate::disk::slashed(file);
    file.strip_prefix(folder.strip_suffix('/').unwrap_or(&folder))?.strip_prefix('/').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Limits, Stop, context};
    use crate::context::{BuildContext, EntryKind};
    use crate::disk::texts::read_texts;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let res = tempfile::tempdir().expect("a folder can be made");
        for (path, text) in files {
            let path = res.path().join(path);
            std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder can be made");
            std::fs::write(path, text).expect("a file can be written");
        }
        res
    }

    fn walked(root: &Path) -> BuildContext {
        context(root, Some(&root.join("Dockerfile")), Limits::default(), &Stop::default())
    }

    fn read(root: &Path, context: &mut BuildContext, wanted: &[&str]) -> Vec<String> {
        let wanted: Vec<String> = wanted.iter().map(|it| (*it).to_owned()).collect();
        read_texts(root, &wanted, context);
        context.texts.keys().cloned().collect()
    }

    #[test]
    fn sizes_and_what_is_ignored_come_from_the_disk() {
        let root = folder(&[
            ("Dockerfile", "FROM a"),
            (".dockerignore", "node_modules\n*.log\n!keep.log"),
            ("package.json", "{}"),
            ("src/a.js", "12345"),
            ("node_modules/x/index.js", "123"),
            ("a.log", "1"),
            ("keep.log", "1234"),
        ]);
        let context = walked(root.path());
        assert!(context.known && !context.truncated);
        assert_eq!(context.dockerfile.as_deref(), Some("Dockerfile"));
        assert_eq!(context.ignore_file.as_deref(), Some(".dockerignore"));
        assert_eq!(context.brings("src").map(|it| it.bytes), Some(5));
        assert_eq!(context.brings("*.log").map(|it| it.bytes), Some(4));
        assert_eq!(context.brings("node_modules"), None);
        assert!(context.entries.get("node_modules").is_some_and(|it| it.ignored));
        assert!(!context.entries.contains_key("node_modules/x"), "an ignored directory is not walked");
        assert_eq!(context.brings(".").map(|it| it.files), Some(5));
    }

    #[test]
    fn the_ignore_file_of_the_dockerfile_replaces_the_common_one() {
        let root = folder(&[(".dockerignore", "a"), ("Dockerfile.dockerignore", "b"), ("a", ""), ("b", "")]);
        let context = walked(root.path());
        assert_eq!(context.ignore_file.as_deref(), Some("Dockerfile.dockerignore"));
        assert!(context.has_file("a") && !context.has_file("b"));
    }

    #[test]
    fn a_walk_ends_at_its_limits_and_says_so() {
        let root = folder(&[("a", ""), ("b", ""), ("c/d/e/f", "")]);
        let limited = |entries, depth| context(root.path(), None, Limits { entries, depth }, &Stop::default());
        assert!(limited(2, 64).truncated);
        assert_eq!(limited(2, 64).entries.len(), 2);
        let shallow = limited(100, 1);
        assert!(shallow.truncated && shallow.entries.contains_key("c/d") && !shallow.entries.contains_key("c/d/e"));
        assert!(!limited(6, 3).truncated);
    }

    #[test]
    fn a_folder_that_is_not_there_is_not_known() {
        assert!(!walked(Path::new("/nowhere/at/all")).known);
    }

    #[test]
    fn texts_are_read_once_if_they_are_texts() {
        let root = folder(&[("package.json", "{}"), ("big.json", &"x".repeat(2 << 20)), ("sub/go.mod", "module a")]);
        std::fs::write(root.path().join("binary"), b"\xff\xfe").expect("a file can be written");
        let mut context = walked(root.path());
        let wanted = ["package.json", "./sub/go.mod", "big.json", "binary", "sub", "nowhere", "../etc/passwd"];
        assert_eq!(read(root.path(), &mut context, &wanted), ["package.json", "sub/go.mod"]);
        assert!(!read_texts(root.path(), &["package.json".to_owned()], &mut context));
    }

    #[cfg(unix)]
    #[test]
    fn links_loops_and_pipes_are_listed_and_neither_followed_nor_opened() {
        let outside = folder(&[("secret.txt", "secret")]);
        let root = folder(&[("a/x.txt", "1")]);
        let link = |target: &Path, name: &str| {
            std::os::unix::fs::symlink(target, root.path().join(name)).expect("a link can be made");
        };
        link(Path::new(".."), "a/loop");
        link(outside.path(), "out");
        link(&outside.path().join("secret.txt"), "secret.txt");
        let made = std::process::Command::new("mkfifo").arg(root.path().join("pipe")).status();
        assert!(made.is_ok_and(|it| it.success()), "mkfifo is part of every Unix");
        let mut context = walked(root.path());
        assert_eq!(context.entries.len(), 6);
        assert_eq!(context.entries.get("a/loop").map(|it| it.kind), Some(EntryKind::Link));
        assert_eq!(context.entries.get("pipe").map(|it| it.kind), Some(EntryKind::Other));
        let wanted = ["pipe", "secret.txt", "out/secret.txt", "a/loop/a/x.txt", "a/x.txt"];
        assert_eq!(read(root.path(), &mut context, &wanted), ["a/x.txt"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_became_a_link_since_the_walk_is_not_read() {
        let outside = folder(&[("secret.txt", "secret")]);
        let root = folder(&[("sub/a.txt", "1")]);
        let mut context = walked(root.path());
        std::fs::remove_dir_all(root.path().join("sub")).expect("it can be removed");
        std::os::unix::fs::symlink(outside.path(), root.path().join("sub")).expect("a link can be made");
        std::fs::write(outside.path().join("a.txt"), "secret").expect("a file can be written");
        assert_eq!(read(root.path(), &mut context, &["sub/a.txt"]), [] as [&str; 0]);
    }

    #[cfg(unix)]
    #[test]
    fn an_ignore_file_that_leads_out_makes_the_context_unknown() {
        let outside = folder(&[("ignore", "*")]);
        let root = folder(&[("a", "")]);
        std::os::unix::fs::symlink(outside.path().join("ignore"), root.path().join(".dockerignore"))
            .expect("a link can be made");
        assert!(!walked(root.path()).known);
    }
}

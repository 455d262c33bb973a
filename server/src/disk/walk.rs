//! The walk of a build context: what lies in it, how large it is, and what its ignore file keeps out.
//!
//! **Invariant:** bounded; follows no symbolic link and opens nothing but the ignore file.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

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

/// An ignore file is not larger than this.
const LARGEST_IGNORE_FILE: u64 = 1 << 20;

/// Walks the build context of a Dockerfile, the folders near the top first, so that a limit cuts off what is deep. It may
/// take a second on a large tree: not to be called where somebody waits. A folder that cannot be read gives a context
/// that is not known.
pub fn context(folder: &Path, dockerfile: Option<&Path>, limits: Limits) -> BuildContext {
    let mut res = BuildContext { folder: Some(crate::disk::slashed(folder)), ..BuildContext::default() };
    if std::fs::read_dir(folder).is_err() {
        return res;
    }
    res.known = true;
    res.dockerfile = dockerfile.and_then(|file| relative(folder, file));
    read_ignore_file(folder, dockerfile, &mut res);
    let mut waiting = VecDeque::from([(String::new(), Matched::default(), 0)]);
    while let Some((prefix, matched, depth)) = waiting.pop_front() {
        let Ok(names) = std::fs::read_dir(folder.join(&prefix)) else {
            res.truncated = true;
            continue;
        };
        let mut here: BTreeMap<String, Entry> = BTreeMap::new();
        for name in names {
            if res.entries.len() + here.len() >= limits.entries {
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
            res.entries.insert(path, entry);
        }
    }
    res.settled()
}

/// `<Dockerfile>.dockerignore` beside the Dockerfile, else `.dockerignore` of the context.
fn read_ignore_file(folder: &Path, dockerfile: Option<&Path>, acc: &mut BuildContext) {
    let own = dockerfile.and_then(|file| {
        let mut name = file.file_name()?.to_owned();
        name.push(".dockerignore");
        Some(file.with_file_name(name))
    });
    let common = folder.join(".dockerignore");
    for file in own.into_iter().chain([common]) {
        if file.symlink_metadata().is_err() {
            continue;
        }
        let Some(bytes) = plain_file_inside(&file).and_then(|it| bytes_of(&it, LARGEST_IGNORE_FILE).ok()) else {
            // What it keeps out is not known, so nothing is.
            acc.known = false;
            return;
        };
        acc.ignore_file = Some(relative(folder, &file).unwrap_or_else(|| crate::disk::slashed(&file)));
        acc.ignore_text = String::from_utf8_lossy(&bytes).into_owned();
        acc.ignore = IgnoreFile::parse(&acc.ignore_text);
        return;
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

//! What lies beside the Dockerfile, as data: the files of the build context that pass `.dockerignore`, their sizes, and
//! the text of the manifests that were asked for.
//!
//! Filled by [`crate::disk`]; read by facts, sizes, rules and assists. Paths are relative to the context folder, with
//! `/` between their parts and none at either end. **Invariant:** nothing here reads a file or follows a link.

pub mod ignore;
pub mod pattern;

use std::collections::BTreeMap;

use crate::context::ignore::IgnoreFile;
use crate::context::pattern::Pattern;

/// The build context of one Dockerfile.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct BuildContext {
    /// Whether the folder is known and could be read; else everything below says nothing (RULES.md S6).
    pub known: bool,
    /// The folder itself, for messages; the core opens nothing.
    pub folder: Option<String>,
    /// The Dockerfile's own path, if it lies in the folder.
    pub dockerfile: Option<String>,
    /// Every file, directory and link below the folder, up to the limits, ignored ones included. What lies below an
    /// ignored directory is left out where no `!` line of the ignore file could bring it back.
    pub entries: BTreeMap<String, Entry>,
    /// Whether the walk ended at a limit or met a folder it could not read, so that an absent path may exist.
    pub truncated: bool,
    /// The ignore file that holds (`.dockerignore` or `<Dockerfile>.dockerignore`), if there is one: relative to the
    /// folder, or its whole path where it lies outside.
    pub ignore_file: Option<String>,
    /// The text of that file; empty without one.
    pub ignore_text: String,
    /// The patterns of that file; none without one.
    pub ignore: IgnoreFile,
    /// Texts of files that the analysis reads as data (`package.json`, lock files, start scripts).
    pub texts: BTreeMap<String, String>,
}

/// One path of the context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// Size in bytes of a file, 0 for the others.
    pub bytes: u64,
    /// Whether the ignore file keeps it out of the build. A directory of which a part comes through is not ignored.
    pub ignored: bool,
}

/// The kinds of paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A plain file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link; never followed.
    Link,
    /// A FIFO, device or socket; never opened.
    Other,
}

/// What a source of a COPY brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brought {
    /// The bytes of all files.
    pub bytes: u64,
    /// How many files.
    pub files: usize,
    /// Whether that is all: false when the walk was cut short, or a link is named that nobody followed. Then `bytes` is
    /// the least it can be.
    pub complete: bool,
}

impl BuildContext {
    /// Whether this path is a file that a COPY of it would bring.
    pub fn has_file(&self, path: &str) -> bool {
        self.entry(path).is_some_and(|entry| entry.kind == EntryKind::File)
    }

    /// What lies at this path, written as a COPY writes it, unless the ignore file keeps it out.
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.get(&cleaned(path)).filter(|entry| !entry.ignored)
    }

    /// The text of a file that a COPY of it would bring, if it was read.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.has_file(path).then(|| self.texts.get(&cleaned(path))).flatten().map(String::as_str)
    }

    /// What lies at the top of the context and is not ignored, in the order of names.
    pub fn top_level(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries
            .iter()
            .filter(|(path, entry)| !path.contains('/') && !entry.ignored)
            .map(|(path, it)| (path.as_str(), it))
    }

    /// Everything below a directory that is not ignored, in the order of paths; `.` is the context itself.
    pub fn below(&self, directory: &str) -> impl Iterator<Item = (&str, &Entry)> {
        let mut prefix = cleaned(directory);
        if !prefix.is_empty() {
            prefix.push('/');
        }
        self.entries
            .range(prefix.clone()..)
            .take_while(move |(path, _)| path.starts_with(&prefix))
            .filter(|(_, entry)| !entry.ignored)
            .map(|(path, entry)| (path.as_str(), entry))
    }

    /// The paths that a source of a COPY names: itself when it is there, or what its pattern matches. Below a directory
    /// that is matched nothing more is listed, since the directory brings it. `.` is the context itself and is not
    /// listed. (fsutil, `copy/copy.go`, `ResolveWildcards`.)
    pub fn matching(&self, source: &str) -> Vec<&str> {
        let source = cleaned(source);
        let Some((folder, rest)) = pattern::split(&source) else {
            return self
                .entries
                .get_key_value(&source)
                .filter(|(_, it)| !it.ignored)
                .map(|(path, _)| path.as_str())
                .into_iter()
                .collect();
        };
        let Some(pattern) = Pattern::parse(rest) else { return Vec::new() };
        let skip = if folder.is_empty() { 0 } else { folder.len() + 1 };
        let mut res: Vec<&str> = Vec::new();
        for (path, _) in self.below(folder) {
            let within = res.last().and_then(|last| path.strip_prefix(*last)).is_some_and(|rest| rest.starts_with('/'));
            if !within && path.get(skip..).is_some_and(|relative| pattern.matches(relative)) {
                res.push(path);
            }
        }
        res
    }

    /// The bytes that a source of a COPY brings: a file, a directory with all below it, or everything that a pattern
    /// matches. `None` when the context is not known, when nothing is there, or when a link is named (BuildKit follows
    /// it, we do not).
    pub fn brings(&self, source: &str) -> Option<Brought> {
        if !self.known {
            return None;
        }
        let mut res = Brought { bytes: 0, files: 0, complete: true };
        if cleaned(source).is_empty() {
            self.add_below("", &mut res);
            return Some(res);
        }
        let mut found = false;
        for path in self.matching(source) {
            let Some(entry) = self.entries.get(path) else { continue };
            match entry.kind {
                EntryKind::File => {
                    found = true;
                    res.bytes = res.bytes.saturating_add(entry.bytes);
                    res.files += 1;
                }
                EntryKind::Directory => {
                    found = true;
                    self.add_below(path, &mut res);
                }
                EntryKind::Link | EntryKind::Other => res.complete = false,
            }
        }
        if self.truncated && pattern::split(&cleaned(source)).is_some() {
            res.complete = false;
        }
        found.then_some(res)
    }

    fn add_below(&self, directory: &str, acc: &mut Brought) {
        for (_, entry) in self.below(directory) {
            if entry.kind == EntryKind::File {
                acc.bytes = acc.bytes.saturating_add(entry.bytes);
                acc.files += 1;
            }
        }
        acc.complete &= !self.truncated;
    }
}

/// A source as the keys of [`BuildContext::entries`] are written: `./a//b/` is `a/b`, `.` and `/` are empty. `..` stops
/// at the context, as BuildKit has it (`path.Join("/", source)`).
pub fn cleaned(source: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in source.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

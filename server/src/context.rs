//! What lies beside the Dockerfile, as data: the files of the build context that pass `.dockerignore`, their sizes, and
//! the text of the manifests that were asked for.
//!
//! Filled by [`crate::disk`]; read by facts, sizes, rules and assists. Paths are relative to the context folder, with `/`.

use std::collections::BTreeMap;

/// The build context of one Dockerfile.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct BuildContext {
    /// Whether the folder is known and could be read; else everything below says nothing (RULES.md S6).
    pub known: bool,
    /// Every file, directory and link below the folder, up to the limits, ignored ones included.
    pub entries: BTreeMap<String, Entry>,
    /// Whether the walk ended at its limit, so that an absent path may exist.
    pub truncated: bool,
    /// The ignore file that holds (`.dockerignore` or `<Dockerfile>.dockerignore`), if there is one.
    pub ignore_file: Option<String>,
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
    /// Whether `.dockerignore` keeps it out of the build.
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

impl BuildContext {
    /// Whether this path is a file that a COPY of it would bring.
    pub fn has_file(&self, path: &str) -> bool {
        self.entries.get(path).is_some_and(|entry| entry.kind == EntryKind::File && !entry.ignored)
    }

    /// The text of a file that a COPY of it would bring, if it was read.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.has_file(path).then(|| self.texts.get(path)).flatten().map(String::as_str)
    }
}

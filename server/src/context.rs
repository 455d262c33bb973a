//! What lies beside the Dockerfile, as data: the files of the build context that pass `.dockerignore`, their sizes, and
//! the text of the manifests that were asked for.
//!
//! Filled by [`crate::disk`]; read by facts, sizes, rules and assists. Paths are relative to the context folder, with
//! `/` between their parts and none at either end. **Invariant:** nothing here reads a file or follows a link.

pub mod heavy;
pub mod ignore;
pub mod lock;
pub mod pattern;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::context::heavy::Heavy;
use crate::context::ignore::IgnoreFile;
use crate::context::lock::{Locked, Summed};
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
    pub entries: Arc<BTreeMap<String, Entry>>,
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
    /// What comes through below each directory, the context itself under the empty path: counted once by
    /// [`BuildContext::settled`], since a keystroke asks for it and a context may hold 100,000 files.
    pub sums: Arc<BTreeMap<String, Sum>>,
    /// What comes through and is hardly ever meant to; found by [`BuildContext::settled`] too.
    pub heavy: Vec<Heavy>,
    /// What the lock files among the texts were summed to; filled as they are asked for.
    pub(crate) locked: Summed,
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

/// Files and their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Sum {
    /// The bytes of all files.
    pub bytes: u64,
    /// How many files.
    pub files: usize,
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
    /// A known context of these files with their texts; a `.dockerignore` among them holds. For tests, and for whoever
    /// has texts and no folder.
    pub fn of_texts<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> BuildContext {
        let mut res = BuildContext { known: true, ..BuildContext::default() };
        let entries = Arc::make_mut(&mut res.entries);
        for (path, text) in files {
            let path = cleaned(path);
            for (at, _) in path.match_indices('/') {
                let directory = path.get(..at).unwrap_or_default().to_owned();
                entries.insert(directory, Entry { kind: EntryKind::Directory, bytes: 0, ignored: false });
            }
            let bytes = text.len() as u64;
            entries.insert(path.clone(), Entry { kind: EntryKind::File, bytes, ignored: false });
            res.texts.insert(path, text.to_owned());
        }
        let names = ["Dockerfile.dockerignore", ".dockerignore"];
        let found = names.iter().find_map(|name| Some((*name, res.texts.get(*name)?.clone())));
        match found {
            Some((name, text)) => res.with_ignore(name, &text),
            None => res.settled(),
        }
    }

    /// The same with this ignore file, as it would be if it lay there. What an ignored directory hides and nobody has
    /// listed stays hidden.
    pub fn with_ignore(mut self, path: &str, text: &str) -> BuildContext {
        self.ignore_file = Some(path.to_owned());
        self.ignore = IgnoreFile::parse(text);
        self.ignore_text = text.to_owned();
        for (path, entry) in Arc::make_mut(&mut self.entries) {
            entry.ignored = self.ignore.ignores(path);
        }
        self.settled()
    }

    /// The same with `sums` counted, and with the directories above a file that comes through marked as coming through
    /// too: BuildKit sends them whatever the patterns say (fsutil, `filter.go`).
    pub fn settled(mut self) -> BuildContext {
        let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
        let mut sent: Vec<String> = Vec::new();
        for (path, entry) in self.entries.iter().filter(|(_, entry)| !entry.ignored) {
            let is_file = entry.kind == EntryKind::File;
            let mut directory = path.as_str();
            while !directory.is_empty() {
                directory = directory.rsplit_once('/').map_or("", |(parent, _)| parent);
                if self.entries.get(directory).is_some_and(|it| it.ignored) {
                    sent.push(directory.to_owned());
                }
                if is_file {
                    let sum = match sums.get_mut(directory) {
                        Some(sum) => sum,
                        None => sums.entry(directory.to_owned()).or_default(),
                    };
                    sum.bytes = sum.bytes.saturating_add(entry.bytes);
                    sum.files += 1;
                }
            }
        }
        if !sent.is_empty() {
            let entries = Arc::make_mut(&mut self.entries);
            for directory in sent {
                if let Some(entry) = entries.get_mut(&directory) {
                    entry.ignored = false;
                }
            }
        }
        self.sums = Arc::new(sums);
        self.heavy = heavy::heavy(&self);
        self
    }

    /// Whether this path is a file that a COPY of it would bring.
    pub fn has_file(&self, path: &str) -> bool {
        self.entry(path).is_some_and(|entry| entry.kind == EntryKind::File)
    }

    /// Whether whatever lies at this path is kept out with a directory above it, so that it makes no difference.
    pub fn is_left_out(&self, path: &str) -> bool {
        let mut above = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        above.any(|directory| {
            let ignored = self.entries.get(directory).is_some_and(|entry| entry.ignored);
            ignored && !self.ignore.may_take_back_below(directory)
        })
    }

    /// What lies at this path, written as a COPY writes it, unless the ignore file keeps it out.
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.get(&cleaned(path)).filter(|entry| !entry.ignored)
    }

    /// The text of a file that a COPY of it would bring, if it was read.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.has_file(path).then(|| self.texts.get(&cleaned(path))).flatten().map(String::as_str)
    }

    /// The packages that a lock file or manifest of this path names, if its text was read.
    pub fn locked(&self, path: &str) -> Option<Locked> {
        lock::of(&self.locked, path, self.text(path)?)
    }

    /// What lies at the top of the context and is not ignored, in the order of names.
    pub fn top_level(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.children("").filter(|(_, entry)| !entry.ignored)
    }

    /// Everything below a directory that is not ignored, in the order of paths; `.` is the context itself.
    pub fn below(&self, directory: &str) -> impl Iterator<Item = (&str, &Entry)> {
        let prefix = prefix(&cleaned(directory));
        self.entries
            .range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded))
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
            let found = self.entries.get_key_value(&source).filter(|(_, entry)| !entry.ignored);
            return found.map(|(path, _)| path.as_str()).into_iter().collect();
        };
        let Some(parts) = rest.split('/').map(Pattern::parse).collect::<Option<Vec<Pattern>>>() else {
            return Vec::new();
        };
        let mut res = Vec::new();
        self.add_matching(folder, &parts, &mut res);
        res
    }

    /// The bytes that a source of a COPY brings: a file, a directory with all below it, or everything that a pattern
    /// matches. `None` when the context is not known, when nothing is there, or when a link is named (BuildKit follows
    /// it, we do not).
    pub fn brings(&self, source: &str) -> Option<Brought> {
        if !self.known {
            return None;
        }
        let source = cleaned(source);
        if source.is_empty() {
            let Sum { bytes, files } = self.sum_below("");
            return Some(Brought { bytes, files, complete: !self.truncated });
        }
        let is_pattern = pattern::split(&source).is_some();
        let mut res = Brought { bytes: 0, files: 0, complete: !(is_pattern && self.truncated) };
        let mut found = false;
        for path in self.matching(&source) {
            let Some(entry) = self.entries.get(path) else { continue };
            let sum = match entry.kind {
                EntryKind::File => Sum { bytes: entry.bytes, files: 1 },
                EntryKind::Directory => {
                    res.complete &= !self.truncated;
                    self.sum_below(path)
                }
                EntryKind::Link | EntryKind::Other => {
                    res.complete = false;
                    continue;
                }
            };
            found = true;
            res.bytes = res.bytes.saturating_add(sum.bytes);
            res.files += sum.files;
        }
        found.then_some(res)
    }

    fn sum_below(&self, directory: &str) -> Sum {
        self.sums.get(directory).copied().unwrap_or_default()
    }

    fn add_matching<'a>(&'a self, folder: &str, parts: &[Pattern], acc: &mut Vec<&'a str>) {
        let Some((first, rest)) = parts.split_first() else { return };
        let skip = prefix(folder).len();
        for (path, entry) in self.children(folder) {
            if entry.ignored || !path.get(skip..).is_some_and(|name| first.matches(name)) {
                continue;
            }
            if rest.is_empty() {
                acc.push(path);
            } else if entry.kind == EntryKind::Directory {
                self.add_matching(path, rest, acc);
            }
        }
    }

    /// What lies in a directory itself. Leaps over what lies deeper instead of passing it by.
    fn children(&self, directory: &str) -> impl Iterator<Item = (&str, &Entry)> {
        let prefix = prefix(directory);
        let mut from = Bound::Included(prefix.clone());
        std::iter::from_fn(move || {
            loop {
                let (path, entry) = self.entries.range((from.clone(), Bound::Unbounded)).next()?;
                let name = path.strip_prefix(prefix.as_str())?;
                match name.split_once('/') {
                    // `0` is the character behind `/`.
                    Some((deeper, _)) => from = Bound::Included(format!("{prefix}{deeper}0")),
                    None => {
                        from = Bound::Excluded(path.clone());
                        return Some((path.as_str(), entry));
                    }
                }
            }
        })
    }
}

/// What the paths below a directory begin with.
fn prefix(directory: &str) -> String {
    if directory.is_empty() { String::new() } else { format!("{directory}/") }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Brought, BuildContext, Entry, EntryKind, cleaned};

    /// A context of files with their bytes; `-` before a path: ignored; `/` behind it: a directory; `@`: a link.
    fn context(files: &[(&str, u64)]) -> BuildContext {
        let mut res = BuildContext { known: true, ..BuildContext::default() };
        for (marked, bytes) in files {
            let path = marked.trim_start_matches('-');
            let (path, kind) = match (path.strip_suffix('/'), path.strip_suffix('@')) {
                (Some(path), _) => (path, EntryKind::Directory),
                (None, Some(path)) => (path, EntryKind::Link),
                (None, None) => (path, EntryKind::File),
            };
            Arc::make_mut(&mut res.entries)
                .insert(path.to_owned(), Entry { kind, bytes: *bytes, ignored: marked.starts_with('-') });
        }
        res.settled()
    }

    #[test]
    fn what_lies_below_an_ignored_directory_makes_no_difference() {
        let mut left_out = BuildContext::of_texts([(".dockerignore", "node_modules\nlogs\n!logs/a"), ("logs/b", "")]);
        let directory = Entry { kind: EntryKind::Directory, bytes: 0, ignored: true };
        Arc::make_mut(&mut left_out.entries).insert("node_modules".to_owned(), directory);
        assert!(left_out.is_left_out("node_modules/new/a.js"));
        assert!(!left_out.is_left_out("logs/a") && !left_out.is_left_out("src/a.js") && !left_out.is_left_out("new"));
    }

    fn sample() -> BuildContext {
        context(&[
            ("package.json", 100),
            ("package-lock.json", 2_000),
            ("src/", 0),
            ("src/a.js", 10),
            ("src/b.js", 20),
            ("src/deep/", 0),
            ("src/deep/c.js", 40),
            ("src-old/", 0),
            ("src-old/d.js", 7),
            ("-node_modules/", 0),
            ("-node_modules/x.js", 1_000_000),
            ("current@", 0),
        ])
    }

    fn brings(source: &str) -> Option<u64> {
        sample().brings(source).map(|it| it.bytes)
    }

    #[test]
    fn a_copy_brings_files_directories_and_what_a_pattern_matches() {
        assert_eq!(brings("package.json"), Some(100));
        assert_eq!(brings("./package*.json"), Some(2_100));
        assert_eq!(brings("src"), Some(70));
        assert_eq!(brings("/src/"), Some(70));
        assert_eq!(brings("src/*.js"), Some(30));
        assert_eq!(brings("src*"), Some(77));
        assert_eq!(brings("s?c/[ab].js"), Some(30));
        assert_eq!(brings("."), Some(2_177));
        assert_eq!(brings("../src"), Some(70));
        assert_eq!(sample().matching("*"), ["current", "package-lock.json", "package.json", "src", "src-old"]);
    }

    #[test]
    fn what_is_not_there_or_ignored_brings_nothing() {
        assert_eq!(brings("dist"), None);
        assert_eq!(brings("node_modules"), None);
        assert_eq!(brings("*.go"), None);
        assert_eq!(brings("["), None);
        assert!(!sample().has_file("node_modules/x.js"));
        assert!(!sample().has_file("src"));
    }

    #[test]
    fn a_link_is_not_followed_and_not_guessed() {
        assert_eq!(brings("current"), None);
        assert_eq!(sample().brings("[cp]*"), Some(Brought { bytes: 2_100, files: 2, complete: false }));
    }

    #[test]
    fn a_walk_that_was_cut_short_gives_the_least_it_can_be() {
        let mut context = sample();
        context.truncated = true;
        assert_eq!(context.brings("src"), Some(Brought { bytes: 70, files: 3, complete: false }));
        assert_eq!(context.brings("package.json"), Some(Brought { bytes: 100, files: 1, complete: true }));
    }

    #[test]
    fn a_context_that_is_not_known_says_nothing() {
        assert_eq!(BuildContext::default().brings("."), None);
    }

    #[test]
    fn a_text_is_read_by_any_way_of_writing_its_path() {
        let mut context = sample();
        context.texts.insert("package.json".to_owned(), "{}".to_owned());
        assert_eq!(context.text("./package.json"), Some("{}"));
        assert_eq!(context.text("package-lock.json"), None);
    }

    #[test]
    fn the_top_is_what_lies_in_no_directory() {
        let context = sample();
        let names: Vec<&str> = context.top_level().map(|(name, _)| name).collect();
        assert_eq!(names, ["current", "package-lock.json", "package.json", "src", "src-old"]);
    }

    #[test]
    fn a_directory_comes_along_with_the_file_that_was_taken_back_from_it() {
        let context =
            BuildContext::of_texts([(".dockerignore", "**\n!src/*.js"), ("src/a.js", "12345"), ("src/b.ts", "1")]);
        assert_eq!(context.brings("src"), Some(Brought { bytes: 5, files: 1, complete: true }));
        assert_eq!(context.text("src/a.js"), Some("12345"));
        assert_eq!(context.text("src/b.ts"), None);
        assert_eq!(context.top_level().count(), 1);
    }

    #[test]
    fn no_source_leads_out_of_the_context() {
        arbtest::arbtest(|random| {
            let source: String = random.arbitrary()?;
            let path = cleaned(&source);
            assert!(!path.starts_with('/') && !path.split('/').any(|part| part == ".."));
            let _ = sample().brings(&source);
            Ok(())
        });
    }
}

//! `.dockerignore`, as BuildKit reads it: which paths of the context are kept out of the build.
//!
//! Two readers stand behind it: moby/patternmatcher `ignorefile` for the lines, and its `MatchesUsingParentResults`,
//! which BuildKit's walk of the context asks (fsutil, `filter.go`): the last pattern that matches a path or one of its
//! parents decides, `!` takes a path back. Where the manual and that code differ, the code is followed.
//! Two corners are not: `*` and `?` inside `[…]`, and `\` before a letter, are taken for themselves.

use crate::context::pattern::{self, Pattern, Piece};

/// The patterns of an ignore file in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct IgnoreFile {
    /// The lines that are patterns.
    pub patterns: Vec<IgnorePattern>,
    /// Lines (from 1) that BuildKit rejects, which fails the build: a lone `!`, `[` without its `]`.
    pub rejected: Vec<u32>,
}

/// One line of an ignore file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnorePattern {
    /// The line it stands on, from 1.
    pub line: u32,
    /// Whether it takes back what earlier lines ignored (`!`).
    pub exception: bool,
    /// The pattern without `!`, blanks, and `/` at its ends.
    pub text: String,
    kind: Kind,
}

/// How a pattern is compared. BuildKit's own four ways, which do not quite agree: `a/**` is a prefix, so that it also
/// matches a line end in a name, which a regular expression would not.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Exact,
    Prefix(String),
    Suffix(String),
    Pieces(Vec<Piece>),
}

/// Which patterns matched a directory, to be passed on to what lies in it. For the context itself: [`Default`].
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Matched {
    patterns: Vec<bool>,
}

impl IgnoreFile {
    /// Reads the text of an ignore file.
    pub fn parse(text: &str) -> IgnoreFile {
        let mut res = IgnoreFile::default();
        for (line, text) in (1..).zip(text.strip_prefix('\u{feff}').unwrap_or(text).split('\n')) {
            if text.starts_with('#') || text.trim().is_empty() {
                continue;
            }
            match IgnorePattern::parse(line, text.trim()) {
                Some(pattern) => res.patterns.push(pattern),
                None => res.rejected.push(line),
            }
        }
        res
    }

    /// Whether a path (relative to the context, `/` between its parts) is kept out of the build.
    pub fn ignores(&self, path: &str) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        let mut parent = Matched::default();
        for (at, _) in path.match_indices('/') {
            let Some(directory) = path.get(..at) else { continue };
            parent = self.step(&parent, directory).1;
        }
        self.step(&parent, path).0
    }

    /// The same, one step of a walk: takes what matched the parent directory, gives what matches here.
    pub fn step(&self, parent: &Matched, path: &str) -> (bool, Matched) {
        let mut ignored = false;
        let mut matched = vec![false; self.patterns.len()];
        for (at, (pattern, mark)) in self.patterns.iter().zip(&mut matched).enumerate() {
            let inherited = parent.patterns.get(at).copied().unwrap_or_default();
            // A pattern that would change nothing is not asked, and then does not hold for what lies below either.
            *mark = inherited || (pattern.exception == ignored && pattern.matches(path));
            if *mark {
                ignored = !pattern.exception;
            }
        }
        (ignored, Matched { patterns: matched })
    }

    /// Whether something below this ignored directory may come through because of a `!` line.
    pub fn may_take_back_below(&self, directory: &str) -> bool {
        self.patterns.iter().filter(|pattern| pattern.exception).any(|pattern| {
            let text = pattern.text.strip_suffix("/**").unwrap_or(&pattern.text);
            let text = text.strip_suffix("/*").unwrap_or(text);
            let below = text.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            below || text.contains(['*', '[', ']', '?', '^', '\\'])
        })
    }
}

impl IgnorePattern {
    fn parse(line: u32, text: &str) -> Option<IgnorePattern> {
        let (exception, text) = match text.strip_prefix('!') {
            Some(rest) => (true, rest.trim()),
            None => (false, text),
        };
        if text.is_empty() {
            return None;
        }
        let text = clean(text);
        Pattern::parse(&text)?;
        let kind = kind(&text)?;
        Some(IgnorePattern { line, exception, text, kind })
    }

    fn matches(&self, path: &str) -> bool {
        match &self.kind {
            Kind::Exact => self.text == path,
            Kind::Prefix(prefix) => path.starts_with(prefix.as_str()),
            Kind::Suffix(suffix) => path.ends_with(suffix.as_str()) || suffix.strip_prefix('/') == Some(path),
            Kind::Pieces(pieces) => pattern::matches(pieces, path),
        }
    }
}

/// Go's `filepath.Clean`, then without the `/` in front.
fn clean(text: &str) -> String {
    let rooted = text.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match parts.join("/") {
        path if !path.is_empty() => path,
        _ if rooted => "/".to_owned(),
        _ => ".".to_owned(),
    }
}

fn kind(text: &str) -> Option<Kind> {
    let mut exact = true;
    let mut pieces = Vec::new();
    let mut special = false;
    let mut suffix = false;
    let mut chars = text.chars().peekable();
    while let Some(it) = chars.next() {
        let first = pieces.is_empty();
        match it {
            '*' if chars.next_if_eq(&'*').is_some() => {
                let _ = chars.next_if_eq(&'/');
                if chars.peek().is_none() {
                    if exact && !first {
                        return Some(Kind::Prefix(text.strip_suffix("**").unwrap_or(text).to_owned()));
                    }
                    special |= !exact;
                    pieces.push(Piece::Rest);
                } else {
                    special |= !first;
                    pieces.extend([Piece::Optional, Piece::Inside]);
                }
                suffix |= first;
                exact = false;
                continue;
            }
            '*' => pieces.push(Piece::Many),
            '?' => pieces.push(Piece::One),
            '[' => pieces.push(class(&mut chars)?),
            '\\' => pieces.push(Piece::Literal(chars.next()?)),
            ']' => pieces.push(Piece::Literal(']')),
            '^' => {
                pieces.push(Piece::Start);
                continue;
            }
            it => {
                pieces.push(Piece::Literal(it));
                continue;
            }
        }
        exact = false;
        special = true;
    }
    if special {
        return Some(Kind::Pieces(pieces));
    }
    if suffix {
        return Some(Kind::Suffix(text.strip_prefix("**").unwrap_or(text).to_owned()));
    }
    Some(Kind::Exact)
}

/// A class as a regular expression has it: a range that runs backwards is rejected.
fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Piece> {
    let Piece::Class(negated, ranges) = pattern::class(chars)? else { return None };
    ranges.iter().all(|(low, high)| low <= high).then_some(Piece::Class(negated, ranges))
}

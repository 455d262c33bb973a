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
            let text = first_reading(text.trim());
            if text.trim().is_empty() {
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
    /// Takes a line from the first reader.
    fn parse(line: u32, text: &str) -> Option<IgnorePattern> {
        let text = clean(text);
        let (exception, text) = match text.strip_prefix('!') {
            Some("") => return None,
            Some(rest) => (true, rest.to_owned()),
            None => (false, text),
        };
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

/// What moby's `ignorefile` makes of a line. Its result is trimmed and cleaned once more by the matcher, so that `/!a`
/// becomes an exception and `!/` a lone `!`.
fn first_reading(text: &str) -> String {
    let (mark, text) = match text.strip_prefix('!') {
        Some(rest) => ("!", rest.trim()),
        None => ("", text),
    };
    if text.is_empty() {
        return mark.to_owned();
    }
    let text = clean(text);
    let text = text.strip_prefix('/').filter(|rest| !rest.is_empty()).unwrap_or(&text);
    format!("{mark}{text}")
}

/// Go's `filepath.Clean`.
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
    match (parts.join("/"), rooted) {
        (path, true) => format!("/{path}"),
        (path, false) if path.is_empty() => ".".to_owned(),
        (path, false) => path,
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

#[cfg(test)]
mod tests {
    use super::{IgnoreFile, Matched};

    /// A path marked with `-` is kept out, one with `+` comes through.
    fn check(ignore: &str, paths: &[&str]) {
        let ignore = IgnoreFile::parse(ignore);
        assert_eq!(ignore.rejected, [] as [u32; 0]);
        for marked in paths {
            let (mark, path) = marked.split_at(1);
            assert_eq!(ignore.ignores(path), mark == "-", "{path}");
        }
    }

    #[test]
    fn a_name_is_meant_at_the_top_alone_and_with_all_below_it() {
        check("node_modules", &["-node_modules", "-node_modules/a/b.js", "+web/node_modules", "+node_modules2"]);
    }

    #[test]
    fn a_star_stays_within_a_part() {
        check("*.md", &["-README.md", "+docs/README.md", "+.mdx"]);
        check("*/temp*", &["-a/temp", "-a/temporary.txt", "-a/temp/x", "+temp", "+a/b/temp"]);
        check("*/*/temp*", &["-a/b/temp", "+a/temp"]);
        check("temp?", &["-tempa", "+temp", "+tempab"]);
    }

    #[test]
    fn two_stars_pass_directories_none_included() {
        check("**/*.go", &["-main.go", "-a/b/main.go", "+main.got"]);
        check("**/node_modules", &["-node_modules", "-a/node_modules/b", "+a/my_node_modules"]);
        check("a/**/z", &["-a/z", "-a/b/c/z", "+a/zz", "+z"]);
        check("a/**", &["+a", "-a/b", "-a/b/c", "+ab"]);
        check("**", &["-a", "-a/b"]);
        check("**/", &["-a", "-a/b"]);
    }

    #[test]
    fn two_stars_in_a_name_are_what_buildkit_makes_of_them() {
        check("a**b", &["-ab", "-a/b", "-ax/b", "+axb"]);
        check("**b", &["-b", "-ab", "-a/cb"]);
        check("a**", &["-a", "-abc", "-a/b"]);
    }

    #[test]
    fn the_last_line_that_matches_decides() {
        check("*.md\n!README.md", &["-a.md", "+README.md"]);
        check("*.md\n!README*.md\nREADME-secret.md", &["+README.md", "-README-secret.md"]);
        check("*.md\nREADME-secret.md\n!README*.md", &["+README-secret.md"]);
        check("!README.md\n*.md", &["-README.md"]);
    }

    #[test]
    fn what_is_below_an_ignored_directory_can_be_taken_back() {
        check("*\n!src\n!package.json", &["+src/a/b.js", "+package.json", "-package-lock.json", "-dist/a"]);
        check("**\n!src/**/*.rs", &["-src", "+src/a/b.rs", "-src/a/b.txt"]);
        check("node_modules\n!node_modules/mine", &["-node_modules", "-node_modules/a", "+node_modules/mine/x"]);
    }

    #[test]
    fn an_exception_for_a_parent_does_not_reach_what_another_line_ignores_below_it() {
        check("a/b/c\n!a", &["+a", "+a/b", "-a/b/c", "-a/b/c/d"]);
    }

    #[test]
    fn lines_are_cleaned() {
        check("/foo/\n./bar\nx//y/../z\n  baz  \r\n", &["-foo", "-foo/a", "-bar", "-x/z", "-baz", "+x/y"]);
        check("../up\n/../down\n.\n/", &["+up", "-down", "+a"]);
        check("! a\n", &["+a"]);
        check("a\n! /a/", &["+a"]);
    }

    #[test]
    fn comments_blank_lines_and_a_byte_order_mark_are_no_patterns() {
        check("\u{feff}#a\n\n   \n#b\nc", &["+a", "+#a", "-c"]);
        check(" #a\n\\#b", &["-#a", "-#b"]);
    }

    #[test]
    fn classes_and_escapes_are_understood() {
        check("[ab]c\n[^x]y\n[0-9]z", &["-ac", "+cc", "-ay", "+xy", "-5z"]);
        check("\\*a", &["-*a", "+ba"]);
        check("a+(b).c", &["-a+(b).c", "+aabxc"]);
    }

    #[test]
    fn what_fails_the_build_is_rejected() {
        for text in ["!", "a\n!/", "[", "[a", "[]a]", "a\\", "[b-a]"] {
            assert_eq!(IgnoreFile::parse(text).rejected.len(), 1, "{text}");
        }
        assert_eq!(IgnoreFile::parse("a\n\n[").rejected, [3]);
    }

    #[test]
    fn an_ignored_directory_is_entered_only_where_an_exception_may_lead() {
        let ignore = IgnoreFile::parse("*\n!src/web\n!docs/**");
        assert!(ignore.may_take_back_below("src"));
        assert!(ignore.may_take_back_below("src/web"));
        assert!(ignore.may_take_back_below("docs"));
        assert!(!ignore.may_take_back_below("node_modules"));
        assert!(!ignore.may_take_back_below("sr"));
        assert!(IgnoreFile::parse("*\n!**/keep").may_take_back_below("node_modules"));
        assert!(!IgnoreFile::parse("*").may_take_back_below("node_modules"));
    }

    #[test]
    fn nothing_panics_and_a_skipped_directory_hides_nothing() {
        arbtest::arbtest(|random| {
            let alphabet: Vec<char> = "ab/*?[]^!\\.-# \n\r\u{e9}\u{0}".chars().collect();
            let mut text = |most: usize| -> arbtest::arbitrary::Result<String> {
                let length = random.int_in_range(0..=most)?;
                (0..length).map(|_| Ok(*random.choose(&alphabet)?)).collect()
            };
            let ignore = IgnoreFile::parse(&text(24)?);
            let (directory, name) = (text(6)?, text(4)?);
            let path = format!("{directory}/{name}");
            let (ignored, matched) = ignore.step(&Matched::default(), &directory);
            let (below, _) = ignore.step(&matched, &path);
            let _ = ignore.ignores(&path);
            let plain = !directory.is_empty() && !directory.contains(['/', '\\']) && !name.is_empty();
            if plain && ignored && !ignore.may_take_back_below(&directory) {
                assert!(below, "{directory:?} {name:?}");
            }
            Ok(())
        });
    }
}

//! The patterns of COPY and ADD sources, as Go's `filepath.Match` has them: `*`, `?`, `[a-z]`, `[^a-z]`, `\` before a
//! character that is meant literally. No `*` passes a `/`, and there is no `**`.
//!
//! The pieces are also those of [`crate::context::ignore`], which has `**` besides.

/// A pattern for a whole path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<Piece>,
}

/// One piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// This character.
    Literal(char),
    /// `?`: one character that is no `/`.
    One,
    /// `*`: any number of characters that are no `/`.
    Many,
    /// `[a-z]`: one character of the ranges; with `true`, one outside them, `/` included (so does Go).
    Class(bool, Vec<(char, char)>),
    /// Anything at all up to here (the end of `a*/**`).
    Rest,
    /// Before [`Piece::Inside`]: that piece may be left out.
    Optional,
    /// Any characters of which the last is `/`.
    Inside,
    /// Nothing, and only at the start of the path.
    Start,
}

impl Pattern {
    /// Reads a pattern; `None` where Go says `syntax error in pattern`.
    pub fn parse(text: &str) -> Option<Pattern> {
        let mut chars = text.chars().peekable();
        let mut pieces = Vec::new();
        while let Some(it) = chars.next() {
            pieces.push(match it {
                '*' => Piece::Many,
                '?' => Piece::One,
                '[' => class(&mut chars)?,
                '\\' => Piece::Literal(chars.next()?),
                it => Piece::Literal(it),
            });
        }
        Some(Pattern { pieces })
    }

    /// Whether the whole path matches.
    pub fn matches(&self, path: &str) -> bool {
        matches(&self.pieces, path)
    }
}

/// Whether a source is a pattern: the folder before its first part with a pattern in it, and the rest.
pub fn split(source: &str) -> Option<(&str, &str)> {
    let mut start = 0;
    for part in source.split('/') {
        if has_pattern(part) {
            let folder = source.get(..start).unwrap_or_default();
            return Some((folder.strip_suffix('/').unwrap_or(folder), source.get(start..).unwrap_or_default()));
        }
        start += part.len() + 1;
    }
    None
}

fn has_pattern(part: &str) -> bool {
    let mut escaped = false;
    for it in part.bytes() {
        match it {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'*' | b'?' | b'[' => return true,
            _ => {}
        }
    }
    false
}

/// The class behind a `[`, by the grammar of `filepath.Match`.
pub(crate) fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Piece> {
    let negated = chars.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        if !ranges.is_empty() && chars.next_if_eq(&']').is_some() {
            return Some(Piece::Class(negated, ranges));
        }
        let low = class_char(chars)?;
        let high = if chars.next_if_eq(&'-').is_some() { class_char(chars)? } else { low };
        ranges.push((low, high));
    }
}

fn class_char(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match chars.next()? {
        '-' | ']' => None,
        '\\' => chars.next(),
        it => Some(it),
    }
}

/// Runs all ways through the pieces at once, so that the time is at most pieces times characters.
pub(crate) fn matches(pieces: &[Piece], path: &str) -> bool {
    let mut now = vec![false; pieces.len() + 1];
    let mut next = vec![false; pieces.len() + 1];
    reach(pieces, &mut now, 0, true);
    for it in path.chars() {
        next.fill(false);
        for (at, piece) in pieces.iter().enumerate() {
            if !now.get(at).copied().unwrap_or_default() {
                continue;
            }
            match piece {
                Piece::Literal(wanted) if *wanted == it => reach(pieces, &mut next, at + 1, false),
                Piece::One if it != '/' => reach(pieces, &mut next, at + 1, false),
                Piece::Many if it != '/' => reach(pieces, &mut next, at, false),
                Piece::Class(negated, ranges) => {
                    let inside = ranges.iter().any(|(low, high)| (*low..=*high).contains(&it));
                    if inside != *negated {
                        reach(pieces, &mut next, at + 1, false);
                    }
                }
                Piece::Rest => reach(pieces, &mut next, at, false),
                Piece::Inside => {
                    reach(pieces, &mut next, at, false);
                    if it == '/' {
                        reach(pieces, &mut next, at + 1, false);
                    }
                }
                Piece::Literal(_) | Piece::One | Piece::Many | Piece::Optional | Piece::Start => {}
            }
        }
        std::mem::swap(&mut now, &mut next);
        if now.iter().all(|it| !it) {
            return false;
        }
    }
    now.last().copied().unwrap_or_default()
}

/// Marks a place and every place that is reached from it without a character.
fn reach(pieces: &[Piece], acc: &mut [bool], at: usize, start: bool) {
    let mut places = vec![at];
    while let Some(at) = places.pop() {
        let Some(mark) = acc.get_mut(at) else { continue };
        if std::mem::replace(mark, true) {
            continue;
        }
        match pieces.get(at) {
            Some(Piece::Many | Piece::Rest) => places.push(at + 1),
            Some(Piece::Optional) => places.extend([at + 1, at + 2]),
            Some(Piece::Start) if start => places.push(at + 1),
            Some(Piece::Literal(_) | Piece::One | Piece::Class(..) | Piece::Inside | Piece::Start) | None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, split};

    fn matches(pattern: &str, path: &str) -> bool {
        Pattern::parse(pattern).expect("the pattern is one").matches(path)
    }

    #[test]
    fn patterns_are_those_of_filepath_match() {
        for (pattern, path) in [
            ("abc", "abc"),
            ("*", "abc"),
            ("*c", "abc"),
            ("a*b?c*x", "abxbbxdbxebxczzx"),
            ("[a-c]x", "bx"),
            ("a?b", "a☺b"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in
            [("*", "a/b"), ("a?b", "a/b"), ("a*/b", "a/c/b"), ("[^a]", "a"), ("a\\*", "ab"), ("**", "a/b")]
        {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
        for pattern in ["[", "[a", "[]a]", "[-]", "[a-]", "a\\", "[^"] {
            assert_eq!(Pattern::parse(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        assert!(!matches(&"*a".repeat(200), &"a".repeat(150)));
    }

    #[test]
    fn a_source_is_split_at_its_first_part_with_a_pattern() {
        assert_eq!(split("a/b/*.c/d"), Some(("a/b", "*.c/d")));
        assert_eq!(split("*.json"), Some(("", "*.json")));
        assert_eq!(split("a\\*/b"), None);
    }
}

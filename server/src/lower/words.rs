//! From pieces of the joined line to words with their places in the instruction.

use std::ops::Range;

use crate::model::{Flag, Word};
use crate::segment::Line;
use crate::segment::words::Token;
use crate::text::Local;

/// An instruction's text and the line that BuildKit makes of it.
pub(super) struct Reader<'a> {
    pub(super) source: &'a str,
    pub(super) line: Line,
    pub(super) escape: char,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a str, escape: char) -> Reader<'a> {
        Reader { source, line: Line::join(source, escape), escape }
    }

    /// The place in the instruction of a range of the joined line.
    pub(super) fn place(&self, range: Range<usize>) -> Local {
        self.line.place(range.start, range.end)
    }

    pub(super) fn word(&self, token: Token) -> Word {
        Word { range: self.place(token.range), text: token.text }
    }

    pub(super) fn flag(&self, token: &Token) -> Flag {
        let range = self.place(token.range.clone());
        let written = &self.line.text[token.range.clone()];
        let (name, value) = match token.text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (token.text.as_str(), None),
        };
        let name = name.strip_prefix("--").unwrap_or(name);
        // Where quotes or escapes were taken off, offsets of the text are not those of what is written.
        let name_range = match written.find(name) {
            Some(at) if written == token.text => token.range.start + at..token.range.start + at + name.len(),
            _ => token.range.clone(),
        };
        let value = value.map(|value| {
            let start = written.find('=').map_or(token.range.end, |equals| token.range.start + equals + 1);
            Word { range: self.place(start..token.range.end.max(start)), text: value.to_owned() }
        });
        Flag { range, name: name.to_owned(), name_range: self.place(name_range), value }
    }
}

/// The text as Go prints it with `%q`.
pub(super) fn go_quote(text: &str) -> String {
    let mut res = String::from("\"");
    for char in text.chars() {
        match char {
            '"' => res.push_str("\\\""),
            '\\' => res.push_str("\\\\"),
            '\u{7}' => res.push_str("\\a"),
            '\u{8}' => res.push_str("\\b"),
            '\u{c}' => res.push_str("\\f"),
            '\n' => res.push_str("\\n"),
            '\r' => res.push_str("\\r"),
            '\t' => res.push_str("\\t"),
            '\u{b}' => res.push_str("\\v"),
            char if char.is_ascii_control() => res.push_str(&format!("\\x{:02x}", u32::from(char))),
            // Go escapes what its tables do not call printable: of the white space all but the plain blank.
            char if char.is_control() || (char.is_whitespace() && char != ' ') || char == '\u{feff}' => {
                res.push_str(&format!("\\u{:04x}", u32::from(char)));
            }
            char => res.push(char),
        }
    }
    res.push('"');
    res
}

/// The option that BuildKit would ask about (`util/suggest`): the nearest at an edit distance below 3, none when the
/// word is an option itself. The comparison is with the options in lower case. Where BuildKit takes one of several equally
/// near ones at random (it walks a Go map), one with the same first letter is taken, else the first.
pub(super) fn suggestion(word: &str, options: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let mut res = None;
    let mut nearest = (3, true);
    for option in options {
        let lower = option.to_lowercase();
        let distance = distance(word, &lower);
        if distance == 0 {
            return None;
        }
        let key = (distance, word.chars().next() != lower.chars().next());
        if distance < 3 && key < nearest {
            nearest = key;
            res = Some(option);
        }
    }
    res
}

/// Levenshtein's distance; words much longer than any option are not compared.
fn distance(left: &str, right: &str) -> usize {
    if left.len() > 64 {
        return usize::MAX;
    }
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, left_char) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right_char) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(left_char != *right_char);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

/// The instruction's text for the shell parser: same length, with what BuildKit leaves out overwritten by blanks.
///
/// A continuation in the middle of a word stays as it is, since to the shell too it glues the word together; the flag
/// says that one stands there with skipped lines in it, which the shell would read otherwise.
pub(super) fn masked(reader: &Reader<'_>) -> (String, bool) {
    let mut bytes = reader.source.as_bytes().to_vec();
    let mut torn = false;
    let mut left_out = reader.line.left_out.iter().peekable();
    while let Some(first) = left_out.next() {
        let mut gap: Local = *first;
        while let Some(next) = left_out.next_if(|next| next.start == gap.end) {
            gap = gap.cover(*next);
        }
        let (start, end) = (gap.start as usize, (gap.end as usize).min(bytes.len()));
        let before = start.checked_sub(1).map(|at| bytes[at]);
        let glued =
            [before, bytes.get(end).copied()].iter().all(|byte| byte.is_some_and(|it| !it.is_ascii_whitespace()));
        if glued && reader.escape == '\\' && &reader.source[start..end] == "\\\n" {
            continue;
        }
        torn |= glued;
        bytes[start..end].fill(b' ');
    }
    // Whole characters were overwritten by blanks, so this is UTF-8 as before.
    (String::from_utf8(bytes).unwrap_or_default(), torn)
}

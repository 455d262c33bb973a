//! Heredoc operators in a line: `<<EOF`, `<<-"EOF"`, `3<<EOF`, several in one instruction.

use crate::expand::Lexer;
use crate::segment::{Line, json, words};

/// A heredoc operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// Its first byte in the joined line.
    pub start: usize,
    /// One past its last byte in the joined line.
    pub end: usize,
    /// The delimiter without quotes.
    pub name: String,
    /// Whether variables are expanded in the body: no part of the delimiter is quoted.
    pub expand: bool,
    /// `<<-`: leading tabs are taken off the body and the line that ends it.
    pub chomp: bool,
}

impl Marker {
    /// Whether this line of the body (without its line end) ends the heredoc.
    pub fn ends_at(&self, content: &str) -> bool {
        let content = if self.chomp { content.trim_start_matches('\t') } else { content };
        content == self.name
    }
}

/// The heredoc operators of a joined line: only RUN, COPY and ADD, directly or below ONBUILD, and no JSON form, can have
/// them (`canContainHeredoc`, `heredocsFromLine` in `parser.go`).
pub fn markers(line: &Line, escape: char) -> Vec<Marker> {
    if !line.text.contains("<<") || !can_have(&line.text, escape) {
        return Vec::new();
    }
    let lexer = Lexer { escape: '\\', raw_quotes: true, raw_escapes: true, keep_unset: true };
    let words = lexer.words(&line.text, &|_, _| None).unwrap_or_default();
    words.into_iter().filter_map(|word| operator(&word.text, word.start, word.end)).collect()
}

/// Reads a word as a heredoc operator (`^(\d*)<<(-?)\s*([^<]*)$`); `start` and `end` are passed through.
pub fn operator(word: &str, start: usize, end: usize) -> Option<Marker> {
    let rest = word.trim_start_matches(|char: char| char.is_ascii_digit()).strip_prefix("<<")?;
    let (chomp, rest) = match rest.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let rest = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
    if rest.is_empty() || rest.contains('<') {
        return None;
    }
    let plain = Lexer { escape: '\\', raw_quotes: false, raw_escapes: false, keep_unset: true };
    let quoted = Lexer { raw_quotes: true, ..plain };
    let [name] = &plain.words(rest, &|_, _| None).ok()?[..] else { return None };
    let [raw] = &quoted.words(rest, &|_, _| None).ok()?[..] else { return None };
    let n_quotes = |text: &str| text.matches(['\'', '"']).count();
    let expand = n_quotes(&name.text) == n_quotes(&raw.text);
    Some(Marker { start, end, name: name.text.clone(), expand, chomp })
}

fn can_have(line: &str, escape: char) -> bool {
    let outer = words::split(line, 0, line.len(), escape);
    let keyword = &line[outer.keyword.clone()];
    let inner = if keyword.eq_ignore_ascii_case("ONBUILD") {
        words::split(line, outer.arguments.start, outer.arguments.end, escape)
    } else {
        outer
    };
    let takes = ["RUN", "COPY", "ADD"].iter().any(|it| line[inner.keyword.clone()].eq_ignore_ascii_case(it));
    takes && json::array(&line[inner.arguments]).is_none()
}

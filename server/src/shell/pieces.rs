//! From a node that is a word, or a piece of one, to its parts.
//!
//! The grammar loses blanks inside of quotes; so literal text is what stands between the expansions, as written.

use std::iter::Peekable;
use std::str::Chars;

use tree_sitter::Node;

use crate::shell::kind::{self, Kind};
use crate::shell::tree::Lowering;
use crate::shell::{Part, Word};
use crate::text::Local;

/// What the grammar now and then takes into a pattern.
const BLANKS: [char; 3] = [' ', '\t', '\n'];

impl<'t> Lowering<'t> {
    /// The word that a node is, or its source as bare text where it is none.
    pub(super) fn word(&mut self, node: Node<'t>) -> Word {
        let mut range = self.range(node);
        let text = self.text(node);
        if kind::of(node) == Kind::Bare && (text.starts_with(BLANKS) || text.ends_with(BLANKS)) {
            let start = range.start as usize + text.len() - text.trim_start_matches(BLANKS).len();
            range = Local::new(start, start + text.trim_matches(BLANKS).len());
        }
        let mut parts = Vec::new();
        self.piece(node, &mut parts);
        Word { range, parts }
    }

    fn piece(&mut self, node: Node<'t>, acc: &mut Vec<Part>) {
        match kind::of(node) {
            Kind::Bare => bare(self.text(node).trim_matches(BLANKS), acc),
            Kind::Quotes => self.quotes(node, acc),
            Kind::Raw => {
                let text = self.text(node);
                quoted(text.strip_prefix('\'').and_then(|it| it.strip_suffix('\'')).unwrap_or(text), acc);
            }
            Kind::Ansi => {
                let text = self.text(node);
                quoted(&ansi(text.strip_prefix("$'").and_then(|it| it.strip_suffix('\'')).unwrap_or(text)), acc);
            }
            Kind::Concatenation => {
                let mark = self.enter(node);
                while let Some(child) = self.next(mark) {
                    // A concatenation stands in another only where the text is broken: its source will do.
                    match kind::of(child) {
                        Kind::Concatenation => bare(self.text(child), acc),
                        _ => self.piece(child, acc),
                    }
                }
            }
            Kind::Variable => variable(self.text(node), false, acc),
            Kind::Expansion => self.expansion(node, false, acc),
            Kind::Substitution => {
                let list = self.list(node);
                acc.push(Part::Substitution(list));
            }
            Kind::Process => {
                self.hide(node);
                acc.push(Part::Other);
            }
            Kind::Opaque => {
                self.hide_inner(node);
                acc.push(Part::Other);
            }
            Kind::Transparent
            | Kind::Redirected
            | Kind::Command
            | Kind::CommandName
            | Kind::Declaration
            | Kind::Assignment
            | Kind::Assignments
            | Kind::Test
            | Kind::Expression
            | Kind::Compound
            | Kind::Case
            | Kind::CaseItem
            | Kind::Clause
            | Kind::Keyword
            | Kind::Group
            | Kind::Subshell
            | Kind::Function
            | Kind::FileRedirect
            | Kind::HereString
            | Kind::Heredoc
            | Kind::Descriptor
            | Kind::Comment
            | Kind::Joint
            | Kind::Pipe
            | Kind::Bang
            | Kind::Separator
            | Kind::Closing
            | Kind::Other => bare(self.text(node), acc),
        }
    }

    /// `"…"` and `$"…"`.
    fn quotes(&mut self, node: Node<'t>, acc: &mut Vec<Part>) {
        let before = acc.len();
        let text = self.text(node);
        let opening = text.find('"').map_or(0, |idx| idx + 1);
        let mut done = node.start_byte() + opening;
        let end = node.end_byte() - usize::from(text.len() > opening && text.ends_with('"'));
        let mark = self.enter(node);
        while let Some(child) = self.next(mark) {
            let kind = kind::of(child);
            if !matches!(kind, Kind::Variable | Kind::Expansion | Kind::Substitution | Kind::Opaque) {
                // `$"…"` holds its string as a child.
                if kind == Kind::Quotes {
                    self.expand(child);
                }
                continue;
            }
            in_quotes(self.text.get(done..child.start_byte()).unwrap_or(""), acc);
            done = child.end_byte();
            match kind {
                Kind::Variable => variable(self.text(child), true, acc),
                Kind::Expansion => self.expansion(child, true, acc),
                _ => self.piece(child, acc),
            }
        }
        in_quotes(self.text.get(done..end).unwrap_or(""), acc);
        if acc.len() == before {
            acc.push(Part::Quoted(String::new()));
        }
    }

    /// `${…}`.
    fn expansion(&mut self, node: Node<'t>, quoted: bool, acc: &mut Vec<Part>) {
        let text = self.text(node);
        let inner = text.strip_prefix("${").and_then(|it| it.strip_suffix('}')).unwrap_or("");
        let width = name_width(inner);
        let (name, operator) = inner.split_at(width);
        // `${#x}` is a length, `${!x}` the value of another.
        let measured = matches!(name, "#" | "!") && operator.starts_with(|it| is_name(it) || matches!(it, '@' | '*'));
        if name.is_empty() || measured {
            acc.push(Part::Other);
        } else {
            acc.push(Part::Variable { name: name.to_owned(), operator: operator.to_owned(), quoted });
        }
        if operator.contains(['$', '`']) {
            self.hide_inner(node);
        }
    }
}

/// Unquoted text, whose backslashes quote the character behind them.
fn bare(text: &str, acc: &mut Vec<Part>) {
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('\\') {
        push_bare(before, acc);
        let mut chars = behind.chars();
        match chars.next() {
            Some('\n') => {}
            Some(it) => quoted(it.encode_utf8(&mut [0; 4]), acc),
            None => push_bare("\\", acc),
        }
        rest = chars.as_str();
    }
    push_bare(rest, acc);
}

/// The literal text inside `"…"`, whose backslashes quote five characters only.
fn in_quotes(text: &str, acc: &mut Vec<Part>) {
    if text.is_empty() {
        return;
    }
    if !text.contains('\\') {
        return quoted(text, acc);
    }
    let mut res = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(it) = chars.next() {
        match (it, chars.peek()) {
            ('\\', Some('\n')) => _ = chars.next(),
            ('\\', Some('$' | '`' | '"' | '\\')) => res.extend(chars.next()),
            _ => res.push(it),
        }
    }
    quoted(&res, acc);
}

fn push_bare(text: &str, acc: &mut Vec<Part>) {
    match acc.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Bare(last)) => last.push_str(text),
        _ => acc.push(Part::Bare(text.to_owned())),
    }
}

fn quoted(text: &str, acc: &mut Vec<Part>) {
    match acc.last_mut() {
        Some(Part::Quoted(last)) => last.push_str(text),
        _ => acc.push(Part::Quoted(text.to_owned())),
    }
}

/// `$name`; the grammar takes `$1st` and `$é` for names whole.
pub(super) fn variable(text: &str, in_quotes: bool, acc: &mut Vec<Part>) {
    let text = text.strip_prefix('$').unwrap_or(text);
    let first_digit = text.starts_with(|it: char| it.is_ascii_digit());
    let width = if first_digit { 1 } else { name_width(text) };
    let (name, rest) = text.split_at(width);
    if name.is_empty() {
        push_bare("$", acc);
    } else {
        acc.push(Part::Variable { name: name.to_owned(), operator: String::new(), quoted: in_quotes });
    }
    match rest {
        "" => {}
        rest if in_quotes => quoted(rest, acc),
        rest => push_bare(rest, acc),
    }
}

/// How many bytes of the text are the name of a variable or of a parameter.
fn name_width(text: &str) -> usize {
    match text.chars().next() {
        Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => 1,
        Some('0'..='9') => text.len() - text.trim_start_matches(|it: char| it.is_ascii_digit()).len(),
        Some(_) => text.len() - text.trim_start_matches(is_name).len(),
        None => 0,
    }
}

fn is_name(it: char) -> bool {
    it.is_ascii_alphanumeric() || it == '_'
}

/// The text of `$'…'` (bash manual, *ANSI-C Quoting*).
fn ansi(text: &str) -> String {
    let mut res = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(it) = chars.next() {
        if it != '\\' {
            res.push(it);
            continue;
        }
        match chars.next() {
            Some('n') => res.push('\n'),
            Some('t') => res.push('\t'),
            Some('r') => res.push('\r'),
            Some('a') => res.push('\u{7}'),
            Some('b') => res.push('\u{8}'),
            Some('e' | 'E') => res.push('\u{1b}'),
            Some('f') => res.push('\u{c}'),
            Some('v') => res.push('\u{b}'),
            Some('x') => push_number(&mut res, &mut chars, 0, 16, 2),
            Some('u') => push_number(&mut res, &mut chars, 0, 16, 4),
            Some('U') => push_number(&mut res, &mut chars, 0, 16, 8),
            Some(digit @ '0'..='7') => {
                push_number(&mut res, &mut chars, digit.to_digit(8).unwrap_or(0), 8, 2);
            }
            Some(it @ ('\\' | '\'' | '"' | '?')) => res.push(it),
            Some(other) => res.extend(['\\', other]),
            None => res.push('\\'),
        }
    }
    res
}

fn push_number(acc: &mut String, chars: &mut Peekable<Chars<'_>>, start: u32, radix: u32, most: usize) {
    let mut value = start;
    for _ in 0..most {
        let Some(digit) = chars.peek().and_then(|it| it.to_digit(radix)) else { break };
        value = value.wrapping_mul(radix).wrapping_add(digit);
        chars.next();
    }
    acc.push(char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER));
}

//! A first look at shell text, before the grammar: heredocs, escaped blanks and template placeholders.
//!
//! It knows quotes, expansions and comments and nothing of commands. What the grammar cannot read it overwrites in a
//! copy of the same length: `<<EOF` becomes `< EOF` and the body of a heredoc blanks (the grammar knows one heredoc a
//! line and wants its body, which of a `RUN` lies behind the command line), and `\` before a blank a plain escape.

use std::mem;

/// What was found in a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// The text to give to the grammar where it is another; of the same length, with the same character boundaries.
    pub(super) copy: Option<String>,
    /// Whether a template placeholder stands outside of single quotes (RULES.md S2).
    pub(super) placeholder: bool,
}

/// Whether [`scan`] can find anything at all in the text: most texts need no second look.
pub(super) fn is_due(text: &str) -> bool {
    text.as_bytes()
        .windows(2)
        .any(|pair| matches!(pair, [b'<', b'<' | b'%'] | [b'{', b'{'] | [b'\\', b' ' | b'\t'] | [b'@', b'A'..=b'Z']))
}

/// Where the scanner is.
enum Place {
    /// Among commands, at the outside or in `$( )` and `( )`.
    Commands,
    /// Among commands in backquotes.
    Backquotes,
    /// In `"…"`.
    Quotes,
    /// In `${…}`; `quoted` inside `"…"`, where a `'` is only a `'`.
    Parameter { quoted: bool },
    /// In `$((…))` or `((…))`, with so many parentheses open inside.
    Arithmetic { open: u32 },
}

/// A heredoc whose body comes with the next line.
struct Heredoc {
    delimiter: String,
    tabs: bool,
}

/// Looks through the text once, from left to right.
pub(super) fn scan(text: &str) -> Scan {
    let bytes = text.as_bytes();
    let at = |idx: usize| bytes.get(idx).copied().unwrap_or(0);
    let mut copy: Option<Vec<u8>> = None;
    let mut placeholder = false;
    let mut places = vec![Place::Commands];
    let mut heredocs = Vec::new();
    let mut idx = 0;
    while idx < bytes.len() {
        let byte = at(idx);
        if !placeholder && matches!(byte, b'{' | b'<' | b'@') {
            placeholder = is_placeholder(&text[idx..]);
        }
        let nested = places.len() > 1;
        let Some(place) = places.last_mut() else { break };
        let quoted = matches!(place, Place::Quotes | Place::Parameter { quoted: true });
        let mut width = 1;
        match (byte, place) {
            (b'\\', Place::Commands | Place::Backquotes) if matches!(at(idx + 1), b' ' | b'\t') => {
                patch(&mut copy, text, idx + 1, b'_');
                width = 2;
            }
            (b'\\', _) => width = 1 + char_width(&text[idx + 1..]),
            (b'\'', _) if !quoted => {
                let ansi = idx > 0 && at(idx - 1) == b'$';
                width = 1 + single_quoted(&bytes[idx + 1..], ansi);
            }
            (b'"', Place::Quotes) => _ = places.pop(),
            (b'"', _) => places.push(Place::Quotes),
            (b'`', _) => match places.iter().rposition(|it| matches!(it, Place::Backquotes)) {
                Some(opened) => places.truncate(opened),
                None => places.push(Place::Backquotes),
            },
            (b'$', _) => match (at(idx + 1), at(idx + 2)) {
                (b'(', b'(') => {
                    places.push(Place::Arithmetic { open: 0 });
                    width = 3;
                }
                (b'(', _) => {
                    places.push(Place::Commands);
                    width = 2;
                }
                (b'{', _) => {
                    places.push(Place::Parameter { quoted });
                    width = 2;
                }
                (b'$' | b'#', _) => width = 2,
                _ => {}
            },
            (b'}', Place::Parameter { .. }) => _ = places.pop(),
            (b'(', Place::Arithmetic { open }) => *open += 1,
            (b')', Place::Arithmetic { open: 0 }) => {
                places.pop();
                width = if at(idx + 1) == b')' { 2 } else { 1 };
            }
            (b')', Place::Arithmetic { open }) => *open -= 1,
            (b'(', Place::Commands | Place::Backquotes) if at(idx + 1) == b'(' => {
                places.push(Place::Arithmetic { open: 0 });
                width = 2;
            }
            (b'(', Place::Commands | Place::Backquotes) => places.push(Place::Commands),
            (b')', Place::Commands) if nested => _ = places.pop(),
            (b'#', Place::Commands | Place::Backquotes) if idx == 0 || ends_word(at(idx - 1)) => {
                width = bytes[idx..].iter().position(|it| *it == b'\n').unwrap_or(bytes.len() - idx);
            }
            (b'<', Place::Commands | Place::Backquotes) if at(idx + 1) == b'<' => {
                if at(idx + 2) == b'<' {
                    width = 3;
                } else {
                    let tabs = at(idx + 2) == b'-';
                    let operator = if tabs { 3 } else { 2 };
                    let (delimiter, read) = delimiter(&text[idx + operator..]);
                    if read > 0 {
                        for blank in 1..operator {
                            patch(&mut copy, text, idx + blank, b' ');
                        }
                        heredocs.push(Heredoc { delimiter, tabs });
                    }
                    width = operator + read;
                }
            }
            (b'\n', Place::Commands | Place::Backquotes) if !heredocs.is_empty() => {
                let body = idx + 1;
                let end = body + bodies(&text[body..], &mem::take(&mut heredocs));
                for blank in body..end {
                    patch(&mut copy, text, blank, b' ');
                }
                width = end - idx;
            }
            _ => width = char_width(&text[idx..]),
        }
        idx += width.max(1);
    }
    Scan { copy: copy.and_then(|it| String::from_utf8(it).ok()), placeholder }
}

fn patch(copy: &mut Option<Vec<u8>>, text: &str, idx: usize, byte: u8) {
    if let Some(place) = copy.get_or_insert_with(|| text.as_bytes().to_vec()).get_mut(idx) {
        *place = byte;
    }
}

fn char_width(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

/// The width of what stands behind an opening `'`, the closing one included.
fn single_quoted(bytes: &[u8], ansi: bool) -> usize {
    let mut escaped = false;
    for (idx, byte) in bytes.iter().enumerate() {
        if *byte == b'\'' && !escaped {
            return idx + 1;
        }
        escaped = ansi && *byte == b'\\' && !escaped;
    }
    bytes.len()
}

/// Whether no word goes on behind this byte.
fn ends_word(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' | b'`')
}

/// The delimiter behind `<<`, its quotes taken off, and how many bytes it takes with the blanks before it; none if 0.
fn delimiter(text: &str) -> (String, usize) {
    let blanks = text.len() - text.trim_start_matches([' ', '\t']).len();
    let mut res = String::new();
    let mut read = blanks;
    let mut quote = None;
    let mut chars = text[blanks..].chars().peekable();
    while let Some(&it) = chars.peek() {
        match quote {
            None if it.is_ascii() && ends_word(it as u8) => break,
            None if it == '\'' || it == '"' => quote = Some(it),
            Some(opened) if it == opened => quote = None,
            None if it == '\\' => {}
            _ => res.push(it),
        }
        read += it.len_utf8();
        chars.next();
    }
    if quote.is_some() || read == blanks { (String::new(), 0) } else { (res, read) }
}

/// How many bytes the bodies of these heredocs take with their delimiters' lines, the last line end left out.
fn bodies(text: &str, heredocs: &[Heredoc]) -> usize {
    let mut heredocs = heredocs.iter();
    let Some(mut heredoc) = heredocs.next() else { return 0 };
    let mut read = 0;
    for line in text.split_inclusive('\n') {
        let whole = line.trim_end_matches(['\n', '\r']);
        let bare = if heredoc.tabs { whole.trim_start_matches('\t') } else { whole };
        if bare == heredoc.delimiter {
            match heredocs.next() {
                Some(next) => heredoc = next,
                None => return read + whole.len(),
            }
        }
        read += line.len();
    }
    text.len()
}

/// Whether the text begins with `{{ … }}`, `<% … %>` or `@NAME@`.
fn is_placeholder(text: &str) -> bool {
    if let Some(inner) = text.strip_prefix("{{") {
        return inner.find('}').is_some_and(|idx| inner[idx..].starts_with("}}"));
    }
    if let Some(inner) = text.strip_prefix("<%") {
        return inner.contains("%>");
    }
    let Some(inner) = text.strip_prefix('@') else { return false };
    let name = inner.len() - inner.trim_start_matches(|it: char| matches!(it, 'A'..='Z' | '0'..='9' | '_')).len();
    inner.starts_with(|it: char| it.is_ascii_uppercase()) && inner[name..].starts_with('@')
}

#[cfg(test)]
mod tests {
    use super::{is_due, scan};

    fn copy(text: &str) -> String {
        scan(text).copy.unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn a_heredoc_becomes_a_plain_redirection() {
        assert_eq!(copy("cat <<EOF >/x"), "cat < EOF >/x");
        assert_eq!(copy("cat <<-'A' <<B"), "cat <  'A' < B");
        assert_eq!(copy("cat 3<< \"A B\" && x"), "cat 3<  \"A B\" && x");
    }

    #[test]
    fn the_bodies_of_heredocs_become_blanks() {
        assert_eq!(copy("cat <<A <<B\n1'\nA\n2\nB\nx"), "cat < A < B\n        \nx");
        assert_eq!(copy("cat <<-A\n\t1\n\tA\nx <<A\nA"), "cat <  A\n     \nx < A\n ");
        assert_eq!(copy("cat <<A\né"), "cat < A\n  ");
    }

    #[test]
    fn shifts_here_strings_and_quoted_text_are_no_heredocs() {
        for text in ["echo $((1<<4))", "cat <<<x", "echo '<<E' \"<<E\" \\<<E", "((a<<2))", "# <<E", "echo ${x#<<E}"] {
            assert_eq!(copy(text), text);
        }
        assert_eq!(copy("echo \"$(cat <<E)\""), "echo \"$(cat < E)\"");
    }

    #[test]
    fn an_escaped_blank_stays_in_its_word() {
        assert_eq!(copy(r#"a \ b 'c\ d' "e\ f" g\\ h"#), r#"a \_b 'c\ d' "e\ f" g\\ h"#);
    }

    #[test]
    fn placeholders_count_outside_of_single_quotes() {
        for text in ["echo {{ x }}", "a <% x %>", "a=\"@NAME@\"", "{{x}}"] {
            assert!(scan(text).placeholder && is_due(text), "{text}");
        }
        for text in
            ["f '{{.Id}}'", "npm i @Scope/x a@B", "x < %y", "echo {{a,b},c}", "# {{ x }}", "git log --format='@A@'"]
        {
            assert!(!scan(text).placeholder, "{text}");
        }
    }
}

//! A first look at shell text, before the grammar: heredocs, escaped blanks and template placeholders.
//!
//! It knows quotes, expansions and comments and nothing of commands. What the grammar cannot read it overwrites in a
//! copy of the same length: `<<EOF` becomes `< EOF` and the body of a heredoc blanks (the grammar knows one heredoc a
//! line and wants its body, which of a `RUN` lies behind the command line), `\` before a blank a plain escape, and a continuation inside a word a
//! piece of the word.

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
    text.as_bytes().windows(2).any(|pair| {
        matches!(
            pair,
            [b'<', b'<' | b'%']
                | [b'{', b'{' | b'%']
                | [b'!', b' ']
                | [b'`', b'#']
                | [b'\\', b' ' | b'\t' | b'\n']
                | [b'@', b'A'..=b'Z']
        )
    })
}

/// Where the scanner is.
enum Place {
    /// Among commands.
    Commands(Opened),
    /// In `"…"`.
    Quotes,
    /// In `${…}`; `quoted` inside `"…"`, where a `'` is only a `'`.
    Parameter { quoted: bool },
    /// In `$((…))` or `((…))`, with so many parentheses open inside.
    Arithmetic { open: u32 },
}

/// What opened a place among commands.
#[derive(PartialEq, Eq)]
enum Opened {
    Text,
    Parenthesis,
    Substitution,
    Backquote,
}

/// A heredoc whose body comes with the next line.
struct Heredoc {
    delimiter: String,
    tabs: bool,
}

/// Looks through the text once, from left to right.
///
/// With `ended`, the copy has a `;` between reserved words that need none (`fi done`, `) done`): the grammar wants it.
/// That is worth a second try only where the grammar could not read the text without.
pub(super) fn scan(text: &str, ended: bool) -> Scan {
    let bytes = text.as_bytes();
    let at = |idx: usize| bytes.get(idx).copied().unwrap_or(0);
    let mut copy: Option<Vec<u8>> = None;
    let mut placeholder = false;
    let mut places = vec![Place::Commands(Opened::Text)];
    let mut heredocs = Vec::new();
    // The end of the last command, if it was a compound and only blanks came since.
    let mut compound_end = None;
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
        if ended && matches!(place, Place::Commands(_)) && !matches!(byte, b' ' | b'\t') {
            let word = word_at(text, idx);
            let closes = matches!(word, "done" | "fi" | "esac" | "}");
            let follows = compound_end.take().filter(|_| closes || matches!(word, "else" | "elif" | "then" | "do"));
            if let Some(end) = follows {
                patch(&mut copy, text, end, b';');
            }
            let before = bytes[..idx].iter().rfind(|it| !matches!(it, b' ' | b'\t'));
            if closes && (follows.is_some() || before.is_some_and(|it| matches!(it, b';' | b'&' | b'\n'))) {
                compound_end = Some(idx + word.len());
                idx += word.len();
                continue;
            }
        }
        match (byte, place) {
            (b'\\', Place::Commands(_)) if matches!(at(idx + 1), b' ' | b'\t') => {
                patch(&mut copy, text, idx + 1, b'_');
                width = 2;
            }
            (b'\\', Place::Commands(_))
                if at(idx + 1) == b'\n' && idx > 0 && !ends_word(at(idx - 1)) && !ends_word(at(idx + 2)) =>
            {
                patch(&mut copy, text, idx, b'%');
                patch(&mut copy, text, idx + 1, b'%');
                width = 2;
            }
            (b'\\', _) => width = 1 + char_width(&text[idx + 1..]),
            (b'\'', _) if !quoted => {
                let ansi = idx > 0 && at(idx - 1) == b'$';
                width = 1 + single_quoted(&bytes[idx + 1..], ansi);
            }
            (b'"', Place::Quotes) => _ = places.pop(),
            (b'"', _) => places.push(Place::Quotes),
            (b'`', Place::Commands(_)) if at(idx + 1) == b'#' => {
                // A comment between arguments: an empty command without a word of its own.
                width = bytes[idx + 1..].iter().position(|it| *it == b'`').map_or(1, |it| it + 2);
                for blank in idx..idx + width {
                    patch(&mut copy, text, blank, b' ');
                }
            }
            (b'!', Place::Commands(_)) if at(idx + 1) == b' ' && (idx == 0 || ends_word(at(idx - 1))) => {
                // `! { …; }` is not in the grammar; `tree` finds the `!` again before the group.
                let behind = text[idx + 1..].trim_start_matches([' ', '\t']);
                if behind.starts_with("{ ") || behind.starts_with("{\n") {
                    patch(&mut copy, text, idx, b' ');
                }
            }
            (b'`', _) => match places.iter().rposition(|it| matches!(it, Place::Commands(Opened::Backquote))) {
                Some(opened) => places.truncate(opened),
                None => places.push(Place::Commands(Opened::Backquote)),
            },
            (b'$', _) => match (at(idx + 1), at(idx + 2)) {
                (b'(', b'(') => {
                    places.push(Place::Arithmetic { open: 0 });
                    width = 3;
                }
                (b'(', _) => {
                    places.push(Place::Commands(Opened::Substitution));
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
            (b'(', Place::Commands(_)) if at(idx + 1) == b'(' => {
                places.push(Place::Arithmetic { open: 0 });
                width = 2;
            }
            (b'(', Place::Commands(_)) => places.push(Place::Commands(Opened::Parenthesis)),
            (b')', Place::Commands(opened)) if nested => {
                compound_end = (ended && *opened == Opened::Parenthesis).then_some(idx + 1);
                places.pop();
            }
            (b'#', Place::Commands(_)) if idx == 0 || ends_word(at(idx - 1)) => {
                width = bytes[idx..].iter().position(|it| *it == b'\n').unwrap_or(bytes.len() - idx);
            }
            (b'<', Place::Commands(_)) if at(idx + 1) == b'<' => {
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
            (b'\n', Place::Commands(_)) if !heredocs.is_empty() => {
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

/// The word of which the first byte stands here, if a word may begin here.
fn word_at(text: &str, idx: usize) -> &str {
    let bytes = text.as_bytes();
    if idx > 0 && bytes.get(idx - 1).is_some_and(|it| !ends_word(*it)) {
        return "";
    }
    let rest = bytes.get(idx..).unwrap_or_default();
    let width = rest.iter().position(|it| ends_word(*it)).unwrap_or(rest.len());
    text.get(idx..idx + width).unwrap_or("")
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

/// Whether the text begins with `{{ … }}`, `<% … %>`, `{% … %}` or `@NAME@`.
fn is_placeholder(text: &str) -> bool {
    if let Some(inner) = text.strip_prefix("{{") {
        return inner.find('}').is_some_and(|idx| inner[idx..].starts_with("}}"));
    }
    for (opening, closing) in [("<%", "%>"), ("{%", "%}")] {
        if let Some(inner) = text.strip_prefix(opening) {
            return inner.contains(closing);
        }
    }
    let Some(inner) = text.strip_prefix('@') else { return false };
    let name = inner.len() - inner.trim_start_matches(|it: char| matches!(it, 'A'..='Z' | '0'..='9' | '_')).len();
    inner.starts_with(|it: char| it.is_ascii_uppercase()) && inner[name..].starts_with('@')
}

#[cfg(test)]
mod tests {
    use super::{is_due, scan};

    fn copy(text: &str) -> String {
        scan(text, false).copy.unwrap_or_else(|| text.to_owned())
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
    fn a_continued_word_is_one_word() {
        assert_eq!(copy("a b\\\nc d\\\n e &&\\\nf 'g\\\nh'"), "a b%%c d\\\n e &&\\\nf 'g\\\nh'");
    }

    #[test]
    fn a_comment_in_backquotes_and_a_negated_group_are_read() {
        assert_eq!(copy("a `# b` c; ! { d; }"), "a       c;   { d; }");
        assert_eq!(copy("a \"`# b`\" [ ! -f c ]"), "a \"`# b`\" [ ! -f c ]");
    }

    #[test]
    fn reserved_words_behind_each_other_are_set_apart_when_asked() {
        let ended = |text| scan(text, true).copy.unwrap_or_default();
        assert_eq!(ended("for a in b; do if c; then d; fi done"), "for a in b; do if c; then d; fi;done");
        assert_eq!(ended("{ { a; } } && (b) fi\ndone done"), "{ { a; };} && (b);fi\ndone;done");
        assert_eq!(ended("echo done done; echo $(x) done"), "");
    }

    #[test]
    fn placeholders_count_outside_of_single_quotes() {
        for text in ["echo {{ x }}", "a <% x %>", "{% if x %}", "a=\"@NAME@\"", "{{x}}"] {
            assert!(scan(text, false).placeholder && is_due(text), "{text}");
        }
        for text in
            ["f '{{.Id}}'", "npm i @Scope/x a@B", "x < %y", "echo {{a,b},c}", "# {{ x }}", "git log --format='@A@'"]
        {
            assert!(!scan(text, false).placeholder, "{text}");
        }
    }
}

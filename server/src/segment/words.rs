//! How BuildKit cuts a joined line: keyword, flags, arguments, words with and without quotes.
//!
//! Follows `parser/split_command.go` and `parser/line_parsers.go`. All ranges are byte offsets of the joined line.

use std::ops::Range;

/// A line cut into its three parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The first word.
    pub keyword: Range<usize>,
    /// The words that begin with `--` before the first that does not.
    pub flags: Vec<Token>,
    /// The rest without blanks around it.
    pub arguments: Range<usize>,
}

/// A word of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// As written, for flags with quotes and escapes taken off.
    pub text: String,
    /// Where it stands.
    pub range: Range<usize>,
}

/// The characters that part a keyword from its arguments and plain words from each other (`reWhitespace`).
fn is_blank(char: char) -> bool {
    matches!(char, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ')
}

/// The part of `line` from `start` to `end` without white space around it.
pub fn trimmed(line: &str, start: usize, end: usize) -> Range<usize> {
    let text = &line[start..end];
    let begin = start + (text.len() - text.trim_start().len());
    begin..(begin + text.trim().len())
}

/// Cuts the part of `line` from `start` to `end`.
pub fn split(line: &str, start: usize, end: usize, escape: char) -> Split {
    let whole = trimmed(line, start, end);
    let text = &line[whole.clone()];
    let keyword_end = whole.start + text.find(is_blank).unwrap_or(text.len());
    let (flags, arguments) = flags(line, keyword_end, whole.end, escape);
    Split { keyword: whole.start..keyword_end, flags, arguments: trimmed(line, arguments, whole.end) }
}

/// The flags from `start` on, and where the arguments begin (`extractBuilderFlags`, which reads bytes, not characters).
fn flags(line: &str, start: usize, end: usize, escape: char) -> (Vec<Token>, usize) {
    let bytes = &line.as_bytes()[..end];
    // A byte that is no character of its own counts as the Latin-1 character of its number, as in BuildKit.
    let blank = |byte: u8| char::from(byte).is_whitespace();
    let mut res = Vec::new();
    let mut at = start;
    loop {
        while at < end && blank(bytes[at]) {
            at += 1;
        }
        if !bytes[at..].starts_with(b"--") {
            return (res, char_boundary(line, at));
        }
        let from = at;
        let mut word = Vec::new();
        let mut quote = None;
        let mut quoted = false;
        while at < end && (quote.is_some() || !blank(bytes[at])) {
            let byte = bytes[at];
            at += 1;
            if quote == Some(byte) {
                quote = None;
            } else if quote.is_none() && matches!(byte, b'\'' | b'"') {
                quote = Some(byte);
                quoted = true;
            } else if char::from(byte) == escape {
                if at < end {
                    word.push(bytes[at]);
                    at += 1;
                }
            } else {
                word.push(byte);
            }
        }
        if word == b"--" {
            return (res, char_boundary(line, at));
        }
        if quoted || !word.is_empty() {
            res.push(Token { text: String::from_utf8_lossy(&word).into_owned(), range: from..char_boundary(line, at) });
        }
    }
}

fn char_boundary(line: &str, at: usize) -> usize {
    (at..=line.len()).find(|at| line.is_char_boundary(*at)).unwrap_or(line.len())
}

/// Words between blanks, quotes without meaning (`parseStringsWhitespaceDelimited`).
pub fn plain(line: &str, range: Range<usize>) -> Vec<Token> {
    let mut res = Vec::new();
    let mut at = range.start;
    for word in line[range].split(is_blank) {
        if !word.is_empty() {
            res.push(Token { text: word.to_owned(), range: at..at + word.len() });
        }
        at += word.len();
        at += line[at..].chars().next().map_or(0, char::len_utf8);
    }
    res
}

/// Words between blanks that are not quoted or escaped; quotes and escapes stay in them (`parseWords`).
pub fn quoted(line: &str, range: Range<usize>, escape: char) -> Vec<Token> {
    let mut res: Vec<Token> = Vec::new();
    let mut word: Option<Token> = None;
    let mut quote = None;
    let mut chars = line[range.clone()].char_indices().map(|(at, char)| (range.start + at, char)).peekable();
    while let Some((at, char)) = chars.next() {
        if quote.is_none() && char.is_whitespace() {
            res.extend(word.take());
            continue;
        }
        let token = word.get_or_insert_with(|| Token { text: String::new(), range: at..at });
        token.range.end = at + char.len_utf8();
        let escapes = char == escape && quote != Some('\'');
        if quote == Some(char) {
            quote = None;
        } else if quote.is_none() && matches!(char, '\'' | '"') {
            quote = Some(char);
        }
        if escapes {
            let Some((at, escaped)) = chars.next() else {
                continue;
            };
            token.text.push(char);
            token.text.push(escaped);
            token.range.end = at + escaped.len_utf8();
            continue;
        }
        token.text.push(char);
    }
    res.extend(word.filter(|token| !token.text.is_empty()));
    res
}

/// Name and value of `ENV name value`: what stands before the first blanks and all behind them. `None` with one word.
pub fn name_and_rest(line: &str, range: Range<usize>) -> Option<(Token, Token)> {
    let text = &line[range.clone()];
    let name_end = text.find(is_blank)?;
    let rest = text[name_end..].trim_start_matches(is_blank);
    let rest_start = range.end - rest.len();
    let name = Token { text: text[..name_end].to_owned(), range: range.start..range.start + name_end };
    Some((name, Token { text: rest.to_owned(), range: rest_start..range.end }))
}

#[cfg(test)]
mod tests {
    use super::{quoted, split};

    #[test]
    fn flags_end_at_the_first_word_that_is_none() {
        let line = "COPY --from=a  --chown='b c' -- --x y";
        let res = split(line, 0, line.len(), '\\');
        assert_eq!(&line[res.keyword], "COPY");
        let flags: Vec<_> = res.flags.iter().map(|flag| flag.text.as_str()).collect();
        assert_eq!(flags, ["--from=a", "--chown=b c"]);
        assert_eq!(&line[res.arguments], "--x y");
    }

    #[test]
    fn quotes_hold_words_together() {
        let line = r#"a="b c" d='e\' f=g\ h """#;
        let words: Vec<_> = quoted(line, 0..line.len(), '\\').into_iter().map(|it| it.text).collect();
        assert_eq!(words, [r#"a="b c""#, r"d='e\'", r"f=g\ h", "\"\""]);
    }
}

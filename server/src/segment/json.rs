//! The JSON form of RUN, CMD, COPY and others: an array of strings, each with its place.

use std::ops::Range;

/// What a text that begins with `[` is to BuildKit (`parseJSON` in `parser/line_parsers.go`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Array {
    /// An array of strings: value and place, quotes included.
    Strings(Vec<(String, Range<usize>)>),
    /// A JSON array of something else, which BuildKit rejects.
    Mixed,
}

/// Reads `text` as a JSON array; `None` when it is none, so that it is shell text or plain words.
///
/// Places are byte offsets of `text`.
pub fn array(text: &str) -> Option<Array> {
    if !text.trim_start().starts_with('[') {
        return None;
    }
    if let Some(strings) = strings(text) {
        return Some(Array::Strings(strings));
    }
    serde_json::from_str::<Vec<serde_json::Value>>(text.trim_start()).ok().map(|_| Array::Mixed)
}

fn strings(text: &str) -> Option<Vec<(String, Range<usize>)>> {
    let mut at = text.len() - text.trim_start().len();
    let mut res = Vec::new();
    at = expect(text, at, '[')?;
    if let Some(end) = expect(text, at, ']') {
        return only_blanks(&text[end..]).then_some(res);
    }
    loop {
        let start = expect(text, at, '"')? - 1;
        let (value, end) = string(text, start + 1)?;
        res.push((value, start..end));
        if let Some(next) = expect(text, end, ',') {
            at = next;
            continue;
        }
        let end = expect(text, end, ']')?;
        return only_blanks(&text[end..]).then_some(res);
    }
}

fn only_blanks(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// Behind `char`, if it comes next after JSON's blanks.
fn expect(text: &str, at: usize, char: char) -> Option<usize> {
    let rest = text[at..].trim_start_matches([' ', '\t', '\r', '\n']);
    rest.starts_with(char).then(|| text.len() - rest.len() + char.len_utf8())
}

/// A string from behind its first quote: its value and the offset behind its last quote.
fn string(text: &str, start: usize) -> Option<(String, usize)> {
    let mut res = String::new();
    let mut chars = text[start..].char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((res, start + at + 1)),
            '\u{0}'..='\u{1f}' => return None,
            '\\' => match chars.next()?.1 {
                char @ ('"' | '\\' | '/') => res.push(char),
                'b' => res.push('\u{8}'),
                'f' => res.push('\u{c}'),
                'n' => res.push('\n'),
                'r' => res.push('\r'),
                't' => res.push('\t'),
                'u' => {
                    let first = unit(&mut chars)?;
                    let mut ahead = chars.clone();
                    let second = match (ahead.next(), ahead.next()) {
                        (Some((_, '\\')), Some((_, 'u'))) => unit(&mut ahead),
                        _ => None,
                    };
                    // A surrogate without its other half becomes the replacement character, as in Go.
                    match second.map(|second| char::decode_utf16([first, second]).next()) {
                        Some(Some(Ok(char))) if (0xd800..0xdc00).contains(&first) => {
                            res.push(char);
                            chars = ahead;
                        }
                        _ => res.push(char::from_u32(u32::from(first)).unwrap_or(char::REPLACEMENT_CHARACTER)),
                    }
                }
                _ => return None,
            },
            _ => res.push(char),
        }
    }
    None
}

fn unit(chars: &mut std::str::CharIndices<'_>) -> Option<u16> {
    let mut res = 0;
    for _ in 0..4 {
        res = res * 16 + chars.next()?.1.to_digit(16)?;
    }
    u16::try_from(res).ok()
}

#[cfg(test)]
mod tests {
    use super::{Array, array};

    #[test]
    fn an_array_of_strings_has_places() {
        let text = r#" [ "a", "b\u00e9\ud83d\ude00\ud800" ]  "#;
        let Some(Array::Strings(strings)) = array(text) else { panic!("strings") };
        assert_eq!(strings[0], ("a".to_owned(), 3..6));
        assert_eq!(strings[1].0, "bé😀\u{fffd}");
    }

    #[test]
    fn what_json_does_not_allow_is_no_array() {
        for text in [r#"["a""#, r#"["a",]"#, r#"['a']"#, r#"["a"] # x"#, r#"["\q"]"#, "a", "[ -f x ]"] {
            assert_eq!(array(text), None, "{text}");
        }
        assert_eq!(array(r#"["a", 1]"#), Some(Array::Mixed));
        assert_eq!(array("[]"), Some(Array::Strings(Vec::new())));
    }
}

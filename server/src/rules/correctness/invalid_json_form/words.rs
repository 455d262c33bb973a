//! The words of an array that is no JSON, as far as they can be told apart.

/// The marks that end what a quote begins; `None` for another character.
fn closing(open: char) -> Option<&'static [char]> {
    match open {
        '"' => Some(&['"']),
        '\'' => Some(&['\'']),
        '“' | '”' | '„' | '«' | '»' => Some(&['”', '“', '»', '«', '"']),
        '‘' | '’' | '‚' => Some(&['’', '‘', '\'']),
        _ => None,
    }
}

/// The quote that a text begins with.
pub(super) fn quote(text: &str) -> Option<char> {
    text.chars().next().filter(|it| closing(*it).is_some())
}

/// One quoted word and what stands behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let open = quote(text)?;
    let close = closing(open)?;
    let mut res = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, char)) = chars.next() {
        if close.contains(&char) {
            return Some((res, text.get(at + char.len_utf8()..)?));
        }
        let next = text.get(at + 1..).and_then(|rest| rest.chars().next());
        match (char, next) {
            ('\\', Some(escaped @ ('"' | '\\'))) if open != '\'' => {
                res.push(escaped);
                chars.next();
            }
            _ => res.push(char),
        }
    }
    None
}

/// Whether a comma follows the first quoted word.
pub(super) fn has_comma_behind_first(text: &str) -> bool {
    quoted(text).is_some_and(|(_, rest)| rest.trim_start().starts_with(','))
}

/// Whether a quoted word without a variable is all there is before the `]` that ends the text.
pub(super) fn is_one_word(text: &str) -> bool {
    quoted(text).is_some_and(|(word, rest)| !word.contains('$') && rest.trim() == "]")
}

/// What is wrong.
pub(super) fn reason(text: &str) -> &'static str {
    let content = text.get(1..).unwrap_or_default().trim();
    if content.chars().any(|it| closing(it).is_some_and(|_| !it.is_ascii())) {
        return "typographic quotes";
    }
    match content.chars().next() {
        Some('\'') => return "single quotes",
        Some('"') => {}
        _ => return "no quotes",
    }
    let mut rest = content;
    loop {
        let Some((_, behind)) = quoted(rest) else {
            return if rest.starts_with('\'') { "single quotes" } else { "a quote is missing" };
        };
        rest = behind.trim_start();
        if let Some(next) = rest.strip_prefix(',') {
            rest = next.trim_start();
            match rest.chars().next() {
                Some('"') => continue,
                Some(']') => return "a comma behind the last word",
                Some(',') => return "a comma too many",
                Some('\'') => return "single quotes",
                Some(_) => return "no quotes",
                None => return "the `]` is missing",
            }
        }
        return match rest.strip_prefix(']') {
            Some("") if content.contains('\\') => "a backslash must be doubled",
            Some("") => "a character that JSON does not allow",
            Some(_) => "words behind the `]`",
            None if rest.is_empty() => "the `]` is missing",
            None => "a comma is missing",
        };
    }
}

/// The same words as JSON; `None` where one of them cannot be told.
pub(super) fn recovered(text: &str) -> Option<String> {
    let mut rest = text.strip_prefix('[')?.trim();
    let mut words: Vec<String> = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() || rest == "]" {
            break;
        }
        if quote(rest).is_some() {
            let (word, behind) = quoted(rest)?;
            if !behind.is_empty() && !behind.starts_with([' ', '\t', ',', ']']) && quote(behind).is_none() {
                return None;
            }
            words.push(word);
            rest = behind;
            continue;
        }
        let end = rest.find([',', ']'])?;
        let word = rest.get(..end)?.trim();
        if word.is_empty()
            || word.contains(|it: char| it.is_whitespace() || matches!(it, '\\' | '$') || closing(it).is_some())
        {
            return None;
        }
        words.push(word.to_owned());
        rest = rest.get(end..)?;
        if rest.starts_with(']') && rest != "]" {
            return None;
        }
    }
    let words: Option<Vec<String>> = words.iter().map(|word| serde_json::to_string(word).ok()).collect();
    Some(words.filter(|it| !it.is_empty())?.join(", ")).map(|words| format!("[{words}]"))
}

//! The patterns of `${x%pattern}`, `${x#pattern}` and `${x/pattern/…}`: `*`, `?` and escapes, no brackets.

/// A pattern as BuildKit reads it (`convertShellPatternToRegex` in `shell/lex.go`).
pub(super) struct Pattern {
    tokens: Vec<Token>,
}

#[derive(Clone, Copy, PartialEq)]
enum Token {
    Star,
    Any,
    Char(char),
}

impl Pattern {
    /// # Errors
    /// An escape of something that needs none.
    pub(super) fn parse(text: &str) -> Result<Pattern, String> {
        let mut tokens = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            let token = match char {
                '*' => Token::Star,
                '?' => Token::Any,
                '\\' => match chars.peek() {
                    Some('}' | '/') => continue,
                    Some(escaped @ ('*' | '?' | '\\')) => {
                        let token = Token::Char(*escaped);
                        chars.next();
                        token
                    }
                    other => return Err(format!("invalid escape '\\{}'", other.copied().unwrap_or('\u{fffd}'))),
                },
                _ => Token::Char(char),
            };
            // Several stars in a row are one; else a hostile pattern would cost exponential time.
            if !(token == Token::Star && tokens.last() == Some(&Token::Star)) {
                tokens.push(token);
            }
        }
        Ok(Pattern { tokens })
    }

    pub(super) fn without_prefix(&self, value: &str, greedy: bool) -> String {
        let chars: Vec<char> = value.chars().collect();
        let end = if greedy { ends(&self.tokens, &chars).next_back() } else { ends(&self.tokens, &chars).next() };
        chars[end.unwrap_or(0)..].iter().collect()
    }

    pub(super) fn without_suffix(&self, value: &str, greedy: bool) -> String {
        let chars: Vec<char> = value.chars().rev().collect();
        let tokens: Vec<Token> = self.tokens.iter().rev().copied().collect();
        let end = if greedy { ends(&tokens, &chars).next_back() } else { ends(&tokens, &chars).next() };
        chars[end.unwrap_or(0)..].iter().rev().collect()
    }

    pub(super) fn replaced(&self, value: &str, replacement: &str, all: bool) -> String {
        let chars: Vec<char> = value.chars().collect();
        let mut res = String::new();
        let mut at = 0;
        while at <= chars.len() {
            let Some(length) = ends(&self.tokens, &chars[at..]).next_back() else {
                res.extend(chars.get(at));
                at += 1;
                continue;
            };
            res.push_str(replacement);
            if length == 0 {
                res.extend(chars.get(at));
            }
            at += length.max(1);
            if !all {
                break;
            }
        }
        res.extend(chars.get(at..).unwrap_or_default());
        res
    }
}

/// The lengths of all beginnings of `chars` that match, ascending. Linear in pattern times text.
fn ends(tokens: &[Token], chars: &[char]) -> impl DoubleEndedIterator<Item = usize> {
    let mut reached = vec![false; chars.len() + 1];
    reached[0] = true;
    for token in tokens {
        let mut next = vec![false; chars.len() + 1];
        let mut star = false;
        for at in 0..=chars.len() {
            match token {
                Token::Star => {
                    star |= reached[at];
                    next[at] = star;
                }
                Token::Any => next[at] = at > 0 && reached[at - 1] && chars[at - 1] != '\n',
                Token::Char(char) => next[at] = at > 0 && reached[at - 1] && chars[at - 1] == *char,
            }
        }
        reached = next;
    }
    (0..=chars.len()).filter(move |at| reached[*at])
}

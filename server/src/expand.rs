//! BuildKit's own word lexer: quotes, escapes and `$variables` in the words of instructions.
//!
//! It decides what `${x:-y}` is worth in a FROM or an ENV, and which words of a RUN are heredoc operators. It is not the
//! shell: what RUN hands to `/bin/sh` is [`crate::shell`]'s.
//! Follows BuildKit's `frontend/dockerfile/shell/lex.go`, its oddities included, since they decide what is accepted.

mod pattern;

use pattern::Pattern;

/// Gives the value of a variable that is set. The second argument says whether the reference has an operator
/// (`${x:-y}`), so that a name without a value has a meaning of its own.
pub type LookUp<'a> = &'a dyn Fn(&str, bool) -> Option<String>;

/// How a text is to be read. The escape character is the file's, but always `\` when looking for heredocs.
#[derive(Clone, Copy, Debug)]
pub struct Lexer {
    /// `\` or `` ` ``.
    pub escape: char,
    /// Quotes stay in the result.
    pub raw_quotes: bool,
    /// Escape characters stay in the result.
    pub raw_escapes: bool,
    /// References to variables without a value stay in the result as written; else they become empty.
    pub keep_unset: bool,
}

/// A word and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The word after quotes, escapes and variables were taken care of.
    pub text: String,
    /// Its first byte in the source.
    pub start: usize,
    /// One past its last byte in the source.
    pub end: usize,
}

impl Lexer {
    /// Reads values: quotes and escapes are taken off, variables without a value are empty.
    pub fn values(escape: char) -> Lexer {
        Lexer { escape, raw_quotes: false, raw_escapes: false, keep_unset: false }
    }

    /// The text as one word, blanks kept.
    ///
    /// # Errors
    /// BuildKit's words for what is wrong: an open quote, a bad substitution, `${x:?message}` without a value.
    pub fn word(&self, source: &str, look_up: LookUp<'_>) -> Result<String, String> {
        Ok(State::new(self, source, look_up).until(None, self.raw_escapes)?.0)
    }

    /// The text split into words at blanks outside quotes, after variables were put in.
    ///
    /// # Errors
    /// As [`Lexer::word`].
    pub fn words(&self, source: &str, look_up: LookUp<'_>) -> Result<Vec<Piece>, String> {
        Ok(State::new(self, source, look_up).until(None, self.raw_escapes)?.1)
    }
}

/// Nesting of `${a:-${b:-…}}` beyond which a text is given up as a bad substitution.
const DEEPEST: u32 = 100;

struct State<'a> {
    lexer: &'a Lexer,
    source: &'a str,
    at: usize,
    look_up: LookUp<'a>,
    /// The word being built. One buffer for all nesting levels, which reset it: as in BuildKit.
    buffer: String,
    word_start: usize,
    raw_escapes: bool,
    depth: u32,
}

impl<'a> State<'a> {
    fn new(lexer: &'a Lexer, source: &'a str, look_up: LookUp<'a>) -> State<'a> {
        // The Go scanner that BuildKit reads with skips a byte order mark at the start.
        let at = if source.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let raw_escapes = lexer.raw_escapes;
        State { lexer, source, at, look_up, buffer: String::new(), word_start: 0, raw_escapes, depth: 0 }
    }

    fn peek(&self) -> Option<char> {
        self.source[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.at += char.len_utf8();
        Some(char)
    }

    /// Up to `stop`, which is eaten, or to the end: the text as one, and split into words.
    fn until(&mut self, stop: Option<char>, raw_escapes: bool) -> Result<(String, Vec<Piece>), String> {
        let outer_raw_escapes = std::mem::replace(&mut self.raw_escapes, raw_escapes);
        self.depth += 1;
        let res = if self.depth > DEEPEST {
            Err("syntax error: bad substitution".to_owned())
        } else {
            self.until_inner(stop)
        };
        self.depth -= 1;
        self.raw_escapes = outer_raw_escapes;
        res
    }

    fn until_inner(&mut self, stop: Option<char>) -> Result<(String, Vec<Piece>), String> {
        let mut res = String::new();
        self.buffer.clear();
        let mut words = Vec::new();
        let mut in_word = false;
        while let Some(char) = self.peek() {
            let from = self.at;
            if stop == Some(char) {
                self.next();
                self.finish(&mut words, from);
                return Ok((res, words));
            }
            let (text, splits) = match char {
                '$' => (self.dollar()?, true),
                '<' => (self.possible_heredoc(), false),
                '\'' => (self.single_quoted()?, false),
                '"' => (self.double_quoted()?, false),
                _ => {
                    self.next();
                    if char != self.lexer.escape {
                        (char.to_string(), true)
                    } else {
                        let mut escaped = String::new();
                        if self.raw_escapes {
                            escaped.push(char);
                        }
                        let Some(char) = self.next() else {
                            res.push_str(&escaped);
                            self.add_raw(&mut in_word, &escaped, from);
                            break;
                        };
                        escaped.push(char);
                        (escaped, false)
                    }
                }
            };
            res.push_str(&text);
            if !splits {
                self.add_raw(&mut in_word, &text, from);
                continue;
            }
            for char in text.chars() {
                if !char.is_whitespace() {
                    if self.buffer.is_empty() {
                        self.word_start = from;
                    }
                    self.buffer.push(char);
                    in_word = true;
                } else if in_word && !self.buffer.is_empty() {
                    self.finish(&mut words, from);
                    in_word = false;
                }
            }
        }
        if let Some(stop) = stop {
            return Err(format!("unexpected end of statement while looking for matching {stop}"));
        }
        let end = self.at;
        self.finish(&mut words, end);
        Ok((res, words))
    }

    fn add_raw(&mut self, in_word: &mut bool, text: &str, from: usize) {
        if self.buffer.is_empty() {
            self.word_start = from;
        }
        self.buffer.push_str(text);
        *in_word = true;
    }

    fn finish(&mut self, words: &mut Vec<Piece>, end: usize) {
        if !self.buffer.is_empty() {
            words.push(Piece { text: std::mem::take(&mut self.buffer), start: self.word_start, end });
        }
    }

    fn possible_heredoc(&mut self) -> String {
        self.next();
        if self.peek() != Some('<') {
            return "<".to_owned();
        }
        self.next();
        let mut res = "<<".to_owned();
        while let Some(char @ ('\t' | '\r' | ' ')) = self.peek() {
            res.push(char);
            self.next();
        }
        res
    }

    fn single_quoted(&mut self) -> Result<String, String> {
        let mut res = String::new();
        self.next();
        if self.lexer.raw_quotes {
            res.push('\'');
        }
        loop {
            match self.next() {
                None => return Err("unexpected end of statement while looking for matching single-quote".to_owned()),
                Some('\'') => {
                    if self.lexer.raw_quotes {
                        res.push('\'');
                    }
                    return Ok(res);
                }
                Some(char) => res.push(char),
            }
        }
    }

    fn double_quoted(&mut self) -> Result<String, String> {
        let mut res = String::new();
        self.next();
        if self.lexer.raw_quotes {
            res.push('"');
        }
        loop {
            let Some(char) = self.peek() else {
                return Err("unexpected end of statement while looking for matching double-quote".to_owned());
            };
            if char == '$' {
                res.push_str(&self.dollar()?);
                continue;
            }
            self.next();
            if char == '"' {
                if self.lexer.raw_quotes {
                    res.push('"');
                }
                return Ok(res);
            }
            if char != self.lexer.escape {
                res.push(char);
                continue;
            }
            if self.raw_escapes {
                res.push(char);
            }
            match self.peek() {
                None => {}
                Some(next) if next == '"' || next == '$' || next == self.lexer.escape => {
                    self.next();
                    res.push(next);
                }
                Some(_) => res.push(char),
            }
        }
    }

    fn dollar(&mut self) -> Result<String, String> {
        self.next();
        if self.peek() != Some('{') {
            let name = self.name();
            if name.is_empty() {
                return Ok("$".to_owned());
            }
            return Ok(match (self.look_up)(&name, false) {
                Some(value) => value,
                None if self.lexer.keep_unset => format!("${name}"),
                None => String::new(),
            });
        }
        self.next();
        match self.peek() {
            None => return Err("syntax error: missing '}'".to_owned()),
            Some('{' | '}' | ':') => return Err("syntax error: bad substitution".to_owned()),
            Some(_) => {}
        }
        let name = self.name();
        let Some(operator) = self.next() else {
            return Err("unsupported modifier (\u{fffd}) in substitution".to_owned());
        };
        match operator {
            '}' => Ok(match (self.look_up)(&name, false) {
                Some(value) => value,
                None if self.lexer.keep_unset => format!("${{{name}}}"),
                None => String::new(),
            }),
            ':' => {
                let second = self.next().unwrap_or('\u{fffd}');
                self.modified(&name, second, true)
            }
            '+' | '-' | '?' | '#' | '%' => self.modified(&name, operator, false),
            '/' => self.replaced(&name),
            _ => Err(format!("unsupported modifier ({operator}) in substitution")),
        }
    }

    /// `${name:-word}` and its like, from behind the operator.
    fn modified(&mut self, name: &str, operator: char, null_is_unset: bool) -> Result<String, String> {
        let written = if null_is_unset { format!(":{operator}") } else { operator.to_string() };
        let is_pattern = matches!(operator, '#' | '%');
        if null_is_unset && is_pattern {
            return Err(format!("unsupported modifier ({written}) in substitution"));
        }
        let word = match self.until(Some('}'), is_pattern) {
            Ok((word, _)) => word,
            Err(_) if self.peek().is_none() => return Err("syntax error: missing '}'".to_owned()),
            Err(message) => return Err(message),
        };
        let value = (self.look_up)(name, true);
        if self.lexer.keep_unset && value.is_none() {
            return Ok(format!("${{{name}{written}{word}}}"));
        }
        let set = value.as_ref().is_some_and(|value| !(null_is_unset && value.is_empty()));
        match operator {
            '-' if set => Ok(value.unwrap_or_default()),
            '-' => Ok(word),
            '+' if set => Ok(word),
            '+' => Ok(String::new()),
            '?' if set => Ok(value.unwrap_or_default()),
            '?' => {
                let default = if value.is_none() { "is not allowed to be unset" } else { "is not allowed to be empty" };
                Err(format!("{name}: {}", if word.is_empty() { default } else { &word }))
            }
            '#' | '%' => {
                let greedy = word.starts_with(operator);
                let text = if greedy { &word[1..] } else { &word[..] };
                let pattern = Pattern::parse(text)
                    .map_err(|reason| format!("invalid pattern ({text}) in substitution: {reason}"))?;
                let value = value.unwrap_or_default();
                Ok(if operator == '%' {
                    pattern.without_suffix(&value, greedy)
                } else {
                    pattern.without_prefix(&value, greedy)
                })
            }
            _ => Err(format!("unsupported modifier ({written}) in substitution")),
        }
    }

    /// `${name/pattern/replacement}`, from behind the first slash.
    fn replaced(&mut self, name: &str) -> Result<String, String> {
        let all = self.peek() == Some('/');
        if all {
            self.next();
        }
        let text = match self.until(Some('/'), true) {
            Ok((text, _)) => text,
            Err(_) if self.peek().is_none() => return Err("syntax error: missing '/' in ${}".to_owned()),
            Err(message) => return Err(message),
        };
        let replacement = match self.until(Some('}'), true) {
            Ok((replacement, _)) => replacement,
            Err(_) if self.peek().is_none() => return Err("syntax error: missing '}'".to_owned()),
            Err(message) => return Err(message),
        };
        let value = (self.look_up)(name, true);
        if self.lexer.keep_unset && value.is_none() {
            return Ok(format!("${{{name}/{text}/{replacement}}}"));
        }
        let pattern =
            Pattern::parse(&text).map_err(|reason| format!("invalid pattern ({text}) in substitution: {reason}"))?;
        Ok(pattern.replaced(&value.unwrap_or_default(), &replacement, all))
    }

    fn name(&mut self) -> String {
        let start = self.at;
        match self.peek() {
            Some(char) if char.is_numeric() => {
                while self.peek().is_some_and(char::is_numeric) {
                    self.next();
                }
            }
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => {
                self.next();
            }
            _ => {
                while self.peek().is_some_and(|char| char.is_alphanumeric() || char == '_') {
                    self.next();
                }
            }
        }
        self.source[start..self.at].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::Lexer;

    fn value(source: &str) -> Result<String, String> {
        let look_up = |name: &str, _: bool| match name {
            "x" => Some("foo.tar.gz".to_owned()),
            "empty" => Some(String::new()),
            _ => None,
        };
        Lexer::values('\\').word(source, &look_up)
    }

    #[test]
    fn the_forms_of_a_reference() {
        let cases = [
            ("a$x-b", "afoo.tar.gz-b"),
            ("${x}b", "foo.tar.gzb"),
            ("$y", ""),
            ("${y:-default}", "default"),
            ("${y-$x}", "foo.tar.gz"),
            ("${empty:-d}", "d"),
            ("${empty-d}", ""),
            ("${x:+set}", "set"),
            ("${y+set}", ""),
            ("${x%.*}", "foo.tar"),
            ("${x%%.*}", "foo"),
            ("${x#*.}", "tar.gz"),
            ("${x##*.}", "gz"),
            ("${x/o/0}", "f0o.tar.gz"),
            ("${x//o/0}", "f00.tar.gz"),
            ("'$x'", "$x"),
            (r"\$x", "$x"),
            (r#""$x \" \n""#, r#"foo.tar.gz " \n"#),
            ("$", "$"),
        ];
        for (source, expected) in cases {
            assert_eq!(value(source).as_deref(), Ok(expected), "{source}");
        }
    }

    #[test]
    fn what_buildkit_refuses() {
        let cases = [
            ("${", "syntax error: missing '}'"),
            ("${}", "syntax error: bad substitution"),
            ("${x^^}", "unsupported modifier (^) in substitution"),
            ("${x:#a}", "unsupported modifier (:#) in substitution"),
            ("'a", "unexpected end of statement while looking for matching single-quote"),
            ("${y?}", "y: is not allowed to be unset"),
            ("${y:?say it}", "y: say it"),
        ];
        for (source, expected) in cases {
            assert_eq!(value(source).unwrap_err(), expected, "{source}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_overflow() {
        let source = "${a:-".repeat(100_000);
        assert!(value(&source).is_err());
    }

    #[test]
    fn words_know_their_place() {
        let lexer = Lexer { escape: '\\', raw_quotes: true, raw_escapes: true, keep_unset: true };
        let words = lexer.words("RUN cat <<EOF  'a b' $x", &|_, _| None).expect("words");
        let shown: Vec<_> = words.iter().map(|word| (word.text.as_str(), word.start, word.end)).collect();
        assert_eq!(shown, [("RUN", 0, 3), ("cat", 4, 7), ("<<EOF", 8, 13), ("'a b'", 15, 20), ("$x", 21, 23)]);
    }

    #[test]
    fn nothing_panics() {
        arbtest::arbtest(|u| {
            let pieces = ["$", "{", "}", "x", ":", "-", "'", "\"", "\\", "#", "%", "/", "*", " ", "<<", "é", "["];
            let mut source = String::new();
            for _ in 0..u.arbitrary_len::<u8>()?.min(40) {
                source.push_str(u.choose(&pieces)?);
            }
            let _ = value(&source);
            Ok(())
        });
    }
}

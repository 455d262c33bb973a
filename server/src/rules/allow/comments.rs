//! What a comment tells linters: ours, hadolint's, BuildKit's.

use crate::config::nearest;

/// A comment that says something about findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Comment<'a> {
    /// `# plimsoll: allow …`
    Allow(Allow<'a>),
    /// `# plimsoll: alow …`: the word that is none, and the one that was probably meant.
    Misspelt(Id<'a>, &'static str),
    /// `# hadolint ignore=DL3008,DL3009`, `# hadolint global ignore=…`
    Hadolint {
        /// Whether it holds for the whole file.
        global: bool,
        /// The numbers.
        numbers: Vec<&'a str>,
    },
    /// `# check=skip=…`: the names.
    Check(Vec<&'a str>),
}

/// `# plimsoll: allow a, b — reason`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Allow<'a> {
    /// Whether it is `allow-file`.
    pub(super) file: bool,
    /// The names in order.
    pub(super) ids: Vec<Id<'a>>,
    /// What stands behind `—`, `--`, `-` or `:`, if anything does.
    pub(super) reason: Option<&'a str>,
}

/// A word and where it begins in the comment, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id<'a> {
    /// The word.
    pub(super) text: &'a str,
    /// Its first byte.
    pub(super) at: usize,
}

/// Reads a comment, from its `#` on. `is_name` says whether a word that follows without a comma is a name.
pub(super) fn read<'a>(comment: &'a str, is_name: &dyn Fn(&str) -> bool) -> Option<Comment<'a>> {
    let text = comment.trim_start_matches('#').trim_start();
    if let Some(rest) = without_word(text, "plimsoll") {
        let rest = rest.trim_start().strip_prefix(':')?.trim_start();
        return ours(comment, rest, is_name);
    }
    if let Some(rest) = without_word(text, "hadolint") {
        return hadolint(rest);
    }
    let rest = without_word(text, "check")?.trim_start().strip_prefix('=')?.trim_start();
    let value = rest.split(char::is_whitespace).next().unwrap_or_default();
    let skipped = skipped(value);
    (!skipped.is_empty()).then_some(Comment::Check(skipped))
}

/// The names behind `skip=` in the value of `check=`.
pub(super) fn skipped(value: &str) -> Vec<&str> {
    options(value).filter(|(key, _)| *key == "skip").flat_map(|(_, names)| list(names)).collect()
}

/// The parts of the value of `check=`: `skip=A,B;error=true`.
pub(super) fn options(value: &str) -> impl Iterator<Item = (&str, &str)> {
    value.split(';').filter_map(|part| part.split_once('=')).map(|(key, value)| (key.trim(), value.trim()))
}

/// The words between commas.
pub(super) fn list(names: &str) -> impl Iterator<Item = &str> {
    names.split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// The text behind a word, letter case ignored; `None` where it does not begin with it.
fn without_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (first, rest) = text.split_at_checked(word.len())?;
    first.eq_ignore_ascii_case(word).then_some(rest)
}

fn hadolint(rest: &str) -> Option<Comment<'_>> {
    let rest = rest.trim_start();
    let (global, rest) = match rest.strip_prefix("global") {
        Some(rest) => (true, rest.trim_start()),
        None => (false, rest),
    };
    let rest = rest.strip_prefix("ignore")?.trim_start().strip_prefix('=')?;
    let numbers = rest.split('#').next().unwrap_or_default();
    let numbers = list(numbers).filter_map(|it| it.split_whitespace().next()).collect();
    Some(Comment::Hadolint { global, numbers })
}

fn ours<'a>(comment: &'a str, rest: &'a str, is_name: &dyn Fn(&str) -> bool) -> Option<Comment<'a>> {
    let mut words = Words { comment, rest };
    let verb = words.word()?;
    let file = match verb.text {
        "allow" => false,
        "allow-file" => true,
        other => {
            let nearest = nearest::nearest(other, ["allow", "allow-file"].into_iter())?;
            return Some(Comment::Misspelt(verb, nearest));
        }
    };
    let mut ids = Vec::new();
    while let Some(id) = words.word() {
        ids.push(id);
        if !words.comma() && !words.peek().is_some_and(is_name) {
            break;
        }
    }
    Some(Comment::Allow(Allow { file, ids, reason: words.reason() }))
}

/// What is left of a comment.
struct Words<'a> {
    comment: &'a str,
    rest: &'a str,
}

impl<'a> Words<'a> {
    /// The next word: a letter or digit, then hyphens too.
    fn peek(&self) -> Option<&'a str> {
        let text = self.rest.trim_start();
        let is_part = |char: char| char.is_ascii_alphanumeric() || char == '-' || char == '_';
        let word = text.split(|char: char| !is_part(char)).next().unwrap_or_default();
        // `allow size--reason` is a word and a reason.
        let word = word.split("--").next().unwrap_or_default().trim_end_matches('-');
        word.starts_with(|first: char| first.is_ascii_alphanumeric()).then_some(word)
    }

    fn word(&mut self) -> Option<Id<'a>> {
        let word = self.peek()?;
        let text = self.rest.trim_start();
        let at = self.comment.len() - text.len();
        self.rest = text.get(word.len()..).unwrap_or_default();
        Some(Id { text: word, at })
    }

    fn comma(&mut self) -> bool {
        match self.rest.trim_start().strip_prefix(',') {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// What is left, without what introduces it.
    fn reason(&self) -> Option<&'a str> {
        let text = self.rest.trim();
        let text = text.trim_start_matches(['—', '–', '-', ':']).trim_start();
        (!text.is_empty()).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::{Comment, read};

    fn ours(comment: &str) -> (bool, Vec<&str>, Option<&str>) {
        match read(comment, &|word| word == "known") {
            Some(Comment::Allow(allow)) => {
                for id in &allow.ids {
                    assert!(comment[id.at..].starts_with(id.text), "{comment}");
                }
                (allow.file, allow.ids.iter().map(|id| id.text).collect(), allow.reason)
            }
            other => panic!("{comment}: {other:?}"),
        }
    }

    #[test]
    fn a_comment_names_rules_and_a_reason() {
        assert_eq!(ours("# plimsoll: allow a-b"), (false, vec!["a-b"], None));
        assert_eq!(ours("#plimsoll:allow a,b ,  c — why so"), (false, vec!["a", "b", "c"], Some("why so")));
        assert_eq!(ours("# plimsoll: allow-file size -- why"), (true, vec!["size"], Some("why")));
        assert_eq!(ours("# plimsoll: allow a - why"), (false, vec!["a"], Some("why")));
        assert_eq!(ours("# plimsoll: allow a: why"), (false, vec!["a"], Some("why")));
        assert_eq!(ours("# plimsoll: allow a--why"), (false, vec!["a"], Some("why")));
        assert_eq!(ours("# plimsoll: allow a because"), (false, vec!["a"], Some("because")));
        assert_eq!(ours("# plimsoll: allow a known why"), (false, vec!["a", "known"], Some("why")));
        assert_eq!(ours("# plimsoll: allow a —"), (false, vec!["a"], None));
        assert_eq!(ours("# plimsoll: allow"), (false, vec![], None));
        assert_eq!(ours("# plimsoll: allow a, é"), (false, vec!["a"], Some("é")));
    }

    #[test]
    fn a_verb_that_is_nearly_one_is_told_and_prose_is_not() {
        assert!(matches!(read("# plimsoll: alow a", &|_| false), Some(Comment::Misspelt(_, "allow"))));
        assert_eq!(read("# plimsoll: see the manual", &|_| false), None);
        assert_eq!(read("# plimsoll is a linter", &|_| false), None);
        assert_eq!(read("# é", &|_| false), None);
    }

    #[test]
    fn comments_of_others_are_read() {
        let hadolint = |comment: &'static str| match read(comment, &|_| false) {
            Some(Comment::Hadolint { global, numbers }) => (global, numbers),
            other => panic!("{comment}: {other:?}"),
        };
        assert_eq!(hadolint("# hadolint ignore=DL3008,DL3009"), (false, vec!["DL3008", "DL3009"]));
        assert_eq!(hadolint("#hadolint ignore = DL3008 , SC2086 # why"), (false, vec!["DL3008", "SC2086"]));
        assert_eq!(hadolint("# hadolint global ignore=DL3008 why"), (true, vec!["DL3008"]));
        assert_eq!(read("# hadolint shell=bash", &|_| false), None);
        let check = |comment: &'static str| match read(comment, &|_| false) {
            Some(Comment::Check(names)) => names,
            other => panic!("{comment}: {other:?}"),
        };
        assert_eq!(check("# check=skip=FromAsCasing,StageNameCasing why"), ["FromAsCasing", "StageNameCasing"]);
        assert_eq!(check("# check=error=true;skip=all"), ["all"]);
        assert_eq!(read("# check = this", &|_| false), None);
    }
}

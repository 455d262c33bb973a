//! From nodes to simple commands: assignments, words and redirections.
//!
//! Pieces without a blank between them are one word here, whatever the grammar says.

use tree_sitter::Node;

use crate::shell::kind::{self, Kind};
use crate::shell::pieces;
use crate::shell::tree::Lowering;
use crate::shell::{Assignment, Part, Redirect, Simple, Word};
use crate::text::Local;

/// Words that cannot name a program when they stand unquoted: where the tree says so, it has misread the text.
const RESERVED: &[&str] = &[
    "!", "[[", "{", "}", "case", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "then", "until",
    "while",
];

impl<'t> Lowering<'t> {
    /// A program with its arguments, assignments alone, `export` and the like.
    pub(super) fn simple(&mut self, node: Node<'t>, redirects: &mut Vec<Redirect>) -> Simple {
        let declaration = kind::of(node) == Kind::Declaration;
        let mut assignments = Vec::new();
        let mut words = Vec::new();
        let mark = self.nodes.len();
        if kind::of(node) == Kind::Assignment {
            self.nodes.push(node);
        } else {
            self.expand(node);
        }
        while let Some(child) = self.next(mark) {
            match kind::of(child) {
                Kind::Assignment if declaration => {
                    let word = self.assignment_word(child);
                    push_word(&mut words, word);
                }
                Kind::Assignment => {
                    let assignment = self.assignment(child);
                    assignments.push(assignment);
                }
                Kind::FileRedirect | Kind::HereString | Kind::Heredoc => {
                    let (redirect, more) = self.redirect(child);
                    redirects.push(redirect);
                    words.extend(more);
                }
                Kind::CommandName => {
                    self.broken |= RESERVED.contains(&self.text(child));
                    self.expand(child);
                }
                Kind::Comment => self.comments.push(self.range(child)),
                Kind::Subshell => {
                    self.broken = true;
                    self.hide(child);
                }
                _ => {
                    let word = self.word(child);
                    match assignments.last_mut() {
                        Some(last) if words.is_empty() && last.range.end == word.range.start => {
                            last.range = last.range.cover(word.range);
                            join(&mut last.value, word);
                        }
                        _ => push_word(&mut words, word),
                    }
                }
            }
        }
        Simple { assignments, words }
    }

    /// `[ … ]`, whose expressions are only words to the shell.
    pub(super) fn test(&mut self, node: Node<'t>, redirects: &mut Vec<Redirect>) -> Simple {
        let mut words = Vec::new();
        let mark = self.enter(node);
        while let Some(child) = self.next(mark) {
            match kind::of(child) {
                Kind::Expression | Kind::Transparent | Kind::Redirected | Kind::Command | Kind::CommandName => {
                    self.expand(child)
                }
                Kind::FileRedirect | Kind::HereString | Kind::Heredoc => {
                    let (redirect, more) = self.redirect(child);
                    redirects.push(redirect);
                    words.extend(more);
                }
                _ => {
                    let word = self.word(child);
                    push_word(&mut words, word);
                }
            }
        }
        Simple { assignments: Vec::new(), words }
    }

    fn assignment(&mut self, node: Node<'t>) -> Assignment {
        let range = self.range(node);
        let mut name = String::new();
        let mut value = Word { range: Local { start: range.end, end: range.end }, parts: Vec::new() };
        let mut behind = false;
        let mark = self.enter(node);
        while let Some(child) = self.next(mark) {
            match self.text(child) {
                text if name.is_empty() => {
                    name = text.to_owned();
                    self.hide_inner(child);
                }
                "=" | "+=" if !behind => {
                    behind = true;
                    // `A+=b` is `A="$A"b`.
                    if self.text(child) == "+=" {
                        let part = Part::Variable { name: name.clone(), operator: String::new(), quoted: true };
                        value.parts.push(part);
                    }
                }
                _ => {
                    let mut word = self.word(child);
                    value.range = word.range;
                    value.parts.append(&mut word.parts);
                }
            }
        }
        Assignment { range, name, value }
    }

    /// `A=1` behind `export`, where it is a word.
    fn assignment_word(&mut self, node: Node<'t>) -> Word {
        let range = self.range(node);
        let assignment = self.assignment(node);
        let mut parts = assignment.value.parts;
        let head = Local { start: range.start, end: assignment.value.range.start };
        let head = self.text_of(head);
        if head.ends_with("+=") && !parts.is_empty() {
            parts.remove(0);
        }
        match parts.first_mut() {
            Some(Part::Bare(text)) => text.insert_str(0, head),
            _ => parts.insert(0, Part::Bare(head.to_owned())),
        }
        Word { range, parts }
    }

    /// A redirection, and the words behind it that the grammar takes for further files.
    pub(super) fn redirect(&mut self, node: Node<'t>) -> (Redirect, Vec<Word>) {
        let mut descriptor = None;
        let mut operator = String::new();
        let mut words: Vec<Word> = Vec::new();
        let mut closing = None;
        let mut before = None;
        let mut start = self.range(node).start;
        self.broken |= kind::of(node) == Kind::Heredoc;
        let mark = self.enter(node);
        while let Some(child) = self.next(mark) {
            match kind::of(child) {
                Kind::Descriptor if self.text(child).starts_with('-') => {
                    // `-2>file`, where `-2` is an argument.
                    start = self.range(child).end;
                    let word = self.word(child);
                    before = Some(word);
                }
                Kind::Descriptor if descriptor.is_none() => descriptor = Some(self.text(child).to_owned()),
                Kind::Comment => self.comments.push(self.range(child)),
                _ if operator.is_empty() => {
                    let start = child.start_byte();
                    let rest = self.text.get(start..).unwrap_or("");
                    // What `scan` overwrote is read from the text itself.
                    operator = match self.text(child) {
                        "<" if rest.starts_with("<<-") => "<<-".to_owned(),
                        "<" if rest.starts_with("<<") => "<<".to_owned(),
                        text => text.to_owned(),
                    };
                    if let Some(open) = operator.strip_suffix('-').filter(|it| it.ends_with('&')) {
                        operator = open.to_owned();
                        let end = self.range(child).end;
                        let range = Local { start: end.saturating_sub(1), end };
                        closing = Some(Word { range, parts: vec![Part::Bare("-".to_owned())] });
                    }
                }
                _ => {
                    let word = self.word(child);
                    push_word(&mut words, word);
                }
            }
        }
        let range = self.range(node);
        let target = match closing {
            Some(word) => word,
            None if words.is_empty() => Word { range: Local { start: range.end, end: range.end }, parts: Vec::new() },
            None => words.remove(0),
        };
        if let Some(word) = before {
            words.insert(0, word);
        }
        let range = Local { start, end: target.range.end };
        (Redirect { range, operator, descriptor, target }, words)
    }
}

/// Adds a word, or to the last one where no blank stands between.
pub(super) fn push_word(words: &mut Vec<Word>, word: Word) {
    if word.range.is_empty() {
        return;
    }
    match words.last_mut() {
        Some(last) if last.range.end == word.range.start => join(last, word),
        _ => words.push(word),
    }
}

/// Makes one word of two without a blank between.
fn join(word: &mut Word, mut rest: Word) {
    word.range = word.range.cover(rest.range);
    // The grammar reads `$"…"` as `$` and `"…"`, and now and then `A=$B:$C` as `A=$B:$` and `C`.
    if let Some(Part::Bare(last)) = word.parts.last_mut()
        && last.ends_with('$')
    {
        match rest.parts.first_mut() {
            Some(Part::Bare(text)) => {
                let mut parts = Vec::new();
                last.pop();
                pieces::variable(text, false, &mut parts);
                rest.parts.splice(..1, parts);
            }
            _ if last == "$" => last.clear(),
            _ => {}
        }
    }
    word.parts.retain(|part| !matches!(part, Part::Bare(text) if text.is_empty()));
    word.parts.append(&mut rest.parts);
}

//! How the user breaks lines: what a new line of a merged RUN looks like.

use crate::model::{File, Instruction};

/// The style of continuation lines in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Style {
    /// `\n` or `\r\n`.
    pub(super) newline: &'static str,
    /// Blanks or tabs before a continuation line.
    pub(super) indent: String,
    /// Whether `&&` stands at the end of a line, not at the beginning of the next.
    pub(super) trailing: bool,
}

/// The style that most lines of a file have: `&&` at the beginning and four blanks where there is none.
///
/// The indentation is that of lines on which a command begins, where there are any: arguments stand deeper.
pub(super) fn of(file: &File) -> Style {
    let (mut commands, mut others) = (Indents::default(), Indents::default());
    let (mut n_leading, mut n_trailing) = (0, 0);
    for placed in file.instructions() {
        // Whether the line before ends in something that a command stands behind; `None` on the first line.
        let mut begins = None;
        for line in written_lines(&placed.instruction) {
            let content = line.trim();
            let leads = content.starts_with("&&");
            let written = content.strip_suffix(file.directives.escape).unwrap_or(content).trim_end();
            let trails = written.len() < content.len() && written.ends_with("&&");
            n_trailing += usize::from(trails);
            if let Some(begins) = begins {
                n_leading += usize::from(leads);
                let indent = &line[..line.len() - line.trim_start().len()];
                if leads || begins { commands.add(indent) } else { others.add(indent) }
            }
            begins = Some(trails || written.ends_with(';'));
        }
    }
    let newline = match file.text.find('\n') {
        Some(at) if file.text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    };
    let indent = commands.most().or(others.most()).unwrap_or("    ");
    Style { newline, indent: indent.to_owned(), trailing: n_trailing > n_leading }
}

/// Indentations and how many lines have them.
#[derive(Default)]
struct Indents<'a> {
    counts: Vec<(&'a str, usize)>,
}

impl<'a> Indents<'a> {
    fn add(&mut self, indent: &'a str) {
        match self.counts.iter_mut().find(|(known, _)| *known == indent) {
            Some((_, n_lines)) => *n_lines += 1,
            None => self.counts.push((indent, 1)),
        }
    }

    /// The most frequent one, of several the first: `max_by_key` takes the last.
    fn most(&self) -> Option<&'a str> {
        self.counts.iter().rev().max_by_key(|(_, n_lines)| *n_lines).map(|(indent, _)| *indent)
    }
}

/// The lines of an instruction that are no comments, no blank lines and no heredocs.
fn written_lines(instruction: &Instruction) -> impl Iterator<Item = &str> {
    let end = instruction.heredocs.first().map_or(instruction.text.len(), |heredoc| heredoc.body.start as usize);
    let lines = instruction.text.get(..end).unwrap_or_default().lines();
    lines.filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
}

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
pub(super) fn of(file: &File) -> Style {
    let mut indents: Vec<(&str, usize)> = Vec::new();
    let (mut n_leading, mut n_trailing) = (0, 0);
    for placed in file.instructions() {
        let mut is_first = true;
        for line in written_lines(&placed.instruction) {
            let content = line.trim();
            let continued = content.strip_suffix(file.directives.escape);
            n_trailing += usize::from(continued.is_some_and(|it| it.trim_end().ends_with("&&")));
            if !std::mem::take(&mut is_first) {
                n_leading += usize::from(content.starts_with("&&"));
                let indent = &line[..line.len() - line.trim_start().len()];
                match indents.iter_mut().find(|(known, _)| *known == indent) {
                    Some((_, n_lines)) => *n_lines += 1,
                    None => indents.push((indent, 1)),
                }
            }
        }
    }
    // Of several with one count the first wins: `max_by_key` takes the last.
    let indent = indents.iter().rev().max_by_key(|(_, n_lines)| *n_lines).map_or("    ", |(indent, _)| indent);
    let newline = match file.text.find('\n') {
        Some(at) if file.text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    };
    Style { newline, indent: indent.to_owned(), trailing: n_trailing > n_leading }
}

/// The lines of an instruction that are no comments, no blank lines and no heredocs.
fn written_lines(instruction: &Instruction) -> impl Iterator<Item = &str> {
    let end = instruction.heredocs.first().map_or(instruction.text.len(), |heredoc| heredoc.body.start as usize);
    let lines = instruction.text.get(..end).unwrap_or_default().lines();
    lines.filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
}

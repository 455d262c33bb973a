//! Whole lines of a Dockerfile: one put above an instruction, an instruction taken out with the lines it stands on.
//!
//! Never touches the comments around it.

use crate::model::{File, Placed};
use crate::text::{TextEdit, TextRange, TextSize};

/// Puts an instruction on a line of its own above another, indented alike.
pub fn above(file: &File, placed: &Placed, line: &str) -> TextEdit {
    TextEdit::insert(placed.at, format!("{line}{}{}", line_end(file), indent(file, placed)))
}

/// Puts an instruction on a line of its own below another, indented alike.
pub fn below(file: &File, placed: &Placed, line: &str) -> TextEdit {
    TextEdit::insert(placed.whole().end(), format!("{}{}{line}", line_end(file), indent(file, placed)))
}

/// Takes an instruction out with its lines; `None` where something else stands on them.
pub fn without(file: &File, placed: &Placed) -> Option<TextEdit> {
    let text = &*file.text;
    let at = usize::from(placed.at);
    let start = text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
    if !is_blank(text.get(start..at)?) {
        return None;
    }
    let whole_end = usize::from(placed.whole().end());
    let rest = text.get(whole_end..)?;
    let (start, end) = match rest.find('\n') {
        Some(newline) if is_blank(rest.get(..newline)?) => (start, whole_end + newline + 1),
        // The last line of a file without a line end takes the one before it along.
        None if is_blank(rest) => (text.get(..start)?.trim_end_matches(['\r', '\n']).len(), text.len()),
        Some(_) | None => return None,
    };
    let place = |offset: usize| u32::try_from(offset).ok().map(TextSize::from);
    Some(TextEdit::replace(TextRange::new(place(start)?, place(end)?), ""))
}

/// The line end that the file uses.
pub fn line_end(file: &File) -> &'static str {
    if file.text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// The blanks in front of an instruction.
pub fn indent<'a>(file: &'a File, placed: &Placed) -> &'a str {
    let before = file.text.get(..usize::from(placed.at)).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    if is_blank(line) { line } else { "" }
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|it| matches!(it, ' ' | '\t' | '\r'))
}

#[cfg(test)]
mod tests {
    use super::{above, below, without};
    use crate::lower;
    use crate::model::File;

    fn file(text: &str) -> File {
        lower::file(text.into(), &lower::Build::default(), None)
    }

    #[test]
    fn a_line_is_indented_as_its_neighbour() {
        let text = "FROM a\r\n  RUN b \\\r\n  c\r\nRUN d\r\n";
        let file = file(text);
        let placed = &file.stages[0].instructions[0];
        assert_eq!(above(&file, placed, "ARG x").apply(text), "FROM a\r\n  ARG x\r\n  RUN b \\\r\n  c\r\nRUN d\r\n");
        assert_eq!(below(&file, placed, "ARG x").apply(text), "FROM a\r\n  RUN b \\\r\n  c\r\n  ARG x\r\nRUN d\r\n");
    }

    #[test]
    fn an_instruction_goes_with_its_lines() {
        let check = |text: &str, expected: &str| {
            let file = file(text);
            let edit = without(&file, &file.stages[0].instructions[0]).expect("it stands alone");
            assert_eq!(edit.apply(text), expected);
        };
        check("FROM a\n# why\n RUN b \\\n c  \nRUN d\n", "FROM a\n# why\nRUN d\n");
        check("FROM a\nRUN b", "FROM a");
        check("FROM a\r\nRUN b\r\n\r\nRUN c", "FROM a\r\n\r\nRUN c");
    }
}

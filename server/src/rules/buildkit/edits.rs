//! The small edits that several checks offer.

use crate::model::{Flag, Instruction, Placed};
use crate::text::{Local, TextEdit, TextRange, TextSize};

/// A flag taken out, with the blanks behind it.
pub(super) fn without_flag(placed: &Placed, flag: &Flag) -> TextEdit {
    let rest = placed.instruction.text.get(flag.range.end as usize..).unwrap_or_default();
    let n_blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let range = Local::new(flag.range.start as usize, flag.range.end as usize + n_blanks);
    TextEdit::replace(placed.range(range), "")
}

/// An instruction taken out with its lines.
pub(super) fn without_lines(text: &str, placed: &Placed) -> TextEdit {
    let whole = placed.whole();
    let (start, end) = (usize::from(whole.start()), usize::from(whole.end()));
    let before = text.get(..start).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let behind = text.get(end..).unwrap_or_default();
    let line_end = behind.find('\n').map_or(behind.len(), |at| at + 1);
    TextEdit::replace(TextRange::new(TextSize::new(line_start as u32), TextSize::new((end + line_end) as u32)), "")
}

/// Whether a word stands in the text as it is read: no quotes taken off, no continuation in it.
pub(super) fn is_exact(instruction: &Instruction, range: Local, text: &str) -> bool {
    range.of(&instruction.text) == text
}

/// A text in double quotes, for JSON.
pub(super) fn json(text: &str) -> String {
    let mut res = String::with_capacity(text.len() + 2);
    res.push('"');
    for char in text.chars() {
        match char {
            '"' => res.push_str("\\\""),
            '\\' => res.push_str("\\\\"),
            char if char.is_control() => res.push_str(&format!("\\u{:04x}", u32::from(char))),
            char => res.push(char),
        }
    }
    res.push('"');
    res
}

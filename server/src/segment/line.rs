//! Physical lines, and the one line that BuildKit joins them to.

use crate::text::Local;

/// One line of the file.
pub(super) struct Physical<'a> {
    /// Its text without the line end (`\n`, and every `\r` before it, as BuildKit trims them).
    pub content: &'a str,
    /// Offset of the next line.
    pub end: usize,
}

/// The line that begins at `at`.
pub(super) fn physical(text: &str, at: usize) -> Physical<'_> {
    let rest = &text[at..];
    let length = rest.bytes().position(|byte| byte == b'\n').map_or(rest.len(), |newline| newline + 1);
    Physical { content: rest[..length].trim_end_matches(['\r', '\n']), end: at + length }
}

/// Whether a line inside a continuation is left out: a comment, or blanks alone.
pub(super) fn is_skipped(content: &str) -> bool {
    let trimmed = content.trim_start();
    trimmed.is_empty() || trimmed.starts_with('#')
}

/// The length of the line before its continuation character, if it has one: the escape character with nothing but
/// blanks and tabs behind it, and no other escape character before it (`lineContinuationRegex`).
pub(super) fn continued(content: &str, escape: char) -> Option<usize> {
    let before = content.trim_end_matches([' ', '\t']).strip_suffix(escape)?;
    (!before.ends_with(escape)).then_some(before.len())
}

/// What BuildKit makes of the lines of an instruction: continuations, comment lines and blank lines taken out, the rest
/// joined. Knows where every byte of it came from.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Line {
    /// The joined text.
    pub text: String,
    /// Pieces: offset in `text`, offset in the source; ascending in both.
    pieces: Vec<(u32, u32)>,
    /// Comment lines in the middle, from the `#` to the last byte that is no line end.
    pub comments: Vec<Local>,
    /// Lines of nothing but blanks in the middle.
    pub blank_lines: Vec<Local>,
    /// What is no part of `text` (continuation characters with what follows them, skipped lines), line ends included.
    pub left_out: Vec<Local>,
    /// One past the last line end.
    pub end: usize,
    /// Whether the source ended where a continuation still asked for a line.
    pub open: bool,
}

impl Line {
    /// Joins the lines from the beginning of `source`, which is the first byte of an instruction, until one is not
    /// continued.
    pub fn join(source: &str, escape: char) -> Line {
        let mut res = Line { open: true, ..Line::default() };
        while res.open && res.end < source.len() {
            let at = res.end;
            let first = at == 0;
            let line = physical(source, at);
            res.end = line.end;
            if !first && is_skipped(line.content) {
                let blank = line.content.len() - line.content.trim_start().len();
                let place = Local::new(at + blank, at + line.content.len());
                if blank == line.content.len() {
                    res.blank_lines.push(Local::new(at, at + line.content.len()));
                } else {
                    res.comments.push(place);
                }
                res.left_out.push(Local::new(at, line.end));
                continue;
            }
            let kept = continued(line.content, escape);
            res.open = kept.is_some();
            let kept = kept.unwrap_or(line.content.len());
            res.pieces.push((res.text.len() as u32, at as u32));
            res.text.push_str(&line.content[..kept]);
            if res.open {
                res.left_out.push(Local::new(at + kept, line.end));
            }
        }
        if res.pieces.is_empty() {
            res.pieces.push((0, 0));
        }
        res
    }

    /// Where an offset of the joined text lies in the source; at a seam the later line.
    pub fn source(&self, offset: usize) -> usize {
        let piece = self.pieces.partition_point(|(joined, _)| *joined as usize <= offset).saturating_sub(1);
        let (joined, source) = self.pieces[piece];
        source as usize + (offset - joined as usize)
    }

    /// The place in the source of a range of the joined text. It ends directly behind its last byte.
    pub fn place(&self, start: usize, end: usize) -> Local {
        if end <= start {
            let at = self.source(start);
            return Local::new(at, at);
        }
        Local::new(self.source(start), self.source(end - 1) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::Line;

    #[test]
    fn comments_and_blank_lines_are_taken_out_of_a_continuation() {
        let source = "RUN a \\\n  # why\n\n  b\\  \r\nc\nnext";
        let line = Line::join(source, '\\');
        assert_eq!(line.text, "RUN a   bc");
        assert_eq!(line.comments.iter().map(|it| it.of(source)).collect::<Vec<_>>(), ["# why"]);
        assert_eq!(line.blank_lines.len(), 1);
        assert_eq!(&source[line.end..], "next");
        assert_eq!(line.place(8, 10).of(source), "b\\  \r\nc");
    }

    #[test]
    fn an_escaped_escape_character_does_not_continue() {
        assert_eq!(Line::join("RUN a \\\\\nb", '\\').text, "RUN a \\\\");
        assert_eq!(Line::join("RUN a `\nb", '`').text, "RUN a b");
    }

    #[test]
    fn a_continuation_may_be_open_at_the_end() {
        assert!(Line::join("RUN a \\\n", '\\').open);
        assert!(!Line::join("RUN a", '\\').open);
    }
}

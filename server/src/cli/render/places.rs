//! Lines and columns as the command line counts them: both from 1, lines ending at LF as BuildKit's, git's and grep's do,
//! columns in Unicode code points.

use crate::text::{TextRange, TextSize};

/// A place that people can find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// From 1.
    pub(crate) line: usize,
    /// From 1, in Unicode code points.
    pub(crate) column: usize,
    /// From 0, in bytes.
    pub(crate) offset: usize,
}

/// The lines of a text.
#[derive(Clone, Debug)]
pub(crate) struct Lines<'a> {
    text: &'a str,
    /// The first byte of each line.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Counts them.
    pub(crate) fn of(text: &'a str) -> Lines<'a> {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Lines { text, starts }
    }

    /// The text.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// The place of a byte; past the end the end of the text, inside a character the start of it.
    pub(crate) fn place(&self, at: TextSize) -> Place {
        let mut offset = usize::from(at).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|idx| self.starts.get(idx)).copied().unwrap_or_default();
        let column = self.text.get(start..offset).unwrap_or_default().chars().count() + 1;
        Place { line, column, offset }
    }

    /// The line of a byte, from 1.
    pub(crate) fn line(&self, at: TextSize) -> usize {
        self.starts.partition_point(|start| *start <= usize::from(at)).max(1)
    }

    /// How many lines there are; the one behind a last line end counts.
    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    /// From the first byte of a line to the last before its line end; `None` if there is no such line.
    pub(crate) fn range(&self, line: usize) -> Option<TextRange> {
        let start = *self.starts.get(line.checked_sub(1)?)?;
        let end = self.starts.get(line).copied().unwrap_or(self.text.len());
        let content = self.text.get(start..end)?.trim_end_matches(['\n', '\r']);
        Some(TextRange::at(TextSize::new(start as u32), TextSize::of(content)))
    }

    /// The byte of a column in a line, at most the line's end; `None` if there is no such line.
    pub(crate) fn offset(&self, line: usize, column: usize) -> Option<TextSize> {
        let range = self.range(line)?;
        let content = self.text.get(std::ops::Range::<usize>::from(range))?;
        let before: usize = content.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
        Some(range.start() + TextSize::new(before as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn columns_are_code_points_and_lines_end_at_lf() {
        let lines = Lines::of("FROM a\r\nLABEL x=ü𝕏y\n");
        let place = |at: u32| {
            let place = lines.place(at.into());
            (place.line, place.column, place.offset)
        };
        assert_eq!(place(0), (1, 1, 0));
        assert_eq!(place(16), (2, 9, 16));
        assert_eq!(place(18), (2, 10, 18));
        assert_eq!(place(22), (2, 11, 22));
        assert_eq!(place(20), (2, 10, 18), "inside a character");
        assert_eq!(place(99), (3, 1, 24));
        assert_eq!(lines.offset(2, 10), Some(18.into()));
        assert_eq!(lines.offset(1, 99), Some(6.into()));
        assert_eq!(lines.offset(4, 1), None);
        assert_eq!(lines.range(1).map(|range| range.end()), Some(6.into()));
    }
}

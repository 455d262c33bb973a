//! The part of a file that `--at` and `--lines` mean, and where it lies after an edit.

use anyhow::{Result, anyhow};

use crate::cli::render::places::Lines;
use crate::text::{Indel, TextEdit, TextRange, TextSize};

/// A place or lines as they were typed, counting from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    /// One place; the whole line without a column.
    Place(usize, Option<usize>),
    /// These lines, both included.
    Lines(usize, usize),
}

impl Region {
    /// Reads `LINE[:COLUMN]`.
    pub(crate) fn parse_place(text: &str) -> Result<Region, String> {
        let (line, column) = match text.split_once(':') {
            Some((line, column)) => (line, Some(number(column)?)),
            None => (text, None),
        };
        Ok(Region::Place(number(line)?, column))
    }

    /// Reads `A-B`.
    pub(crate) fn parse_lines(text: &str) -> Result<Region, String> {
        let (first, last) = text.split_once('-').ok_or("expected two lines, as in 3-7")?;
        let (first, last) = (number(first)?, number(last)?);
        if last < first {
            Err("the first line comes after the last".to_owned())
        } else {
            Ok(Region::Lines(first, last))
        }
    }

    /// Where the cursor is meant to be for an action: a line alone means its first character. Else as [`Region::range`].
    pub(crate) fn cursor(&self, text: &str, name: &str) -> Result<TextRange> {
        let range = self.range(text, name)?;
        if !matches!(self, Region::Place(_, None)) {
            return Ok(range);
        }
        let line = text.get(std::ops::Range::<usize>::from(range)).unwrap_or_default();
        let n_blanks = line.len() - line.trim_start().len();
        Ok(TextRange::empty(range.start() + TextSize::new(n_blanks as u32)))
    }

    /// Its bytes in a text; an error if there is no such line.
    pub(crate) fn range(&self, text: &str, name: &str) -> Result<TextRange> {
        let lines = Lines::of(text);
        let no_line = |line: usize| anyhow!("{name} has {} lines, there is no line {line}", lines.len());
        match *self {
            Region::Place(line, None) => lines.range(line).ok_or_else(|| no_line(line)),
            Region::Place(line, Some(column)) => {
                lines.offset(line, column).map(TextRange::empty).ok_or_else(|| no_line(line))
            }
            Region::Lines(first, last) => {
                let start = lines.range(first).ok_or_else(|| no_line(first))?;
                let end = lines.range(last).ok_or_else(|| no_line(last))?;
                Ok(start.cover(end))
            }
        }
    }
}

fn number(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("lines and columns are numbers from 1".to_owned()),
        Ok(number) => Ok(number),
    }
}

/// Where a range lies after an edit; what was replaced at its ends, or inserted there, is part of it.
pub(crate) fn moved(range: TextRange, edit: &TextEdit) -> TextRange {
    let grown = |indel: &Indel| indel.insert.len() as i64 - i64::from(u32::from(indel.delete.len()));
    let before: i64 = edit.indels().iter().filter(|it| it.delete.end() < range.start()).map(grown).sum();
    let touched = edit.indels().iter().filter(|it| it.delete.intersect(range).is_some());
    let whole = touched.clone().fold(range, |whole, indel| whole.cover(indel.delete));
    let inside: i64 = touched.map(grown).sum();
    let size = |at: i64| TextSize::new(u32::try_from(at.max(0)).unwrap_or(u32::MAX));
    let start = i64::from(u32::from(whole.start())) + before;
    let end = i64::from(u32::from(whole.end())) + before + inside;
    TextRange::new(size(start), size(end.max(start)))
}

#[cfg(test)]
mod tests {
    use super::{Region, moved};
    use crate::text::{Indel, TextEdit, TextRange};

    fn range(start: u32, end: u32) -> TextRange {
        TextRange::new(start.into(), end.into())
    }

    #[test]
    fn a_range_moves_with_what_is_before_it_and_grows_with_what_touches_it() {
        let indel = |start, end, insert: &str| Indel { delete: range(start, end), insert: insert.to_owned() };
        let edit = TextEdit::new(vec![indel(0, 2, "xyz"), indel(10, 12, ""), indel(20, 20, "++"), indel(30, 31, "")]);
        let edit = edit.expect("disjoint");
        assert_eq!(moved(range(4, 6), &edit), range(5, 7));
        assert_eq!(moved(range(11, 20), &edit), range(11, 21));
        assert_eq!(moved(range(22, 25), &edit), range(23, 26));
        assert_eq!(moved(range(1, 1), &edit), range(0, 3));
    }

    #[test]
    fn places_and_lines_count_from_one() {
        assert_eq!(Region::parse_place("3"), Ok(Region::Place(3, None)));
        assert_eq!(Region::parse_place("3:7"), Ok(Region::Place(3, Some(7))));
        assert_eq!(Region::parse_lines("3-7"), Ok(Region::Lines(3, 7)));
        for wrong in ["0", "", "a", "1:", "1:0", "-1"] {
            assert!(Region::parse_place(wrong).is_err(), "{wrong:?}");
        }
        for wrong in ["3", "7-3", "0-1", "1-", "-"] {
            assert!(Region::parse_lines(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_line_that_is_not_there_is_an_error() {
        let bytes = |region: Region| region.range("FROM a\nRUN b\n", "Dockerfile").ok();
        assert_eq!(bytes(Region::Place(2, None)), Some(range(7, 12)));
        assert_eq!(bytes(Region::Place(2, Some(5))), Some(range(11, 11)));
        assert_eq!(bytes(Region::Lines(1, 2)), Some(range(0, 12)));
        assert_eq!(bytes(Region::Lines(2, 9)), None);
        let cursor = Region::Place(2, None).cursor("FROM a\n  RUN b\n", "Dockerfile").ok();
        assert_eq!(cursor, Some(range(9, 9)));
    }
}

//! The part of a file that `--at` and `--lines` mean.

use anyhow::{Result, anyhow};

use crate::cli::render::places::Lines;
use crate::text::{TextRange, TextSize};

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

#[cfg(test)]
mod tests {
    use super::Region;
    use crate::text::TextRange;

    fn range(start: u32, end: u32) -> TextRange {
        TextRange::new(start.into(), end.into())
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

//! Tables of facts, searched in place in the bytes that the program carries (`server/data/*.bin`).
//!
//! A file is a row of columns, each an array of numbers of one width; texts are numbers of a shared, sorted list, so that
//! the order of the numbers is the order of the texts. `tests/tables.rs` writes the files from the TSV beside them.
//! **Invariant:** nothing is decoded, kept or trusted: bytes that are cut short or wrong answer `None`.

use std::ops::Range;

/// A TSV file that becomes part of a table.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Its name in `server/data`.
    pub file: &'static str,
    /// By how many of its first columns the rows are sorted; rows alike in these keep the order of the TSV.
    pub key: usize,
    /// Name and kind of each column, in the order of the TSV.
    pub columns: &'static [(&'static str, Kind)],
    /// Columns of numbers that are worked out when the table is written, so that a search need not.
    pub derived: &'static [(&'static str, Derived)],
}

/// How the numbers of a column are worked out.
#[derive(Clone, Copy, Debug)]
pub enum Derived {
    /// Of the text in the column at this place.
    Text(usize, fn(&str) -> u32),
    /// Of the whole table, in which the columns of this kind hold 0 as yet, for each row.
    Row(fn(Table, usize) -> u32),
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text, stored as its number in the list of texts.
    Text,
    /// A number, stored as one more than it is; 0 where the cell is empty.
    Number,
    /// Ascending numbers, in the TSV as differences. Takes two columns: where each row's part ends, and the parts.
    List,
}

/// The column where the n-th text ends, in bytes.
pub const TEXT_ENDS: usize = 0;
/// The column of the texts, one behind the other.
pub const TEXTS: usize = 1;
/// The column that finds a text: behind its hash, at the first place that is free of others, one more than its number; 0
/// where nothing lies. At least twice as long as there are texts, so a search soon ends.
pub const TEXT_PLACES: usize = 2;
/// What a file begins with, before the number of its columns.
pub const MAGIC: u32 = u32::from_le_bytes(*b"PLT2");

/// The place of a column among all columns of the file.
///
/// # Panics
/// When the schema has no such column; meant for constants, so that a wrong name does not compile.
pub const fn column(schema: &[Section], file: &str, name: &str) -> usize {
    let mut res = TEXT_PLACES + 1;
    let mut section = 0;
    while section < schema.len() {
        let mut at = 0;
        while at < schema[section].columns.len() {
            let (column_name, kind) = schema[section].columns[at];
            if same(schema[section].file, file) && same(column_name, name) {
                return res;
            }
            res += match kind {
                Kind::Text | Kind::Number => 1,
                Kind::List => 2,
            };
            at += 1;
        }
        let mut at = 0;
        while at < schema[section].derived.len() {
            if same(schema[section].file, file) && same(schema[section].derived[at].0, name) {
                return res;
            }
            res += 1;
            at += 1;
        }
        section += 1;
    }
    panic!("the schema has no such column")
}

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// The bytes of a table file.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    bytes: &'a [u8],
}

impl<'a> Table<'a> {
    /// A table in these bytes, whatever they are.
    pub const fn new(bytes: &'a [u8]) -> Table<'a> {
        Table { bytes }
    }

    /// The number at this row of a column, as it is stored.
    pub fn cell(self, column: usize, row: usize) -> Option<u32> {
        cell(self.column(column)?, row)
    }

    /// The number of a [`Kind::Number`] column; `None` where the cell is empty.
    pub fn number(self, column: usize, row: usize) -> Option<u32> {
        self.cell(column, row)?.checked_sub(1)
    }

    /// The text of a [`Kind::Text`] column; empty where there is none.
    pub fn text(self, column: usize, row: usize) -> &'a str {
        self.texts(column).get(row)
    }

    /// The numbers of a column, for reading many of them.
    pub fn cells(self, column: usize) -> Cells<'a> {
        Cells(self.column(column).unwrap_or_default())
    }

    /// Brings the whole table near the processor, so that no look-up waits for it page by page.
    pub fn touch(self) {
        /// What a processor brings at once, in bytes.
        const LINE: usize = 64;
        std::hint::black_box(self.bytes.iter().step_by(LINE).fold(0, |acc, byte| acc ^ byte));
    }

    /// The texts of a [`Kind::Text`] column, for reading many of them.
    pub fn texts(self, column: usize) -> Texts<'a> {
        let part = |column: usize| self.column(column).unwrap_or_default();
        Texts { cells: part(column), ends: part(TEXT_ENDS), texts: part(TEXTS).0 }
    }

    /// The numbers of a [`Kind::List`] column.
    pub fn list(self, column: usize, row: usize) -> impl Iterator<Item = u32> + use<'a> {
        let start = match row.checked_sub(1) {
            Some(before) => self.cell(column, before),
            None => Some(0),
        };
        let end = self.cell(column, row);
        let (start, end) = start.zip(end).map_or((0, 0), |(start, end)| (start as usize, end as usize));
        (start..end).map_while(move |at| self.cell(column + 1, at))
    }

    /// The number of the text that these pieces make, one behind the other.
    pub fn id(self, pieces: &[&str]) -> Option<u32> {
        let (ends, texts, places) = (self.column(TEXT_ENDS)?, self.column(TEXTS)?.0, self.column(TEXT_PLACES)?);
        let count = self.rows(TEXT_PLACES);
        let first = (hash(pieces.iter().flat_map(|piece| piece.bytes())) as usize).checked_rem(count)?;
        for place in (first..count).chain(0..first) {
            let id = cell(places, place)?.checked_sub(1)? as usize;
            let start = id.checked_sub(1).map_or(Some(0), |before| cell(ends, before))?;
            let text = texts.get(start as usize..cell(ends, id)? as usize)?;
            if is_made_of(text, pieces) {
                return u32::try_from(id).ok();
            }
        }
        None
    }

    /// The rows whose first key columns, which begin at `column`, hold these texts.
    pub fn rows_of(self, column: usize, key: &[u32]) -> Range<usize> {
        let mut res = 0..self.rows(column);
        for (offset, wanted) in key.iter().enumerate() {
            let ids = self.column(column + offset).unwrap_or_default();
            let start = partition(res.clone(), |row| cell(ids, row).is_some_and(|id| id < *wanted));
            let end = partition(start..res.end, |row| cell(ids, row).is_some_and(|id| id <= *wanted));
            res = start..end;
        }
        res
    }

    /// How many numbers a column has.
    pub fn rows(self, column: usize) -> usize {
        self.column(column).map_or(0, |(bytes, width)| bytes.len().checked_div(width).unwrap_or(0))
    }

    fn column(self, column: usize) -> Option<(&'a [u8], usize)> {
        let word = |at: usize| number(self.bytes.get(at..at.checked_add(4)?)?);
        if word(0)? != MAGIC || column >= word(4)? as usize {
            return None;
        }
        let entry = 8 + column * 12;
        let (start, end, width) = (word(entry)? as usize, word(entry + 4)? as usize, word(entry + 8)? as usize);
        Some((self.bytes.get(start..end)?, width))
    }
}

/// The numbers of a column.
#[derive(Clone, Copy, Debug)]
pub struct Cells<'a>((&'a [u8], usize));

impl Cells<'_> {
    /// The number of a row, as it is stored; 0 where there is none.
    pub fn get(self, row: usize) -> u32 {
        cell(self.0, row).unwrap_or(0)
    }
}

/// The texts of a column.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'a> {
    cells: (&'a [u8], usize),
    ends: (&'a [u8], usize),
    texts: &'a [u8],
}

impl<'a> Texts<'a> {
    /// The text of a row; empty where there is none.
    pub fn get(self, row: usize) -> &'a str {
        let text = || {
            let id = cell(self.cells, row)? as usize;
            let start = id.checked_sub(1).map_or(Some(0), |before| cell(self.ends, before))?;
            std::str::from_utf8(self.texts.get(start as usize..cell(self.ends, id)? as usize)?).ok()
        };
        text().unwrap_or_default()
    }
}

/// Whether these pieces, one behind the other, are the text.
fn is_made_of(text: &[u8], pieces: &[&str]) -> bool {
    let rest = pieces.iter().try_fold(text, |rest, piece| rest.strip_prefix(piece.as_bytes()));
    rest.is_some_and(<[u8]>::is_empty)
}

/// FNV-1a in 32 bits: where a text is looked for, and what stands for words in a column of numbers.
pub fn hash(bytes: impl Iterator<Item = u8>) -> u32 {
    bytes.fold(0x811c_9dc5, |acc, byte| (acc ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The number at a row of a column of this width.
fn cell((bytes, width): (&[u8], usize), row: usize) -> Option<u32> {
    let start = row.checked_mul(width)?;
    number(bytes.get(start..start.checked_add(width)?)?)
}

/// The first of the range for which `before` no longer holds.
pub(crate) fn partition(mut range: Range<usize>, before: impl Fn(usize) -> bool) -> usize {
    while range.start < range.end {
        let middle = range.start + (range.end - range.start) / 2;
        if before(middle) {
            range.start = middle + 1;
        } else {
            range.end = middle;
        }
    }
    range.start
}

/// Little-endian bytes as a number; `None` for a width that no column has.
fn number(bytes: &[u8]) -> Option<u32> {
    match *bytes {
        [one] => Some(u32::from(one)),
        [one, two] => Some(u32::from(u16::from_le_bytes([one, two]))),
        [one, two, three, four] => Some(u32::from_le_bytes([one, two, three, four])),
        _ => None,
    }
}

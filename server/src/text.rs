//! Places in a text and changes to it, counted in bytes.
//!
//! Two kinds of ranges exist and cannot be mixed: [`TextRange`] counts from the start of the file, [`Local`] from the
//! first byte of an instruction, so that an instruction whose text did not change can be kept wherever it moved.
//! Lines, columns and encodings exist in [`position`] alone.

pub mod position;

use std::fmt;

pub use text_size::{TextRange, TextSize};

/// A range in bytes that counts from the first byte of the instruction it lies in.
///
/// `model::Placed::range` turns it into a [`TextRange`] of the file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Local {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Local {
    /// The range from `start` to `end`, both in bytes; `end` is raised to `start` if it lies before it.
    pub fn new(start: usize, end: usize) -> Local {
        Local { start: start as u32, end: end.max(start) as u32 }
    }

    /// The smallest range that holds both.
    pub fn cover(self, other: Local) -> Local {
        Local { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The text of this range, where `text` is the text of the instruction; empty when out of bounds.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or("")
    }

    /// Whether `other` lies inside, its ends included.
    pub fn contains_range(self, other: Local) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether there is no byte in it.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}..{}", self.start, self.end)
    }
}

/// One replacement: the text of `delete` becomes `insert`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indel {
    /// What goes, in bytes of the file; empty for an insertion.
    pub delete: TextRange,
    /// What comes instead.
    pub insert: String,
}

/// A change of one text: replacements in ascending order that do not overlap.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TextEdit {
    /// Invariant: ascending by start, no two overlap. Checked by [`TextEdit::new`].
    indels: Vec<Indel>,
}

impl TextEdit {
    /// An edit from replacements in any order; `None` when two of them overlap.
    ///
    /// Insertions at the same place keep the order in which they were given.
    pub fn new(mut indels: Vec<Indel>) -> Option<TextEdit> {
        indels.sort_by_key(|it| (it.delete.start(), it.delete.end()));
        let disjoint = indels.windows(2).all(|pair| pair[0].delete.end() <= pair[1].delete.start());
        disjoint.then_some(TextEdit { indels })
    }

    /// An edit of one replacement.
    pub fn replace(delete: TextRange, insert: impl Into<String>) -> TextEdit {
        TextEdit { indels: vec![Indel { delete, insert: insert.into() }] }
    }

    /// An edit of one insertion.
    pub fn insert(at: TextSize, insert: impl Into<String>) -> TextEdit {
        TextEdit::replace(TextRange::empty(at), insert)
    }

    /// The replacements, ascending.
    pub fn indels(&self) -> &[Indel] {
        &self.indels
    }

    /// From the first byte that changes to the last; `None` for an empty edit.
    pub fn range(&self) -> Option<TextRange> {
        let first = self.indels.first()?;
        let last = self.indels.last()?;
        Some(first.delete.cover(last.delete))
    }

    /// Whether it changes this text.
    pub fn changes(&self, text: &str) -> bool {
        let old = |indel: &Indel| text.get(std::ops::Range::<usize>::from(indel.delete));
        self.indels.iter().any(|indel| old(indel).is_some_and(|old| old != indel.insert))
    }

    /// Where a range lies after the edit; what was replaced at its ends, or inserted there, is part of it.
    pub fn moved(&self, range: TextRange) -> TextRange {
        let grown = |indel: &Indel| indel.insert.len() as i64 - i64::from(u32::from(indel.delete.len()));
        let before: i64 = self.indels.iter().filter(|it| it.delete.end() < range.start()).map(grown).sum();
        let touched = self.indels.iter().filter(|it| it.delete.intersect(range).is_some());
        let whole = touched.clone().fold(range, |whole, indel| whole.cover(indel.delete));
        let inside: i64 = touched.map(grown).sum();
        let size = |at: i64| TextSize::new(u32::try_from(at.max(0)).unwrap_or(u32::MAX));
        let start = i64::from(u32::from(whole.start())) + before;
        let end = i64::from(u32::from(whole.end())) + before + inside;
        TextRange::new(size(start), size(end.max(start)))
    }

    /// The text after the edit. Replacements that do not lie in `text` on character boundaries are left out.
    pub fn apply(&self, text: &str) -> String {
        let mut res = String::with_capacity(text.len());
        let mut done = 0;
        for indel in &self.indels {
            let (start, end) = (usize::from(indel.delete.start()), usize::from(indel.delete.end()));
            let Some(kept) = text.get(done..start) else { continue };
            if text.get(start..end).is_none() {
                continue;
            }
            res.push_str(kept);
            res.push_str(&indel.insert);
            done = end;
        }
        res.push_str(&text[done..]);
        res
    }
}

#[cfg(test)]
mod tests {
    use super::{Indel, TextEdit, TextRange};

    fn indel(start: u32, end: u32, insert: &str) -> Indel {
        Indel { delete: TextRange::new(start.into(), end.into()), insert: insert.to_owned() }
    }

    #[test]
    fn replacements_are_applied_from_left_to_right() {
        let edit = TextEdit::new(vec![indel(4, 5, "E"), indel(0, 1, ""), indel(2, 2, "++")]).expect("disjoint");
        assert_eq!(edit.apply("abcdef"), "b++cdEf");
    }

    #[test]
    fn a_range_moves_with_what_is_before_it_and_grows_with_what_touches_it() {
        let range = |start: u32, end: u32| TextRange::new(start.into(), end.into());
        let indels = vec![indel(0, 2, "xyz"), indel(10, 12, ""), indel(20, 20, "++"), indel(30, 31, "")];
        let edit = TextEdit::new(indels).expect("disjoint");
        assert_eq!(edit.moved(range(4, 6)), range(5, 7));
        assert_eq!(edit.moved(range(11, 20)), range(11, 21));
        assert_eq!(edit.moved(range(22, 25)), range(23, 26));
        assert_eq!(edit.moved(range(1, 1)), range(0, 3));
    }

    #[test]
    fn an_edit_that_writes_what_is_there_changes_nothing() {
        assert!(!TextEdit::new(vec![indel(0, 1, "a"), indel(2, 2, "")]).expect("disjoint").changes("abc"));
        assert!(TextEdit::insert(1.into(), "x").changes("abc"));
        assert!(!TextEdit::insert(9.into(), "x").changes("abc"));
    }

    #[test]
    fn overlapping_replacements_are_no_edit() {
        assert_eq!(TextEdit::new(vec![indel(0, 3, ""), indel(2, 4, "")]), None);
    }

    #[test]
    fn a_replacement_outside_the_text_is_left_out() {
        assert_eq!(TextEdit::replace(TextRange::new(2.into(), 9.into()), "x").apply("abc"), "abc");
    }
}

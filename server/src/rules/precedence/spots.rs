//! Places that are asked for often: instructions and stages by number, ranges that may touch.

use crate::model::File;
use crate::rules::Finding;
use crate::text::{TextRange, TextSize};

/// The instructions and stages of a file, found by an offset.
pub(super) struct Instructions {
    instructions: Vec<TextSize>,
    stages: Vec<TextSize>,
}

impl Instructions {
    /// Those of a file.
    pub(super) fn of(file: &File) -> Instructions {
        Instructions {
            instructions: file.instructions().map(|placed| placed.at).collect(),
            stages: file.stages.iter().map(|stage| stage.from.at).collect(),
        }
    }

    /// The number of the instruction that an offset lies in.
    pub(super) fn number(&self, offset: TextSize) -> Option<usize> {
        self.instructions.partition_point(|at| *at <= offset).checked_sub(1)
    }

    /// The number of the stage that an offset lies in.
    pub(super) fn stage(&self, offset: TextSize) -> Option<usize> {
        self.stages.partition_point(|at| *at <= offset).checked_sub(1)
    }
}

/// What the stronger findings of a row have: numbers, or ranges that were made disjoint; both in order.
pub(super) struct Spots {
    numbers: Vec<usize>,
    ranges: Vec<TextRange>,
}

impl Spots {
    /// These numbers.
    pub(super) fn numbers(numbers: impl Iterator<Item = usize>) -> Spots {
        let mut numbers: Vec<usize> = numbers.collect();
        numbers.sort_unstable();
        Spots { numbers, ranges: Vec::new() }
    }

    /// These ranges.
    pub(super) fn ranges(ranges: impl Iterator<Item = TextRange>) -> Spots {
        let mut all: Vec<TextRange> = ranges.collect();
        all.sort_by_key(|range| (range.start(), range.end()));
        let mut ranges: Vec<TextRange> = Vec::with_capacity(all.len());
        for range in all {
            match ranges.last_mut() {
                Some(last) if range.start() < last.end() || range.start() == last.start() => *last = last.cover(range),
                _ => ranges.push(range),
            }
        }
        Spots { numbers: Vec::new(), ranges }
    }

    /// Whether this number is one of them.
    pub(super) fn has(&self, number: usize) -> bool {
        self.numbers.binary_search(&number).is_ok()
    }

    /// Whether a range has a byte in common with one of them, or is one of them.
    pub(super) fn touches(&self, range: TextRange) -> bool {
        let from = self.ranges.partition_point(|it| it.end() <= range.start() && it.start() < range.start());
        self.ranges.get(from).is_some_and(|it| it.start() < range.end() || it.start() == range.start())
    }
}

/// All that belongs to a finding.
pub(super) fn all(finding: &Finding) -> impl Iterator<Item = TextRange> + '_ {
    let related = finding.related.iter().map(|related| related.range);
    [finding.cause, finding.range].into_iter().chain(related)
}

#[cfg(test)]
mod tests {
    use super::Spots;
    use crate::text::TextRange;

    #[test]
    fn ranges_touch_when_they_share_a_byte() {
        let range = |start: u32, end: u32| TextRange::new(start.into(), end.into());
        let spots = Spots::ranges([range(10, 20), range(12, 15), range(30, 31), range(40, 40)].into_iter());
        for (start, end, expected) in [
            (0, 10, false),
            (0, 11, true),
            (13, 14, true),
            (19, 25, true),
            (20, 30, false),
            (20, 31, true),
            (31, 35, false),
            (40, 40, true),
            (50, 60, false),
        ] {
            assert_eq!(spots.touches(range(start, end)), expected, "{start}..{end}");
        }
    }
}

//! What an image weighs unpacked for each byte that is pulled: by repository, variant and era, as measured.

use crate::images::figures::Trust;
use crate::images::tag::{Tag, Variant, stored};
use crate::images::{BASES, RATIOS, at};
use crate::table::Table;
use crate::weight::Estimate;

const REPOSITORY: usize = at(BASES, "repository");
const TAG: usize = at(BASES, "tag");
const DATE: usize = at(BASES, "date");

const RATIO_REPOSITORY: usize = at(RATIOS, "repository");
const RATIO_ERA: usize = at(RATIOS, "era");
const RATIO_COUNT: usize = at(RATIOS, "n");
const RATIO_MEDIAN: usize = at(RATIOS, "median");
const RATIO_P10: usize = at(RATIOS, "p10");
const RATIO_P90: usize = at(RATIOS, "p90");

/// Unpacked bytes for one compressed byte, with the ends that hold four of five images.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ratio {
    pub(super) low: f64,
    pub(super) likely: f64,
    pub(super) high: f64,
}

/// The first year of the newer era of size-ratios.tsv that a figure may be counted to.
const NEW_ERA: &str = "2021";

impl Ratio {
    pub(super) fn of(table: Table, repository: Option<u32>, variant: Variant, date: &str) -> Option<Ratio> {
        Ratio::at(table, Ratio::row(table, repository, variant, date)?, date)
    }

    /// The row of the repository, or of all, that tells of images of that time.
    fn row(table: Table, repository: Option<u32>, variant: Variant, date: &str) -> Option<usize> {
        let variant = table.id(&[variant.name()])?;
        let recent = date >= NEW_ERA;
        let of_repository = |repository: u32| {
            let rows = table.rows_of(RATIO_REPOSITORY, &[repository, variant]);
            let row = if recent { rows.last() } else { rows.into_iter().next() };
            row.filter(|row| table.number(RATIO_COUNT, *row).is_some())
        };
        repository.and_then(of_repository).or_else(|| of_repository(table.id(&["*"])?))
    }

    /// What a row says of an image of that day.
    pub(super) fn at(table: Table, row: usize, date: &str) -> Option<Ratio> {
        let recent = date >= NEW_ERA;
        let value =
            |column: usize| table.text(column, row).parse::<f64>().ok().filter(|it| it.is_finite() && *it >= 1.0);
        let (likely, p10, p90) = (value(RATIO_MEDIAN)?, value(RATIO_P10)?, value(RATIO_P90)?);
        // The ratio of one repository moved by up to 15 % between the eras; and two or three images are not many.
        let other_era = recent != table.text(RATIO_ERA, row).starts_with("202");
        let width = if other_era { 0.15 } else { 0.05 };
        Some(Ratio { low: p10.min(likely * (1.0 - width)).max(1.0), likely, high: p90.max(likely * (1.0 + width)) })
    }

    /// What so many compressed bytes are unpacked.
    pub(super) fn unpacked(self, bytes: f64, trust: Trust, source: String) -> Estimate {
        trust.estimate(bytes * self.low, bytes * self.likely, bytes * self.high, source)
    }
}

/// For the table: one more than the row of the ratio that goes with this row; 0 where there is none.
pub(super) fn of_row(table: Table, row: usize) -> u32 {
    let variant = Tag::parse(table.text(TAG, row)).variant;
    let ratio = Ratio::row(table, table.cell(REPOSITORY, row), variant, table.text(DATE, row));
    stored(ratio.and_then(|row| u32::try_from(row).ok()))
}

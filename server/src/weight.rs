//! Bytes and how sure we are of them.
//!
//! Every figure the user sees is an [`Estimate`]: low, likely, high and the basis it stands on. What is not known is
//! `None`, never zero. Sizes are decimal, as Docker prints them.

use std::fmt;
use std::ops::{Add, AddAssign};

/// A number of bytes, printed decimal with two or three significant digits (`79.9 MB`, `1.13 GB`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0 as f64;
        let (value, unit) = match self.0 {
            0..1_000 => return write!(f, "{} B", self.0),
            1_000..1_000_000 => (bytes / 1e3, "kB"),
            1_000_000..999_500_000 => (bytes / 1e6, "MB"),
            _ => (bytes / 1e9, "GB"),
        };
        if value < 9.95 {
            return write!(f, "{value:.2} {unit}");
        }
        if value < 99.95 {
            return write!(f, "{value:.1} {unit}");
        }
        write!(f, "{value:.0} {unit}")
    }
}

impl Add for Size {
    type Output = Size;
    fn add(self, other: Size) -> Size {
        Size(self.0.saturating_add(other.0))
    }
}

/// What a figure rests on. The later in the list, the less it is worth; a sum has the weakest basis of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// Layers of a built image.
    Measured,
    /// Asked of a registry.
    Registry,
    /// The exact row of the embedded table.
    Table,
    /// Counted in the build context.
    Context,
    /// Package tables: closures of what is installed.
    Recipe,
    /// The nearest relative in the table.
    Relative,
    /// A typical range.
    Guess,
}

impl Basis {
    /// Whether a figure is shown as it is; else it is called an estimate and has two digits.
    pub fn is_plain(self) -> bool {
        match self {
            Basis::Measured | Basis::Registry | Basis::Table | Basis::Context => true,
            Basis::Recipe | Basis::Relative | Basis::Guess => false,
        }
    }

    /// The word of the JSON output (CLI.md).
    pub fn name(self) -> &'static str {
        match self {
            Basis::Measured => "measured",
            Basis::Registry => "registry",
            Basis::Table => "table",
            Basis::Context => "context",
            Basis::Recipe => "recipe",
            Basis::Relative => "relative",
            Basis::Guess => "guess",
        }
    }
}

/// A figure with its uncertainty: it lies between `low` and `high`, most likely at `likely`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Lower end in bytes.
    pub low: Size,
    /// The figure to show, in bytes.
    pub likely: Size,
    /// Upper end in bytes.
    pub high: Size,
    /// What it rests on.
    pub basis: Basis,
    /// Where it comes from and of which day, in words for the user (`table, 2025-01-14`); empty where the basis says all.
    pub source: String,
}

impl Estimate {
    /// A figure known exactly.
    pub fn exact(bytes: u64, basis: Basis, source: impl Into<String>) -> Estimate {
        Estimate { low: Size(bytes), likely: Size(bytes), high: Size(bytes), basis, source: source.into() }
    }

    /// A figure and its ends; they are put in order if they are not.
    pub fn between(low: u64, likely: u64, high: u64, basis: Basis, source: impl Into<String>) -> Estimate {
        Estimate {
            low: Size(low.min(likely)),
            likely: Size(likely),
            high: Size(high.max(likely)),
            basis,
            source: source.into(),
        }
    }

    /// What remains of this after `other` is taken away, never below zero; the weaker basis, this source.
    pub fn minus(&self, other: &Estimate) -> Estimate {
        Estimate {
            low: Size(self.low.0.saturating_sub(other.high.0)),
            likely: Size(self.likely.0.saturating_sub(other.likely.0)),
            high: Size(self.high.0.saturating_sub(other.low.0)),
            basis: self.basis.max(other.basis),
            source: self.source.clone(),
        }
    }

    /// `79.9 MB` for a figure of a table or a measurement, `about 80 MB` otherwise.
    pub fn words(&self) -> String {
        if self.basis.is_plain() { self.bare() } else { format!("about {}", self.bare()) }
    }

    /// The words of a figure of which a part may be missing: `at least 80 MB` where it is.
    pub fn words_of(&self, incomplete: bool) -> String {
        if incomplete { format!("at least {}", self.bare()) } else { self.words() }
    }

    /// `79.9 MB` for a figure of a table or a measurement, `≈ 80 MB` otherwise: for places with little room.
    pub fn brief(&self) -> String {
        if self.basis.is_plain() { self.bare() } else { format!("≈ {}", self.bare()) }
    }

    /// The same of a figure of which a part may be missing: `≥ 80 MB` where it is.
    pub fn brief_of(&self, incomplete: bool) -> String {
        if incomplete { format!("≥ {}", self.bare()) } else { self.brief() }
    }

    /// As many digits as it deserves.
    fn bare(&self) -> String {
        if self.basis.is_plain() { self.likely.to_string() } else { rounded(self.likely) }
    }
}

/// `1.15 GB → 260 MB`, with `about` in front where one of the figures is no exact one.
pub fn change(before: &Estimate, after: &Estimate) -> String {
    let about = if before.basis.is_plain() && after.basis.is_plain() { "" } else { "about " };
    format!("{about}{} → {}", before.bare(), after.bare())
}

impl AddAssign<&Estimate> for Estimate {
    fn add_assign(&mut self, other: &Estimate) {
        self.low = self.low + other.low;
        self.likely = self.likely + other.likely;
        self.high = self.high + other.high;
        self.basis = self.basis.max(other.basis);
        if self.source.is_empty() {
            self.source.clone_from(&other.source);
        }
    }
}

/// The size with two significant digits: what an estimate deserves.
pub fn rounded(size: Size) -> String {
    let bytes = size.0;
    let Some(digits) = bytes.checked_ilog10() else { return size.to_string() };
    let step = 10u64.pow(digits.saturating_sub(1));
    let value = (bytes + step / 2) / step * step;
    let (whole, unit) = match value {
        0..1_000 => return format!("{value} B"),
        1_000..1_000_000 => (1_000, "kB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    if value < 10 * whole && !value.is_multiple_of(whole) {
        return format!("{:.1} {unit}", value as f64 / whole as f64);
    }
    format!("{} {unit}", value / whole)
}

#[cfg(test)]
mod tests {
    use super::{Basis, Estimate, Size, rounded};

    #[test]
    fn sizes_are_decimal_with_three_digits() {
        let shown = |bytes| Size(bytes).to_string();
        assert_eq!(shown(999), "999 B");
        assert_eq!(shown(79_886_805), "79.9 MB");
        assert_eq!(shown(408_183_853), "408 MB");
        assert_eq!(shown(1_130_000_000), "1.13 GB");
        assert_eq!(shown(999_600_000), "1.00 GB");
    }

    #[test]
    fn estimates_have_two_digits() {
        assert_eq!(rounded(Size(19_852_735)), "20 MB");
        assert_eq!(rounded(Size(1_090_000_000)), "1.1 GB");
        assert_eq!(rounded(Size(996_000_000)), "1 GB");
        assert_eq!(rounded(Size(7)), "7 B");
        assert_eq!(rounded(Size(0)), "0 B");
    }

    #[test]
    fn an_estimate_is_never_shown_as_a_plain_figure() {
        let shown = |basis| Estimate::exact(79_886_805, basis, "").brief();
        assert_eq!((shown(Basis::Table), shown(Basis::Recipe)), ("79.9 MB".to_owned(), "≈ 80 MB".to_owned()));
    }

    #[test]
    fn a_sum_is_as_weak_as_its_weakest_part() {
        let mut sum = Estimate::exact(10, Basis::Table, "");
        sum += &Estimate::between(1, 2, 3, Basis::Recipe, "closure");
        assert_eq!((sum.low, sum.likely, sum.high, sum.basis), (Size(11), Size(12), Size(13), Basis::Recipe));
    }
}

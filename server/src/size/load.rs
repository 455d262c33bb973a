//! The weight of a part of a layer: its files unpacked, and what they are when the layer is pulled.
//!
//! **Invariant:** what is pulled has a basis of its own: of the same files one may be counted and the other guessed.

use std::ops::AddAssign;

use crate::packages::{APT_LISTS, APT_LISTS_PULL};
use crate::weight::{Basis, Estimate, Size};

/// Files unpacked and compressed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Load {
    /// The bytes of the files.
    pub(super) disk: Estimate,
    /// The bytes of the layer as it is pushed and pulled.
    pub(super) pull: Estimate,
}

/// Which share of the unpacked bytes is pulled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Squeeze {
    low: f64,
    likely: f64,
    high: f64,
}

/// Debian packages: 28 measured layers (`server/data/README.md`).
pub(super) const PACKAGES: Squeeze = Squeeze { low: 0.31, likely: 0.35, high: 0.43 };
/// Modules of Node.js: ten measured sets of packages.
pub(super) const MODULES: Squeeze = Squeeze { low: 0.19, likely: 0.28, high: 0.36 };
/// Packages of Python with their compiled files: fourteen measured sets.
pub(super) const WHEELS: Squeeze = Squeeze { low: 0.27, likely: 0.32, high: 0.67 };
/// The cache of npm, which is compressed already: ten measured ones.
pub(super) const NPM_CACHE: Squeeze = Squeeze { low: 0.25, likely: 0.35, high: 0.68 };
/// Archives that do not shrink any further.
pub(super) const ARCHIVES: Squeeze = Squeeze { low: 0.95, likely: 1.0, high: 1.0 };
/// Files of which nothing is known: text shrinks to a fifth, what is compressed already not at all.
pub(super) const ANYTHING: Squeeze = Squeeze { low: 0.15, likely: 0.35, high: 1.0 };

impl Load {
    /// Files whose share of a pull is this.
    pub(super) fn of(disk: Estimate, squeeze: Squeeze) -> Load {
        let share = |size: Size, share: f64| (size.0 as f64 * share) as u64;
        let pull = Estimate::between(
            share(disk.low, squeeze.low),
            share(disk.likely, squeeze.likely),
            share(disk.high, squeeze.high),
            disk.basis.max(Basis::Recipe),
            disk.source.clone(),
        );
        Load { disk, pull }
    }

    /// Counted files of the build context. How far they shrink is a guess: their kinds are not looked at.
    pub(super) fn files(bytes: u64) -> Load {
        let mut res = Load::of(Estimate::exact(bytes, Basis::Context, ""), ANYTHING);
        res.pull.basis = Basis::Guess;
        res
    }

    /// A typical range.
    pub(super) fn guess(low: u64, likely: u64, high: u64, squeeze: Squeeze) -> Load {
        Load::of(Estimate::between(low, likely, high, Basis::Guess, ""), squeeze)
    }

    /// The lists of `apt-get update`, whose unpacked weight is this.
    pub(super) fn lists(disk: Estimate) -> Load {
        let share = APT_LISTS_PULL as f64 / APT_LISTS as f64;
        Load::of(disk, Squeeze { low: 0.2, likely: share, high: share })
    }

    /// What remains without a part of it.
    pub(super) fn without(&self, part: &Load) -> Load {
        Load { disk: self.disk.minus(&part.disk), pull: self.pull.minus(&part.pull) }
    }
}

impl AddAssign<&Load> for Load {
    fn add_assign(&mut self, other: &Load) {
        self.disk += &other.disk;
        self.pull += &other.pull;
    }
}

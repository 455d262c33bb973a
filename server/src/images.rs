//! What is known about base images: sizes, traits, slimmer counterparts, end of life.
//!
//! The embedded tables (`server/data`) are searched in place; what a registry said comes on top.
//! **Invariant:** an image that no table knows is `None`, never a guess.

use crate::date::Date;
use crate::model::{ImageRef, Platform};
use crate::weight::Estimate;

/// Everything known about images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageBook {}

/// The figures of an image for one platform.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageFacts {
    /// What a cold pull moves: compressed layers.
    pub pull: Option<Estimate>,
    /// What the layers hold unpacked.
    pub unpacked: Option<Estimate>,
    /// How many layers.
    pub layers: Option<u32>,
    /// The platform the figures are of.
    pub platform: Platform,
    /// The day of the figures (of the image), as the table has it: a day, a month or a year.
    pub date: String,
    /// The tag the figures were taken from, when it is not the one that was asked for.
    pub via: Option<String>,
}

/// What kind of image it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traits {
    /// `debian`, `debian12`, `alpine`, `ubuntu`, `scratch` … as the table says.
    pub distro: String,
    /// `glibc`, `musl`, `none`.
    pub libc: String,
    /// Whether `/bin/sh` is there.
    pub has_shell: bool,
    /// `apt`, `apk`, `dnf`, `none` …
    pub package_manager: String,
    /// `root`, or the user or number the image runs as; `None` where not known.
    pub default_user: Option<String>,
    /// `node`, `python`, `go` …; `None` for a distribution.
    pub runtime: Option<String>,
    /// Remarks of the table.
    pub note: String,
    /// Whether the row was checked (else it is general knowledge).
    pub checked: bool,
}

/// A slimmer image that does the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Counterpart {
    /// As the user would write it (`node:20-slim`).
    pub image: ImageRef,
    /// Its figures.
    pub facts: ImageFacts,
    /// Its traits, where known.
    pub traits: Option<Traits>,
}

/// When support of something ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndOfLife {
    /// `Node.js 18`, `Debian 10 (buster)`.
    pub name: String,
    /// The day; `None` when it is over but the day is not known.
    pub date: Option<Date>,
    /// The oldest version that is still supported on that day, if the table tells (`22`).
    pub supported: Option<String>,
    /// The piece of the tag that names the version (`18`), as a byte range of the tag.
    pub in_tag: std::ops::Range<usize>,
}

impl ImageBook {
    /// The embedded tables alone.
    pub fn embedded() -> ImageBook {
        ImageBook {}
    }

    /// The figures of an image: exact row, alias, or nearest relative (which `via` names).
    pub fn look_up(&self, _image: &ImageRef, _platform: &Platform) -> Option<ImageFacts> {
        None
    }

    /// What kind of image it is.
    pub fn traits(&self, _image: &ImageRef) -> Option<Traits> {
        None
    }

    /// Slimmer images of the same version that exist, best first by the table's order, with their figures.
    pub fn counterparts(&self, _image: &ImageRef, _platform: &Platform) -> Vec<Counterpart> {
        Vec::new()
    }

    /// Runtime or distribution of this image whose support has ended on `today`.
    pub fn ended(&self, _image: &ImageRef, _today: Date) -> Option<EndOfLife> {
        None
    }
}

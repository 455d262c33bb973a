//! What is known about base images: sizes, traits, slimmer counterparts, end of life.
//!
//! The embedded tables (`server/data`) are searched in place.
//! **Invariant:** an image that no table knows is `None`, never a guess, and no figure is shown without its day.

pub mod answers;
mod counterparts;
mod ended;
pub mod environment;
mod figures;
mod kinds;
mod known;
pub mod newer;
mod ratio;
mod repository;
mod tag;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use crate::date::Date;
use crate::images::answers::Answers;
use crate::images::known::Known;
use crate::images::newer::Newer;
use crate::images::tag::{Tag, named, stored};
use crate::memo::Memo;
use crate::model::{ImageRef, Platform};
use crate::packages::{AptClosure, apt_closure};
use crate::table::{Derived, Kind, Section, Table, column};
use crate::weight::Estimate;

/// Everything known about images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageBook {
    /// What registries said: it goes before every table.
    answers: Arc<Answers>,
    /// A table whose rows count where they are newer than the embedded ones.
    newer: Arc<Newer>,
    /// What was looked up in them already.
    known: Memo<HashMap<ImageRef, Known>>,
}

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
    /// The image the figures were taken from, as the user would write it (`node:20-bookworm`), when it is not the one
    /// that was asked for.
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
    /// Debian packages that the image brings above its distribution, as far as they are known: what apt would install
    /// of them adds nothing (completed by [`ImageBook::packages`]).
    pub packages: Vec<String>,
    /// Remarks of the table.
    pub note: String,
    /// Whether the row was checked (else it is general knowledge).
    pub checked: bool,
}

/// A slimmer image of the same version.
#[derive(Clone, Debug, PartialEq)]
pub struct Counterpart {
    /// As the user would write it (`node:20-slim`).
    pub image: ImageRef,
    /// Its figures.
    pub facts: ImageFacts,
    /// Its traits, where known.
    pub traits: Option<Traits>,
    /// Whether it is another tag of the same repository; else it is an image that only runs what this one builds.
    pub same_repository: bool,
}

/// Whether volunteers serve a release when the project itself does no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LongSupport {
    /// Nobody did: its last day was its last.
    None,
    /// Debian LTS does: regular security support alone is over.
    GoesOn,
    /// Debian LTS did, and is over too.
    Over,
}

/// Support of a runtime or distribution that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndOfLife {
    /// `Node.js 18`, `Debian 10 (buster)`.
    pub name: String,
    /// The day; `None` when it is over but the day is not known.
    pub date: Option<Date>,
    /// The oldest later version that is still supported on that day, one with long support where there is one (`22`).
    pub supported: Option<String>,
    /// Who serves it after that day.
    pub lts: LongSupport,
    /// The piece of the tag that names the version (`18`), as a byte range of the tag; the whole tag where it names
    /// another thing whose table row tells.
    pub in_tag: std::ops::Range<usize>,
}

impl ImageBook {
    /// The embedded tables alone, brought into memory: some tenths of a millisecond in which the first look-up need not wait.
    pub fn embedded() -> ImageBook {
        TABLE.touch();
        let res = ImageBook::default();
        known::make_room(&res.known);
        // The code of a look-up is brought near like the table: for a row of its own, the row that was found to be nearest
        // when the table was written, and one that is looked for.
        for name in ["python:3-slim", "node:18", "golang:1.0-alpine"] {
            std::hint::black_box(ImageRef::parse(name).and_then(|image| res.look_up(&image, &Platform::default())));
        }
        res
    }

    /// The same tables with these answers of registries.
    pub fn with_answers(&self, answers: Arc<Answers>) -> ImageBook {
        ImageBook { answers, newer: Arc::clone(&self.newer), known: Memo::default() }
    }

    /// The same answers with this newer table.
    pub fn with_newer(&self, newer: Arc<Newer>) -> ImageBook {
        ImageBook { answers: Arc::clone(&self.answers), newer, known: Memo::default() }
    }

    /// What registries said.
    pub fn answers(&self) -> &Arc<Answers> {
        &self.answers
    }

    /// The table whose rows count where they are newer.
    pub fn newer(&self) -> &Arc<Newer> {
        &self.newer
    }

    /// The figures of an image: a registry's answer, the row of the newer table, the embedded table's exact row, alias, or
    /// nearest relative (which `via` names).
    pub fn look_up(&self, image: &ImageRef, platform: &Platform) -> Option<ImageFacts> {
        let found = || {
            if let Some(answer) = self.answers.get(image, platform) {
                return Some(figures::answered(TABLE, image, platform, answer));
            }
            let embedded = figures::of(TABLE, image, platform);
            figures::newer(TABLE, &self.newer, image, platform, embedded.as_ref()).or(embedded)
        };
        known::ask(&self.known, image, |known| known::of_platform(&mut known.figures, platform, found))
    }

    /// The tags of the embedded table that still move: those of official images that the list of these has, by whole
    /// name and in the order of the table.
    pub fn moving_tags(&self) -> Vec<ImageRef> {
        figures::moving_tags(TABLE)
    }

    /// What kind of image it is.
    pub fn traits(&self, image: &ImageRef) -> Option<Arc<Traits>> {
        known::ask(&self.known, image, |known| {
            known.traits.get_or_insert_with(|| kinds::of(TABLE, image).map(Arc::new)).clone()
        })
    }

    /// The Debian packages that an image brings above its distribution, with all they need, as far as the tables know.
    pub fn packages(&self, image: &ImageRef) -> Option<Arc<AptClosure>> {
        let traits = self.traits(image)?;
        let found = || {
            let names: Vec<&str> = traits.packages.iter().map(String::as_str).collect();
            (!names.is_empty()).then(|| Arc::new(apt_closure(&names, false)))
        };
        known::ask(&self.known, image, |known| known.packages.get_or_insert_with(found).clone())
    }

    /// Slimmer images of the same version that exist and are smaller by known figures: slim ones with the same C library
    /// first, then images without a shell, then those with another C library.
    pub fn counterparts(&self, image: &ImageRef, platform: &Platform) -> Vec<Counterpart> {
        let found = || counterparts::of(TABLE, image, platform);
        known::ask(&self.known, image, |known| known::of_platform(&mut known.counterparts, platform, found))
    }

    /// The tag of the slim image of the same version, suite and repository (`node:20` → `20-slim`, `python:3.11-bookworm`
    /// → `3.11-slim-bookworm`), if there is one; for [`ImageRef::with_tag`].
    pub fn slim_tag(&self, image: &ImageRef) -> Option<String> {
        counterparts::slim_tag(TABLE, image)
    }

    /// Whether a table knows this very tag of the repository.
    pub fn has_tag(&self, image: &ImageRef) -> bool {
        image.tag.as_deref().is_some_and(|tag| repository::Repository::of(image).has(TABLE, tag))
    }

    /// Runtime or, where that is supported, distribution of this image whose support has ended on `today`.
    pub fn ended(&self, image: &ImageRef, today: Date) -> Option<EndOfLife> {
        ended::of(TABLE, image, today)
    }
}

/// The embedded table.
pub const TABLE: Table<'static> = Table::new(include_bytes!("../data/images.bin"));

/// The day the tables were made: a figure is old or new as seen from it (the core has no clock).
const TABLE_DAY: Date = Date { year: 2026, month: 11, day: 20 };

/// The files of the table. `server/data/README.md` says what their columns mean.
pub const SCHEMA: &[Section] = &[
    Section {
        file: BASES,
        key: 3,
        columns: &[
            ("repository", Kind::Text),
            ("tag", Kind::Text),
            ("platform", Kind::Text),
            ("compressed_bytes", Kind::Number),
            ("uncompressed_bytes", Kind::Number),
            ("uncompressed_kind", Kind::Text),
            ("layers", Kind::Number),
            ("date", Kind::Text),
            ("source", Kind::Text),
        ],
        derived: &[
            ("tag_kind", Derived::Text(1, |tag| Tag::parse(tag).kind())),
            ("tag_major", Derived::Text(1, |tag| stored(Tag::parse(tag).numbers[0]))),
            ("tag_minor", Derived::Text(1, |tag| stored(Tag::parse(tag).numbers[1]))),
            ("tag_patch", Derived::Text(1, |tag| stored(Tag::parse(tag).numbers[2]))),
            ("tag_distro", Derived::Text(1, |tag| named(Tag::parse(tag).distro))),
            ("tag_words", Derived::Text(1, |tag| Tag::parse(tag).words_mark())),
            ("listed", Derived::Row(figures::listed)),
            ("ratio", Derived::Row(ratio::of_row)),
        ],
    },
    Section {
        file: OFFICIAL,
        key: 2,
        columns: &[("repository", Kind::Text), ("tag", Kind::Text), ("last_seen", Kind::Text), ("distro", Kind::Text)],
        derived: &[
            ("relative_amd64", Derived::Row(|table, row| figures::relative(table, row, "amd64"))),
            ("relative_arm64", Derived::Row(|table, row| figures::relative(table, row, "arm64"))),
        ],
    },
    Section {
        file: KINDS,
        key: 1,
        columns: &[
            ("repository", Kind::Text),
            ("tags", Kind::Text),
            ("distro", Kind::Text),
            ("libc", Kind::Text),
            ("has_shell", Kind::Number),
            ("package_manager", Kind::Text),
            ("default_user", Kind::Text),
            ("runtime", Kind::Text),
            ("smaller_counterparts", Kind::Text),
            ("packages", Kind::Text),
            ("checked", Kind::Text),
            ("note", Kind::Text),
        ],
        derived: &[],
    },
    Section {
        file: CYCLES,
        key: 1,
        columns: &[
            ("product", Kind::Text),
            ("cycle", Kind::Text),
            ("codename", Kind::Text),
            ("released", Kind::Text),
            ("eol", Kind::Text),
            ("lts", Kind::Text),
        ],
        derived: &[],
    },
    Section {
        file: RATIOS,
        key: 2,
        columns: &[
            ("repository", Kind::Text),
            ("variant", Kind::Text),
            ("era", Kind::Text),
            ("n", Kind::Number),
            ("median", Kind::Text),
            ("p10", Kind::Text),
            ("p90", Kind::Text),
        ],
        derived: &[],
    },
];

const BASES: &str = "base-images.tsv";
const OFFICIAL: &str = "official-tags.tsv";
const KINDS: &str = "image-traits.tsv";
const CYCLES: &str = "eol.tsv";
const RATIOS: &str = "size-ratios.tsv";

/// The place of a column of these files.
const fn at(file: &str, name: &str) -> usize {
    column(SCHEMA, file, name)
}

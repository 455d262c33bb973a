//! The figures of an image: its own row, or the row of its nearest relative, and how far they can be trusted.
//!
//! How much a tag drifts and how well a relative stands in was measured (`server/data/README.md`, "How far to trust").

use std::cell::RefCell;
use std::ops::Range;

use crate::date::Date;
use crate::images::answers::Answer;
use crate::images::newer::Newer;
use crate::images::ratio::Ratio;
use crate::images::repository::Repository;
use crate::images::tag::{Tag, named, stored};
use crate::images::{BASES, ImageFacts, OFFICIAL, TABLE_DAY, at, ended};
use crate::model::{ImageRef, Platform};
use crate::table::{Cells, Table, Texts, partition};
use crate::weight::{Basis, Estimate};

const REPOSITORY: usize = at(BASES, "repository");
const TAG: usize = at(BASES, "tag");
const PLATFORM: usize = at(BASES, "platform");
const COMPRESSED: usize = at(BASES, "compressed_bytes");
const UNCOMPRESSED: usize = at(BASES, "uncompressed_bytes");
const TAG_KIND: usize = at(BASES, "tag_kind");
const TAG_MAJOR: usize = at(BASES, "tag_major");
const TAG_MINOR: usize = at(BASES, "tag_minor");
const TAG_PATCH: usize = at(BASES, "tag_patch");
const TAG_DISTRO: usize = at(BASES, "tag_distro");
const TAG_WORDS: usize = at(BASES, "tag_words");
const LISTED: usize = at(BASES, "listed");
const RATIO: usize = at(BASES, "ratio");
const UNCOMPRESSED_KIND: usize = at(BASES, "uncompressed_kind");
const LAYERS: usize = at(BASES, "layers");
const DATE: usize = at(BASES, "date");
const SOURCE: usize = at(BASES, "source");

const OFFICIAL_REPOSITORY: usize = at(OFFICIAL, "repository");
const OFFICIAL_TAG: usize = at(OFFICIAL, "tag");
const LAST_SEEN: usize = at(OFFICIAL, "last_seen");
const OFFICIAL_DISTRO: usize = at(OFFICIAL, "distro");
const RELATIVE_AMD64: usize = at(OFFICIAL, "relative_amd64");
const RELATIVE_ARM64: usize = at(OFFICIAL, "relative_arm64");

/// The figures of an image for a platform.
pub(super) fn of(table: Table, image: &ImageRef, platform: &Platform) -> Option<ImageFacts> {
    let tag = Tag::parse(image.tag_or_latest()?);
    if platform.os != "linux" || tag.windows {
        return None;
    }
    let repository = Repository::of(image);
    let arch = repository.arch.unwrap_or(&platform.arch);
    let found = find(table, repository, tag, arch)?;
    let trust = trust(table, repository, found).with_digest(image.digest.is_some());
    Some(facts(table, image, found, trust))
}

/// The figures that a registry's answer gives: what is pulled as it said, what that is unpacked by the usual ratio. A
/// digest alone does not tell of which variant it is, and so of no ratio.
pub(super) fn answered(table: Table, image: &ImageRef, platform: &Platform, answer: &Answer) -> ImageFacts {
    let date = answer.asked.to_string();
    let source = format!("registry, {date}");
    let tag = image.tag_or_latest().map(Tag::parse);
    let ratio = tag.and_then(|tag| Ratio::of(table, Repository::of(image).id(table), tag.variant, &date));
    let trust = Trust { basis: Basis::Relative, percent: 0 };
    ImageFacts {
        unpacked: ratio.map(|ratio| ratio.unpacked(answer.pull as f64, trust, format!("{source}, by the usual ratio"))),
        pull: Some(Estimate::exact(answer.pull, Basis::Registry, source)),
        layers: Some(answer.layers),
        platform: platform.clone(),
        date,
        via: None,
    }
}

/// The figures of the row that the newer table has for an image, unless the embedded ones are as new.
pub(super) fn newer(
    table: Table,
    newer: &Newer,
    image: &ImageRef,
    platform: &Platform,
    embedded: Option<&ImageFacts>,
) -> Option<ImageFacts> {
    if newer.0.is_empty() {
        return None;
    }
    let text = image.tag_or_latest()?;
    let repository = Repository::of(image);
    let asked = Platform { arch: repository.arch.unwrap_or(&platform.arch).to_owned(), ..platform.clone() };
    let row = newer.row(&repository.pieces.concat(), text, &asked.to_string())?;
    let is_own = |facts: &&ImageFacts| facts.via.is_none() && facts.platform == asked;
    if embedded.filter(is_own).is_some_and(|facts| facts.date >= row.date) {
        return None;
    }
    let trust = Trust { basis: Basis::Table, percent: 0 }.with_digest(image.digest.is_some());
    let source = if image.digest.is_some() { "as the tag, table of" } else { "table," };
    let source = format!("{source} {}", row.date);
    let (compressed, uncompressed) = (row.compressed.map(|it| it as f64), row.uncompressed.map(|it| it as f64));
    let ratio = Ratio::of(table, repository.id(table), Tag::parse(text).variant, &row.date);
    let exact = |bytes: f64| trust.estimate(bytes, bytes, bytes, source.clone());
    let modelled = trust.at_best(Basis::Relative, 0);
    let by_ratio = |bytes: f64| Some(ratio?.unpacked(bytes, modelled, format!("{source}, by the usual ratio")));
    Some(ImageFacts {
        pull: compressed.map(exact),
        unpacked: uncompressed.map(exact).or_else(|| by_ratio(compressed?)),
        layers: row.layers,
        platform: asked,
        date: row.date.clone(),
        via: None,
    })
}

/// The tags of official images that have a row and are still in the list of these.
pub(super) fn moving_tags(table: Table) -> Vec<ImageRef> {
    let mut res: Vec<ImageRef> = Vec::new();
    for row in 0..table.rows(REPOSITORY) {
        let (repository, tag) = (table.text(REPOSITORY, row), table.text(TAG, row));
        let Some(image) = ImageRef::parse(&format!("{repository}:{tag}")) else { continue };
        let listed = table.number(LISTED, row).map(|row| row as usize);
        let is_new = res.last().is_none_or(|last| last.text != image.text);
        if is_new && listed.is_some_and(|row| table.text(LAST_SEEN, row).is_empty()) {
            res.push(image);
        }
    }
    res
}

/// A row and how it is related to what was asked for.
#[derive(Clone, Copy, Debug)]
struct Found {
    row: usize,
    kin: Kin,
    /// The row is of the platform that was asked for.
    same_platform: bool,
    /// The row is of the same repository.
    same_repository: bool,
}

/// How a row is related to a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kin {
    /// It is the row of the tag.
    Own,
    /// Another name of the same image: `node:20` and `node:20-bookworm`.
    Alias,
    /// A near version of the same kind.
    Near,
    /// The same kind, with another companion (`maven` with another JDK), or some versions away.
    Cousin,
    /// Something else of the same repository and variant.
    Far,
}

fn find(table: Table, repository: Repository, tag: Tag, arch: &str) -> Option<Found> {
    let (id, same_repository) = match repository.id(table).filter(|id| !table.rows_of(REPOSITORY, &[*id]).is_empty()) {
        Some(id) => (id, true),
        None => (table.id(&repository.successor()?)?, false),
    };
    let platform = table.id(&["linux/", arch]);
    let text = table.id(&[tag.text]);
    let own = |platform: u32| table.rows_of(REPOSITORY, &[id, text?, platform]).next();
    if let Some(row) = platform.and_then(own) {
        return Some(Found { row, kin: Kin::Own, same_platform: true, same_repository });
    }
    let amd64 = table.id(&["linux/amd64"])?;
    if let Some(row) = own(amd64) {
        return Some(Found { row, kin: Kin::Own, same_platform: false, same_repository });
    }
    let listed = repository.official_row(table, tag.text);
    // The distribution of a tag: as it says, or as the list of official images says.
    let distro = tag.distro.or_else(|| listed.map(|row| table.text(OFFICIAL_DISTRO, row)));
    let wanted = Wanted { tag, distro: distro.filter(|text| !text.is_empty()), platform, amd64 };
    let column = match arch {
        "amd64" => Some(RELATIVE_AMD64),
        "arm64" => Some(RELATIVE_ARM64),
        _ => None,
    };
    let worked_out = || table.number(column?, listed?).map(|row| row as usize);
    let again = |row: usize| Some((row, kin(wanted, Shapes::of(table, wanted).distance(row)?)));
    let (row, kin) = worked_out().and_then(again).or_else(|| nearest(table, id, wanted))?;
    let same_platform = table.cell(PLATFORM, row) == platform;
    Some(Found { row, kin, same_platform, same_repository })
}

/// For the table: one more than the row of this tag in the list of official images; 0 where it is not in it.
pub(super) fn listed(table: Table, row: usize) -> u32 {
    let name = format!("{}:{}", table.text(REPOSITORY, row), table.text(TAG, row));
    let listed = ImageRef::parse(&name).and_then(|it| Repository::of(&it).official_row(table, it.tag_or_latest()?));
    stored(listed.and_then(|row| u32::try_from(row).ok()))
}

/// For the table: one more than the row that is nearest to this listed tag; 0 where it has a row of its own, or where
/// nothing is near.
pub(super) fn relative(table: Table, listed: usize, arch: &str) -> u32 {
    let name = format!("{}:{}", table.text(OFFICIAL_REPOSITORY, listed), table.text(OFFICIAL_TAG, listed));
    let Some(image) = ImageRef::parse(&name) else { return 0 };
    let tag = image.tag_or_latest().map(Tag::parse).filter(|tag| !tag.windows);
    let found = tag.and_then(|tag| find(table, Repository::of(&image), tag, arch));
    found.filter(|found| found.kin != Kin::Own).map_or(0, |found| stored(u32::try_from(found.row).ok()))
}

#[derive(Clone, Copy)]
struct Wanted<'a> {
    tag: Tag<'a>,
    distro: Option<&'a str>,
    platform: Option<u32>,
    amd64: u32,
}

/// How far a row is from what is wanted, the weightiest first. Words: 0 the same, 1 the same but for numbers in them.
type Distance = (u32, u32, u32, bool, u32, u32);

/// The row of the repository that is nearest, looked for among the tags that begin alike before all others.
fn nearest(table: Table, repository: u32, wanted: Wanted) -> Option<(usize, Kin)> {
    let rows = table.rows_of(REPOSITORY, &[repository]);
    let tags = table.texts(TAG);
    let dates = table.cells(DATE);
    let shapes = Shapes::of(table, wanted);
    let version = wanted.tag.version;
    let dots = |count: usize| version.match_indices('.').nth(count).map(|(dot, _)| &version[..dot]);
    let digits = version.find(|it: char| !it.is_ascii_digit()).and_then(|end| version.get(..end));
    for prefix in [dots(1), dots(0).or(digits).or(Some(version)), Some("")].into_iter().flatten() {
        let rows = rows_beginning(tags, rows.clone(), prefix);
        let near = rows.filter_map(|row| Some((shapes.distance(row)?, row)));
        // Of rows alike the younger one: it comes later when the tags grow, and its day is later.
        let best = near.min_by_key(|(distance, row)| (*distance, std::cmp::Reverse(dates.get(*row))));
        match best {
            Some((distance, row)) if prefix.is_empty() || (distance.0 == 0 && distance.1 == 0) => {
                return Some((row, kin(wanted, distance)));
            }
            _ => {}
        }
    }
    None
}

fn rows_beginning(tags: Texts, rows: Range<usize>, prefix: &str) -> Range<usize> {
    let head = |row: usize| {
        let tag = tags.get(row).as_bytes();
        tag.get(..prefix.len()).unwrap_or(tag)
    };
    let start = partition(rows.clone(), |row| head(row) < prefix.as_bytes());
    let end = partition(start..rows.end, |row| head(row) <= prefix.as_bytes());
    start..end
}

/// What the tags of all rows say, as numbers, beside what is wanted.
struct Shapes<'a> {
    wanted: Wanted<'a>,
    kind: u32,
    distro: u32,
    words: u32,
    tags: Texts<'a>,
    platforms: Cells<'a>,
    kinds: Cells<'a>,
    numbers: [Cells<'a>; 3],
    distros: Cells<'a>,
    words_of: Cells<'a>,
    /// How far words are from the wanted ones, by their number: a repository has few.
    apart: RefCell<Vec<(u32, u32)>>,
}

impl<'a> Shapes<'a> {
    fn of(table: Table<'a>, wanted: Wanted<'a>) -> Shapes<'a> {
        Shapes {
            wanted,
            kind: wanted.tag.kind(),
            distro: named(wanted.distro),
            words: wanted.tag.words_mark(),
            tags: table.texts(TAG),
            platforms: table.cells(PLATFORM),
            kinds: table.cells(TAG_KIND),
            numbers: [TAG_MAJOR, TAG_MINOR, TAG_PATCH].map(|column| table.cells(column)),
            distros: table.cells(TAG_DISTRO),
            words_of: table.cells(TAG_WORDS),
            apart: RefCell::default(),
        }
    }

    fn distance(&self, row: usize) -> Option<Distance> {
        if self.kinds.get(row) != self.kind {
            return None;
        }
        let platform = self.platforms.get(row);
        let other_platform = Some(platform) != self.wanted.platform;
        if other_platform && platform != self.wanted.amd64 {
            return None;
        }
        let number = |at: usize| apart(self.wanted.tag.numbers[at], self.numbers[at].get(row).checked_sub(1));
        let distro = match (self.distro, self.distros.get(row)) {
            (one, other) if one == other && one != 0 => 0,
            (1.., 1..) => 3,
            (_, 0) if self.wanted.tag.distro.is_none() => 0,
            _ => 1,
        };
        let words = match self.words_of.get(row) {
            words if words == self.words => 0,
            words => self.words_apart(words, row),
        };
        Some((words, number(0), distro, other_platform, number(1), number(2)))
    }

    fn words_apart(&self, words: u32, row: usize) -> u32 {
        let mut known = self.apart.borrow_mut();
        if let Some((_, apart)) = known.iter().find(|(of, _)| *of == words) {
            return *apart;
        }
        let res = words_apart(self.wanted.tag, Tag::parse(self.tags.get(row)));
        known.push((words, res));
        res
    }
}

/// How far two numbers of versions are from each other. A tag with fewer numbers moves: it is near the newest.
fn apart(wanted: Option<u32>, found: Option<u32>) -> u32 {
    match (wanted, found) {
        (Some(wanted), Some(found)) => wanted.abs_diff(found),
        (None, None) => 0,
        (Some(_), None) => 20,
        (None, Some(found)) => 1_000_u32.saturating_sub(found),
    }
}

/// How far the words of two tags are from each other, which are not the same.
fn words_apart(wanted: Tag, found: Tag) -> u32 {
    let bare = |word: &str| word.trim_matches(|it: char| it.is_ascii_digit() || it == '.').len();
    let alike = |(one, other): (&str, &str)| {
        bare(one) == bare(other) && one.bytes().zip(other.bytes()).take(bare(one)).all(|(one, other)| one == other)
    };
    let pairs = || wanted.words().iter().copied().zip(found.words().iter().copied());
    if wanted.words().len() == found.words().len() && pairs().all(alike) {
        return 1;
    }
    let missing = |one: Tag, other: Tag| one.words().iter().filter(|word| !other.words().contains(word)).count();
    2 + u32::try_from(missing(wanted, found) + missing(found, wanted)).unwrap_or(u32::MAX - 2)
}

fn kin(wanted: Wanted, (words, major, distro, _, minor, patch): Distance) -> Kin {
    let versioned = wanted.tag.numbers[0].is_some();
    match (words, major) {
        (0, 0) if distro == 0 && minor == 0 && patch == 0 => Kin::Alias,
        (0, 0) if versioned || distro < 3 => Kin::Near,
        (0, 1..=3) => Kin::Near,
        (0, 4..=6) | (1, 0..=3) => Kin::Cousin,
        _ => Kin::Far,
    }
}

/// What a figure is worth: its basis and by how many hundredths it may be off.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trust {
    basis: Basis,
    percent: u64,
}

impl Trust {
    fn at_best(self, basis: Basis, percent: u64) -> Trust {
        Trust { basis: self.basis.max(basis), percent: self.percent.max(percent) }
    }

    fn with_digest(self, digest: bool) -> Trust {
        if digest { self.at_best(Basis::Relative, 15) } else { self }
    }

    pub(super) fn estimate(self, low: f64, likely: f64, high: f64, source: String) -> Estimate {
        let part = self.percent as f64 / 100.0;
        let high = high * (1.0 + part);
        // A guess tells the order of magnitude: half to double.
        let low = if self.basis == Basis::Guess { low / (1.0 + part) } else { low * (1.0 - part) };
        Estimate::between(low as u64, likely as u64, high as u64, self.basis, source)
    }
}

fn trust(table: Table, repository: Repository, found: Found) -> Trust {
    let own = match table.text(SOURCE, found.row) {
        "drv" | "sib" => Trust { basis: Basis::Relative, percent: 15 },
        "rep" | "dnu" => Trust { basis: Basis::Relative, percent: 10 },
        _ => Trust { basis: Basis::Table, percent: 0 },
    };
    let drift = drift(table, repository, found.row);
    let kin = match found.kin {
        Kin::Own | Kin::Alias => Trust { basis: Basis::Table, percent: 0 },
        Kin::Near => Trust { basis: Basis::Relative, percent: 15 },
        Kin::Cousin => Trust { basis: Basis::Relative, percent: 30 },
        Kin::Far => Trust { basis: Basis::Guess, percent: 60 },
    };
    let res = own.at_best(drift.basis, drift.percent).at_best(kin.basis, kin.percent);
    if found.same_platform && found.same_repository { res } else { res.at_best(Basis::Relative, 15) }
}

/// What the time between the figure and the last build of its tag does to it.
fn drift(table: Table, repository: Repository, row: usize) -> Trust {
    let tag = table.text(TAG, row);
    let Some(day) = last_day(table.text(DATE, row)) else { return Trust { basis: Basis::Guess, percent: 100 } };
    let last_seen = table.number(LISTED, row).map(|row| table.text(LAST_SEEN, row as usize));
    let tag = Tag::parse(tag);
    let last_build = match last_seen.map(Date::parse) {
        Some(Some(left_the_list)) => left_the_list,
        Some(None) => TABLE_DAY,
        // What is not in the list is a patch level, which is built for some weeks, or a repository of its own.
        None if tag.numbers[2].is_some() || tag.dated => day,
        None => ended::last_day(table, repository, tag).filter(|end| *end < TABLE_DAY).unwrap_or(TABLE_DAY),
    };
    let moves = last_build == TABLE_DAY;
    // Tags moved by 5 % a year, and by 15 % with a new suite under them, which one that names its suite has not.
    let years = Trust { basis: Basis::Relative, percent: if tag.distro.is_some() { 10 } else { 15 } };
    match last_build.unix_days() - day.unix_days() {
        ..=60 => Trust { basis: Basis::Table, percent: 0 },
        61..=366 => Trust { basis: Basis::Table, percent: 5 },
        367..=731 => years,
        _ if moves => Trust { basis: Basis::Guess, percent: 100 },
        _ => years,
    }
}

/// The day of a figure; of a month its last, of a year its middle.
fn last_day(text: &str) -> Option<Date> {
    let day = Date::parse(text)?;
    Some(match text.len() {
        4 => Date { month: 7, ..day },
        7 => Date { day: 28, ..day },
        _ => day,
    })
}

fn facts(table: Table, image: &ImageRef, found: Found, trust: Trust) -> ImageFacts {
    let row = found.row;
    let date = table.text(DATE, row).to_owned();
    let tag = table.text(TAG, row);
    let platform = table.text(PLATFORM, row);
    let via = match found.same_repository {
        false => Some(format!("{}:{tag}", table.text(REPOSITORY, row))),
        true => (found.kin != Kin::Own).then(|| image.with_tag(tag)),
    };
    let source = match (&via, found.same_platform) {
        (None, true) if image.digest.is_none() => format!("table, {date}"),
        (None, true) => format!("as the tag, table of {date}"),
        (Some(via), true) => format!("as {via}, table of {date}"),
        (None, false) => format!("as {platform}, table of {date}"),
        (Some(via), false) => format!("as {via} on {platform}, table of {date}"),
    };
    let compressed = table.number(COMPRESSED, row).map(f64::from);
    let uncompressed = table.number(UNCOMPRESSED, row).map(f64::from);
    let ratio = table.number(RATIO, row).and_then(|row| Ratio::at(table, row as usize, &date));
    let near_build = table.text(UNCOMPRESSED_KIND, row) == "n";
    let modelled = trust.at_best(Basis::Relative, 0);
    let by_ratio = || format!("{source}, by the usual ratio");
    let pull = match (compressed, uncompressed, &ratio) {
        (Some(bytes), _, _) => Some(trust.estimate(bytes, bytes, bytes, source.clone())),
        (None, Some(bytes), Some(ratio)) => {
            let (low, likely, high) = (bytes / ratio.high, bytes / ratio.likely, bytes / ratio.low);
            Some(modelled.estimate(low, likely, high, by_ratio()))
        }
        (None, _, _) => None,
    };
    let unpacked = match (uncompressed, compressed, &ratio) {
        (Some(bytes), _, _) => {
            let trust = if near_build { trust.at_best(Basis::Relative, 10) } else { trust };
            Some(trust.estimate(bytes, bytes, bytes, source.clone()))
        }
        (None, Some(bytes), Some(ratio)) => Some(ratio.unpacked(bytes, modelled, by_ratio())),
        (None, _, _) => None,
    };
    let layers = table.number(LAYERS, row).filter(|_| matches!(found.kin, Kin::Own | Kin::Alias));
    let platform = Platform::parse(platform).unwrap_or_default();
    ImageFacts { pull, unpacked, layers, platform, date, via }
}

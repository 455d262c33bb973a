//! Which version of a runtime or distribution an image has, and whether its support is over.
//!
//! **Invariant:** silent where the date may still move, where a vendor supports for longer, and where no version is known.

use std::ops::Range;

use crate::date::Date;
use crate::images::repository::Repository;
use crate::images::tag::Tag;
use crate::images::{CYCLES, EndOfLife, OFFICIAL, at};
use crate::model::ImageRef;
use crate::table::Table;

const PRODUCT: usize = at(CYCLES, "product");
const CYCLE: usize = at(CYCLES, "cycle");
const CODENAME: usize = at(CYCLES, "codename");
const RELEASED: usize = at(CYCLES, "released");
const EOL: usize = at(CYCLES, "eol");
const LTS: usize = at(CYCLES, "lts");
const DISTRO: usize = at(OFFICIAL, "distro");

/// The day the dates were taken. Those that lay ahead then were plans, and plans slip.
const DATES_OF: Date = Date { year: 2026, month: 8, day: 22 };
/// How many days after a planned end we begin to speak.
const SLIP: i64 = 30;

/// The last day that the volunteers of Debian LTS serve a release (<https://wiki.debian.org/LTS>).
const LTS_ENDS: [(&str, Date); 7] = [
    ("7", Date { year: 2018, month: 5, day: 31 }),
    ("8", Date { year: 2020, month: 6, day: 30 }),
    ("9", Date { year: 2022, month: 6, day: 30 }),
    ("10", Date { year: 2024, month: 6, day: 30 }),
    ("11", Date { year: 2026, month: 8, day: 31 }),
    ("12", Date { year: 2028, month: 6, day: 30 }),
    ("13", Date { year: 2030, month: 6, day: 30 }),
];

/// Products of the table, which are named as their official image, and the name for people. Those whose every version ends when the next one comes (rust, traefik) are left out on purpose, and
/// `openjdk`, whose images ended long before its versions.
const PRODUCTS: [(&str, &str); 30] = [
    ("almalinux", "AlmaLinux"),
    ("alpine", "Alpine"),
    ("amazoncorretto", "Amazon Corretto"),
    ("amazonlinux", "Amazon Linux"),
    ("centos", "CentOS"),
    ("debian", "Debian"),
    ("dotnet", ".NET"),
    ("eclipse-temurin", "Eclipse Temurin"),
    ("elixir", "Elixir"),
    ("erlang", "Erlang/OTP"),
    ("fedora", "Fedora"),
    ("golang", "Go"),
    ("haproxy", "HAProxy"),
    ("httpd", "Apache httpd"),
    ("mariadb", "MariaDB"),
    ("memcached", "Memcached"),
    ("mongo", "MongoDB"),
    ("mysql", "MySQL"),
    ("nginx", "nginx"),
    ("node", "Node.js"),
    ("oraclelinux", "Oracle Linux"),
    ("perl", "Perl"),
    ("php", "PHP"),
    ("postgres", "PostgreSQL"),
    ("python", "Python"),
    ("rabbitmq", "RabbitMQ"),
    ("redis", "Redis"),
    ("rockylinux", "Rocky Linux"),
    ("ruby", "Ruby"),
    ("ubuntu", "Ubuntu"),
];

/// What has ended: the runtime, else the distribution.
pub(super) fn of(table: Table, image: &ImageRef, today: Date) -> Option<EndOfLife> {
    let tag = Tag::parse(image.tag.as_deref()?);
    let vendors = |word: &str| matches!(word, "els" | "esm" | "lts" | "eus") && !tag.version.is_empty();
    if tag.words().iter().copied().any(vendors) {
        return None;
    }
    let repository = Repository::of(image);
    runtime(table, repository, tag, today).or_else(|| distribution(table, repository, tag, today))
}

/// The row of a version, and the place in the tag that names it.
struct Version {
    product: &'static str,
    row: usize,
    in_tag: Range<usize>,
}

/// The day the support of the runtime ends, so that its images are no longer made.
pub(super) fn last_day(table: Table, repository: Repository, tag: Tag) -> Option<Date> {
    Date::parse(table.text(EOL, version(table, repository, tag)?.row))
}

fn runtime(table: Table, repository: Repository, tag: Tag, today: Date) -> Option<EndOfLife> {
    ended(table, version(table, repository, tag)?, today)
}

fn version(table: Table, repository: Repository, tag: Tag) -> Option<Version> {
    let product = match repository.pieces {
        ["mcr.microsoft.com", _, path] if path.starts_with("dotnet/") => "dotnet",
        _ => repository.official()?,
    };
    let (product, _) = PRODUCTS.iter().find(|(name, _)| *name == product)?;
    let row = match tag.version {
        "" => by_codename(table, product, tag.distro?)?,
        version => by_version(table, product, version)?,
    };
    let word = if tag.version.is_empty() { tag.distro? } else { tag.version };
    Some(Version { product, row, in_tag: tag.range(word)? })
}

fn distribution(table: Table, repository: Repository, tag: Tag, today: Date) -> Option<EndOfLife> {
    // A word of a tag means a distribution only where we know how the repository names its tags.
    let known = repository.official().is_some() || repository.pieces[0] == "mcr.microsoft.com";
    if !known {
        return None;
    }
    let listed = || {
        let row = repository.official_row(table, tag.text)?;
        Some(table.text(DISTRO, row)).filter(|distro| !distro.is_empty())
    };
    let (distro, in_tag) = match tag.distro {
        Some(distro) => (distro, tag.range(distro)?),
        None => (listed()?, 0..tag.text.len()),
    };
    let (product, row) = match distro.strip_prefix("alpine") {
        Some(version) => ("alpine", by_version(table, "alpine", version)?),
        None => ["debian", "ubuntu"].into_iter().find_map(|it| Some((it, by_codename(table, it, distro)?)))?,
    };
    let res = ended(table, Version { product, row, in_tag }, today)?;
    // A tag that does not name its distribution moves to the next one by itself, usually before LTS ends.
    (tag.distro.is_some() || !res.lts).then_some(res)
}

fn by_version(table: Table, product: &str, version: &str) -> Option<usize> {
    let version = version.strip_prefix('v').unwrap_or(version);
    let begins = |cycle: &str| {
        let rest = version.strip_prefix(cycle)?;
        (rest.is_empty() || rest.starts_with(['.', 'u', '_', '+'])).then_some(())
    };
    table.rows_of(PRODUCT, &[table.id(&[product])?]).find(|row| begins(table.text(CYCLE, *row)).is_some())
}

fn by_codename(table: Table, product: &str, codename: &str) -> Option<usize> {
    table.rows_of(PRODUCT, &[table.id(&[product])?]).find(|row| table.text(CODENAME, *row) == codename)
}

fn ended(table: Table, version: Version, today: Date) -> Option<EndOfLife> {
    let Version { product, row, in_tag } = version;
    let date = Date::parse(table.text(EOL, row));
    let slip = if date.is_some_and(|date| date > DATES_OF) { SLIP } else { 0 };
    let over = match date {
        Some(date) => date.unix_days() + slip < today.unix_days(),
        None => table.text(EOL, row) == "ended",
    };
    if !over {
        return None;
    }
    let (_, shown) = PRODUCTS.iter().find(|(name, _)| *name == product)?;
    let cycle = table.text(CYCLE, row);
    let codename = table.text(CODENAME, row);
    let name = match codename {
        "" => format!("{shown} {cycle}"),
        codename => format!("{shown} {cycle} ({codename})"),
    };
    let lts_end = LTS_ENDS.iter().find(|(release, _)| product == "debian" && *release == cycle).map(|(_, day)| *day);
    let lts = lts_end.is_some_and(|day| today <= day);
    let date = lts_end.filter(|_| !lts).or(date);
    Some(EndOfLife { name, date, supported: supported(table, product, row, today), lts, in_tag })
}

/// The oldest version after this one that is still supported, of those with long support where there are any.
fn supported(table: Table, product: &str, ended: usize, today: Date) -> Option<String> {
    let rows = table.rows_of(PRODUCT, &[table.id(&[product])?]);
    let later = |row: &usize| order(table.text(CYCLE, *row)) > order(table.text(CYCLE, ended));
    let alive = |row: &usize| {
        let out = Date::parse(table.text(RELEASED, *row)).is_some_and(|released| released <= today);
        let eol = table.text(EOL, *row);
        out && eol != "ended" && Date::parse(eol).is_none_or(|date| today <= date)
    };
    let living = || rows.clone().filter(later).filter(alive);
    let long = living().filter(|row| table.text(LTS, *row) == "1").min_by_key(|row| order(table.text(CYCLE, *row)));
    let row = long.or_else(|| living().min_by_key(|row| order(table.text(CYCLE, *row))))?;
    Some(table.text(CYCLE, row).to_owned())
}

fn order(cycle: &str) -> [u32; 3] {
    let mut numbers = cycle.split('.').map(|piece| piece.parse().unwrap_or(0));
    std::array::from_fn(|_| numbers.next().unwrap_or(0))
}

//! What Debian packages weigh with all they need: closures of Debian 12, counted on top of `debian:bookworm-slim`.
//!
//! A union of packages is summed exactly, by their numbers. **Invariant:** a name that the table does not have is listed as
//! unknown, never counted as nothing.

pub mod modules;
#[cfg(test)]
mod tests;

use crate::table::{Kind, Section, Table, column};
use crate::weight::{Basis, Estimate};

/// The embedded table.
pub const TABLE: Table<'static> = Table::new(include_bytes!("../data/packages.bin"));

/// The files of the table. `server/data/README.md` says what their columns mean.
pub const SCHEMA: &[Section] = &[
    Section {
        file: PACKAGES,
        key: 0,
        columns: &[
            ("id", Kind::Number),
            ("package", Kind::Text),
            ("deb_bytes", Kind::Number),
            ("installed_kib", Kind::Number),
            ("slim_kib", Kind::Number),
            ("full_kib", Kind::Number),
        ],
        derived: &[],
    },
    Section {
        file: CLOSURES,
        key: 1,
        columns: &[("package", Kind::Text), ("ids_delta", Kind::List), ("extra_ids_recommends_delta", Kind::List)],
        derived: &[],
    },
    Section {
        file: modules::NPM,
        key: 1,
        columns: &[("package", Kind::Text), ("installed_bytes", Kind::Number), ("needs_delta", Kind::List)],
        derived: &[],
    },
    Section {
        file: modules::PIP,
        key: 1,
        columns: &[
            ("package", Kind::Text),
            ("installed_bytes", Kind::Number),
            ("wheel_bytes", Kind::Number),
            ("needs_delta", Kind::List),
        ],
        derived: &[],
    },
];

const PACKAGES: &str = "apt-packages.tsv";
const CLOSURES: &str = "apt-closures.tsv";

const NAME: usize = column(SCHEMA, PACKAGES, "package");
const DEB: usize = column(SCHEMA, PACKAGES, "deb_bytes");
const INSTALLED: usize = column(SCHEMA, PACKAGES, "installed_kib");
const SLIM: usize = column(SCHEMA, PACKAGES, "slim_kib");
const FULL: usize = column(SCHEMA, PACKAGES, "full_kib");
const REQUESTED: usize = column(SCHEMA, CLOSURES, "package");
const NEEDED: usize = column(SCHEMA, CLOSURES, "ids_delta");
const RECOMMENDED: usize = column(SCHEMA, CLOSURES, "extra_ids_recommends_delta");

/// Bytes of `/var/lib/apt/lists` after `apt-get update` (bookworm with updates and security; the image keeps them
/// compressed): unpacked.
pub const APT_LISTS: u64 = 19_852_735;
/// The same, compressed as a layer is pulled.
pub const APT_LISTS_PULL: u64 = 15_290_569;
/// What every layer in which apt installed something holds besides: the databases and logs of dpkg and debconf (measured,
/// the same within 50 kB in 20 layers).
pub const APT_NOISE: u64 = 940_000;
/// Compressed bytes for one unpacked byte of an apt layer (gzip -6, median of 23 measured layers).
pub const APT_PULL_SHARE: f64 = 0.35;

/// Packages with all that they need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AptClosure {
    /// The packages, by their number in the table, ascending.
    ids: Vec<u32>,
    /// Names that the table does not have.
    pub unknown: Vec<String>,
}

/// Which files dpkg leaves out, by the configuration of the base image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Documentation {
    /// Slim images of Debian leave out manuals, documentation and translations.
    Excluded,
    /// All others keep them.
    Kept,
}

/// What `apt-get install` of these packages brings, with recommended ones unless `--no-install-recommends` is given. A
/// version or release behind the name (`curl=7.88`, `curl/stable`) and the architecture (`libc6:amd64`) do not count; a
/// name with `-` at its end takes a package away and is unknown here.
pub fn apt_closure(requested: &[&str], recommends: bool) -> AptClosure {
    closure(TABLE, requested, recommends)
}

fn closure(table: Table, requested: &[&str], recommends: bool) -> AptClosure {
    let mut res = AptClosure::default();
    for name in requested {
        let bare = name.split(['=', '/', ':']).next().unwrap_or(name);
        let row = table.id(&[bare]).and_then(|id| table.rows_of(REQUESTED, &[id]).next());
        let Some(row) = row else {
            res.unknown.push((*name).to_owned());
            continue;
        };
        res.ids.extend(table.list(NEEDED, row));
        if recommends {
            res.ids.extend(table.list(RECOMMENDED, row));
        }
    }
    res.ids.sort_unstable();
    res.ids.dedup();
    res
}

impl AptClosure {
    /// How many packages.
    pub fn packages(&self) -> usize {
        self.ids.len()
    }

    /// Their names, for people.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.ids.iter().map(|id| TABLE.text(NAME, *id as usize))
    }

    /// Bytes that apt fetches.
    pub fn download_bytes(&self) -> u64 {
        self.sum(DEB)
    }

    /// The sum of `Installed-Size`, in bytes: what apt announces.
    pub fn installed_bytes(&self) -> u64 {
        self.sum(INSTALLED) * 1024
    }

    /// What is left when `earlier` is there already.
    pub fn without(&self, earlier: &AptClosure) -> AptClosure {
        let ids = self.ids.iter().copied().filter(|id| earlier.ids.binary_search(id).is_err()).collect();
        AptClosure { ids, unknown: self.unknown.clone() }
    }

    /// Both together.
    pub fn with(mut self, other: &AptClosure) -> AptClosure {
        self.ids.extend(&other.ids);
        self.ids.sort_unstable();
        self.ids.dedup();
        self.unknown.extend(other.unknown.iter().cloned());
        self
    }

    /// The packages of these names alone, without what they need.
    #[must_use]
    pub fn of_names(&self, names: &[&str]) -> AptClosure {
        let is_named = |id: &u32| {
            let name = TABLE.text(NAME, *id as usize);
            names.iter().any(|it| it.split(['=', '/', ':']).next() == Some(name))
        };
        AptClosure { ids: self.ids.iter().copied().filter(is_named).collect(), unknown: Vec::new() }
    }

    /// What these packages add to a layer, databases of dpkg included, the lists of `apt-get update` not. `None` where
    /// nothing is installed or nothing is known. The names in `unknown` are not in it.
    ///
    /// The weights are those of the files in each package without what the configuration of the image leaves out, of the
    /// files that Python compiles, and of what dpkg notes of each (`server/data/README.md`). What scripts of packages make
    /// when they are installed (caches of fonts, databases) is in it for a few packages only.
    pub fn on_disk(&self, documentation: Documentation) -> Option<Estimate> {
        let mut res = self.files(documentation)?;
        let noise = Estimate::between(APT_NOISE * 9 / 10, APT_NOISE, APT_NOISE * 5 / 4, Basis::Recipe, "");
        res += &noise;
        Some(res)
    }

    /// The same without the databases of dpkg, which are there in any layer in which apt installs something.
    pub fn files(&self, documentation: Documentation) -> Option<Estimate> {
        let mut sum = 0;
        let mut guessed = 0;
        for id in &self.ids {
            match weight(TABLE, *id as usize, documentation) {
                Weight::Measured(bytes) => sum += bytes,
                Weight::Guessed(bytes) => guessed += bytes,
            }
        }
        if sum + guessed == 0 {
            return None;
        }
        Some(Estimate::between(
            sum * 93 / 100 + guessed / 2,
            sum + guessed,
            sum * 112 / 100 + guessed * 2,
            Basis::Recipe,
            "package table of Debian 12, 2026-11-20",
        ))
    }

    /// The names of its packages, the heaviest first.
    pub fn heaviest(&self) -> Vec<&'static str> {
        let mut ids = self.ids.clone();
        ids.sort_by_key(|id| std::cmp::Reverse(TABLE.number(INSTALLED, *id as usize)));
        ids.into_iter().map(|id| TABLE.text(NAME, id as usize)).collect()
    }

    /// Which share of their weight is that of the packages whose names are such.
    pub fn share(&self, is_such: &dyn Fn(&str) -> bool) -> f64 {
        let weight = |id: &u32| TABLE.number(INSTALLED, *id as usize).map_or(0, u64::from);
        let all: u64 = self.ids.iter().map(weight).sum();
        let such: u64 = self.ids.iter().filter(|id| is_such(TABLE.text(NAME, **id as usize))).map(weight).sum();
        if all == 0 { 0.0 } else { such as f64 / all as f64 }
    }

    fn sum(&self, column: usize) -> u64 {
        self.ids.iter().filter_map(|id| TABLE.number(column, *id as usize)).map(u64::from).sum()
    }
}

/// What a package leaves on disk, in bytes.
enum Weight {
    /// Its files were counted.
    Measured(u64),
    /// Worked out of what it says itself.
    Guessed(u64),
}

fn weight(table: Table, row: usize, documentation: Documentation) -> Weight {
    let column = match documentation {
        Documentation::Excluded => SLIM,
        Documentation::Kept => FULL,
    };
    match table.number(column, row) {
        Some(kib) => Weight::Measured(u64::from(kib) * 1024),
        None => Weight::Guessed(u64::from(table.number(INSTALLED, row).unwrap_or(0)) * 1024),
    }
}

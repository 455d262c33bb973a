//! Packages of npm and PyPI: what each weighs when it is installed, and which others it needs, as measured on 2026-11-21
//! (`server/data/README.md`).
//!
//! **Invariant:** a name that the table does not have is counted as such, never as nothing.

use std::collections::BTreeSet;

use crate::packages::{SCHEMA, TABLE};
use crate::table::column;

/// Whose packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ecosystem {
    /// npm's registry.
    Npm,
    /// The Python Package Index, names normalised (PEP 503).
    Pip,
}

/// A set of packages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modules {
    /// Installed bytes of those that the table has.
    pub bytes: u64,
    /// Bytes that are fetched for them: of wheels; 0 for npm.
    pub fetched: u64,
    /// How many packages, known or not.
    pub packages: u32,
    /// How many of them the table does not have.
    pub others: u32,
}

pub(crate) const NPM: &str = "npm-packages.tsv";
pub(crate) const PIP: &str = "pip-packages.tsv";

const NPM_NAME: usize = column(SCHEMA, NPM, "package");
const NPM_BYTES: usize = column(SCHEMA, NPM, "installed_bytes");
const NPM_NEEDS: usize = column(SCHEMA, NPM, "needs_delta");
const PIP_NAME: usize = column(SCHEMA, PIP, "package");
const PIP_BYTES: usize = column(SCHEMA, PIP, "installed_bytes");
const PIP_FETCHED: usize = column(SCHEMA, PIP, "wheel_bytes");
const PIP_NEEDS: usize = column(SCHEMA, PIP, "needs_delta");

impl Ecosystem {
    fn row(self, name: &str) -> Option<usize> {
        let column = match self {
            Ecosystem::Npm => NPM_NAME,
            Ecosystem::Pip => PIP_NAME,
        };
        TABLE.id(&[name]).and_then(|id| TABLE.rows_of(column, &[id]).next())
    }

    fn needs(self, row: usize) -> impl Iterator<Item = u32> {
        TABLE.list(
            match self {
                Ecosystem::Npm => NPM_NEEDS,
                Ecosystem::Pip => PIP_NEEDS,
            },
            row,
        )
    }
}

impl Modules {
    /// These packages and nothing else: what a lock file lists.
    pub fn listed<'n>(ecosystem: Ecosystem, names: impl Iterator<Item = &'n str>) -> Modules {
        let mut res = Modules::default();
        for name in names {
            match ecosystem.row(name) {
                Some(row) => res.add_row(ecosystem, row),
                None => res.add_other(),
            }
        }
        res
    }

    /// These packages with all that they need.
    pub fn needed<'n>(ecosystem: Ecosystem, names: impl Iterator<Item = &'n str>) -> Modules {
        let mut res = Modules::default();
        let mut rows: BTreeSet<usize> = BTreeSet::new();
        let mut waiting: Vec<usize> = Vec::new();
        for name in names {
            match ecosystem.row(name) {
                Some(row) => waiting.push(row),
                None => res.add_other(),
            }
        }
        while let Some(row) = waiting.pop() {
            if rows.insert(row) {
                res.add_row(ecosystem, row);
                waiting.extend(ecosystem.needs(row).map(|row| row as usize));
            }
        }
        res
    }

    /// Both together.
    #[must_use]
    pub fn with(self, other: Modules) -> Modules {
        Modules {
            bytes: self.bytes.saturating_add(other.bytes),
            fetched: self.fetched.saturating_add(other.fetched),
            packages: self.packages.saturating_add(other.packages),
            others: self.others.saturating_add(other.others),
        }
    }

    fn add_row(&mut self, ecosystem: Ecosystem, row: usize) {
        let (bytes, fetched) = match ecosystem {
            Ecosystem::Npm => (NPM_BYTES, None),
            Ecosystem::Pip => (PIP_BYTES, Some(PIP_FETCHED)),
        };
        let number = |column: usize| TABLE.number(column, row).map_or(0, u64::from);
        self.bytes = self.bytes.saturating_add(number(bytes));
        self.fetched = self.fetched.saturating_add(fetched.map_or(0, number));
        self.packages = self.packages.saturating_add(1);
    }

    fn add_other(&mut self) {
        self.packages = self.packages.saturating_add(1);
        self.others = self.others.saturating_add(1);
    }
}

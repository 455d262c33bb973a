//! The name under which the tables know a repository, whatever mirror it is written with. Never allocates.

use crate::images::{BASES, OFFICIAL, at};
use crate::model::ImageRef;
use crate::table::Table;

/// A repository as the tables name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Repository<'a> {
    /// `docker.io/`, `library/`, `node`: the name in pieces.
    pub(super) pieces: [&'a str; 3],
    /// The architecture that the name itself demands (`arm64v8/node`).
    pub(super) arch: Option<&'static str>,
}

/// Docker Hub's organisations of the official images of one architecture
/// (<https://github.com/docker-library/official-images#architectures-other-than-amd64>).
const BY_ARCH: [(&str, &str); 10] = [
    ("amd64/", "amd64"),
    ("arm32v5/", "arm"),
    ("arm32v6/", "arm"),
    ("arm32v7/", "arm"),
    ("arm64v8/", "arm64"),
    ("i386/", "386"),
    ("mips64le/", "mips64le"),
    ("ppc64le/", "ppc64le"),
    ("riscv64/", "riscv64"),
    ("s390x/", "s390x"),
];

impl<'a> Repository<'a> {
    pub(super) fn of(image: &'a ImageRef) -> Repository<'a> {
        let path = image.path.as_str();
        let official = match image.registry.as_str() {
            "mirror.gcr.io" if !path.contains('/') => Some(path),
            "docker.io" | "mirror.gcr.io" | "registry.hub.docker.com" | "registry-1.docker.io" => {
                path.strip_prefix("library/")
            }
            "public.ecr.aws" => path.strip_prefix("docker/library/"),
            "mcr.microsoft.com" => path.strip_prefix("mirror/docker/library/"),
            _ => None,
        };
        if let Some(name) = official {
            return Repository { pieces: ["docker.io/", "library/", name], arch: None };
        }
        let by_arch = BY_ARCH.iter().find_map(|(prefix, arch)| Some((path.strip_prefix(prefix)?, *arch)));
        match by_arch {
            Some((name, arch)) if image.registry == "docker.io" => {
                Repository { pieces: ["docker.io/", "library/", name], arch: Some(arch) }
            }
            _ => Repository { pieces: [&image.registry, "/", path], arch: None },
        }
    }

    /// The repository that the table has figures of under another name: distroless without a release is the newest one.
    pub(super) fn successor(self) -> Option<[&'a str; 4]> {
        let [host, slash, path] = self.pieces;
        let unnumbered = host == "gcr.io" && path.starts_with("distroless/") && !path.contains("-debian");
        unnumbered.then_some([host, slash, path, "-debian13"])
    }

    /// The number of its name in the tables.
    pub(super) fn id(self, table: Table) -> Option<u32> {
        table.id(&self.pieces)
    }

    /// `node` for `docker.io/library/node`: the name in the list of official images.
    pub(super) fn official(self) -> Option<&'a str> {
        match self.pieces {
            ["docker.io/", "library/", name] => Some(name),
            _ => None,
        }
    }

    /// The row of a tag in the list of official images.
    pub(super) fn official_row(self, table: Table, tag: &str) -> Option<usize> {
        let key = [table.id(&[self.official()?])?, table.id(&[tag])?];
        let mut rows = table.rows_of(at_official_repository(), &key);
        rows.next()
    }

    /// Whether the table knows that this tag exists, or existed.
    pub(super) fn has(self, table: Table, tag: &str) -> bool {
        let listed = || {
            let key = [self.id(table)?, table.id(&[tag])?];
            table.rows_of(const { at(BASES, "repository") }, &key).next()
        };
        self.official_row(table, tag).is_some() || listed().is_some()
    }
}

const fn at_official_repository() -> usize {
    const { at(OFFICIAL, "repository") }
}

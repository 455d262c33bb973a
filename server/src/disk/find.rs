//! Which files are Dockerfiles: the walk of the folders that were named.

use std::path::{Path, PathBuf};

use anyhow::{Error, anyhow};
use ignore::WalkBuilder;

/// What a walk found.
#[derive(Debug, Default)]
pub struct Found {
    /// The files in the order of the paths that were asked for, below each by name; none twice.
    pub files: Vec<PathBuf>,
    /// Paths that do not exist, folders that cannot be read. The others count.
    pub errors: Vec<Error>,
}

/// The Dockerfiles of these paths: a file that is named is taken whatever its name, a folder is walked by the rules of
/// its `.gitignore` files, without following symbolic links. Paths are as given, without a `./` in front.
pub fn dockerfiles(paths: &[PathBuf]) -> Found {
    let mut res = Found::default();
    for path in paths {
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => walk(path, &mut res),
            Ok(_) => add(path, &mut res),
            Err(error) => res.errors.push(anyhow!(error).context(format!("cannot read {}", path.display()))),
        }
    }
    res
}

/// Whether a file of this name is a Dockerfile (CLI.md, *Verbs*).
pub fn is_dockerfile_name(name: &str) -> bool {
    if name.ends_with(".dockerignore") {
        return false;
    }
    matches!(name, "Dockerfile" | "Containerfile")
        || [".Dockerfile", ".dockerfile", ".containerfile"].iter().any(|end| name.ends_with(end))
        || ["Dockerfile.", "Containerfile."].iter().any(|start| name.starts_with(start))
}

fn walk(folder: &Path, acc: &mut Found) {
    let walk = WalkBuilder::new(folder)
        // `.devcontainer/Dockerfile` is hidden and wanted.
        .hidden(false)
        .ignore(false)
        // The user's global list is not in CI.
        .git_global(false)
        .require_git(false)
        .follow_links(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .sort_by_file_name(std::cmp::Ord::cmp)
        .build();
    for entry in walk {
        match entry {
            Ok(entry) => {
                let is_file = entry.file_type().is_some_and(|it| it.is_file());
                if is_file && entry.file_name().to_str().is_some_and(is_dockerfile_name) {
                    add(entry.path(), acc);
                }
            }
            Err(error) => acc.errors.push(anyhow!(error).context(format!("cannot walk {}", folder.display()))),
        }
    }
}

fn add(path: &Path, acc: &mut Found) {
    let path = path.strip_prefix("./").unwrap_or(path);
    if !acc.files.iter().any(|known| known == path) {
        acc.files.push(path.to_owned());
    }
}

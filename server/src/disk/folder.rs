//! Which folder a Dockerfile is built in (CLI.md, *The build context*).
//!
//! Compose and Bake files are not read yet; after what was named, the sources of COPY and ADD decide.

use std::path::{Component, Path, PathBuf};

use crate::config::{NamedFolder, Trust};
use crate::context::{cleaned, pattern};

/// More names of one folder are not compared with a pattern.
const MOST_NAMES: usize = 10_000;

/// The folder above which no context lies when nobody tells: the repository's root, else the working directory if it is
/// above the Dockerfile, else the Dockerfile's own folder. (A server has the workspace folder instead.)
pub fn root_of(dockerfile: &Path) -> PathBuf {
    let dockerfile = std::path::absolute(dockerfile).unwrap_or_else(|_| dockerfile.to_owned());
    let own = dockerfile.parent().unwrap_or(Path::new("/")).to_owned();
    if let Some(root) = own.ancestors().find(|folder| folder.join(".git").symlink_metadata().is_ok()) {
        return root.to_owned();
    }
    match std::env::current_dir() {
        Ok(current) if own.starts_with(&current) => current,
        Ok(_) | Err(_) => own,
    }
}

/// The build context of a Dockerfile, or `None` if it is not known. `root` is the workspace folder or [`root_of`];
/// `sources` are the words of COPY and ADD that come from the context, patterns included, variables resolved.
pub fn context_folder(
    dockerfile: &Path,
    named: Option<&NamedFolder>,
    root: &Path,
    sources: &[String],
) -> Option<PathBuf> {
    let root = std::path::absolute(root).ok()?;
    if let Some(named) = named {
        let folder = plain(&std::path::absolute(&named.path).ok()?);
        let allowed = match named.trust {
            Trust::User => true,
            // Both as the system sees them, so that no link leads out.
            Trust::Workspace => folder.canonicalize().ok()?.starts_with(root.canonicalize().ok()?),
        };
        return (allowed && folder.is_dir()).then_some(folder);
    }
    let own = std::path::absolute(dockerfile).ok()?.parent()?.to_owned();
    let mut best: Option<(usize, PathBuf)> = None;
    for folder in own.ancestors() {
        if folder != own && !folder.starts_with(&root) {
            break;
        }
        let held = sources.iter().filter(|source| holds(folder, source)).count();
        if held > best.as_ref().map_or(0, |(most, _)| *most) {
            best = Some((held, folder.to_owned()));
        }
    }
    best.map(|(_, folder)| folder)
}

/// Whether a folder has what a source names, without following links.
fn holds(folder: &Path, source: &str) -> bool {
    if source.contains("://") || source.contains('$') || source.starts_with("<<") || source.starts_with("git@") {
        return false;
    }
    let source = cleaned(source);
    if source.is_empty() {
        return true;
    }
    let Some((fixed, rest)) = pattern::split(&source) else { return below(folder, &source).is_some() };
    let Some(start) = below(folder, fixed) else { return false };
    let parts: Vec<&str> = rest.split('/').collect();
    matches_below(&start, &parts)
}

fn matches_below(folder: &Path, parts: &[&str]) -> bool {
    let Some((first, rest)) = parts.split_first() else { return true };
    let Some(pattern) = pattern::Pattern::parse(first) else { return false };
    let Ok(names) = std::fs::read_dir(folder) else { return false };
    names.take(MOST_NAMES).flatten().any(|entry| {
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { return false };
        if !pattern.matches(&name) {
            return false;
        }
        rest.is_empty() || (entry.file_type().is_ok_and(|it| it.is_dir()) && matches_below(&entry.path(), rest))
    })
}

/// A path below a folder, if something is there and no part before the last is a link.
pub(crate) fn below(folder: &Path, relative: &str) -> Option<PathBuf> {
    let mut res = folder.to_owned();
    let mut passable = true;
    for part in relative.split('/').filter(|part| !part.is_empty()) {
        let is_name = matches!(Path::new(part).components().next(), Some(Component::Normal(it)) if it == part);
        if !passable || !is_name {
            return None;
        }
        res.push(part);
        passable = res.symlink_metadata().ok()?.is_dir();
    }
    Some(res)
}

/// The path without `.` and `..`, by its text.
fn plain(path: &Path) -> PathBuf {
    let mut res = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                res.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => res.push(part),
        }
    }
    res
}

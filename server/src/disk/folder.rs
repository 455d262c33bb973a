//! Which folder a Dockerfile is built in (CLI.md, *The build context*).
//!
//! After what was named comes a Compose file that names the Dockerfile, then the sources of COPY and ADD decide.

use std::path::{Component, Path, PathBuf};

use crate::config::{NamedFolder, Trust};
use crate::context::{cleaned, pattern};
use crate::disk::compose;

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
    let dockerfile = std::path::absolute(dockerfile).ok()?;
    if let Some(folder) = compose::context_folder(&dockerfile, &plain(&root)) {
        return Some(folder);
    }
    let own = dockerfile.parent()?.to_owned();
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
pub(super) fn plain(path: &Path) -> PathBuf {
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{context_folder, root_of};
    use crate::config::{NamedFolder, Trust};
    use crate::disk::slashed;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let res = tempfile::tempdir().expect("a folder can be made");
        for path in files {
            let path = res.path().join(path);
            std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder can be made");
            std::fs::write(path, "").expect("a file can be written");
        }
        res
    }

    fn found(root: &Path, dockerfile: &str, sources: &[&str]) -> Option<String> {
        let sources: Vec<String> = sources.iter().map(|it| (*it).to_owned()).collect();
        let folder = context_folder(&root.join(dockerfile), None, root, &sources)?;
        Some(folder.strip_prefix(root).expect("it is below").to_string_lossy().into_owned())
    }

    #[test]
    fn the_folder_that_holds_most_sources_is_the_context() {
        let root = folder(&["package.json", "src/a.js", "docker/web/nginx.conf", "docker/web/Dockerfile"]);
        let root = root.path();
        let of = |sources: &[&str]| found(root, "docker/web/Dockerfile", sources);
        assert_eq!(of(&["package*.json", "src", "."]).as_deref(), Some(""));
        assert_eq!(of(&["nginx.conf", "."]).as_deref(), Some("docker/web"));
        assert_eq!(of(&["web/nginx.conf"]).as_deref(), Some("docker"));
        assert_eq!(of(&["s*/*.js", "./docker/web/nginx.conf"]).as_deref(), Some(""));
        assert_eq!(of(&["."]).as_deref(), Some("docker/web"));
        assert_eq!(of(&["nginx.conf", "package.json"]).as_deref(), Some("docker/web"));
    }

    #[test]
    fn where_no_folder_holds_any_it_is_not_known() {
        let root = folder(&["a/Dockerfile"]);
        assert_eq!(found(root.path(), "a/Dockerfile", &["dist", "https://example.org/x", "$X", "["]), None);
        assert_eq!(found(root.path(), "a/Dockerfile", &[]), None);
    }

    #[test]
    fn it_never_lies_above_the_root() {
        let root = folder(&["secret.txt", "w/a/Dockerfile"]);
        let sources = ["secret.txt".to_owned()];
        let inner = root.path().join("w");
        assert_eq!(context_folder(&inner.join("a/Dockerfile"), None, &inner, &sources), None);
        assert_eq!(
            context_folder(&root.path().join("w/a/Dockerfile"), None, &root.path().join("else"), &sources),
            None
        );
    }

    #[test]
    fn what_a_workspace_names_must_lie_in_it() {
        let root = folder(&["w/a/Dockerfile", "other/x"]);
        let inner = root.path().join("w");
        let of = |path: &str, trust| {
            let named = NamedFolder { path: slashed(&root.path().join(path)), trust };
            context_folder(&inner.join("a/Dockerfile"), Some(&named), &inner, &[]).is_some()
        };
        assert!(of("w", Trust::Workspace) && of("w/a/..", Trust::Workspace));
        assert!(!of("other", Trust::Workspace) && !of("w/../other", Trust::Workspace));
        assert!(of("other", Trust::User));
        assert!(!of("nowhere", Trust::User));
    }

    #[cfg(unix)]
    #[test]
    fn no_link_leads_out() {
        let root = folder(&["w/Dockerfile", "other/deep/x.txt"]);
        let inner = root.path().join("w");
        std::os::unix::fs::symlink("../other", inner.join("out")).expect("a link can be made");
        assert_eq!(found(&inner, "Dockerfile", &["out/deep/x.txt", "out/deep/*"]), None);
        let named = NamedFolder { path: slashed(&inner.join("out")), trust: Trust::Workspace };
        assert_eq!(context_folder(&inner.join("Dockerfile"), Some(&named), &inner, &[]), None);
    }

    #[test]
    fn the_root_is_the_repository() {
        let root = folder(&[".git/HEAD", "a/b/Dockerfile"]);
        assert_eq!(root_of(&root.path().join("a/b/Dockerfile")), root.path());
        let alone = folder(&["a/Dockerfile"]);
        assert_eq!(root_of(&alone.path().join("a/Dockerfile")), alone.path().join("a"));
    }
}

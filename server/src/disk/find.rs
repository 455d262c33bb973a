//! Which files are Dockerfiles: the walk of the folders that were named.

use std::collections::BTreeSet;
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
    let mut seen = BTreeSet::new();
    for path in paths {
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => walk(path, &mut seen, &mut res),
            Ok(_) => add(path, &mut seen, &mut res),
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

fn walk(folder: &Path, seen: &mut BTreeSet<PathBuf>, acc: &mut Found) {
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
                    add(entry.path(), seen, acc);
                }
            }
            Err(error) => acc.errors.push(anyhow!(error).context(format!("cannot walk {}", folder.display()))),
        }
    }
}

fn add(path: &Path, seen: &mut BTreeSet<PathBuf>, acc: &mut Found) {
    let path = path.strip_prefix("./").unwrap_or(path);
    if seen.insert(path.to_owned()) {
        acc.files.push(path.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{dockerfiles, is_dockerfile_name};

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let res = tempfile::tempdir().expect("a folder can be made");
        for (path, text) in files {
            let path = res.path().join(path);
            std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder can be made");
            std::fs::write(path, text).expect("a file can be written");
        }
        res
    }

    fn found(root: &tempfile::TempDir, paths: &[&str]) -> Vec<String> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| root.path().join(path)).collect();
        let found = dockerfiles(&paths);
        assert_eq!(found.errors.len(), 0, "{:?}", found.errors);
        let relative = |file: PathBuf| file.strip_prefix(root.path()).map(|it| it.to_string_lossy().into_owned());
        found.files.into_iter().map(|file| relative(file).expect("it is below")).collect()
    }

    #[test]
    fn the_names_are_those_of_the_manual() {
        for name in ["Dockerfile", "Containerfile", "a.Dockerfile", "a.dockerfile", "a.containerfile", "Dockerfile.dev"]
        {
            assert!(is_dockerfile_name(name), "{name}");
        }
        for name in ["Dockerfile.dockerignore", "a.dockerignore", "dockerfile2", "MyDockerfile", "docker-compose.yml"] {
            assert!(!is_dockerfile_name(name), "{name}");
        }
    }

    #[test]
    fn folders_are_walked_in_order_without_what_git_ignores() {
        let root = folder(&[
            ("b/Dockerfile", ""),
            ("Dockerfile", ""),
            ("a/x.dockerfile", ""),
            ("a/main.rs", ""),
            (".devcontainer/Dockerfile", ""),
            (".git/Dockerfile", ""),
            ("target/Dockerfile", ""),
            (".gitignore", "/target\n*.local\n"),
            ("Dockerfile.local", ""),
        ]);
        let all = ["Dockerfile", ".devcontainer/Dockerfile", "a/x.dockerfile", "b/Dockerfile"];
        let mut sorted = found(&root, &[""]);
        assert_eq!(sorted, found(&root, &[""]));
        sorted.sort();
        let mut expected = all.map(str::to_owned);
        expected.sort();
        assert_eq!(sorted, expected);
    }

    #[test]
    fn a_file_that_is_named_is_taken_whatever_its_name_and_once() {
        let root = folder(&[("Dockerfile", ""), ("build.txt", ""), (".gitignore", "*")]);
        assert_eq!(found(&root, &["build.txt", "Dockerfile", "build.txt"]), ["build.txt", "Dockerfile"]);
    }

    #[test]
    fn a_path_that_is_not_there_stops_no_other() {
        let root = folder(&[("Dockerfile", "")]);
        let found = dockerfiles(&[root.path().join("nowhere"), root.path().join("Dockerfile")]);
        assert_eq!(found.files.len(), 1);
        assert_eq!(found.errors.len(), 1);
        assert!(format!("{:#}", found.errors[0]).contains("nowhere: No such file"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed_on_a_walk() {
        let root = folder(&[("a/Dockerfile", "")]);
        std::os::unix::fs::symlink("..", root.path().join("a/loop")).expect("a link can be made");
        std::os::unix::fs::symlink("a/Dockerfile", root.path().join("Dockerfile")).expect("a link can be made");
        assert_eq!(found(&root, &[""]), ["a/Dockerfile"]);
        assert_eq!(found(&root, &["Dockerfile"]), ["Dockerfile"]);
    }
}

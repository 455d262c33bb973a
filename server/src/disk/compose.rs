//! Compose files that name a Dockerfile: they say which folder it is built in (CLI.md, *The build context*).
//!
//! Read as data: no variable is looked up, nothing is included, a file that cannot be read says nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::disk::folder::plain;

/// The names that `docker compose` looks for, in its order.
pub(crate) const NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// A larger file is not read.
const LARGEST: u64 = 1 << 20;

#[derive(Deserialize)]
struct Compose {
    #[serde(default)]
    services: BTreeMap<String, Service>,
}

#[derive(Deserialize)]
struct Service {
    build: Option<Build>,
}

/// `build: ./dir`, or its parts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Build {
    Context(String),
    Parts { context: Option<String>, dockerfile: Option<String> },
}

/// The context that a Compose file beside the Dockerfile, or above it up to `root`, gives to it: of several the nearest
/// file's, there the first service by name. `None` where none names it, or the context lies outside of `root`.
pub(super) fn context_folder(dockerfile: &Path, root: &Path) -> Option<PathBuf> {
    let dockerfile = plain(dockerfile);
    let own = dockerfile.parent()?;
    let folders = own.ancestors().take_while(|folder| *folder == own || folder.starts_with(root));
    for folder in folders {
        for name in NAMES {
            let Some(text) = read(&folder.join(name)) else { continue };
            let found = contexts(&text, folder).find(|(context, file)| *file == dockerfile && is_within(context, root));
            if let Some((context, _)) = found {
                return Some(context);
            }
        }
    }
    None
}

/// Whether it is a folder at or below the root, as the system sees both, so that no link leads out.
fn is_within(folder: &Path, root: &Path) -> bool {
    let real = folder.canonicalize().and_then(|folder| Ok((folder, root.canonicalize()?)));
    folder.starts_with(root) && real.is_ok_and(|(folder, root)| folder.is_dir() && folder.starts_with(root))
}

fn read(path: &Path) -> Option<String> {
    let metadata = fs::symlink_metadata(path).ok()?;
    (metadata.is_file() && metadata.len() <= LARGEST).then(|| fs::read_to_string(path).ok()).flatten()
}

/// Context and Dockerfile of each service that is built.
fn contexts(text: &str, folder: &Path) -> impl Iterator<Item = (PathBuf, PathBuf)> {
    let compose: Compose = serde_saphyr::from_str(text).unwrap_or(Compose { services: BTreeMap::new() });
    let builds = compose.services.into_values().filter_map(|service| service.build);
    builds.filter_map(move |build| {
        let (context, file) = match build {
            Build::Context(context) => (context, None),
            Build::Parts { context, dockerfile } => (context.unwrap_or_else(|| ".".to_owned()), dockerfile),
        };
        let file = file.unwrap_or_else(|| "Dockerfile".to_owned());
        if [&context, &file].iter().any(|it| it.contains('$') || it.contains("://")) {
            return None;
        }
        let context = plain(&folder.join(context));
        let file = plain(&context.join(file));
        Some((context, file))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::context_folder;

    /// The context of `docker/api.Dockerfile` relative to the root, with this Compose file at the root.
    fn check(compose: &str, expected: Option<&str>) {
        let above = tempfile::tempdir().expect("a folder");
        let root = above.path().join("work");
        fs::create_dir_all(root.join("docker")).expect("a folder");
        fs::create_dir_all(root.join("api")).expect("a folder");
        fs::write(root.join("compose.yaml"), compose).expect("a file");
        fs::write(root.join("docker/api.Dockerfile"), "FROM scratch\n").expect("a file");
        let found = context_folder(&root.join("docker/api.Dockerfile"), &root);
        let found = found.map(|it| it.strip_prefix(&root).expect("below the root").to_string_lossy().into_owned());
        assert_eq!(found.as_deref(), expected, "{compose}");
    }

    #[test]
    fn a_service_names_the_file_and_the_folder_it_is_built_in() {
        check(
            "services:\n  api:\n    build:\n      context: api\n      dockerfile: ../docker/api.Dockerfile\n",
            Some("api"),
        );
        check(
            "services:\n  api:\n    build:\n      dockerfile: docker/api.Dockerfile\n    ports: ['80:80']\n",
            Some(""),
        );
    }

    #[test]
    fn what_names_another_file_or_a_folder_outside_says_nothing() {
        check("services:\n  api:\n    build: ./docker\n  db:\n    image: postgres\n", None);
        check("services:\n  api:\n    build:\n      context: ..\n      dockerfile: work/docker/api.Dockerfile\n", None);
        check(
            "services:\n  api:\n    build:\n      context: ${WHERE}\n      dockerfile: docker/api.Dockerfile\n",
            None,
        );
    }

    #[test]
    fn a_file_that_is_no_compose_file_says_nothing() {
        for text in ["", "[", "services: 1\n", "a: &a [*a]\n", "services:\n  api: nothing\n"] {
            check(text, None);
        }
    }
}

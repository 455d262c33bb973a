//! Installs that bring the dependencies for development too: which commands do, by the manifest of the project.
//!
//! **Invariant:** without a manifest that was read only what is asked for in so many words counts.

use crate::context::BuildContext;
use crate::facts::environment;
use crate::facts::installs::{Deed, Manager, Verb, deed, requirements};
use crate::facts::landing::{self, Landed};
use crate::facts::manifest::Manifest;
use crate::facts::run::{Command, RunFacts};
use crate::facts::stage::join;
use crate::facts::walk;
use crate::model::{File, Placed, Stage};
use crate::shell::Script;

/// An install that brings them.
#[derive(Clone, Debug, PartialEq)]
pub struct DevelopmentInstall {
    /// Whose.
    pub manager: Manager,
    /// The index of the command in its RUN.
    pub command: usize,
    /// The directory of the project.
    pub directory: String,
    /// The path of the manifest in the context; `None` where the command itself says it.
    pub manifest: Option<String>,
    /// What `package.json` says, for the managers of Node.js.
    pub package: Option<Manifest>,
}

/// Where a command is looked at.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The file.
    pub file: &'a File,
    /// What lies beside it.
    pub context: &'a BuildContext,
    /// The stage, by index and as it is.
    pub stage_idx: usize,
    /// See `stage_idx`.
    pub stage: &'a Stage,
    /// The RUN's index in the stage.
    pub idx: usize,
    /// The RUN.
    pub placed: &'a Placed,
    /// What it does.
    pub run: &'a RunFacts,
    /// Its shell text.
    pub script: &'a Script,
}

/// The last install of a RUN that brings the dependencies for development and is not pruned behind it.
pub fn last(place: &Place) -> Option<DevelopmentInstall> {
    let mut res = None;
    for (idx, command) in place.run.commands.iter().enumerate() {
        let Some(deed) = deed(command) else { continue };
        if prunes(command, &deed) {
            res = None;
        } else if command.certain && deed.verb == Verb::Install {
            // An install of the same project without them takes them away again.
            res =
                brings(place, idx, command, &deed).or(res.filter(|it: &DevelopmentInstall| it.manager != deed.manager));
        }
    }
    res
}

/// Whether a command takes the dependencies for development away again.
pub fn prunes(command: &Command, deed: &Deed) -> bool {
    let production = ["--production", "--prod", "--omit", "--omit=dev", "-P", "--only"];
    match (deed.manager, deed.word) {
        (Manager::Npm | Manager::Pnpm, "prune") => true,
        (Manager::Yarn, "workspaces") => command.has(&["--production"]),
        (Manager::Yarn, "install") => command.has(&["--production"]),
        (Manager::Pnpm, "deploy") => command.has(&production),
        (Manager::Bundler, "clean") => true,
        (Manager::Pip, "uninstall") => true,
        _ => false,
    }
}

fn brings(place: &Place, idx: usize, command: &Command, deed: &Deed) -> Option<DevelopmentInstall> {
    let directory = place.run.directories.get(idx)?.as_deref().unwrap_or("/");
    let variable =
        |names: &[&str]| environment::variable(place.stage, place.placed, place.run, place.script, idx, names);
    let found = |manifest: Option<String>, package: Option<Manifest>| {
        Some(DevelopmentInstall {
            manager: deed.manager,
            command: idx,
            directory: directory.to_owned(),
            manifest,
            package,
        })
    };
    match deed.manager {
        Manager::Npm | Manager::Yarn | Manager::Pnpm => {
            if !deed.is_from_manifest(command) || omits(command, &variable) || elsewhere(command) {
                return None;
            }
            let (path, text) = text(place, directory, "package.json")?;
            let package = Manifest::parse(text).filter(|it| !it.dev_dependencies.is_empty() && !it.workspaces)?;
            found(Some(path), Some(package))
        }
        Manager::Composer => {
            let declined =
                command.has(&["--no-dev", "--no-install", "--dry-run"]) || variable(&["COMPOSER_NO_DEV"]).is_some();
            if !deed.is_from_manifest(command) || declined {
                return None;
            }
            let (path, text) = text(place, directory, "composer.json")?;
            let value: serde_json::Value = serde_json::from_str(text).ok()?;
            let listed = value.get("require-dev").and_then(|it| it.as_object()).is_some_and(|it| !it.is_empty());
            if listed { found(Some(path), None) } else { None }
        }
        Manager::Bundler => {
            let declined = command.has(&["--without", "--with"])
                || variable(&["BUNDLE_WITHOUT", "BUNDLE_ONLY", "BUNDLE_WITH"]).is_some()
                || place.stage.instructions.iter().any(|it| it.instruction.text.contains("without"));
            if declined || variable(&["RAILS_ENV"]).is_some_and(|it| it.as_deref() != Some("production")) {
                return None;
            }
            let (path, text) = text(place, directory, "Gemfile")?;
            let listed = text
                .lines()
                .map(str::trim_start)
                .any(|line| line.starts_with("group") && (line.contains(":development") || line.contains(":test")));
            if listed { found(Some(path), None) } else { None }
        }
        Manager::Poetry => {
            let declined = command.has(&["--without", "--only", "--no-dev", "--only-root", "--with", "--dry-run"]);
            if declined || !matches!(deed.word, "install" | "sync") || variable(&["POETRY_WITHOUT"]).is_some() {
                return None;
            }
            let (path, text) = text(place, directory, "pyproject.toml")?;
            let listed = text.contains("[tool.poetry.dev-dependencies]")
                || text.contains("[tool.poetry.group.dev.dependencies]")
                || text.contains("[tool.poetry.group.test.dependencies]");
            if listed { found(Some(path), None) } else { None }
        }
        Manager::Uv if deed.word == "sync" => {
            let declined = ["--no-dev", "--no-default-groups", "--only-group", "--no-group", "--group", "--all-groups"];
            if command.has(&declined) || variable(&["UV_NO_DEV", "UV_NO_DEFAULT_GROUPS"]).is_some() {
                return None;
            }
            let (path, text) = text(place, directory, "pyproject.toml")?;
            let groups = text.split("[dependency-groups]").nth(1).unwrap_or_default();
            let groups = groups.split("\n[").next().unwrap_or_default();
            let dev =
                |line: &str| line.trim_start().strip_prefix("dev").is_some_and(|it| it.trim_start().starts_with('='));
            let listed = groups.lines().any(dev) || text.contains("\ndev-dependencies");
            let changed = text.contains("default-groups");
            if listed && !changed { found(Some(path), None) } else { None }
        }
        Manager::Pipenv if command.has(&["--dev", "-d"]) => found(None, None),
        Manager::Pip if deed.word == "install" => {
            requirements(command).into_iter().flatten().any(is_for_development).then(|| found(None, None)).flatten()
        }
        _ => None,
    }
}

/// Whether a file of requirements is named as one for development or tests.
fn is_for_development(path: &str) -> bool {
    let stem = path.strip_suffix(".txt").or_else(|| path.strip_suffix(".pip")).unwrap_or(path);
    let name = stem.rsplit('/').next().unwrap_or(stem);
    let mut words = name.split(['-', '_', '.']);
    words.any(|word| matches!(word, "dev" | "development" | "develop" | "test" | "tests" | "testing" | "lint"))
}

/// Whether a command of npm, yarn or pnpm leaves them out, or something not known may.
fn omits(command: &Command, variable: &dyn Fn(&[&str]) -> Option<Option<String>>) -> bool {
    let values: Vec<&str> = command.values().collect();
    let asked = command.has(&["--include=dev", "--production=false", "--dev", "-D"])
        || values.windows(2).any(|it| matches!(it, ["--include", "dev"]));
    if asked {
        return false;
    }
    let omitted =
        ["--omit", "--only", "--production", "--prod", "-P", "--also", "--package-lock-only", "--lockfile-only"];
    // Whatever a variable that is set says: who sets it has thought of it.
    let set = ["NODE_ENV", "NPM_CONFIG_OMIT", "npm_config_omit", "NPM_CONFIG_PRODUCTION", "npm_config_production"];
    let production = |name: &str| match variable(&[name]) {
        Some(Some(value)) => !(name == "NODE_ENV" && matches!(value.as_str(), "development" | "dev" | "test")),
        Some(None) => true,
        None => false,
    };
    command.has(&omitted) || set.iter().any(|name| production(name)) || production("YARN_PRODUCTION")
}

/// Whether the project lies in another folder than the one where the command runs.
fn elsewhere(command: &Command) -> bool {
    command.has(&["--prefix", "-C", "--cwd", "--dir", "-w", "--workspace", "--filter", "-F", "-g", "--global"])
}

/// A file of the context that lies in a directory of the image when the RUN begins, and its text.
fn text<'a>(place: &Place<'a>, directory: &str, name: &str) -> Option<(String, &'a str)> {
    let path = join(Some(directory), name)?;
    let states = walk::states(place.file, place.stage_idx, "/");
    let before = states.get(..place.idx)?;
    let Landed::File(found) = landing::landed(place.file, place.stage, before, place.context, &path) else {
        return None;
    };
    let text = place.context.text(&found)?;
    Some((found, text))
}

#[cfg(test)]
mod tests {
    use super::is_for_development;

    #[test]
    fn files_of_requirements_are_known_by_their_names() {
        for name in ["requirements-dev.txt", "requirements/test.txt", "dev-requirements.txt", "requirements.dev.txt"] {
            assert!(is_for_development(name), "{name}");
        }
        for name in ["requirements.txt", "/app/devices.txt", "requirements/prod.txt", "latest.txt"] {
            assert!(!is_for_development(name), "{name}");
        }
    }
}

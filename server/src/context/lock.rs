//! Lock files and manifests of the build context, summed by the table of measured packages.
//!
//! A file is summed once for a context, not at each keystroke. A broken file says nothing, and nothing in it is carried out.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::memo::Memo;
use crate::packages::modules::{Ecosystem, Modules};

/// The packages of a project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Locked {
    /// All of them.
    pub all: Modules,
    /// Without those that are for development alone. Where the file does not tell them apart, all.
    pub production: Modules,
    /// Whether every package is listed; else only those that the project names, with what they usually need.
    pub is_complete: bool,
}

/// What was summed already, by path.
pub(crate) type Summed = Memo<BTreeMap<String, Option<Locked>>>;

/// The packages that the file of this path and text names.
pub(super) fn of(summed: &Summed, path: &str, text: &str) -> Option<Locked> {
    let mut known = summed.known();
    if let Some(known) = known.get(path) {
        return *known;
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let res = read(name, text.trim_start_matches('\u{feff}'));
    known.insert(path.to_owned(), res);
    res
}

/// Whether a file of this name is read here.
pub fn is_known(name: &str) -> bool {
    matches!(
        name,
        "package-lock.json"
            | "npm-shrinkwrap.json"
            | "package.json"
            | "yarn.lock"
            | "pnpm-lock.yaml"
            | "poetry.lock"
            | "uv.lock"
            | "Pipfile.lock"
    ) || name.ends_with(".txt")
}

fn read(name: &str, text: &str) -> Option<Locked> {
    match name {
        "package-lock.json" | "npm-shrinkwrap.json" => package_lock(text),
        "package.json" => package_json(text),
        "yarn.lock" => Some(yarn(text)),
        "pnpm-lock.yaml" => Some(pnpm(text)),
        "poetry.lock" | "uv.lock" => Some(toml_packages(text)),
        "Pipfile.lock" => pipfile(text),
        name if name.ends_with(".txt") => Some(requirements(text)),
        _ => None,
    }
}

fn alike(all: Modules, is_complete: bool) -> Locked {
    Locked { all, production: all, is_complete }
}

/// A name in a lock file, which lies in its text unless it is escaped there.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// npm's lock file: each place in node_modules is an entry in versions 2 and 3; one of version 1 has `dependencies` alone.
/// What a value is not asked for is not kept: the file may have a megabyte.
#[derive(Deserialize)]
struct PackageLock<'a> {
    #[serde(borrow)]
    packages: Option<BTreeMap<Name<'a>, Package<'a>>>,
    #[serde(borrow)]
    dependencies: Option<BTreeMap<Name<'a>, Dependency<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Package<'a> {
    dev: bool,
    dev_optional: bool,
    link: bool,
    #[serde(borrow)]
    os: Option<Vec<Name<'a>>>,
    #[serde(borrow)]
    cpu: Option<Vec<Name<'a>>>,
    #[serde(borrow)]
    libc: Option<Vec<Name<'a>>>,
}

#[derive(Deserialize)]
struct Dependency<'a> {
    #[serde(default)]
    dev: bool,
    #[serde(borrow)]
    dependencies: Option<BTreeMap<Name<'a>, Dependency<'a>>>,
}

fn package_lock(text: &str) -> Option<Locked> {
    let lock: PackageLock = serde_json::from_str(text).ok()?;
    let names: Vec<(&str, bool)> = match (&lock.packages, &lock.dependencies) {
        (Some(packages), _) => packages.iter().filter_map(|(path, package)| in_modules(&path.0, package)).collect(),
        (None, Some(dependencies)) => {
            let mut acc = Vec::new();
            version_1(dependencies, 0, &mut acc);
            acc
        }
        (None, None) => return None,
    };
    let listed = |dev: bool| names.iter().filter(move |(_, is_dev)| dev || !is_dev).map(|(name, _)| *name);
    Some(Locked {
        all: Modules::listed(Ecosystem::Npm, listed(true)),
        production: Modules::listed(Ecosystem::Npm, listed(false)),
        is_complete: true,
    })
}

/// The name of a package that is put into node_modules here (linux, x64, glibc), and whether it is for development.
fn in_modules<'a>(path: &'a str, package: &Package) -> Option<(&'a str, bool)> {
    // A list of systems that has not this one; one that begins with `!` names what it is not for.
    let fits = |list: &Option<Vec<Name>>, here: &str| {
        let Some(list) = list else { return true };
        let negated = list.first().is_some_and(|word| word.0.starts_with('!'));
        let named = list.iter().any(|word| word.0.trim_start_matches('!') == here);
        named != negated
    };
    let name = path.rsplit("node_modules/").next().filter(|_| path.contains("node_modules/"))?;
    let is_here = fits(&package.os, "linux") && fits(&package.cpu, "x64") && fits(&package.libc, "glibc");
    (is_here && !package.link).then_some((name, package.dev || package.dev_optional))
}

fn version_1<'v>(dependencies: &'v BTreeMap<Name, Dependency>, depth: u32, acc: &mut Vec<(&'v str, bool)>) {
    for (name, entry) in dependencies {
        acc.push((&name.0, entry.dev));
        if let Some(inner) = entry.dependencies.as_ref().filter(|_| depth < 20) {
            version_1(inner, depth + 1, acc);
        }
    }
}

fn package_json(text: &str) -> Option<Locked> {
    let value: Value = serde_json::from_str(text).ok()?;
    let names =
        |key: &str| value.get(key).and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.as_str());
    let production: Vec<&str> = names("dependencies").chain(names("optionalDependencies")).collect();
    let all = production.iter().copied().chain(names("devDependencies"));
    Some(Locked {
        all: Modules::needed(Ecosystem::Npm, all),
        production: Modules::needed(Ecosystem::Npm, production.iter().copied()),
        is_complete: false,
    })
}

/// `yarn.lock`, of both kinds: each entry begins at the start of a line with what asks for it (`"a@^1", "a@^2":`).
fn yarn(text: &str) -> Locked {
    let names =
        text.lines().filter(|line| !line.starts_with([' ', '#', '_']) && line.ends_with(':')).filter_map(|line| {
            let name = line.trim_start_matches('"');
            let at = name.get(1..)?.find('@')? + 1;
            name.get(..at)
        });
    alike(Modules::listed(Ecosystem::Npm, names), true)
}

/// `pnpm-lock.yaml`: below `packages:` each entry is `/a@1:`, `'@a/b@1':` or, before version 6, `/a/1:`.
fn pnpm(text: &str) -> Locked {
    let lines = text.lines().skip_while(|line| line.trim_end() != "packages:").skip(1);
    let entries = lines.take_while(|line| line.is_empty() || line.starts_with(' '));
    let mut production: Vec<&str> = Vec::new();
    let mut all: Vec<&str> = Vec::new();
    let mut name = None;
    for line in entries {
        if let Some(key) = line.strip_prefix("  ").filter(|it| !it.starts_with(' ')).and_then(|it| it.strip_suffix(':'))
        {
            name = pnpm_name(key);
            all.extend(name);
            production.extend(name);
        } else if line.trim() == "dev: true" && name.is_some() {
            production.pop();
            name = None;
        }
    }
    Locked {
        all: Modules::listed(Ecosystem::Npm, all.into_iter()),
        production: Modules::listed(Ecosystem::Npm, production.into_iter()),
        is_complete: true,
    }
}

fn pnpm_name(key: &str) -> Option<&str> {
    let key = key.trim_matches(['\'', '"']).trim_start_matches('/');
    let scope = if key.starts_with('@') { key.find('/')? + 1 } else { 0 };
    let end = key.get(scope..)?.find(['@', '/'])? + scope;
    key.get(..end)
}

/// `poetry.lock` and `uv.lock`: a table `[[package]]` each, its name first.
fn toml_packages(text: &str) -> Locked {
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut begins = false;
    for line in text.lines() {
        if line.trim() == "[[package]]" {
            begins = true;
        } else if let Some(name) = line.strip_prefix("name = \"").and_then(|it| it.strip_suffix('"')).filter(|_| begins)
        {
            names.insert(normal(name));
            begins = false;
        }
    }
    alike(Modules::listed(Ecosystem::Pip, names.iter().map(String::as_str)), true)
}

fn pipfile(text: &str) -> Option<Locked> {
    let value: Value = serde_json::from_str(text).ok()?;
    let names = |key: &str| -> Vec<String> {
        value.get(key).and_then(Value::as_object).into_iter().flatten().map(|(name, _)| normal(name)).collect()
    };
    let (default, develop) = (names("default"), names("develop"));
    let production = Modules::listed(Ecosystem::Pip, default.iter().map(String::as_str));
    let all = production.with(Modules::listed(Ecosystem::Pip, develop.iter().map(String::as_str)));
    Some(Locked { all, production, is_complete: true })
}

fn requirements(text: &str) -> Locked {
    let names: Vec<String> = text.lines().filter_map(requirement).collect();
    // Who writes out everything (`pip freeze`) names what is needed too; once is once.
    alike(Modules::needed(Ecosystem::Pip, names.iter().map(String::as_str)), false)
}

/// The package that a requirement names, normalised; `None` for a comment, an option, an address, or what is for another
/// system.
pub fn requirement(line: &str) -> Option<String> {
    let line = line.split(" #").next().unwrap_or(line).trim();
    if line.is_empty() || line.starts_with(['#', '-', '.', '/']) || line.starts_with("git+") || line.contains("://") {
        return None;
    }
    let marker = line.split_once(';').map_or("", |(_, marker)| marker);
    if marker.contains("==") && ["win32", "Windows", "darwin", "Darwin"].iter().any(|it| marker.contains(it)) {
        return None;
    }
    let end = line.find(|it: char| !it.is_ascii_alphanumeric() && !matches!(it, '-' | '_' | '.')).unwrap_or(line.len());
    line.get(..end).filter(|name| !name.is_empty()).map(normal)
}

/// The name of a package as the index compares it (PEP 503).
fn normal(name: &str) -> String {
    let mut res = String::with_capacity(name.len());
    for it in name.chars() {
        match it {
            '-' | '_' | '.' if res.ends_with('-') => {}
            '-' | '_' | '.' => res.push('-'),
            it => res.push(it.to_ascii_lowercase()),
        }
    }
    res
}

#[cfg(test)]
mod tests {
    use super::{pnpm_name, read, requirement};

    fn counts(name: &str, text: &str) -> (u32, u32) {
        let locked = read(name, text).expect("it can be read");
        (locked.all.packages, locked.production.packages)
    }

    #[test]
    fn a_lock_file_of_npm_lists_what_is_installed_here() {
        let text = r#"{"packages":{"":{"name":"x"},"node_modules/a":{},"node_modules/b":{"dev":true},
            "node_modules/a/node_modules/@s/c":{},"node_modules/d":{"os":["darwin"],"optional":true},
            "node_modules/e":{"os":["!win32"],"cpu":["x64"]},"node_modules/f":{"link":true},"lib/f":{}}}"#;
        assert_eq!(counts("package-lock.json", text), (4, 3));
        let text = r#"{"lockfileVersion":1,"dependencies":{"a":{"dependencies":{"b":{}}},"c":{"dev":true}}}"#;
        assert_eq!(counts("package-lock.json", text), (3, 2));
    }

    #[test]
    fn the_lock_files_of_the_others_are_read_by_their_lines() {
        let text = "# yarn lockfile v1\n\n\"@a/b@^1\", \"@a/b@^2\":\n  version \"2\"\n\nc@1:\n  version \"1\"\n";
        assert_eq!(counts("yarn.lock", text), (2, 2));
        let text = "lockfileVersion: '6.0'\n\npackages:\n\n  /a@1.0.0:\n    resolution: {}\n    dev: true\n\n  /@b/c@2.0.0(d@1):\n    dev: false\n\nsnapshots:\n\n  x@1:\n";
        assert_eq!(counts("pnpm-lock.yaml", text), (2, 1));
        assert_eq!(pnpm_name("/a/1.0.0"), Some("a"));
        assert_eq!(pnpm_name("'@b/c@2.0.0'"), Some("@b/c"));
        let text = "[[package]]\nname = \"A_b\"\nversion = \"1\"\n\n[[package]]\nname = \"c\"\n";
        assert_eq!(counts("uv.lock", text), (2, 2));
    }

    #[test]
    fn a_requirement_has_a_name() {
        let check = |line: &str, name: Option<&str>| assert_eq!(requirement(line).as_deref(), name, "{line}");
        check("Flask[async]>=3.0 # web", Some("flask"));
        check("ruamel.yaml == 1 ; python_version > '3'", Some("ruamel-yaml"));
        check("pywin32==306; sys_platform == 'win32'", None);
        check("# a", None);
        check("-r base.txt", None);
        check("git+https://x.org/a", None);
    }

    #[test]
    fn a_broken_file_says_nothing() {
        assert_eq!(read("package-lock.json", "{\"packages\": "), None);
        assert_eq!(read("package-lock.json", "[]"), None);
        assert_eq!(read("README.md", "{}"), None);
    }
}

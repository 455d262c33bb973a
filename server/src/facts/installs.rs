//! What a command does with a package manager: one table of programs, options and verbs.
//!
//! From the manuals of the managers. A word whose value is not known makes the set of packages open, never wrong.

mod table;

use crate::facts::run::{Argument, Command};
use crate::text::Local;
use table::TABLE;

/// A package manager, or a tool that fetches what a manifest lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Manager {
    /// `apt-get`, `apt`, `aptitude`
    Apt,
    /// `apk`
    Apk,
    /// `dnf`, `yum`, `microdnf`, `tdnf`
    Rpm,
    /// `zypper`
    Zypper,
    /// `npm`
    Npm,
    /// `yarn`
    Yarn,
    /// `pnpm`
    Pnpm,
    /// `bun`
    Bun,
    /// `pip`, `python -m pip`
    Pip,
    /// `poetry`
    Poetry,
    /// `uv`
    Uv,
    /// `pipenv`
    Pipenv,
    /// `conda`, `mamba`, `micromamba`
    Conda,
    /// `bundle`
    Bundler,
    /// `composer`
    Composer,
    /// `go`
    Go,
    /// `cargo`
    Cargo,
    /// `mvn`
    Maven,
    /// `gradle`
    Gradle,
    /// `dotnet`
    Dotnet,
}

/// What a manager is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Fetches lists of packages.
    Update,
    /// Installs packages, or what a manifest lists.
    Install,
    /// Takes packages away.
    Remove,
    /// Empties the manager's cache.
    Clean,
    /// Anything else.
    Other,
}

/// A call of a package manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed<'a> {
    /// Which manager.
    pub manager: Manager,
    /// What it does.
    pub verb: Verb,
    /// The verb's text; empty where the manager is called without one (`yarn`).
    pub word: &'a str,
    /// Where the verb stands.
    pub word_range: Local,
    /// The words behind the verb that are neither options nor their values: packages, mostly.
    pub words: Vec<&'a Argument>,
}

/// The package manager that this command calls, and what for.
pub fn deed(command: &Command) -> Option<Deed<'_>> {
    let (name, arguments) = program(command)?;
    let row = TABLE.iter().find(|row| row.programs.contains(&name))?;
    let operands = operands(arguments, row.values);
    let word = operands.first().map_or(Some(""), |argument| argument.value.as_deref())?;
    let word_range = operands.first().map_or(command.range, |argument| argument.range);
    let second = operands.get(1).and_then(|argument| argument.value.as_deref()).unwrap_or("");
    let is_one = |verbs: &[&str]| {
        verbs.iter().find_map(|verb| match verb.split_once(' ') {
            Some((first, next)) => (first == word && next == second).then_some(2),
            None => (*verb == word).then_some(1),
        })
    };
    let (verb, n_words) = [
        (Verb::Update, row.update),
        (Verb::Install, row.install),
        (Verb::Remove, row.remove),
        (Verb::Clean, row.clean),
    ]
    .iter()
    .find_map(|(verb, words)| is_one(words).map(|n_words| (*verb, n_words)))
    .unwrap_or((Verb::Other, 1));
    // `yarn --version` asks for nothing.
    let asks = word.is_empty() && command.has(&["--version", "-v", "-V", "--help", "-h"]);
    let verb = match (row.manager, asks) {
        (_, true) => Verb::Other,
        (Manager::Maven, false) if names_goal(&operands) => Verb::Install,
        (_, false) => verb,
    };
    Some(Deed { manager: row.manager, verb, word, word_range, words: operands.into_iter().skip(n_words).collect() })
}

fn names_goal(operands: &[&Argument]) -> bool {
    operands.iter().any(|it| it.value.as_deref().is_some_and(|value| value.starts_with("dependency:")))
}

/// The manager's name, with `python3 -m pip` and `pip3.11` made `pip`, and the arguments behind it.
fn program(command: &Command) -> Option<(&str, &[Argument])> {
    let name = command.program.rsplit('/').next()?;
    let is_version =
        |name: &str, stem: &str| name.strip_prefix(stem).is_some_and(|rest| rest.bytes().all(is_version_byte));
    if is_version(name, "pip") {
        return Some(("pip", &command.arguments));
    }
    if is_version(name, "python") {
        let at = command.arguments.iter().position(|it| it.value.as_deref() == Some("-m"))?;
        let module = command.arguments.get(at + 1)?.value.as_deref()?;
        let behind = command.arguments.get(at + 2..)?;
        return (module == "pip").then_some(("pip", behind));
    }
    Some((name, &command.arguments))
}

fn is_version_byte(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'.'
}

fn operands<'a>(arguments: &'a [Argument], values: &[&str]) -> Vec<&'a Argument> {
    let mut res = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.value.as_deref() {
            Some(value) if value.starts_with('-') && value.len() > 1 => {
                if values.contains(&value) {
                    arguments.next();
                }
            }
            Some(_) | None => res.push(argument),
        }
    }
    res
}

impl Deed<'_> {
    /// The packages named behind the verb; a version (`=1.2`, `@1.2`) is part of the word. A variable that holds several
    /// (`$BUILD_DEPS`) is taken apart as the shell does.
    pub fn packages(&self) -> impl Iterator<Item = &str> {
        self.words.iter().filter_map(|argument| argument.value.as_deref()).flat_map(str::split_whitespace)
    }

    /// Whether a word behind the verb has no known value, so that more packages may be meant than are named.
    pub fn is_open(&self) -> bool {
        self.words.iter().any(|argument| argument.value.is_none())
    }

    /// Whether it installs what a manifest of the project lists, and nothing that is named on the command line.
    pub fn is_from_manifest(&self, command: &Command) -> bool {
        if self.verb != Verb::Install {
            return false;
        }
        match self.manager {
            Manager::Npm => match self.word {
                "ci" | "clean-install" | "ic" | "install-clean" | "isntall-clean" | "install-ci-test" | "cit" => true,
                "update" | "up" | "upgrade" => false,
                _ => self.words.is_empty() && !command.has(&["-g", "--global"]),
            },
            Manager::Yarn => matches!(self.word, "" | "install") && self.words.is_empty(),
            Manager::Pnpm | Manager::Bun => matches!(self.word, "install" | "i" | "ci") && self.words.is_empty(),
            Manager::Pip => {
                self.word == "install"
                    && self.words.is_empty()
                    && !command.has(&["-e", "--editable"])
                    && !requirements(command).is_empty()
            }
            Manager::Poetry => matches!(self.word, "install" | "sync"),
            Manager::Uv => {
                self.word == "sync"
                    || (self.word == "pip" && self.words.is_empty() && !requirements(command).is_empty())
            }
            Manager::Pipenv => self.words.is_empty(),
            Manager::Bundler | Manager::Go | Manager::Cargo | Manager::Gradle | Manager::Dotnet | Manager::Maven => {
                true
            }
            Manager::Composer => matches!(self.word, "install" | "i" | "update") && self.words.is_empty(),
            Manager::Apt | Manager::Apk | Manager::Rpm | Manager::Zypper | Manager::Conda => false,
        }
    }
}

/// The files named by `-r` and `--requirement`; `None` for one whose name is not known.
pub fn requirements(command: &Command) -> Vec<Option<&str>> {
    let mut res = Vec::new();
    let mut arguments = command.arguments.iter();
    while let Some(argument) = arguments.next() {
        let Some(value) = argument.value.as_deref() else { continue };
        if matches!(value, "-r" | "--requirement" | "--requirements") {
            res.extend(arguments.next().map(|next| next.value.as_deref()));
        } else if let Some(path) = value.strip_prefix("--requirement=") {
            res.push(Some(path));
        } else if let Some(path) = value.strip_prefix("-r").filter(|path| !path.is_empty()) {
            res.push(Some(path));
        }
    }
    res
}

#[cfg(test)]
mod tests {
    use super::{Manager, Verb, deed};
    use crate::config::Config;
    use crate::facts::Facts;
    use crate::lower;

    fn check(line: &str, expected: Option<(Manager, Verb, &[&str], bool)>) {
        let file = lower::file(format!("FROM a\nRUN {line}\n").into(), &lower::Build::default(), None);
        let facts = Facts::of(&file, &Config::default());
        let command = &facts.stages[0].runs[0].commands[0];
        let found = deed(command);
        let found =
            found.as_ref().map(|it| (it.manager, it.verb, it.packages().collect(), it.is_from_manifest(command)));
        let expected = expected.map(|(manager, verb, words, manifest)| (manager, verb, words.to_vec(), manifest));
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn managers_are_known_by_their_programs_and_verbs() {
        let apt = |verb, words: &'static [&str]| Some((Manager::Apt, verb, words, false));
        check("apt-get -qq -o A::B=1 -o C=2 update", apt(Verb::Update, &[]));
        check(
            "DEBIAN_FRONTEND=noninteractive apt-get -y install -t sid curl git=1",
            apt(Verb::Install, &["curl", "git=1"]),
        );
        check("sudo /usr/bin/apt-get purge -y gcc", apt(Verb::Remove, &["gcc"]));
        check("apt-get clean", apt(Verb::Clean, &[]));
        check("apk add --no-cache -t .deps gcc", Some((Manager::Apk, Verb::Install, &["gcc"], false)));
        check("npm cache clean --force", Some((Manager::Npm, Verb::Clean, &[], false)));
        check("npm run build", Some((Manager::Npm, Verb::Other, &["build"], false)));
        check("ls", None);
    }

    #[test]
    fn what_a_manifest_lists_is_told_from_what_is_named() {
        let check_npm = |line, words, manifest| check(line, Some((Manager::Npm, Verb::Install, words, manifest)));
        check_npm("npm ci --omit=dev", &[], true);
        check_npm("npm i --only production", &[], true);
        check_npm("npm install -g npm", &["npm"], false);
        let check_pip = |line, words, manifest| check(line, Some((Manager::Pip, Verb::Install, words, manifest)));
        check_pip("python3.11 -m pip install -U -r requirements.txt", &[], true);
        check_pip("./venv/bin/pip3 install -rrequirements.txt", &[], true);
        check_pip("pip install -r a.txt gunicorn", &["gunicorn"], false);
        check_pip("pip install -e .", &[], false);
        check("yarn --frozen-lockfile", Some((Manager::Yarn, Verb::Install, &[], true)));
        check("yarn --version", Some((Manager::Yarn, Verb::Other, &[], false)));
        check("go mod download", Some((Manager::Go, Verb::Install, &[], true)));
        check("mvn -B dependency:go-offline", Some((Manager::Maven, Verb::Install, &[], true)));
    }
}

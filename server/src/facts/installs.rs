//! What a command does with a package manager: one table of programs, options and verbs.
//!
//! From the manuals of the managers. A word whose value is not known makes the set of packages open, never wrong.

use crate::facts::run::{Argument, Command};
use crate::text::Local;

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

struct Row {
    programs: &'static [&'static str],
    manager: Manager,
    /// Options whose value is the next word.
    values: &'static [&'static str],
    update: &'static [&'static str],
    install: &'static [&'static str],
    remove: &'static [&'static str],
    /// A word alone, or two with a blank between them (`cache clean`).
    clean: &'static [&'static str],
}

const EMPTY: Row =
    Row { programs: &[], manager: Manager::Apt, values: &[], update: &[], install: &[], remove: &[], clean: &[] };

static TABLE: &[Row] = &[
    Row {
        programs: &["apt-get", "apt", "aptitude"],
        manager: Manager::Apt,
        values: &["-o", "-t", "-c", "--option", "--target-release", "--default-release", "--config-file"],
        update: &["update"],
        install: &["install", "build-dep"],
        remove: &["remove", "purge", "autoremove", "autopurge"],
        clean: &["clean", "autoclean", "distclean"],
    },
    Row {
        programs: &["apk"],
        manager: Manager::Apk,
        values: &[
            "-X",
            "--repository",
            "-p",
            "--root",
            "-t",
            "--virtual",
            "--arch",
            "--cache-dir",
            "--keys-dir",
            "--repositories-file",
            "--wait",
        ],
        update: &["update"],
        install: &["add"],
        remove: &["del"],
        clean: &["cache clean", "cache purge"],
    },
    Row {
        programs: &["dnf", "dnf5", "yum", "microdnf", "tdnf"],
        manager: Manager::Rpm,
        values: &[
            "-c",
            "-x",
            "--exclude",
            "--enablerepo",
            "--disablerepo",
            "--setopt",
            "--releasever",
            "--installroot",
        ],
        update: &["makecache", "check-update"],
        install: &["install", "groupinstall", "localinstall", "reinstall", "update", "upgrade", "builddep"],
        remove: &["remove", "erase", "autoremove"],
        clean: &["clean"],
    },
    Row {
        programs: &["zypper"],
        manager: Manager::Zypper,
        values: &["--root", "-R", "--repo", "-r", "--from"],
        update: &["refresh", "ref"],
        install: &["install", "in", "update", "up"],
        remove: &["remove", "rm"],
        clean: &["clean", "cc"],
    },
    Row {
        programs: &["npm"],
        manager: Manager::Npm,
        values: &[
            "--prefix",
            "-C",
            "--cache",
            "--registry",
            "--loglevel",
            "--workspace",
            "-w",
            "--omit",
            "--include",
            "--only",
            "--also",
            "--userconfig",
            "--tag",
            "--network-timeout",
            "--fetch-timeout",
            "--fetch-retries",
            "--maxsockets",
            "--audit-level",
            "--install-strategy",
            "--lockfile-version",
        ],
        install: &[
            "install",
            "i",
            "in",
            "ins",
            "inst",
            "insta",
            "instal",
            "isnt",
            "isnta",
            "isntal",
            "isntall",
            "add",
            "ci",
            "clean-install",
            "ic",
            "install-clean",
            "isntall-clean",
            "install-test",
            "it",
            "install-ci-test",
            "cit",
            "update",
            "up",
            "upgrade",
        ],
        remove: &["uninstall", "un", "remove", "rm", "r", "unlink", "prune"],
        clean: &["cache clean", "cache clear", "cache rm"],
        ..EMPTY
    },
    Row {
        programs: &["yarn", "yarnpkg"],
        manager: Manager::Yarn,
        values: &[
            "--cwd",
            "--network-timeout",
            "--network-concurrency",
            "--mutex",
            "--registry",
            "--cache-folder",
            "--modules-folder",
        ],
        install: &["", "install", "add", "global add", "upgrade", "up"],
        remove: &["remove"],
        clean: &["cache clean"],
        ..EMPTY
    },
    Row {
        programs: &["pnpm"],
        manager: Manager::Pnpm,
        values: &["--filter", "-F", "--dir", "-C", "--store-dir", "--reporter", "--registry"],
        install: &["install", "i", "ci", "add", "update", "up", "fetch"],
        remove: &["remove", "rm", "uninstall", "un", "prune"],
        clean: &["store prune"],
        ..EMPTY
    },
    Row {
        programs: &["bun"],
        manager: Manager::Bun,
        values: &["--cwd", "--cache-dir", "--registry"],
        install: &["install", "i", "add", "a"],
        remove: &["remove", "rm"],
        ..EMPTY
    },
    Row {
        programs: &["pip"],
        manager: Manager::Pip,
        values: &[
            "-r",
            "--requirement",
            "-c",
            "--constraint",
            "-i",
            "--index-url",
            "--extra-index-url",
            "-f",
            "--find-links",
            "-t",
            "--target",
            "--prefix",
            "--root",
            "--src",
            "--proxy",
            "--timeout",
            "--default-timeout",
            "--retries",
            "--trusted-host",
            "--cache-dir",
            "-d",
            "--dest",
            "-w",
            "--wheel-dir",
            "--platform",
            "--python-version",
            "--implementation",
            "--abi",
            "--no-binary",
            "--only-binary",
            "--config-settings",
            "--global-option",
            "--install-option",
            "--log",
            "--upgrade-strategy",
            "--python",
            "-e",
            "--editable",
            "--progress-bar",
            "--group",
            "--cert",
            "--use-feature",
            "--use-deprecated",
        ],
        install: &["install", "wheel", "download"],
        remove: &["uninstall"],
        clean: &["cache purge", "cache remove"],
        ..EMPTY
    },
    Row {
        programs: &["poetry"],
        manager: Manager::Poetry,
        values: &["--without", "--with", "--only", "-E", "--extras", "-C", "--directory", "-P", "--project"],
        install: &["install", "sync", "add"],
        clean: &["cache clear"],
        ..EMPTY
    },
    Row {
        programs: &["uv"],
        manager: Manager::Uv,
        values: &["--group", "--extra", "--python", "-p", "--directory", "--project", "--no-group", "--only-group"],
        install: &["sync", "pip install", "pip sync", "add", "tool install"],
        clean: &["cache clean", "cache prune"],
        ..EMPTY
    },
    Row {
        programs: &["pipenv"],
        manager: Manager::Pipenv,
        values: &["--python", "--extra-pip-args", "--pypi-mirror"],
        install: &["install", "sync"],
        clean: &["--clear"],
        ..EMPTY
    },
    Row {
        programs: &["conda", "mamba", "micromamba"],
        manager: Manager::Conda,
        values: &["-n", "--name", "-p", "--prefix", "-c", "--channel", "-f", "--file"],
        install: &["install", "create", "update", "env create", "env update"],
        remove: &["remove", "uninstall"],
        clean: &["clean"],
        ..EMPTY
    },
    Row {
        programs: &["bundle", "bundler"],
        manager: Manager::Bundler,
        values: &["--jobs", "-j", "--retry", "--without", "--with", "--path", "--gemfile"],
        install: &["", "install"],
        ..EMPTY
    },
    Row {
        programs: &["composer"],
        manager: Manager::Composer,
        values: &["-d", "--working-dir"],
        install: &["install", "i", "update", "require", "global require", "create-project"],
        remove: &["remove"],
        clean: &["clear-cache", "clearcache", "cc"],
        ..EMPTY
    },
    Row { programs: &["go"], manager: Manager::Go, install: &["mod download"], clean: &["clean"], ..EMPTY },
    Row { programs: &["cargo"], manager: Manager::Cargo, install: &["fetch"], ..EMPTY },
    Row {
        programs: &["mvn", "mvnw", "./mvnw"],
        manager: Manager::Maven,
        values: &["-f", "--file", "-s", "--settings", "-pl", "--projects", "-P", "-T"],
        ..EMPTY
    },
    Row {
        programs: &["gradle", "gradlew", "./gradlew"],
        manager: Manager::Gradle,
        values: &["-b", "-p", "--project-dir", "-x", "-g"],
        install: &["dependencies"],
        ..EMPTY
    },
    Row {
        programs: &["dotnet"],
        manager: Manager::Dotnet,
        values: &["-r", "--runtime", "-s", "--source", "-v", "--verbosity"],
        install: &["restore"],
        ..EMPTY
    },
];

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
    let name = match command.program.rsplit('/').next()? {
        "mvnw" => "mvnw",
        "gradlew" => "gradlew",
        name => name,
    };
    let is_version =
        |name: &str, stem: &str| name.strip_prefix(stem).is_some_and(|rest| rest.bytes().all(|it| is_version_byte(it)));
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
    /// The packages named behind the verb; a version (`=1.2`, `@1.2`) is part of the word.
    pub fn packages(&self) -> impl Iterator<Item = &str> {
        self.words.iter().filter_map(|argument| argument.value.as_deref())
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

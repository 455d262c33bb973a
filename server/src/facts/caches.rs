//! What package managers leave in a layer beside what was asked for: lists, indexes, caches of downloads.
//!
//! Only what surely stays is named: a removal that may happen, a mount, a place that is not known make it nothing.

use crate::facts::installs::{Deed, Manager, Verb, deed};
use crate::facts::removes::{Removal, homely, removal};
use crate::facts::run::{Command, RunFacts, is_below};
use crate::model::{ImageRef, Placed, Stage};
use crate::shell::{self, CommandKind, Script};
use crate::weight::{Basis, Estimate};

/// What is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    /// The package lists of `apt-get update`.
    AptLists,
    /// The index of `apk`.
    ApkIndex,
    /// The metadata and packages that `dnf` and `yum` keep.
    Rpm,
    /// npm's cache of downloads.
    Npm,
    /// Yarn's cache of downloads (version 1).
    Yarn,
    /// pip's cache of wheels and answers.
    Pip,
    /// The archives that conda keeps.
    Conda,
    /// Composer's cache of archives.
    Composer,
}

impl Cache {
    /// What it is, as the subject of a sentence in the plural or singular, with its verb (`the package lists stay`).
    pub fn stays(self) -> &'static str {
        match self {
            Cache::AptLists => "the package lists stay",
            Cache::ApkIndex => "the package index stays",
            Cache::Rpm => "the package manager's cache stays",
            Cache::Npm => "npm's cache of downloads stays",
            Cache::Yarn => "Yarn's cache of downloads stays",
            Cache::Pip => "pip's cache of downloads stays",
            Cache::Conda => "conda's archives stay",
            Cache::Composer => "Composer's cache stays",
        }
    }
}

/// What `apt-get update` writes (measured for Debian 12 with the image's own apt configuration; an image that does not
/// compress the indexes keeps some 87 MB).
pub fn lists_weight(image: Option<&ImageRef>) -> Estimate {
    let debian = image.is_some_and(|image| image.registry == "docker.io" && image.path == "library/debian");
    let (basis, high) = if debian { (Basis::Recipe, 33_000_000) } else { (Basis::Guess, 87_000_000) };
    Estimate::between(15_000_000, 19_852_735, high, basis, "package lists of Debian 12, 2026-11-20")
}

/// Something that a command leaves in the layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// What.
    pub cache: Cache,
    /// The command that brought it, as an index of `RunFacts::commands`.
    pub command: usize,
    /// Where it lies; below `~` in the home folder of whoever ran the command.
    pub path: String,
    /// Whether that is where the manager puts it without being told.
    pub usual: bool,
}

/// What the commands of a RUN leave; `run` has its commands, directories and mounts already.
pub(super) fn left(stage: &Stage, placed: &Placed, run: &RunFacts, script: &Script) -> Vec<Left> {
    let mut res = Vec::new();
    for (idx, command) in run.commands.iter().enumerate() {
        if !command.certain {
            continue;
        }
        let at = Asked { stage, placed, run, script, idx, command };
        let Some((cache, place)) = at.fills() else { continue };
        let Some((path, usual)) = place else { continue };
        if !at.is_gone(cache, &path) {
            res.push(Left { cache, command: idx, path, usual });
        }
    }
    res
}

/// A place, and whether it is the usual one; `None` where it is not known.
type Place = Option<(String, bool)>;

/// A command in its RUN.
struct Asked<'a> {
    stage: &'a Stage,
    placed: &'a Placed,
    run: &'a RunFacts,
    script: &'a Script,
    idx: usize,
    command: &'a Command,
}

impl Asked<'_> {
    fn fills(&self) -> Option<(Cache, Place)> {
        let usual = |path: &str| Some((path.to_owned(), true));
        if self.command.has(&["--help", "--dry-run", "--version"]) {
            return None;
        }
        if self.command.program == "npx" {
            return self.fetches_a_tool().then(|| (Cache::Npm, self.npm()));
        }
        let deed = deed(self.command)?;
        match (deed.manager, deed.verb) {
            // Elsewhere by `-o Dir::State=…`.
            (Manager::Apt, Verb::Update) if self.command.values().any(|it| it.contains("Dir::")) => None,
            (Manager::Apt, Verb::Update) => Some((Cache::AptLists, usual("/var/lib/apt/lists"))),
            (Manager::Apk, Verb::Update | Verb::Install) if self.command.has(&["--no-cache"]) => None,
            (Manager::Apk, Verb::Update | Verb::Install) => Some((Cache::ApkIndex, usual("/var/cache/apk"))),
            (Manager::Rpm, Verb::Install | Verb::Update) => {
                let yum = self.command.program == "yum";
                Some((Cache::Rpm, usual(if yum { "/var/cache/yum" } else { "/var/cache/dnf" })))
            }
            (Manager::Npm, Verb::Install) if self.command.has(&["--offline", "--package-lock-only"]) => None,
            (Manager::Npm, Verb::Install) => Some((Cache::Npm, self.npm())),
            (Manager::Npm, Verb::Other) if deed.word == "exec" && self.fetches_a_tool() => {
                Some((Cache::Npm, self.npm()))
            }
            (Manager::Yarn, Verb::Install) => Some((Cache::Yarn, self.yarn())),
            (Manager::Pip, Verb::Install) => self.pip(),
            (Manager::Conda, Verb::Install) => Some((Cache::Conda, usual("/opt/conda/pkgs"))),
            (Manager::Composer, Verb::Install) if self.command.has(&["--no-cache"]) => None,
            (Manager::Composer, Verb::Install) => Some((Cache::Composer, usual("~/.composer/cache"))),
            _ => None,
        }
    }

    /// `npx` takes a tool from node_modules when it is there; only `-y` and `-p` say that it is fetched.
    fn fetches_a_tool(&self) -> bool {
        self.command.has(&["-y", "--yes", "-p", "--package"])
    }

    fn npm(&self) -> Place {
        match self.option(&["--cache"]).or_else(|| self.variable(&["npm_config_cache", "NPM_CONFIG_CACHE"])) {
            Some(path) => path.map(|path| (path, false)),
            None if self.variable(&["HOME"]).is_some() => None,
            None => Some(("~/.npm".to_owned(), true)),
        }
    }

    fn yarn(&self) -> Place {
        match self.option(&["--cache-folder"]).or_else(|| self.variable(&["YARN_CACHE_FOLDER"])) {
            Some(path) => path.map(|path| (path, false)),
            None => Some(("/usr/local/share/.cache/yarn".to_owned(), true)),
        }
    }

    fn pip(&self) -> Option<(Cache, Place)> {
        // optparse accepts every beginning of an option that is clear.
        if self.command.has(&["--no-cache-dir", "--no-cache", "--no-cache-di", "--no-index"]) {
            return None;
        }
        // pip switches the cache off for `0`, `off` and `false` too (pip 19.0, for compatibility); not for nothing.
        let off = self.variable(&["PIP_NO_CACHE_DIR"]).is_some_and(|it| it.is_none_or(|value| !value.is_empty()));
        if off || self.variable(&["PIP_NO_INDEX"]).is_some() {
            return None;
        }
        let place = match self.option(&["--cache-dir"]).or_else(|| self.variable(&["PIP_CACHE_DIR"])) {
            Some(path) => path.map(|path| (path, false)),
            None => match self.variable(&["XDG_CACHE_HOME"]) {
                Some(folder) => folder.map(|folder| (format!("{folder}/pip"), false)),
                None if self.variable(&["HOME"]).is_some() => None,
                None => Some(("~/.cache/pip".to_owned(), true)),
            },
        };
        Some((Cache::Pip, place))
    }

    /// The value of an option; `Some(None)` where it is there and its value is not known.
    fn option(&self, names: &[&str]) -> Option<Option<String>> {
        let mut arguments = self.command.arguments.iter();
        while let Some(argument) = arguments.next() {
            let Some(value) = argument.value.as_deref() else { continue };
            for name in names {
                match value.strip_prefix(name) {
                    Some("") => return Some(arguments.next().and_then(|next| next.value.clone())),
                    Some(rest) if rest.starts_with('=') => return Some(rest.get(1..).map(str::to_owned)),
                    Some(_) | None => {}
                }
            }
        }
        None
    }

    /// The value of an environment variable as the command sees it; `Some(None)` where it is set and not known.
    fn variable(&self, names: &[&str]) -> Option<Option<String>> {
        let call = self.script.calls.get(self.command.call)?;
        if let Some(own) = call.environment.iter().find(|it| names.contains(&it.name.as_str())) {
            return Some(own.value.literal());
        }
        for earlier in self.run.commands.get(..self.idx)?.iter().rev() {
            for value in earlier.values().filter(|_| earlier.program == "export") {
                let (name, value) = value.split_once('=').unwrap_or((value, ""));
                if names.contains(&name) {
                    return Some(Some(value.to_owned()));
                }
            }
        }
        // `A=1` without `export` reaches the program only if the name was exported before: not known.
        let assigned = self.script.list.commands().filter(|it| it.range.end <= call.range.start);
        let sets = |command: &shell::Command| match &command.kind {
            CommandKind::Simple(it) => {
                it.words.is_empty() && it.assignments.iter().any(|it| names.contains(&it.name.as_str()))
            }
            _ => false,
        };
        if { assigned }.any(sets) {
            return Some(None);
        }
        let set = names.iter().find_map(|name| self.stage.scope.get_at(name, self.placed.at))?;
        Some(set.value.clone())
    }

    /// Whether it is removed, cleaned or mounted, or may be.
    fn is_gone(&self, cache: Cache, path: &str) -> bool {
        // What is written to a mount of memory is in no layer.
        if is_below(path, "/dev/shm") || is_below(path, "/run/shm") {
            return true;
        }
        let inside = if cache == Cache::Npm { format!("{path}/_cacache") } else { path.to_owned() };
        let home = homely(&inside);
        if self.run.mounted.iter().any(|target| is_below(&inside, target) || is_below(&home, &homely(target))) {
            return true;
        }
        let mut others: Vec<&str> = vec![&inside];
        match cache {
            // A family: one program's cache is often deleted by the other's name.
            Cache::Rpm => others.extend(["/var/cache/yum", "/var/cache/dnf"]),
            Cache::Yarn => others.extend(["~/.cache/yarn", "~/.yarn", "~/.cache"]),
            Cache::Composer => others.extend(["~/.cache/composer", "~/.composer"]),
            Cache::ApkIndex if self.run.is_mounted("/etc/apk/cache") => return true,
            Cache::Conda if self.run.mounted.iter().any(|it| it.ends_with("pkgs")) => return true,
            Cache::AptLists | Cache::ApkIndex | Cache::Npm | Cache::Pip | Cache::Conda => {}
        }
        if others.iter().any(|it| removal(self.run, &self.run.directories, it, self.idx) != Removal::No) {
            return true;
        }
        let later = self.run.commands.iter().skip(self.idx + 1).filter_map(deed);
        let cleans = |deed: &Deed| match cache {
            // `clean` of apt empties the archives, not the lists; `distclean` was looked at as a removal.
            Cache::AptLists => false,
            Cache::ApkIndex => is(deed, Manager::Apk, Verb::Clean),
            Cache::Rpm => is(deed, Manager::Rpm, Verb::Clean),
            Cache::Npm => is(deed, Manager::Npm, Verb::Clean),
            Cache::Yarn => is(deed, Manager::Yarn, Verb::Clean),
            Cache::Pip => is(deed, Manager::Pip, Verb::Clean),
            Cache::Conda => is(deed, Manager::Conda, Verb::Clean),
            Cache::Composer => is(deed, Manager::Composer, Verb::Clean),
        };
        later.into_iter().any(|deed| cleans(&deed))
    }
}

fn is(deed: &Deed, manager: Manager, verb: Verb) -> bool {
    deed.manager == manager && deed.verb == verb
}

//! What package managers leave in a layer beside what was asked for: lists, indexes, caches of downloads.
//!
//! Only what surely stays is named: a removal that may happen, a mount, a place that is not known make it nothing.

mod table;

use crate::facts::caches::table::{Row, TABLE};
use crate::facts::environment;
use crate::facts::installs::{Deed, Manager, Verb, deed};
use crate::facts::removes::{Removal, deletes, homely, removal};
use crate::facts::run::{Command, RunFacts, is_below};
use crate::model::{ImageRef, Placed, Stage};
use crate::shell::Script;
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
    /// Those of `zypper`.
    Zypper,
    /// npm's cache of downloads.
    Npm,
    /// Yarn's cache of downloads (version 1).
    Yarn,
    /// pnpm's store, where packages are copied out of it.
    Pnpm,
    /// bun's cache of downloads, where packages are copied out of it.
    Bun,
    /// pip's cache of wheels and answers.
    Pip,
    /// The archives that conda keeps.
    Conda,
    /// The archives that RubyGems and Bundler keep.
    Gem,
    /// Composer's cache of archives.
    Composer,
    /// Poetry's cache of wheels.
    Poetry,
    /// uv's cache, where packages are copied out of it.
    Uv,
    /// pipenv's cache of wheels.
    Pipenv,
    /// The crates that cargo keeps.
    Cargo,
    /// The modules that go keeps, and what it compiled.
    Go,
    /// Maven's repository.
    Maven,
    /// Gradle's home.
    Gradle,
    /// NuGet's packages.
    Nuget,
}

impl Cache {
    /// What it is, as the subject of a sentence in the plural or singular, with its verb (`the package lists stay`).
    pub fn stays(self) -> &'static str {
        match self {
            Cache::AptLists => "the package lists stay",
            Cache::ApkIndex => "the package index stays",
            Cache::Rpm | Cache::Zypper => "the package manager's cache stays",
            Cache::Npm => "npm's cache of downloads stays",
            Cache::Yarn => "Yarn's cache of downloads stays",
            Cache::Pnpm => "pnpm's store stays",
            Cache::Bun => "bun's cache of downloads stays",
            Cache::Pip => "pip's cache of downloads stays",
            Cache::Conda => "conda's archives stay",
            Cache::Gem => "the archives of the gems stay",
            Cache::Composer => "Composer's cache stays",
            Cache::Poetry => "Poetry's cache of downloads stays",
            Cache::Uv => "uv's cache stays",
            Cache::Pipenv => "pipenv's cache of downloads stays",
            Cache::Cargo => "cargo's downloads stay",
            Cache::Go => "go's downloads and build cache stay",
            Cache::Maven => "Maven's repository stays",
            Cache::Gradle => "Gradle's cache stays",
            Cache::Nuget => "NuGet's packages stay",
        }
    }

    /// Whether it holds what compilers were given or made, which only a build needs.
    pub fn is_of_compiler(self) -> bool {
        match self {
            Cache::Cargo | Cache::Go | Cache::Maven | Cache::Gradle | Cache::Nuget => true,
            Cache::AptLists
            | Cache::ApkIndex
            | Cache::Rpm
            | Cache::Zypper
            | Cache::Npm
            | Cache::Yarn
            | Cache::Pnpm
            | Cache::Bun
            | Cache::Pip
            | Cache::Conda
            | Cache::Gem
            | Cache::Composer
            | Cache::Poetry
            | Cache::Uv
            | Cache::Pipenv => false,
        }
    }

    /// Whose it is.
    pub fn manager(self) -> Manager {
        match self {
            Cache::AptLists => Manager::Apt,
            Cache::ApkIndex => Manager::Apk,
            Cache::Rpm => Manager::Rpm,
            Cache::Zypper => Manager::Zypper,
            Cache::Npm => Manager::Npm,
            Cache::Yarn => Manager::Yarn,
            Cache::Pnpm => Manager::Pnpm,
            Cache::Bun => Manager::Bun,
            Cache::Pip => Manager::Pip,
            Cache::Conda => Manager::Conda,
            Cache::Gem => Manager::Bundler,
            Cache::Composer => Manager::Composer,
            Cache::Poetry => Manager::Poetry,
            Cache::Uv => Manager::Uv,
            Cache::Pipenv => Manager::Pipenv,
            Cache::Cargo => Manager::Cargo,
            Cache::Go => Manager::Go,
            Cache::Maven => Manager::Maven,
            Cache::Gradle => Manager::Gradle,
            Cache::Nuget => Manager::Dotnet,
        }
    }

    /// Whether a command of its manager empties it.
    pub fn is_cleaned_by(self, deed: &Deed) -> bool {
        if deed.manager != self.manager() || deed.verb != Verb::Clean {
            return false;
        }
        match self {
            // `clean` of apt empties the archives, not the lists.
            Cache::AptLists => matches!(deed.word, "distclean" | "dist-clean"),
            // `clean packages` leaves the metadata, which are most of it.
            Cache::Rpm => {
                deed.is_open()
                    || deed.packages().any(|it| matches!(it, "all" | "metadata" | "dbcache" | "expire-cache"))
            }
            _ => true,
        }
    }

    /// Whether a command of its manager fills it again.
    pub fn is_filled_by(self, deed: &Deed) -> bool {
        let verb = match self {
            Cache::AptLists => deed.verb == Verb::Update,
            Cache::ApkIndex | Cache::Rpm | Cache::Zypper => matches!(deed.verb, Verb::Update | Verb::Install),
            _ => deed.verb == Verb::Install,
        };
        deed.manager == self.manager() && verb
    }
}

/// What `apt-get update` writes (measured for Debian 12 with the image's own apt configuration; an image that does not
/// compress the indexes keeps some 87 MB).
pub fn lists_weight(image: Option<&ImageRef>) -> Estimate {
    let debian = image.is_some_and(|image| image.registry == "docker.io" && image.path == "library/debian");
    let (basis, high) = if debian { (Basis::Recipe, 33_000_000) } else { (Basis::Guess, 87_000_000) };
    Estimate::between(15_000_000, 19_852_735, high, basis, "package lists of Debian 12, 2026-11-20")
}

/// What `apk` keeps of its index: the lists of two repositories, compressed.
pub fn index_weight() -> Estimate {
    Estimate::between(1_500_000, 2_400_000, 3_500_000, Basis::Guess, "the usual index of Alpine's two repositories")
}

/// Whether a command asks for the lists of its repositories anew even where an earlier layer has them.
pub fn asks_anew(command: &Command) -> bool {
    let updates = deed(command).is_some_and(|it| it.verb == Verb::Update);
    updates || command.has(&["-U", "--update", "--update-cache", "--refresh"])
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
    // Without a network nothing is fetched.
    let network = placed.instruction.flag("network").and_then(|flag| flag.value.as_ref());
    if network.is_some_and(|value| value.text == "none") {
        return res;
    }
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
        if self.command.program == "gem" {
            let installs = matches!(self.command.subcommand(), Some("install" | "i" | "update"));
            // Bundler alone, or RubyGems itself, is an archive of less than a megabyte.
            let names: Vec<&str> = self.command.operands().skip(1).filter_map(|it| it.value.as_deref()).collect();
            let is_little =
                |it: &str| matches!(it, "bundler" | "rake") || it.starts_with(|it: char| it.is_ascii_digit());
            let little = self.command.has(&["--system"]) || !names.is_empty() && names.into_iter().all(is_little);
            let installs = installs && !little;
            return installs.then(|| (Cache::Gem, usual("/usr/local/bundle/cache")));
        }
        let deed = deed(self.command)?;
        match (deed.manager, deed.verb) {
            // Elsewhere by `-o Dir::State=…`.
            (Manager::Apt, Verb::Update) if self.command.values().any(|it| it.contains("Dir::")) => None,
            (Manager::Apt, Verb::Update) => Some((Cache::AptLists, usual("/var/lib/apt/lists"))),
            (Manager::Apk, _) => self.apk(&deed).then(|| (Cache::ApkIndex, usual("/var/cache/apk"))),
            (Manager::Rpm, Verb::Install | Verb::Update) if self.command.has(&["--installroot"]) => None,
            (Manager::Rpm, Verb::Install | Verb::Update) => {
                let yum = self.command.program == "yum";
                Some((Cache::Rpm, usual(if yum { "/var/cache/yum" } else { "/var/cache/dnf" })))
            }
            (Manager::Zypper, Verb::Install | Verb::Update) if self.command.has(&["--root", "-R"]) => None,
            (Manager::Zypper, Verb::Install | Verb::Update) => Some((Cache::Zypper, usual("/var/cache/zypp"))),
            (Manager::Npm, Verb::Install) if self.command.has(&["--offline", "--package-lock-only"]) => None,
            (Manager::Npm, Verb::Install) => Some((Cache::Npm, self.npm())),
            (Manager::Npm, Verb::Other) if deed.word == "exec" && self.fetches_a_tool() => {
                Some((Cache::Npm, self.npm()))
            }
            (Manager::Pip, Verb::Install) => self.pip(),
            (manager, verb) => {
                let row = TABLE.iter().find(|row| row.manager == manager)?;
                let fills = verb == Verb::Install
                    || verb == Verb::Other && row.fills.iter().any(|it| *it == "*" || *it == deed.word);
                if !fills { None } else { self.of_row(row) }
            }
        }
    }

    /// Whether a command of `apk` fetches the index and keeps it where it is usual.
    fn apk(&self, deed: &Deed) -> bool {
        let fetches = matches!(deed.verb, Verb::Update | Verb::Install) || deed.word == "upgrade";
        let elsewhere = ["--no-cache", "--cache-dir", "--root", "-p", "--no-network", "--initdb"];
        // A package that lies in a file is no reason to fetch anything.
        let local = deed.verb == Verb::Install
            && !deed.is_open()
            && deed.packages().all(|it| it.ends_with(".apk"))
            && !self.command.has(&["-U", "--update-cache", "--update"]);
        fetches && !local && !self.command.has(&elsewhere)
    }

    fn of_row(&self, row: &Row) -> Option<(Cache, Place)> {
        let is_set = |name: &str| match self.variable(&[name]) {
            Some(Some(value)) => !matches!(value.as_str(), "" | "0" | "false"),
            Some(None) => true,
            None => false,
        };
        if self.command.has(row.off) || row.off_variable.is_some_and(is_set) {
            return None;
        }
        let says = |word: &str| match word.split_once('=') {
            Some((option, value)) => self.option(&[option]) == Some(Some(value.to_owned())),
            None => self.command.has(&[word]),
        };
        let variable = row
            .needs_variable
            .is_some_and(|(name, value)| self.variable(&[name]).is_some_and(|found| found.as_deref() == Some(value)));
        if !row.needs.is_empty() && !variable && !row.needs.iter().any(|word| says(word)) {
            return None;
        }
        if let Some(path) = self.option(row.options) {
            return Some((row.cache, path.map(|path| (path, false))));
        }
        for (name, behind) in row.variables {
            if let Some(path) = self.variable(&[name]) {
                return Some((row.cache, path.map(|path| (format!("{path}{behind}"), false))));
            }
        }
        if row.path.starts_with('~') && self.variable(&["HOME", "XDG_CACHE_HOME"]).is_some() {
            return Some((row.cache, None));
        }
        Some((row.cache, Some((row.path.to_owned(), true))))
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

    fn variable(&self, names: &[&str]) -> Option<Option<String>> {
        environment::variable(self.stage, self.placed, self.run, self.script, self.idx, names)
    }

    /// Whether it is removed, cleaned or mounted, or may be.
    fn is_gone(&self, cache: Cache, path: &str) -> bool {
        // What is written to a mount of memory, or to nowhere, is in no layer.
        if is_below(path, "/dev") || is_below(path, "/run/shm") {
            return true;
        }
        let row = TABLE.iter().find(|row| row.cache == cache);
        let inside = if cache == Cache::Npm { format!("{path}/_cacache") } else { path.to_owned() };
        let mut places: Vec<&str> = vec![&inside];
        match cache {
            // A family: one program's cache is often deleted by the other's name.
            Cache::Rpm => places.extend(["/var/cache/yum", "/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/tdnf"]),
            Cache::ApkIndex if self.run.is_mounted("/etc/apk/cache") => return true,
            _ => places.extend(row.into_iter().flat_map(|row| row.others)),
        }
        let is_mounted = |place: &str| {
            let home = homely(place);
            self.run.mounted.iter().any(|target| is_below(place, target) || is_below(&home, &homely(target)))
        };
        if places.iter().any(|it| is_mounted(it)) {
            return true;
        }
        if places.iter().any(|it| removal(self.run, &self.run.directories, it, self.idx) != Removal::No) {
            return true;
        }
        let name = row.map_or("", |row| row.name);
        if !name.is_empty() && self.names_it(name) {
            return true;
        }
        let later = self.run.commands.iter().skip(self.idx + 1).filter_map(deed);
        later.into_iter().any(|deed| cache.is_cleaned_by(&deed))
    }

    /// Whether a later command deletes a folder of this name, or one is mounted.
    fn names_it(&self, name: &str) -> bool {
        let is_part = |path: &str| path.split('/').any(|part| part == name);
        self.run.mounted.iter().any(|it| is_part(it)) || {
            let later = self.run.commands.iter().enumerate().skip(self.idx + 1);
            { later }.any(|(idx, command)| {
                let directory = self.run.directories.get(idx).and_then(Option::as_deref);
                deletes(command, directory).is_some_and(|it| it.paths.iter().any(|path| is_part(path)))
            })
        }
    }
}

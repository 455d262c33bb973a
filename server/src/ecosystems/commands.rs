//! The commands of a RUN by what they are for (SPEC-multi-stage §6): build, system packages, accounts, tools, files.

use crate::ecosystems::tools;
use crate::facts::run::{Argument, RunFacts};
use crate::facts::walk::{self, State};
use crate::model::{Form, Run};
use crate::text::Local;

/// A command of a RUN and where it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The program's name without its folder; empty where it is not literal.
    pub program: String,
    /// Its arguments in order.
    pub arguments: Vec<Argument>,
    /// The directory it runs in, absolute; `None` where it is not known.
    pub directory: Option<String>,
    /// From its first assignment to its last redirection.
    pub whole: Local,
    /// The program's own word as written, which may be a path.
    pub word: String,
    /// Files it writes by redirection; `None` for one that is not known.
    pub writes: Vec<Option<String>>,
    /// Variables that are set for it alone, with their values where literal.
    pub environment: Vec<(String, Option<String>)>,
}

/// What a command is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// Builds, or changes files of the work trees only.
    Build,
    /// As `Build`, but that could not be shown.
    Perhaps,
    /// Says or sets something for this RUN alone.
    Transparent,
    /// Cleans up behind the command before it.
    Clean,
    /// Installs packages of the distribution: where each stands and its name.
    Packages(Vec<(Local, String)>),
    /// Reads package lists or upgrades: goes where the installs go.
    Lists,
    /// Makes or changes the accounts of these names.
    Account(Vec<String>),
    /// Installs npm packages for the whole image.
    Tools(Vec<String>),
    /// Sets up a package manager (`npm config set`).
    Configuration(String),
    /// Changes files outside of the work trees: their paths.
    System(Vec<String>),
    /// Changes files in and outside of them.
    Everywhere,
    /// Cannot be placed: the command as a person would name it.
    Unknown(String),
}

impl Located {
    /// The arguments whose value is known.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.arguments.iter().filter_map(|it| it.value.as_deref())
    }

    /// Whether one of these words stands among the arguments, also as `word=value`.
    pub fn has(&self, words: &[&str]) -> bool {
        self.values().any(|value| words.contains(&value.split('=').next().unwrap_or(value)))
    }

    /// The first argument that is no option and no value of `--prefix` and its kind.
    pub fn subcommand(&self) -> Option<&str> {
        let mut values = self.values();
        while let Some(value) = values.next() {
            if matches!(value, "--prefix" | "-C" | "--cwd" | "--dir" | "-F" | "--filter" | "--loglevel" | "-w") {
                values.next();
            } else if !value.starts_with('-') {
                return Some(value);
            }
        }
        None
    }

    /// The arguments that are no options: where they stand and their values.
    pub fn operands(&self) -> impl Iterator<Item = &Argument> {
        self.arguments.iter().filter(|it| it.value.as_deref().is_none_or(|value| !value.starts_with('-')))
    }

    /// The command as a person would name it.
    pub fn told(&self) -> String {
        let name = if self.word.is_empty() { &self.program } else { &self.word };
        self.values().take(2).fold(name.clone(), |acc, word| format!("{acc} {word}"))
    }
}

/// The commands of a RUN with the directory of each. `text` is the instruction's.
pub fn located(run: &Run, facts: Option<&RunFacts>, state: &State, text: &str) -> Vec<Located> {
    if let Form::Exec(words) = &run.form {
        let Some((program, arguments)) = words.split_first() else { return Vec::new() };
        let argument = |word: &crate::model::Word| Argument { range: word.range, value: Some(word.text.clone()) };
        return vec![Located {
            program: program.text.rsplit('/').next().unwrap_or_default().to_owned(),
            word: program.text.clone(),
            arguments: arguments.iter().map(argument).collect(),
            directory: state.directory.clone(),
            whole: program.range,
            writes: Vec::new(),
            environment: Vec::new(),
        }];
    }
    let (Some(script), Some(facts)) = (run.script(), facts) else { return Vec::new() };
    let mut own = state.directory.clone();
    let mut nested = own.clone();
    let mut res = Vec::new();
    for command in &facts.commands {
        let Some(call) = script.calls.get(command.call) else { continue };
        if call.subshell == 0 {
            nested.clone_from(&own);
        }
        let writes = call.redirects.iter().filter(|it| it.operator.contains('>') && !it.operator.ends_with('&'));
        res.push(Located {
            program: command.program.clone(),
            word: call.program_range.of(text).to_owned(),
            arguments: command.arguments.clone(),
            directory: nested.clone(),
            whole: call.whole,
            writes: writes.map(|it| it.target.literal()).collect(),
            environment: call.environment.iter().map(|it| (it.name.clone(), it.value.literal())).collect(),
        });
        let to = match command.program.as_str() {
            "cd" => command.arguments.first().and_then(|it| it.value.as_deref()).filter(|it| !matches!(*it, "-" | "~")),
            "pushd" | "popd" => None,
            _ => continue,
        };
        nested = to.zip(nested.as_deref()).map(|(to, from)| walk::absolute(from, to));
        if call.subshell == 0 {
            own.clone_from(&nested);
        }
    }
    res
}

/// Whether a command surely builds or installs for the application, wherever it runs.
pub fn is_build(command: &Located) -> bool {
    matches!(manager(command), Some(Class::Build)) || is_builder(&command.program)
}

/// The directory a build command works in: `--prefix`, `--cwd`, `-C` counted in.
pub fn working_directory(command: &Located) -> Option<String> {
    let directory = command.directory.as_deref()?;
    let mut values = command.values();
    while let Some(value) = values.next() {
        let (option, own) = value.split_once('=').map_or((value, None), |(option, own)| (option, Some(own)));
        let takes = match command.program.as_str() {
            "npm" => matches!(option, "--prefix" | "-C"),
            "yarn" => option == "--cwd",
            "pnpm" | "make" => matches!(option, "-C" | "--dir"),
            _ => false,
        };
        if takes {
            return Some(walk::absolute(directory, own.or_else(|| values.next())?));
        }
    }
    Some(directory.to_owned())
}

/// What a command is for; `trees` are the work trees.
pub fn classify(command: &Located, trees: &[String]) -> Class {
    let written = places(command, command.writes.iter().map(|it| it.as_deref()), trees);
    let own = match manager(command) {
        Some(class) => class,
        None if is_builder(&command.program) => Class::Build,
        None => by_program(command, trees),
    };
    if matches!(own, Class::Build | Class::Perhaps) && names_other_place(command, trees) {
        return Class::Unknown(command.told());
    }
    match (own, written) {
        (own, Places::None) => own,
        (Class::Transparent, Places::Inside) => Class::Build,
        (Class::Transparent, Places::Outside(paths)) => Class::System(paths),
        (Class::Build | Class::Perhaps | Class::Clean, Places::Inside) => Class::Build,
        (own, Places::Outside(paths)) if paths.iter().all(|it| it == "/dev/null" || walk::is_inside(it, "/tmp")) => own,
        _ => Class::Unknown(command.told()),
    }
}

/// Whether a build command names a directory outside of the work trees that it could write to.
fn names_other_place(command: &Located, trees: &[String]) -> bool {
    const HARMLESS: [&str; 9] = [
        "/tmp",
        "/dev",
        "/usr/bin",
        "/usr/local/bin",
        "/bin",
        "/usr/include",
        "/usr/local/include",
        "/root/.npm",
        "/usr/local/share/.cache",
    ];
    let paths =
        command.values().map(|it| it.split_once('=').map_or(it, |(_, path)| path)).filter(|it| it.starts_with('/'));
    let mut paths = paths.map(|it| walk::absolute("/", it.split(':').next().unwrap_or(it)));
    paths.any(|path| !trees.iter().chain(&HARMLESS.map(str::to_owned)).any(|it| walk::is_inside(&path, it)))
}

/// npm, yarn, pnpm, npx, bun, corepack; `None` for other programs.
fn manager(command: &Located) -> Option<Class> {
    let program = command.program.as_str();
    let subcommand = command.subcommand();
    let global = command.has(&["-g", "--global", "--location"]);
    match program {
        "npm" | "pnpm" | "bun" => match subcommand {
            Some("install" | "i" | "add" | "isntall" | "in") if global => Some(tools_of(command, 1)),
            Some("cache") | Some("store") => Some(Class::Clean),
            Some("config" | "set" | "get") => Some(Class::Configuration(program.to_owned())),
            Some("uninstall" | "remove" | "rm" | "update" | "link") if global => Some(Class::Unknown(command.told())),
            Some("link") => Some(Class::Unknown(command.told())),
            None => Some(Class::Transparent),
            Some(_) => Some(Class::Build),
        },
        "yarn" | "yarnpkg" => match subcommand {
            Some("global") => Some(tools_of(command, 2)),
            Some("cache") => Some(Class::Clean),
            Some("config") => Some(Class::Configuration("yarn".to_owned())),
            Some("set" | "link") => Some(Class::Unknown(command.told())),
            None if command.has(&["--version", "-v"]) => Some(Class::Transparent),
            Some(_) | None => Some(Class::Build),
        },
        "npx" | "pnpx" | "bunx" => {
            let browsers = matches!(subcommand, Some("playwright" | "puppeteer" | "cypress" | "@puppeteer/browsers"));
            Some(if browsers { Class::Unknown(command.told()) } else { Class::Build })
        }
        "corepack" => Some(match subcommand {
            Some("enable" | "prepare" | "use" | "install") => Class::Tools(vec!["corepack".to_owned()]),
            _ => Class::Unknown(command.told()),
        }),
        _ => None,
    }
}

fn tools_of(command: &Located, skip: usize) -> Class {
    let mut names = Vec::new();
    for operand in command.operands().skip(skip) {
        match operand.value.as_deref() {
            Some(value) if !value.starts_with(['.', '/', '~']) && !value.contains("://") => {
                names.push(tools::bare(value).to_owned());
            }
            _ => return Class::Unknown(command.told()),
        }
    }
    if names.is_empty() { Class::Unknown(command.told()) } else { Class::Tools(names) }
}

/// Programs that build, test or check and write into the directory they run in.
fn is_builder(program: &str) -> bool {
    const NAMES: &[&str] = &[
        "babel",
        "bower",
        "cmake",
        "ember",
        "esbuild",
        "eslint",
        "g++",
        "gatsby",
        "gcc",
        "grunt",
        "gulp",
        "hexo",
        "jest",
        "lerna",
        "make",
        "mocha",
        "nest",
        "next",
        "ng",
        "node-gyp",
        "node-pre-gyp",
        "nuxt",
        "nx",
        "parcel",
        "prettier",
        "prisma",
        "react-scripts",
        "rimraf",
        "rollup",
        "sass",
        "tsc",
        "tsup",
        "turbo",
        "vite",
        "vue-cli-service",
        "webpack",
    ];
    NAMES.contains(&program)
}

fn by_program(command: &Located, trees: &[String]) -> Class {
    let unknown = || Class::Unknown(command.told());
    match command.program.as_str() {
        ":" | "cat" | "cd" | "date" | "df" | "du" | "echo" | "env" | "exit" | "export" | "false" | "grep" | "head"
        | "ls" | "printenv" | "printf" | "pwd" | "set" | "sleep" | "tail" | "test" | "true" | "type" | "uname"
        | "unset" | "wc" | "which" | "whoami" | "[" | "[[" | "sort" | "tr" | "cut" | "id" | "find" => {
            if command.program == "find" && command.has(&["-delete", "-exec", "-execdir", "-ok"]) {
                return files(command, command.operands().take(1), trees);
            }
            Class::Transparent
        }
        "" if command.arguments.is_empty() && command.word.is_empty() => Class::Transparent,
        "node" if command.has(&["-v", "--version"]) => Class::Transparent,
        "git" => match command.subcommand() {
            Some("config") => Class::Configuration("git".to_owned()),
            Some("clone" | "checkout" | "submodule" | "lfs" | "init" | "pull" | "fetch" | "reset") => {
                perhaps(command, trees)
            }
            _ => unknown(),
        },
        "apt-get" | "apt" | "aptitude" => apt(command),
        "apk" | "dnf" | "yum" | "microdnf" => unknown(),
        "useradd" | "adduser" | "groupadd" | "addgroup" | "usermod" | "groupmod" | "userdel" | "deluser"
        | "groupdel" | "delgroup" => {
            let names = command.values().filter(|it| !it.starts_with('-') && !it.contains('/'));
            Class::Account(names.map(str::to_owned).collect())
        }
        "rm" => {
            let class = files(command, command.operands(), trees);
            let is_waste = |path: &String| {
                [
                    "/var/lib/apt",
                    "/var/cache",
                    "/tmp",
                    "/var/tmp",
                    "/root/.npm",
                    "/root/.cache",
                    "/usr/share/doc",
                    "/usr/share/man",
                    "/var/log",
                    "/usr/local/share/.cache",
                    "/root/.node-gyp",
                    "/home/node/.npm",
                    "/home/node/.cache",
                ]
                .iter()
                .any(|it| walk::is_inside(path, it))
            };
            match class {
                Class::System(paths) if paths.iter().all(is_waste) => Class::Clean,
                class => class,
            }
        }
        "mkdir" | "touch" | "install" | "ln" | "rmdir" => files(command, command.operands(), trees),
        "chmod" | "chown" | "chgrp" => files(command, command.operands().skip(1), trees),
        "cp" | "mv" => match command.operands().count().checked_sub(1) {
            Some(last) => files(command, command.operands().skip(last), trees),
            None => unknown(),
        },
        "sed" => {
            let own_script = command.has(&["-e", "--expression", "-f"]);
            if !command.values().any(|it| it.starts_with("-i") || it == "--in-place") {
                return Class::Transparent;
            }
            files(command, command.operands().skip(usize::from(!own_script)), trees)
        }
        "locale-gen" | "update-ca-certificates" | "ldconfig" | "dpkg-reconfigure" | "update-locale" => {
            Class::System(Vec::new())
        }
        "sh" | "bash" | "" | "python" | "python3" | "pip" | "pip3" | "curl" | "wget" => unknown(),
        _ => perhaps(command, trees),
    }
}

/// An unknown program all of whose words that look like paths lie in the work trees.
fn perhaps(command: &Located, trees: &[String]) -> Class {
    let here = command.directory.as_deref().is_some_and(|it| trees.iter().any(|tree| walk::is_inside(it, tree)));
    let known = command.arguments.iter().all(|it| it.value.is_some());
    let word = command.word.contains('/').then_some(command.word.as_str());
    let fetched = command.program == "git";
    let paths = command.values().chain(word).filter(|it| it.contains('/') && !it.starts_with('-'));
    let paths = paths.filter(|it| !(fetched && (it.contains("://") || it.contains('@')))).map(Some);
    let named = matches!(command.program.as_str(), "node" | "nodejs" | "git" | "ts-node" | "tsx") || word.is_some();
    let inside = matches!(places(command, paths, trees), Places::None | Places::Inside);
    if here && known && named && inside { Class::Perhaps } else { Class::Unknown(command.told()) }
}

fn apt(command: &Located) -> Class {
    let mut packages = Vec::new();
    let mut is_install = false;
    let mut arguments = command.arguments.iter();
    let mut verb = None;
    while let Some(argument) = arguments.next() {
        let Some(value) = argument.value.as_deref() else { return Class::Unknown(command.told()) };
        if matches!(value, "-t" | "--target-release" | "-o" | "-c" | "--option") {
            arguments.next();
        } else if value.starts_with('-') {
            continue;
        } else if verb.is_none() {
            verb = Some(value);
            is_install = value == "install";
        } else if is_install {
            if value.contains(['/', ' ', '*']) || value.ends_with(['-', '+']) && value != "g++" {
                return Class::Unknown(command.told());
            }
            packages.push((argument.range, value.split(['=', ':']).next().unwrap_or(value).to_owned()));
        }
    }
    match verb {
        Some("install") => Class::Packages(packages),
        Some("update" | "upgrade" | "dist-upgrade" | "full-upgrade") => Class::Lists,
        Some("clean" | "autoclean" | "distclean" | "dist-clean" | "autoremove") => Class::Clean,
        _ => Class::Unknown(command.told()),
    }
}

/// Where the paths that a file command names lie. What reaches below a directory that holds a tree is on both sides.
fn files<'a>(command: &Located, operands: impl Iterator<Item = &'a Argument>, trees: &[String]) -> Class {
    match places(command, operands.map(|it| it.value.as_deref()), trees) {
        Places::Inside => Class::Build,
        Places::Outside(paths) if reaches_down(command) => {
            let around = |path: &String| {
                let fixed = path.find(['*', '?', '[', '{']).and_then(|at| path.get(..at));
                let fixed = fixed.map_or(path.as_str(), |it| it.rsplit_once('/').map_or("", |(folder, _)| folder));
                trees.iter().any(|tree| walk::is_inside(tree, fixed))
            };
            if paths.iter().any(around) { Class::Everywhere } else { Class::System(paths) }
        }
        Places::Outside(paths) => Class::System(paths),
        Places::Both => Class::Everywhere,
        Places::None | Places::Unknown => Class::Unknown(command.told()),
    }
}

/// Whether a file command changes what lies below the directories it names.
fn reaches_down(command: &Located) -> bool {
    let recursive = command
        .values()
        .any(|it| it == "--recursive" || it.starts_with('-') && !it.starts_with("--") && it.contains(['R', 'r']));
    let pattern = command.values().any(|it| it.contains(['*', '?', '[', '{']));
    recursive || pattern || matches!(command.program.as_str(), "find" | "mv")
}

enum Places {
    None,
    Inside,
    Outside(Vec<String>),
    Both,
    Unknown,
}

fn places<'a>(command: &Located, paths: impl Iterator<Item = Option<&'a str>>, trees: &[String]) -> Places {
    let mut inside = false;
    let mut outside = Vec::new();
    for path in paths {
        let Some(path) = path else { return Places::Unknown };
        let path = match (path.strip_prefix('~'), &command.directory) {
            (Some(_), _) => return Places::Unknown,
            (None, Some(directory)) => walk::absolute(directory, path),
            (None, None) if path.starts_with('/') => walk::absolute("/", path),
            (None, None) => return Places::Unknown,
        };
        if trees.iter().any(|tree| walk::is_inside(&path, tree)) {
            inside = true;
        } else {
            outside.push(path);
        }
    }
    match (inside, outside.is_empty()) {
        (false, true) => Places::None,
        (true, true) => Places::Inside,
        (false, false) => Places::Outside(outside),
        (true, false) => Places::Both,
    }
}

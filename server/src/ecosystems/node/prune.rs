//! Whether development dependencies may leave the work tree after the build, and with which command.
//!
//! Silence is "no": what is not shown stays, with a doubt that says why.

use crate::ecosystems::commands::{self, Class, Located};
use crate::ecosystems::node::sources::Sources;
use crate::ecosystems::{Added, Evidence, Refused, programs, tools};
use crate::facts::manifest::Manifest;
use crate::facts::start::{Program, StartChain};
use crate::facts::walk::{self, State};
use crate::model::{InstructionKind, Stage};

/// What is asked.
pub(super) struct Question<'a> {
    pub(super) evidence: &'a Evidence<'a>,
    pub(super) stage: &'a Stage,
    pub(super) states: &'a [State],
    pub(super) commands: &'a [Vec<(Located, Class)>],
    pub(super) chain: &'a StartChain,
    pub(super) manifest: Option<&'a Manifest>,
    pub(super) sources: &'a Sources,
    /// The version of Node, where the tag tells.
    pub(super) major: Option<u32>,
}

/// The answer.
#[derive(Debug, Default)]
pub(super) struct Prune {
    pub(super) commands: Vec<Added>,
    pub(super) doubts: Vec<String>,
}

/// Whether a command installs the packages of a manifest.
pub(super) fn is_install(command: &Located) -> bool {
    let global = command.has(&["-g", "--global"]);
    match command.program.as_str() {
        "npm" | "pnpm" | "bun" => {
            !global && matches!(command.subcommand(), Some("install" | "i" | "ci" | "clean-install" | "add"))
        }
        "yarn" | "yarnpkg" => match command.subcommand() {
            Some("install" | "add") => !global,
            None => !command.has(&["--version", "-v", "--help"]),
            Some(_) => false,
        },
        _ => false,
    }
}

/// What the builder does at its end.
///
/// # Errors
/// R13 where packages are kept outside of the work tree.
pub(super) fn prune(question: &Question<'_>) -> Result<Prune, Refused> {
    let installs: Vec<(usize, &Located)> = question
        .commands
        .iter()
        .enumerate()
        .flat_map(|(idx, commands)| commands.iter().map(move |(command, _)| (idx, command)))
        .filter(|(_, command)| is_install(command))
        .collect();
    let mut res = Prune::default();
    let Some((_, last)) = installs.last() else { return Ok(res) };
    keeps_packages_elsewhere(question, &installs)?;
    let mut directories: Vec<String> =
        installs.iter().filter_map(|(_, command)| commands::working_directory(command)).collect();
    directories.sort();
    directories.dedup();
    let command = match (directories.as_slice(), reason_to_keep(question, &installs)) {
        ([_], Keep::No) => command(question, last, &mut res.doubts),
        ([_], Keep::Silently) => None,
        ([_], Keep::Because(doubt)) => {
            res.doubts.push(doubt);
            None
        }
        _ => {
            res.doubts.push("more than one package.json is installed; development dependencies stay".to_owned());
            None
        }
    };
    let [directory] = directories.as_slice() else { return Ok(res) };
    let command = match (command, caches_next(question)) {
        (Some(command), true) => format!("{command} && rm -rf .next/cache"),
        (Some(command), false) => command,
        (None, true) => "rm -rf .next/cache".to_owned(),
        (None, false) => return Ok(res),
    };
    res.commands.push(Added { directory: directory.clone(), command });
    Ok(res)
}

/// Yarn 2 and later keep packages in a cache of the user's unless they are told to make `node_modules`.
fn keeps_packages_elsewhere(question: &Question<'_>, installs: &[(usize, &Located)]) -> Result<(), Refused> {
    let yarn = installs.iter().any(|(_, command)| command.program.starts_with("yarn"));
    if yarn && is_berry(question) {
        let text = question.evidence.context.text(".yarnrc.yml").unwrap_or_default();
        if !text.lines().any(|line| line.replace(['"', '\''], "").trim() == "nodeLinker: node-modules") {
            return Refused::new("R13", "this version of yarn may keep the packages outside of the work tree");
        }
    }
    if installs
        .iter()
        .any(|(_, command)| command.program == "pnpm" && command.has(&["--virtual-store-dir", "--modules-dir"]))
    {
        return Refused::new("R13", "pnpm is told to keep the packages elsewhere");
    }
    Ok(())
}

fn is_berry(question: &Question<'_>) -> bool {
    let manager = question.manifest.and_then(|it| it.package_manager.as_deref());
    let named = manager.is_some_and(|it| it.starts_with("yarn@") && !it.starts_with("yarn@1"));
    let sets = question
        .commands
        .iter()
        .flatten()
        .any(|(command, _)| command.program == "yarn" && command.subcommand() == Some("set"));
    named || sets || question.evidence.context.has_file(".yarnrc.yml")
}

enum Keep {
    No,
    Silently,
    Because(String),
}

fn reason_to_keep(question: &Question<'_>, installs: &[(usize, &Located)]) -> Keep {
    let because = |text: String| Keep::Because(format!("{text}; development dependencies stay"));
    if installs.iter().all(|(idx, command)| is_production(question, *idx, command)) {
        return Keep::Silently;
    }
    let prunes = question
        .commands
        .iter()
        .flatten()
        .any(|(it, _)| it.subcommand() == Some("prune") && matches!(it.program.as_str(), "npm" | "pnpm"));
    if prunes {
        return Keep::Silently;
    }
    // What could not be followed at start has its own doubt.
    if !question.chain.open.is_empty() {
        return Keep::Silently;
    }
    let Some(manifest) = question.manifest else {
        return if starts_built_file(question) && installs.iter().all(|(_, it)| it.program == "npm") {
            Keep::No
        } else {
            Keep::Because("development dependencies stay".to_owned())
        };
    };
    if manifest.dev_dependencies.is_empty() {
        return Keep::Silently;
    }
    let shared = ["pnpm-workspace.yaml", "nx.json", "turbo.json", "lerna.json"];
    if manifest.workspaces || manifest.local_packages || shared.iter().any(|it| question.evidence.context.has_file(it))
    {
        return because("the application is one of several packages that belong together".to_owned());
    }
    if let Some(program) = question.chain.programs.iter().find(|it| !is_production_program(it, manifest)) {
        return because(format!("`{}` may be a development dependency that runs at start", program.name));
    }
    for name in manifest.dev_dependencies.iter().filter(|it| !it.starts_with("@types/")) {
        let loaded = question.chain.programs.iter().any(|it| it.name.starts_with("node") && loads(it, name));
        if loaded {
            return because(format!("{name} is a development dependency that the start command loads"));
        }
        if let Some(path) = question.sources.loads(name) {
            return because(format!("{name} is a development dependency that {path} loads"));
        }
        if manifest.peer_dependencies.contains(name) {
            return because(format!("{name} is a development dependency and a peer dependency"));
        }
        if name == "typescript" && question.evidence.context.has_file("next.config.ts") {
            return because("next.config.ts is translated with typescript at start".to_owned());
        }
    }
    if let Some(user) = foreign_manifests(question) {
        return because(format!("{user} may not change node_modules in the builder"));
    }
    Keep::No
}

/// Whether an install leaves development dependencies out.
fn is_production(question: &Question<'_>, idx: usize, command: &Located) -> bool {
    if command.has(&["--include", "--also", "--dev"]) || command.values().any(|it| it == "--production=false") {
        return false;
    }
    let omits = command.values().any(|it| {
        matches!(
            it,
            "--omit=dev" | "--production" | "--production=true" | "--prod" | "-P" | "--only=prod" | "--only=production"
        )
    });
    let values: Vec<&str> = command.values().collect();
    let omits_apart = values.windows(2).any(|it| matches!(it, ["--omit", "dev"] | ["--only", "production" | "prod"]));
    let own = command.environment.iter().rev().find(|(name, _)| name == "NODE_ENV");
    let environment = match own {
        Some((_, value)) => value.as_deref() == Some("production"),
        None => {
            let at = question.stage.instructions.get(idx).map(|it| it.at);
            let variable = at.and_then(|at| question.stage.scope.get_at("NODE_ENV", at));
            variable.is_some_and(|it| it.value.as_deref() == Some("production"))
        }
    };
    omits || omits_apart || environment
}

/// Whether a program of the chain is there without development dependencies.
fn is_production_program(program: &Program, manifest: &Manifest) -> bool {
    let name = program.name.as_str();
    let is_bin = program.packaged || program.word.contains("node_modules/");
    let system = programs::in_slim(name) || programs::only_in_full(name).is_some();
    if !is_bin || system {
        let script = program.script().filter(|_| name == "node" || name == "nodejs");
        let in_modules = script.as_deref().and_then(|it| it.split("node_modules/").nth(1));
        return in_modules.is_none_or(|rest| match rest.strip_prefix(".bin/") {
            Some(bin) => brings(manifest, bin),
            None => !manifest.dev_dependencies.iter().any(|dev| is_of(rest, dev)),
        });
    }
    program.word.starts_with('/') && !program.word.contains("node_modules/") || brings(manifest, name)
}

/// Whether a dependency brings a program of this name.
fn brings(manifest: &Manifest, name: &str) -> bool {
    let bundles: &[&str] = match name {
        "run-p" | "run-s" => &["npm-run-all", "npm-run-all2"],
        _ => &[],
    };
    manifest.dependencies.iter().any(|it| {
        it == name
            || it.rsplit('/').next() == Some(name) && it.starts_with('@')
            || tools::programs(it).is_some_and(|programs| programs.contains(&name))
            || bundles.contains(&it.as_str())
    })
}

fn is_of(path: &str, package: &str) -> bool {
    path.strip_prefix(package).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn loads(program: &Program, package: &str) -> bool {
    program.modules().iter().any(|module| is_of(module, package))
}

/// Whether the file shows a build step and starts a file that a build makes.
fn starts_built_file(question: &Question<'_>) -> bool {
    const FOLDERS: [&str; 5] = ["dist", "build", "lib", "out", ".output"];
    let builds =
        question.commands.iter().flatten().any(|(command, class)| *class == Class::Build && is_build_step(command));
    let scripts = question.chain.work().filter(|it| it.name == "node").filter_map(Program::script);
    let built = scripts.filter(|it| it.split('/').any(|part| FOLDERS.contains(&part))).count();
    builds && built > 0 && question.chain.work().all(|it| it.name == "node")
}

/// Whether a command builds, other than by installing.
pub(super) fn is_build_step(command: &Located) -> bool {
    if is_install(command) {
        return false;
    }
    match command.program.as_str() {
        "npm" | "pnpm" | "bun" | "yarn" => command.values().any(|it| {
            it.split(':').next().is_some_and(|it| matches!(it, "build" | "compile" | "dist" | "bundle" | "production"))
        }),
        "tsc" | "webpack" | "vite" | "next" | "ng" | "nest" | "gulp" | "grunt" | "babel" | "rollup" | "esbuild"
        | "nuxt" => true,
        "npx" => command
            .subcommand()
            .is_some_and(|it| matches!(it, "tsc" | "webpack" | "vite" | "next" | "ng" | "nest" | "babel")),
        _ => false,
    }
}

/// The user of the builder's end, where manifests of another owner lie in the tree.
fn foreign_manifests(question: &Question<'_>) -> Option<String> {
    let last = question
        .commands
        .iter()
        .rposition(|it| it.iter().any(|(_, class)| matches!(class, Class::Build | Class::Perhaps)))?;
    let user = question.states.get(last)?.user.clone().filter(|it| !walk::is_root(it))?;
    let name = user.split(':').next().unwrap_or_default().to_owned();
    let copies = question
        .stage
        .instructions
        .iter()
        .filter(|it| matches!(it.instruction.kind, InstructionKind::Copy(_) | InstructionKind::Add(_)));
    let mut owners = copies.map(|it| it.instruction.flag("chown").and_then(|flag| flag.value.as_ref()));
    let ours =
        |word: Option<&crate::model::Word>| word.is_some_and(|it| it.text.split(':').next() == Some(name.as_str()));
    (!owners.all(ours)).then_some(name)
}

/// The command that takes development dependencies out.
fn command(question: &Question<'_>, install: &Located, doubts: &mut Vec<String>) -> Option<String> {
    if question.manifest.is_none() {
        doubts.push("that nothing which runs is a development dependency is not shown".to_owned());
    } else if question.sources.left_out > 0 {
        let n = question.sources.left_out;
        doubts.push(format!("{n} source files were not read; one of them may load a development dependency"));
    }
    let keep = |doubts: &mut Vec<String>, why: &str| {
        doubts.push(format!("{why}; development dependencies stay"));
        None
    };
    let lists = |names: &[&str]| question.manifest.is_some_and(|it| names.iter().any(|name| it.lists(name)));
    let prisma = lists(&["prisma", "@prisma/client"]);
    let scripted = question.manifest.is_some_and(|it| {
        ["preinstall", "install", "postinstall", "prepare"].iter().any(|name| it.scripts.contains_key(*name))
    });
    match install.program.as_str() {
        "npm" => {
            let broken = question.commands.iter().flatten().any(|(it, _)| it.has(&["npm@11.6.1"]));
            if broken {
                return keep(doubts, "npm 11.6.1 takes out too much");
            }
            let mut res = if question.major.is_some_and(|it| it <= 14) {
                "npm prune --production".to_owned()
            } else {
                "npm prune --omit=dev".to_owned()
            };
            for flag in ["--legacy-peer-deps", "--force"] {
                if install.has(&[flag]) || flag == "--force" && install.has(&["-f"]) {
                    res.push(' ');
                    res.push_str(flag);
                }
            }
            Some(res)
        }
        "pnpm" if prisma => keep(doubts, "pnpm would delete the generated Prisma client"),
        "pnpm" if scripted => keep(doubts, "package.json has install scripts"),
        "pnpm" => Some("CI=true pnpm prune --prod".to_owned()),
        "yarn" | "yarnpkg" if is_berry(question) || !question.evidence.context.known => {
            keep(doubts, "this version of yarn has no command that takes them out")
        }
        "yarn" | "yarnpkg" if prisma => keep(doubts, "yarn would delete the generated Prisma client"),
        "yarn" | "yarnpkg" if scripted || lists(NATIVE) => {
            keep(doubts, "packages are compiled when they are installed")
        }
        "yarn" | "yarnpkg" => {
            let frozen = if install.has(&["--frozen-lockfile"]) { " --frozen-lockfile" } else { "" };
            Some(format!("yarn install{frozen} --production --ignore-scripts --prefer-offline"))
        }
        _ => keep(doubts, "this package manager has no command that takes them out"),
    }
}

/// Packages that compile or fetch something of their own when they are installed.
const NATIVE: &[&str] = &[
    "argon2",
    "bcrypt",
    "better-sqlite3",
    "bufferutil",
    "canvas",
    "cpu-features",
    "cypress",
    "electron",
    "esbuild",
    "farmhash",
    "grpc",
    "isolated-vm",
    "leveldown",
    "node-pty",
    "node-sass",
    "playwright",
    "puppeteer",
    "re2",
    "robotjs",
    "serialport",
    "sharp",
    "snappy",
    "sqlite3",
    "ssh2",
    "swagger-ui",
    "usb",
    "utf-8-validate",
    "zeromq",
];

/// Whether the build leaves a cache of Next.js.
fn caches_next(question: &Question<'_>) -> bool {
    let Some(manifest) = question.manifest.filter(|it| it.lists("next")) else { return false };
    question.commands.iter().flatten().any(|(command, _)| match command.program.as_str() {
        "next" => command.subcommand() == Some("build"),
        "npx" => command.values().any(|it| it == "next") && command.values().any(|it| it == "build"),
        "npm" | "yarn" | "pnpm" => {
            command.values().any(|word| manifest.scripts.get(word).is_some_and(|script| script.contains("next build")))
        }
        _ => false,
    })
}

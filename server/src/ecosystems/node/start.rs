//! The start chain of a Node image: refusals, doubts, and what the slim image lacks of it.

use std::collections::BTreeSet;

use crate::ecosystems::commands::{Class, Located};
use crate::ecosystems::node::prune;
use crate::ecosystems::placing::Ground;
use crate::ecosystems::{Evidence, Goes, Refused, packages, programs, tools};
use crate::facts::landing::{self, Landed};
use crate::facts::manifest::Manifest;
use crate::facts::start::development::{development, reason};
use crate::facts::start::{Open, Program, StartChain};
use crate::facts::walk::{self, State};
use crate::model::{ImageRef, InstructionKind, Origin, Stage};

/// R4 and R5: there is no start at all.
pub(super) fn check_written(chain: &StartChain, stage: &Stage, located: &[Vec<Located>]) -> Result<(), Refused> {
    if chain.written {
        return Ok(());
    }
    let copies = stage
        .instructions
        .iter()
        .any(|it| matches!(it.instruction.kind, InstructionKind::Copy(_) | InstructionKind::Add(_)));
    let tools_only = !copies && !located.iter().flatten().any(prune::is_install);
    if tools_only {
        return Refused::new("R5", "this image is a base for other builds");
    }
    Refused::new("R4", "no CMD or ENTRYPOINT says what must run")
}

/// R3 and R12: what starts is no production program, or not Node alone.
pub(super) fn check_development(chain: &StartChain, manifest: Option<&Manifest>) -> Result<(), Refused> {
    for program in chain.programs.iter().filter(|it| !it.health) {
        if let Some(kind) = development(program, manifest) {
            return Refused::new("R3", reason(program, kind, manifest));
        }
    }
    let other = chain.work().find(|it| {
        matches!(
            it.name.as_str(),
            "python" | "python3" | "java" | "php" | "ruby" | "deno" | "go" | "gunicorn" | "uvicorn"
        )
    });
    match other {
        Some(program) => Refused::new("R12", format!("both {} and node run at start", program.name)),
        None => Ok(()),
    }
}

/// R4: the start is not known, and nothing else shows that it is one of production.
pub(super) fn check_known(chain: &StartChain, located: &[Vec<Located>], stage: &Stage) -> Result<(), Refused> {
    for open in &chain.open {
        match open {
            Open::Variable(_) => return Refused::new("R4", "the program that starts is a variable without a value"),
            Open::Shell => return Refused::new("R4", "the start command is shell text that is not understood"),
            Open::Deep(told) => {
                return Refused::new("R4", format!("`{told}` runs scripts that call each other too deep"));
            }
            Open::Manifest(told) => {
                let builds = located.iter().flatten().any(prune::is_build_step);
                let production = stage.scope.variables.iter().any(|it| {
                    it.origin == Origin::Env && it.name == "NODE_ENV" && it.value.as_deref() == Some("production")
                });
                if !builds && !production {
                    return Refused::new("R4", format!("package.json is needed to know what `{told}` runs"));
                }
            }
            Open::Script(_) | Open::Config(_) => {}
        }
    }
    Ok(())
}

/// What could not be shown about the start.
pub(super) fn doubts(
    chain: &StartChain,
    evidence: &Evidence<'_>,
    stage: &Stage,
    states: &[State],
    trees: &[String],
    commands: &[Vec<(Located, Class)>],
) -> Vec<String> {
    let mut res: Vec<String> = Vec::new();
    for open in &chain.open {
        res.push(match open {
            Open::Manifest(told) => format!("what `{told}` runs is not known; development dependencies stay"),
            Open::Script(word) => format!("what {word} runs is not known; development dependencies stay"),
            Open::Config(name) => format!("what {name} starts is not known; development dependencies stay"),
            Open::Variable(_) | Open::Shell | Open::Deep(_) => continue,
        });
    }
    let builds = commands.iter().flatten().any(|(command, _)| prune::is_build_step(command));
    for script in chain.work().filter(|it| it.name == "node").filter_map(Program::script) {
        let inside = trees.iter().any(|it| walk::is_inside(&script, it));
        if !evidence.context.known || !inside || builds || script.contains("node_modules/") {
            continue;
        }
        let candidates = [script.clone(), format!("{script}.js"), format!("{script}/index.js")];
        let found = candidates
            .iter()
            .any(|path| landing::landed(evidence.file, stage, states, evidence.context, path) != Landed::Nothing);
        if !found {
            res.push(format!("{script} is neither in the build context nor made by a build command"));
        }
    }
    res.sort();
    res.dedup();
    res
}

/// The script that a command runs: `./build.sh`, `sh build.sh`.
pub(super) fn script_of(command: &Located) -> Option<String> {
    match command.program.as_str() {
        "sh" | "bash" | "ash" | "dash" => command.values().find(|it| !it.starts_with('-')).map(str::to_owned),
        _ => (command.word.contains('/') && command.word.ends_with(".sh")).then(|| command.word.clone()),
    }
}

/// Packages that what runs needs and only the full image has, in the order of their names.
///
/// # Errors
/// R6 for a program that nothing brings, R8 for a module that needs the full image, R17 on a closed archive.
pub(super) fn added_packages(
    ground: &Ground<'_>,
    parts: &[Goes],
    manifest: Option<&Manifest>,
    image: &ImageRef,
) -> Result<Vec<String>, Refused> {
    let suite = suite(image);
    let mut there = There::default();
    let mut res: BTreeSet<&'static str> = BTreeSet::new();
    let with_commands = parts.iter().zip(ground.commands).zip(&ground.stage.instructions);
    for (at, ((goes, commands), placed)) in with_commands.enumerate() {
        let Some(cuts) = &goes.run else { continue };
        for (command, class) in commands.iter().filter(|(it, _)| !cuts.iter().any(|cut| cut.contains_range(it.whole))) {
            let name = command.program.as_str();
            let system = matches!(class, Class::System(_) | Class::Account(_) | Class::Packages(_) | Class::Lists);
            let adduser = matches!(name, "adduser" | "addgroup" | "deluser" | "delgroup")
                && matches!(suite, Some("stretch" | "buster" | "bullseye" | "bookworm"));
            if system && !programs::in_slim(name) && !adduser && !there.programs.contains(name) {
                return Refused::new(
                    "R6",
                    format!("line {} needs {name}, which the slim image may lack", placed.line + 1),
                );
            }
            there.add(class, cuts);
        }
        if let InstructionKind::Copy(_) | InstructionKind::Add(_) = placed.instruction.kind {
            let state = ground.states.get(at).cloned().unwrap_or(State { directory: None, user: None });
            let copied = landing::copied(ground.evidence.file, ground.stage, placed, &state);
            there.places.extend(copied.map(|it| it.destination));
            let words = placed.instruction.text.split_whitespace();
            there.brought.extend(
                words.filter_map(|it| it.trim_matches(['"', ',', ']', '[']).rsplit('/').next()).map(str::to_owned),
            );
        }
    }
    let on_path = ground
        .stage
        .scope
        .get("PATH")
        .is_some_and(|it| it.value.as_deref().is_none_or(|it| it.contains("node_modules/.bin")));
    for program in &ground.chain.programs {
        let name = program.name.as_str();
        if let (true, Some(script)) = (name == "node", program.script()) {
            let file = script.rsplit('/').next().unwrap_or_default();
            let inside = ground.trees.iter().any(|it| walk::is_inside(&script, it));
            if !inside && !there.brought.contains(file) && !there.places.iter().any(|it| walk::is_inside(&script, it)) {
                return Refused::new("R6", format!("cannot tell what brings {script}, which runs at start"));
            }
        }
        if programs::in_slim(name) || there.programs.contains(name) || there.brought.contains(name) {
            continue;
        }
        if let Some(package) = programs::only_in_full(name) {
            res.insert(package);
            continue;
        }
        let path = program.directory.as_deref().map(|it| walk::absolute(it, &program.word));
        let in_tree = program.word.contains('/')
            && path.is_some_and(|path| ground.trees.iter().any(|it| walk::is_inside(&path, it)));
        if !in_tree && !program.packaged && !on_path {
            return Refused::new("R6", format!("cannot tell what brings `{}`, which runs at start", program.word));
        }
    }
    let children = ground.children.iter().filter(|it| !there.programs.contains(it.as_str()));
    res.extend(children.filter_map(|it| programs::only_in_full(it)));
    for name in manifest.into_iter().flat_map(|it| &it.dependencies) {
        match module(name) {
            Needs::Nothing => {}
            Needs::Package(package) if there.packages.contains(package) => {}
            Needs::Package(package) => {
                res.insert(package);
            }
            Needs::FullImage => {
                return Refused::new("R8", format!("{name} needs libraries that only the full image is known to have"));
            }
        }
    }
    let fetches =
        res.iter().copied().chain(there.packages.iter().map(String::as_str)).any(programs::wants_certificates);
    if fetches && !there.packages.contains("ca-certificates") {
        res.insert("ca-certificates");
    }
    if let (Some(first), Some(suite @ ("jessie" | "stretch" | "buster"))) = (res.first(), suite) {
        return Refused::new("R17", format!("the package archive of {suite} is closed, {first} cannot be added"));
    }
    Ok(res.into_iter().map(str::to_owned).collect())
}

/// What the stage that runs gets by its own instructions.
#[derive(Default)]
struct There {
    programs: BTreeSet<String>,
    packages: BTreeSet<String>,
    brought: BTreeSet<String>,
    /// Destinations of its copies.
    places: Vec<String>,
}

impl There {
    fn add(&mut self, class: &Class, cuts: &[crate::text::Local]) {
        match class {
            Class::Packages(found) => {
                for (_, name) in found.iter().filter(|(range, _)| !cuts.iter().any(|cut| cut.contains_range(*range))) {
                    self.programs.extend(packages::programs(name).into_iter().map(str::to_owned));
                    self.packages.insert(name.clone());
                }
            }
            Class::Tools(names) => {
                for name in names {
                    let programs = tools::programs(name).unwrap_or_default();
                    self.programs.extend(programs.iter().map(|it| (*it).to_owned()));
                    self.programs.insert(name.rsplit('/').next().unwrap_or(name).to_owned());
                }
            }
            Class::System(paths) => {
                self.brought.extend(paths.iter().filter_map(|it| it.rsplit('/').next()).map(str::to_owned))
            }
            Class::Build
            | Class::Perhaps
            | Class::Transparent
            | Class::Clean
            | Class::Lists
            | Class::Account(_)
            | Class::Configuration(_)
            | Class::Everywhere
            | Class::Unknown(_) => {}
        }
    }
}

enum Needs {
    Nothing,
    Package(&'static str),
    FullImage,
}

/// What a module needs of the image without saying so.
fn module(name: &str) -> Needs {
    match name {
        "simple-git" | "nodegit" => Needs::Package("git"),
        "gm" | "imagemagick" => Needs::Package("imagemagick"),
        "pg-native" | "libpq" => Needs::Package("libpq5"),
        "youtube-dl-exec" => Needs::Package("python3"),
        "prisma" | "@prisma/client" => Needs::Package("openssl"),
        "kerberos" => Needs::Package("libgssapi-krb5-2"),
        "puppeteer"
        | "playwright"
        | "playwright-chromium"
        | "electron"
        | "cypress"
        | "gl"
        | "node-rdkafka"
        | "odbc"
        | "ibm_db"
        | "opencv4nodejs"
        | "imagemagick-native"
        | "chromedriver"
        | "nightmare"
        | "phantomjs-prebuilt" => Needs::FullImage,
        _ => Needs::Nothing,
    }
}

/// The Debian suite of a tag of the Node images: named, or the one that version is built on (official-images, its
/// `library/node` as of 2026-08). `None` where the tag moves between versions.
pub(super) fn suite(image: &ImageRef) -> Option<&'static str> {
    const SUITES: [&str; 7] = ["jessie", "stretch", "buster", "bullseye", "bookworm", "trixie", "forky"];
    let tag = image.tag.as_deref()?;
    if let Some(suite) = SUITES.into_iter().find(|it| tag.contains(it)) {
        return Some(suite);
    }
    let digits: String = tag.chars().take_while(char::is_ascii_digit).collect();
    Some(match digits.parse::<u32>().ok()? {
        0..=9 => "jessie",
        10..=13 => "stretch",
        14..=16 => "buster",
        17 | 19 => "bullseye",
        18 | 20..=25 => "bookworm",
        _ => "trixie",
    })
}

//! Node: the application is built in the full image and runs in the slim one of the same version (SPEC-multi-stage §9).
//!
//! The whole work tree is copied, less development dependencies where nothing that runs needs them.

mod prune;
mod sources;
mod start;

use std::collections::BTreeSet;

use crate::ecosystems::commands::{self, Class, Located};
use crate::ecosystems::placing::{self, Ground};
use crate::ecosystems::{Evidence, Goes, Plan, Refused, Tree, owners, tools, trees};
use crate::facts::landing::{self, Landed};
use crate::facts::manifest::Manifest;
use crate::facts::start::{StartChain, chain};
use crate::facts::walk::{self, State};
use crate::model::{ImageRef, InstructionKind, Stage};

/// Whether an image is the official Node image, under any registry that mirrors it.
pub fn is_node(image: &ImageRef) -> bool {
    matches!(image.path.as_str(), "library/node" | "docker/library/node")
}

/// Whether a stage runs a Node package manager.
pub fn is_used(evidence: &Evidence<'_>, stage_idx: usize) -> bool {
    let runs = evidence.facts.stages.get(stage_idx).into_iter().flat_map(|it| &it.runs);
    runs.flat_map(|run| &run.commands).any(|it| matches!(it.program.as_str(), "npm" | "yarn" | "pnpm" | "npx"))
}

/// Takes a stage on the official Node image apart.
pub(super) fn plan(
    evidence: &Evidence<'_>,
    stage_idx: usize,
    stage: &Stage,
    image: &ImageRef,
) -> Result<Plan, Refused> {
    let platform = stage.from.instruction.flag("platform").and_then(|flag| flag.value.as_ref());
    if platform.is_some_and(|platform| platform.text.contains("BUILD")) {
        return Refused::new("R8", "modules built on the builder's platform may not run on the one that is built for");
    }
    let states = walk::states(evidence.file, stage_idx, "/");
    let located = located(evidence, stage_idx, stage, &states);
    let has_work = located.iter().flatten().any(commands::is_build);
    let chain = chain(evidence.file, stage_idx, evidence.context, "/", true);
    if !has_work && (chain.written || !located.iter().flatten().any(|it| it.program == "npm")) {
        return Refused::new("R15", "the shipping stage already holds only runtime instructions");
    }
    start::check_written(&chain, stage, &located)?;
    let manifest = manifest(evidence, stage, &states, &located);
    start::check_development(&chain, manifest.as_ref())?;
    start::check_known(&chain, &located, stage)?;
    let (runtime, runtime_text) = base(evidence, stage, image)?;
    let trees = trees::trees(evidence, stage, &states, &located)?;
    trees::stay(&trees, &located)?;
    let commands: Vec<Vec<(Located, Class)>> = located
        .into_iter()
        .map(|it| {
            it.into_iter()
                .map(|command| {
                    let class = commands::classify(&command, &trees);
                    (command, class)
                })
                .collect()
        })
        .collect();
    let read = if evidence.reads_sources { sources::Sources::of(evidence) } else { sources::Sources::default() };
    let children = read.children();
    let mut doubts = start::doubts(&chain, evidence, stage, &states, &trees, &commands);
    let prune = prune::prune(&prune::Question {
        evidence,
        stage,
        states: &states,
        commands: &commands,
        chain: &chain,
        manifest: manifest.as_ref(),
        sources: &read,
        major: major(image),
    })?;
    let scripts = manifest.as_ref().map(|it| it.scripts.values().cloned().collect::<Vec<_>>().join("\n"));
    let ground = Ground {
        scripts: scripts.as_deref(),
        evidence,
        stage,
        states: &states,
        commands: &commands,
        trees: &trees,
        chain: &chain,
        children: &children,
        adds_build: !prune.commands.is_empty(),
    };
    let (parts, last) = placing::place(&ground)?;
    let Some(last_build) = last else {
        return Refused::new("R15", "the shipping stage already holds only runtime instructions");
    };
    doubts.extend(prune.doubts);
    doubts.extend(perhaps(&commands));
    doubts.extend(tools_that_may_compile(&commands, &parts));
    if manifest.is_none() {
        doubts.push("package.json could not be read: what its packages need of the full image is not known".to_owned());
    }
    let added_packages = start::added_packages(&ground, &parts, manifest.as_ref(), image)?;
    let copied = trees
        .iter()
        .map(|path| Ok(Tree { path: path.clone(), ownership: owners::ownership(&ground, path, last_build)? }))
        .collect::<Result<Vec<Tree>, Refused>>()?;
    if image.digest.is_some() {
        doubts.push("the digest of the base is not repeated: pin the slim image again".to_owned());
    }
    Ok(Plan {
        stage: stage_idx,
        variant: "tree",
        builder: image.clone(),
        runtime,
        runtime_text,
        parts,
        last_build,
        trees: copied,
        added_builds: prune.commands,
        added_packages,
        doubts,
    })
}

fn located(evidence: &Evidence<'_>, stage_idx: usize, stage: &Stage, states: &[State]) -> Vec<Vec<Located>> {
    let facts = evidence.facts.stages.get(stage_idx);
    let one = |(idx, (placed, state)): (usize, (&crate::model::Placed, &State))| match &placed.instruction.kind {
        InstructionKind::Run(run) => {
            commands::located(run, facts.and_then(|it| it.run(idx)), state, &placed.instruction.text)
        }
        _ => Vec::new(),
    };
    stage.instructions.iter().zip(states).enumerate().map(one).collect()
}

/// The slim image of the same version: what it is, and how FROM says so in the author's own words.
fn base(evidence: &Evidence<'_>, stage: &Stage, image: &ImageRef) -> Result<(ImageRef, String), Refused> {
    let InstructionKind::From(from) = &stage.from.instruction.kind else {
        return Refused::new("R9", "the base image is not known");
    };
    let tag = image.tag_or_latest().unwrap_or_default();
    if tag.contains("slim") || tag.contains("alpine") {
        let reason = if tag.contains("alpine") {
            "nothing else in this image is only needed to build it: the base is as small as it gets, and what development dependencies weigh is not known"
        } else {
            "the base is as small as it gets, and what development dependencies weigh is not known"
        };
        return Refused::new("R2", reason);
    }
    if tag.contains("onbuild") {
        return Refused::new("R5", "the base image has ONBUILD instructions");
    }
    let Some(slim) = evidence.images.slim_tag(image) else {
        return Refused::new("R9", format!("no slim image of {image} is known"));
    };
    let Some(runtime) = ImageRef::parse(&image.with_tag(&slim)) else {
        return Refused::new("R9", format!("no slim image of {image} is known"));
    };
    let written = &from.image.text;
    if !written.contains('$') {
        return Ok((runtime, image.with_tag(&slim)));
    }
    // `node:${V}` → `node:${V}-slim`: only the tag may hold variables, and the slim tag must be the tag and a suffix.
    let bare = written.split('@').next().unwrap_or_default();
    let colon = bare.rfind("node:").filter(|at| !bare.get(..*at).unwrap_or("$").contains('$'));
    match (colon, slim.strip_prefix(tag)) {
        (Some(_), Some(suffix)) if !suffix.is_empty() => Ok((runtime, format!("{bare}{suffix}"))),
        _ => Refused::new("R9", format!("the base image {written} is a variable, and no text makes it the slim one")),
    }
}

/// The first number of the tag, the version of Node; `None` for `latest` and names.
fn major(image: &ImageRef) -> Option<u32> {
    let tag = image.tag.as_deref()?;
    let digits: String = tag.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The manifest of the directory the application is installed in, else of the one it starts in.
fn manifest(evidence: &Evidence<'_>, stage: &Stage, states: &[State], located: &[Vec<Located>]) -> Option<Manifest> {
    let installs = located.iter().flatten().filter(|it| prune::is_install(it));
    let directory = installs.filter_map(commands::working_directory).next();
    let directory = directory.or_else(|| states.last()?.directory.clone())?;
    read_manifest(evidence, stage, states, &directory)
}

fn read_manifest(evidence: &Evidence<'_>, stage: &Stage, states: &[State], directory: &str) -> Option<Manifest> {
    if !evidence.context.known {
        return None;
    }
    let path = walk::absolute(directory, "package.json");
    match landing::landed(evidence.file, stage, states, evidence.context, &path) {
        Landed::File(found) => Manifest::parse(evidence.context.text(&found)?),
        Landed::Hidden | Landed::Nothing => None,
    }
}

/// Commands that were taken for build commands because all they name lies in the work tree.
fn perhaps(commands: &[Vec<(Located, Class)>]) -> Vec<String> {
    let found: BTreeSet<String> = commands
        .iter()
        .flatten()
        .filter(|(_, class)| *class == Class::Perhaps)
        .map(|(command, _)| format!("`{}` is taken for a build command", command.told()))
        .collect();
    found.into_iter().collect()
}

/// Tools that are installed once more in the slim image and of which nothing is known.
fn tools_that_may_compile(commands: &[Vec<(Located, Class)>], parts: &[Goes]) -> Vec<String> {
    let runs = commands.iter().zip(parts).filter(|(_, goes)| goes.run.is_some());
    let tools = runs.flat_map(|(commands, _)| commands).filter_map(|(_, class)| match class {
        Class::Tools(names) => Some(names),
        _ => None,
    });
    let unknown = tools.flatten().filter(|name| tools::programs(name).is_none());
    let found: BTreeSet<String> =
        unknown.map(|name| format!("{name} is installed in the slim image too, which has no compiler")).collect();
    found.into_iter().collect()
}

/// Paths of the context that a plan reads.
pub(super) fn wanted_files(evidence: &Evidence<'_>, stage_idx: usize) -> Vec<String> {
    let context = evidence.context;
    let Some(stage) = evidence.file.stages.get(stage_idx).filter(|_| context.known) else { return Vec::new() };
    let states = walk::states(evidence.file, stage_idx, "/");
    let located = located(evidence, stage_idx, stage, &states);
    if !located.iter().flatten().any(commands::is_build) {
        return Vec::new();
    }
    let StartChain { asked, .. } = chain(evidence.file, stage_idx, context, "/", true);
    let installs = located.iter().flatten().filter(|it| prune::is_install(it)).filter_map(commands::working_directory);
    let mut paths: Vec<String> = installs.map(|it| walk::absolute(&it, "package.json")).collect();
    paths.extend(asked);
    for command in located.iter().flatten() {
        let directory = command.directory.as_deref().unwrap_or("/");
        paths.extend(start::script_of(command).map(|it| walk::absolute(directory, &it)));
    }
    let mut res: Vec<String> = Vec::new();
    for path in paths {
        if let Landed::File(found) = landing::landed(evidence.file, stage, &states, context, &path) {
            res.push(found);
        }
    }
    res.extend([".npmrc", ".yarnrc.yml"].map(str::to_owned).into_iter().filter(|it| context.has_file(it)));
    res.extend(sources::wanted(context));
    let mut seen = BTreeSet::new();
    res.retain(|it| !context.texts.contains_key(it) && seen.insert(it.clone()));
    res
}

//! Where each instruction of a stage goes: to the builder, to the stage that runs, or to both (SPEC-multi-stage §6).

mod ends;
mod runs;

use std::collections::BTreeSet;

use crate::ecosystems::commands::{Class, Located};
use crate::ecosystems::{Evidence, Goes, Refused};
use crate::facts::landing::{self, Copied};
use crate::facts::start::StartChain;
use crate::facts::walk::{self, State};
use crate::model::{InstructionKind, Stage};

use runs::run_goes;

/// What placing looks at.
pub struct Ground<'a> {
    /// Everything there is.
    pub evidence: &'a Evidence<'a>,
    /// The stage.
    pub stage: &'a Stage,
    /// Directory and user before each instruction and at the end.
    pub states: &'a [State],
    /// The commands of each instruction's RUN with what they are for.
    pub commands: &'a [Vec<(Located, Class)>],
    /// The work trees.
    pub trees: &'a [String],
    /// What runs at start.
    pub chain: &'a StartChain,
    /// Programs that the application itself is seen to call.
    pub children: &'a BTreeSet<String>,
    /// The texts of all scripts of the manifest, where it could be read: what build commands may call.
    pub scripts: Option<&'a str>,
    /// Whether commands are added at the end of the builder, so that every source has to be there.
    pub adds_build: bool,
}

/// Where everything goes, and the last instruction that is for the build alone (`None`: there is none).
///
/// # Errors
/// R6 for a RUN that cannot be placed, R7 for headers whose library is not known.
pub fn place(ground: &Ground<'_>) -> Result<(Vec<Goes>, Option<usize>), Refused> {
    let n_instructions = ground.stage.instructions.len();
    let mut res: Vec<Goes> = vec![Goes::default(); n_instructions];
    for (idx, placed) in ground.stage.instructions.iter().enumerate() {
        if let InstructionKind::Run(run) = &placed.instruction.kind {
            res[idx] = run_goes(ground, idx, placed, run.script())?;
        }
    }
    let copies: Vec<Option<Copied>> = ground
        .stage
        .instructions
        .iter()
        .zip(ground.states)
        .map(|(placed, state)| landing::copied(ground.evidence.file, ground.stage, placed, state))
        .collect();
    let in_tree = |idx: usize| {
        copies
            .get(idx)
            .and_then(Option::as_ref)
            .is_some_and(|copied| ground.trees.iter().any(|it| walk::is_inside(&copied.destination, it)))
    };
    let mut last_build = res.iter().rposition(|it| it.builds);
    if ground.adds_build {
        last_build = last_build.max((0..n_instructions).rev().find(|idx| in_tree(*idx)));
    }
    let Some(last) = last_build else { return Ok((res, None)) };
    for (idx, commands) in ground.commands.iter().enumerate().take(last) {
        if let Some((command, _)) = commands.iter().find(|(command, class)| reads_tree(ground, command, class)) {
            let line = ground.stage.instructions.get(idx).map_or(0, |it| it.line + 1);
            let told = command.told();
            let reason = format!("`{told}` in line {line} brings files out of the work tree before it is complete");
            return Refused::new("R6", reason);
        }
    }
    for (idx, placed) in ground.stage.instructions.iter().enumerate() {
        res[idx] = match &placed.instruction.kind {
            InstructionKind::Run(_) => continue,
            InstructionKind::Copy(_) | InstructionKind::Add(_) => {
                let Some(copied) = copies.get(idx).and_then(Option::as_ref) else {
                    return Refused::new("R6", format!("cannot tell where line {} copies to", placed.line + 1));
                };
                let goes = match (in_tree(idx), idx <= last) {
                    (true, true) => Goes::to_build(),
                    (false, true) if is_read_by_build(ground, idx, last, copied) => Goes::to_both(),
                    _ => Goes::to_run(),
                };
                Goes { anywhere: copied.absolute, ..goes }
            }
            InstructionKind::Env(_) | InstructionKind::Shell(_) if idx < last => Goes::to_both(),
            // An ARG is repeated where it is used, which the text decides.
            InstructionKind::Arg(_) if idx < last => Goes::to_build(),
            InstructionKind::User(_) | InstructionKind::Workdir(_) => Goes::default(),
            InstructionKind::From(_)
            | InstructionKind::Cmd(_)
            | InstructionKind::Entrypoint(_)
            | InstructionKind::Shell(_)
            | InstructionKind::Env(_)
            | InstructionKind::Arg(_)
            | InstructionKind::Label(_)
            | InstructionKind::Expose(_)
            | InstructionKind::Volume(_)
            | InstructionKind::Stopsignal(_)
            | InstructionKind::Healthcheck(_)
            | InstructionKind::Onbuild(_)
            | InstructionKind::Maintainer(_)
            | InstructionKind::Unknown => Goes::to_run(),
        };
    }
    place_users_and_directories(ground, last, &mut res);
    Ok((res, Some(last)))
}

/// Whether a command takes something out of a work tree to another place.
fn reads_tree(ground: &Ground<'_>, command: &Located, class: &Class) -> bool {
    if !matches!(class, Class::System(_)) || !matches!(command.program.as_str(), "cp" | "mv" | "install") {
        return false;
    }
    command.operands().filter_map(|it| it.value.as_deref()).any(|path| {
        let path = command.directory.as_deref().map(|it| walk::absolute(it, path));
        path.is_none_or(|path| ground.trees.iter().any(|tree| walk::is_inside(&path, tree)))
    })
}

/// USER and WORKDIR go where something follows that they hold for.
fn place_users_and_directories(ground: &Ground<'_>, last: usize, res: &mut [Goes]) {
    let instructions = &ground.stage.instructions;
    let acts = |idx: usize| {
        let kind = instructions.get(idx).map(|it| &it.instruction.kind);
        matches!(kind, Some(InstructionKind::Run(_) | InstructionKind::Copy(_) | InstructionKind::Add(_)))
    };
    let is_workdir = |idx: &usize| {
        matches!(instructions.get(*idx).map(|it| &it.instruction.kind), Some(InstructionKind::Workdir(_)))
    };
    let workdirs: Vec<usize> = (0..instructions.len()).filter(is_workdir).collect();
    for (nth, idx) in workdirs.iter().enumerate() {
        let next = workdirs.get(nth + 1).copied();
        let reach = *idx + 1..next.unwrap_or(instructions.len());
        let build = reach.clone().any(|at| acts(at) && res[at].build.is_some());
        // The tree is copied where the last instruction of the build stood: `./` wants its directory.
        let run = next.is_none()
            || reach.clone().any(|at| acts(at) && res[at].run.is_some())
            || reach.contains(&last) && tree_is(ground, *idx);
        res[*idx] = Goes { build: build.then(Vec::new), run: run.then(Vec::new), ..Goes::default() };
    }
    // A relative WORKDIR stands on the ones before it, back to an absolute one.
    for (nth, idx) in workdirs.iter().enumerate().rev() {
        let relative = match &instructions[*idx].instruction.kind {
            InstructionKind::Workdir(word) => {
                !walk::value(ground.evidence.file, ground.stage, &instructions[*idx], &word.text)
                    .is_some_and(|it| it.starts_with('/'))
            }
            _ => false,
        };
        if let (true, Some(before)) = (relative, nth.checked_sub(1).and_then(|nth| workdirs.get(nth))) {
            let Goes { build, run, .. } = res[*idx].clone();
            res[*before].build = res[*before].build.take().or(build);
            res[*before].run = res[*before].run.take().or(run);
        }
    }
    for idx in 0..instructions.len() {
        if matches!(instructions[idx].instruction.kind, InstructionKind::User(_)) {
            let build =
                (idx + 1..instructions.len()).any(|at| (acts(at) || is_workdir(&at)) && res[at].build.is_some());
            res[idx] = Goes { build: build.then(Vec::new), run: Some(Vec::new()), ..Goes::default() };
        }
    }
}

/// Whether this WORKDIR enters a work tree itself.
fn tree_is(ground: &Ground<'_>, idx: usize) -> bool {
    let directory = ground.states.get(idx + 1).and_then(|it| it.directory.as_ref());
    directory.is_some_and(|it| ground.trees.contains(it))
}

/// Whether a build command behind it names what is copied, or reads it unasked.
fn is_read_by_build(ground: &Ground<'_>, idx: usize, last: usize, copied: &Copied) -> bool {
    const UNASKED: [&str; 10] = [
        ".npmrc",
        ".yarnrc",
        ".yarnrc.yml",
        ".netrc",
        ".gitconfig",
        ".ssh",
        "certs",
        ".pem",
        ".crt",
        ".git-credentials",
    ];
    let destination = copied.destination.as_str();
    let names = copied.sources.iter().flatten().map(String::as_str).chain([destination]);
    let unasked = names.clone().any(|name| UNASKED.iter().any(|it| name.ends_with(it)));
    let started = ground
        .chain
        .programs
        .iter()
        .any(|it| names.clone().any(|name| name.rsplit('/').next() == Some(it.name.as_str())));
    let system =
        ["/usr", "/opt", "/lib", "/root", "/home"].iter().any(|it| walk::is_inside(destination, it)) && !started;
    let named = (idx + 1..=last).any(|at| {
        let placed = &ground.stage.instructions[at];
        matches!(placed.instruction.kind, InstructionKind::Run(_)) && placed.instruction.text.contains(destination)
    });
    let around = ground.trees.iter().any(|tree| walk::is_inside(tree, destination));
    unasked || system || named || around
}

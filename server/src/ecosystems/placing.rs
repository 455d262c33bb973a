//! Where each instruction of a stage goes: to the builder, to the stage that runs, or to both (SPEC-multi-stage §6).

use std::collections::BTreeSet;

use crate::ecosystems::commands::{Class, Located};
use crate::ecosystems::{Evidence, Goes, Refused, packages, tools};
use crate::facts::landing::{self, Copied};
use crate::facts::start::StartChain;
use crate::facts::walk::{self, State};
use crate::model::{InstructionKind, Placed, Stage};
use crate::shell::{Joint, Script};
use crate::text::Local;

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
    /// Whether commands are added at the end of the builder, so that every source has to be there.
    pub adds_build: bool,
}

/// The two ends an instruction or a part of it may go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Ends {
    build: bool,
    run: bool,
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
    let mut last_build = res.iter().rposition(Goes::is_build_only);
    if ground.adds_build {
        last_build = last_build.max((0..n_instructions).rev().find(|idx| in_tree(*idx)));
    }
    let Some(last) = last_build else { return Ok((res, None)) };
    for (idx, placed) in ground.stage.instructions.iter().enumerate() {
        res[idx] = match &placed.instruction.kind {
            InstructionKind::Run(_) => continue,
            InstructionKind::Copy(_) | InstructionKind::Add(_) => {
                let Some(copied) = copies.get(idx).and_then(Option::as_ref) else {
                    return Refused::new("R6", format!("cannot tell where line {} copies to", placed.line + 1));
                };
                match (in_tree(idx), idx <= last) {
                    (true, true) => Goes::to_build(),
                    (false, true) if is_read_by_build(ground, idx, last, copied) => Goes::to_both(),
                    _ => Goes::to_run(),
                }
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
        res[*idx] = Goes { build: build.then(Vec::new), run: run.then(Vec::new) };
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
            let Goes { build, run } = res[*idx].clone();
            res[*before].build = res[*before].build.take().or(build);
            res[*before].run = res[*before].run.take().or(run);
        }
    }
    for idx in 0..instructions.len() {
        if matches!(instructions[idx].instruction.kind, InstructionKind::User(_)) {
            let build =
                (idx + 1..instructions.len()).any(|at| (acts(at) || is_workdir(&at)) && res[at].build.is_some());
            res[idx] = Goes { build: build.then(Vec::new), run: Some(Vec::new()) };
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
    unasked || system || named
}

/// A RUN: whole, or cut at `&&` where its parts go different ways.
fn run_goes(ground: &Ground<'_>, idx: usize, placed: &Placed, script: Option<&Script>) -> Result<Goes, Refused> {
    let no_commands = Vec::new();
    let commands = ground.commands.get(idx).unwrap_or(&no_commands);
    let mut ends: Vec<Ends> = Vec::with_capacity(commands.len());
    let mut cut_build = Vec::new();
    let mut cut_run = Vec::new();
    for (command, class) in commands {
        ends.push(command_ends(ground, idx, command, class, &mut cut_build, &mut cut_run)?);
    }
    // Lists are read and waste is cleaned for the installs of the same RUN, else for those behind it.
    let installs = commands.iter().zip(&ends).filter(|((_, class), _)| matches!(class, Class::Packages(_)));
    let mut lists = installs.fold(Ends::default(), |acc, (_, ends)| join(acc, *ends));
    if lists == Ends::default() && commands.iter().any(|(_, class)| matches!(class, Class::Lists)) {
        lists = later_installs(ground, idx)?;
    }
    for ((_, class), ends) in commands.iter().zip(&mut ends) {
        if matches!(class, Class::Lists) {
            *ends = lists;
        }
    }
    let all = ends.iter().fold(Ends::default(), |acc, it| join(acc, *it));
    let all = if all == Ends::default() { Ends { build: true, run: false } } else { all };
    let whole =
        |ends: Ends| Goes { build: ends.build.then(|| cut_build.clone()), run: ends.run.then(|| cut_run.clone()) };
    let undecided = Ends::default();
    if ends.iter().all(|it| *it == undecided || *it == all) {
        return Ok(whole(all));
    }
    let cannot = || {
        let (command, _) = commands.iter().zip(&ends).find(|(_, it)| it.run).map_or_else(|| &commands[0], |(it, _)| it);
        Refused::new(
            "R6",
            format!(
                "line {} does several things at once, and `{}` is needed at run time",
                placed.line + 1,
                command.told()
            ),
        )
    };
    let Some(parts) = script.and_then(parts) else { return cannot() };
    let state = commands.iter().any(|(command, _)| {
        matches!(
            command.program.as_str(),
            "cd" | "export" | "set" | "." | "source" | "umask" | "" | "trap" | "alias" | "pushd"
        )
    });
    if state {
        return cannot();
    }
    let mut of_parts: Vec<Ends> = Vec::with_capacity(parts.len());
    for part in &parts {
        let inside = commands.iter().zip(&ends).filter(|((command, _), _)| part.contains_range(command.whole));
        let mut distinct: Vec<Ends> = inside.map(|(_, ends)| *ends).filter(|it| *it != undecided).collect();
        distinct.dedup();
        match distinct[..] {
            [] => of_parts.push(of_parts.last().copied().unwrap_or(undecided)),
            [ends] => of_parts.push(ends),
            _ => return cannot(),
        }
    }
    // What nothing before it decided (`set -x &&`) goes with what follows.
    for at in (0..of_parts.len().saturating_sub(1)).rev() {
        if of_parts[at] == undecided {
            of_parts[at] = of_parts[at + 1];
        }
    }
    // A RUN of which no part is for the runtime alone stays whole in the builder.
    if of_parts.iter().any(|it| it.run && !it.build) {
        cut_build.extend(removed(&parts, &of_parts, |it| it.build));
    }
    cut_run.extend(removed(&parts, &of_parts, |it| it.run));
    Ok(Goes { build: all.build.then_some(cut_build), run: all.run.then_some(cut_run) })
}

fn join(a: Ends, b: Ends) -> Ends {
    Ends { build: a.build || b.build, run: a.run || b.run }
}

/// Where the installs behind this RUN go; the builder if there are none.
fn later_installs(ground: &Ground<'_>, idx: usize) -> Result<Ends, Refused> {
    let mut acc = Ends::default();
    for (at, commands) in ground.commands.iter().enumerate().skip(idx + 1) {
        for (command, class) in commands.iter().filter(|(_, class)| matches!(class, Class::Packages(_))) {
            acc = join(acc, command_ends(ground, at, command, class, &mut Vec::new(), &mut Vec::new())?);
        }
    }
    Ok(if acc == Ends::default() { Ends { build: true, run: false } } else { acc })
}

/// Where one command goes; nowhere for one that goes with its neighbours.
fn command_ends(
    ground: &Ground<'_>,
    idx: usize,
    command: &Located,
    class: &Class,
    cut_build: &mut Vec<Local>,
    cut_run: &mut Vec<Local>,
) -> Result<Ends, Refused> {
    const BUILD: Ends = Ends { build: true, run: false };
    let build_follows = |name: &str| {
        ground.stage.instructions.iter().enumerate().skip(idx + 1).any(|(at, placed)| {
            placed.instruction.text.contains(name)
                && match &placed.instruction.kind {
                    InstructionKind::Run(_) => {
                        ground.commands.get(at).is_some_and(|it| it.iter().any(|(_, class)| is_build(class)))
                    }
                    InstructionKind::Copy(_) | InstructionKind::Add(_) => true,
                    InstructionKind::User(_) => {
                        ground.commands.iter().skip(at).flatten().any(|(_, class)| is_build(class))
                    }
                    _ => false,
                }
        })
    };
    Ok(match class {
        Class::Build | Class::Perhaps => BUILD,
        Class::Transparent | Class::Clean | Class::Lists => Ends::default(),
        Class::Packages(found) => package_ends(ground, idx, found, cut_build, cut_run)?,
        Class::Account(names) => {
            Ends { build: names.iter().any(|name| build_follows(name)) || builds_as(ground, idx, names), run: true }
        }
        Class::Tools(names) => {
            if names.iter().any(|it| it == "corepack") {
                if ["yarn", "pnpm", "yarnpkg", "corepack"].iter().any(|it| ground.chain.runs(it)) {
                    return Refused::new(
                        "R6",
                        "the start runs a package manager that corepack fetched for another user or folder",
                    );
                }
                return Ok(BUILD);
            }
            names.iter().map(|name| tool_ends(ground, idx, name)).fold(Ends::default(), join)
        }
        Class::Configuration(manager) => Ends { build: true, run: ground.chain.runs(manager) },
        Class::System(paths) => {
            let follows = paths.iter().any(|path| build_follows(path)) || paths.is_empty() && later_build(ground, idx);
            Ends { build: follows, run: true }
        }
        Class::Everywhere => {
            return Refused::new(
                "R6",
                format!("`{}` changes files inside and outside of the work tree", command.told()),
            );
        }
        Class::Unknown(told) => {
            return Refused::new("R6", format!("cannot tell whether `{told}` is needed at run time"));
        }
    })
}

fn is_build(class: &Class) -> bool {
    matches!(class, Class::Build | Class::Perhaps)
}

fn later_build(ground: &Ground<'_>, idx: usize) -> bool {
    ground.commands.iter().skip(idx + 1).flatten().any(|(_, class)| is_build(class))
}

/// Whether commands of this same RUN or later ones name an account (`chown -R app .`).
fn builds_as(ground: &Ground<'_>, idx: usize, names: &[String]) -> bool {
    let at = ground.commands.iter().skip(idx).flatten().filter(|(_, class)| is_build(class));
    let mut values = at.flat_map(|(command, _)| command.values());
    values.any(|value| names.iter().any(|name| value.split(':').any(|it| it == name)))
}

fn tool_ends(ground: &Ground<'_>, idx: usize, name: &str) -> Ends {
    let Some(programs) = tools::programs(name) else { return Ends { build: true, run: true } };
    let starts = programs.iter().any(|it| ground.chain.runs(it));
    let builds = programs.iter().any(|program| {
        ground
            .commands
            .iter()
            .skip(idx)
            .flatten()
            .any(|(command, class)| command.program == *program && is_build(class))
    });
    Ends { build: builds || !starts, run: starts }
}

fn package_ends(
    ground: &Ground<'_>,
    idx: usize,
    found: &[(Local, String)],
    cut_build: &mut Vec<Local>,
    cut_run: &mut Vec<Local>,
) -> Result<Ends, Refused> {
    let mut each = Vec::with_capacity(found.len());
    for (_, name) in found {
        let programs = packages::programs(name);
        let starts = programs.iter().any(|it| ground.chain.runs(it) || ground.children.contains(*it));
        let called = |class_of: fn(&Class) -> bool| {
            ground
                .commands
                .iter()
                .skip(idx)
                .flatten()
                .any(|(it, class)| class_of(class) && programs.contains(&it.program.as_str()))
        };
        let builds = called(is_build);
        let runs = starts || called(|class| matches!(class, Class::System(_) | Class::Account(_)));
        each.push(match packages::purpose(name) {
            packages::Purpose::Build => Ends { build: true, run: runs },
            packages::Purpose::Headers => {
                return Refused::new("R7", format!("no runtime package is known for {name}"));
            }
            packages::Purpose::Fetch => Ends { build: builds, run: runs || !builds },
            packages::Purpose::Run => Ends { build: builds, run: true },
        });
    }
    let all = each.iter().copied().fold(Ends::default(), join);
    // A list that is mixed is written twice, each time without what goes the other way.
    let text = ground.stage.instructions.get(idx).map_or("", |placed| &placed.instruction.text);
    for ((range, _), ends) in found.iter().zip(&each) {
        let piece =
            Local { start: gap_start(text, range.start, ground.evidence.file.directives.escape), end: range.end };
        if all.build && !ends.build {
            cut_build.push(piece);
        }
        if all.run && !ends.run {
            cut_run.push(piece);
        }
    }
    Ok(all)
}

/// Where the blanks and continuations before a word begin.
fn gap_start(text: &str, start: u32, escape: char) -> u32 {
    let before = text.get(..start as usize).unwrap_or_default();
    let mut end = before.len();
    let mut rest = before;
    while let Some(last) = rest.chars().next_back() {
        let continues = last == escape
            && before.get(end..).is_some_and(|gap| gap.trim_start_matches([' ', '\t', '\r']).starts_with('\n'));
        if !last.is_whitespace() && !continues {
            break;
        }
        end -= last.len_utf8();
        rest = before.get(..end).unwrap_or_default();
    }
    end as u32
}

/// The pieces between the `&&` of a script that is one list of them; `None` for any other.
fn parts(script: &Script) -> Option<Vec<Local>> {
    let [item] = script.list.items.as_slice() else { return None };
    if item.separator.is_some() || !item.and_or.rest.iter().all(|(Joint { and, .. }, _)| *and) {
        return None;
    }
    Some(item.and_or.pipelines().map(|it| it.range).collect())
}

/// The text to take out so that the parts which are kept remain, joined as they were.
fn removed(parts: &[Local], ends: &[Ends], keeps: impl Fn(&Ends) -> bool) -> Vec<Local> {
    let kept: Vec<usize> = (0..parts.len()).filter(|at| ends.get(*at).is_some_and(&keeps)).collect();
    let (Some(first), Some(last)) = (kept.first(), kept.last()) else { return Vec::new() };
    let mut res = Vec::new();
    if *first > 0 {
        res.push(Local { start: parts[0].start, end: parts[*first].start });
    }
    for pair in kept.windows(2) {
        if pair[1] > pair[0] + 1 {
            res.push(Local { start: parts[pair[0]].end, end: parts[pair[1] - 1].end });
        }
    }
    if last + 1 < parts.len() {
        res.push(Local { start: parts[*last].end, end: parts[parts.len() - 1].end });
    }
    res
}

//! What must hold of the new file (SPEC-multi-stage §12), each a function over the two files and the plan.
//!
//! **Invariant:** these look at the new text alone as it was lowered, never at how it was composed.

use std::collections::BTreeSet;

use crate::ecosystems::{Ownership, Plan, Refused};
use crate::facts::landing;
use crate::facts::walk::{self, State};
use crate::model::{Base, File, InstructionKind, Origin, Source, Stage};

/// Checks them all; the first that fails is the refusal.
pub(super) fn check(old: &File, new: &File, plan: &Plan) -> Result<(), Refused> {
    let (Some(before), Some(builder), Some(runtime)) =
        (old.stages.get(plan.stage), new.stages.get(plan.stage), new.stages.get(plan.stage + 1))
    else {
        return failed("O14", "the stages are not the ones that were meant");
    };
    let pair = Pair { old, new, before, builder, runtime, plan };
    parses(&pair)?;
    same_version(&pair)?;
    same_configuration(&pair)?;
    accounts_exist(&pair)?;
    owners_are_kept(&pair)?;
    arguments_are_declared(&pair)?;
    builds_as_before(&pair)?;
    stages_are_untouched(&pair)?;
    volumes_come_last(&pair)?;
    runs_where_it_ran(&pair)
}

struct Pair<'a> {
    old: &'a File,
    new: &'a File,
    before: &'a Stage,
    builder: &'a Stage,
    runtime: &'a Stage,
    plan: &'a Plan,
}

fn failed(obligation: &str, reason: &str) -> Result<(), Refused> {
    let code = match obligation {
        "O3" | "O5" => "R8",
        "O7" | "O8" | "O15" => "R14",
        "O17" => "R6",
        _ => "R13",
    };
    Refused::new(code, reason)
}

/// The new text has no fault that the old one had not.
fn parses(pair: &Pair<'_>) -> Result<(), Refused> {
    if pair.new.faults.len() > pair.old.faults.len() {
        return failed("O14", "the new file would not parse");
    }
    Ok(())
}

/// O3, O5: C library, suite and interpreter are the same on both sides.
fn same_version(pair: &Pair<'_>) -> Result<(), Refused> {
    let (Base::Image(builder), Base::Image(runtime)) = (&pair.builder.base, &pair.runtime.base) else {
        return failed("O3", "the base images are not known");
    };
    let (from, to) = (builder.tag_or_latest().unwrap_or_default(), runtime.tag_or_latest().unwrap_or_default());
    let same_tag = to == format!("{from}-slim") || from == "latest" && to == "slim";
    if builder.repository() != runtime.repository() || !same_tag || pair.builder.base != pair.before.base {
        return failed("O5", "the two base images would not be of one version");
    }
    Ok(())
}

/// O6: what `docker inspect` shows is the same.
fn same_configuration(pair: &Pair<'_>) -> Result<(), Refused> {
    let old = configuration(pair.old, pair.plan.stage, pair.before);
    let new = configuration(pair.new, pair.plan.stage + 1, pair.runtime);
    if old != new {
        return failed("O6", "the container would be configured differently");
    }
    Ok(())
}

/// The run configuration of a stage as text lines. Instructions that add up are all in it, of the others the last.
fn configuration(file: &File, stage_idx: usize, stage: &Stage) -> Vec<String> {
    let mut res = Vec::new();
    let state = walk::states(file, stage_idx, "/").pop();
    res.push(format!("{:?}", state));
    let mut last: [Option<&str>; 5] = [None; 5];
    for placed in &stage.instructions {
        let text = &*placed.instruction.text;
        match &placed.instruction.kind {
            InstructionKind::Env(pairs) => res.extend(pairs.iter().map(|pair| {
                let value = pair.value.as_ref().map(|it| it.text.as_str()).unwrap_or_default();
                format!("ENV {} {:?}", pair.name.text, walk::value(file, stage, placed, value))
            })),
            InstructionKind::Label(pairs) => res.extend(pairs.iter().map(|pair| {
                let value = pair.value.as_ref().map(|it| it.text.as_str()).unwrap_or_default();
                format!("LABEL {} {:?}", pair.name.text, walk::value(file, stage, placed, value))
            })),
            InstructionKind::Expose(words) | InstructionKind::Volume(words) => {
                res.extend(words.iter().map(|word| {
                    format!(
                        "{} {:?} {}",
                        placed.instruction.name,
                        walk::value(file, stage, placed, &word.text),
                        word.text
                    )
                }));
            }
            InstructionKind::Cmd(_) => last[0] = Some(text),
            InstructionKind::Entrypoint(_) => last[1] = Some(text),
            InstructionKind::Healthcheck(_) => last[2] = Some(text),
            InstructionKind::Stopsignal(_) => last[3] = Some(text),
            InstructionKind::Shell(_) => last[4] = Some(text),
            InstructionKind::Maintainer(_) => res.push(text.to_owned()),
            InstructionKind::From(_)
            | InstructionKind::Run(_)
            | InstructionKind::Copy(_)
            | InstructionKind::Add(_)
            | InstructionKind::Arg(_)
            | InstructionKind::User(_)
            | InstructionKind::Workdir(_)
            | InstructionKind::Onbuild(_)
            | InstructionKind::Unknown => {}
        }
    }
    res.extend(last.into_iter().flatten().map(str::to_owned));
    res
}

/// O7: users and groups that USER and `--chown` name exist in the stage that runs.
fn accounts_exist(pair: &Pair<'_>) -> Result<(), Refused> {
    const DEBIAN: [&str; 8] = ["root", "node", "www-data", "daemon", "nobody", "nogroup", "bin", "sys"];
    let mut made = String::new();
    for placed in &pair.runtime.instructions {
        let word = match &placed.instruction.kind {
            InstructionKind::Run(_) => {
                if ["useradd", "adduser", "groupadd", "addgroup", "usermod"]
                    .iter()
                    .any(|it| placed.instruction.text.contains(it))
                {
                    made.push_str(&placed.instruction.text);
                    made.push('\n');
                }
                continue;
            }
            InstructionKind::User(word) => Some(word),
            InstructionKind::Copy(_) | InstructionKind::Add(_) => {
                placed.instruction.flag("chown").and_then(|flag| flag.value.as_ref())
            }
            _ => None,
        };
        let Some(word) = word else { continue };
        let value = walk::value(pair.new, pair.runtime, placed, &word.text);
        let Some(value) = value else { return failed("O7", "the user is a variable without a value") };
        for name in value.split(':') {
            let known = name.is_empty() || name.bytes().all(|it| it.is_ascii_digit()) || DEBIAN.contains(&name);
            if !known && !made.contains(name) {
                return failed(
                    "O7",
                    &format!("the account {name} is not made by anything that goes to the stage which runs"),
                );
            }
        }
    }
    Ok(())
}

/// O8: a copy that gives a tree its owner comes before the WORKDIR that would make it root's.
fn owners_are_kept(pair: &Pair<'_>) -> Result<(), Refused> {
    let states = walk::states(pair.new, pair.plan.stage + 1, "/");
    for tree in pair.plan.trees.iter().filter(|it| matches!(it.ownership, Ownership::Whole(_))) {
        let copy = position_of_copy(pair, &states, &tree.path);
        let made = pair.runtime.instructions.iter().zip(states.iter().skip(1)).position(|(placed, state)| {
            matches!(placed.instruction.kind, InstructionKind::Workdir(_))
                && state.directory.as_deref().is_some_and(|it| walk::is_inside(it, &tree.path))
        });
        if copy.is_none() || made.is_some_and(|made| copy.is_some_and(|copy| made < copy)) {
            return failed("O8", &format!("{} would belong to root", tree.path));
        }
    }
    Ok(())
}

fn position_of_copy(pair: &Pair<'_>, states: &[State], tree: &str) -> Option<usize> {
    pair.runtime.instructions.iter().zip(states).position(|(placed, state)| {
        placed.instruction.flag("from").is_some()
            && landing::copied(pair.new, pair.runtime, placed, state).is_some_and(|it| it.destination == tree)
    })
}

/// O10: what is an ARG in the old stage is declared before it is used in the new one.
fn arguments_are_declared(pair: &Pair<'_>) -> Result<(), Refused> {
    let arguments: BTreeSet<&str> =
        pair.before.scope.variables.iter().filter(|it| it.origin != Origin::Env).map(|it| it.name.as_str()).collect();
    for placed in &pair.runtime.instructions {
        if matches!(
            placed.instruction.kind,
            InstructionKind::Cmd(_) | InstructionKind::Entrypoint(_) | InstructionKind::Healthcheck(_)
        ) {
            continue;
        }
        for name in &arguments {
            let text = &placed.instruction.text;
            let refers = text.contains(&format!("${name}")) || text.contains(&format!("${{{name}"));
            let exact = refers && super::compose::refers(text, &[], name);
            if exact && pair.runtime.scope.get_at(name, placed.at).is_none() {
                return failed("O10", &format!("{name} would not be known in the stage that runs"));
            }
        }
    }
    Ok(())
}

/// O11: the builder has what is for the build, in the old order, and ends with what is added.
fn builds_as_before(pair: &Pair<'_>) -> Result<(), Refused> {
    let mut wanted = pair.before.instructions.iter().zip(&pair.plan.parts).filter(|(_, goes)| goes.build.is_some());
    let own = pair.builder.instructions.len().saturating_sub(pair.plan.added_builds.len());
    let mut n_seen = 0;
    for placed in pair.builder.instructions.iter().take(own) {
        let Some((old, goes)) = wanted.next() else { return failed("O11", "the builder would do more than before") };
        let uncut = goes.build.as_ref().is_none_or(Vec::is_empty);
        if placed.instruction.name != old.instruction.name || uncut && placed.instruction.text != old.instruction.text {
            return failed("O11", "the builder would do something else than before");
        }
        n_seen += 1;
    }
    let n_wanted = pair.plan.parts.iter().filter(|it| it.build.is_some()).count();
    if n_seen != n_wanted {
        return failed("O11", "the builder would do less than before");
    }
    let last = pair.plan.last_build;
    let build_only = |(idx, goes): (usize, &crate::ecosystems::Goes)| goes.builds && goes.run.is_none() && idx > last;
    if pair.plan.parts.iter().enumerate().any(build_only) {
        return failed("O11", "something is built after the copy");
    }
    Ok(())
}

/// O14: names are unique, the other stages are the same and what they refer to is the same.
fn stages_are_untouched(pair: &Pair<'_>) -> Result<(), Refused> {
    let at = pair.plan.stage;
    if pair.new.stages.len() != pair.old.stages.len() + 1 {
        return failed("O14", "the number of stages would be another one");
    }
    let mut names = BTreeSet::new();
    let named = pair.new.stages.iter().filter_map(|it| it.name.as_ref());
    let unique = named.clone().all(|it| names.insert(it.text.to_ascii_lowercase()));
    let unique_before = {
        let mut names = BTreeSet::new();
        pair.old.stages.iter().filter_map(|it| it.name.as_ref()).all(|it| names.insert(it.text.to_ascii_lowercase()))
    };
    if unique_before && !unique {
        return failed("O14", "two stages would have one name");
    }
    let moved = |idx: usize| if idx > at { idx + 1 } else { idx };
    for (idx, old) in pair.old.stages.iter().enumerate().filter(|(idx, _)| *idx != at) {
        let Some(new) = pair.new.stages.get(moved(idx)) else { return failed("O14", "a stage would be missing") };
        let same_text = old.instructions.len() == new.instructions.len()
            && old.instructions.iter().zip(&new.instructions).all(|(a, b)| a.instruction.text == b.instruction.text);
        let same_base = match (&old.base, &new.base) {
            (Base::Stage(a), Base::Stage(b)) => moved(*a) == *b,
            (a, b) => a == b,
        };
        if !same_text || !same_base || !same_sources(old, new, &moved) {
            return failed("O14", "another stage would refer to something else");
        }
    }
    let copies = pair.runtime.sources.iter().filter(|(_, source)| *source == Source::Stage(at)).count();
    if copies < pair.plan.trees.len() {
        return failed("O14", "the stage that runs would not copy from the builder");
    }
    let known: Vec<&Source> = pair.before.sources.iter().map(|(_, source)| source).collect();
    let strange = |source: &Source| *source != Source::Stage(at) && !known.contains(&source);
    if pair.runtime.sources.iter().chain(&pair.builder.sources).any(|(_, source)| strange(source)) {
        return failed("O14", "the stage would refer to something else");
    }
    Ok(())
}

fn same_sources(old: &Stage, new: &Stage, moved: &dyn Fn(usize) -> usize) -> bool {
    old.sources.len() == new.sources.len()
        && old.sources.iter().zip(&new.sources).all(|((_, a), (_, b))| match (a, b) {
            (Source::Stage(a), Source::Stage(b)) => moved(*a) == *b,
            (a, b) => a == b,
        })
}

/// O15: a VOLUME of a tree stands behind the copy into it, and nothing was written behind it in the old stage.
fn volumes_come_last(pair: &Pair<'_>) -> Result<(), Refused> {
    let states = walk::states(pair.new, pair.plan.stage + 1, "/");
    for tree in &pair.plan.trees {
        let Some(copy) = position_of_copy(pair, &states, &tree.path) else {
            return failed("O14", &format!("{} would not be copied", tree.path));
        };
        for placed in pair.runtime.instructions.iter().take(copy) {
            let InstructionKind::Volume(words) = &placed.instruction.kind else { continue };
            for word in words {
                let path = walk::value(pair.new, pair.runtime, placed, &word.text).map(|it| walk::absolute("/", &it));
                if path.is_none_or(|it| walk::is_inside(&it, &tree.path) || walk::is_inside(&tree.path, &it)) {
                    return failed("O15", &format!("{} is a VOLUME before it is complete", word.text));
                }
            }
        }
    }
    Ok(())
}

/// O17: every RUN and COPY of the stage that runs has the directory and the user it had.
fn runs_where_it_ran(pair: &Pair<'_>) -> Result<(), Refused> {
    let old = walk::states(pair.old, pair.plan.stage, "/");
    let new = walk::states(pair.new, pair.plan.stage + 1, "/");
    let mut wanted = pair
        .before
        .instructions
        .iter()
        .zip(&old)
        .zip(&pair.plan.parts)
        .filter(|((placed, _), goes)| goes.run.is_some() && acts(&placed.instruction.kind));
    for (placed, state) in pair.runtime.instructions.iter().zip(&new).filter(|(it, _)| acts(&it.instruction.kind)) {
        if is_added(pair, &placed.instruction) {
            continue;
        }
        let Some(((before, was), goes)) = wanted.next() else {
            return failed("O17", "the stage that runs would do more than before");
        };
        let line = before.line + 1;
        if was.user != state.user || was.directory != state.directory && !goes.anywhere {
            return failed("O17", &format!("line {line} would run in another directory or as another user"));
        }
    }
    if wanted.next().is_some() {
        return failed("O17", "the stage that runs would do less than before");
    }
    Ok(())
}

fn acts(kind: &InstructionKind) -> bool {
    matches!(kind, InstructionKind::Run(_) | InstructionKind::Copy(_) | InstructionKind::Add(_))
}

/// Whether an instruction of the stage that runs is none of the author's.
fn is_added(pair: &Pair<'_>, instruction: &crate::model::Instruction) -> bool {
    let builder = pair.builder.name.as_ref().map(|it| it.text.as_str());
    let from = instruction.flag("from").and_then(|flag| flag.value.as_ref()).map(|it| it.text.as_str());
    if from.is_some() && from == builder {
        return true;
    }
    let is_run = matches!(instruction.kind, InstructionKind::Run(_));
    let makes = is_run
        && pair.plan.trees.iter().any(|tree| instruction.text.contains(&format!("mkdir -p {} && chown", tree.path)));
    let installs = is_run
        && !pair.plan.added_packages.is_empty()
        && instruction.text.contains(&format!("--no-install-recommends {} ", pair.plan.added_packages.join(" ")))
        && !pair.before.instructions.iter().any(|it| it.instruction.text == instruction.text);
    makes || installs
}

#[cfg(test)]
mod tests;

//! The start chain: what CMD, ENTRYPOINT and HEALTHCHECK run, followed through init wrappers, `npm start`, shell text
//! and start scripts down to programs and the files they name.
//!
//! **Invariant:** nothing is carried out. What could not be followed stands in [`StartChain::open`], never a guess.

pub mod development;
mod follow;
mod scripts;
pub mod workplace;
mod wrappers;

use std::collections::BTreeMap;

use crate::context::BuildContext;
use crate::facts::walk::{self, State};
use crate::model::{Base, File, Healthcheck, InstructionKind, Stage};

use follow::{Follower, Written};

/// What a container runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartChain {
    /// Programs in the order in which they are met, wrappers and package managers included.
    pub programs: Vec<Program>,
    /// What could not be followed.
    pub open: Vec<Open>,
    /// Whether the stage or one it is built on has a CMD or an ENTRYPOINT.
    pub written: bool,
    /// Paths of the image that were read, or would have been: manifests and start scripts, absolute.
    pub asked: Vec<String>,
}

/// One program of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its name without the folder (`node`).
    pub name: String,
    /// As the chain names it (`/usr/local/bin/start`).
    pub word: String,
    /// Its arguments; `None` for one that is not known here.
    pub arguments: Vec<Option<String>>,
    /// The directory it runs in, absolute, where it is known.
    pub directory: Option<String>,
    /// What role it has.
    pub role: Role,
    /// The commands of the author that led here, outermost first (`npm start`); empty for CMD itself.
    pub trail: Vec<String>,
    /// Whether a package manager runs it, so that `node_modules/.bin` is on the PATH.
    pub packaged: bool,
    /// Whether only the health check runs it.
    pub health: bool,
}

/// What a program does in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It does the work.
    Work,
    /// It starts another one, which follows: an init, a wrapper, a package manager, a shell.
    Wrapper,
}

/// What could not be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Open {
    /// `npm start`, and no readable package.json where it runs.
    Manifest(String),
    /// A start script that cannot be read or is no shell.
    Script(String),
    /// A program whose name is a variable without a known value.
    Variable(String),
    /// A configuration that names further programs (`ecosystem.config.js`).
    Config(String),
    /// Shell text that does not parse.
    Shell,
    /// Scripts that call each other more than five deep.
    Deep(String),
}

/// Follows the start of a stage.
///
/// `directory` is where the outermost base image starts; `entrypoint` says that this image has an entry point of the
/// official Node kind, which runs `node` with what is no program.
pub fn chain(file: &File, stage_idx: usize, context: &BuildContext, directory: &str, entrypoint: bool) -> StartChain {
    let mut acc = StartChain::default();
    let Some(stage) = file.stages.get(stage_idx) else { return acc };
    let states = walk::states(file, stage_idx, directory);
    let last = states.last().cloned().unwrap_or(State { directory: None, user: None });
    let environment = environment(stage);
    let mut follower =
        Follower { file, stage, states: &states, context, environment, command: Vec::new(), acc: &mut acc };
    let (entry, command) = written(file, stage_idx);
    follower.acc.written = entry.is_some() || command.is_some();
    follower.start(entry, command, last.directory.clone(), entrypoint);
    if let Some((Healthcheck::Cmd(form), text)) = health(file, stage_idx) {
        let from = follower.acc.programs.len();
        follower.form(Written { form, text }, last.directory);
        for program in follower.acc.programs.iter_mut().skip(from) {
            program.health = true;
        }
    }
    acc
}

/// Whether a program is known to run the words behind it as a command (`tini`, `gosu`, `env`).
pub fn wraps(name: &str) -> bool {
    wrappers::runs_its_words(name)
}

/// The ENTRYPOINT and CMD that hold at the end of a stage, as BuildKit joins stages: an ENTRYPOINT takes away the CMD
/// of the stages below (`dispatchEntrypoint` in `dockerfile2llb/convert.go`).
fn written(file: &File, stage_idx: usize) -> (Option<Written<'_>>, Option<Written<'_>>) {
    let Some(stage) = file.stages.get(stage_idx) else { return (None, None) };
    let mut entry = None;
    let mut command = None;
    for placed in &stage.instructions {
        let text = &*placed.instruction.text;
        match &placed.instruction.kind {
            InstructionKind::Cmd(form) => command = Some(Written { form, text }),
            InstructionKind::Entrypoint(form) => entry = Some(Written { form, text }),
            _ => {}
        }
    }
    let below = match stage.base {
        Base::Stage(parent) if parent < stage_idx => written(file, parent),
        Base::Stage(_) | Base::Image(_) | Base::Scratch | Base::Unknown(_) => (None, None),
    };
    match (entry, command) {
        (Some(entry), command) => (Some(entry), command),
        (None, command) => (below.0, command.or(below.1)),
    }
}

/// The HEALTHCHECK that holds at the end of a stage, with the text of its instruction.
fn health(file: &File, stage_idx: usize) -> Option<(&Healthcheck, &str)> {
    let stage = file.stages.get(stage_idx)?;
    let own = stage.instructions.iter().rev().find_map(|placed| match &placed.instruction.kind {
        InstructionKind::Healthcheck(health) => Some((health, &*placed.instruction.text)),
        _ => None,
    });
    match stage.base {
        Base::Stage(parent) if parent < stage_idx => own.or_else(|| health(file, parent)),
        Base::Stage(_) | Base::Image(_) | Base::Scratch | Base::Unknown(_) => own,
    }
}

/// The variables that a container of this stage has: ENV, no ARG.
fn environment(stage: &Stage) -> BTreeMap<String, String> {
    let set = stage.scope.variables.iter().filter(|it| it.origin == crate::model::Origin::Env);
    set.filter_map(|it| Some((it.name.clone(), it.value.clone()?))).collect()
}

impl StartChain {
    /// The programs that do the work, health check apart.
    pub fn work(&self) -> impl Iterator<Item = &Program> {
        self.programs.iter().filter(|it| it.role == Role::Work && !it.health)
    }

    /// Whether any part of the chain runs a program of this name.
    pub fn runs(&self, name: &str) -> bool {
        self.programs.iter().any(|it| it.name == name)
    }
}

impl Program {
    /// For `node`: the modules loaded by `-r`, `--require`, `--import` and `--loader`.
    pub fn modules(&self) -> Vec<&str> {
        let mut res = Vec::new();
        let mut arguments = self.arguments.iter();
        while let Some(argument) = arguments.next() {
            let Some(argument) = argument else { continue };
            match argument.split_once('=') {
                Some(("--require" | "--import" | "--loader" | "--experimental-loader", module)) => res.push(module),
                _ if LOADERS.contains(&argument.as_str()) => res.extend(arguments.next().and_then(|it| it.as_deref())),
                _ if argument.starts_with('-') => {}
                _ => break,
            }
        }
        res
    }

    /// For `node`: the file it runs, absolute; `None` where there is none or it is not known.
    pub fn script(&self) -> Option<String> {
        let mut arguments = self.arguments.iter();
        while let Some(argument) = arguments.next() {
            let argument = argument.as_deref()?;
            if LOADERS.contains(&argument) {
                arguments.next();
                continue;
            }
            if matches!(argument, "-e" | "--eval" | "-p" | "--print" | "-v" | "--version") {
                return None;
            }
            if !argument.starts_with('-') {
                return Some(walk::absolute(self.directory.as_deref()?, argument));
            }
        }
        None
    }

    /// The command as a person would name it: the outermost one that led here, else the program itself.
    pub fn told(&self) -> &str {
        self.trail.first().map_or(self.name.as_str(), String::as_str)
    }
}

/// Options of `node` whose value is the next word.
const LOADERS: [&str; 5] = ["-r", "--require", "--import", "--loader", "--experimental-loader"];

#[cfg(test)]
mod tests;

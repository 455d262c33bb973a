//! The instructions that say what a container starts: the ENTRYPOINT, CMD and HEALTHCHECK that hold at the end of the target.
//!
//! What they lead to is the business of [`crate::facts::start`]; here is only where they are written.

use crate::facts::Facts;
use crate::model::{File, Form, Healthcheck, InstructionKind, Placed};
use crate::text::Local;

/// The instructions that hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct Started<'a> {
    /// The ENTRYPOINT.
    pub entrypoint: Option<&'a Placed>,
    /// The CMD; one of a stage below an ENTRYPOINT is taken away by it.
    pub cmd: Option<&'a Placed>,
    /// The HEALTHCHECK, `NONE` included.
    pub healthcheck: Option<&'a Placed>,
}

/// Those of the target.
pub fn of<'a>(file: &'a File, facts: &Facts) -> Started<'a> {
    let mut res = Started::default();
    for stage_idx in &facts.final_chain {
        let (Some(stage), Some(known)) = (file.stages.get(*stage_idx), facts.stages.get(*stage_idx)) else { continue };
        if res.entrypoint.is_none() {
            res.cmd = res.cmd.or(known.cmd.and_then(|idx| stage.instructions.get(idx)));
            res.entrypoint = known.entrypoint.and_then(|idx| stage.instructions.get(idx));
        }
        let is_health = |placed: &&Placed| matches!(placed.instruction.kind, InstructionKind::Healthcheck(_));
        res.healthcheck = res.healthcheck.or_else(|| stage.instructions.iter().rev().find(is_health));
    }
    res
}

impl<'a> Started<'a> {
    /// The three that are written.
    pub fn all(&self) -> impl Iterator<Item = &'a Placed> + use<'a> {
        [self.entrypoint, self.cmd, self.healthcheck].into_iter().flatten()
    }

    /// The instruction that names the program: the ENTRYPOINT, else the CMD.
    pub fn first(&self) -> Option<&'a Placed> {
        self.entrypoint.or(self.cmd)
    }
}

/// The command of a CMD, ENTRYPOINT or HEALTHCHECK.
pub fn form(placed: &Placed) -> Option<&Form> {
    match &placed.instruction.kind {
        InstructionKind::Cmd(form)
        | InstructionKind::Entrypoint(form)
        | InstructionKind::Healthcheck(Healthcheck::Cmd(form)) => Some(form),
        _ => None,
    }
}

/// Where the words of a command stand, without the brackets of a JSON array.
pub fn range(form: &Form) -> Option<Local> {
    match form {
        Form::Exec(words) => Some(words.first()?.range.cover(words.last()?.range)),
        Form::Shell(text) => Some(text.range),
        Form::Heredoc { .. } | Form::Empty => None,
    }
}

//! How a failure in a pipe is made to count, by the shell that carries the RUN out.
//!
//! `set -o pipefail` is an error in dash; `SHELL` needs bash. Where neither is sure, nothing is offered.

use crate::facts::lines;
use crate::model::{Base, Form, Healthcheck, InstructionKind};
use crate::rules::correctness::pipe_failure_hidden::shell;
use crate::rules::{Context, Fix, RunAt, Safety};
use crate::shell::{Script, SeparatorKind};
use crate::text::{Indel, Local, TextEdit, TextRange};

/// The edit for a RUN.
pub(super) fn fix(ctx: &Context, at: &RunAt, script: &Script) -> Option<Fix> {
    let edit = match (words(ctx, at)?, &at.run.form) {
        (Way::Option, Form::Shell(_)) => before_first(at, script)?,
        (Way::Option, Form::Heredoc { .. }) => on_first_line(at, script)?,
        (Way::Shell, Form::Shell(_)) => with_shell(ctx, at)?,
        _ => return None,
    };
    Some(Fix { title: "Count a failure of every part of the pipe".to_owned(), safety: Safety::Review, edit })
}

/// How the shell is told.
enum Way {
    /// `set -o pipefail` in the RUN.
    Option,
    /// A SHELL of bash above it.
    Shell,
}

fn words(ctx: &Context, at: &RunAt) -> Option<Way> {
    if let Form::Heredoc { shebang: Some(line), .. } = &at.run.form {
        return line.text.contains("bash").then_some(Way::Option);
    }
    if let Some(words) = shell(ctx, at) {
        return words.first()?.text.ends_with("bash").then_some(Way::Option);
    }
    let image = ctx.facts.image(ctx.file, at.stage_idx)?;
    let traits = ctx.images.traits(image).filter(|it| it.has_shell)?;
    let of = |names: &[&str]| names.iter().any(|name| traits.distro.starts_with(name));
    if of(&["alpine", "busybox"]) {
        return Some(Way::Option);
    }
    let has_bash = ["debian", "ubuntu", "fedora", "centos", "rockylinux", "almalinux", "amazonlinux", "oraclelinux"];
    // Distroless images with a shell have that of BusyBox.
    (of(&has_bash) && traits.package_manager != "none").then_some(Way::Shell)
}

/// `set -o pipefail && ` in front of the first command.
fn before_first(at: &RunAt, script: &Script) -> Option<TextEdit> {
    let first = script.list.items.first()?;
    let background = first.separator.is_some_and(|it| it.kind == SeparatorKind::Background);
    let start = first.and_or.range.start as usize;
    (!background).then(|| TextEdit::insert(at.placed.range(Local::new(start, start)).start(), "set -o pipefail && "))
}

/// `set -o pipefail` on a line of its own at the beginning of a heredoc.
fn on_first_line(at: &RunAt, script: &Script) -> Option<TextEdit> {
    let text = &*at.placed.instruction.text;
    let start = script.list.items.first()?.and_or.range.start as usize;
    let line = text.get(..start)?.rsplit('\n').next()?;
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let place = at.placed.range(Local::new(start, start)).start();
    line.trim().is_empty().then(|| TextEdit::insert(place, format!("set -o pipefail{line_end}{line}")))
}

/// A SHELL above the RUN, and the usual one again below it where the container's command is for that.
fn with_shell(ctx: &Context, at: &RunAt) -> Option<TextEdit> {
    let indent = lines::indent(ctx.file, at.placed);
    let line_end = lines::line_end(ctx.file);
    let mut indels = vec![Indel {
        delete: TextRange::empty(at.placed.at),
        insert: format!("SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]{line_end}{indent}"),
    }];
    if is_asked_later(ctx, at) {
        indels.push(Indel {
            delete: TextRange::empty(at.placed.whole().end()),
            insert: format!("{line_end}{indent}SHELL [\"/bin/sh\", \"-c\"]"),
        });
    }
    TextEdit::new(indels)
}

/// Whether a CMD, ENTRYPOINT or HEALTHCHECK behind the RUN, or in a stage built upon this one, is for the shell.
fn is_asked_later(ctx: &Context, at: &RunAt) -> bool {
    let is_shell = |form: &Form| matches!(form, Form::Shell(_));
    let asks = |kind: &InstructionKind| match kind {
        InstructionKind::Cmd(form) | InstructionKind::Entrypoint(form) => is_shell(form),
        InstructionKind::Healthcheck(Healthcheck::Cmd(form)) => is_shell(form),
        _ => false,
    };
    let behind = at.stage.instructions.iter().skip(at.idx + 1);
    let is_parent = ctx.file.stages.iter().any(|stage| stage.base == Base::Stage(at.stage_idx));
    is_parent || behind.into_iter().any(|placed| asks(&placed.instruction.kind))
}

//! What is to be said of `allow` comments themselves: names that are none, names that silence nothing, reasons that are
//! missing.
//!
//! Nothing is said of a name whose rule is off, or may be silent because something about the file is not known.

use crate::model::{Base, InstructionKind, Placed};
use crate::rules::allow::reach::Places;
use crate::rules::allow::{Entry, Own, Reach, Said, What};
use crate::rules::names::{self, Named};
use crate::rules::{self, Context, Finding, Fix, Note, Rule, Safety};
use crate::text::{TextEdit, TextRange, TextSize};

/// Rules that the text alone decides: neither the build context nor the base image has to be known. Of all others
/// nothing is said where one of these is not.
#[rustfmt::skip]
static OF_TEXT_ALONE: &[&str] = &[
    "add-for-local-files", "apk-index-left", "apt-in-script", "apt-lists-left", "apt-recommends-installed",
    "apt-update-alone", "cleanup-in-later-layer", "cmd-ignored-by-entrypoint", "deprecated-npm-flag",
    "effect-lost-after-run", "files-stored-twice", "heredoc-without-errexit", "ineffective-cache-mount", "inline-comment",
    "install-waits-for-answer", "install-without-cache-mount", "invalid-json-form", "mergeable-run-layers",
    "npm-cache-left", "package-cache-left", "pip-cache-left", "pipe-failure-hidden", "pipe-to-shell", "redundant-mkdir",
    "remote-add-unverified", "rpm-cache-left", "secret-in-env-or-arg", "secret-in-run", "sparse-lastlog",
    "ssh-server-in-image", "sudo-in-run", "unpinned-base-tag", "unpinned-package", "unused-arg", "unused-stage",
    "variable-out-of-scope", "verification-off", "volatile-arg-early", "whole-system-upgrade", "world-writable-files",
];

/// BuildKit's checks that look at more than the text.
static CHECKS_OF_MORE: &[&str] =
    &["CopyIgnoredFile", "InvalidBaseImagePlatform", "JSONArgsRecommended", "UndefinedVar", "WorkdirRelativePath"];

/// Adds the notes of a file.
pub(super) fn add(ctx: &Context, said: &Said, places: &Places, is_on: &dyn Fn(&Rule) -> bool, acc: &mut Vec<Finding>) {
    let config = ctx.config;
    for own in &said.own {
        if config.require_reason && !own.has_reason {
            let message = "this says no reason; write it behind a dash: `# plimsoll: allow … — why`";
            acc.push(Finding::note(Note::MissingReason, own.range, message));
        }
        if !config.unused_allow {
            continue;
        }
        if let Some((id, nearest)) = own.misspelt {
            let range = TextRange::at(own.range.start() + TextSize::new(id.at as u32), TextSize::of(id.text));
            let message = format!("`{}` is nothing to Plimsoll; did you mean `{nearest}`?", id.text);
            acc.push(with_nearest(Finding::note(Note::UnknownAllow, range, message), nearest));
        } else if own.ids.is_empty() {
            let message = "this allows nothing, as it names no rule";
            acc.push(Finding::note(Note::UnknownAllow, own.range, message));
        } else if own.reach == Reach::Nothing {
            let message = if own.file {
                "this allows nothing: it stands behind the first FROM"
            } else {
                "this allows nothing: no instruction stands directly below"
            };
            acc.push(Finding::note(Note::UnusedAllow, own.range, message));
        }
    }
    if !config.unused_allow {
        return;
    }
    for entry in &said.entries {
        let Some(own) = entry.own.and_then(|own| said.own.get(own)) else { continue };
        match &entry.what {
            What::Unknown => acc.push(unknown(entry)),
            What::Named(_) | What::Checks if entry.used || entry.reach == Reach::Nothing => {}
            What::Checks => {}
            What::Named(named) => {
                if !may_be_silent(ctx, named, entry.reach, places, is_on) {
                    let message = format!("nothing is found here that `{}` would allow", entry.text);
                    let mut note = Finding::note(Note::UnusedAllow, entry.range, message);
                    note.fix = without(ctx, own, entry);
                    acc.push(note);
                }
            }
        }
    }
}

fn unknown(entry: &Entry) -> Finding {
    if entry.text == "fault" {
        return Finding::note(Note::UnknownAllow, entry.range, "errors of the file cannot be allowed");
    }
    let res = |message: String| Finding::note(Note::UnknownAllow, entry.range, message);
    match names::nearest(entry.text) {
        Some(nearest) => {
            with_nearest(res(format!("unknown rule `{}`; did you mean `{nearest}`?", entry.text)), nearest)
        }
        None => res(format!("unknown rule `{}`", entry.text)),
    }
}

fn with_nearest(mut note: Finding, nearest: &str) -> Finding {
    let title = format!("Write `{nearest}`");
    note.fix = Some(Fix { title, safety: Safety::Review, edit: TextEdit::replace(note.range, nearest) });
    note
}

/// Whether what a name stands for is off, or cannot be decided here.
fn may_be_silent(ctx: &Context, named: &Named, reach: Reach, places: &Places, is_on: &dyn Fn(&Rule) -> bool) -> bool {
    let rules: Vec<&Rule> = rules::ALL.iter().copied().filter(|rule| named.holds(rule)).collect();
    let is_off = |rule: &&Rule| !is_on(rule);
    let off = match named {
        Named::Rules(_) => rules.is_empty() || rules.iter().any(is_off),
        Named::Group(_) | Named::All => rules.iter().all(is_off),
    };
    let stage = match reach {
        Reach::File | Reach::Nothing => ctx.facts.target,
        Reach::Instruction(number) | Reach::Part(number, _) => {
            let Some(placed) = places.instruction(number) else { return true };
            if !is_understood(placed) {
                return true;
            }
            ctx.file.stages.iter().rposition(|stage| stage.from.at <= placed.at)
        }
    };
    let reaches = stage.is_none_or(|stage| ctx.facts.reaching.get(stage).copied().unwrap_or(false));
    let alone =
        |rule: &&Rule| OF_TEXT_ALONE.contains(&rule.name) || rule.is_check() && !CHECKS_OF_MORE.contains(&rule.name);
    off || !reaches || !(rules.iter().all(alone) || ctx.context.known && knows_base(ctx, stage))
}

/// Whether the image below a stage is known, or there is none.
fn knows_base(ctx: &Context, stage: Option<usize>) -> bool {
    let Some(stage) = stage else { return true };
    let bottom = crate::facts::chain(ctx.file, stage).last().and_then(|idx| ctx.file.stages.get(*idx));
    bottom.is_none_or(|bottom| match &bottom.base {
        Base::Image(image) => ctx.images.traits(image).is_some(),
        Base::Scratch | Base::Stage(_) => true,
        Base::Unknown(_) => false,
    })
}

/// Whether rules look at an instruction at all: it has no fault, and its shell text is understood (RULES.md S2, S3, S10).
fn is_understood(placed: &Placed) -> bool {
    let is_parsed = match &placed.instruction.kind {
        InstructionKind::Run(run) => run.script().is_none_or(|script| !script.broken),
        _ => true,
    };
    is_parsed && placed.instruction.faults.is_empty() && placed.instruction.name != "ONBUILD"
}

/// The edit that takes a name out of its comment, or the comment's line when it was the last.
fn without(ctx: &Context, own: &Own, entry: &Entry) -> Option<Fix> {
    let text: &str = &ctx.file.text;
    let comment = text.get(std::ops::Range::<usize>::from(own.range))?;
    if own.ids.len() == 1 {
        let start = text.get(..usize::from(own.range.start()))?.rfind('\n').map_or(0, |at| at + 1);
        let behind = text.get(usize::from(own.range.end())..)?;
        let end = usize::from(own.range.end()) + behind.find('\n').map_or(behind.len(), |at| at + 1);
        let before = text.get(start..usize::from(own.range.start()))?;
        // Without the first comment, what stands below it might become a directive.
        let is_first = start <= ctx.file.directives.end as usize;
        let next = text.get(end..)?.trim_start_matches([' ', '\t']);
        if !before.trim_start_matches('\u{feff}').trim().is_empty() || is_first && next.starts_with('#') {
            return None;
        }
        let start = start + (before.len() - before.trim_start_matches('\u{feff}').len());
        let edit = TextEdit::replace(TextRange::new((start as u32).into(), (end as u32).into()), "");
        return Some(Fix { title: "Take the comment away".to_owned(), safety: Safety::Safe, edit });
    }
    // With the comma behind it, or in front of the last one.
    let at = usize::from(entry.range.start() - own.range.start());
    let idx = own.ids.iter().position(|id| id.at == at)?;
    let (from, to) = match (own.ids.get(idx + 1), idx.checked_sub(1).and_then(|before| own.ids.get(before))) {
        (Some(next), _) => (at, next.at),
        (None, Some(before)) => (before.at + before.text.len(), at + entry.text.len()),
        (None, None) => return None,
    };
    comment.get(from..to)?;
    let start = own.range.start();
    let range = TextRange::new(start + TextSize::new(from as u32), start + TextSize::new(to as u32));
    Some(Fix {
        title: format!("Take `{}` out of the comment", entry.text),
        safety: Safety::Safe,
        edit: TextEdit::replace(range, ""),
    })
}

//! An archive or package that a COPY brings and a RUN takes apart: how it would be in the image once.
//!
//! ADD unpacks a local tar by itself, and a bind mount shows a RUN any file without storing it.
//! **Invariant:** an offer leaves the same files but for the archive; where that cannot be told there is none.

use crate::context::cleaned;
use crate::facts::detach;
use crate::facts::removes::{Removal, covers, deletes, homely};
use crate::facts::run::{Command, RunFacts, is_below};
use crate::facts::stage::{StageFacts, User, join};
use crate::facts::uses::{file_name, is_unpacked_by_add};
use crate::facts::walk::is_root;
use crate::model::{Copy, File, InstructionKind, Placed, Run, Stage};
use crate::text::{Indel, TextEdit, TextRange};

/// A COPY of one file and the RUN of its stage that uses the file up.
#[derive(Clone, Copy, Debug)]
pub struct Brought<'a> {
    /// The file.
    pub file: &'a File,
    /// The stage.
    pub stage: &'a Stage,
    /// Its facts.
    pub facts: &'a StageFacts,
    /// The COPY, by its index.
    pub copy: usize,
    /// The RUN, by its index.
    pub run: usize,
    /// The command of the RUN that uses the file up, where it is known which.
    pub command: Option<usize>,
    /// Where the file lies, absolute.
    pub path: &'a str,
    /// Whether bind mounts are understood by the builder.
    pub mounts: bool,
}

/// A way to have the archive's contents without the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instead {
    /// What it does, as a title.
    pub title: String,
    /// The change.
    pub edit: TextEdit,
}

/// The COPY and the RUN rewritten; `None` where that is not the same.
pub fn instead(brought: &Brought) -> Option<Instead> {
    let placed = brought.stage.instructions.get(brought.copy)?;
    let (InstructionKind::Copy(copy) | InstructionKind::Add(copy)) = &placed.instruction.kind else { return None };
    let is_plain = placed.instruction.flags.is_empty() && placed.instruction.heredocs.is_empty() && !copy.json;
    let [source] = &copy.sources[..] else { return None };
    let plain = |text: &str| text.chars().all(|it| it.is_ascii_alphanumeric() || "/._-+@".contains(it));
    if !is_plain || !plain(&source.text) || !plain(brought.path) || is_named_elsewhere(brought) {
        return None;
    }
    let at = brought.stage.instructions.get(brought.run)?;
    let InstructionKind::Run(run) = &at.instruction.kind else { return None };
    let facts = brought.facts.run(brought.run)?;
    let seen = Seen { brought, placed, copy, source: &source.text, at, run, facts };
    add(&seen).or_else(|| bind(&seen))
}

struct Seen<'a> {
    brought: &'a Brought<'a>,
    placed: &'a Placed,
    copy: &'a Copy,
    source: &'a str,
    at: &'a Placed,
    run: &'a Run,
    facts: &'a RunFacts,
}

/// Whether another instruction behind the COPY speaks of the file.
fn is_named_elsewhere(brought: &Brought) -> bool {
    let name = file_name(brought.path);
    let own = &brought.stage.instructions;
    let others = own.iter().enumerate().skip(brought.copy + 1).filter(|(idx, _)| *idx != brought.run);
    if { others }.any(|(_, placed)| placed.instruction.text.contains(name)) {
        return true;
    }
    let later = brought.file.stages.iter().skip_while(|stage| stage.range != brought.stage.range).skip(1);
    { later }.flat_map(|stage| &stage.instructions).any(|placed| placed.instruction.text.contains(name))
}

/// `ADD archive /where/`, and no RUN: it did nothing else.
fn add(seen: &Seen) -> Option<Instead> {
    let brought = seen.brought;
    let only_source = is_unpacked_by_add(file_name(seen.source));
    let between = brought.stage.instructions.get(brought.copy + 1..brought.run)?;
    let is_root = match brought.facts.users.get(brought.run)? {
        User::Named(name) => is_root(name),
        User::OfImage => true,
        User::Unknown => false,
    };
    let runs_between = between.iter().any(|it| matches!(it.instruction.kind, InstructionKind::Run(_)));
    if !only_source || !is_root || runs_between || !seen.run.mounts.is_empty() || !seen.at.instruction.flags.is_empty()
    {
        return None;
    }
    let script = seen.run.script()?;
    let own_idx = brought.command?;
    let own = seen.facts.commands.get(own_idx)?;
    let directory = seen.facts.directories.get(own_idx).and_then(Option::as_deref);
    let to = unpacked_to(own, directory, brought.path)?;
    for (idx, command) in seen.facts.commands.iter().enumerate().filter(|(idx, _)| *idx != own_idx) {
        let here = seen.facts.directories.get(idx).and_then(Option::as_deref);
        let makes_it = command.program == "mkdir"
            && command.has(&["-p"])
            && command.operands().all(|it| {
                let made = it.value.as_deref().and_then(|path| join(here, path));
                made.is_some_and(|made| is_below(&to, &made))
            })
            && command
                .arguments
                .iter()
                .all(|it| it.value.as_deref().is_none_or(|it| it == "-p" || !it.starts_with('-')));
        let turns = matches!(command.program.as_str(), "cd" | "set");
        if !(makes_it || turns || deletes_it(command, here, brought.path) == Some(true)) || !command.certain {
            return None;
        }
    }
    let plain = script.calls.iter().all(|call| call.wrapper.is_none() && call.redirects.is_empty());
    let safe = to.chars().all(|it| it.is_ascii_alphanumeric() || "/._-+@".contains(it));
    if !plain || !safe || !own.certain {
        return None;
    }
    let destination = seen.copy.destination.as_ref()?;
    let keyword = &seen.placed.instruction;
    let lower = keyword.keyword.of(&keyword.text).starts_with(|it: char| it.is_ascii_lowercase());
    let indels = vec![
        Indel { delete: seen.placed.range(keyword.keyword), insert: if lower { "add" } else { "ADD" }.to_owned() },
        Indel { delete: seen.placed.range(destination.range), insert: format!("{}/", to.trim_end_matches('/')) },
        detach::instruction(&brought.file.text, seen.at)?,
    ];
    let title = "Let ADD unpack the archive".to_owned();
    Some(Instead { title, edit: TextEdit::new(indels)? })
}

/// Where a plain `tar -x` of this archive unpacks to; `None` where an option changes what comes out.
fn unpacked_to(command: &Command, directory: Option<&str>, path: &str) -> Option<String> {
    if command.program != "tar" {
        return None;
    }
    let mut to = directory.map(str::to_owned);
    let mut arguments = command.arguments.iter().enumerate();
    while let Some((idx, argument)) = arguments.next() {
        let value = argument.value.as_deref()?;
        let group = value.strip_prefix('-').or((idx == 0).then_some(value));
        match value {
            "-C" | "--directory" => to = join(directory, arguments.next()?.1.value.as_deref()?),
            "--extract" | "--gzip" | "--verbose" => {}
            _ if value.starts_with("--directory=") => to = join(directory, value.strip_prefix("--directory=")?),
            _ if value.starts_with("--file=") => {
                (join(directory, value.strip_prefix("--file=")?)? == path).then_some(())?;
            }
            _ if join(directory, value).as_deref() == Some(path) => {}
            _ if group.is_some_and(|it| !it.is_empty() && it.chars().all(|it| "xzjJvfp".contains(it))) => {}
            _ => return None,
        }
    }
    to
}

/// Whether a command deletes the file: `Some(true)` the file alone, `Some(false)` with others or by a pattern.
fn deletes_it(command: &Command, directory: Option<&str>, path: &str) -> Option<bool> {
    let deletes = deletes(command, directory)?;
    let touched = deletes.open || deletes.paths.iter().any(|it| covers(it, &homely(path)) != Removal::No);
    let alone = !deletes.open && matches!(&deletes.paths[..], [only] if *only == homely(path));
    touched.then_some(alone && command.program == "rm")
}

/// A bind mount in the RUN instead of the COPY.
fn bind(seen: &Seen) -> Option<Instead> {
    let brought = seen.brought;
    if !brought.mounts || seen.source.contains("..") {
        return None;
    }
    let mut indels = Vec::new();
    for (idx, command) in seen.facts.commands.iter().enumerate() {
        let here = seen.facts.directories.get(idx).and_then(Option::as_deref);
        match deletes_it(command, here, brought.path) {
            None => {}
            // Nobody can delete what is mounted.
            Some(false) => return None,
            Some(true) => {
                let gone = detach::command(&brought.file.text, seen.at, seen.run, command.range)?;
                let detach::Detached::Part(indel) = gone else { return None };
                indels.push(indel);
            }
        }
        let changes = ["mv", "chmod", "chown", "gunzip", "bunzip2", "unxz", "sed", "touch"];
        if changes.contains(&command.program.as_str())
            && command.values().any(|it| it.contains(file_name(brought.path)))
        {
            return None;
        }
    }
    let flag = format!(" --mount=type=bind,source={},target={}", cleaned(seen.source), brought.path);
    let keyword = seen.at.range(seen.at.instruction.keyword);
    indels.push(Indel { delete: TextRange::empty(keyword.end()), insert: flag });
    indels.push(detach::instruction(&brought.file.text, seen.placed)?);
    let title = "Mount the file instead of copying it".to_owned();
    Some(Instead { title, edit: TextEdit::new(indels)? })
}

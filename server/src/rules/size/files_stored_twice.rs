//! `files-stored-twice`: a RUN changes files of an earlier layer, and the image holds both copies.

use crate::config::Builder;
use crate::facts::merging;
use crate::facts::owners::{Marked, as_flags};
use crate::facts::run::{Command, is_below};
use crate::facts::uses::file_name;
use crate::facts::{landing, walk};
use crate::model::InstructionKind;
use crate::rules::{Context, Finding, Fix, Group, Related, Rule, RunAt, Safety, Severity};
use crate::size::Again;
use crate::text::TextRange;
use crate::weight::Estimate;

/// The rule.
pub static RULE: Rule = Rule {
    name: "files-stored-twice",
    group: Group::Size,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
A `RUN` changes files of an earlier layer, and the image holds them twice.

A layer stores whole files. Who changes the owner or the mode of a file that an earlier layer brought, or moves it, stores
all of it again: `chown -R` over an application doubles the application. `COPY --chown` and `COPY --chmod` give files their
owner and mode when they come.

```dockerfile
FROM node:22-slim
COPY . /app
RUN chown -R node:node /app
USER node
CMD ["node", "/app/server.js"]
```

With the right owner from the beginning:

```dockerfile
FROM node:22-slim
COPY --chown=node:node . /app
USER node
CMD ["node", "/app/server.js"]
```

Where a `RUN` made the files, the change belongs into that `RUN`.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for stage_idx in ctx.facts.final_chain.iter().rev().copied() {
        let Some(size) = ctx.size.stages.get(stage_idx) else { continue };
        let mut layers = size.layers.iter().filter(|layer| !layer.again.is_empty()).peekable();
        if layers.peek().is_none() {
            continue;
        }
        let mut runs = ctx.runs(stage_idx);
        for layer in layers {
            let Some(at) = runs.find(|at| at.idx == layer.instruction) else { break };
            for (idx, command) in at.facts.commands.iter().enumerate().filter(|(_, command)| command.certain) {
                let again: Vec<&Again> = layer.again.iter().filter(|it| it.command == idx).collect();
                if !again.is_empty() {
                    acc.extend(finding(ctx, &at, idx, command, &again));
                }
            }
        }
    }
}

fn finding(ctx: &Context, at: &RunAt, idx: usize, command: &Command, again: &[&Again]) -> Option<Finding> {
    if command.has(&["-h", "--no-dereference"]) {
        return None;
    }
    // Where an unknown `cd` led, a path without a slash in front lies nobody knows where.
    let turned = at.facts.commands.iter().take(idx).any(|it| matches!(it.program.as_str(), "cd" | "pushd" | "popd"));
    let known = !turned || at.facts.directories.get(idx).is_some_and(Option::is_some);
    let placed = known || command.values().any(|value| value.starts_with('/'));
    let kept =
        |it: &&&Again| placed && it.path != "/" && !at.facts.is_mounted(&it.path) && !is_volume(ctx, at, &it.path);
    let again: Vec<&Again> = again.iter().filter(kept).copied().collect();
    let first = again.first()?;
    let mut bytes: Option<Estimate> = None;
    for adds in again.iter().filter_map(|it| it.adds.as_ref()) {
        match &mut bytes {
            Some(sum) => *sum += adds,
            None => bytes = Some(adds.clone()),
        }
    }
    let incomplete = again.iter().any(|it| it.incomplete);
    let least = ctx.config.minimum_saving;
    let is_known = bytes.as_ref().is_some_and(|it| !incomplete || it.likely.0 >= least);
    if !is_known && !again.iter().any(|it| may_be_large(ctx, at, command, &it.path)) {
        return None;
    }
    let copies = copies(ctx, at, &first.path);
    // What the RUN itself has done before may have made the files anew.
    if has_it_already(ctx, at, command, &first.path) || !is_known && copies.is_empty() && works_before(at, idx) {
        return None;
    }
    let shown = if again.len() == 1 { format!("`{}`", first.path) } else { "what this touches".to_owned() };
    let weight = bytes.as_ref().filter(|_| is_known);
    let told = weight.map(|it| format!(" ({})", it.words_of(incomplete))).unwrap_or_default();
    let message = format!("{shown} is stored a second time, since a layer holds whole files{told}");
    let mut res = Finding::new(&RULE, at.range(command), message);
    res.saves = weight.cloned();
    if command.program == "chown" || ctx.config.builder == Builder::BuildKit {
        let marked = Marked {
            file: ctx.file,
            stage: at.stage,
            stage_idx: at.stage_idx,
            facts: ctx.facts.stages.get(at.stage_idx)?,
            run: at.idx,
            command: idx,
        };
        let what = if command.program == "chown" { "owner" } else { "mode" };
        res.fix = as_flags(&marked).map(|edit| Fix {
            title: format!("Give the files their {what} when they are copied"),
            safety: Safety::Review,
            edit,
        });
    }
    if copies.is_empty() && joins_before(ctx, at) {
        res.assists.push("merge-runs");
    }
    let message = "they came here the first time";
    res.related = copies.into_iter().map(|range| Related { range, message: message.to_owned() }).collect();
    Some(res)
}

/// Whether commands before this one of the RUN do more than make directories and users.
fn works_before(at: &RunAt, idx: usize) -> bool {
    const QUIET: [&str; 14] = [
        "addgroup", "adduser", "cd", "chgrp", "chmod", "chown", "echo", "export", "groupadd", "mkdir", "set",
        "useradd", "usermod", "true",
    ];
    at.facts.commands.iter().take(idx).any(|it| !QUIET.contains(&it.program.as_str()))
}

/// Whether the RUN before this one made the files, so that both can be one.
fn joins_before(ctx: &Context, at: &RunAt) -> bool {
    let Some(users) = ctx.facts.stages.get(at.stage_idx).map(|facts| &facts.users) else { return false };
    let before = at.stage.runs().map(|(idx, ..)| idx).take_while(|idx| *idx < at.idx).last();
    before.is_some_and(|before| merging::groups(at.stage, users).iter().any(|group| group.joins(before, at.idx)))
}

/// The sources of the COPYs of the stage that brought files to the path.
fn copies(ctx: &Context, at: &RunAt, path: &str) -> Vec<TextRange> {
    let states = walk::states(ctx.file, at.stage_idx, "/");
    let mut res = Vec::new();
    for (placed, state) in at.stage.instructions.iter().zip(&states).take(at.idx) {
        let (InstructionKind::Copy(copy) | InstructionKind::Add(copy)) = &placed.instruction.kind else { continue };
        let Some(copied) = landing::copied(ctx.file, at.stage, placed, state) else { continue };
        let ends = copy.sources.first().zip(copy.sources.last());
        if is_below(&copied.destination, path) || is_below(path, &copied.destination) && copied.destination != "/" {
            res.extend(ends.map(|(first, last)| placed.range(first.range.cover(last.range))));
        }
    }
    res
}

fn is_volume(ctx: &Context, at: &RunAt, path: &str) -> bool {
    let volumes = at.stage.instructions.iter().take(at.idx).filter_map(|placed| match &placed.instruction.kind {
        InstructionKind::Volume(words) => Some((placed, words)),
        _ => None,
    });
    { volumes }.any(|(placed, words)| {
        words.iter().any(|word| {
            walk::value(ctx.file, at.stage, placed, &word.text).is_some_and(|volume| is_below(path, &volume))
        })
    })
}

/// Whether every COPY to the path gives its files the owner already.
fn has_it_already(ctx: &Context, at: &RunAt, command: &Command, path: &str) -> bool {
    let name = match command.program.as_str() {
        "chown" => "chown",
        "chmod" => "chmod",
        _ => return false,
    };
    let Some(wanted) = command.operands().next().and_then(|it| it.value.as_deref()) else { return false };
    let states = walk::states(ctx.file, at.stage_idx, "/");
    let mut n_copies = 0;
    for (placed, state) in at.stage.instructions.iter().zip(&states).take(at.idx) {
        let Some(copied) = landing::copied(ctx.file, at.stage, placed, state) else { continue };
        if is_below(&copied.destination, path) || is_below(path, &copied.destination) {
            n_copies += 1;
            let flag = placed.instruction.flag(name).and_then(|flag| flag.value.as_ref());
            let given = flag.and_then(|it| walk::value(ctx.file, at.stage, placed, &it.text));
            if given.as_deref() != Some(wanted) {
                return false;
            }
        }
    }
    n_copies > 0
}

/// Whether files of unknown weight are worth a word: a program or an application may be large, scripts and configuration
/// are not.
fn may_be_large(ctx: &Context, at: &RunAt, command: &Command, path: &str) -> bool {
    let name = file_name(path).to_ascii_lowercase();
    let small_places =
        ["/etc", "/root/.ssh", "/docker-entrypoint.d", "/docker-entrypoint-initdb.d", "/var/spool", "/run"];
    if small_places.iter().any(|it| is_below(path, it)) {
        return false;
    }
    if let Some((_, end)) = name.trim_start_matches('.').rsplit_once('.') {
        let large = [
            "bin", "deb", "dll", "ear", "exe", "gz", "img", "iso", "jar", "node", "phar", "pyz", "rpm", "run", "so",
            "tar", "tgz", "war", "whl", "xz", "zip",
        ];
        return large.contains(&end);
    }
    let recursive = command.program == "mv"
        || command
            .values()
            .any(|it| it == "--recursive" || it.starts_with('-') && !it.starts_with("--") && it.contains('R'));
    let small = [
        "bin", "boot", "conf", "config", "configs", "cron", "entry", "etc", "hook", "init", "install", "key", "log",
        "run", "script", "service", "setup", "sh", "ssh", "start", "supervis", "template", "tini", "tool", "util",
        "wait", "cmd", "nginx", "ssl", "cert",
    ];
    // Directories that an application writes to and brings nearly empty (Rails: `chown -R rails db log storage tmp`).
    let written =
        ["cache", "data", "db", "media", "public", "sessions", "static", "storage", "temp", "tmp", "uploads", "var"];
    let is_small = small.iter().any(|word| name.contains(word)) || name.is_empty() || written.contains(&name.as_str());
    if recursive {
        return !is_small && !name.contains(['*', '?']);
    }
    // A program of another stage.
    let from_stage = at.stage.sources.iter().any(|(idx, _)| {
        at.stage.instructions.get(*idx).is_some_and(|placed| placed.instruction.text.contains(file_name(path)))
    });
    from_stage && !is_small && ctx.facts.is_started()
}

#[cfg(test)]
mod tests;

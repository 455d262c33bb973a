//! `cleanup-in-later-layer`: a RUN deletes what an earlier layer holds, and frees nothing.

use crate::config::Builder;
use crate::facts::archives::{self, Brought};
use crate::facts::caches::{Cache, lists_weight};
use crate::facts::installs::{Deed, Verb, deed};
use crate::facts::made::{self, Made, Thing, plain_name};
use crate::facts::removes::{Deletes, deletes};
use crate::facts::run::{Command, is_below};
use crate::facts::uses;
use crate::facts::walk;
use crate::model::InstructionKind;
use crate::rules::{Context, Finding, Fix, Group, Related, Rule, RunAt, Safety, Severity};
use crate::weight::{Basis, Estimate};

/// The rule.
pub static RULE: Rule = Rule {
    name: "cleanup-in-later-layer",
    group: Group::Size,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
A `RUN` deletes what an earlier layer holds, which hides the files and frees nothing.

Each instruction is a layer of its own, and an image holds all of them: what one layer has stored, a later one can only mark
as deleted. The bytes are pulled and kept all the same. They go away only in the `RUN` that made them.

```dockerfile
FROM debian:bookworm-slim
RUN apt-get update
RUN apt-get install -y --no-install-recommends curl
RUN rm -rf /var/lib/apt/lists/*
CMD ["curl", "https://example.com"]
```

Fetched, used and deleted in one layer:

```dockerfile
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
CMD ["curl", "https://example.com"]
```

What a `COPY` brought cannot be merged: a bind mount (`RUN --mount=type=bind,source=X,target=…`) or a builder stage keeps it
out of the image.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let mut made: Vec<Made> = Vec::new();
    for stage_idx in ctx.facts.final_chain.iter().rev().copied() {
        let Some(stage) = ctx.file.stages.get(stage_idx) else { continue };
        let states = walk::states(ctx.file, stage_idx, "/");
        let mut runs = ctx.runs(stage_idx).peekable();
        for ((idx, placed), state) in stage.instructions.iter().enumerate().zip(&states) {
            match &placed.instruction.kind {
                InstructionKind::Copy(_) | InstructionKind::Add(_) => {
                    made.extend(made::copied(ctx.file, stage_idx, stage, idx, placed, state));
                }
                InstructionKind::Run(_) => {
                    let Some(at) = runs.next_if(|at| at.idx == idx) else { continue };
                    let own = made::ran(stage_idx, placed, at.facts);
                    for (command_idx, command) in at.facts.commands.iter().enumerate() {
                        look(ctx, &at, command_idx, command, &mut made, acc);
                    }
                    made.extend(own);
                }
                _ => {}
            }
        }
    }
}

/// Blames a command for the earlier things it deletes, and takes them off the list.
fn look(
    ctx: &Context,
    at: &RunAt,
    command_idx: usize,
    command: &Command,
    made: &mut Vec<Made>,
    acc: &mut Vec<Finding>,
) {
    if !command.certain {
        return;
    }
    let directory = at.facts.directories.get(command_idx).and_then(Option::as_deref);
    let deletes = deletes(command, directory).filter(|it| !(it.open && command.program == "find"));
    let deed = deed(command);
    if deletes.is_none() && !deed.as_ref().is_some_and(|it| matches!(it.verb, Verb::Remove | Verb::Clean)) {
        return;
    }
    let before = at.facts.commands.get(..command_idx).unwrap_or_default();
    let is_victim = |it: &Made| {
        let deleted = match (&deletes, &deed) {
            (Some(deletes), _) => deletes.paths.iter().any(|pattern| made::is_deleted(&it.thing, pattern)),
            (None, Some(deed)) => takes_away(deed, command, &it.thing),
            (None, None) => false,
        };
        deleted && !is_secret(&it.thing) && !is_made_again(before, &it.thing)
    };
    let mut victims = Vec::new();
    made.retain(|it| {
        let victim = is_victim(it);
        if victim {
            victims.push(it.clone());
        }
        !victim
    });
    // A file that is copied and then replaced by one of its own name stands twice on the list.
    victims.dedup_by(|left, right| left.range == right.range);
    // What weighs most is named: lists, packages and caches before files.
    victims.sort_by_key(|victim| matches!(victim.thing, Thing::Path(_)));
    let Some(first) = victims.first() else {
        acc.extend(frees_nothing(at, command, deletes.as_ref()));
        return;
    };
    let saves = saves(ctx, &victims);
    let mut message = told(&first.thing);
    if let Some(saves) = &saves {
        message.push_str(&format!(" ({})", saves.words()));
    }
    let mut finding = Finding::new(&RULE, at.range(command), message);
    finding.saves = saves;
    finding.assists.push(if victims.iter().all(|it| is_joinable(ctx, it, at)) { "merge-runs" } else { "multi-stage" });
    finding.fix = instead(ctx, at, command_idx, &victims);
    for victim in &victims {
        finding.related.push(Related { range: victim.range, message: "the bytes came here, and stay".to_owned() });
    }
    acc.push(finding);
}

/// A single file that a COPY brought and this RUN alone used: unpacked by ADD, or mounted.
fn instead(ctx: &Context, at: &RunAt, command_idx: usize, victims: &[Made]) -> Option<Fix> {
    let [Made { thing: Thing::Path(path), stage, instruction, .. }] = victims else { return None };
    let before = at.facts.commands.iter().zip(&at.facts.directories).take(command_idx);
    let uses = |(command, directory): (&Command, &Option<String>)| {
        uses::of(command, at.call(command), Some(directory.as_deref().unwrap_or("/")), path).is_some()
    };
    let brought = Brought {
        file: ctx.file,
        stage: at.stage,
        facts: ctx.facts.stages.get(at.stage_idx)?,
        copy: *instruction,
        run: at.idx,
        command: { before }.position(uses),
        path,
        mounts: ctx.config.builder == Builder::BuildKit,
    };
    if *stage != at.stage_idx || path.starts_with('~') {
        return None;
    }
    let offer = archives::instead(&brought)?;
    Some(Fix { title: offer.title, safety: Safety::Review, edit: offer.edit })
}

/// Documentation and translations that no earlier command of the RUN installed lie in a layer below, mostly the image's.
fn frees_nothing(at: &RunAt, command: &Command, deletes: Option<&Deletes>) -> Option<Finding> {
    let places = ["/usr/share/doc", "/usr/share/man", "/usr/share/locale", "/usr/share/info"];
    let paths = &deletes.filter(|it| !it.open)?.paths;
    let is_place = |path: &String| places.iter().any(|place| is_below(path, place));
    let makes = |command: &Command| {
        deed(command).is_some_and(|it| it.verb == Verb::Install)
            || matches!(command.program.as_str(), "make" | "dpkg" | "rpm")
    };
    if paths.is_empty() || !paths.iter().all(is_place) || at.facts.commands.iter().any(makes) {
        return None;
    }
    let message = "this frees nothing: the files are in a layer below";
    Some(Finding { severity: Severity::Hint, ..Finding::new(&RULE, at.range(command), message) })
}

fn told(thing: &Thing) -> String {
    match thing {
        Thing::Cache(cache, _) => format!("{} in the earlier layer that fetched it", cache.stays()).replace(
            "lists stay in the earlier layer that fetched it",
            "lists stay in the earlier layer that fetched them",
        ),
        Thing::Packages(..) => "these packages stay in the earlier layer that installed them".to_owned(),
        Thing::Modules(_) => "what this takes away stays in the earlier layer that installed it".to_owned(),
        Thing::Path(path) => format!("`{path}` stays in the earlier layer that brought it"),
    }
}

/// What the victims weigh; `None` where it is not known of one.
fn saves(ctx: &Context, victims: &[Made]) -> Option<Estimate> {
    let mut res: Option<Estimate> = None;
    for victim in victims {
        let weight = match &victim.thing {
            // Several updates fetch the same lists.
            Thing::Cache(Cache::AptLists, _) if res.is_some() => continue,
            Thing::Cache(Cache::AptLists, _) => lists_weight(ctx.base_image()),
            Thing::Path(path) => file_weight(ctx, victim, path)?,
            Thing::Cache(..) | Thing::Packages(..) | Thing::Modules(_) => return None,
        };
        match &mut res {
            Some(sum) => *sum += &weight,
            None => res = Some(weight),
        }
    }
    res
}

/// What a copied file weighs; a script or a configuration of an unknown context is a small one.
fn file_weight(ctx: &Context, victim: &Made, path: &str) -> Option<Estimate> {
    let placed = ctx.file.stages.get(victim.stage)?.instructions.get(victim.instruction)?;
    let InstructionKind::Copy(copy) = &placed.instruction.kind else { return None };
    let source = copy.sources.iter().find(|source| placed.range(source.range) == victim.range)?;
    if placed.instruction.flag("from").is_none()
        && let Some(brought) = ctx.context.brings(&source.text).filter(|it| it.complete)
    {
        return Some(Estimate::exact(brought.bytes, Basis::Context, "build context"));
    }
    let kinds = [
        "cfg",
        "conf",
        "ini",
        "json",
        "list",
        "lock",
        "properties",
        "py",
        "rsp",
        "sh",
        "toml",
        "txt",
        "xml",
        "yaml",
        "yml",
    ];
    let small = name_of(path).rsplit_once('.').is_some_and(|(_, kind)| kinds.contains(&kind));
    small.then(|| Estimate::between(100, 20_000, 500_000, Basis::Guess, "a small file"))
}

/// Whether a command of a package manager takes the thing away.
fn takes_away(deed: &Deed, command: &Command, thing: &Thing) -> bool {
    match (thing, deed.verb) {
        (Thing::Cache(cache, _), Verb::Clean) => cache.is_cleaned_by(deed),
        (Thing::Packages(manager, names), Verb::Remove) if *manager == deed.manager => {
            deed.packages().any(|word| names.iter().any(|name| name == plain_name(*manager, word)))
        }
        (Thing::Modules(manager), Verb::Remove) if *manager == deed.manager => {
            let production = ["--production", "--prod", "--omit=dev", "--omit", "-P"];
            deed.word == "prune" && command.has(&production)
        }
        _ => false,
    }
}

/// Whether an earlier command of the same RUN makes the thing too, so that the deletion is about that.
fn is_made_again(before: &[Command], thing: &Thing) -> bool {
    before.iter().any(|command| {
        let Some(deed) = deed(command) else {
            return match thing {
                Thing::Path(path) => command.values().any(|value| value.contains(name_of(path))) && !reads(command),
                Thing::Cache(..) | Thing::Packages(..) | Thing::Modules(_) => false,
            };
        };
        match thing {
            Thing::Cache(cache, _) => cache.is_filled_by(&deed),
            Thing::Packages(manager, names) => {
                deed.manager == *manager
                    && deed.verb == Verb::Install
                    && (deed.is_open()
                        || deed.packages().any(|it| names.iter().any(|name| name == plain_name(*manager, it))))
            }
            Thing::Modules(manager) => deed.manager == *manager && deed.verb == Verb::Install,
            Thing::Path(_) => false,
        }
    })
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Programs that only read the files they are given.
fn reads(command: &Command) -> bool {
    let programs = [
        "tar",
        "unzip",
        "gunzip",
        "bunzip2",
        "dpkg",
        "rpm",
        "apt-get",
        "apt",
        "yum",
        "dnf",
        "pip",
        "pip3",
        "sh",
        "bash",
        "cat",
        "chmod",
        "chown",
        "cp",
        "install",
        "cd",
        "echo",
        "sha256sum",
        "md5sum",
        "gpg",
        "apt-key",
        "python",
        "rm",
        "python3",
        "make",
        "cmake",
        "test",
        "[",
        "ls",
        "find",
        "sed",
        "grep",
    ];
    programs.contains(&command.program.as_str()) || command.program.contains('/')
}

/// Files that were deleted because they are secret: their bytes are not what matters.
fn is_secret(thing: &Thing) -> bool {
    let Thing::Path(path) = thing else { return false };
    let name = name_of(path);
    let names = [".env", ".npmrc", ".netrc", ".pypirc", ".git-credentials", "id_rsa", "id_ed25519", "id_dsa", ".ssh"];
    names.contains(&name)
        || [".pem", ".key", ".p12", "_rsa", "_ed25519"].iter().any(|end| name.ends_with(end))
        || ["secret", "credential", "token", "password"].iter().any(|word| name.contains(word))
        || path.contains("/.ssh/")
        || path.contains("/.aws/")
}

/// Whether the RUN that made the thing and this one can become one: nothing between them but RUNs and what makes no layer.
fn is_joinable(ctx: &Context, made: &Made, at: &RunAt) -> bool {
    let Some(stage) = ctx.file.stages.get(made.stage).filter(|_| made.stage == at.stage_idx) else { return false };
    let between = stage.instructions.get(made.instruction..at.idx).unwrap_or_default();
    between.iter().all(|placed| match &placed.instruction.kind {
        InstructionKind::Run(_)
        | InstructionKind::Cmd(_)
        | InstructionKind::Entrypoint(_)
        | InstructionKind::Expose(_)
        | InstructionKind::Healthcheck(_)
        | InstructionKind::Label(_)
        | InstructionKind::Maintainer(_)
        | InstructionKind::Onbuild(_)
        | InstructionKind::Stopsignal(_) => true,
        InstructionKind::Add(_)
        | InstructionKind::Arg(_)
        | InstructionKind::Copy(_)
        | InstructionKind::Env(_)
        | InstructionKind::From(_)
        | InstructionKind::Shell(_)
        | InstructionKind::User(_)
        | InstructionKind::Volume(_)
        | InstructionKind::Workdir(_)
        | InstructionKind::Unknown => false,
    })
}

#[cfg(test)]
mod tests;

//! `duplicate-copy`: the same files of the context are copied twice.

use crate::context::cleaned;
use crate::facts::detach;
use crate::facts::installs::{Manager, deed};
use crate::facts::landing::{self, Copied};
use crate::facts::run::Command;
use crate::facts::uses::{file_name, is_archive};
use crate::facts::walk;
use crate::model::{Base, InstructionKind, Placed, Stage};
use crate::rules::{Context, Finding, Fix, Group, Related, Rule, Safety, Severity};
use crate::text::{TextEdit, TextRange};
use crate::weight::{Basis, Estimate};

/// The rule.
pub static RULE: Rule = Rule {
    name: "duplicate-copy",
    group: Group::Size,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
The same files are copied to the same place a second time, and the image holds them twice.

Every `COPY` is a layer with whole files in it, also where they are there already. The first of the two changes nothing
that the second would not do.

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY . /app
COPY . /app
CMD ["node", "server.js"]
```

Once:

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY . /app
CMD ["node", "server.js"]
```

A first copy that a `RUN` between the two reads, as `package.json` before `npm ci`, is another matter: it keeps the cache.
"##,
    check,
};

/// A COPY that was seen.
struct Seen<'a> {
    placed: &'a Placed,
    copied: Copied,
    flags: Vec<(&'a str, &'a str)>,
}

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let mut seen: Vec<Seen> = Vec::new();
    for stage_idx in ctx.facts.final_chain.iter().rev().copied() {
        let Some(stage) = ctx.file.stages.get(stage_idx) else { continue };
        // What another child of the parent needs is not this one's to take away.
        let children =
            ctx.file.stages.iter().filter(|it| matches!(stage.base, Base::Stage(_)) && it.base == stage.base);
        if children.count() > 1 {
            seen.clear();
        }
        look_through(ctx, stage_idx, stage, &mut seen, acc);
    }
}

fn look_through<'a>(
    ctx: &Context<'a>,
    stage_idx: usize,
    stage: &'a Stage,
    seen: &mut Vec<Seen<'a>>,
    acc: &mut Vec<Finding>,
) {
    let n_copies = stage.instructions.iter().filter(|it| is_copy(it)).count();
    if n_copies + seen.len() < 2 {
        return;
    }
    let states = walk::states(ctx.file, stage_idx, "/");
    let mut runs = ctx.runs(stage_idx).peekable();
    for ((idx, placed), state) in stage.instructions.iter().enumerate().zip(&states) {
        match &placed.instruction.kind {
            InstructionKind::Run(run) => {
                let Some(at) = runs.next_if(|at| at.idx == idx) else { continue };
                let is_known = run.script().is_some_and(|script| !script.broken) && !at.facts.commands.is_empty();
                let harmless = is_known && at.facts.commands.iter().all(leaves_files_alone);
                if !harmless {
                    seen.clear();
                }
            }
            InstructionKind::Copy(_) | InstructionKind::Add(_) => {
                let Some(copied) = landing::copied(ctx.file, stage, placed, state) else { continue };
                let is_plain = copied.from_context && placed.instruction.heredocs.is_empty();
                if !is_plain || copied.sources.iter().any(|it| it.as_ref().is_none_or(|it| it.contains("://"))) {
                    continue;
                }
                let is_add = matches!(placed.instruction.kind, InstructionKind::Add(_));
                let archives = copied.sources.iter().flatten().any(|it| is_archive(it));
                if is_add && archives {
                    continue;
                }
                let now = Seen { placed, copied, flags: flags(placed) };
                let twin = seen.iter().position(|before| is_same(before, &now));
                let part = || seen.iter().position(|before| is_part(ctx, before, &now));
                if let Some(before) = twin.or_else(part).map(|at| seen.remove(at)) {
                    acc.extend(finding(ctx, &before, &now));
                }
                seen.push(now);
            }
            _ => {}
        }
    }
}

fn is_copy(placed: &Placed) -> bool {
    matches!(placed.instruction.kind, InstructionKind::Copy(_) | InstructionKind::Add(_))
}

/// The flags of a COPY, in the order of their names.
fn flags(placed: &Placed) -> Vec<(&str, &str)> {
    let mut res: Vec<(&str, &str)> = placed
        .instruction
        .flags
        .iter()
        .map(|it| (it.name.as_str(), it.value.as_ref().map_or("", |it| it.text.as_str())))
        .collect();
    res.sort_unstable();
    res
}

/// Whether two copies bring the same files to the same place.
fn is_same(before: &Seen, now: &Seen) -> bool {
    let sources = |it: &Seen| -> Vec<String> { it.copied.sources.iter().flatten().map(|it| cleaned(it)).collect() };
    let (old, new) = (&before.copied, &now.copied);
    old.destination == new.destination
        && old.into_directory == new.into_directory
        && before.flags == now.flags
        && sources(before) == sources(now)
}

/// Whether the later copy is all of the context, and the earlier one brought a part of it to where it lies there. It must
/// be known what it weighs: one small file is no matter.
fn is_part(ctx: &Context, before: &Seen, now: &Seen) -> bool {
    let (old, new) = (&before.copied, &now.copied);
    let whole = matches!(&new.sources[..], [Some(source)] if cleaned(source).is_empty());
    let [Some(source)] = &old.sources[..] else { return false };
    let from = cleaned(source);
    if !whole || from.is_empty() || from.contains(['*', '?', '[']) || before.flags != now.flags {
        return false;
    }
    let place = format!("{}/{from}", new.destination.trim_end_matches('/'));
    let is_file = ctx.context.has_file(&from);
    let to = match is_file && old.into_directory {
        true => format!("{}/{}", old.destination.trim_end_matches('/'), file_name(&from)),
        false => old.destination.clone(),
    };
    to == place && ctx.context.brings(&from).is_some_and(|it| it.complete && it.bytes >= ctx.config.minimum_saving)
}

/// Whether a command neither reads nor changes what was copied: it installs packages of the system, or makes users.
fn leaves_files_alone(command: &Command) -> bool {
    let system = [Manager::Apt, Manager::Apk, Manager::Rpm, Manager::Zypper];
    let packages =
        deed(command).is_some_and(|it| system.contains(&it.manager) && !it.packages().any(|it| it.contains('/')));
    packages
        || matches!(
            command.program.as_str(),
            "useradd" | "groupadd" | "adduser" | "addgroup" | "usermod" | "set" | "echo" | "true"
        )
}

fn finding(ctx: &Context, before: &Seen, now: &Seen) -> Option<Finding> {
    let (old, new) = (sources(before.placed)?, sources(now.placed)?);
    let mut bytes = Some(0);
    for source in before.copied.sources.iter().flatten() {
        let brought =
            ctx.context.brings(source).filter(|it| it.complete && before.placed.instruction.flag("exclude").is_none());
        bytes = bytes.zip(brought).map(|(sum, it): (u64, _)| sum.saturating_add(it.bytes));
    }
    // Of a single file that nobody has weighed it is not known that it matters.
    let single =
        before.copied.sources.iter().flatten().all(|it| file_name(it).contains('.') && !cleaned(it).is_empty());
    if bytes.is_none() && single {
        return None;
    }
    let saves = bytes.map(|bytes| Estimate::exact(bytes, Basis::Context, "build context"));
    let weight = saves.as_ref().map(|it| format!(" ({})", it.words())).unwrap_or_default();
    let mut res = Finding::new(&RULE, new, format!("the same files were copied before, and are stored twice{weight}"));
    res.saves = saves;
    res.related.push(Related { range: old, message: "copied here the first time".to_owned() });
    let same_stage = ctx.file.stages.iter().any(|stage| {
        let range = stage.range;
        range.contains_range(before.placed.whole()) && range.contains_range(now.placed.whole())
    });
    let gone = detach::instruction(&ctx.file.text, before.placed).filter(|_| same_stage);
    res.fix = gone.map(|indel| Fix {
        title: "Delete the earlier copy".to_owned(),
        safety: Safety::Review,
        edit: TextEdit::replace(indel.delete, indel.insert),
    });
    Some(res)
}

/// From the first source of a COPY to its last.
fn sources(placed: &Placed) -> Option<TextRange> {
    let (InstructionKind::Copy(copy) | InstructionKind::Add(copy)) = &placed.instruction.kind else { return None };
    let (first, last) = (copy.sources.first()?, copy.sources.last()?);
    Some(placed.range(first.range.cover(last.range)))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix};
    use crate::rules::Safety;

    fn check_silent(body: &str) {
        check(&RULE, &format!("FROM debian:12\nWORKDIR /w\n{body}\nCMD [\"a\"]\n"));
    }

    #[test]
    fn the_same_copy_twice_is_stored_twice() {
        check(
            &RULE,
            "FROM debian:12\n\
             WORKDIR /w\n\
             COPY src ./src\n\
             RUN apt-get update && apt-get install -y a\n\
             COPY src /w/src/\n\
             COPY src /w/src\n\
             #    ^^^ the same files were copied before, and are stored twice\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn a_part_of_all_is_weighed() {
        let text = |minimum: &str| {
            format!(
                "FROM debian:12\nWORKDIR /w\nCOPY data data\nCOPY . .\n{minimum}CMD [\"a\"]\n#- plimsoll.toml\nsize.minimum-saving = {}\n#- data/a\n12345\n#- b\n1",
                if minimum.is_empty() { 100 } else { 5 }
            )
        };
        check(&RULE, &text("#    ^ stored twice (6 B)\n"));
        check(&RULE, &text(""));
    }

    #[test]
    fn a_run_that_reads_the_first_copy_needs_it() {
        check_silent("COPY . .\nRUN npm ci\nCOPY . .");
        check_silent("COPY src src\nRUN ./configure\nCOPY src src");
    }

    #[test]
    fn other_places_flags_and_sources_are_other_copies() {
        check_silent("COPY src /a\nCOPY src /b");
        check_silent("COPY src /a\nCOPY --chown=1 src /a");
        check_silent("COPY src /a\nCOPY --exclude=x src /a");
        check_silent("COPY src /a\nCOPY lib /a");
        check_silent("COPY --from=x /a /a\nCOPY --from=y /a /a");
    }

    #[test]
    fn a_single_file_that_was_not_weighed_may_be_small() {
        check_silent("COPY start.sh /w/\nCOPY start.sh /w/");
        check_silent("COPY start.sh /w/\nCOPY start.sh /w/\n#- start.sh\na");
    }

    #[test]
    fn a_parent_that_others_are_built_on_keeps_its_copies() {
        check(
            &RULE,
            "FROM debian:12 AS base\nCOPY . /a\nFROM base AS other\nRUN ls /a\nFROM base\nCOPY . /a\nCMD [\"a\"]\n",
        );
    }

    #[test]
    fn a_builder_is_not_shipped() {
        check(&RULE, "FROM debian:12 AS b\nCOPY . /a\nCOPY . /a\nFROM debian:12\nCOPY --from=b /c /c\nCMD /c\n");
    }

    #[test]
    fn the_fix_deletes_the_earlier_one() {
        check_fix(
            &RULE,
            Safety::Review,
            "FROM debian:12\nCOPY . /a\nENV X=1\nCOPY . /a\nCMD [\"a\"]\n",
            "FROM debian:12\nENV X=1\nCOPY . /a\nCMD [\"a\"]\n",
        );
    }
}

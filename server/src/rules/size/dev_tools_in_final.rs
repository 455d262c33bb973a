//! `dev-tools-in-final`: editors, debuggers and the like are in the image that is shipped.

use crate::facts::installs::{Deed, Manager, Verb, deed};
use crate::facts::made::plain_name;
use crate::facts::run::{Argument, Command};
use crate::facts::start::workplace::is_workplace;
use crate::facts::start::{Open, Program};
use crate::facts::tools::{Bulk, personal_tool, programs};
use crate::model::{InstructionKind, Placed};
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Safety, Severity};
use crate::size::spared::{Asked, Saving, asked, saving};
use crate::text::{TextEdit, TextRange, TextSize};

/// The rule.
pub static RULE: Rule = Rule {
    name: "dev-tools-in-final",
    group: Group::Size,
    severity: Severity::Information,
    on: true,
    also: &[],
    doc: r##"
Editors, debuggers, tracers or tools to look at a network are installed in the image that is shipped.

Only a person who works in the container uses them: `vim` brings 40 MB on Debian.
`docker debug`, a `kubectl debug` container or a stage of their own have them at hand without shipping them.

```dockerfile
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends libpq5 vim && rm -rf /var/lib/apt/lists/*
CMD ["/usr/local/bin/app"]
```

Without:

```dockerfile
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends libpq5 && rm -rf /var/lib/apt/lists/*
CMD ["/usr/local/bin/app"]
```

Nothing is said where the image calls the tool, where it starts nothing, a shell or something to work in, or where the stage
is named as one for development or tests.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let mut found: Vec<(RunAt, usize)> = Vec::new();
    for at in ctx.final_runs() {
        for (idx, command) in at.facts.commands.iter().enumerate().filter(|(_, it)| it.certain) {
            let Some(deed) = deed(command).filter(|it| it.verb == Verb::Install) else { continue };
            let removed = |name: &str| {
                at.facts
                    .commands
                    .iter()
                    .skip(idx + 1)
                    .filter_map(crate::facts::installs::deed)
                    .any(|it| it.verb == Verb::Remove && (it.is_open() || it.packages().any(|word| word == name)))
            };
            if tools(&deed).any(|(_, name, _)| !removed(name)) {
                found.push((at, idx));
            }
        }
    }
    if found.is_empty() || is_to_work_in(ctx) {
        return;
    }
    let asked = asked(ctx.file, ctx.facts);
    for (at, idx) in found {
        let Some(command) = at.facts.commands.get(idx) else { continue };
        let Some(deed) = deed(command) else { continue };
        for (word, name, bulk) in tools(&deed) {
            if is_called(ctx, name) {
                continue;
            }
            let saves = match saved(ctx, &at, command, &deed, name, &asked) {
                Saving::Known(_, saves) => Some(saves),
                // Tools of a megabyte are not worth a word.
                Saving::Unknown if bulk == Bulk::Heavy => None,
                Saving::Unknown | Saving::Nothing => continue,
            };
            let mut message = format!("only a person needs `{name}`");
            if let Some(saves) = &saves {
                message.push_str(&format!(" ({})", saves.words()));
            }
            let mut finding = Finding::new(&RULE, at.placed.range(word.range), message);
            finding.saves = saves;
            finding.fix = fix(ctx, &at, &deed, word);
            acc.push(finding);
        }
    }
}

/// The tools among the packages that are written out, one a word.
fn tools<'a>(deed: &'a Deed<'a>) -> impl Iterator<Item = (&'a Argument, &'a str, Bulk)> {
    deed.words.iter().filter_map(|word| {
        let name = plain_name(deed.manager, word.value.as_deref()?);
        Some((*word, name, personal_tool(deed.manager, name)?))
    })
}

/// Whether people are meant to work in the image: they may come in by ssh, too.
fn is_to_work_in(ctx: &Context) -> bool {
    let Some(target) = ctx.facts.target.filter(|_| ctx.facts.is_started()) else { return true };
    let is_dev_container = |path: &str| path.contains(".devcontainer/");
    let stages = ctx.facts.final_chain.iter().filter_map(|idx| ctx.file.stages.get(*idx));
    let ssh = |it: &Placed| match &it.instruction.kind {
        InstructionKind::Expose(ports) => ports.iter().any(|port| port.text.split('/').next() == Some("22")),
        InstructionKind::Run(_) => it.instruction.text.contains("openssh-server"),
        _ => false,
    };
    ctx.context.dockerfile.as_deref().is_some_and(is_dev_container) || is_workplace(ctx.file, target, ctx.start()) || {
        stages
    }
    .any(|stage| stage.instructions.iter().any(ssh))
}

/// Whether a RUN, the start or the health check calls the tool, or a script that nobody has read may.
fn is_called(ctx: &Context, name: &str) -> bool {
    let programs = programs(name);
    let calls = |program: &str| programs.contains(&program.rsplit('/').next().unwrap_or(program));
    let chain = ctx.start();
    let started = |it: &Program| calls(&it.name) || it.arguments.iter().flatten().any(|it| calls(it));
    if chain.programs.iter().any(started) {
        return true;
    }
    // An editor is not what a start script calls; a tool for networks may be.
    let hidden = chain.open.iter().any(|it| matches!(it, Open::Script(_) | Open::Shell | Open::Deep(_)));
    let scriptable = !matches!(
        name,
        "vim"
            | "vim-nox"
            | "vim-enhanced"
            | "vim-gtk"
            | "vim-tiny"
            | "nano"
            | "emacs"
            | "emacs-nox"
            | "neovim"
            | "man-db"
            | "joe"
    );
    if hidden && scriptable {
        return true;
    }
    ctx.final_runs().any(|at| {
        at.facts.commands.iter().any(|it| {
            let is_install = deed(it).is_some_and(|it| it.verb == Verb::Install);
            calls(&it.program) || !is_install && it.values().any(calls)
        })
    })
}

fn saved(ctx: &Context, at: &RunAt, command: &Command, deed: &Deed, name: &str, asked: &[Asked]) -> Saving {
    if deed.manager != Manager::Apt {
        return Saving::Unknown;
    }
    let here = u32::from(at.range(command).start());
    let is_tool = |it: &Asked| it.at == here && plain_name(Manager::Apt, it.name) == name;
    let kept: Vec<Asked> = asked.iter().filter(|it| !is_tool(it)).copied().collect();
    saving(asked, &kept, ctx.base_image(), ctx.images)
}

/// Deletes the word; on a line of its own, with the line.
fn fix(ctx: &Context, at: &RunAt, deed: &Deed, word: &Argument) -> Option<Fix> {
    if deed.words.len() < 2 {
        return None;
    }
    let text = &*ctx.file.text;
    let escape = ctx.file.directives.escape;
    let range = at.placed.range(word.range);
    let (start, end) = (usize::from(range.start()), usize::from(range.end()));
    let blanks = [' ', '\t'];
    let before = text.get(..start)?.trim_end_matches(blanks);
    let behind = text.get(end..)?;
    let delete = if !before.ends_with('\n') {
        before.len()..end
    } else if let Some(rest) = behind.trim_start_matches(blanks).strip_prefix(escape) {
        let rest = rest.trim_start_matches(blanks);
        let next = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n'))?;
        before.len()..text.len() - next.len()
    } else {
        let kept = before.trim_end_matches([' ', '\t', '\r', '\n']).strip_suffix(escape)?.trim_end_matches(blanks);
        // The continuation of the line before goes with the word: no comment may stand there.
        if kept.lines().next_back()?.trim_start().starts_with('#') {
            return None;
        }
        kept.len()..end
    };
    let place = |at: usize| u32::try_from(at).ok().map(TextSize::new);
    let edit = TextEdit::replace(TextRange::new(place(delete.start)?, place(delete.end)?), "");
    let name = word.value.as_deref().unwrap_or_default();
    Some(Fix { title: format!("Install without `{name}`"), safety: Safety::Review, edit })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    fn check_silent(run: &str) {
        check(&RULE, &format!("FROM debian:12\n{run}\nCMD [\"/srv/a\"]\n"));
    }

    #[test]
    fn the_package_is_to_blame() {
        check(
            &RULE,
            "FROM debian:bookworm-slim\n\
             RUN apt-get install -y --no-install-recommends curl vim gdb\n\
             #                                                   ^^^ only a person needs `vim` (about 40 MB)\n\
             #                                                       ^^^ only a person needs `gdb`\n\
             CMD [\"/srv/a\"]\n",
        );
        check(
            &RULE,
            "FROM alpine:3.22\n\
             RUN apk add --no-cache vim curl\n\
             #                      ^^^ only a person needs `vim`\n\
             CMD [\"/srv/a\"]\n",
        );
    }

    #[test]
    fn a_tool_of_a_megabyte_is_not_worth_a_word() {
        check_silent("RUN apt-get install -y --no-install-recommends less iputils-ping");
        check(&RULE, "FROM alpine:3.22\nRUN apk add --no-cache nano less\nCMD [\"/srv/a\"]\n");
    }

    #[test]
    fn who_calls_the_tool_needs_it() {
        check_silent("RUN apt-get install -y vim && vim +PluginInstall +qall");
        check_silent("RUN apt-get install -y dnsutils\nHEALTHCHECK CMD nslookup localhost");
        check(&RULE, "FROM debian:12\nRUN apt-get install -y nmap\nENTRYPOINT [\"nmap\"]\n");
        check(
            &RULE,
            "FROM debian:12\nCOPY start.sh /\nRUN apt-get install -y gdb\nCMD [\"/start.sh\"]\n\
             #- start.sh\n#!/bin/sh\nexec gdb -batch /srv/a\n",
        );
    }

    #[test]
    fn a_script_that_nobody_has_read_may_call_it() {
        check(&RULE, "FROM debian:12\nRUN apt-get install -y gdb nmap\nENTRYPOINT [\"/entry.sh\"]\n");
        check(
            &RULE,
            "FROM debian:12\nRUN apt-get install -y vim\n#                      ^^^ only a person\nENTRYPOINT [\"/entry.sh\"]\n",
        );
    }

    #[test]
    fn an_image_to_work_in_has_them_on_purpose() {
        check(&RULE, "FROM debian:12\nRUN apt-get install -y vim\n");
        check(&RULE, "FROM debian:12\nRUN apt-get install -y vim\nCMD [\"zsh\"]\n");
        check(&RULE, "FROM debian:12\nRUN apt-get install -y vim\nCMD [\"sleep\", \"infinity\"]\n");
        check(&RULE, "FROM debian:12\nRUN apt-get install -y vim\nEXPOSE 22\nCMD [\"/srv/a\"]\n");
        check(&RULE, "FROM debian:12\nRUN apt-get install -y vim openssh-server\nCMD [\"/run.sh\"]\n");
        check(&RULE, "FROM debian:12 AS debug\nRUN apt-get install -y vim\nCMD [\"/srv/a\"]\n");
    }

    #[test]
    fn what_is_removed_again_is_not_in_it() {
        check_silent("RUN apt-get install -y vim && apt-get purge -y vim");
    }

    #[test]
    fn a_builder_is_not_shipped() {
        check(
            &RULE,
            "FROM debian:12 AS b\nRUN apt-get install -y vim\nFROM debian:12\nCOPY --from=b /a /a\nCMD [\"/srv/a\"]\n",
        );
    }

    #[test]
    fn the_word_goes() {
        let file = |run: &str| format!("FROM debian:12\nRUN {run}\nCMD [\"/srv/a\"]\n");
        check_fix(&RULE, Safety::Review, &file("apt-get install -y curl vim"), &file("apt-get install -y curl"));
        check_fix(
            &RULE,
            Safety::Review,
            &file("apt-get install -y \\\n    curl \\\n    vim \\\n    git"),
            &file("apt-get install -y \\\n    curl \\\n    git"),
        );
        check_fix(
            &RULE,
            Safety::Review,
            &file("apt-get install -y \\\n    curl \\\n    vim && ls"),
            &file("apt-get install -y \\\n    curl && ls"),
        );
        check_no_fix(&RULE, &file("apt-get install -y vim"));
    }
}

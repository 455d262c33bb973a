//! `world-writable-files`: everybody in the container may change a file.

use crate::facts::removes::{Removal, homely, removal};
use crate::facts::run::{Argument, Command, is_below};
use crate::facts::stage::{User, join, value};
use crate::facts::walk::is_root;
use crate::model::InstructionKind;
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Safety, Severity};
use crate::text::{Local, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "world-writable-files",
    group: Group::Security,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
Everybody in the container may change these files, so any flaw in any program of it can replace them.

The user that runs the program needs the right alone: it can own them.

```dockerfile
FROM debian:bookworm-slim
RUN useradd -r app && mkdir /data && chmod 777 /data
USER app
CMD ["app"]
```

Owned by that user:

```dockerfile
FROM debian:bookworm-slim
RUN useradd -r app && mkdir /data && chown app /data
USER app
CMD ["app"]
```

Nothing is said of directories with the sticky bit (`1777`), of `/tmp`, and of `g=u`, which gives the right to a group.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for stage_idx in ctx.facts.final_chain.iter().rev() {
        check_copies(ctx, *stage_idx, acc);
        for at in ctx.runs_and_onbuild(*stage_idx) {
            for (idx, command) in at.facts.commands.iter().enumerate() {
                if command.program == "chmod" {
                    acc.extend(changed(ctx, &at, idx, command));
                }
            }
        }
    }
}

fn check_copies(ctx: &Context, stage_idx: usize, acc: &mut Vec<Finding>) {
    let Some(stage) = ctx.file.stages.get(stage_idx) else { return };
    for placed in &stage.instructions {
        let kind = match &placed.instruction.kind {
            InstructionKind::Onbuild(inner) => &inner.kind,
            kind => kind,
        };
        let (InstructionKind::Copy(copy) | InstructionKind::Add(copy)) = kind else { continue };
        let Some(word) = placed.instruction.flag("chmod").and_then(|flag| flag.value.as_ref()) else { continue };
        let Some(mode) = value(stage, placed, &word.text, ctx.file.directives.escape) else { continue };
        let destination = copy.destination.as_ref().map_or("", |word| word.text.as_str());
        if !opens(&mode) || is_open_place(destination) {
            continue;
        }
        let mut finding =
            Finding::new(&RULE, placed.range(word.range), format!("`{mode}` lets everybody change these files"));
        finding.cause = placed.whole();
        finding.fix = narrowed(&mode).filter(|_| mode == word.text).map(|mode| Fix {
            title: format!("Change to {mode}"),
            safety: Safety::Review,
            edit: TextEdit::replace(placed.range(word.range), mode),
        });
        acc.push(finding);
    }
}

/// Whether a mode gives the right to write to others and no sticky bit.
fn opens(mode: &str) -> bool {
    if mode.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) && (3..=5).contains(&mode.len()) {
        let bits = u32::from_str_radix(mode, 8).unwrap_or_default();
        return bits & 0o002 != 0 && bits & 0o1000 == 0;
    }
    let clauses: Vec<&str> = mode.split(',').collect();
    let gives = |clause: &&str| {
        let Some(at) = clause.find(['+', '=']) else { return false };
        let (who, what) = clause.split_at(at);
        who.contains(['o', 'a']) && what.contains('w')
    };
    clauses.iter().any(gives) && !mode.contains('t')
}

/// The same mode with the right to write for the owner alone.
fn narrowed(mode: &str) -> Option<String> {
    match mode {
        "777" | "0777" => Some(mode.replace("777", "755")),
        "666" | "0666" => Some(mode.replace("666", "644")),
        _ => None,
    }
}

/// Places where everybody may write anyway.
fn is_open_place(path: &str) -> bool {
    let path = path.trim_end_matches("/*");
    ["/tmp", "/var/tmp", "/dev", "/run/lock", "/var/lock"].iter().any(|folder| is_below(path, folder))
}

fn changed(ctx: &Context, at: &RunAt, idx: usize, command: &Command) -> Option<Finding> {
    let mode_at = command.arguments.iter().position(|it| it.value.as_deref().is_none_or(|text| !is_option(text)))?;
    let mode_word = command.arguments.get(mode_at)?;
    let mode = mode_word.value.as_deref().filter(|mode| opens(mode))?;
    let paths: Vec<&Argument> = command
        .arguments
        .iter()
        .skip(mode_at + 1)
        .filter(|it| it.value.as_deref().is_none_or(|text| !is_option(text)))
        .collect();
    let directory = at.facts.directories.get(idx).and_then(Option::as_deref);
    let stays = |path: &&&Argument| {
        let Some(text) = path.value.as_deref() else { return false };
        let Some(place) = join(directory.or(Some("/")), text) else { return false };
        let gone = removal(at.facts, &at.facts.directories, &homely(&place), idx) != Removal::No;
        !is_open_place(&place) && !gone && !at.facts.is_mounted(&place) && !is_changed_again(at, idx, text)
    };
    let open: Vec<&&Argument> = paths.iter().filter(stays).collect();
    let first = open.first()?.value.as_deref()?;
    let more = if open.len() > 1 { format!(" and {} more", open.len() - 1) } else { String::new() };
    let mut res = Finding::new(
        &RULE,
        at.placed.range(mode_word.range),
        format!("`{mode}` lets everybody change `{first}`{more}"),
    );
    res.cause = at.range(command);
    if at.placed.instruction.name != "ONBUILD" && open.len() == paths.len() {
        res.fix = fix(ctx, at, command, mode_at, mode);
    }
    Some(res)
}

/// `-R`, `--recursive`; `-w` is a mode.
fn is_option(text: &str) -> bool {
    text.strip_prefix('-')
        .is_some_and(|rest| rest.starts_with('-') || !rest.is_empty() && rest.chars().all(|it| "Rvcf".contains(it)))
}

/// Whether another `chmod` of the RUN gives the path the sticky bit, or a later one takes the right away again.
fn is_changed_again(at: &RunAt, idx: usize, path: &str) -> bool {
    at.facts.commands.iter().enumerate().any(|(other, it)| {
        let sticky = |mode: &str| mode.contains("+t") || mode.len() == 4 && mode.starts_with(['1', '3', '5', '7']);
        let mode = it.values().find(|text| !is_option(text));
        let again =
            other > idx && mode.is_some_and(|mode| mode.starts_with(|it: char| it.is_ascii_digit()) && !opens(mode));
        it.program == "chmod" && it.values().any(|it| it == path) && (again || it.values().any(sticky))
    })
}

/// To whom the files may belong: the one user without rights that the target runs as, and that the RUN can know.
fn owner<'a>(ctx: &'a Context, at: &RunAt) -> Option<&'a str> {
    let facts = ctx.facts.stages.get(ctx.facts.target?)?;
    let user = match facts.users.last()? {
        User::Named(name) if !is_root(name) => name.as_str(),
        User::Named(_) | User::OfImage | User::Unknown => return None,
    };
    let here = ctx.facts.stages.get(at.stage_idx)?.users.get(at.idx)?;
    let is_root_here = match here {
        User::Named(name) => is_root(name),
        User::OfImage => true,
        User::Unknown => false,
    };
    is_root_here.then_some(user)
}

fn fix(ctx: &Context, at: &RunAt, command: &Command, mode_at: usize, mode: &str) -> Option<Fix> {
    let mode_word = command.arguments.get(mode_at)?;
    let text = &*at.placed.instruction.text;
    if mode_word.range.of(text) != mode {
        return None;
    }
    let call = at.call(command)?;
    if let Some(user) = owner(ctx, at)
        && matches!(mode, "777" | "0777" | "666" | "0666")
        && call.program_range.of(text) == "chmod"
    {
        let options: Vec<&str> = command.arguments.iter().take(mode_at).map(|it| it.range.of(text)).collect();
        let between = if options.is_empty() { String::new() } else { format!("{} ", options.join(" ")) };
        let range = at.placed.range(Local { start: call.program_range.start, end: mode_word.range.end });
        let edit = TextEdit::replace(range, format!("chown {between}{user}"));
        return Some(Fix { title: format!("Give them to `{user}`"), safety: Safety::Review, edit });
    }
    let mode = narrowed(mode)?;
    let edit = TextEdit::replace(at.placed.range(mode_word.range), mode.as_str());
    Some(Fix { title: format!("Change to {mode}"), safety: Safety::Review, edit })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, check_fix, findings, parse};
    use crate::rules::Safety;

    fn check_silent(lines: &str) {
        check(&RULE, &format!("FROM debian:12\n{lines}\nCMD [\"a\"]\n"));
    }

    #[test]
    fn the_mode_is_to_blame() {
        check(
            &RULE,
            "FROM debian:12\n\
             RUN mkdir /a && chmod -R 777 /a /b\n\
             #                        ^^^ `777` lets everybody change `/a` and 1 more\n\
             COPY --chmod=666 x /x\n\
             #            ^^^ `666` lets everybody change these files\n\
             CMD [\"a\"]\n",
        );
        for mode in ["o+w", "a+w", "a+rwx", "ugo+rwx", "0777", "776", "u+x,o+w", "a=rwx"] {
            let analysis = analyse(&parse(&format!("FROM debian:12\nRUN chmod {mode} /a\nCMD [\"a\"]\n")));
            assert_eq!(findings(&analysis, &RULE).len(), 1, "{mode}");
        }
    }

    #[test]
    fn the_owner_and_the_group_may_write() {
        check_silent(
            "RUN chmod 755 /a && chmod -R g=u /b && chmod g+w /c && chmod +x /d && chmod 775 /e && chmod u+w /f",
        );
    }

    #[test]
    fn a_right_that_is_taken_away_again_is_gone() {
        check_silent("RUN chmod 666 /etc/sudoers && a && chmod 440 /etc/sudoers");
    }

    #[test]
    fn a_sticky_directory_is_shared_safely() {
        check_silent("RUN chmod 1777 /a && chmod a+rwxt /b && chmod 777 /c && chmod +t /c");
    }

    #[test]
    fn places_for_everybody_are_open_anyway() {
        check_silent("RUN chmod 777 /tmp && chmod -R 777 /var/tmp/x && chmod 666 /dev/null && chmod 777 /run/lock");
    }

    #[test]
    fn a_mode_that_is_not_known_is_left_alone() {
        check_silent("ARG MODE\nRUN chmod $MODE /a\nCOPY --chmod=$MODE a /a");
    }

    #[test]
    fn what_is_removed_again_is_not_there() {
        check_silent("RUN chmod 777 /opt/i.sh && /opt/i.sh && rm /opt/i.sh");
    }

    #[test]
    fn a_builder_is_not_shipped() {
        check(&RULE, "FROM a AS b\nRUN chmod 777 /a\nFROM a\nCOPY --from=b /x /x\nCMD [\"a\"]\n");
    }

    #[test]
    fn the_user_of_the_program_can_own_them() {
        check_fix(
            &RULE,
            Safety::Review,
            "FROM debian:12\nRUN chmod -R 777 /a\nUSER app\nCMD a\n",
            "FROM debian:12\nRUN chown -R app /a\nUSER app\nCMD a\n",
        );
        check_fix(
            &RULE,
            Safety::Review,
            "FROM debian:12\nRUN chmod 777 /a\nCMD a\n",
            "FROM debian:12\nRUN chmod 755 /a\nCMD a\n",
        );
        check_fix(
            &RULE,
            Safety::Review,
            "FROM a\nCOPY --chmod=0666 x /x\nCMD a\n",
            "FROM a\nCOPY --chmod=0644 x /x\nCMD a\n",
        );
    }
}

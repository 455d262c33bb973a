//! `copied-archive-unpacked`: an archive is copied into a layer, and a later one unpacks it.

use crate::config::Builder;
use crate::facts::archives::{Brought, instead};
use crate::facts::landing;
use crate::facts::removes::homely;
use crate::facts::uses::{self, Use, file_name, is_archive, is_unpacked_by_add};
use crate::facts::walk;
use crate::model::{InstructionKind, Placed, Stage, Word};
use crate::rules::{Context, Finding, Fix, Group, Related, Rule, RunAt, Safety, Severity};
use crate::weight::{Basis, Estimate};

/// The rule.
pub static RULE: Rule = Rule {
    name: "copied-archive-unpacked",
    group: Group::Size,
    severity: Severity::Warning,
    on: true,
    also: &["DL3010"],
    doc: r##"
A copied archive or package stays in its layer after a later `RUN` has unpacked or installed it.

The image then holds the archive and what was in it, also where the later `RUN` deletes the file: it can only hide it.
`ADD` unpacks a local tar and stores nothing else; for every other kind a bind mount shows the file to the `RUN` alone.

```dockerfile
FROM debian:bookworm-slim
COPY app.tar.gz /tmp/
RUN tar -xzf /tmp/app.tar.gz -C /opt
CMD ["/opt/app/run"]
```

Unpacked by the builder:

```dockerfile
FROM debian:bookworm-slim
ADD app.tar.gz /opt/
CMD ["/opt/app/run"]
```

A `.zip` or `.deb`: `RUN --mount=type=bind,source=app.deb,target=/tmp/app.deb dpkg -i /tmp/app.deb`.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for stage_idx in ctx.facts.final_chain.iter().rev().copied() {
        let Some(stage) = ctx.file.stages.get(stage_idx) else { continue };
        for (idx, placed) in stage.instructions.iter().enumerate() {
            for source in archives(placed) {
                acc.extend(look(ctx, stage_idx, stage, idx, placed, source));
            }
        }
    }
}

/// The sources of a COPY that are archives of the context, and those of an ADD that it does not unpack.
fn archives(placed: &Placed) -> impl Iterator<Item = &Word> {
    let copy = match &placed.instruction.kind {
        InstructionKind::Copy(copy) if placed.instruction.flag("from").is_none() => Some((copy, false)),
        InstructionKind::Add(copy) => Some((copy, true)),
        _ => None,
    };
    copy.into_iter().flat_map(|(copy, is_add)| {
        copy.sources.iter().filter(move |source| {
            let name = file_name(&source.text);
            let is_plain = !source.text.contains(['*', '?', '[']) && !source.text.contains("://");
            is_plain && is_archive(name) && !(is_add && is_unpacked_by_add(name)) && !(is_add && name.ends_with(".zst"))
        })
    })
}

fn look(ctx: &Context, stage_idx: usize, stage: &Stage, idx: usize, placed: &Placed, source: &Word) -> Option<Finding> {
    let states = walk::states(ctx.file, stage_idx, "/");
    let copied = landing::copied(ctx.file, stage, placed, states.get(idx)?)?;
    let from = walk::value(ctx.file, stage, placed, &source.text)?;
    let below = format!("{}/{}", copied.destination.trim_end_matches('/'), file_name(&from));
    // A destination without a slash may be a directory that is there.
    let paths = if copied.into_directory { [None, Some(below)] } else { [Some(copied.destination), Some(below)] };
    let found = paths.into_iter().flatten().find_map(|path| {
        let (at, command) = user(ctx, stage_idx, idx, &path)?;
        Some((path, at, command))
    });
    let (path, at, command_idx) = found?;
    let command = at.facts.commands.get(command_idx)?;
    if at.facts.is_mounted(&path) || is_needed(ctx, &at, file_name(&path)) {
        return None;
    }
    let saves = ctx.context.brings(&from).filter(|it| it.complete);
    let saves = saves.map(|it| Estimate::exact(it.bytes, Basis::Context, "build context"));
    let weight = saves.as_ref().map(|it| format!(" ({})", it.words())).unwrap_or_default();
    let what = if [".deb", ".rpm", ".whl", ".gem", ".apk"].iter().any(|end| path.ends_with(end)) {
        "package stays in this layer beside what it installs"
    } else {
        "archive stays in this layer beside what was in it"
    };
    let mut finding = Finding::new(&RULE, placed.range(source.range), format!("the {what}{weight}"));
    finding.saves = saves;
    finding.related.push(Related { range: at.range(command), message: "it is needed here alone".to_owned() });
    let brought = Brought {
        file: ctx.file,
        stage,
        facts: ctx.facts.stages.get(stage_idx)?,
        copy: idx,
        run: at.idx,
        command: Some(command_idx),
        path: &path,
        mounts: ctx.config.builder == Builder::BuildKit,
    };
    let offer = if at.stage_idx == stage_idx { instead(&brought) } else { None };
    finding.fix = offer.map(|it| Fix { title: it.title, safety: Safety::Review, edit: it.edit });
    Some(finding)
}

/// The first command behind the COPY that takes the file apart or installs it.
fn user<'a>(ctx: &Context<'a>, stage_idx: usize, idx: usize, path: &str) -> Option<(RunAt<'a>, usize)> {
    let path = homely(path);
    let later = ctx.final_runs().filter(|at| at.stage_idx > stage_idx || at.stage_idx == stage_idx && at.idx > idx);
    { later }.find_map(|at| {
        let mut commands = at.facts.commands.iter().zip(&at.facts.directories);
        let found = commands.position(|(command, directory)| {
            let directory = directory.as_deref().unwrap_or("/");
            uses::of(command, at.call(command), Some(directory), &path).is_some_and(|it| it != Use::Runs)
        })?;
        Some((at, found))
    })
}

/// Whether something behind the RUN that is no RUN speaks of the file, or a start script does.
fn is_needed(ctx: &Context, at: &RunAt, name: &str) -> bool {
    let behind = ctx.file.instructions().filter(|it| it.at > at.placed.at);
    let named = { behind }
        .any(|it| !matches!(it.instruction.kind, InstructionKind::Run(_)) && it.instruction.text.contains(name));
    named || ctx.context.texts.iter().any(|(path, text)| path.ends_with(".sh") && text.contains(name))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    fn check_silent(body: &str) {
        check(&RULE, &format!("FROM debian:12\nWORKDIR /w\n{body}\nCMD [\"a\"]\n"));
    }

    #[test]
    fn an_archive_stays_beside_what_was_in_it() {
        check(
            &RULE,
            "FROM debian:12\n\
             COPY lib/app.zip conf /tmp/\n\
             #    ^^^^^^^^^^^ the archive stays in this layer beside what was in it\n\
             ADD a.deb /tmp/a.deb\n\
             #   ^^^^^ the package stays in this layer beside what it installs\n\
             RUN cd /tmp && unzip app.zip && dpkg -i a.deb\n\
             CMD [\"a\"]\n",
        );
        check(
            &RULE,
            "FROM debian:12\nCOPY a.tgz /tmp\n#    ^^^^^ beside what was in it (3 B)\nRUN tar xf /tmp/a.tgz\nCMD [\"a\"]\n#- plimsoll.toml\nsize.minimum-saving = 1\n#- a.tgz\nabc",
        );
    }

    #[test]
    fn a_small_archive_is_not_worth_a_word() {
        check_silent("COPY a.tgz /tmp/\nRUN tar xf /tmp/a.tgz\n#- a.tgz\nabc");
    }

    #[test]
    fn add_unpacks_a_tar_by_itself() {
        check_silent("ADD a.tar.gz /opt/\nRUN tar xf /opt/b.tar");
    }

    #[test]
    fn what_another_stage_made_is_another_matter() {
        check(&RULE, "FROM debian:12 AS b\nFROM debian:12\nCOPY --from=b /a.tgz /\nRUN tar xf /a.tgz\nCMD [\"a\"]\n");
    }

    #[test]
    fn a_mount_stores_nothing() {
        check_silent("RUN --mount=type=bind,source=a.tgz,target=/tmp/a.tgz tar xf /tmp/a.tgz");
    }

    #[test]
    fn an_archive_that_the_program_reads_is_needed() {
        check_silent("COPY a.zip /w/\nRUN unzip a.zip\nENV DATA=/w/a.zip");
        check_silent(
            "COPY a.zip start.sh /w/\nRUN unzip a.zip\nENTRYPOINT [\"/w/start.sh\"]\n#- start.sh\nread a.zip\n",
        );
    }

    #[test]
    fn a_pattern_names_no_archive() {
        check_silent("COPY *.whl /tmp/\nRUN pip install /tmp/*.whl");
    }

    #[test]
    fn what_nobody_unpacks_is_data() {
        check_silent("COPY a.zip /srv/\nRUN unzip -l /srv/a.zip");
    }

    #[test]
    fn a_builder_is_not_shipped() {
        check(
            &RULE,
            "FROM debian:12 AS b\nCOPY a.tgz /\nRUN tar xf /a.tgz\nFROM debian:12\nCOPY --from=b /c /c\nCMD /c\n",
        );
    }

    #[test]
    fn add_takes_the_place_of_a_plain_tar() {
        let after = "FROM debian:12\nADD a.tar.gz /opt/x/\nCMD [\"a\"]\n";
        for run in [
            "mkdir -p /opt/x && tar -xzvf /tmp/a.tar.gz -C /opt/x",
            "mkdir -p /opt/x && cd /opt/x && tar xzf /tmp/a.tar.gz && rm -f /tmp/a.tar.gz",
            "tar --extract --file=/tmp/a.tar.gz --directory=/opt/x",
        ] {
            let before = format!("FROM debian:12\nCOPY a.tar.gz /tmp/\nRUN {run}\nCMD [\"a\"]\n");
            // A RUN that deletes the archive is the finding of another rule, with the same offer.
            if !run.contains("rm") {
                check_fix(&RULE, Safety::Review, &before, after);
            }
        }
    }

    #[test]
    fn a_mount_takes_the_place_of_everything_else() {
        check_fix(
            &RULE,
            Safety::Review,
            "FROM debian:12\nCOPY lib/a.deb /tmp/\nRUN apt-get update \\\n && apt-get install -y /tmp/a.deb\nCMD [\"a\"]\n",
            "FROM debian:12\nRUN --mount=type=bind,source=lib/a.deb,target=/tmp/a.deb apt-get update \\\n && apt-get install -y /tmp/a.deb\nCMD [\"a\"]\n",
        );
        check_fix(
            &RULE,
            Safety::Review,
            "FROM debian:12\nCOPY a.tgz /tmp/\nRUN tar xzf /tmp/a.tgz --strip-components=1 -C /opt\nCMD [\"a\"]\n",
            "FROM debian:12\nRUN --mount=type=bind,source=a.tgz,target=/tmp/a.tgz tar xzf /tmp/a.tgz --strip-components=1 -C /opt\nCMD [\"a\"]\n",
        );
    }

    #[test]
    fn what_is_not_the_same_is_not_offered() {
        check_no_fix(&RULE, "FROM debian:12\nCOPY a.zip b /tmp/\nRUN unzip /tmp/a.zip\nCMD [\"a\"]\n");
        check_no_fix(
            &RULE,
            "FROM debian:12\nCOPY a.zip /tmp/\nRUN unzip /tmp/a.zip\nRUN cp /tmp/a.zip /srv\nCMD [\"a\"]\n",
        );
        check_no_fix(&RULE, "FROM debian:12\nCOPY --chown=1 a.zip /tmp/\nRUN unzip /tmp/a.zip\nCMD [\"a\"]\n");
    }
}

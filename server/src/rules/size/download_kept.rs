//! `download-kept`: an archive is fetched and unpacked, and stays beside what was in it.

use crate::facts::append::append;
use crate::facts::made::fetched;
use crate::facts::merging;
use crate::facts::removes::{Removal, homely, removal};
use crate::facts::run::{Command, is_below};
use crate::facts::stage::join;
use crate::facts::uses::{self, Use, file_name};
use crate::rules::{Context, Finding, Fix, Group, Related, Rule, RunAt, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "download-kept",
    group: Group::Size,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
A downloaded archive or package stays in the layer after it was unpacked or installed.

What was in it lies in the image already; the archive is there for nothing. Only the `RUN` that fetched it can take it away
again: a later one hides the file and frees nothing.

```dockerfile
FROM debian:bookworm-slim
RUN curl -fsSLO https://example.com/t.tgz && tar -xzf t.tgz -C /opt
CMD ["/opt/t/run"]
```

Deleted where it was fetched:

```dockerfile
FROM debian:bookworm-slim
RUN curl -fsSLO https://example.com/t.tgz && tar -xzf t.tgz -C /opt && rm -f t.tgz
CMD ["/opt/t/run"]
```

`curl … | tar -xz -C /opt` stores no archive in the first place.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let runs: Vec<RunAt> = ctx.final_runs().collect();
    for (place, at) in runs.iter().enumerate() {
        for (idx, command) in at.facts.commands.iter().enumerate() {
            if !command.certain || !may_fetch(&command.program) {
                continue;
            }
            for path in downloads(at, idx, command) {
                acc.extend(look(ctx, &runs, place, idx, command, &path));
            }
        }
    }
}

fn may_fetch(program: &str) -> bool {
    matches!(program, "curl" | "wget" | "aria2c")
}

/// The files that a command fetches, absolute or below `~`. The directory of the image, where it is not known, is taken
/// for the root: only files of one RUN are compared.
fn downloads(at: &RunAt, idx: usize, command: &Command) -> Vec<String> {
    let directory = directory(at, idx);
    let mut res = fetched(command, directory);
    let redirects = at.call(command).map(|call| call.redirects.as_slice()).unwrap_or_default();
    for redirect in redirects.iter().filter(|it| it.operator == ">" && it.descriptor.as_deref() != Some("2")) {
        let path = redirect.target.literal().filter(|path| !path.starts_with("/dev/"));
        res.extend(path.and_then(|path| join(directory, &path)).map(|path| homely(&path)));
    }
    res
}

fn directory<'a>(at: &RunAt<'a>, idx: usize) -> Option<&'a str> {
    let turned = at.facts.commands.iter().take(idx).any(|it| matches!(it.program.as_str(), "cd" | "pushd" | "popd"));
    let known = at.facts.directories.get(idx).and_then(Option::as_deref);
    known.or(if turned { None } else { Some("/") })
}

fn look(ctx: &Context, runs: &[RunAt], place: usize, idx: usize, command: &Command, path: &str) -> Option<Finding> {
    let at = runs.get(place)?;
    let name = file_name(path);
    let is_mounted = at.facts.is_mounted(path) || at.facts.mounted.iter().any(|it| is_below(path, &homely(it)));
    if name.is_empty() || is_mounted || removal(at.facts, &at.facts.directories, path, idx) != Removal::No {
        return None;
    }
    if at.facts.commands.iter().any(|it| it.program == "trap") {
        return None;
    }
    let (user, use_at, own) = user(runs, place, idx, path)?;
    if !own && removal(use_at.facts, &use_at.facts.directories, path, 0) != Removal::No {
        return None;
    }
    if !is_worth_it(name, user.0) || is_taken_elsewhere(at, idx, name) || is_named_later(ctx, use_at, name) {
        return None;
    }
    let what = match user.0 {
        Use::Unpacks => "archive",
        Use::Installs => "package",
        Use::Runs => "installer",
    };
    let mut finding = Finding::new(&RULE, at.range(command), format!("the downloaded {what} stays in this layer"));
    if own {
        finding.fix = fix(ctx, at, idx, command, user.1, path);
    } else {
        finding.related.push(Related { range: use_at.range(user.1), message: "it is needed here alone".to_owned() });
        let users = &ctx.facts.stages.get(at.stage_idx)?.users;
        let joins = at.stage_idx == use_at.stage_idx
            && merging::groups(at.stage, users).iter().any(|group| group.joins(at.idx, use_at.idx));
        finding.assists.extend(joins.then_some("merge-runs"));
    }
    Some(finding)
}

/// The command that uses the file up, its RUN, and whether that is the one that fetched it. In another RUN it must be the
/// next one: further on, others may need the file too.
fn user<'a, 'r>(
    runs: &'r [RunAt<'a>],
    place: usize,
    idx: usize,
    path: &str,
) -> Option<((Use, &'a Command), &'r RunAt<'a>, bool)> {
    let found =
        |at: &RunAt<'a>, skip: usize| {
            at.facts.commands.iter().enumerate().skip(skip).find_map(|(idx, command)| {
                Some((uses::of(command, at.call(command), directory(at, idx), path)?, command))
            })
        };
    let at = runs.get(place)?;
    if let Some(user) = found(at, idx + 1) {
        return Some((user, at, true));
    }
    let next = runs.get(place + 1).filter(|next| next.stage_idx == at.stage_idx)?;
    // A path from the directory of the image is only compared within a RUN.
    at.facts.directories.get(idx)?.as_deref()?;
    Some((found(next, 0)?, next, false))
}

/// Scripts are a few kilobytes, unless they hold what they set up.
fn is_worth_it(name: &str, what: Use) -> bool {
    match what {
        Use::Unpacks | Use::Installs => true,
        Use::Runs => {
            let name = name.to_ascii_lowercase();
            let large = ["conda", "forge", "cuda", "jdk", "get-pip.py"];
            [".run", ".bin"].iter().any(|end| name.ends_with(end)) || large.iter().any(|it| name.contains(it))
        }
    }
}

/// Whether a later command of the RUN moves or copies the file, or packs it with others.
fn is_taken_elsewhere(at: &RunAt, idx: usize, name: &str) -> bool {
    let takes = |it: &Command| matches!(it.program.as_str(), "mv" | "cp" | "install" | "ln" | "rsync");
    let names = |it: &Command| it.values().any(|value| value.contains(name) || value.contains('*'));
    at.facts.commands.iter().skip(idx + 1).any(|it| takes(it) && names(it))
}

/// Whether anything behind the RUN speaks of the file.
fn is_named_later(ctx: &Context, at: &RunAt, name: &str) -> bool {
    let end = usize::from(at.placed.whole().end());
    ctx.file.text.get(end..).is_some_and(|rest| rest.contains(name))
}

/// The fix names the file in the words of the command that used it: a variable may be given another value.
fn fix(ctx: &Context, at: &RunAt, idx: usize, command: &Command, user: &Command, path: &str) -> Option<Fix> {
    let turns = at.facts.commands.iter().any(|it| matches!(it.program.as_str(), "cd" | "pushd" | "popd"));
    let known = at.facts.directories.get(idx).is_some_and(Option::is_some);
    let source = &*at.placed.instruction.text;
    let user_idx = at.facts.commands.iter().position(|it| std::ptr::eq(it, user))?;
    let is_meant = |value: &str| join(directory(at, user_idx), value).is_some_and(|it| homely(&it) == path);
    let argument = user.arguments.iter().find(|it| it.value.as_deref().is_some_and(is_meant));
    let text = argument.map(|argument| argument.range.of(source));
    let is_literal = |text: &str| text.contains(file_name(path));
    let word = match text {
        Some(text) if !turns || text.trim_start_matches('"').starts_with(['/', '~']) => text,
        _ if known && !path.starts_with('~') && is_literal(command.range.of(source)) => path,
        _ => return None,
    };
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "~/._-+@:,${}\"".contains(it);
    let is_alone = at.is_plain(command) && at.is_plain(user);
    if !is_alone || word.is_empty() || word.starts_with('-') || !word.chars().all(is_plain) {
        return None;
    }
    let edit = append(&ctx.file.text, at.placed, at.run, at.facts, &format!("rm -f {word}"))?;
    Some(Fix { title: format!("Delete `{}` in the same layer", file_name(path)), safety: ctx.safety(), edit })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, check_fix, check_no_fix, findings, parse};
    use crate::rules::Safety;

    fn check_silent(body: &str) {
        check(&RULE, &format!("FROM debian:12\nWORKDIR /w\n{body}\nCMD [\"a\"]\n"));
    }

    #[test]
    fn an_archive_stays_beside_what_was_in_it() {
        check(
            &RULE,
            "FROM debian:12\n\
             RUN curl -fsSL -o /tmp/a.tgz https://x.org/a.tgz && tar xzf /tmp/a.tgz -C /opt\n\
             #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the downloaded archive stays in this layer\n\
             RUN cd /tmp && wget -q https://x.org/b.deb && dpkg -i b.deb\n\
             #              ^^^^^^^^^^^^^^^^^^^^^^^^^^^ the downloaded package stays\n\
             RUN curl -L https://x.org/c.zip > /c.zip && unzip /c.zip\n\
             #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^ the downloaded archive stays\n\
             RUN wget https://x.org/Miniconda3.sh -O ~/m.sh && wget https://x.org/cuda.run && sh cuda.run\n\
             #                                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^ the downloaded installer stays\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn a_variable_with_a_value_is_known() {
        check(
            &RULE,
            "FROM debian:12\nENV V=1.2\nRUN wget https://x.org/a-$V.tgz && tar xf a-${V}.tgz\n#   ^^^^^^^^^^^^^^^^^^^^^^^^^^^\nCMD [\"a\"]\n",
        );
        check_silent("ARG V\nRUN wget https://x.org/a-$V.tgz && tar xf a-${V}.tgz");
    }

    #[test]
    fn what_the_same_run_deletes_is_gone() {
        check_silent("RUN curl -o /tmp/a.tgz https://x.org/a && tar xf /tmp/a.tgz && rm /tmp/a.tgz");
        check_silent("RUN cd /tmp && curl -O https://x.org/a.tgz && tar xf a.tgz && cd / && rm -rf /tmp/*");
        check_silent("RUN curl -O https://x.org/a.tgz && tar xf a.tgz && find . -name '*.tgz' -delete");
        check_silent("RUN trap 'rm -f a.tgz' EXIT; curl -O https://x.org/a.tgz && tar xf a.tgz");
        check(&RULE, "FROM debian:12\nRUN curl -O https://x.org/a.tgz && tar xf a.tgz && rm a.tgz\nCMD [\"a\"]\n");
    }

    #[test]
    fn a_pipe_stores_no_archive() {
        check_silent("RUN curl -fsSL https://x.org/a.tgz | tar xz -C /opt");
        check_silent("RUN wget -qO- https://x.org/a.tgz | tar xz -C /opt");
    }

    #[test]
    fn what_is_mounted_is_in_no_layer() {
        check_silent("RUN --mount=type=tmpfs,target=/tmp curl -o /tmp/a.tgz https://x.org/a && tar xf /tmp/a.tgz");
    }

    #[test]
    fn a_file_that_is_named_later_is_needed() {
        check_silent("RUN curl -o /a.tgz https://x.org/a && tar xf /a.tgz\nENV DATA=/a.tgz");
        check_silent("RUN curl -o /a.tgz https://x.org/a && tar xf /a.tgz\nRUN cp /a.tgz /srv");
        check_silent("RUN curl -o /a.tgz https://x.org/a && tar xf /a.tgz && mv /a.tgz /srv");
        check_silent("RUN curl -o /a.tgz https://x.org/a && tar xf /a.tgz\nRUN rm /a.tgz");
    }

    #[test]
    fn the_program_itself_is_no_archive() {
        check_silent("RUN curl -o /usr/local/bin/x https://x.org/x && chmod +x /usr/local/bin/x && x --version");
    }

    #[test]
    fn a_script_weighs_next_to_nothing() {
        check_silent("RUN curl -o setup.sh https://x.org/setup.sh && sh setup.sh");
    }

    #[test]
    fn a_builder_is_not_shipped() {
        check(
            &RULE,
            "FROM debian:12 AS b\nRUN curl -o /a.tgz https://x.org/a && tar xf /a.tgz\nFROM debian:12\nCOPY --from=b /c /c\nCMD /c\n",
        );
    }

    #[test]
    fn an_archive_that_the_next_run_unpacks_is_merged() {
        let text = "FROM debian:12\nRUN curl -o /a.tgz https://x.org/a\nRUN tar xf /a.tgz -C /opt\nCMD [\"a\"]\n";
        let text = text.replacen("debian:12\n", "debian:12\nWORKDIR /w\n", 1);
        let analysis = analyse(&parse(&text));
        let found = findings(&analysis, &RULE);
        assert_eq!(found.iter().map(|it| it.assists.clone()).collect::<Vec<_>>(), [["merge-runs"]]);
        check_no_fix(&RULE, &text);
    }

    #[test]
    fn the_fix_deletes_the_file_as_it_was_named() {
        check_fix(
            &RULE,
            Safety::Safe,
            "FROM debian:12\nRUN cd /tmp && wget https://x.org/a.deb \\\n    && dpkg -i a.deb\nCMD [\"a\"]\n",
            "FROM debian:12\nRUN cd /tmp && wget https://x.org/a.deb \\\n    && dpkg -i a.deb \\\n    && rm -f /tmp/a.deb\nCMD [\"a\"]\n",
        );
        check_fix(
            &RULE,
            Safety::Safe,
            "FROM debian:12\nRUN set -e; wget https://x.org/a.deb; dpkg -i a.deb\nCMD [\"a\"]\n",
            "FROM debian:12\nRUN set -e; wget https://x.org/a.deb; dpkg -i a.deb; rm -f a.deb\nCMD [\"a\"]\n",
        );
        check_fix(
            &RULE,
            Safety::Safe,
            "FROM debian:12\nARG V=1\nRUN wget https://x.org/a-$V.deb && dpkg -i \"a-$V.deb\"\nCMD [\"a\"]\n",
            "FROM debian:12\nARG V=1\nRUN wget https://x.org/a-$V.deb && dpkg -i \"a-$V.deb\" && rm -f \"a-$V.deb\"\nCMD [\"a\"]\n",
        );
        check_no_fix(
            &RULE,
            "FROM debian:12\nARG V=1\nRUN cd /tmp && wget https://x.org/a-$V.deb && dpkg -i a-$V.deb && cd /\nCMD [\"a\"]\n",
        );
        check_no_fix(&RULE, "FROM debian:12\nRUN sudo wget https://x.org/a.deb && sudo dpkg -i a.deb\nCMD [\"a\"]\n");
    }
}

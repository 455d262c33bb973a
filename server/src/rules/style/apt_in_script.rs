//! `apt-in-script`: `apt`, which is made for people, in a RUN.

use crate::facts::installs::{Manager, deed};
use crate::facts::run::Command;
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Safety, Severity};
use crate::text::{Indel, TextEdit, TextRange};

/// The rule.
pub static RULE: Rule = Rule {
    name: "apt-in-script",
    group: Group::Style,
    severity: Severity::Hint,
    on: true,
    also: &["DL3027"],
    doc: r##"
`apt` is made for people at a terminal; `apt-get` does the same and keeps its words.

`apt` itself warns that it "does not have a stable CLI interface": its options and its output may change between releases.

```dockerfile
FROM debian:bookworm-slim
RUN apt update && apt install -y git && rm -rf /var/lib/apt/lists/*
CMD ["git", "--version"]
```

For a script:

```dockerfile
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y git && rm -rf /var/lib/apt/lists/*
CMD ["git", "--version"]
```
"##,
    check,
};

/// The verbs that `apt-get` has too.
const VERBS: [&str; 7] = ["install", "update", "upgrade", "remove", "purge", "autoremove", "full-upgrade"];

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, _) in ctx.reaching() {
        for at in ctx.runs(stage_idx) {
            for command in at.facts.commands.iter().filter(|it| it.program == "apt") {
                acc.extend(finding(ctx, &at, command));
            }
        }
    }
}

fn finding(ctx: &Context, at: &RunAt, command: &Command) -> Option<Finding> {
    let deed = deed(command).filter(|it| it.manager == Manager::Apt && VERBS.contains(&it.word))?;
    let image = ctx.facts.image(ctx.file, at.stage_idx);
    let other = image.and_then(|image| ctx.images.traits(image)).is_some_and(|it| it.package_manager != "apt");
    // Linux Mint brings a program of its own by this name.
    if other || image.is_some_and(|image| image.path.contains("mint")) {
        return None;
    }
    let program = at.call(command)?.program_range;
    let message = format!("`apt {}` is for people at a terminal, `apt-get` for scripts", deed.word);
    let mut finding = Finding::new(&RULE, at.placed.range(program), message);
    finding.cause = at.range(command);
    if deed.word != "full-upgrade" && program.of(&at.placed.instruction.text).ends_with("apt") {
        let verb_end = TextRange::empty(at.placed.range(deed.word_range).end());
        finding.fix = fix(ctx, command, deed.word, TextRange::empty(at.placed.range(program).end()), verb_end);
    }
    Some(finding)
}

fn fix(ctx: &Context, command: &Command, verb: &str, program_end: TextRange, verb_end: TextRange) -> Option<Fix> {
    let mut indels = vec![Indel { delete: program_end, insert: "-get".to_owned() }];
    if verb == "upgrade" && !command.has(&["--with-new-pkgs"]) {
        // `apt upgrade` installs what an upgrade newly needs, `apt-get upgrade` does so when asked.
        indels.push(Indel { delete: verb_end, insert: " --with-new-pkgs".to_owned() });
    }
    // `apt` takes patterns of the shell, `apt-get` regular expressions.
    let is_pattern = |value: &str| value.contains(['*', '?', '[', '^', '$', '~']);
    let sure = command.arguments.iter().all(|it| it.value.as_deref().is_some_and(|value| !is_pattern(value)));
    let safety = if sure { ctx.safety() } else { Safety::Review };
    Some(Fix { title: "Write `apt-get`".to_owned(), safety, edit: TextEdit::new(indels)? })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    fn check_silent(run: &str) {
        check(&RULE, &format!("FROM debian:12\n{run}\nCMD [\"a\"]\n"));
    }

    #[test]
    fn apt_is_for_people() {
        check(
            &RULE,
            "FROM debian:12 AS a\n\
             RUN sudo /usr/bin/apt -y purge git\n\
             #        ^^^^^^^^^^^^ `apt purge` is for people\n\
             FROM a\n\
             RUN apt update; if b; then apt install -y c; fi\n\
             #   ^^^ `apt update`\n\
             #                          ^^^ `apt install`\n",
        );
    }

    #[test]
    fn the_word_as_an_argument_runs_nothing() {
        check_silent("RUN rm -rf /var/lib/apt && ls apt install && echo apt install");
    }

    #[test]
    fn what_shows_something_is_left_alone() {
        check_silent("RUN apt list --installed && apt show git && apt search x && apt policy && apt edit-sources");
    }

    #[test]
    fn another_program_of_this_name_is_left_alone() {
        check(&RULE, "FROM linuxmintd/mint21-amd64\nRUN apt install -y a\n");
        check(&RULE, "FROM alpine:3.20\nRUN apt install -y a\n");
    }

    #[test]
    fn apt_get_does_the_same() {
        check_fix(
            &RULE,
            Safety::Safe,
            "FROM debian:12\nRUN apt upgrade -y && \\\n  /usr/bin/apt -y install ./a.deb\nCMD b\n",
            "FROM debian:12\nRUN apt-get upgrade --with-new-pkgs -y && \\\n  /usr/bin/apt-get -y install ./a.deb\nCMD b\n",
        );
        check_fix(
            &RULE,
            Safety::Review,
            "FROM debian:12\nRUN apt install -y 'lib*'\nCMD b\n",
            "FROM debian:12\nRUN apt-get install -y 'lib*'\nCMD b\n",
        );
        check_no_fix(&RULE, "FROM debian:12\nRUN apt full-upgrade -y\nCMD b\n");
    }
}

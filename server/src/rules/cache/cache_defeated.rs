//! `cache-defeated`: a switch or command has work done again that a cache would save.

use crate::facts::compiles::{Tool, compile};
use crate::facts::installs::{Manager, Verb, deed, requirements};
use crate::facts::run::{Argument, Command};
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Safety, Severity};
use crate::text::{Local, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "cache-defeated",
    group: Group::Cache,
    severity: Severity::Information,
    on: true,
    also: &[],
    doc: r##"
A switch or a command has work done again that a cache would save.

`go build -a` compiles the standard library anew, and `-installsuffix cgo` has had no effect on the program since Go 1.10.
A cache that is emptied before the step that could use it saves nothing.

```dockerfile
FROM golang:1.24
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -a -o /app .
CMD ["/app"]
```

Without the switch:

```dockerfile
FROM golang:1.24
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -o /app .
CMD ["/app"]
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, _) in ctx.reaching() {
        for at in ctx.runs(stage_idx) {
            for (idx, command) in at.facts.commands.iter().enumerate().filter(|(_, command)| command.certain) {
                check_command(&at, idx, command, acc);
            }
        }
    }
}

fn check_command(at: &RunAt, idx: usize, command: &Command, acc: &mut Vec<Finding>) {
    let flag = |flags: &[&str]| {
        command.arguments.iter().position(|it| it.value.as_deref().is_some_and(|value| flags.contains(&value)))
    };
    let has = |flags: &[&str]| command.has(flags);
    match Tool::of(command) {
        Some(Tool::Go)
            if compile(command).is_some()
                && !has(&["-race", "-msan", "-asan", "-toolexec", "-gccgoflags", "-linkshared"]) =>
        {
            if let Some(found) = flag(&["-a"]) {
                add(at, command, found..found + 1, "`-a` compiles the standard library anew each time", acc);
            }
            if let Some(found) = flag(&["-installsuffix", "--installsuffix"])
                && command.arguments.get(found + 1).is_some_and(|it| it.value.as_deref() == Some("cgo"))
            {
                add(at, command, found..found + 2, "`-installsuffix cgo` has had no effect since Go 1.10", acc);
            }
            return;
        }
        Some(Tool::Cargo)
            if command.subcommand() == Some("clean") && later(at, idx, Tool::Cargo) && !has(&["-p", "--package"]) =>
        {
            return acc.push(Finding::new(
                &RULE,
                at.range(command),
                "what was compiled is deleted before it could be used",
            ));
        }
        Some(Tool::Maven) if compile(command).is_some() => {
            if let Some(found) = flag(&["-U", "--update-snapshots"]) {
                add(at, command, found..found + 1, "`-U` asks for each snapshot and release again", acc);
            }
            return;
        }
        Some(Tool::Gradle) if compile(command).is_some() => {
            for (word, message) in [
                ("--no-build-cache", "`--no-build-cache` does all tasks anew"),
                ("--rerun-tasks", "`--rerun-tasks` does all tasks anew"),
                ("--refresh-dependencies", "`--refresh-dependencies` fetches all dependencies anew"),
            ] {
                if let Some(found) = flag(&[word]) {
                    add(at, command, found..found + 1, message, acc);
                }
            }
            return;
        }
        Some(Tool::Go | Tool::Cargo | Tool::Maven | Tool::Gradle | Tool::Dotnet) | None => {}
    }
    let Some(deed) = deed(command) else { return };
    match (deed.manager, deed.verb) {
        (Manager::Npm, Verb::Install) if matches!(deed.word, "ci" | "clean-install") => {
            if let Some(found) = flag(&["--force", "-f"]) {
                add(at, command, found..found + 1, "`--force` fetches packages that are in the cache", acc);
            }
        }
        (Manager::Npm, Verb::Clean) => {
            let is_install = |it: &Command| {
                crate::facts::installs::deed(it)
                    .is_some_and(|it| it.manager == Manager::Npm && it.verb == Verb::Install)
            };
            let (before, behind) = at.facts.commands.split_at(idx.min(at.facts.commands.len()));
            if !before.iter().any(is_install) && behind.iter().any(is_install) {
                acc.push(Finding::new(
                    &RULE,
                    at.range(command),
                    "the cache is emptied before the install that could use it",
                ));
            }
        }
        (Manager::Pip, Verb::Install) if !requirements(command).is_empty() && deed.words.is_empty() => {
            if let Some(found) = flag(&["--force-reinstall", "--ignore-installed", "-I"]) {
                add(at, command, found..found + 1, "what is installed already is installed again", acc);
            }
        }
        _ => {}
    }
}

/// Whether a later command of the RUN compiles with the tool.
fn later(at: &RunAt, idx: usize, tool: Tool) -> bool {
    at.facts.commands.iter().skip(idx + 1).any(|it| compile(it) == Some(tool))
}

/// A finding at these arguments, and a fix that deletes them with the blanks before them.
fn add(at: &RunAt, command: &Command, words: std::ops::Range<usize>, message: &str, acc: &mut Vec<Finding>) {
    let found: Vec<&Argument> = command.arguments.get(words).unwrap_or_default().iter().collect();
    let (Some(first), Some(last)) = (found.first(), found.last()) else { return };
    let range = first.range.cover(last.range);
    let mut finding = Finding::new(&RULE, at.placed.range(range), message);
    finding.cause = at.range(command);
    let text = &*at.placed.instruction.text;
    let before = text.get(..range.start as usize).unwrap_or_default();
    let start = before.trim_end_matches([' ', '\t']).len();
    let written = found.iter().all(|it| it.value.as_deref() == Some(it.range.of(text)));
    if start < before.len() && written {
        let edit = TextEdit::replace(at.placed.range(Local::new(start, range.end as usize)), "");
        finding.fix = Some(Fix { title: format!("Delete `{}`", range.of(text)), safety: Safety::Review, edit });
    }
    acc.push(finding);
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, check_fix, findings, parse};
    use crate::rules::Safety;

    fn found(run: &str) -> usize {
        findings(&analyse(&parse(&format!("FROM golang:1.24\n{run}\nCMD [\"a\"]\n"))), &RULE).len()
    }

    #[test]
    fn the_switch_is_to_blame() {
        check(
            &RULE,
            "FROM golang:1.24\n\
             RUN CGO_ENABLED=0 go build -a -installsuffix cgo -o /app .\n\
             #                          ^^ `-a` compiles the standard library anew each time\n\
             #                             ^^^^^^^^^^^^^^^^^^ no effect since Go 1.10\n\
             CMD [\"/app\"]\n",
        );
        for run in [
            "RUN npm ci --force",
            "RUN npm cache clean --force && npm ci",
            "RUN pip install --force-reinstall -r r.txt",
            "RUN cargo clean && cargo build --release",
            "RUN mvn -U -q package",
            "RUN ./gradlew build --no-build-cache",
        ] {
            assert_eq!(found(run), 1, "{run}");
        }
    }

    #[test]
    fn a_condition_may_have_its_reasons() {
        assert_eq!(found("RUN if a; then go build -a .; fi"), 0);
    }

    #[test]
    fn another_kind_of_program_needs_another_standard_library() {
        assert_eq!(found("RUN go build -a -race ."), 0);
        assert_eq!(found("RUN go build -msan -a ."), 0);
    }

    #[test]
    fn a_single_package_may_be_installed_again() {
        assert_eq!(found("RUN pip install --force-reinstall flask==3.0.0"), 0);
    }

    #[test]
    fn a_cache_that_is_emptied_behind_the_install_is_out_of_the_layer() {
        assert_eq!(found("RUN npm ci && npm cache clean --force"), 0);
        assert_eq!(found("RUN npm cache clean --force"), 0);
    }

    #[test]
    fn the_words_go() {
        check_fix(
            &RULE,
            Safety::Review,
            "FROM golang:1.24\nRUN go build -a -installsuffix cgo -o /app .\nCMD a\n",
            "FROM golang:1.24\nRUN go build -o /app .\nCMD a\n",
        );
    }
}

//! `cache-defeated`: a switch or command has work done again that a cache would save.

use crate::facts::compiles::{Tool, compile};
use crate::facts::installs::{Manager, Verb, deed, requirements};
use crate::facts::run::{Argument, Command};
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Safety, Severity};
use crate::text::{Indel, Local, TextEdit};

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
        Some(Tool::Go) if compile(command).is_some() && is_without_cgo(at, idx, command) => {
            if has(&["-race", "-msan", "-asan", "-toolexec", "-gccgoflags", "-linkshared"]) {
                return;
            }
            // `-ldflags -a` gives the linker an option.
            let is_value = |at: usize| {
                let before = at.checked_sub(1).and_then(|at| command.arguments.get(at)?.value.as_deref());
                before.is_some_and(|it| {
                    matches!(it.trim_start_matches('-'), "ldflags" | "gcflags" | "asmflags" | "tags" | "o")
                })
            };
            let all = flag(&["-a"]).filter(|found| !is_value(*found)).map(|found| (found, 1));
            let is_cgo = |it: &Argument| it.value.as_deref() == Some("cgo");
            let suffix = flag(&["-installsuffix", "--installsuffix"]).map(|found| (found, 2));
            let suffix = suffix.filter(|found| command.arguments.get(found.0 + 1).is_some_and(is_cgo));
            let message = match (&all, &suffix) {
                (Some(_), _) => "`-a` compiles the standard library anew each time",
                (None, Some(_)) => "`-installsuffix cgo` has had no effect since Go 1.10",
                (None, None) => return,
            };
            return add(at, command, &all.into_iter().chain(suffix).collect::<Vec<_>>(), message, acc);
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
                add(at, command, &[(found, 1)], "`-U` asks for each snapshot and release again", acc);
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
                    add(at, command, &[(found, 1)], message, acc);
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
                add(at, command, &[(found, 1)], "`--force` fetches packages that are in the cache", acc);
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
                add(at, command, &[(found, 1)], "what is installed already is installed again", acc);
            }
        }
        _ => {}
    }
}

/// Whether a later command of the RUN compiles with the tool.
fn later(at: &RunAt, idx: usize, tool: Tool) -> bool {
    at.facts.commands.iter().skip(idx + 1).any(|it| compile(it) == Some(tool))
}

/// Whether a `go` compiles without cgo: by its own environment, an `export` before it, or ENV.
fn is_without_cgo(at: &RunAt, idx: usize, command: &Command) -> bool {
    let name = "CGO_ENABLED";
    let own = at.call(command).and_then(|call| call.environment.iter().find(|it| it.name == name));
    if let Some(own) = own {
        return own.value.literal().as_deref() == Some("0");
    }
    let exports = |it: &Command| it.program == "export" && it.values().any(|it| it == "CGO_ENABLED=0");
    let variable = at.stage.scope.get_at(name, at.placed.at);
    at.facts.commands.iter().take(idx).any(exports) || variable.is_some_and(|it| it.value.as_deref() == Some("0"))
}

/// A finding at these arguments (the first of each piece, and how many), and a fix that deletes them with the blanks before them.
fn add(at: &RunAt, command: &Command, words: &[(usize, usize)], message: &str, acc: &mut Vec<Finding>) {
    let text = &*at.placed.instruction.text;
    let place = |(first, count): &(usize, usize)| {
        let found = command.arguments.get(*first..first + count)?;
        let written = found.iter().all(|it| it.value.as_deref() == Some(it.range.of(text)));
        written.then_some(found.first()?.range.cover(found.last()?.range))
    };
    let ranges: Vec<Local> = words.iter().filter_map(place).collect();
    let Some(first) = ranges.first().filter(|_| ranges.len() == words.len()) else { return };
    let mut finding = Finding::new(&RULE, at.placed.range(*first), message);
    let titles: Vec<&str> = ranges.iter().map(|range| range.of(text)).collect();
    let indels = ranges.iter().map(|range| {
        let before = text.get(..range.start as usize).unwrap_or_default();
        let start = before.trim_end_matches([' ', '\t']).len();
        Indel { delete: at.placed.range(Local::new(start, range.end as usize)), insert: String::new() }
    });
    finding.fix = TextEdit::new(indels.collect()).map(|edit| Fix {
        title: format!("Delete `{}`", titles.join(" ")),
        safety: Safety::Review,
        edit,
    });
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
             CMD [\"/app\"]\n",
        );
        for run in [
            "RUN CGO_ENABLED=0 go build -installsuffix cgo .",
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
        assert_eq!(found("RUN if a; then CGO_ENABLED=0 go build -a .; fi"), 0);
        assert_eq!(found("RUN go build -a ."), 0, "with cgo");
        assert_eq!(found("RUN CGO_ENABLED=0 go build -ldflags -a ."), 0);
    }

    #[test]
    fn another_kind_of_program_needs_another_standard_library() {
        assert_eq!(found("ENV CGO_ENABLED=0\nRUN go build -a -race ."), 0);
        assert_eq!(found("RUN CGO_ENABLED=0 go build -msan -a ."), 0);
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
            "FROM golang:1.24\nENV CGO_ENABLED=0\nRUN go build -a -o /app -installsuffix cgo .\nCMD a\n",
            "FROM golang:1.24\nENV CGO_ENABLED=0\nRUN go build -o /app .\nCMD a\n",
        );
    }
}

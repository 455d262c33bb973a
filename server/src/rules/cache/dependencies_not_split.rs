//! `dependencies-not-split`: a compile step fetches the dependencies too, so every change of a source fetches them anew.

use crate::facts::compiles::{Tool, compile, fetches};
use crate::facts::landing::{self, Landed};
use crate::facts::run::Command;
use crate::facts::stage::join;
use crate::facts::walk::{self, State};
use crate::facts::{chain, removes};
use crate::model::InstructionKind;
use crate::rules::{Context, Finding, Group, Rule, RunAt, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "dependencies-not-split",
    group: Group::Cache,
    severity: Severity::Information,
    on: true,
    also: &[],
    doc: r##"
A compile step fetches the dependencies as well, so every change of a source fetches all of them anew.

The manifest changes rarely, the sources all the time. A step that fetches what the manifest lists, before the sources are
copied, is taken from the build cache until the manifest changes.

```dockerfile
FROM golang:1.24
WORKDIR /src
COPY . .
RUN go build -o /app .
CMD ["/app"]
#- go.mod
module example.com/app
require golang.org/x/text v0.14.0
```

The manifest first:

```dockerfile
FROM golang:1.24
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN go build -o /app .
CMD ["/app"]
#- go.mod
module example.com/app
require golang.org/x/text v0.14.0
```

For Cargo and Gradle a cache mount is the better way. Nothing is said where one is there, where the dependencies lie in
`vendor`, and where the manifest is not known or lists nothing.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    if !ctx.context.known {
        return;
    }
    for (stage_idx, _) in ctx.reaching() {
        let compiles = ctx.runs(stage_idx).any(|at| at.facts.commands.iter().any(|it| compile(it).is_some()));
        if !compiles {
            continue;
        }
        let states = walk::states(ctx.file, stage_idx, "/");
        let mut fetched: Vec<Tool> = Vec::new();
        let below = chain(ctx.file, stage_idx).into_iter().skip(1).flat_map(|idx| ctx.runs(idx));
        fetched.extend(below.flat_map(|at| at.facts.commands.iter().filter_map(fetches)));
        for at in ctx.runs(stage_idx) {
            let (Some(script), Some(before)) = (at.run.script(), states.get(..at.idx)) else { continue };
            let here = states.get(at.idx).and_then(|state| state.directory.as_deref());
            let directories = removes::directories(at.facts, script, here);
            for (command, directory) in at.facts.commands.iter().zip(directories) {
                if let Some(tool) = compile(command).filter(|tool| command.certain && !fetched.contains(tool))
                    && !is_cached(&at, tool)
                    && !compiles_again(ctx, &at, tool)
                {
                    let project = Project { ctx, at: &at, before, directory: directory.as_deref(), tool };
                    acc.extend(project.finding(command));
                }
                fetched.extend(fetches(command));
            }
        }
    }
}

/// Whether a cache mount keeps what the tool fetches, or may.
fn is_cached(at: &RunAt, tool: Tool) -> bool {
    at.run.mounts.iter().filter(|mount| mount.kind() == "cache").any(|mount| {
        let target = mount.target().map_or("$", |word| word.text.as_str()).to_ascii_lowercase();
        target.contains('$') || tool.caches().iter().any(|part| target.contains(part))
    })
}

/// Whether a later RUN compiles with the tool after further sources were copied: then this one was there for the dependencies.
fn compiles_again(ctx: &Context, at: &RunAt, tool: Tool) -> bool {
    let copies = at.stage.instructions.iter().enumerate().skip(at.idx + 1);
    let is_copy = |kind: &InstructionKind| matches!(kind, InstructionKind::Copy(_) | InstructionKind::Add(_));
    let Some((copy, _)) = { copies }.find(|(_, placed)| is_copy(&placed.instruction.kind)) else { return false };
    let mut later = ctx.runs(at.stage_idx).filter(|it| it.idx > copy);
    later.any(|it| it.facts.commands.iter().any(|command| compile(command) == Some(tool)))
}

/// A project that is compiled.
struct Project<'a> {
    ctx: &'a Context<'a>,
    at: &'a RunAt<'a>,
    /// The states before the RUN.
    before: &'a [State],
    directory: Option<&'a str>,
    tool: Tool,
}

impl Project<'_> {
    fn finding(&self, command: &Command) -> Option<Finding> {
        let (manifest, several) = self.manifest()?;
        if self.is_vendored(command) {
            return None;
        }
        let verb = command.subcommand().unwrap_or_default();
        let name = self.tool.name();
        let message = format!("`{name} {verb}` fetches what `{manifest}` lists anew after each change of a source");
        let mut res = Finding::new(&RULE, self.at.range(command), message);
        if several {
            res.severity = Severity::Hint;
        }
        res.assists.push(match self.tool {
            Tool::Go | Tool::Maven | Tool::Dotnet => "split-copy",
            Tool::Cargo | Tool::Gradle => "add-cache-mount",
        });
        Some(res)
    }

    /// The file that lists dependencies, if it lists any, and whether there are several projects.
    fn manifest(&self) -> Option<(String, bool)> {
        let context = self.ctx.context;
        let landed = |name: &str| {
            let path = join(self.directory, name)?;
            match landing::landed(self.ctx.file, self.at.stage, self.before, context, &path) {
                Landed::File(found) => Some(found),
                Landed::Hidden | Landed::Nothing => None,
            }
        };
        if self.tool == Tool::Dotnet {
            // A project file has the project's name: the one that is there and was copied.
            let mut projects =
                context.entries.keys().filter(|path| path.ends_with(".csproj") || path.ends_with(".fsproj"));
            let first = projects.find(|path| context.has_file(path) && !path.contains('/'))?;
            let several = projects.next().is_some();
            return landed(first).map(|found| (found, several));
        }
        let found = self.tool.manifests().iter().find_map(|name| landed(name))?;
        let text = context.text(&found)?;
        let lists = match self.tool {
            Tool::Go => text.lines().any(|line| line.trim_start().starts_with("require")),
            Tool::Cargo => text.contains("dependencies"),
            Tool::Maven => text.contains("<dependenc") || text.contains("<modules>") || text.contains("<parent>"),
            Tool::Gradle => text.contains("dependencies") || text.contains("plugins"),
            Tool::Dotnet => true,
        };
        let several = match self.tool {
            Tool::Go => landed("go.work").is_some(),
            Tool::Cargo => text.contains("[workspace]"),
            Tool::Maven => text.contains("<modules>"),
            Tool::Gradle | Tool::Dotnet => false,
        };
        lists.then_some((found, several))
    }

    fn is_vendored(&self, command: &Command) -> bool {
        let beside = |name: &str| self.ctx.context.entry(name).is_some();
        let said = command.values().any(|it| it.contains("mod=vendor")) || command.has(&["--offline", "--frozen"]);
        match self.tool {
            Tool::Go | Tool::Cargo => said || beside("vendor"),
            Tool::Maven | Tool::Gradle | Tool::Dotnet => said,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, findings, parse};
    use crate::rules::Severity;

    const MOD: &str = "#- go.mod\nmodule a\nrequire b v1.0.0\n#- go.sum\nx\n#- main.go\npackage main\n";

    fn check_silent(lines: &str, files: &str) {
        check(&RULE, &format!("FROM golang:1.24\nWORKDIR /src\n{lines}\nCMD [\"a\"]\n{files}"));
    }

    fn severities(text: &str) -> Vec<Severity> {
        findings(&analyse(&parse(text)), &RULE).iter().map(|finding| finding.severity).collect()
    }

    #[test]
    fn the_compile_step_fetches_what_the_manifest_lists() {
        check(
            &RULE,
            &format!(
                "FROM golang:1.24 AS build\n\
                 WORKDIR /src\n\
                 COPY . .\n\
                 RUN CGO_ENABLED=0 go build -o /app .\n\
                 #                 ^^^^^^^^^^^^^^^^^^ `go build` fetches what `go.mod` lists\n\
                 CMD [\"/app\"]\n{MOD}"
            ),
        );
        let cargo = "FROM rust:1\nCOPY . .\nRUN cargo build --release\n#- Cargo.toml\n[dependencies]\na = \"1\"\n";
        assert_eq!(severities(cargo), [Severity::Information]);
        let maven = "FROM maven:3\nCOPY . .\nRUN mvn -q package\n#- pom.xml\n<dependencies>\n";
        assert_eq!(severities(maven), [Severity::Information]);
        let dotnet =
            "FROM mcr.microsoft.com/dotnet/sdk:8.0\nCOPY . .\nRUN dotnet publish -c Release\n#- a.csproj\n<Project/>\n";
        assert_eq!(severities(dotnet), [Severity::Information]);
    }

    #[test]
    fn an_earlier_step_fetched_them_alone() {
        check_silent("COPY go.* ./\nRUN go mod download\nCOPY . .\nRUN go build", MOD);
        check_silent("COPY . .\nRUN go mod download && go build", MOD);
        check(
            &RULE,
            &format!(
                "FROM golang:1.24 AS deps\nWORKDIR /s\nCOPY go.* ./\nRUN go mod download\nFROM deps\nCOPY . .\nRUN go build\n{MOD}"
            ),
        );
        let dummy = "FROM rust:1\nCOPY Cargo.toml ./\nRUN cargo build\nCOPY . .\nRUN cargo build\n#- Cargo.toml\n[dependencies]\n";
        assert!(severities(dummy).is_empty(), "the first build is there for the dependencies");
    }

    #[test]
    fn a_cache_mount_keeps_the_modules() {
        check_silent("COPY . .\nRUN --mount=type=cache,target=/go/pkg/mod go build", MOD);
        check_silent("COPY . .\nRUN --mount=type=cache,target=$GOMODCACHE go build", MOD);
    }

    #[test]
    fn vendored_modules_are_not_fetched() {
        check_silent("COPY . .\nRUN go build", &format!("{MOD}#- vendor/modules.txt\nx\n"));
        check_silent("COPY . .\nRUN go build -mod=vendor", MOD);
    }

    #[test]
    fn a_program_without_a_manifest_fetches_nothing() {
        check_silent("COPY . .\nRUN go build", "#- main.go\npackage main\n");
        check_silent("COPY . .\nRUN go build", "#- go.mod\nmodule a\n");
        check_silent("COPY . .\nRUN go build", "");
    }

    #[test]
    fn another_module_is_none_of_the_project() {
        check_silent("COPY . .\nRUN go install example.com/x@latest", MOD);
    }

    #[test]
    fn several_modules_are_a_hint() {
        let text = format!("FROM golang:1.24\nCOPY . .\nRUN go build ./a\n{MOD}#- go.work\ngo 1.24\n");
        assert_eq!(severities(&text), [Severity::Hint]);
    }
}

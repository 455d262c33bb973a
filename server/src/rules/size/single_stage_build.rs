//! `single-stage-build`: the image is shipped with all that was only needed to build it.

use crate::ecosystems::{self, Evidence};
use crate::facts::builds::{installs_for_language, is_build_step, keeps_compiler, needs_tools};
use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::landing::{self, Landed};
use crate::facts::manifest::Manifest;
use crate::facts::removes;
use crate::facts::run::Command;
use crate::facts::stage::join;
use crate::facts::start::development::development;
use crate::facts::start::{self, Role, StartChain};
use crate::facts::walk;
use crate::images::{Counterpart, Traits};
use crate::model::{Base, ImageRef, InstructionKind, Source, Stage};
use crate::rules::{Context, Finding, Group, Rule, Severity};
use crate::weight::Estimate;

/// The rule.
pub static RULE: Rule = Rule {
    name: "single-stage-build",
    group: Group::Size,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
One stage builds the program and ships it, with the compilers, sources and development dependencies of the build.

What runs is an artefact, or an interpreter with its production dependencies.
A second stage that takes just that is a fraction of the size: 671 to 293 MB for a Node application, 743 to 7 MB for one
in Go.

```dockerfile
FROM golang:1.26
WORKDIR /src
COPY . .
RUN go build -o /app .
CMD ["/app"]
```

Built in one stage, shipped in another:

```dockerfile
FROM golang:1.26 AS build
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -o /app .

FROM scratch
COPY --from=build /app /app
CMD ["/app"]
```

The action `multi-stage` does it where it can be shown to be sound; where it cannot, the finding says why.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let Some(target) = ctx.facts.target.filter(|_| ctx.facts.is_started()) else { return };
    let Some(stage) = ctx.file.stages.get(target) else { return };
    let Base::Image(image) = &stage.base else { return };
    if ctx.reaching().count() != 1 || stage.sources.iter().any(|(_, source)| matches!(source, Source::Stage(_))) {
        return;
    }
    // With ONBUILD it is a base for the builds of others.
    if stage.instructions.iter().any(|it| matches!(it.instruction.kind, InstructionKind::Onbuild(_))) {
        return;
    }
    let Some(traits) = ctx.images.traits(image) else { return };
    let platform = stage.platform.as_ref().unwrap_or(&ctx.config.platform);
    let runtime = counterpart(ctx.images.counterparts(image, platform), &traits);
    let Some(why) = builds(ctx, target, stage, &traits, runtime.as_ref()) else { return };
    let chain = ctx.start();
    if !needs_less(chain) || runs_copied_file(stage, chain) {
        return;
    }
    let InstructionKind::From(from) = &stage.from.instruction.kind else { return };
    let saves = runtime.as_ref().and_then(|runtime| saving(ctx, image, runtime));
    let mut message = format!("{why}, and the image ships all that it takes");
    if let (Some(runtime), Some(saves)) = (&runtime, &saves) {
        message.push_str(&format!("; on `{}` it would be {} smaller", runtime.image, saves.words()));
    }
    let evidence = Evidence {
        file: ctx.file,
        facts: ctx.facts,
        config: ctx.config,
        context: ctx.context,
        images: ctx.images,
        reads_sources: false,
    };
    match ecosystems::plan(&evidence) {
        // Nothing in it is for the build alone, or it serves a program under development.
        Some(Err(refused)) if matches!(refused.code, "R2" | "R15") => return,
        Some(Err(refused)) => message.push_str(&format!("\nit cannot be split automatically: {}", refused.reason)),
        Some(Ok(_)) | None => {}
    }
    let mut finding = Finding::new(&RULE, stage.from.range(from.image.range), message);
    finding.saves = saves;
    finding.assists.push("multi-stage");
    acc.push(finding);
}

const BUILDS: &str = "one stage builds the program and runs it";
const COMPILES: &str = "one stage compiles dependencies and runs the program";
const DEVELOPS: &str = "one stage installs what development needs and runs the program";

/// A smaller image that runs what this one builds: of the same repository for an interpreter, any for a compiler.
fn counterpart(all: Vec<Counterpart>, traits: &Traits) -> Option<Counterpart> {
    let interpreter = is_interpreter(traits);
    let same_libc = |it: &Counterpart| it.traits.as_ref().is_some_and(|it| it.libc == traits.libc);
    all.into_iter().find(|it| if interpreter { it.same_repository && same_libc(it) } else { !it.same_repository })
}

fn is_interpreter(traits: &Traits) -> bool {
    matches!(traits.runtime.as_deref(), Some("node" | "python" | "ruby" | "php" | "perl" | "bun" | "deno"))
}

/// What is built in the stage that only the build needs; `None` where nothing is.
fn builds(
    ctx: &Context,
    target: usize,
    stage: &Stage,
    traits: &Traits,
    runtime: Option<&Counterpart>,
) -> Option<&'static str> {
    let certain = |it: &&Command| it.certain;
    let runs = || ctx.runs(target);
    let built = runs().any(|at| at.facts.commands.iter().filter(certain).any(is_build_step));
    let compiler_kept = runs().any(|at| keeps_compiler(at.facts));
    // An interpreter's small image, or a distribution's: the tools are there only if they were installed and kept.
    let brings_tools = match traits.runtime.as_deref() {
        None => false,
        Some(_) => runtime.is_some(),
    };
    if built && (brings_tools || compiler_kept) {
        return Some(BUILDS);
    }
    let installs = runs().any(|at| at.facts.commands.iter().filter(certain).any(installs_for_language));
    if installs && compiler_kept {
        return Some(COMPILES);
    }
    let is_full_node = traits.runtime.as_deref() == Some("node") && runtime.is_some();
    (is_full_node && develops(ctx, target, stage)).then_some(DEVELOPS)
}

/// Whether a manifest that is known has a build, or dependencies for development that are installed.
fn develops(ctx: &Context, target: usize, stage: &Stage) -> bool {
    let states = walk::states(ctx.file, target, "/");
    ctx.runs(target).any(|at| {
        let Some((script, state)) = at.run.script().zip(states.get(at.idx)) else { return false };
        let directories = removes::directories(at.facts, script, state.directory.as_deref());
        at.facts.commands.iter().zip(directories).any(|(command, directory)| {
            let Some(deed) = deed(command).filter(|it| it.verb == Verb::Install && it.is_from_manifest(command)) else {
                return false;
            };
            if !matches!(deed.manager, Manager::Npm | Manager::Yarn | Manager::Pnpm) || !command.certain {
                return false;
            }
            let path = join(directory.as_deref(), "package.json");
            let before = states.get(..at.idx).unwrap_or_default();
            let landed = path.map(|path| landing::landed(ctx.file, stage, before, ctx.context, &path));
            let Some(Landed::File(found)) = landed else { return false };
            let Some(manifest) = ctx.context.text(&found).and_then(Manifest::parse) else { return false };
            let omits = ["--production", "--omit=dev", "--only=production", "--only=prod", "--prod", "-P"];
            let production = at.stage.scope.get_at("NODE_ENV", at.placed.at);
            let omitted = command.has(&omits)
                || command.values().any(|it| matches!(it, "production" | "dev"))
                || production.is_some_and(|it| it.value.as_deref() == Some("production"));
            manifest.scripts.contains_key("build") || !manifest.dev_dependencies.is_empty() && !omitted
        })
    })
}

/// Whether the start command is known, and neither compiles nor serves a program under development.
fn needs_less(chain: &StartChain) -> bool {
    if chain.work().next().is_none() || !chain.open.is_empty() {
        return false;
    }
    let is_dev = |it: &start::Program| development(it, None).is_some() || needs_tools(&it.name, &it.arguments);
    let idle = |it: &start::Program| matches!(it.name.as_str(), "sh" | "bash" | "tail" | "sleep");
    // `yarn dev` names a script that is not known without its manifest.
    let wrapped = chain.programs.iter().filter(|it| it.role == Role::Wrapper && !it.health);
    !chain.work().any(is_dev) && !chain.work().all(idle) && !{ wrapped }.any(|it| needs_tools(&it.name, &it.arguments))
}

/// Whether a program is a file that was copied as it is: it may be a script that nobody has read.
fn runs_copied_file(stage: &Stage, chain: &StartChain) -> bool {
    let copied = |word: &str| {
        stage.instructions.iter().any(|placed| match &placed.instruction.kind {
            InstructionKind::Copy(copy) | InstructionKind::Add(copy) => {
                copy.destination.as_ref().is_some_and(|it| it.text == word)
            }
            _ => false,
        })
    };
    chain.work().any(|program| copied(&program.word))
}

fn saving(ctx: &Context, image: &ImageRef, runtime: &Counterpart) -> Option<Estimate> {
    let platform = &ctx.config.platform;
    let full = ctx.images.look_up(image, platform)?.unpacked?;
    Some(full.minus(runtime.facts.unpacked.as_ref()?))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, findings, parse};

    fn check_silent(text: &str) {
        check(&RULE, text);
    }

    const MANIFEST: &str = "#- package.json\n{\"scripts\": {\"start\": \"node a.js\", \"build\": \"tsc\"}, \
                            \"devDependencies\": {\"typescript\": \"5\"}}\n#- a.js\n\n";

    #[test]
    fn a_compiler_is_shipped_with_its_program() {
        check(
            &RULE,
            "FROM golang:1.26\n\
             #    ^^^^^^^^^^^ one stage builds the program and runs it\n\
             COPY . .\n\
             RUN go build -o /app .\n\
             CMD [\"/app\"]\n",
        );
        check(
            &RULE,
            "FROM maven:3.9-eclipse-temurin-21\n\
             #    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ one stage builds\n\
             COPY . .\n\
             RUN mvn -B package\n\
             CMD [\"java\", \"-jar\", \"target/a.jar\"]\n",
        );
    }

    #[test]
    fn a_bundler_is_shipped_with_what_it_made() {
        check(
            &RULE,
            &format!(
                "FROM node:22\n\
                 #    ^^^^^^^ one stage builds the program and runs it\n\
                 WORKDIR /app\n\
                 COPY . .\n\
                 RUN npm ci && npm run build\n\
                 CMD [\"node\", \"a.js\"]\n{MANIFEST}"
            ),
        );
    }

    #[test]
    fn a_manifest_with_a_build_is_enough_in_a_full_image() {
        let text = format!(
            "FROM node:22\n\
             #    ^^^^^^^ what development needs\n\
             WORKDIR /app\n\
             COPY package.json .\n\
             RUN npm install\n\
             COPY . .\n\
             CMD [\"npm\", \"start\"]\n{MANIFEST}"
        );
        check(&RULE, &text);
        let analysis = analyse(&parse(&text));
        assert!(analysis.shown().all(|it| it.id() != "fat-base-image"), "one finding on the base");
        assert_eq!(findings(&analysis, &RULE)[0].assists, ["multi-stage"]);
    }

    #[test]
    fn compilers_for_dependencies_are_shipped_with_them() {
        check(
            &RULE,
            "FROM python:3.12-slim\n\
             #    ^^^^^^^^^^^^^^^^ one stage compiles dependencies\n\
             RUN apt-get update && apt-get install -y gcc libpq-dev && rm -rf /var/lib/apt/lists/*\n\
             COPY requirements.txt .\n\
             RUN pip install --no-cache-dir -r requirements.txt\n\
             CMD [\"python\", \"a.py\"]\n",
        );
    }

    #[test]
    fn compilers_that_are_removed_at_once_are_not_shipped() {
        check_silent(
            "FROM python:3.12-slim\n\
             RUN apt-get update && apt-get install -y gcc && pip install a && apt-get purge -y gcc\n\
             CMD [\"python\", \"a.py\"]\n",
        );
    }

    #[test]
    fn installing_plain_dependencies_is_no_reason() {
        check_silent("FROM node:22\nCOPY . .\nRUN npm ci\nCMD [\"node\", \"a.js\"]\n");
        check_silent("FROM debian:12\nRUN apt-get update && apt-get install -y curl\nCMD [\"curl\"]\n");
        check_silent(
            "FROM node:22\nWORKDIR /a\nCOPY . .\nRUN npm ci\nCMD [\"node\", \"a.js\"]\n#- package.json\n\
             {\"dependencies\": {\"express\": \"4\"}}\n#- a.js\n\n",
        );
        check_silent(
            "FROM node:22\nWORKDIR /a\nCOPY . .\nRUN npm ci --omit=dev\nCMD [\"node\", \"a.js\"]\n#- package.json\n\
             {\"devDependencies\": {\"jest\": \"29\"}}\n#- a.js\n\n",
        );
    }

    #[test]
    fn an_image_that_starts_nothing_is_a_base() {
        check_silent("FROM golang:1.26\nCOPY . .\nRUN go build -o /app .\n");
    }

    #[test]
    fn onbuild_makes_it_a_base_for_others() {
        check_silent("FROM golang:1.26\nRUN go build -o /app .\nONBUILD COPY . .\nCMD [\"/app\"]\n");
    }

    #[test]
    fn a_runtime_for_java_compiles_nothing_for_python() {
        check_silent(
            "FROM python:3.12-slim\nRUN apt-get update && apt-get install -y openjdk-17-jdk && pip install a\n\
             CMD [\"python\", \"a.py\"]\n",
        );
    }

    #[test]
    fn a_start_that_compiles_needs_it_all() {
        check_silent("FROM golang:1.26\nCOPY . .\nRUN go build ./...\nCMD [\"go\", \"run\", \".\"]\n");
        check_silent("FROM node:22\nCOPY . .\nRUN npm ci && npm run build\nCMD [\"nodemon\", \"a.js\"]\n");
        check_silent("FROM maven:3.9\nCOPY . .\nRUN mvn package\nCMD [\"mvn\", \"jetty:run\"]\n");
    }

    #[test]
    fn a_start_that_cannot_be_followed_is_not_judged() {
        check_silent("FROM golang:1.26\nCOPY . .\nRUN go build -o /app .\nENTRYPOINT [\"/entry.sh\"]\n");
        check_silent("FROM golang:1.26\nCOPY start /run\nRUN go build -o /app .\nCMD [\"/run\"]\n");
        check_silent("FROM node:22\nCOPY . .\nRUN npm run build\nCMD [\"npm\", \"start\"]\n");
    }

    #[test]
    fn in_a_small_image_development_dependencies_are_another_matter() {
        check_silent(&format!(
            "FROM node:22-slim\nWORKDIR /a\nCOPY . .\nRUN npm ci && npm run build\nCMD [\"node\", \"a.js\"]\n{MANIFEST}"
        ));
    }

    #[test]
    fn who_copies_from_another_stage_has_split_already() {
        check_silent(
            "FROM golang:1.26 AS tools\nRUN go install a@v1\nFROM golang:1.26\nCOPY --from=tools /go/bin/a /a\n\
             RUN go build -o /app .\nCMD [\"/app\"]\n",
        );
    }

    #[test]
    fn an_unknown_base_is_not_judged() {
        check_silent("FROM example.com/go:1\nCOPY . .\nRUN go build -o /app .\nCMD [\"/app\"]\n");
    }
}

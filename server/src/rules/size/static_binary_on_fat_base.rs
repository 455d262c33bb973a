//! `static-binary-on-fat-base`: a program that needs nothing of a distribution lies on one.

use crate::facts::environment;
use crate::facts::installs::{Verb, deed};
use crate::facts::landing;
use crate::facts::run::Command;
use crate::facts::start::workplace::is_for_development;
use crate::facts::walk;
use crate::model::{Base, Form, Healthcheck, ImageRef, InstructionKind, Placed, Stage};
use crate::rules::{Context, Finding, Group, Rule, RunAt, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "static-binary-on-fat-base",
    group: Group::Size,
    severity: Severity::Information,
    on: true,
    also: &[],
    doc: r##"
A program that is linked statically lies on a whole distribution, of which it uses nothing.

A static image of distroless is 2.3 MB with certificates, time zones and users, and has a tag for a user that is not root;
`scratch` is empty.

```dockerfile
FROM golang:1.26 AS build
COPY . .
RUN CGO_ENABLED=0 go build -o /app .
FROM ubuntu:24.04
COPY --from=build /app /app
CMD ["/app"]
```

On an image without a distribution:

```dockerfile
FROM golang:1.26 AS build
COPY . .
RUN CGO_ENABLED=0 go build -o /app .
FROM gcr.io/distroless/static-debian13
COPY --from=build /app /app
CMD ["/app"]
```

It is said only where the build shows it: Go with `CGO_ENABLED=0`, Rust for a musl target, `-static` among the flags.
Nothing is said where a step, the start or the health check needs a shell or a package, nor on Alpine or busybox.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let Some(target) = ctx.facts.target.filter(|_| ctx.facts.final_chain.len() == 1) else { return };
    let Some(stage) = ctx.file.stages.get(target).filter(|stage| !is_for_development(stage)) else { return };
    let Base::Image(image) = &stage.base else { return };
    let is_fat = ctx.images.traits(image).is_some_and(|it| {
        it.has_shell && it.libc == "glibc" && it.package_manager != "none" && it.runtime.is_none()
            || is_language(&it.runtime)
    });
    if !is_fat {
        return;
    }
    let Some((idx, from)) = program(ctx, target, stage) else { return };
    if !ctx.runs(target).all(|at| is_spare(&at)) || !is_static(ctx, stage, idx, from) {
        return;
    }
    let InstructionKind::From(from) = &stage.from.instruction.kind else { return };
    let platform = stage.platform.as_ref().unwrap_or(&ctx.config.platform);
    let unpacked = |image: &ImageRef| ctx.images.look_up(image, platform).and_then(|it| it.unpacked);
    let small = ImageRef::parse("gcr.io/distroless/static-debian13");
    let saves = unpacked(image).zip(small.as_ref().and_then(unpacked)).map(|(full, less)| full.minus(&less));
    let mut message = "the program is linked statically and uses nothing of this distribution".to_owned();
    if let Some(saves) = &saves {
        message.push_str(&format!("; on `gcr.io/distroless/static-debian13` it would be {} smaller", saves.words()));
    }
    let mut finding = Finding::new(&RULE, stage.from.range(from.image.range), message);
    finding.saves = saves;
    finding.assists.push("swap-base");
    acc.push(finding);
}

fn is_language(runtime: &Option<String>) -> bool {
    matches!(runtime.as_deref(), Some("go" | "rust" | "gcc"))
}

/// The one program that starts, in exec form, with the COPY that brings it and the stage it comes from.
fn program(ctx: &Context, target: usize, stage: &Stage) -> Option<(usize, usize)> {
    let mut words: Vec<&str> = Vec::new();
    for placed in &stage.instructions {
        match &placed.instruction.kind {
            InstructionKind::Cmd(form) | InstructionKind::Entrypoint(form) => {
                let Form::Exec(exec) = form else { return None };
                words.extend(exec.iter().map(|it| it.text.as_str()));
            }
            InstructionKind::Healthcheck(Healthcheck::Cmd(_)) | InstructionKind::Shell(_) => return None,
            _ => {}
        }
    }
    let chain = ctx.start();
    let mut work = chain.programs.iter();
    let program = work.next().filter(|_| work.next().is_none() && chain.open.len() <= 1)?;
    // A program that was copied is a file that nobody has read; a start script is one too.
    if program.name.ends_with(".sh") || words.iter().any(|it| it.ends_with(".sh") || it.contains("/bin/sh")) {
        return None;
    }
    let states = walk::states(ctx.file, target, "/");
    let brought = |path: &str| landing::from_stage(ctx.file, stage, &states, path);
    if program.word.contains('/') {
        return brought(&walk::absolute(program.directory.as_deref().unwrap_or("/"), &program.word));
    }
    ["/usr/local/bin", "/usr/bin", "/bin"].iter().find_map(|folder| brought(&format!("{folder}/{}", program.word)))
}

/// Whether a RUN does nothing that an image without a shell could not have: users, folders, certificates.
fn is_spare(at: &RunAt) -> bool {
    let plain = [
        "adduser",
        "addgroup",
        "chmod",
        "chown",
        "echo",
        "groupadd",
        "ln",
        "mkdir",
        "rm",
        "set",
        "touch",
        "true",
        "update-ca-certificates",
        "useradd",
    ];
    let is_plain = |command: &Command| match deed(command) {
        Some(deed) => match deed.verb {
            Verb::Update | Verb::Clean => true,
            Verb::Install => !deed.is_open() && deed.packages().all(|it| matches!(it, "ca-certificates" | "tzdata")),
            Verb::Remove | Verb::Other => false,
        },
        None => plain.contains(&command.program.as_str()),
    };
    !at.facts.commands.is_empty() && at.facts.commands.iter().all(is_plain)
}

/// Whether the stage that the program comes from links it statically, as far as its commands show.
fn is_static(ctx: &Context, stage: &Stage, idx: usize, from: usize) -> bool {
    let Some(placed) = stage.instructions.get(idx) else { return false };
    let mut any = false;
    for stage_idx in crate::facts::chain(ctx.file, from) {
        for at in ctx.runs(stage_idx) {
            for (idx, command) in at.facts.commands.iter().enumerate() {
                match links(&at, idx, command) {
                    Some(false) => return false,
                    Some(true) => any = true,
                    None => {}
                }
            }
        }
    }
    any && is_single(placed)
}

fn is_single(placed: &Placed) -> bool {
    matches!(&placed.instruction.kind, InstructionKind::Copy(copy) if copy.sources.len() == 1)
}

/// Whether a command links a program, and whether statically; `None` for one that links nothing.
fn links(at: &RunAt, idx: usize, command: &Command) -> Option<bool> {
    let script = at.run.script()?;
    let variable = |name: &str| environment::variable(at.stage, at.placed, at.facts, script, idx, &[name]).flatten();
    let first = command.subcommand();
    let says = |word: &str| command.values().any(|it| it.contains(word));
    match command.program.as_str() {
        "go" if matches!(first, Some("build" | "install")) => Some(
            variable("CGO_ENABLED").as_deref() == Some("0")
                || says("-extldflags \"-static\"")
                || says("-extldflags=-static"),
        ),
        "cargo" if matches!(first, Some("build" | "install" | "b")) => {
            let target = variable("CARGO_BUILD_TARGET").is_some_and(|it| it.contains("musl"));
            Some(target || says("-musl"))
        }
        "gcc" | "g++" | "clang" | "cc" if command.arguments.len() > 1 => Some(command.has(&["-static"])),
        "make" | "cmake" | "ninja" | "bazel" | "mage" | "task" | "just" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::check;

    fn check_silent(build: &str, ship: &str) {
        check(&RULE, &format!("FROM golang:1.26 AS build\nCOPY . .\n{build}\n{ship}\n"));
    }

    const BUILD: &str = "RUN CGO_ENABLED=0 go build -o /app .";
    const SHIP: &str = "FROM debian:12-slim\nCOPY --from=build /app /app\nCMD [\"/app\"]";

    #[test]
    fn the_base_is_to_blame() {
        check(
            &RULE,
            "FROM golang:1.26 AS build\n\
             ENV CGO_ENABLED=0\n\
             RUN go build -o /app .\n\
             FROM ubuntu:24.04\n\
             #    ^^^^^^^^^^^^ the program is linked statically and uses nothing of this distribution; on `gcr.io/distroless\n\
             RUN useradd app && apt-get update && apt-get install -y ca-certificates\n\
             COPY --from=build /app /usr/local/bin/app\n\
             USER app\n\
             ENTRYPOINT [\"app\"]\n",
        );
        check(
            &RULE,
            "FROM rust:1.90 AS build\n\
             RUN cargo build --release --target x86_64-unknown-linux-musl\n\
             FROM debian:12-slim\n\
             #    ^^^^^^^^^^^^^^ linked statically\n\
             COPY --from=build /target/x86_64-unknown-linux-musl/release/app /app\n\
             CMD [\"/app\"]\n",
        );
    }

    #[test]
    fn what_is_not_shown_to_be_static_may_need_libraries() {
        check_silent("RUN go build -o /app .", SHIP);
        check_silent("RUN make", SHIP);
        check_silent("RUN CGO_ENABLED=1 go build -o /app .", SHIP);
    }

    #[test]
    fn a_step_that_needs_a_shell_or_a_package_needs_the_distribution() {
        check_silent(BUILD, &SHIP.replace("COPY", "RUN apt-get update && apt-get install -y git\nCOPY"));
        check_silent(BUILD, &SHIP.replace("COPY", "RUN ./setup\nCOPY"));
    }

    #[test]
    fn a_start_or_health_check_in_a_shell_needs_one() {
        check_silent(BUILD, &SHIP.replace("CMD [\"/app\"]", "CMD /app"));
        check_silent(BUILD, &SHIP.replace("CMD", "HEALTHCHECK CMD curl -f localhost\nCMD"));
        check_silent(BUILD, &SHIP.replace("CMD [\"/app\"]", "ENTRYPOINT [\"/entry.sh\"]\nCMD [\"/app\"]"));
        check_silent(BUILD, &SHIP.replace("CMD [\"/app\"]", "CMD [\"sh\", \"-c\", \"/app\"]"));
    }

    #[test]
    fn small_and_empty_bases_are_fine() {
        for base in ["scratch", "alpine:3.22", "busybox:glibc", "gcr.io/distroless/base-debian12", "example.com/base"] {
            check_silent(BUILD, &SHIP.replace("debian:12-slim", base));
        }
    }

    #[test]
    fn an_image_for_debugging_has_a_shell_on_purpose() {
        check_silent(BUILD, &SHIP.replace("debian:12-slim", "debian:12-slim AS debug"));
    }
}

//! `copy-whole-stage`: all of a builder is copied, with what the program does not need.

use crate::context::cleaned;
use crate::facts::builds::{is_build_step, needs_tools};
use crate::facts::removes::deletes;
use crate::facts::run::is_below;
use crate::facts::stage;
use crate::facts::walk;
use crate::facts::whole_context;
use crate::model::{Base, Copy, InstructionKind, Placed, Source, Stage, Word};
use crate::rules::{Context, Finding, Group, Rule, Severity};
use crate::weight::Estimate;

/// The rule.
pub static RULE: Rule = Rule {
    name: "copy-whole-stage",
    group: Group::Size,
    severity: Severity::Warning,
    on: true,
    also: &["DL3067"],
    doc: r##"
All of a build stage is copied into the image, with sources and leftovers that the program does not need.

A second stage is there to leave behind what only the build needs. `COPY --from=build /app /app` takes the sources and all
that the compiler wrote along with the program; `COPY --from=build / /` takes a second system.

```dockerfile
FROM rust:1.82 AS build
WORKDIR /app
COPY . .
RUN cargo build --release
FROM debian:bookworm-slim
COPY --from=build /app /app
CMD ["/app/target/release/x"]
#- Cargo.toml
[package]
#- src/main.rs
fn main() {}
```

What is needed:

```dockerfile
FROM rust:1.82 AS build
WORKDIR /app
COPY . .
RUN cargo build --release
FROM debian:bookworm-slim
COPY --from=build /app/target/release/x /usr/local/bin/x
CMD ["x"]
#- Cargo.toml
[package]
#- src/main.rs
fn main() {}
```

Files that the program reads while it runs (templates, certificates) have to come along; nothing is changed unasked.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for stage_idx in ctx.facts.final_chain.iter().rev().copied() {
        let Some(stage) = ctx.file.stages.get(stage_idx) else { continue };
        for (idx, source) in &stage.sources {
            let Source::Stage(from) = source else { continue };
            let Some(placed) = stage.instructions.get(*idx) else { continue };
            let InstructionKind::Copy(copy) = &placed.instruction.kind else { continue };
            if placed.instruction.flag("exclude").is_none() {
                acc.extend(copy.sources.iter().find_map(|word| look(ctx, stage, placed, copy, word, (*idx, *from))));
            }
        }
    }
}

fn look(
    ctx: &Context,
    stage: &Stage,
    placed: &Placed,
    copy: &Copy,
    word: &Word,
    (idx, from): (usize, usize),
) -> Option<Finding> {
    let builder = ctx.file.stages.get(from)?;
    let text = walk::value(ctx.file, stage, placed, &word.text)?;
    // A path of another stage is read from its root, whatever its directory.
    let path = stage::clean(&text);
    if path == "/" {
        return root(ctx, stage, placed, copy, word, from);
    }
    let directory = walk::states(ctx.file, from, "/").pop()?.directory?;
    if directory == "/" || path != directory || !is_left_over(ctx, builder, from, &path) {
        return None;
    }
    let message = format!("all of `{path}` is copied, with sources and what the build left behind");
    let mut res = Finding::new(&RULE, placed.range(word.range), message);
    res.cause = placed.whole();
    res.assists.push("narrow-copy");
    let stage_idx = ctx.file.stages.iter().position(|it| std::ptr::eq(it, stage))?;
    let layer = ctx.size.stages.get(stage_idx).and_then(|size| size.layer(idx));
    // Of what is copied a part is needed, so that this is a bound and no saving.
    if layer
        .is_some_and(|it| !it.incomplete && it.adds.as_ref().is_some_and(|it| it.high.0 < ctx.config.minimum_saving))
    {
        return None;
    }
    Some(res)
}

/// `COPY --from=x / /`: a system on top of a system; onto nothing it is how layers are made one.
fn root(ctx: &Context, stage: &Stage, placed: &Placed, copy: &Copy, word: &Word, from: usize) -> Option<Finding> {
    let onto = copy.destination.as_ref().map(|it| cleaned(&it.text))?;
    let squashes = stage.base == Base::Scratch;
    // A stage that was filled to be copied holds no system; one that is copied below a directory is meant for a chroot.
    let is_system = |idx: usize| {
        let image = ctx.facts.image(ctx.file, idx);
        image.and_then(|image| ctx.images.traits(image)).is_some_and(|traits| traits.has_shell)
    };
    let target = ctx.file.stages.iter().position(|it| std::ptr::eq(it, stage))?;
    if !onto.is_empty() || !is_system(from) || !(squashes || is_system(target)) {
        return None;
    }
    let weight: Option<Estimate> = ctx.size.stages.get(from).and_then(|size| {
        let (unpacked, incomplete) = size.unpacked();
        unpacked.filter(|_| !incomplete)
    });
    let mut res = if squashes {
        let message = "all of another stage is copied as one layer, which shares nothing with its base";
        Finding { severity: Severity::Hint, ..Finding::new(&RULE, placed.range(word.range), message) }
    } else {
        let told = weight.as_ref().map(|it| format!(" ({})", it.words())).unwrap_or_default();
        let message = format!("a whole system is copied on top of another{told}");
        let mut res = Finding::new(&RULE, placed.range(word.range), message);
        res.saves = weight;
        res
    };
    res.cause = placed.whole();
    res.assists.push("narrow-copy");
    Some(res)
}

/// Whether the directory holds sources of the context beside what was built of them, and nobody has cleaned up.
fn is_left_over(ctx: &Context, builder: &Stage, from: usize, path: &str) -> bool {
    if !ctx.context.known || !ctx.facts.is_started() {
        return false;
    }
    let copies = whole_context::copies(ctx.file, ctx.facts);
    let has_sources = copies.iter().any(|it| builder.range.contains_range(it.placed.whole()));
    let mut builds = false;
    for at in ctx.runs(from) {
        for (command, directory) in at.facts.commands.iter().zip(&at.facts.directories) {
            builds |= command.certain && makes_artefact(command);
            let removed = deletes(command, directory.as_deref());
            let prunes = command.values().any(|it| match it {
                "prune" | "clean" | "--production" | "--production=true" | "--prod" | "--omit=dev" | "--no-dev" => true,
                _ => it == "--only=production",
            });
            if prunes || removed.is_some_and(|it| it.open || it.paths.iter().any(|gone| is_below(gone, path))) {
                return false;
            }
        }
    }
    let compiles = |it: &crate::facts::start::Program| needs_tools(&it.name, &it.arguments);
    has_sources && builds && !ctx.start().programs.iter().any(compiles)
}

/// Whether a command makes a program or a bundle beside the sources. What `make` makes is anybody's guess.
fn makes_artefact(command: &crate::facts::run::Command) -> bool {
    is_build_step(command) && !matches!(command.program.as_str(), "make" | "gmake" | "ninja" | "cmake")
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, findings, parse};
    use crate::rules::Severity;

    const FILES: &str = "#- Cargo.toml\n[package]\n#- src/main.rs\nfn main() {}\n";

    fn check_silent(build: &str, copy: &str, files: &str) {
        check(
            &RULE,
            &format!(
                "FROM rust:1.82 AS build\nWORKDIR /app\n{build}\nFROM debian:12-slim\n{copy}\nCMD [\"/app/x\"]\n{files}"
            ),
        );
    }

    #[test]
    fn the_work_directory_holds_sources_and_leftovers() {
        check(
            &RULE,
            &format!(
                "FROM rust:1.82 AS build\n\
                 WORKDIR /app\n\
                 COPY . .\n\
                 RUN cargo build --release\n\
                 FROM debian:12-slim\n\
                 COPY --from=build /app/ /app/\n\
                 #                 ^^^^^ all of `/app` is copied, with sources and what the build left behind\n\
                 CMD [\"/app/target/release/x\"]\n{FILES}"
            ),
        );
    }

    #[test]
    fn a_part_is_what_is_needed() {
        check_silent("COPY . .\nRUN cargo build", "COPY --from=build /app/target/release/x /app/x", FILES);
    }

    #[test]
    fn sources_that_are_run_are_needed() {
        check_silent("COPY . .\nRUN pip install -r r.txt", "COPY --from=build /app /app", FILES);
    }

    #[test]
    fn a_directory_that_was_cleaned_up_holds_what_is_needed() {
        check_silent("COPY . .\nRUN cargo build && rm -rf src target/debug", "COPY --from=build /app /app", FILES);
        check_silent("COPY . .\nRUN npm run build && npm prune --omit=dev", "COPY --from=build /app /app", FILES);
        let again = "COPY . .\nRUN yarn install && yarn build\nRUN yarn install --production=true";
        check_silent(again, "COPY --from=build /app /app", FILES);
    }

    #[test]
    fn an_unknown_context_says_nothing() {
        check_silent("COPY . .\nRUN cargo build", "COPY --from=build /app /app", "");
    }

    #[test]
    fn a_second_system_is_one_too_many() {
        check(
            &RULE,
            "FROM debian:12 AS b\nRUN a\nFROM debian:12-slim\nCOPY --from=b / /\n#             ^ a whole system is copied on top of another\nCMD [\"a\"]\n",
        );
        let squashed = "FROM debian:12 AS b\nRUN a\nFROM scratch\nCOPY --from=b / /\nCMD [\"a\"]\n";
        let analysis = analyse(&parse(squashed));
        assert_eq!(findings(&analysis, &RULE).iter().map(|it| it.severity).collect::<Vec<_>>(), [Severity::Hint]);
        check(&RULE, &squashed.replace("/ /", "/rootfs /"));
        check(&RULE, "FROM scratch AS b\nADD a.tar /\nFROM debian:12-slim\nCOPY --from=b / /\nCMD [\"a\"]\n");
        check(&RULE, "FROM tonistiigi/xx AS xx\nFROM debian:12-slim\nCOPY --from=xx / /\nCMD [\"a\"]\n");
        check(&RULE, "FROM debian:12 AS b\nFROM debian:12-slim\nCOPY --from=b / /chroot\nCMD [\"a\"]\n");
    }

    #[test]
    fn a_program_that_compiles_when_it_starts_needs_its_sources() {
        check(
            &RULE,
            &format!(
                "FROM rust:1 AS b\nWORKDIR /a\nCOPY . .\nRUN cargo build\nFROM rust:1\nCOPY --from=b /a /a\nCMD [\"cargo\", \"run\"]\n{FILES}"
            ),
        );
    }
}

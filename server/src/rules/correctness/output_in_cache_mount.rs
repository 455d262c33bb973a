//! `output-in-cache-mount`: a product lies in a cache mount, which is gone when its RUN ends.

use crate::facts::run::is_below;
use crate::facts::stage::{join, value};
use crate::model::{Base, InstructionKind, Mount, Placed, Source, Stage};
use crate::rules::{Context, Finding, Group, Related, Rule, RunAt, Severity};
use crate::text::TextRange;

/// The rule.
pub static RULE: Rule = Rule {
    name: "output-in-cache-mount",
    group: Group::Correctness,
    severity: Severity::Error,
    on: true,
    also: &[],
    doc: r##"
What is built here lies in a cache mount, and a later instruction looks for it where nothing is.

A mount is there while its `RUN` runs; its files are in no layer.
Copy the product out in the same `RUN`.

```dockerfile
FROM rust:1.84
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=/app/target cargo build --release
CMD ["/app/target/release/x"]
```

Copied out of the mount:

```dockerfile
FROM rust:1.84
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=/app/target cargo build --release && cp target/release/x /usr/local/bin/x
CMD ["x"]
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, stage) in ctx.reaching() {
        // Of several RUNs with one mount the last is to blame.
        let mut seen: Vec<String> = Vec::new();
        if !stage.runs().any(|(_, _, run)| !run.mounts.is_empty()) {
            continue;
        }
        let runs: Vec<RunAt> = ctx.runs(stage_idx).collect();
        for at in runs.iter().rev() {
            for mount in at.run.mounts.iter().filter(|mount| matches!(mount.kind(), "cache" | "tmpfs")) {
                let Some(target) = target(ctx, at, mount).filter(|it| !seen.contains(it)) else { continue };
                if let Some((path, range)) = used(ctx, stage_idx, at, &target)
                    && !may_be_filled(ctx, stage, &runs, at, &target)
                {
                    let what = if mount.kind() == "cache" { "cache mount" } else { "tmpfs" };
                    let message = format!("`{path}` lies in this {what}, which is gone when the RUN ends");
                    let mut finding = Finding::new(&RULE, at.placed.range(mount.range), message);
                    finding.cause = at.placed.whole();
                    finding.related.push(Related { range, message: "this looks for it in the image".to_owned() });
                    acc.push(finding);
                }
                seen.push(target);
            }
        }
    }
}

/// The path of a mount.
fn target(ctx: &Context, at: &RunAt, mount: &Mount) -> Option<String> {
    let text = value(at.stage, at.placed, &mount.target()?.text, ctx.file.directives.escape)?;
    let facts = ctx.facts.stages.get(at.stage_idx)?;
    let directory = facts.directories.get(at.idx).and_then(Option::as_deref);
    join(directory, &text).filter(|path| path != "/")
}

/// The path below a mount that something later takes from the image, and where it says so.
fn used(ctx: &Context, stage_idx: usize, at: &RunAt, target: &str) -> Option<(String, TextRange)> {
    copied(ctx, stage_idx, target).or_else(|| started(ctx, at, target))
}

/// `COPY --from` of this stage, or of one that is built on it.
fn copied(ctx: &Context, stage_idx: usize, target: &str) -> Option<(String, TextRange)> {
    for stage in &ctx.file.stages {
        for (idx, source) in &stage.sources {
            if *source != Source::Stage(stage_idx) {
                continue;
            }
            let Some(placed) = stage.instructions.get(*idx) else { continue };
            let InstructionKind::Copy(copy) = &placed.instruction.kind else { continue };
            for word in &copy.sources {
                let path = value(stage, placed, &word.text, ctx.file.directives.escape);
                let Some(path) = path.and_then(|it| join(Some("/"), &it)) else { continue };
                if is_below(&path, target) {
                    return Some((path, placed.range(word.range)));
                }
            }
        }
    }
    None
}

/// The start command of the target, when the layers of this stage are shipped.
fn started(ctx: &Context, at: &RunAt, target: &str) -> Option<(String, TextRange)> {
    if !ctx.facts.is_final(at.stage_idx) {
        return None;
    }
    let is_start =
        |placed: &&Placed| matches!(placed.instruction.kind, InstructionKind::Cmd(_) | InstructionKind::Entrypoint(_));
    let stages = ctx.facts.final_chain.iter().filter_map(|idx| ctx.file.stages.get(*idx));
    let start = stages.flat_map(|stage| stage.instructions.iter().rev()).find(is_start)?;
    for program in &ctx.start().programs {
        let words = std::iter::once(Some(program.word.as_str())).chain(program.arguments.iter().map(Option::as_deref));
        for word in words.flatten().filter(|word| word.contains('/') && !word.starts_with('-')) {
            let Some(path) = join(program.directory.as_deref(), word) else { continue };
            if path != target && is_below(&path, target) {
                return Some((path, start.whole()));
            }
        }
    }
    None
}

/// Whether another instruction of the stage may put files there: a COPY to that place, or a RUN without the mount that
/// names it or runs the same programs.
fn may_be_filled(ctx: &Context, stage: &Stage, runs: &[RunAt], blamed: &RunAt, target: &str) -> bool {
    let name = target.rsplit('/').next().unwrap_or_default();
    let copies_there = stage.instructions.iter().enumerate().any(|(idx, placed)| {
        let (InstructionKind::Copy(copy) | InstructionKind::Add(copy)) = &placed.instruction.kind else { return false };
        let facts = ctx.facts.stages.get(blamed.stage_idx);
        let directory = facts.and_then(|facts| facts.directories.get(idx)).and_then(Option::as_deref);
        let destination = copy.destination.as_ref();
        let path = destination.and_then(|word| value(stage, placed, &word.text, ctx.file.directives.escape));
        let path = path.and_then(|it| join(directory, &it));
        path.is_none_or(|path| is_below(&path, target))
    });
    let is_other =
        |at: &&RunAt| !at.run.mounts.iter().any(|mount| self::target(ctx, at, mount).as_deref() == Some(target));
    let programs = |at: &RunAt| at.facts.commands.iter().map(|it| it.program.clone()).collect::<Vec<_>>();
    let own = programs(blamed);
    let runs_again = runs.iter().filter(is_other).any(|at| {
        let text = &*at.placed.instruction.text;
        at.facts.commands.is_empty()
            || text.contains(name)
            || programs(at).iter().any(|it| own.contains(it) && !matches!(it.as_str(), "cd" | "mkdir" | "echo" | "set"))
    });
    let inherited = matches!(stage.base, Base::Stage(_));
    copies_there || runs_again || inherited && matches!(name, "node_modules" | "vendor")
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::check;

    #[test]
    fn a_mount_is_gone_when_its_run_ends() {
        check(
            &RULE,
            "FROM rust:1 AS build\nWORKDIR /app\n\
             RUN --mount=type=cache,target=/app/target cargo build --release\n\
             #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `/app/target/release/x` lies in this cache mount\n\
             FROM debian:12\nCOPY --from=build /app/target/release/x /x\n",
        );
        check(
            &RULE,
            "FROM node:22\nWORKDIR /app\n\
             RUN --mount=type=tmpfs,dst=dist npm run build\n\
             #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^ `/app/dist/server.js` lies in this tmpfs\n\
             CMD [\"node\", \"dist/server.js\"]\n",
        );
        check(
            &RULE,
            "FROM node:22 AS deps\n\
             RUN --mount=type=cache,target=/app/node_modules npm ci\n\
             #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `/app/node_modules` lies in this\n\
             FROM node:22\nCOPY --from=deps /app/node_modules /app/node_modules\n",
        );
    }

    #[test]
    fn what_is_copied_out_is_in_the_layer() {
        check(
            &RULE,
            "FROM rust:1 AS build\nWORKDIR /app\n\
             RUN --mount=type=cache,target=/app/target cargo build --release && cp target/release/x /x\n\
             FROM debian:12\nCOPY --from=build /x /x\n",
        );
    }

    #[test]
    fn a_later_run_with_the_same_mount_may_copy_it_out() {
        check(
            &RULE,
            "FROM rust:1 AS build\nWORKDIR /app\nRUN --mount=type=cache,target=/app/target cargo build --release\n\
             RUN --mount=type=cache,target=/app/target cp target/release/x /x\nFROM debian:12\nCOPY --from=build /x /x\n",
        );
    }

    #[test]
    fn another_directory_of_the_stage_is_in_the_layer() {
        check(
            &RULE,
            "FROM node:22 AS build\nWORKDIR /app\nRUN --mount=type=cache,target=/app/node_modules npm ci && npm run build\n\
             FROM nginx\nCOPY --from=build /app/dist /x\n",
        );
        check(&RULE, "FROM rust:1\nRUN --mount=type=cache,target=/a cargo build\nCMD [\"/apple\"]\n");
    }

    #[test]
    fn somebody_else_may_fill_it() {
        check(
            &RULE,
            "FROM rust:1 AS build\nWORKDIR /app\nRUN --mount=type=cache,target=/app/target cargo fetch\n\
             RUN cargo build --release\nFROM debian:12\nCOPY --from=build /app/target/release/x /x\n",
        );
        check(
            &RULE,
            "FROM node:22 AS deps\nRUN --mount=type=cache,target=/m npm ci\nCOPY m /m\nFROM a\nCOPY --from=deps /m /m\n",
        );
    }

    #[test]
    fn a_path_that_is_not_known_is_left_alone() {
        check(&RULE, "FROM a AS b\nRUN --mount=type=cache,target=$UNKNOWN c\nFROM d\nCOPY --from=b $OTHER /x\n");
        check(&RULE, "FROM a AS b\nRUN --mount=type=bind,target=/c d\nFROM d\nCOPY --from=b /c/x /x\n");
    }
}

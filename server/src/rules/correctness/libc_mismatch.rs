//! `libc-mismatch`: machine code for one C library in an image with another.

use crate::facts::go_build;
use crate::facts::ground::{self, Ground};
use crate::facts::stage;
use crate::facts::walk;
use crate::model::{InstructionKind, Placed, Source, Word};
use crate::rules::{Context, Finding, Group, Related, Rule, Severity};

mod native;

/// The rule.
pub static RULE: Rule = Rule {
    name: "libc-mismatch",
    group: Group::Correctness,
    severity: Severity::Error,
    on: true,
    also: &[],
    doc: r##"
Compiled files are copied from an image with one C library into an image with another.

Alpine has musl, Debian and what is built on it has glibc, `scratch` and distroless `static` have none. A program or a module
that was linked against one does not start with the other: "no such file or directory" for a program, "Error loading shared
library" for a module.

```dockerfile
FROM node:22-alpine AS build
WORKDIR /app
COPY package*.json ./
RUN npm ci && npm cache clean --force
FROM gcr.io/distroless/nodejs22-debian12
COPY --from=build /app/node_modules /app/node_modules
CMD ["/app/server.js"]
#- package.json
{"dependencies": {"bcrypt": "5.1.1"}}
#- package-lock.json
{"lockfileVersion": 3, "packages": {"": {"dependencies": {"bcrypt": "5.1.1"}},
"node_modules/bcrypt": {"version": "5.1.1", "hasInstallScript": true}}}
```

From a builder with the same library:

```dockerfile
FROM node:22-slim AS build
WORKDIR /app
COPY package*.json ./
RUN npm ci && npm cache clean --force
FROM gcr.io/distroless/nodejs22-debian12
COPY --from=build /app/node_modules /app/node_modules
CMD ["/app/server.js"]
#- package.json
{"dependencies": {"bcrypt": "5.1.1"}}
#- package-lock.json
{"lockfileVersion": 3, "packages": {"": {"dependencies": {"bcrypt": "5.1.1"}},
"node_modules/bcrypt": {"version": "5.1.1", "hasInstallScript": true}}}
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for stage_idx in &ctx.facts.final_chain {
        let Some(stage) = ctx.file.stages.get(*stage_idx).filter(|stage| !stage.sources.is_empty()) else { continue };
        let to = ground::of(ctx.file, ctx.images, *stage_idx);
        let Some(to_libc) = to.libc().filter(|it| matches!(*it, "glibc" | "musl" | "none")) else { continue };
        for (idx, source) in &stage.sources {
            let Some(placed) = stage.instructions.get(*idx) else { continue };
            let InstructionKind::Copy(copy) = &placed.instruction.kind else { continue };
            let (from, builder) = match source {
                Source::Stage(builder) => (ground::of(ctx.file, ctx.images, *builder), Some(*builder)),
                Source::Image(image) => (ground::of_image(ctx.images, image), None),
                Source::Unknown(_) => continue,
            };
            let Some(from_libc) = from.libc().filter(|it| matches!(*it, "glibc" | "musl")) else { continue };
            // An empty image that starts nothing is a place to take files from (`docker build -o`).
            if from_libc == to_libc || to == Ground::Scratch && !ctx.facts.is_started() {
                continue;
            }
            for word in &copy.sources {
                let Some(path) = walk::value(ctx.file, stage, placed, &word.text) else { continue };
                let path = stage::clean(&format!("/{path}"));
                let Some(code) = code(ctx, &from, builder, &path, to_libc) else { continue };
                let pair = Pair { from: &from, to: &to, from_libc, to_libc };
                acc.extend(finding(ctx, *stage_idx, placed, word, &code, &pair, builder));
            }
        }
    }
}

/// The two images.
struct Pair<'a> {
    from: &'a Ground<'a>,
    to: &'a Ground<'a>,
    from_libc: &'a str,
    to_libc: &'a str,
}

/// Machine code that hangs on a C library.
struct Code {
    what: String,
    severity: Severity,
}

/// What machine code lies at a path of a builder or image.
fn code(ctx: &Context, from: &Ground, builder: Option<usize>, path: &str, to_libc: &str) -> Option<Code> {
    let sure = |what: String| Code { what, severity: Severity::Error };
    if let Some(what) = native::runtime(from, path) {
        return Some(sure(what));
    }
    let builder = builder?;
    if let Some(what) = native::modules(ctx, builder, path)
        .or_else(|| native::python(ctx, builder, path))
        .or_else(|| native::compiled(ctx, builder, from, path))
    {
        return Some(sure(what));
    }
    // Of the other case, no library at all, `cgo-on-static-base` speaks.
    if to_libc == "none" {
        return None;
    }
    let builds = go_build::builds(ctx.file, ctx.facts, ctx.images, builder, &ctx.config.platform.arch);
    let build = go_build::built(&builds, path)?;
    let name = path.rsplit('/').next().unwrap_or(path);
    (build.dynamic == Some(true))
        .then(|| Code { what: format!("`{name}` is built with cgo"), severity: Severity::Warning })
}

fn finding(
    ctx: &Context,
    stage_idx: usize,
    placed: &Placed,
    word: &Word,
    code: &Code,
    pair: &Pair,
    builder: Option<usize>,
) -> Option<Finding> {
    let stages = crate::facts::chain(ctx.file, stage_idx);
    let text = |idx: &usize| {
        let stage = ctx.file.stages.get(*idx)?;
        ctx.file.text.get(usize::from(stage.range.start())..usize::from(stage.range.end()))
    };
    let has = |words: &[&str]| stages.iter().filter_map(text).any(|it| words.iter().any(|word| it.contains(word)));
    // Modules that are built anew here, a loader that is copied along, a shell that moves things: not ours to judge.
    if has(&["npm rebuild", "npm ci", "npm install", "yarn install", "pnpm install", "ld-musl", "ld-linux", "patchelf"])
    {
        return None;
    }
    let library = match pair.to_libc {
        "none" => "no C library".to_owned(),
        libc => libc.to_owned(),
    };
    let message = format!("{} for {}, and `{}` has {library}", code.what, pair.from_libc, pair.to.name());
    let mut res = Finding::new(&RULE, placed.range(word.range), message);
    res.severity = match has(&["gcompat", "libc6-compat", "sgerrand", "alpine-pkg-glibc", "apk add --no-cache musl"]) {
        true => Severity::Hint,
        false => code.severity,
    };
    res.cause = placed.range(word.range);
    if let Some(from) = builder.and_then(|idx| ctx.file.stages.get(*crate::facts::chain(ctx.file, idx).last()?)) {
        let message = format!("`{}` has {}", pair.from.name(), pair.from_libc);
        res.related.push(Related { range: from.from.whole(), message });
    }
    res.assists.push("swap-base");
    Some(res)
}

#[cfg(test)]
mod tests;

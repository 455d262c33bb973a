//! `missing-runtime-file`: what the container starts, or needs for it, was left in the builder.

use serde_json::Value;

use crate::facts::ground::{self, Ground};
use crate::facts::history::{self, Step};
use crate::facts::landing;
use crate::facts::manifest::Manifest;
use crate::facts::node_release;
use crate::facts::start::Program;
use crate::facts::started;
use crate::facts::walk;
use crate::model::{Form, InstructionKind, Placed, Source};
use crate::rules::{Context, Finding, Fix, Group, Related, Rule, Safety, Severity};
use crate::text::{TextEdit, TextRange};

/// The rule.
pub static RULE: Rule = Rule {
    name: "missing-runtime-file",
    group: Group::Correctness,
    severity: Severity::Error,
    on: true,
    also: &[],
    doc: r##"
What the container starts, or a file that it cannot start without, is in the builder and was not copied.

The image builds, and the container exits at once. Looked for are the program or script of the start command and of the
health check; beside ES modules that older releases of Node run, the `package.json` that says so; and `node_modules`, where
the build does not bundle them.

```dockerfile
FROM node:18-slim AS build
WORKDIR /app
COPY . .
RUN npm ci && npm run build
FROM node:18-slim
COPY --from=build /app/dist /app/dist
CMD ["node", "/app/dist/i.js"]
#- package.json
{"type": "module", "scripts": {"build": "tsc"}, "devDependencies": {"typescript": "5"}}
#- package-lock.json
{"lockfileVersion": 3, "packages": {"": {"devDependencies": {"typescript": "5"}}}}
```

With the manifest, which says that these are modules:

```dockerfile
FROM node:18-slim AS build
WORKDIR /app
COPY . .
RUN npm ci && npm run build
FROM node:18-slim
COPY --from=build /app/dist /app/dist
COPY --from=build /app/package.json /app/
CMD ["node", "/app/dist/i.js"]
#- package.json
{"type": "module", "scripts": {"build": "tsc"}, "devDependencies": {"typescript": "5"}}
#- package-lock.json
{"lockfileVersion": 3, "packages": {"": {"devDependencies": {"typescript": "5"}}}}
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let Some(target) = ctx.facts.target.filter(|_| ctx.facts.is_started()) else { return };
    let stages = || ctx.facts.final_chain.iter().filter_map(|idx| ctx.file.stages.get(*idx));
    if !stages().any(|stage| stage.sources.iter().any(|(_, source)| matches!(source, Source::Stage(_)))) {
        return;
    }
    let ground = ground::of(ctx.file, ctx.images, target);
    if ground == Ground::Unknown {
        return;
    }
    let steps = history::steps(ctx.file, target, usize::MAX);
    let image = Image { ctx, ground, steps };
    // A command that nobody knows may make any file.
    let is_open = |step: &Step| {
        step.is_open_run(ctx.facts) || matches!(step.placed.instruction.kind, InstructionKind::Onbuild(_))
    };
    if image.steps.iter().any(is_open) {
        return;
    }
    let before = acc.len();
    let mut seen: Vec<String> = Vec::new();
    for program in &ctx.start().programs {
        for path in paths(program) {
            if !seen.contains(&path) && image.lacks(&path) {
                acc.push(started(ctx, program, &path));
                seen.push(path);
            }
        }
    }
    if acc.len() == before {
        acc.extend(ctx.start().work().filter(|it| it.name == "node").find_map(|program| image.beside(program)));
    }
}

/// The target's layers.
struct Image<'a> {
    ctx: &'a Context<'a>,
    ground: Ground<'a>,
    steps: Vec<Step<'a>>,
}

impl Image<'_> {
    fn may_have(&self, path: &str) -> bool {
        self.steps.iter().any(|step| step.may_bring(self.ctx.file, self.ctx.context, path, &[]))
    }

    /// Whether nothing can have brought this file: no COPY, no volume, not the base image.
    fn lacks(&self, path: &str) -> bool {
        let is_volume = |step: &Step| match &step.placed.instruction.kind {
            InstructionKind::Volume(words) => words
                .iter()
                .any(|word| word.text.contains('$') || walk::is_inside(path, word.text.trim_end_matches('/'))),
            _ => false,
        };
        if self.is_of_base(path) || self.steps.iter().any(is_volume) {
            return false;
        }
        // Node finds `server` as `server.js` and `dir` as `dir/index.js`.
        ["", ".js", ".mjs", ".cjs", ".json"].iter().all(|end| !self.may_have(&format!("{path}{end}")))
    }

    /// Whether the base image, or a package of it, may have a file of this path.
    fn is_of_base(&self, path: &str) -> bool {
        let empty = self.ground.libc() == Some("none");
        let folders = [
            "/bin", "/sbin", "/usr", "/lib", "/lib64", "/etc", "/opt", "/nodejs", "/busybox", "/var", "/dev", "/proc",
            "/root", "/home", "/venv", "/nix", "/layers", "/cnb", "/run", "/tmp", "/srv",
        ];
        let system = folders.iter().any(|folder| walk::is_inside(path, folder));
        let name = path.rsplit('/').next().unwrap_or(path);
        let own =
            ["entrypoint", "init", "start", "run", "bootstrap", "tini", "docker"].iter().any(|it| name.contains(it));
        match empty {
            true => ["/etc", "/proc", "/dev"].iter().any(|folder| walk::is_inside(path, folder)),
            false => system || own && path.rfind('/') == Some(0),
        }
    }

    /// What Node needs beside a script of the builder: its manifest for ES modules, its packages.
    fn beside(&self, program: &Program) -> Option<Finding> {
        let script = program.script()?;
        let release = node_release::of(self.ground.image()?)?;
        let step =
            self.steps.iter().rev().find(|step| step.may_bring(self.ctx.file, self.ctx.context, &script, &[]))?;
        let origin = origin(self.ctx, step, &script)?;
        let text = self.ctx.context.text("package.json")?;
        let manifest = Manifest::parse(text)?;
        // A bundle has its packages inside, and may be of another kind than its sources.
        let build = manifest.scripts.get("build").map_or("", String::as_str);
        let bundlers = [
            "esbuild",
            "webpack",
            "rollup",
            "ncc",
            "tsup",
            "parcel",
            "vite",
            "next",
            "nuxt",
            "turbo",
            "nx",
            "bun",
            "rspack",
            "unbuild",
            "tsdown",
            "remix",
            "astro",
            "svelte",
            "ng ",
            "npm",
            "yarn",
            "pnpm",
            "node ",
            "make",
            "gulp",
            "pkgroll",
            "microbundle",
            "rolldown",
        ];
        let compiles = ["tsc", "babel", "swc", "nest build"].iter().any(|it| build.contains(it));
        if bundlers.iter().any(|it| build.contains(it)) || !compiles {
            return None;
        }
        let above = above(&script);
        // What a compiler wrote has neither manifest nor packages in it.
        let others = || self.steps.iter().filter(|it| !std::ptr::eq(*it, step));
        let beside = |name: &str| {
            above.iter().any(|folder| {
                let path = format!("{}/{name}", folder.trim_end_matches('/'));
                others().any(|step| step.may_bring(self.ctx.file, self.ctx.context, &path, &[]))
            })
        };
        let kind = serde_json::from_str::<Value>(text).ok()?.get("type").cloned();
        let is_module = kind.as_ref().and_then(Value::as_str) == Some("module");
        let old = release.major < 20
            || release.major == 21
            || release.major == 20 && release.minor.is_some_and(|minor| minor < 19)
            || release.major == 22 && release.minor.is_some_and(|minor| minor < 7);
        if is_module && old && script.ends_with(".js") && !beside("package.json") {
            let message = format!("`{script}` is an ES module, and no `package.json` beside it says so");
            return Some(self.finding(step, &origin, "package.json", message));
        }
        if !manifest.dependencies.is_empty() && !manifest.workspaces && !beside("node_modules") {
            let message = format!("`node_modules`, from which `{script}` takes its packages, is not in the image");
            return Some(self.finding(step, &origin, "node_modules", message));
        }
        None
    }

    fn finding(&self, step: &Step, origin: &Origin, name: &str, message: String) -> Finding {
        let ctx = self.ctx;
        let range = started::of(ctx.file, ctx.facts)
            .first()
            .and_then(|placed| Some(placed.range(started::range(started::form(placed)?)?)));
        let mut res = Finding::new(&RULE, range.unwrap_or(step.placed.whole()), message);
        res.related.push(Related { range: step.placed.whole(), message: "this copies the program alone".to_owned() });
        let end = if name == "node_modules" { format!("/{name}") } else { "/".to_owned() };
        let line = format!(
            "COPY --from={} {}/{name} {}{end}",
            origin.stage,
            origin.from.trim_end_matches('/'),
            origin.to.trim_end_matches('/')
        );
        let at = step.placed.whole().end();
        let text = &ctx.file.text;
        let rest = text.get(usize::from(at)..).unwrap_or_default();
        let newline = if rest.starts_with("\r\n") { "\r\n" } else { "\n" };
        res.fix = Some(Fix {
            title: format!("Copy `{name}` too"),
            safety: Safety::Review,
            edit: TextEdit::insert(at, format!("{newline}{line}")),
        });
        res
    }
}

/// The directories above a path, the nearest first.
fn above(path: &str) -> Vec<&str> {
    path.match_indices('/').rev().filter_map(|(at, _)| path.get(..at.max(1))).collect()
}

/// Where a script lay in its builder: the stage as COPY names it, the project's directory there and here.
struct Origin {
    stage: String,
    from: String,
    to: String,
}

/// Follows a COPY of `…/dist`, or another directory that compilers write into, back to the directory that it lies in.
fn origin(ctx: &Context, step: &Step, script: &str) -> Option<Origin> {
    let copied = landing::copied(ctx.file, step.stage, step.placed, &step.state).filter(|it| !it.from_context)?;
    let stage = step.placed.instruction.flag("from")?.value.as_ref()?.text.clone();
    let is_stage =
        step.stage.sources.iter().any(|(idx, source)| *idx == step.idx && matches!(source, Source::Stage(_)));
    let [Some(source)] = copied.sources.as_slice() else { return None };
    let source = walk::absolute("/", source);
    if !is_stage || !walk::is_inside(script, &copied.destination) {
        return None;
    }
    let folder = |path: &str| path.rsplit_once('/').map(|(folder, name)| (folder.to_owned(), name.to_owned()));
    let (from, name) = folder(&source)?;
    if !matches!(name.as_str(), "dist" | "build" | "out" | "lib" | "output" | "compiled") {
        return None;
    }
    let to = match folder(&copied.destination) {
        Some((to, last)) if last == name => to,
        Some(_) | None => copied.destination.clone(),
    };
    Some(Origin { stage, from: if from.is_empty() { "/".to_owned() } else { from }, to })
}

/// The files that a program is: itself where it is named by a path, and the script that an interpreter is given.
fn paths(program: &Program) -> Vec<String> {
    let mut res = Vec::new();
    let mut add = |word: &str| {
        let plain = !word.contains(['$', '*', '?', '`', '{']);
        let path = match (word.starts_with('/'), program.directory.as_deref()) {
            (true, _) => Some(walk::absolute("/", word)),
            (false, Some(directory)) => Some(walk::absolute(directory, word)),
            (false, None) => None,
        };
        res.extend(path.filter(|_| plain));
    };
    if program.word.contains('/') && !program.word.contains("node_modules") {
        add(&program.word);
    }
    let mut words = program.arguments.iter();
    match program.name.as_str() {
        "node" | "nodejs" if !program.packaged => {
            if let Some(script) = program.script().filter(|it| !it.contains(['$', '*']) && it.contains('.')) {
                add(&script);
            }
        }
        "java" => {
            if words.any(|it| it.as_deref() == Some("-jar"))
                && let Some(Some(jar)) = words.find(|it| it.as_deref().is_none_or(|it| !it.starts_with('-')))
            {
                add(jar);
            }
        }
        name if name.starts_with("python") => {
            let first =
                words.find(|it| it.as_deref().is_none_or(|it| !it.starts_with('-') || matches!(it, "-m" | "-c")));
            if let Some(Some(script)) = first
                && script.ends_with(".py")
            {
                add(script);
            }
        }
        _ => {}
    }
    res
}

fn started(ctx: &Context, program: &Program, path: &str) -> Finding {
    let all = started::of(ctx.file, ctx.facts);
    let name = path.rsplit('/').next().unwrap_or(path);
    let placed = if program.health { all.healthcheck } else { None };
    let named = |placed: &Placed| placed.instruction.text.contains(name);
    let placed = placed
        .or(all.cmd.filter(|it| named(it)))
        .or(all.entrypoint.filter(|it| named(it)))
        .or(all.cmd)
        .or(all.entrypoint);
    let range = placed.and_then(|placed| word(placed, name)).unwrap_or_default();
    let mut res = Finding::new(&RULE, range, format!("nothing brings `{path}` into this image"));
    if let Some(placed) = placed {
        res.cause = placed.whole();
    }
    res
}

/// The word that names the file, else all words.
fn word(placed: &Placed, name: &str) -> Option<TextRange> {
    let form = started::form(placed)?;
    if let Form::Exec(words) = form
        && let Some(word) = words.iter().find(|word| word.text.rsplit('/').next() == Some(name))
    {
        return Some(placed.range(word.range));
    }
    Some(placed.range(started::range(form)?))
}

#[cfg(test)]
mod tests;

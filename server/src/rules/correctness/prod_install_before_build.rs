//! `prod-install-before-build`: a build whose tool is a development dependency, and those were left out.

use crate::ecosystems::tools;
use crate::facts::history::{self, Step};
use crate::facts::installs::{Deed, Manager, Verb, deed};
use crate::facts::landing::{self, Landed};
use crate::facts::manifest::Manifest;
use crate::facts::plain;
use crate::facts::removes;
use crate::facts::run::{Command, RunFacts};
use crate::facts::stage::join;
use crate::facts::walk;
use crate::model::{InstructionKind, Run, Source};
use crate::rules::{Context, Finding, Fix, Group, Related, Rule, Safety, Severity};
use crate::shell;
use crate::text::{Indel, Local, TextEdit, TextRange};

/// The rule.
pub static RULE: Rule = Rule {
    name: "prod-install-before-build",
    group: Group::Correctness,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
The build runs a tool that is a development dependency, after an install that left those out.

The build stops with "not found", exit code 127. Install everything, build, and take the development dependencies out
afterwards (`npm prune --omit=dev`), or copy the result alone out of the builder.

```dockerfile
FROM node:22 AS build
WORKDIR /app
COPY . .
RUN npm ci --omit=dev
RUN npm run build
FROM nginx:1.27-alpine
COPY --from=build /app/dist /usr/share/nginx/html
#- package.json
{"scripts": {"build": "tsc"}, "devDependencies": {"typescript": "5.4.5"}}
#- package-lock.json
{"lockfileVersion": 3, "packages": {"": {"devDependencies": {"typescript": "5.4.5"}}}}
```

In a builder whose modules nobody copies, everything may be installed:

```dockerfile
FROM node:22 AS build
WORKDIR /app
COPY . .
RUN npm ci
RUN npm run build
FROM nginx:1.27-alpine
COPY --from=build /app/dist /usr/share/nginx/html
#- package.json
{"scripts": {"build": "tsc"}, "devDependencies": {"typescript": "5.4.5"}}
#- package-lock.json
{"lockfileVersion": 3, "packages": {"": {"devDependencies": {"typescript": "5.4.5"}}}}
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, stage) in ctx.reaching() {
        // Only where something is installed by a Node manager and something is run in this stage itself.
        let concerned = ctx.runs(stage_idx).any(|at| at.facts.commands.iter().any(|it| tool(it).is_some()));
        if concerned && !stage.instructions.is_empty() {
            check_stage(ctx, stage_idx, acc);
        }
    }
}

/// An install without development dependencies.
struct Install {
    range: TextRange,
    /// Its options that left them out; none where NODE_ENV did.
    flags: Vec<TextRange>,
    /// Where the command begins.
    stage_idx: usize,
    directory: Option<String>,
}

fn check_stage(ctx: &Context, stage_idx: usize, acc: &mut Vec<Finding>) {
    let steps = history::steps(ctx.file, stage_idx, usize::MAX);
    let mut install: Option<Install> = None;
    let mut programs: Vec<&str> = Vec::new();
    for step in &steps {
        match &step.placed.instruction.kind {
            InstructionKind::Copy(_) | InstructionKind::Add(_)
                if install.as_ref().is_some_and(|it| brings_modules(ctx, step, it)) =>
            {
                install = None;
            }
            InstructionKind::Run(run) => {
                let Some(known) = step.run(ctx.facts) else { continue };
                let Some(script) = run.script() else { continue };
                let directories = removes::directories(known, script, step.state.directory.as_deref());
                for (command, directory) in known.commands.iter().zip(directories) {
                    let installs = deed(command).filter(|it| is_node(it.manager) && it.verb == Verb::Install);
                    if let Some(deed) = installs {
                        if command.has(&["-g", "--global"]) || deed.word == "global" {
                            let names = deed.packages().map(tools::bare);
                            programs.extend(names.flat_map(|name| tools::programs(name).unwrap_or_default()));
                        } else if deed.is_from_manifest(command) {
                            install = production(ctx, step, run, known, command, &deed, directory.as_deref());
                        } else {
                            // `npm i typescript` brings this one, and npm 7 all others too.
                            install = None;
                        }
                        continue;
                    }
                    if step.stage_idx != stage_idx || !command.certain {
                        continue;
                    }
                    let call = script.calls.get(command.call);
                    if call.is_none_or(|call| plain::is_foreseen(call, &step.placed.instruction.text)) {
                        continue;
                    }
                    let Some(found) = install.as_ref() else { continue };
                    if let Some(finding) = build(ctx, step, command, found, directory.as_deref(), &programs) {
                        acc.push(finding);
                        return;
                    }
                }
            }
            _ => {}
        }
    }
}

fn is_node(manager: Manager) -> bool {
    matches!(manager, Manager::Npm | Manager::Yarn | Manager::Pnpm | Manager::Bun)
}

/// An install that surely leaves out the development dependencies; `None` for a full one.
fn production(
    ctx: &Context,
    step: &Step,
    run: &Run,
    known: &RunFacts,
    command: &Command,
    deed: &Deed,
    directory: Option<&str>,
) -> Option<Install> {
    let mut flags: Vec<TextRange> = Vec::new();
    let mut arguments = command.arguments.iter();
    while let Some(argument) = arguments.next() {
        let Some(word) = argument.value.as_deref() else { continue };
        let range = step.placed.range(argument.range);
        match (deed.manager, word) {
            (_, "--include=dev" | "--production=false" | "--prod=false" | "--dev" | "-D" | "--also=dev") => {
                return None;
            }
            (_, "--also=development" | "--only=dev" | "--only=development" | "--include") => return None,
            (_, "--production" | "--production=true")
            | (Manager::Npm, "--omit=dev" | "--only=prod" | "--only=production")
            | (Manager::Bun, "--omit=dev" | "-p")
            | (Manager::Pnpm | Manager::Yarn, "--prod" | "-P") => {
                // `yarn --production false`
                flags.push(range);
            }
            (Manager::Npm, "--only" | "--omit") => {
                let next = arguments.next();
                match next.and_then(|it| it.value.as_deref()) {
                    Some("prod" | "production" | "dev") if word == "--omit" || next.is_some() => {
                        flags.push(range.cover(step.placed.range(next?.range)));
                    }
                    Some(_) | None => {}
                }
            }
            (_, "false") if !flags.is_empty() => return None,
            _ => {}
        }
    }
    let by_environment = || {
        let call = run.script()?.calls.get(command.call)?;
        let own = call.environment.iter().find(|it| it.name == "NODE_ENV");
        match own {
            Some(own) => own.value.literal(),
            None => step.stage.scope.get_at("NODE_ENV", step.placed.at)?.value.clone(),
        }
    };
    // `export NODE_ENV=…` in the same RUN: whatever it says.
    let exports =
        known.commands.iter().any(|it| it.program == "export" && it.values().any(|it| it.starts_with("NODE_ENV")));
    // Bun does not look at NODE_ENV, and newer versions of yarn do not either.
    let berry = deed.manager == Manager::Bun
        || deed.manager == Manager::Yarn && (is_berry(ctx) || command.has(&["--immutable"]));
    if flags.is_empty() && (exports || berry || by_environment().as_deref() != Some("production")) {
        return None;
    }
    command.certain.then(|| Install {
        range: step.placed.range(command.range),
        flags,
        stage_idx: step.stage_idx,
        directory: directory.map(str::to_owned),
    })
}

/// Whether yarn is one that does not look at NODE_ENV.
fn is_berry(ctx: &Context) -> bool {
    let named = ctx.context.text("package.json").and_then(Manifest::parse).and_then(|it| it.package_manager);
    ctx.context.entry(".yarnrc.yml").is_some()
        || named.is_some_and(|it| it.starts_with("yarn@") && !it.starts_with("yarn@1"))
}

/// Whether a COPY could bring modules to where the install was.
fn brings_modules(ctx: &Context, step: &Step, install: &Install) -> bool {
    let Some(path) = join(install.directory.as_deref(), "node_modules") else { return true };
    let text = &step.placed.instruction.text;
    if text.contains("node_modules") {
        return true;
    }
    if step.placed.instruction.flag("from").is_none() {
        // Of what lies beside the Dockerfile `node_modules` is left out by everybody who is asked.
        return ctx.context.known && step.may_bring(ctx.file, ctx.context, &path, &[]);
    }
    step.may_bring(ctx.file, ctx.context, &path, &[])
}

/// What a command builds with.
enum Tool<'a> {
    /// A script of the manifest.
    Script(&'a str),
    /// A program of a package.
    Program(&'a str),
}

fn tool(command: &Command) -> Option<Tool<'_>> {
    let mut words = command.values().filter(|it| !it.starts_with('-'));
    let first = words.next();
    match command.program.as_str() {
        "npm" => matches!(first, Some("run" | "run-script")).then(|| words.next().map(Tool::Script)).flatten(),
        "yarn" | "pnpm" | "bun" => match first {
            Some("run") => words.next().map(Tool::Script),
            Some("exec" | "dlx" | "x" | "install" | "add" | "config" | "cache" | "set" | "global") | None => None,
            Some(script) => (command.program != "bun").then_some(Tool::Script(script)),
        },
        name => package(name).is_some().then_some(Tool::Program(&command.program)),
    }
}

/// The packages that bring a tool of builds.
fn package(program: &str) -> Option<&'static [&'static str]> {
    Some(match program {
        "tsc" => &["typescript"],
        "vite" => &["vite", "rolldown-vite"],
        "webpack" => &["webpack", "webpack-cli"],
        "rollup" => &["rollup"],
        "esbuild" => &["esbuild"],
        "parcel" => &["parcel", "parcel-bundler"],
        "ng" => &["@angular/cli"],
        "nest" => &["@nestjs/cli"],
        "react-scripts" => &["react-scripts"],
        "vue-cli-service" => &["@vue/cli-service"],
        "next" => &["next"],
        "nuxt" => &["nuxt", "nuxt3", "nuxt-edge"],
        "tsup" => &["tsup"],
        "gulp" => &["gulp", "gulp-cli"],
        "grunt" => &["grunt", "grunt-cli"],
        "babel" => &["@babel/cli", "babel-cli"],
        "swc" => &["@swc/cli"],
        "tsc-alias" => &["tsc-alias"],
        "rimraf" => &["rimraf"],
        "cross-env" => &["cross-env"],
        "vue-tsc" => &["vue-tsc"],
        "turbo" => &["turbo"],
        "craco" => &["@craco/craco"],
        "nx" => &["nx", "@nrwl/cli"],
        "astro" => &["astro"],
        "svelte-kit" => &["@sveltejs/kit"],
        "tsx" => &["tsx"],
        "ts-node" => &["ts-node"],
        "copyfiles" => &["copyfiles"],
        "ncc" => &["@vercel/ncc"],
        "mocha" => &["mocha"],
        "jest" => &["jest"],
        "vitest" => &["vitest"],
        "eslint" => &["eslint"],
        _ => return None,
    })
}

/// The finding on a command that builds with what was left out.
fn build(
    ctx: &Context,
    step: &Step,
    command: &Command,
    install: &Install,
    directory: Option<&str>,
    programs: &[&str],
) -> Option<Finding> {
    let tool = tool(command)?;
    // What is installed in one folder is not for another.
    if directory.is_none() || directory != install.directory.as_deref() {
        return None;
    }
    let manifest = manifest(ctx, step, directory?);
    let (name, severity) = match (&tool, &manifest) {
        (Tool::Script(script), Some(manifest)) => (left_out(manifest, script, programs, 0)?, Severity::Error),
        (Tool::Program(program), Some(manifest)) => {
            (is_left_out(manifest, program, programs).then(|| (*program).to_owned())?, Severity::Error)
        }
        // Whether such a program is a dependency nobody knows, but few make it one.
        (Tool::Program(program), None) => {
            let few = matches!(*program, "tsc" | "webpack" | "rollup" | "vite" | "ng" | "nest" | "parcel" | "esbuild");
            (
                (few && !programs.contains(program) && !ctx.context.known).then(|| (*program).to_owned())?,
                Severity::Warning,
            )
        }
        (Tool::Script(_), None) => return None,
    };
    let shown = command.range.of(&step.placed.instruction.text);
    let message = match tool {
        Tool::Script(_) => format!("`{shown}` runs `{name}`, a dev dependency, and the install left those out"),
        Tool::Program(_) => format!("`{name}` is a dev dependency, and the install left those out"),
    };
    let mut res = Finding::new(&RULE, step.placed.range(command.range), message);
    res.severity = severity;
    res.cause = install.range;
    res.related.push(Related { range: install.range, message: "this leaves out the dev dependencies".to_owned() });
    res.fix = fix(ctx, step, install);
    Some(res)
}

fn manifest(ctx: &Context, step: &Step, directory: &str) -> Option<Manifest> {
    let path = join(Some(directory), "package.json")?;
    // The stage itself, then those below it.
    crate::facts::chain(ctx.file, step.stage_idx).into_iter().find_map(|stage_idx| {
        let stage = ctx.file.stages.get(stage_idx)?;
        let states = walk::states(ctx.file, stage_idx, "/");
        let end = if stage_idx == step.stage_idx { step.idx } else { stage.instructions.len() };
        match landing::landed(ctx.file, stage, states.get(..end)?, ctx.context, &path) {
            Landed::File(path) => Manifest::parse(ctx.context.text(&path)?),
            Landed::Hidden | Landed::Nothing => None,
        }
    })
}

/// The first program of a script that was left out.
fn left_out(manifest: &Manifest, script: &str, programs: &[&str], depth: u32) -> Option<String> {
    let text = manifest.scripts.get(script)?;
    let before = manifest.scripts.get(&format!("pre{script}"));
    for text in before.into_iter().chain([text]) {
        let parsed = shell::parse(text, Local::new(0, text.len()));
        for call in parsed.calls.iter().filter(|_| !parsed.broken) {
            let mut words = call.arguments.iter().filter_map(|word| word.literal()).filter(|it| !it.starts_with('-'));
            let name = call.program.as_str();
            if matches!(name, "npm" | "yarn" | "pnpm") && depth < 4 {
                let first = words.next();
                let script = match first.as_deref() {
                    Some("run" | "run-script") => words.next(),
                    _ if name != "npm" => first,
                    _ => None,
                };
                if let Some(found) = script.and_then(|script| left_out(manifest, &script, programs, depth + 1)) {
                    return Some(found);
                }
                continue;
            }
            if is_left_out(manifest, name, programs) {
                return Some(name.to_owned());
            }
        }
    }
    None
}

fn is_left_out(manifest: &Manifest, program: &str, programs: &[&str]) -> bool {
    let Some(packages) = package(program) else { return false };
    let is_dev = packages.iter().any(|it| manifest.dev_dependencies.contains(*it));
    is_dev && !packages.iter().any(|it| manifest.dependencies.contains(*it)) && !programs.contains(&program)
}

/// Without the options, in a builder from which nobody copies modules.
fn fix(ctx: &Context, step: &Step, install: &Install) -> Option<Fix> {
    if install.flags.is_empty() || ctx.facts.is_final(install.stage_idx) || ctx.facts.is_final(step.stage_idx) {
        return None;
    }
    let copied = ctx.file.stages.iter().any(|stage| {
        stage.sources.iter().any(|(idx, source)| {
            let from_here = matches!(source, Source::Stage(idx) if *idx == step.stage_idx || *idx == install.stage_idx);
            let Some(placed) = stage.instructions.get(*idx).filter(|_| from_here) else { return false };
            let InstructionKind::Copy(copy) = &placed.instruction.kind else { return true };
            let modules = join(install.directory.as_deref(), "node_modules");
            copy.sources.iter().any(|word| match join(install.directory.as_deref(), &word.text) {
                Some(path) => {
                    modules.as_deref().is_none_or(|it| walk::is_inside(it, &path) || walk::is_inside(&path, it))
                }
                None => true,
            })
        })
    });
    if copied {
        return None;
    }
    let text = &ctx.file.text;
    let indels: Option<Vec<Indel>> = install
        .flags
        .iter()
        .map(|flag| {
            let before = text.get(..usize::from(flag.start()))?;
            let written = text.get(usize::from(flag.start())..).is_some_and(|it| it.starts_with('-'));
            (written && before.ends_with(' ')).then(|| Indel {
                delete: TextRange::new(flag.start() - crate::text::TextSize::from(1), flag.end()),
                insert: String::new(),
            })
        })
        .collect();
    Some(Fix {
        title: "Install the dev dependencies too".to_owned(),
        safety: Safety::Review,
        edit: TextEdit::new(indels?)?,
    })
}

#[cfg(test)]
mod tests;

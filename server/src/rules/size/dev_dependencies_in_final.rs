//! `dev-dependencies-in-final`: what only development needs of a project's dependencies is shipped.

use crate::facts::development_group::{DevelopmentInstall, Place, last, prunes};
use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::landing;
use crate::facts::removes::deletes;
use crate::facts::run::Command;
use crate::facts::start::Program;
use crate::facts::start::workplace::is_workplace;
use crate::facts::walk;
use crate::model::{InstructionKind, Source};
use crate::rules::{Context, Finding, Fix, Group, Related, Rule, RunAt, Safety, Severity};
use crate::text::TextEdit;
use crate::weight::{Basis, Estimate};

/// The rule.
pub static RULE: Rule = Rule {
    name: "dev-dependencies-in-final",
    group: Group::Size,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
The dependencies for development are in the image that is shipped.

Compilers, test runners and linters of the project are not needed when it runs: Express with TypeScript, jest and eslint
weighs 88.5 MB, without them 5.1.
The manifest beside the Dockerfile says whether there are any; without one only `--dev` and files named
`requirements-dev.txt` or the like are taken for them.

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci && npm cache clean --force
COPY . .
CMD ["node", "server.js"]
#- package.json
{"dependencies": {"express": "^4"}, "devDependencies": {"typescript": "^5", "jest": "^29"}}
#- package-lock.json
{}
#- server.js
```

Left out:

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev && npm cache clean --force
COPY . .
CMD ["node", "server.js"]
#- package.json
{"dependencies": {"express": "^4"}, "devDependencies": {"typescript": "^5", "jest": "^29"}}
#- package-lock.json
{}
#- server.js
```

Where a build needs them, build in a stage of its own and prune there: `npm prune --omit=dev` before the copy.
Nothing is said where the start serves a program under development or runs one of them (`ts-node`, `nodemon`).
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let mut found: Vec<Finding> = Vec::new();
    let mut packages: Vec<DevelopmentInstall> = Vec::new();
    for at in ctx.final_runs() {
        let Some(installed) = installed(ctx, &at).filter(|_| !is_pruned_later(ctx, &at)) else { continue };
        let Some(command) = at.facts.commands.get(installed.command) else { continue };
        let (message, saves) = told(ctx, &installed, "come too");
        let mut finding = Finding::new(&RULE, at.range(command), message);
        finding.saves = saves;
        finding.fix = fix(ctx, &at, &installed, command);
        if finding.fix.is_none() {
            finding.assists.push("multi-stage");
        }
        found.push(finding);
        packages.push(installed);
    }
    copied(ctx, &mut found, &mut packages);
    if found.is_empty() || is_for_developers(ctx, &packages) {
        return;
    }
    acc.extend(found);
}

fn installed(ctx: &Context, at: &RunAt) -> Option<DevelopmentInstall> {
    last(&Place {
        file: ctx.file,
        context: ctx.context,
        stage_idx: at.stage_idx,
        stage: at.stage,
        idx: at.idx,
        placed: at.placed,
        run: at.facts,
        script: at.run.script()?,
    })
}

/// Whether a later RUN of the chain prunes or deletes what was installed: then the layers are the matter, not the group.
fn is_pruned_later(ctx: &Context, at: &RunAt) -> bool {
    let later = ctx.final_runs().filter(|it| it.placed.at > at.placed.at);
    let prunes = |command: &Command| {
        deed(command).is_some_and(|it| prunes(command, &it))
            || deletes(command, None).is_some_and(|it| it.paths.iter().any(|path| path.contains("node_modules")))
            || command.program == "rm" && command.values().any(|it| it.contains("node_modules"))
    };
    { later }.any(|it| it.facts.commands.iter().any(prunes))
}

/// Adds what a COPY brings from the stage that installed it.
fn copied(ctx: &Context, found: &mut Vec<Finding>, packages: &mut Vec<DevelopmentInstall>) {
    for stage_idx in ctx.facts.final_chain.iter().rev().copied() {
        let Some(stage) = ctx.file.stages.get(stage_idx) else { continue };
        let copies = stage.sources.iter().filter_map(|(idx, source)| match source {
            Source::Stage(from) => Some((*idx, *from)),
            Source::Image(_) | Source::Unknown(_) => None,
        });
        for (idx, from) in copies {
            let Some(placed) = stage.instructions.get(idx) else { continue };
            let InstructionKind::Copy(copy) = &placed.instruction.kind else { continue };
            let Some((at, installed)) = builder(ctx, from) else { continue };
            if installed.package.is_none() {
                continue;
            }
            let modules = format!("{}/node_modules", installed.directory.trim_end_matches('/'));
            for word in &copy.sources {
                let Some(source) = walk::value(ctx.file, stage, placed, &word.text) else { continue };
                let source = walk::absolute("/", &source);
                if !walk::is_inside(&modules, &source) || source == "/" {
                    continue;
                }
                let (message, saves) = told(ctx, &installed, "are copied too");
                let mut finding = Finding::new(&RULE, placed.range(word.range), message);
                finding.saves = saves;
                if let Some(command) = at.facts.commands.get(installed.command) {
                    let message = "they are installed here, and not pruned before the copy".to_owned();
                    finding.related.push(Related { range: at.range(command), message });
                }
                found.push(finding);
                packages.push(installed.clone());
            }
        }
    }
}

/// The last install of a builder, or of the stages it is built on, that brings them and is not pruned.
fn builder<'a>(ctx: &Context<'a>, from: usize) -> Option<(RunAt<'a>, DevelopmentInstall)> {
    let mut res = None;
    for stage_idx in crate::facts::chain(ctx.file, from).into_iter().rev() {
        for at in ctx.runs(stage_idx) {
            // What is not read may prune.
            if at.facts.commands.is_empty() {
                return None;
            }
            let pruned = at.facts.commands.iter().any(|command| {
                deed(command).is_some_and(|it| prunes(command, &it) || reinstalls(&it, command))
                    || command.values().any(|it| it.contains("node_modules"))
            });
            if pruned {
                res = None;
            }
            res = installed(ctx, &at).map(|installed| (at, installed)).or(res);
        }
        // A copy may bring other modules.
        let replaced = ctx.file.stages.get(stage_idx).is_some_and(|stage| {
            let states = walk::states(ctx.file, stage_idx, "/");
            stage.instructions.iter().zip(&states).any(|(placed, state)| {
                landing::copied(ctx.file, stage, placed, state)
                    .is_some_and(|it| !it.from_context && it.destination.ends_with("node_modules"))
            })
        });
        if replaced {
            res = None;
        }
    }
    res
}

/// Whether an install of npm, yarn or pnpm leaves only what it installs.
fn reinstalls(deed: &crate::facts::installs::Deed, command: &Command) -> bool {
    matches!(deed.manager, Manager::Npm | Manager::Yarn | Manager::Pnpm)
        && deed.verb == Verb::Install
        && deed.is_from_manifest(command)
}

/// Whether the image is there to develop in, or runs one of the dependencies for development.
fn is_for_developers(ctx: &Context, packages: &[DevelopmentInstall]) -> bool {
    let Some(target) = ctx.facts.target.filter(|_| ctx.facts.is_started()) else { return true };
    let named = ctx.context.dockerfile.as_deref().is_some_and(|path| {
        let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
        path.contains(".devcontainer/")
            || name.split(['.', '-', '_']).any(|it| it.starts_with("dev") || it.starts_with("test"))
    });
    let chain = ctx.start();
    // A script or manifest that nobody has read may run them.
    let own = |it: &Program| it.word.contains('/') && !it.word.contains("bin/");
    if named || !chain.open.is_empty() || is_workplace(ctx.file, target, chain) || chain.work().any(own) {
        return true;
    }
    let tests = |it: &Program| {
        matches!(
            it.name.as_str(),
            "pytest" | "tox" | "nox" | "rspec" | "phpunit" | "jest" | "vitest" | "mocha" | "cypress" | "playwright"
        ) || it
            .arguments
            .iter()
            .flatten()
            .any(|it| matches!(it.as_str(), "runserver" | "pytest" | "test" | "--reload" | "dev"))
    };
    let needed = |it: &Program| {
        packages.iter().filter_map(|it| it.package.as_ref()).any(|package| {
            let is_dev = |name: &str| {
                let name = name.split('/').next().filter(|_| !name.starts_with('@')).unwrap_or(name);
                package.dev_dependencies.contains(name)
            };
            is_dev(&it.name)
                || crate::facts::start::development::development(it, Some(package)).is_some()
                || it.modules().into_iter().any(is_dev)
                || it.script().is_some_and(|it| it.ends_with(".ts") || it.ends_with(".tsx"))
        })
    };
    chain.programs.iter().any(|it| tests(it) || needed(it))
}

/// The message, and the saving where a lock file tells it.
fn told(ctx: &Context, installed: &DevelopmentInstall, verb: &str) -> (String, Option<Estimate>) {
    let saves = saving(ctx, installed);
    let mut message = format!("the dependencies for development {verb}");
    if let Some(package) = &installed.package {
        let mut names = package.dev_dependencies.iter();
        let named = match (package.dev_dependencies.len(), names.next(), names.next()) {
            (_, Some(first), None) => format!(": `{first}`"),
            (2, Some(first), Some(second)) => format!(": `{first}`, `{second}`"),
            (n, Some(first), Some(second)) => format!(": `{first}`, `{second}` and {} more", n - 2),
            (_, None, _) => String::new(),
        };
        message.push_str(&named);
    }
    if let Some(saves) = &saves {
        message.push_str(&format!(" ({})", saves.words()));
    }
    (message, saves)
}

/// What they weigh, by the lock file beside the manifest or the manifest itself.
fn saving(ctx: &Context, installed: &DevelopmentInstall) -> Option<Estimate> {
    let manifest = installed.manifest.as_deref().filter(|_| installed.package.is_some())?;
    let folder = manifest.strip_suffix("package.json")?;
    let names = ["npm-shrinkwrap.json", "package-lock.json", "yarn.lock", "pnpm-lock.yaml", "package.json"];
    let tells = |name: &&str| {
        let locked = ctx.context.locked(&format!("{folder}{name}"))?;
        (locked.production != locked.all).then_some(locked)
    };
    let locked = names.iter().find_map(tells)?;
    let bytes = locked.all.bytes.saturating_sub(locked.production.bytes);
    let others = u64::from(locked.all.others.saturating_sub(locked.production.others));
    if bytes == 0 {
        return None;
    }
    let basis = if locked.is_complete { Basis::Recipe } else { Basis::Relative };
    let likely = bytes + others * 150_000;
    Some(Estimate::between(bytes / 2, likely, likely * 2, basis, "packages measured 2026-11-21"))
}

/// The flag that leaves them out, where nothing behind the install may need them.
fn fix(ctx: &Context, at: &RunAt, installed: &DevelopmentInstall, command: &Command) -> Option<Fix> {
    let flag = match installed.manager {
        Manager::Npm => "--omit=dev",
        Manager::Yarn => "--production",
        Manager::Pnpm => "--prod",
        Manager::Composer | Manager::Uv => "--no-dev",
        Manager::Poetry => "--only main",
        Manager::Pipenv => return None,
        _ => return None,
    };
    // `npm ci --omit=dev` runs the scripts of the project all the same: husky would not be found.
    let scripts = ["prepare", "postinstall", "install", "preinstall", "prepublish"];
    if installed.package.as_ref().is_some_and(|it| scripts.iter().any(|name| it.scripts.contains_key(*name))) {
        return None;
    }
    let deed = deed(command)?;
    let later = ctx.final_runs().filter(|it| it.placed.at >= at.placed.at).flat_map(|it| {
        let skip = if it.placed.at == at.placed.at { installed.command + 1 } else { 0 };
        it.facts.commands.iter().skip(skip)
    });
    if { later }.any(may_need) {
        return None;
    }
    let range = if deed.word.is_empty() { at.call(command)?.program_range } else { deed.word_range };
    let edit = TextEdit::insert(at.placed.range(range).end(), format!(" {flag}"));
    Some(Fix { title: "Install without the dependencies for development".to_owned(), safety: Safety::Review, edit })
}

/// Whether a command may run a tool of the project.
fn may_need(command: &Command) -> bool {
    let system = [
        "rm", "mkdir", "chown", "chmod", "ln", "cp", "mv", "echo", "apt-get", "apk", "useradd", "adduser", "groupadd",
        "addgroup", "true", "cd", "set",
    ];
    if system.contains(&command.program.as_str()) {
        return false;
    }
    deed(command).is_none_or(|it| !matches!(it.verb, Verb::Clean | Verb::Install | Verb::Remove | Verb::Update))
}

#[cfg(test)]
mod tests;

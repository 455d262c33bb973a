//! `copy-all-before-install`: all sources are copied before the dependencies are installed, so every change installs anew.

use crate::facts::installs::{Deed, Manager, deed, requirements};
use crate::facts::landing::{self, Copied, Landed};
use crate::facts::manifest::Manifest;
use crate::facts::removes;
use crate::facts::run::Command;
use crate::facts::stage::join;
use crate::facts::walk::{self, State, is_inside};
use crate::model::{Copy, InstructionKind, Placed, Stage};
use crate::rules::{Context, Finding, Group, Related, Rule, RunAt, Severity};
use crate::text::TextRange;

/// The rule.
pub static RULE: Rule = Rule {
    name: "copy-all-before-install",
    group: Group::Cache,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
All sources are copied before the dependencies are installed, so every change of any file installs them anew.

The build cache keeps a layer as long as nothing before it changed. Manifests change rarely, sources all the time: with the
manifests alone copied first, the install is taken from the cache until one of them changes.

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY . .
RUN npm ci && npm cache clean --force
CMD ["node", "server.js"]
```

The manifests first:

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY package*.json ./
RUN npm ci && npm cache clean --force
COPY . .
CMD ["node", "server.js"]
```

Nothing is said where the install needs the sources: workspaces, `file:` dependencies, a `postinstall` script, `pip install .`.
"##,
    check,
};

/// A COPY of everything.
struct All<'a> {
    idx: usize,
    range: TextRange,
    placed: &'a Placed,
    copied: Copied,
    /// The managers that had installed from their manifests before it.
    installed: Vec<Manager>,
}

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, stage) in ctx.reaching() {
        if !stage.instructions.iter().any(|it| all_sources(ctx, it).is_some()) || builds_several(ctx, stage_idx) {
            continue;
        }
        check_stage(ctx, stage_idx, stage, acc);
    }
}

fn check_stage(ctx: &Context, stage_idx: usize, stage: &Stage, acc: &mut Vec<Finding>) {
    let states = walk::states(ctx.file, stage_idx, "/");
    let mut alls: Vec<All> = Vec::new();
    let mut installed: Vec<Manager> = Vec::new();
    let mut runs = ctx.runs(stage_idx).peekable();
    for ((idx, placed), state) in stage.instructions.iter().enumerate().zip(&states) {
        if let Some(range) = all_sources(ctx, placed) {
            let Some(copied) = landing::copied(ctx.file, stage, placed, state) else { continue };
            alls.push(All { idx, range, placed, copied, installed: installed.clone() });
            continue;
        }
        let Some(at) = runs.next_if(|at| at.idx == idx) else { continue };
        let Some(script) = at.run.script() else { continue };
        let directories = removes::directories(at.facts, script, state.directory.as_deref());
        for (command, directory) in at.facts.commands.iter().zip(directories) {
            let Some(deed) = deed(command).filter(|deed| command.certain && deed.is_from_manifest(command)) else {
                continue;
            };
            let copied = alls.iter().position(|all| {
                !all.installed.contains(&deed.manager) && is_copied(&all.copied, command, directory.as_deref())
            });
            if let Some(position) = copied
                && let Some(severity) = severity(ctx, &at, &deed, command, directory.as_deref(), &states)
            {
                let all = alls.remove(position);
                acc.push(finding(&at, &all, command, severity));
            }
            installed.push(deed.manager);
        }
    }
}

/// The source words of a COPY or ADD that brings manifests and sources together.
fn all_sources(ctx: &Context, placed: &Placed) -> Option<TextRange> {
    let (InstructionKind::Copy(copy) | InstructionKind::Add(copy)) = &placed.instruction.kind else { return None };
    let instruction = &placed.instruction;
    if instruction.flag("from").is_some() || instruction.flag("exclude").is_some() || !instruction.heredocs.is_empty() {
        return None;
    }
    if !copy.sources.iter().any(|source| is_all(ctx, &source.text)) {
        return None;
    }
    let Copy { sources, .. } = copy;
    let (first, last) = (sources.first()?, sources.last()?);
    Some(placed.range(first.range.cover(last.range)))
}

fn is_all(ctx: &Context, source: &str) -> bool {
    if matches!(source, "." | "./" | "/" | "*" | "./*") {
        // A context that lacks the program it starts is not the whole one.
        return !ctx.context.known || ctx.facts.is_started() || !holds_only_manifests(ctx, "");
    }
    // A folder of the context that holds a manifest beside other things.
    let folder = crate::context::cleaned(source);
    ctx.context.known
        && !folder.contains(['*', '?', '[', '$'])
        && MANIFESTS.iter().any(|name| ctx.context.has_file(&format!("{folder}/{name}")))
        && !holds_only_manifests(ctx, &folder)
}

/// Files that say what is to be installed, and those that lie beside a Dockerfile without being sources.
const MANIFESTS: [&str; 22] = [
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lockb",
    "bun.lock",
    ".npmrc",
    "requirements.txt",
    "Pipfile",
    "Pipfile.lock",
    "pyproject.toml",
    "poetry.lock",
    "uv.lock",
    "Gemfile",
    "Gemfile.lock",
    "composer.json",
    "composer.lock",
    "go.mod",
    "go.sum",
    "pom.xml",
    "Cargo.toml",
];

fn holds_only_manifests(ctx: &Context, folder: &str) -> bool {
    let name_of = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let beside = |name: &str| name.contains("ockerfile") || name == ".dockerignore" || name == "Containerfile";
    let mut names = ctx.context.below(if folder.is_empty() { "." } else { folder }).map(|(path, _)| name_of(path));
    names.all(|name| MANIFESTS.contains(&name.as_str()) || beside(&name))
}

/// Whether the COPY brings what the command reads.
fn is_copied(copied: &Copied, command: &Command, directory: Option<&str>) -> bool {
    let Some(directory) = directory else { return false };
    let files = requirements(command);
    if files.is_empty() {
        return is_inside(directory, &copied.destination);
    }
    files.iter().all(|file| {
        let path = file.and_then(|file| join(Some(directory), file));
        path.is_some_and(|path| is_inside(&path, &copied.destination))
    })
}

/// Tools and options that speak of several packages in one repository: their installs need more than a manifest.
fn builds_several(ctx: &Context, stage_idx: usize) -> bool {
    let options = ["--filter", "-F", "--workspace", "--workspaces", "-w", "--recursive", "-r"];
    ctx.runs(stage_idx).any(|at| {
        at.facts.commands.iter().any(|command| match command.program.as_str() {
            "lerna" | "turbo" | "nx" | "rush" => true,
            "npm" | "pnpm" | "yarn" | "npx" => {
                command.has(&options) || command.values().any(|it| matches!(it, "lerna" | "turbo" | "nx" | "workspace"))
            }
            _ => false,
        })
    })
}

/// How much the finding matters; `None` where the install needs the sources, or reads its manifests from mounts.
fn severity(
    ctx: &Context,
    at: &RunAt,
    deed: &Deed,
    command: &Command,
    directory: Option<&str>,
    states: &[State],
) -> Option<Severity> {
    if at.run.mounts.iter().any(|mount| mount.kind() == "bind") {
        return None;
    }
    let before = states.get(..at.idx)?;
    let text = |name: &str| -> Option<&str> {
        match landing::landed(ctx.file, at.stage, before, ctx.context, &join(directory, name)?) {
            Landed::File(path) => ctx.context.text(&path),
            Landed::Hidden | Landed::Nothing => None,
        }
    };
    let needs_sources = match deed.manager {
        Manager::Npm | Manager::Yarn | Manager::Pnpm | Manager::Bun => {
            let several = ["pnpm-workspace.yaml", "lerna.json"].iter().any(|name| ctx.context.has_file(name));
            several || text("package.json").and_then(Manifest::parse).is_some_and(|it| runs_sources(&it))
        }
        Manager::Pip | Manager::Uv => {
            requirements(command).iter().flatten().filter_map(|file| text(file)).any(names_folders)
        }
        Manager::Go => text("go.mod").is_some_and(|text| text.contains("=> ./") || text.contains("=> ../")),
        Manager::Composer => {
            !command.has(&["--no-scripts"])
                && text("composer.json")
                    .is_some_and(|text| text.contains("-cmd\"") || text.contains("post-autoload-dump"))
        }
        Manager::Bundler => text("Gemfile").is_some_and(|text| text.contains("gemspec") || text.contains("path:")),
        Manager::Cargo => {
            text("Cargo.toml").is_some_and(|text| text.contains("[workspace]") || text.contains("path ="))
        }
        Manager::Apt
        | Manager::Apk
        | Manager::Rpm
        | Manager::Zypper
        | Manager::Poetry
        | Manager::Pipenv
        | Manager::Conda
        | Manager::Maven
        | Manager::Gradle
        | Manager::Dotnet => false,
    };
    if needs_sources {
        return None;
    }
    let several_modules = match deed.manager {
        Manager::Maven => text("pom.xml").is_some_and(|text| text.contains("<modules>")),
        Manager::Gradle => ["settings.gradle", "settings.gradle.kts"].iter().any(|name| text(name).is_some()),
        _ => false,
    };
    let cached = at.run.mounts.iter().any(|mount| mount.kind() == "cache");
    Some(match (several_modules, cached) {
        (true, _) => Severity::Hint,
        (false, true) => Severity::Information,
        (false, false) => Severity::Warning,
    })
}

/// Whether an install of this manifest runs or links what lies beside it.
fn runs_sources(manifest: &Manifest) -> bool {
    let hooks = ["preinstall", "install", "postinstall", "prepare", "prepublish"];
    manifest.workspaces || manifest.local_packages || hooks.iter().any(|hook| manifest.scripts.contains_key(*hook))
}

/// Whether a requirements file names folders of the project.
fn names_folders(text: &str) -> bool {
    text.lines().map(str::trim).any(|line| {
        ["-e", "--editable", ".", "/", "file:"].iter().any(|start| line.starts_with(start)) || line.contains("@ file:")
    })
}

fn finding(at: &RunAt, all: &All, command: &Command, severity: Severity) -> Finding {
    let words = command.range.of(&at.placed.instruction.text);
    // A command of several lines is named by its first words.
    let named = words.split(['\n', '\\']).next().unwrap_or(words).trim();
    let message = format!("every change of any file runs `{named}` again");
    let mut finding = Finding::new(&RULE, all.range, message);
    finding.severity = severity;
    finding.cause = at.range(command);
    finding.related.push(Related { range: at.range(command), message: "the install behind it".to_owned() });
    finding.assists.push("split-copy");
    debug_assert!(all.idx < at.idx && all.placed.at < at.placed.at, "the COPY stands before the RUN");
    finding
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, findings, parse};
    use crate::rules::Severity;

    fn check_silent(body: &str) {
        check(&RULE, &format!("FROM node:22\nWORKDIR /app\n{body}"));
    }

    #[test]
    fn every_change_installs_anew() {
        let check_found = |copy: &str, run: &str| {
            let carets = "^".repeat(copy.split(' ').nth(1).unwrap_or_default().len());
            let offset = " ".repeat(copy.split(' ').next().unwrap_or_default().len());
            let text = format!("FROM node:22\nWORKDIR /app\n{copy}\n#{offset}{carets} every change\nRUN {run}\n");
            check(&RULE, &text);
        };
        check_found("COPY . .", "npm ci");
        check_found("COPY ./ /app/", "yarn --frozen-lockfile");
        check_found("ADD . /app", "apt-get update && pip install -r requirements.txt");
        check_found("COPY . /srv", "cd /srv/api && pnpm i");
        check_found("COPY . .", "go mod download");
        check_found("COPY . .", "bundle install");
        check_found("COPY . .", "mvn dependency:go-offline");
        check_found("COPY . .", "dotnet restore");
    }

    #[test]
    fn a_folder_with_manifest_and_sources_is_all_too() {
        check(
            &RULE,
            "FROM node:22\n\
             COPY api /app\n\
             #    ^^^ runs `npm ci` again\n\
             RUN cd /app && npm ci\n\
             #- api/package.json\n{}\n#- api/server.js\n\n",
        );
    }

    #[test]
    fn a_second_install_after_the_sources_is_fine() {
        check_silent("COPY package.json ./\nRUN npm ci\nCOPY . .\nRUN npm ci --omit=dev\n");
    }

    #[test]
    fn an_install_of_named_packages_reads_no_manifest() {
        check_silent("COPY . .\nRUN npm install -g pm2 && pip install flask && apt-get install -y curl\n");
    }

    #[test]
    fn an_install_elsewhere_reads_other_manifests() {
        check_silent("COPY . /srv\nRUN npm ci\n");
        check_silent("COPY . .\nRUN pip install -r /tmp/requirements.txt\n");
    }

    #[test]
    fn a_bind_mount_brings_the_manifests() {
        check_silent("COPY . .\nRUN --mount=type=bind,source=package.json,target=package.json npm ci\n");
    }

    #[test]
    fn a_cache_mount_makes_it_matter_less() {
        let text = "FROM node:22\nCOPY . .\nRUN --mount=type=cache,target=/root/.npm npm ci\n";
        let analysis = analyse(&parse(text));
        let found: Vec<Severity> = findings(&analysis, &RULE).iter().map(|it| it.severity).collect();
        assert_eq!(found, [Severity::Information]);
    }

    #[test]
    fn an_install_that_needs_the_sources_comes_after_them() {
        check_silent("COPY . .\nRUN pip install . && pip install -e .\n");
        let with = |run: &str, file: &str| check_silent(&format!("COPY . .\nRUN {run}\n#- a.js\n\n{file}\n"));
        with("npm ci", "#- package.json\n{\"workspaces\": [\"a\"]}");
        with("npm ci", "#- package.json\n{\"dependencies\": {\"a\": \"file:../a\"}}");
        with("npm ci", "#- package.json\n{\"scripts\": {\"postinstall\": \"node a.js\"}}");
        with("pnpm i", "#- package.json\n{}\n#- pnpm-workspace.yaml\npackages: []");
        with("pip install -r r.txt", "#- r.txt\nflask\n-e .");
        with("go mod download", "#- go.mod\nreplace a => ../a");
        check_silent("COPY . .\nRUN pnpm install --filter api\n");
        check_silent("COPY . .\nRUN npm ci && npx turbo build\n");
    }

    #[test]
    fn a_project_of_several_modules_is_a_hint() {
        let text =
            "FROM maven\nCOPY . /a\nRUN cd /a && mvn dependency:resolve\n#- pom.xml\n<modules></modules>\n#- a\n\n";
        let analysis = analyse(&parse(text));
        let found: Vec<Severity> = findings(&analysis, &RULE).iter().map(|it| it.severity).collect();
        assert_eq!(found, [Severity::Hint]);
    }

    #[test]
    fn a_context_of_manifests_alone_changes_as_rarely() {
        check_silent("COPY . .\nRUN npm ci\n#- package.json\n{}\n#- package-lock.json\n{}\n#- Dockerfile\n\n");
    }

    #[test]
    fn what_is_excluded_or_of_another_stage_is_not_all() {
        check_silent("COPY --exclude=src . .\nRUN npm ci\n");
        check_silent("COPY --from=node:22 . .\nRUN npm ci\n");
    }

    #[test]
    fn an_unreached_stage_is_not_counted() {
        check(&RULE, "FROM node:22 AS a\nCOPY . .\nRUN npm ci\nFROM node:22\nCMD [\"a\"]\n");
    }
}

//! `lockfile-not-copied`: an install by the lock file, and nothing brings that file to where it runs.

use crate::facts::ground::{self, Ground};
use crate::facts::history::{self, Step};
use crate::facts::installs::{Manager, deed, requirements};
use crate::facts::landing;
use crate::facts::plain;
use crate::facts::removes;
use crate::facts::run::Command;
use crate::facts::stage::join;
use crate::model::{Copy, InstructionKind};
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Safety, Severity};
use crate::text::TextEdit;

/// The rule.
pub static RULE: Rule = Rule {
    name: "lockfile-not-copied",
    group: Group::Correctness,
    severity: Severity::Error,
    on: true,
    also: &[],
    doc: r##"
The install needs a lock file, and no instruction before it brings one to the directory where it runs.

`npm ci` stops with EUSAGE without `package-lock.json`, and `--frozen-lockfile`, `--immutable`, `--locked` and their like
stop too: the build fails.

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY package.json ./
RUN npm ci && npm cache clean --force
CMD ["node", "server.js"]
#- package.json
{"dependencies": {"express": "4.19.2"}}
#- package-lock.json
{"lockfileVersion": 3, "packages": {"": {"dependencies": {"express": "4.19.2"}}}}
```

With it:

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci && npm cache clean --force
CMD ["node", "server.js"]
#- package.json
{"dependencies": {"express": "4.19.2"}}
#- package-lock.json
{"lockfileVersion": 3, "packages": {"": {"dependencies": {"express": "4.19.2"}}}}
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, _) in ctx.reaching() {
        let mut steps: Option<Vec<Step>> = None;
        for at in ctx.runs(stage_idx) {
            for (idx, command) in at.facts.commands.iter().enumerate().filter(|(_, command)| command.certain) {
                let Some(need) = need(command, &at) else { continue };
                if at.call(command).is_none_or(|call| plain::is_foreseen(call, &at.placed.instruction.text)) {
                    continue;
                }
                let steps = steps.get_or_insert_with(|| history::steps(ctx.file, stage_idx, usize::MAX));
                let before = steps.partition_point(|it| it.stage_idx != stage_idx || it.idx < at.idx);
                acc.extend(finding(ctx, &at, idx, command, &need, steps.get(..before).unwrap_or_default()));
            }
        }
    }
}

/// What an install cannot do without.
struct Need<'a> {
    /// One of these, as paths from where it runs.
    locks: Vec<&'a str>,
    /// The manifest that lies beside it; empty where the lock file is named itself.
    manifest: &'static str,
    /// What is said of it.
    told: String,
}

/// What a command needs; `None` where it does without.
fn need<'a>(command: &'a Command, at: &RunAt) -> Option<Need<'a>> {
    let told = |words: &str| format!("`{words}`");
    if command.program == "cargo" {
        let works = matches!(command.subcommand(), Some("build" | "b" | "run" | "test" | "fetch" | "check" | "rustc"));
        let flag = ["--locked", "--frozen"].into_iter().find(|flag| command.has(&[flag]))?;
        return (works && !command.has(&["--manifest-path"])).then(|| Need {
            locks: vec!["Cargo.lock"],
            manifest: "Cargo.toml",
            told: told(&format!("cargo {} {flag}", command.subcommand().unwrap_or_default())),
        });
    }
    let deed = deed(command).filter(|deed| deed.is_from_manifest(command))?;
    let need = |locks: &[&'a str], manifest, words: &str| Need { locks: locks.to_vec(), manifest, told: told(words) };
    match deed.manager {
        Manager::Npm => {
            let is_ci = matches!(deed.word, "ci" | "clean-install" | "ic" | "install-clean" | "cit");
            let global = command.has(&["-g", "--global", "-w", "--workspace"]);
            let told = format!("npm {}", deed.word);
            (is_ci && !global).then(|| need(&["package-lock.json", "npm-shrinkwrap.json"], "package.json", &told))
        }
        Manager::Pnpm => command
            .has(&["--frozen-lockfile"])
            .then(|| need(&["pnpm-lock.yaml"], "package.json", "pnpm install --frozen-lockfile")),
        Manager::Yarn => {
            command.has(&["--immutable"]).then(|| need(&["yarn.lock"], "package.json", "yarn install --immutable"))
        }
        Manager::Bun => command
            .has(&["--frozen-lockfile"])
            .then(|| need(&["bun.lock", "bun.lockb"], "package.json", "bun install --frozen-lockfile")),
        Manager::Uv => {
            let flag = ["--locked", "--frozen"].into_iter().find(|flag| command.has(&[flag]))?;
            (deed.word == "sync" && !command.has(&["--project", "--directory"]))
                .then(|| need(&["uv.lock"], "pyproject.toml", &format!("uv sync {flag}")))
        }
        Manager::Bundler => {
            let set = |name: &str| {
                let value = at.stage.scope.get_at(name, at.placed.at).and_then(|it| it.value.clone());
                value.is_some_and(|it| matches!(it.as_str(), "1" | "true"))
            };
            let frozen = set("BUNDLE_DEPLOYMENT") || set("BUNDLE_FROZEN") || command.has(&["--deployment", "--frozen"]);
            let elsewhere = at.stage.scope.get("BUNDLE_GEMFILE").is_some() || command.has(&["--gemfile"]);
            (frozen && !elsewhere).then(|| need(&["Gemfile.lock"], "Gemfile", "bundle install"))
        }
        Manager::Pip if command.has(&["--require-hashes"]) => {
            let files = requirements(command);
            let [Some(file)] = files.as_slice() else { return None };
            Some(need(&[file], "", "pip install --require-hashes"))
        }
        Manager::Pip
        | Manager::Apt
        | Manager::Apk
        | Manager::Rpm
        | Manager::Zypper
        | Manager::Poetry
        | Manager::Pipenv
        | Manager::Conda
        | Manager::Composer
        | Manager::Go
        | Manager::Cargo
        | Manager::Maven
        | Manager::Gradle
        | Manager::Dotnet => None,
    }
}

/// `steps` is what was carried out before the RUN.
fn finding(ctx: &Context, at: &RunAt, idx: usize, command: &Command, need: &Need, steps: &[Step]) -> Option<Finding> {
    // A mount may bring it, and an image that nobody knows may have it.
    if at.run.mounts.iter().any(|mount| mount.kind() == "bind") {
        return None;
    }
    let ground = ground::of(ctx.file, ctx.images, at.stage_idx);
    let on_build = ground.image().is_some_and(|image| image.tag.as_deref().is_some_and(|tag| tag.contains("onbuild")));
    if ground == Ground::Unknown || on_build {
        return None;
    }
    let here = here(ctx, at, idx, command)?;
    // npm, pnpm, cargo and uv look in the directories above too, where the root of a workspace may lie.
    let directories = above(&here);
    let mut manifest = None;
    for step in steps {
        if step.is_open_run(ctx.facts) || matches!(step.placed.instruction.kind, InstructionKind::Onbuild(_)) {
            return None;
        }
        for directory in &directories {
            for lock in &need.locks {
                let path = join(Some(directory), lock)?;
                if step.may_bring(ctx.file, ctx.context, &path, &[]) {
                    return None;
                }
            }
        }
        let path = join(Some(&here), need.manifest)?;
        if !need.manifest.is_empty() && step.may_bring(ctx.file, ctx.context, &path, &[]) {
            manifest = Some(step);
        }
    }
    // What the commands before it in the same RUN may have made, nobody knows.
    let earlier = at.facts.commands.get(..idx)?;
    let script = at.run.script()?;
    let writes = |it: &Command| script.calls.get(it.call).is_some_and(crate::facts::quiet::redirects);
    if earlier.iter().any(|it| !crate::facts::quiet::is_quiet(it) || writes(it)) {
        return None;
    }
    if manifest.is_none() && !need.manifest.is_empty() {
        return None;
    }
    if ctx.context.known && history::is_doubtful(ctx.file, ctx.context) {
        return None;
    }
    let lock = need.locks.first()?;
    let message = format!("{} needs `{lock}`, which nothing brings to `{here}`", need.told);
    let mut res = Finding::new(&RULE, at.range(command), message);
    res.fix = manifest.and_then(|step| fix(ctx, step, need));
    Some(res)
}

/// The directory in which the install works.
fn here(ctx: &Context, at: &RunAt, idx: usize, command: &Command) -> Option<String> {
    let states = crate::facts::walk::states(ctx.file, at.stage_idx, "/");
    let start = states.get(at.idx)?.directory.as_deref();
    let here = removes::directories(at.facts, at.run.script()?, start).into_iter().nth(idx)??;
    let mut arguments = command.arguments.iter();
    while let Some(argument) = arguments.next() {
        let value = argument.value.as_deref()?;
        let (option, value) = match value.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (value, None),
        };
        if matches!(option, "--prefix" | "-C" | "--dir" | "--cwd") {
            let to = value.or_else(|| arguments.next()?.value.as_deref())?;
            return join(Some(&here), to);
        }
    }
    here.starts_with('/').then_some(here)
}

/// A directory and those above it.
fn above(directory: &str) -> Vec<String> {
    let mut res = vec![directory.to_owned()];
    let mut rest = directory;
    while let Some((parent, _)) = rest.rsplit_once('/') {
        res.push(if parent.is_empty() { "/".to_owned() } else { parent.to_owned() });
        rest = parent;
    }
    res
}

/// The lock file beside the manifest in the COPY that brings this, where the context has it.
fn fix(ctx: &Context, step: &Step, need: &Need) -> Option<Fix> {
    let InstructionKind::Copy(Copy { sources, json: false, .. }) = &step.placed.instruction.kind else { return None };
    let state = &step.state;
    let copied = landing::copied(ctx.file, step.stage, step.placed, state).filter(|it| it.from_context)?;
    let word = sources.iter().find(|word| word.text.rsplit('/').next() == Some(need.manifest))?;
    let folder = word.text.strip_suffix(need.manifest)?;
    let lock = need.locks.iter().find(|lock| ctx.context.has_file(&format!("{folder}{lock}")))?;
    copied.into_directory.then(|| Fix {
        title: format!("Copy `{folder}{lock}` too"),
        safety: Safety::Review,
        edit: TextEdit::insert(step.placed.range(word.range).end(), format!(" {folder}{lock}")),
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    fn check_silent(body: &str) {
        check(&RULE, &format!("FROM node:22\nWORKDIR /app\n{body}\n"));
    }

    #[test]
    fn the_manifest_alone_is_not_enough() {
        check(
            &RULE,
            "FROM node:22\n\
             WORKDIR /app\n\
             COPY package.json ./\n\
             RUN npm ci --omit=dev && npm cache clean --force\n\
             #   ^^^^^^^^^^^^^^^^^ `npm ci` needs `package-lock.json`, which nothing brings to `/app`\n",
        );
        check(
            &RULE,
            "FROM node:22\n\
             COPY web/package.json web/tsconfig.json /srv/web/\n\
             RUN apt-get update && cd /srv/web && npm ci\n\
             #                                    ^^^^^^ brings to `/srv/web`\n",
        );
    }

    #[test]
    fn a_context_without_lock_file_has_none_to_copy() {
        let text = "FROM node:22\n\
             WORKDIR /app\n\
             COPY . .\n\
             RUN npm ci\n\
             #   ^^^^^^ `npm ci` needs `package-lock.json`\n\
             #- package.json\n{}\n";
        check(&RULE, text);
        check_no_fix(&RULE, text);
        check(&RULE, &format!("{text}#- package-lock.json\n{{}}\n#- .dockerignore\npackage-lock.json\n"));
    }

    #[test]
    fn each_manager_has_its_own_lock_file() {
        for (image, files, command) in [
            ("node:22", "package.json", "pnpm install --frozen-lockfile"),
            ("node:22", "package.json", "yarn install --immutable"),
            ("node:22", "package.json package-lock.json", "bun install --frozen-lockfile"),
            ("python:3.12", "pyproject.toml", "uv sync --locked"),
            ("rust:1", "Cargo.toml", "cargo build --release --locked"),
            ("ruby:3.3", "Gemfile", "bundle install --deployment"),
            ("python:3.12", "a.txt", "pip install --require-hashes -r b.txt"),
        ] {
            let carets = "^".repeat(command.len());
            check(&RULE, &format!("FROM {image}\nCOPY {files} /\nRUN {command}\n#   {carets} needs\n"));
        }
        for command in ["yarn install --frozen-lockfile", "pnpm install", "npm install", "cargo install --locked x"] {
            check_silent(&format!("COPY package.json Cargo.toml ./\nRUN {command}"));
        }
    }

    #[test]
    fn a_copy_that_could_hold_it_is_enough() {
        for line in [
            "COPY package*.json ./",
            "COPY . .",
            "COPY app .",
            "COPY app/ /app/",
            "COPY $FILES ./",
            "COPY package.json *.json ./",
            "COPY package.json ./\nADD app.tar.gz .",
            "COPY package-lock.json /\nCOPY package.json ./",
        ] {
            check_silent(&format!("{line}\nRUN npm ci"));
        }
    }

    #[test]
    fn a_context_that_lacks_what_is_copied_is_perhaps_another() {
        let copy = "COPY . .\nRUN pnpm install --frozen-lockfile\nCOPY packages/a/Caddyfile /etc/";
        check_silent(&format!("{copy}\n#- package.json\n{{}}\n#- Dockerfile\na"));
    }

    #[test]
    fn a_mount_may_bring_it() {
        check_silent(
            "COPY package.json .\nRUN --mount=type=bind,source=package-lock.json,target=package-lock.json npm ci",
        );
    }

    #[test]
    fn another_stage_may_hold_it() {
        check_silent("COPY --from=deps /app ./\nRUN npm ci");
        check(
            &RULE,
            "FROM node:22 AS base\nWORKDIR /app\nCOPY package*.json ./\nFROM base\nCOPY package.json ./\nRUN npm ci\n",
        );
    }

    #[test]
    fn an_earlier_command_may_make_it() {
        check_silent("COPY package.json ./\nRUN npm install --package-lock-only\nRUN npm ci");
        check_silent("COPY package.json ./\nRUN npm install --package-lock-only && npm ci");
        check_silent("COPY package.json ./\nRUN curl -o package-lock.json https://x.org\nRUN npm ci");
        check_silent("COPY package.json ./\nRUN echo '{}' > package-lock.json && npm ci");
    }

    #[test]
    fn an_unknown_base_may_have_it() {
        check(&RULE, "FROM example.com/app\nCOPY package.json ./\nRUN npm ci\n");
        check(&RULE, "FROM node:10-onbuild\nCOPY package.json ./\nRUN npm ci\n");
    }

    #[test]
    fn without_a_manifest_nobody_knows_what_is_meant() {
        check_silent("RUN npm ci");
    }

    #[test]
    fn an_install_that_may_not_run_is_no_fault() {
        check_silent("COPY package.json ./\nRUN npm ci || npm install");
    }

    #[test]
    fn the_lock_file_is_copied_beside_the_manifest() {
        let file = |sources: &str| {
            format!(
                "FROM node:22\nCOPY {sources} /srv/\nRUN cd /srv && npm ci\n\
                 #- web/package.json\n{{}}\n#- web/package-lock.json\n{{}}\n"
            )
        };
        check_fix(&RULE, Safety::Review, &file("web/package.json"), &file("web/package.json web/package-lock.json"));
    }
}

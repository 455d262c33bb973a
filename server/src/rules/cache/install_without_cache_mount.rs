//! `install-without-cache-mount`: an install fetches again what a cache mount would keep.

use crate::config::Builder;
use crate::facts::installs::{Deed, Manager, Verb, deed};
use crate::facts::run::Command;
use crate::facts::stage::User;
use crate::facts::walk::is_root;
use crate::rules::{Context, Finding, Group, Rule, RunAt, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "install-without-cache-mount",
    group: Group::Cache,
    severity: Severity::Hint,
    on: false,
    also: &[],
    doc: r##"
An install fetches everything again that a cache mount would have kept from the build before.

A cache mount lies outside the layers: it outlives a changed manifest, and nothing of it is shipped. Nearly every file could
have one, so this rule is off by default; the action that adds the mount is always there.

```dockerfile
FROM node:22-slim AS build
COPY package*.json ./
RUN npm ci
FROM node:22-slim
COPY --from=build node_modules node_modules
CMD ["node", "server.js"]
#- plimsoll.toml
rules.install-without-cache-mount = "hint"
```

With a mount:

```dockerfile
FROM node:22-slim AS build
COPY package*.json ./
RUN --mount=type=cache,target=/root/.npm npm ci
FROM node:22-slim
COPY --from=build node_modules node_modules
CMD ["node", "server.js"]
#- plimsoll.toml
rules.install-without-cache-mount = "hint"
```

Nothing is said where the cache is switched off or its folder is not known, and for the classic builder, which has no mounts.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    if ctx.config.builder == Builder::Classic || !allows_mounts(ctx.file.directives.syntax.as_deref()) {
        return;
    }
    for (stage_idx, _) in ctx.reaching() {
        for at in ctx.runs(stage_idx) {
            if at.run.mounts.iter().any(|mount| mount.kind() == "cache") || at.run.script().is_none() {
                continue;
            }
            let found = at
                .facts
                .commands
                .iter()
                .filter(|it| it.certain)
                .find_map(|command| Some((command, cache(ctx, &at, command)?)));
            let Some((command, place)) = found else { continue };
            let message = format!("no mount keeps `{place}` from one build to the next");
            let mut finding = Finding::new(&RULE, at.range(command), message);
            finding.assists.push("add-cache-mount");
            acc.push(finding);
        }
    }
}

/// Whether the syntax knows `RUN --mount`: none named, or `docker/dockerfile` from 1.2 on.
fn allows_mounts(syntax: Option<&str>) -> bool {
    let Some(syntax) = syntax else { return true };
    let Some((_, tag)) = syntax.split('@').next().unwrap_or(syntax).rsplit_once(':') else { return true };
    let mut numbers = tag.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(1), Some(minor)) => minor >= 2 || tag.contains("experimental"),
        (Some(0), _) => false,
        (Some(_) | None, _) => true,
    }
}

/// Where the manager of an install keeps what it fetched; `None` for other commands, and where that is not known or
/// switched off.
fn cache(ctx: &Context, at: &RunAt, command: &Command) -> Option<String> {
    let deed: Deed = deed(command).filter(|it| it.verb == Verb::Install)?;
    let set = |names: &[&str]| {
        let text = &*at.placed.instruction.text;
        names.iter().any(|name| at.stage.scope.get_at(name, at.placed.at).is_some() || text.contains(name))
    };
    let (place, flags, variables): (&str, &[&str], &[&str]) = match deed.manager {
        Manager::Apt => return Some("/var/cache/apt".to_owned()),
        Manager::Apk if command.has(&["--no-cache"]) => return None,
        Manager::Apk => return Some("/var/cache/apk".to_owned()),
        Manager::Rpm => return Some("/var/cache/dnf".to_owned()),
        Manager::Zypper => return Some("/var/cache/zypp".to_owned()),
        Manager::Go => (".", &[], &["GOPATH", "GOMODCACHE"]),
        Manager::Npm => (".npm", &["--cache"], &["npm_config_cache", "NPM_CONFIG_CACHE"]),
        Manager::Yarn => {
            return (!set(&["YARN_CACHE_FOLDER"]) && !command.has(&["--cache-folder"]))
                .then(|| "/usr/local/share/.cache/yarn".to_owned());
        }
        Manager::Pip => {
            (".cache/pip", &["--no-cache-dir", "--cache-dir"], &["PIP_NO_CACHE_DIR", "PIP_CACHE_DIR", "XDG_CACHE_HOME"])
        }
        Manager::Poetry => (".cache/pypoetry", &["--no-cache"], &["POETRY_CACHE_DIR", "XDG_CACHE_HOME"]),
        Manager::Uv => (".cache/uv", &["--no-cache", "-n"], &["UV_NO_CACHE", "UV_CACHE_DIR", "XDG_CACHE_HOME"]),
        Manager::Composer => (".composer/cache", &["--no-cache"], &["COMPOSER_CACHE_DIR", "COMPOSER_HOME"]),
        Manager::Maven => (".m2", &["-o", "--offline"], &[]),
        Manager::Gradle => (".gradle", &["--offline"], &["GRADLE_USER_HOME"]),
        Manager::Dotnet => (".nuget/packages", &[], &["NUGET_PACKAGES"]),
        Manager::Cargo => return (!set(&["CARGO_HOME"])).then(|| "/usr/local/cargo/registry".to_owned()),
        Manager::Bundler | Manager::Pnpm | Manager::Bun | Manager::Pipenv | Manager::Conda => return None,
    };
    if command.has(flags) && !flags.is_empty()
        || set(variables)
        || set(&["HOME"])
        || at.call(command)?.wrapper.is_some()
    {
        return None;
    }
    let facts = ctx.facts.stages.get(at.stage_idx)?;
    let is_root = match facts.users.get(at.idx)? {
        User::Named(name) => is_root(name),
        User::OfImage => {
            let image = ctx.facts.image(ctx.file, at.stage_idx)?;
            is_root(ctx.images.traits(image)?.default_user.as_deref()?)
        }
        User::Unknown => false,
    };
    // The images of Go set GOPATH themselves.
    let path = if deed.manager == Manager::Go { "/go/pkg/mod".to_owned() } else { format!("/root/{place}") };
    is_root.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, findings, parse};

    const ON: &str = "#- plimsoll.toml\nrules.install-without-cache-mount = \"hint\"\n";

    fn found(text: &str) -> usize {
        findings(&analyse(&parse(&format!("{text}\nCMD [\"a\"]\n{ON}"))), &RULE).len()
    }

    #[test]
    fn the_install_fetches_all_again() {
        check(
            &RULE,
            &format!(
                "FROM python:3.12 AS b\n\
                 RUN pip install -r r.txt\n\
                 #   ^^^^^^^^^^^^^^^^^^^^ no mount keeps `/root/.cache/pip`\n\
                 FROM scratch\n\
                 COPY --from=b /a /a\n\
                 CMD [\"a\"]\n{ON}"
            ),
        );
        assert_eq!(found("# syntax=docker/dockerfile:1.7\nFROM debian:12\nRUN apt-get install -y a"), 1);
    }

    #[test]
    fn it_is_off_until_it_is_asked_for() {
        check(&RULE, "FROM node:22\nRUN npm ci\nCMD [\"a\"]\n");
    }

    #[test]
    fn any_mount_is_enough() {
        assert_eq!(found("FROM node:22\nRUN --mount=type=cache,target=/x npm ci"), 0);
    }

    #[test]
    fn an_old_syntax_or_builder_has_no_mounts() {
        assert_eq!(found("# syntax=docker/dockerfile:1.0\nFROM node:22\nRUN npm ci"), 0);
        let classic = "#- plimsoll.toml\nbuilder = \"classic\"\nrules.install-without-cache-mount = \"hint\"\n";
        let classic = format!("FROM node:22\nRUN npm ci\nCMD [\"a\"]\n{classic}");
        assert!(findings(&analyse(&parse(&classic)), &RULE).is_empty());
    }

    #[test]
    fn a_cache_that_is_switched_off_needs_no_mount() {
        assert_eq!(found("FROM python:3.12\nRUN pip install --no-cache-dir -r r.txt"), 0);
        assert_eq!(found("FROM python:3.12\nENV PIP_NO_CACHE_DIR=1\nRUN pip install -r r.txt"), 0);
        assert_eq!(found("FROM alpine:3.20\nRUN apk add --no-cache git"), 0);
    }

    #[test]
    fn a_home_that_is_not_known_is_left_alone() {
        assert_eq!(found("FROM node:22\nUSER app\nRUN npm ci"), 0);
        assert_eq!(found("FROM example.com/a:1\nRUN npm ci"), 0);
        assert_eq!(found("FROM node:22\nENV HOME=/x\nRUN npm ci"), 0);
    }
}

//! `ineffective-cache-mount`: a cache mount that the command does not use.

use crate::facts::installs::{Deed, Manager, Verb, deed};
use crate::facts::run::{Argument, Command, is_below};
use crate::facts::stage::User;
use crate::facts::walk::is_root;
use crate::model::{Base, InstructionKind, Mount};
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Safety, Severity};
use crate::text::{Local, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "ineffective-cache-mount",
    group: Group::Cache,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
A cache mount is there, and the command does not use it: all is fetched each time although the line looks cached.

The cache is switched off by a flag or variable, emptied in the same `RUN`, or lies elsewhere for the user that runs the
command; or apt deletes what it fetched, as the official Debian and Ubuntu images tell it to.

```dockerfile
FROM python:3.12-slim
COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache/pip pip install --no-cache-dir -r requirements.txt
CMD ["python", "app.py"]
```

With the cache switched on:

```dockerfile
FROM python:3.12-slim
COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt
CMD ["python", "app.py"]
```

Nothing is said where home, user or cache folder are not known, and where another command of the `RUN` uses the mount.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, _) in ctx.reaching() {
        for at in ctx.runs(stage_idx) {
            for mount in at.run.mounts.iter().filter(|mount| mount.kind() == "cache") {
                let Some(target) = mount.target().filter(|word| !word.text.contains('$')) else { continue };
                let target = target.text.trim_matches(['"', '\'']).trim_end_matches('/').to_owned();
                acc.extend(judge(ctx, &at, mount, &target));
            }
        }
    }
}

/// A manager's cache: where it lies below the home folder or from the root, and what switches it off.
struct Cache {
    manager: Manager,
    /// Below the home folder.
    homely: &'static [&'static str],
    /// Absolute.
    absolute: &'static [&'static str],
    flags: &'static [&'static str],
    variables: &'static [&'static str],
    /// Variables that move the cache.
    moves: &'static [&'static str],
}

static CACHES: &[Cache] = &[
    Cache {
        manager: Manager::Pip,
        homely: &[".cache/pip"],
        absolute: &[],
        flags: &["--no-cache-dir"],
        variables: &["PIP_NO_CACHE_DIR"],
        moves: &["PIP_CACHE_DIR", "XDG_CACHE_HOME"],
    },
    Cache {
        manager: Manager::Uv,
        homely: &[".cache/uv"],
        absolute: &[],
        flags: &["--no-cache", "-n"],
        variables: &["UV_NO_CACHE"],
        moves: &["UV_CACHE_DIR", "XDG_CACHE_HOME"],
    },
    Cache {
        manager: Manager::Poetry,
        homely: &[".cache/pypoetry"],
        absolute: &[],
        flags: &["--no-cache"],
        variables: &[],
        moves: &["POETRY_CACHE_DIR", "XDG_CACHE_HOME"],
    },
    Cache {
        manager: Manager::Npm,
        homely: &[".npm"],
        absolute: &[],
        flags: &[],
        variables: &[],
        moves: &["npm_config_cache", "NPM_CONFIG_CACHE"],
    },
    Cache {
        manager: Manager::Composer,
        homely: &[".composer/cache", ".cache/composer", ".composer"],
        absolute: &[],
        flags: &["--no-cache"],
        variables: &[],
        moves: &["COMPOSER_CACHE_DIR", "COMPOSER_HOME", "XDG_CACHE_HOME"],
    },
    Cache {
        manager: Manager::Apk,
        homely: &[],
        absolute: &["/var/cache/apk", "/etc/apk/cache"],
        flags: &["--no-cache"],
        variables: &[],
        moves: &[],
    },
];

fn judge(ctx: &Context, at: &RunAt, mount: &Mount, target: &str) -> Option<Finding> {
    if target == "/var/cache/apt" || target == "/var/cache/apt/archives" {
        return of_apt(ctx, at, mount);
    }
    let is_it = |place: &&str| target.strip_suffix(*place).is_some_and(|home| home.ends_with('/'));
    let cache = CACHES.iter().find(|it| it.homely.iter().any(is_it) || it.absolute.contains(&target))?;
    let used = |command: &Command| -> bool {
        deed(command).is_some_and(|it| it.manager == cache.manager && it.verb == Verb::Install)
    };
    let mut users = at.facts.commands.iter().filter(|it| used(it));
    let command = users.next()?;
    // Another command may use it, or none is known of the RUN.
    if users.next().is_some() || moved(at, cache) {
        return None;
    }
    if let Some(argument) =
        command.arguments.iter().find(|it| it.value.as_deref().is_some_and(|value| cache.flags.contains(&value)))
    {
        let flag = argument.value.as_deref().unwrap_or_default();
        let message = format!("`{flag}` switches off the cache that is mounted");
        let mut finding = Finding::new(&RULE, at.placed.range(argument.range), message);
        finding.cause = at.placed.whole();
        finding.fix = without(at, argument);
        return Some(finding);
    }
    let off = |name: &&&str| {
        let variable = at.stage.scope.get_at(name, at.placed.at);
        variable.is_some_and(|it| it.value.as_deref().is_some_and(|value| !value.is_empty()))
    };
    if let Some(name) = cache.variables.iter().find(off) {
        let message = format!("`{name}` switches off the cache that is mounted");
        let mut finding = Finding::new(&RULE, at.placed.range(mount.range), message);
        finding.cause = at.placed.whole();
        return Some(finding);
    }
    let clean = at
        .facts
        .commands
        .iter()
        .filter(|it| it.certain)
        .find(|it| is_clean(it, cache.manager))
        .or_else(|| at.facts.commands.iter().find(|it| removes(it, target)));
    if let Some(clean) = clean {
        let mut finding = Finding::new(&RULE, at.range(clean), "this empties the cache that is mounted");
        finding.cause = at.placed.whole();
        finding.fix = without_command(at, clean);
        return Some(finding);
    }
    elsewhere(ctx, at, mount, cache, target, command)
}

/// Whether a variable puts the cache elsewhere.
fn moved(at: &RunAt, cache: &Cache) -> bool {
    let text = &*at.placed.instruction.text;
    cache.moves.iter().any(|name| at.stage.scope.get_at(name, at.placed.at).is_some() || text.contains(name))
}

fn is_clean(command: &Command, manager: Manager) -> bool {
    deed(command).is_some_and(|it: Deed| it.manager == manager && it.verb == Verb::Clean && !it.word.is_empty())
}

/// `rm -rf /root/.npm`
fn removes(command: &Command, target: &str) -> bool {
    command.program == "rm"
        && command.certain
        && command.values().any(|it| it.trim_end_matches("/*").trim_end_matches('/') == target)
}

/// A mount below a home folder that is not the user's.
fn elsewhere(
    ctx: &Context,
    at: &RunAt,
    mount: &Mount,
    cache: &Cache,
    target: &str,
    command: &Command,
) -> Option<Finding> {
    let place = cache.homely.iter().find(|place| target.ends_with(**place))?;
    let mounted_home = target.strip_suffix(*place)?.trim_end_matches('/');
    let wrapper = at.call(command)?.wrapper.as_deref();
    let is_set = at.stage.scope.get_at("HOME", at.placed.at).is_some() || at.placed.instruction.text.contains("HOME");
    let named = command.values().any(|it| it.contains(target));
    if wrapper.is_some() || is_set || named {
        return None;
    }
    let facts = ctx.facts.stages.get(at.stage_idx)?;
    let (user, home) = match facts.users.get(at.idx)? {
        User::Named(name) if is_root(name) => ("root", "/root".to_owned()),
        User::Named(name) if name == "node" || name == "1000" && is_node(ctx, at) => ("node", "/home/node".to_owned()),
        User::OfImage => {
            let image = ctx.facts.image(ctx.file, at.stage_idx)?;
            let default = ctx.images.traits(image)?.default_user.clone()?;
            is_root(&default).then(|| ("root", "/root".to_owned()))?
        }
        // A user that another instruction made: home is where it usually is, but who knows.
        User::Named(name) if mounted_home == "/root" && !name.contains(':') => (name.as_str(), format!("/home/{name}")),
        User::Named(_) | User::Unknown => return None,
    };
    if mounted_home == home || !is_below(mounted_home, "/root") && !is_below(mounted_home, "/home") {
        return None;
    }
    let message = format!("`{user}` keeps this cache in `{home}/{place}`");
    let mut finding = Finding::new(&RULE, at.placed.range(mount.target()?.range), message);
    finding.cause = at.placed.whole();
    Some(finding)
}

fn is_node(ctx: &Context, at: &RunAt) -> bool {
    ctx.facts.image(ctx.file, at.stage_idx).is_some_and(|image| image.repository() == "docker.io/library/node")
}

/// Archives of apt, which the official images have deleted after each install.
fn of_apt(ctx: &Context, at: &RunAt, mount: &Mount) -> Option<Finding> {
    let is_install =
        |command: &&Command| deed(command).is_some_and(|it| it.manager == Manager::Apt && it.verb == Verb::Install);
    at.facts.commands.iter().find(is_install)?;
    let image = ctx.facts.image(ctx.file, at.stage_idx)?;
    let official = image.registry == "docker.io" && image.path.starts_with("library/");
    let deletes = official && ctx.images.traits(image)?.package_manager == "apt";
    if deletes && !keeps_archives(ctx, at) {
        let message = "`docker-clean` of the base image deletes what apt fetched, so this cache stays empty";
        let mut finding = Finding::new(&RULE, at.placed.range(mount.range), message);
        finding.cause = at.placed.whole();
        return Some(finding);
    }
    let lists = at.facts.left.iter().any(|left| left.cache == crate::facts::caches::Cache::AptLists);
    if deletes && lists && !at.facts.is_mounted("/var/lib/apt/lists") {
        let message = "without a mount of `/var/lib/apt` the lists are fetched each time and stay in the layer";
        let mut finding = Finding::new(&RULE, at.placed.range(mount.range), message);
        finding.cause = at.placed.whole();
        return Some(finding);
    }
    None
}

/// Whether anything up to this RUN changes what apt does with its archives.
fn keeps_archives(ctx: &Context, at: &RunAt) -> bool {
    let tells = |text: &str| {
        ["docker-clean", "Keep-Downloaded", "keep-cache", "apt.conf", "Dir::Cache", "APT::"]
            .iter()
            .any(|word| text.contains(word))
    };
    let mut stage_idx = at.stage_idx;
    let mut last = at.idx;
    loop {
        let Some(stage) = ctx.file.stages.get(stage_idx) else { return true };
        let mut instructions = stage.instructions.iter().take(last.saturating_add(1));
        let copies = |kind: &InstructionKind, text: &str| {
            matches!(kind, InstructionKind::Copy(_) | InstructionKind::Add(_))
                && text.contains("/etc")
                && (text.contains("apt") || text.contains("/etc/ ") || text.ends_with("/etc"))
        };
        if instructions.any(|it| {
            let text = &*it.instruction.text;
            matches!(it.instruction.kind, InstructionKind::Run(_)) && tells(text) || copies(&it.instruction.kind, text)
        }) {
            return true;
        }
        match stage.base {
            Base::Stage(parent) if parent < stage_idx => {
                stage_idx = parent;
                last = usize::MAX;
            }
            Base::Stage(_) | Base::Image(_) | Base::Scratch | Base::Unknown(_) => return false,
        }
    }
}

/// Deletes an argument with the blanks before it.
fn without(at: &RunAt, argument: &Argument) -> Option<Fix> {
    let text = &*at.placed.instruction.text;
    let word = argument.range.of(text);
    let before = text.get(..argument.range.start as usize)?;
    let start = before.trim_end_matches([' ', '\t']).len();
    (argument.value.as_deref() == Some(word) && start < before.len()).then(|| Fix {
        title: format!("Delete `{word}`"),
        safety: Safety::Review,
        edit: TextEdit::replace(at.placed.range(Local::new(start, argument.range.end as usize)), ""),
    })
}

/// Deletes ` && command` at the end of a RUN.
fn without_command(at: &RunAt, command: &Command) -> Option<Fix> {
    let text = &*at.placed.instruction.text;
    let behind = text.get(command.range.end as usize..)?;
    let before = text.get(..command.range.start as usize)?;
    let trimmed = before.trim_end();
    let joined = trimmed.strip_suffix("&&")?.trim_end().trim_end_matches('\\').trim_end();
    let plain = behind.trim().is_empty() && before.get(joined.len()..).is_some_and(|it| !it.contains('#'));
    (plain && at.is_plain(command)).then(|| Fix {
        title: "Keep the cache".to_owned(),
        safety: Safety::Review,
        edit: TextEdit::replace(at.placed.range(Local::new(joined.len(), command.range.end as usize)), ""),
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix};
    use crate::rules::Safety;

    const PIP: &str = "--mount=type=cache,target=/root/.cache/pip";

    #[test]
    fn a_switch_turns_the_cache_off() {
        check(
            &RULE,
            "FROM python:3.12\n\
             RUN --mount=type=cache,target=/root/.cache/pip pip install --no-cache-dir -r r.txt\n\
             #                                                          ^^^^^^^^^^^^^^ `--no-cache-dir` switches off the cache\n\
             CMD [\"a\"]\n",
        );
        check(
            &RULE,
            "FROM python:3.12\n\
             ENV PIP_NO_CACHE_DIR=1\n\
             RUN --mount=type=cache,target=/root/.cache/pip pip install -r r.txt\n\
             #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `PIP_NO_CACHE_DIR` switches off\n\
             CMD [\"a\"]\n",
        );
        check(
            &RULE,
            "FROM alpine:3.20\n\
             RUN --mount=type=cache,target=/var/cache/apk apk add --no-cache git\n\
             #                                                    ^^^^^^^^^^ `--no-cache`\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn a_cache_that_is_emptied_at_once_saves_nothing() {
        check(
            &RULE,
            "FROM node:22\n\
             RUN --mount=type=cache,target=/root/.npm npm ci && npm cache clean --force\n\
             #                                                  ^^^^^^^^^^^^^^^^^^^^^^^ this empties the cache\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn another_user_has_another_home() {
        check(
            &RULE,
            "FROM node:22\n\
             USER node\n\
             RUN --mount=type=cache,target=/root/.npm npm ci\n\
             #                             ^^^^^^^^^^ `node` keeps this cache in `/home/node/.npm`\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn the_official_images_have_apt_delete_its_archives() {
        check(
            &RULE,
            "FROM debian:12\n\
             RUN --mount=type=cache,target=/var/cache/apt apt-get update && apt-get install -y a\n\
             #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `docker-clean` of the base image deletes what apt fetched\n\
             CMD [\"a\"]\n",
        );
        check(
            &RULE,
            "FROM debian:12\n\
             RUN rm -f /etc/apt/apt.conf.d/docker-clean\n\
             RUN --mount=type=cache,target=/var/cache/apt apt-get update && apt-get install -y a\n\
             #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ without a mount of `/var/lib/apt` the lists are fetched\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn apt_keeps_its_archives_when_it_is_told_to() {
        let mounts = "--mount=type=cache,target=/var/cache/apt --mount=type=cache,target=/var/lib/apt";
        let install = format!("RUN {mounts} apt-get update && apt-get install -y a");
        for told in [
            "RUN rm -f /etc/apt/apt.conf.d/docker-clean",
            "RUN echo 'x Keep-Downloaded-Packages x' > /etc/apt/x",
            "COPY keep-cache /etc/apt/apt.conf.d/",
        ] {
            check(&RULE, &format!("FROM debian:12\n{told}\n{install}\nCMD [\"a\"]\n"));
            check(&RULE, &format!("FROM debian:12 AS b\n{told}\nFROM b\n{install}\nCMD [\"a\"]\n"));
        }
        check(&RULE, &format!("FROM example.com/a:1\n{install}\nCMD [\"a\"]\n"));
    }

    #[test]
    fn another_command_of_the_run_uses_the_mount() {
        check(
            &RULE,
            &format!("FROM python:3.12\nRUN {PIP} pip install --no-cache-dir a && pip install -r r.txt\nCMD [\"a\"]\n"),
        );
    }

    #[test]
    fn a_home_or_place_that_is_not_known_is_left_alone() {
        check(
            &RULE,
            "FROM python:3.12\nRUN --mount=type=cache,target=$C/.cache/pip pip install --no-cache-dir a\nCMD [\"a\"]\n",
        );
        check(
            &RULE,
            "FROM node:22\nENV HOME=/root\nUSER node\nRUN --mount=type=cache,target=/root/.npm npm ci\nCMD [\"a\"]\n",
        );
        check(&RULE, "FROM node:22\nARG U\nUSER $U\nRUN --mount=type=cache,target=/root/.npm npm ci\nCMD [\"a\"]\n");
        check(
            &RULE,
            "FROM node:22\nENV npm_config_cache=/root/.npm\nUSER node\nRUN --mount=type=cache,target=/root/.npm npm ci\nCMD [\"a\"]\n",
        );
        check(&RULE, "FROM example.com/a:1\nRUN --mount=type=cache,target=/home/x/.npm npm ci\nCMD [\"a\"]\n");
    }

    #[test]
    fn the_home_of_root_is_kept_by_sudo() {
        check(&RULE, "FROM node:22\nUSER node\nRUN --mount=type=cache,target=/root/.npm sudo -E npm ci\nCMD [\"a\"]\n");
    }

    #[test]
    fn the_switch_or_the_clean_goes() {
        check_fix(
            &RULE,
            Safety::Review,
            "FROM node:22\nRUN --mount=type=cache,target=/root/.npm npm ci \\\n && npm cache clean --force\nCMD a\n",
            "FROM node:22\nRUN --mount=type=cache,target=/root/.npm npm ci\nCMD a\n",
        );
    }
}

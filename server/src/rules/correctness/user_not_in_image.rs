//! `user-not-in-image`: a user or group by a name that nothing in the image knows.

use crate::config::Builder;
use crate::facts::ground::{self, Ground};
use crate::facts::history::{self, Step};
use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::quiet;
use crate::facts::run::{Command, RunFacts};
use crate::facts::walk;
use crate::model::{InstructionKind, Placed, Word};
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::shell::Call;
use crate::text::{TextEdit, TextRange};

mod accounts;

/// The rule.
pub static RULE: Rule = Rule {
    name: "user-not-in-image",
    group: Group::Correctness,
    severity: Severity::Error,
    on: true,
    also: &["DL3066"],
    doc: r##"
USER or `--chown` names a user or group that does not exist in this image.

A name is looked up in `/etc/passwd` and `/etc/group` of the stage itself: `scratch` has neither, distroless images know
`root`, `nobody` and `nonroot`, and a user made in a builder is not in the stage that copies from it. A container with such a
USER does not start ("unable to find user"). For such a `--chown` the classic builder stops; BuildKit says nothing and gives
the files to root.

```dockerfile
FROM scratch
COPY --from=build /app /app
USER app
CMD ["/app"]
```

A number needs no entry:

```dockerfile
FROM scratch
COPY --from=build /app /app
USER 10001
CMD ["/app"]
```

With `user-not-in-image.require = "numeric"` every USER that is a name is reported: Kubernetes' `runAsNonRoot` cannot tell
from a name whether it is root.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, stage) in ctx.reaching() {
        let named: Vec<Named> =
            stage.instructions.iter().enumerate().flat_map(|(idx, it)| named(ctx, stage_idx, idx, it)).collect();
        if named.is_empty() {
            continue;
        }
        let before = acc.len();
        check_stage(ctx, stage_idx, &named, acc);
        if ctx.config.options.numeric_user {
            let found: Vec<TextRange> = acc.iter().skip(before).map(|it| it.range).collect();
            require_numbers(&named, &found, acc);
        }
    }
}

/// A user, and a group, by their names.
struct Named<'a> {
    idx: usize,
    placed: &'a Placed,
    word: &'a Word,
    user: Option<String>,
    group: Option<String>,
    is_user: bool,
}

/// The names that an instruction uses; none for numbers, and for variables without a value.
fn named<'a>(ctx: &Context<'a>, stage_idx: usize, idx: usize, placed: &'a Placed) -> Option<Named<'a>> {
    let (word, is_user) = match &placed.instruction.kind {
        InstructionKind::User(word) => (word, true),
        InstructionKind::Copy(_) | InstructionKind::Add(_) => {
            (placed.instruction.flag("chown")?.value.as_ref()?, false)
        }
        _ => return None,
    };
    let stage = ctx.file.stages.get(stage_idx)?;
    let value = walk::value(ctx.file, stage, placed, &word.text)?;
    let name = |text: &str| {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        (!text.is_empty() && !is_number && !text.contains(['\\', '$', '{', '@', ' '])).then(|| text.to_owned())
    };
    let (user, group) = match value.split_once(':') {
        Some((user, group)) => (name(user), name(group)),
        None => (name(&value), None),
    };
    (user.is_some() || group.is_some()).then_some(Named { idx, placed, word, user, group, is_user })
}

fn check_stage(ctx: &Context, stage_idx: usize, named: &[Named], acc: &mut Vec<Finding>) {
    let ground = ground::of(ctx.file, ctx.images, stage_idx);
    let suspicious = |it: &Named| {
        let user = it.user.as_deref().is_some_and(|name| !accounts::may_have_user(&ground, name));
        user || it.group.as_deref().is_some_and(|name| !accounts::may_have_group(&ground, name))
    };
    if ground == Ground::Unknown || !named.iter().any(suspicious) {
        return;
    }
    let steps = history::steps(ctx.file, stage_idx, usize::MAX);
    let mut seen: Vec<&str> = Vec::new();
    for it in named.iter().filter(|it| suspicious(it)) {
        let user = it.user.as_deref().filter(|name| !accounts::may_have_user(&ground, name));
        let group = it.group.as_deref().filter(|name| !accounts::may_have_group(&ground, name));
        let (Some(name), kind) = (user.or(group), if user.is_some() { "user" } else { "group" }) else { continue };
        // A user may be made behind USER, as long as nothing runs between; `--chown` needs him at once.
        let until = |step: &&Step| it.is_user || step.stage_idx != stage_idx || step.idx < it.idx;
        if seen.contains(&name) || steps.iter().filter(until).any(|step| may_make(ctx, step, name)) {
            continue;
        }
        seen.push(name);
        // BuildKit takes root for an owner that it does not find (`readUser` of its file operations); the classic builder
        // stops.
        let end = match (it.is_user, ctx.config.builder) {
            (true, _) => "the container does not start",
            (false, Builder::Classic) => "the build stops",
            (false, Builder::BuildKit) => "BuildKit gives the files to root",
        };
        let message = format!("`{}` has no {kind} `{name}`: {end}", ground.name());
        let range = it.placed.range(it.word.range);
        let mut finding = Finding::new(&RULE, range, message);
        finding.cause = it.placed.whole();
        finding.fix = fix(ctx, &ground, it);
        acc.push(finding);
    }
}

/// Every other USER that is a name.
fn require_numbers(named: &[Named], found: &[TextRange], acc: &mut Vec<Finding>) {
    for it in named.iter().filter(|it| it.is_user) {
        let range = it.placed.range(it.word.range);
        let Some(name) = it.user.as_deref().filter(|name| *name != "root") else { continue };
        if !found.contains(&range) {
            let message = format!("`{name}` is a name, and `runAsNonRoot` of Kubernetes wants a number");
            let mut finding = Finding::new(&RULE, range, message);
            finding.severity = Severity::Information;
            acc.push(finding);
        }
    }
}

/// Whether a step could make an account of this name.
fn may_make(ctx: &Context, step: &Step, name: &str) -> bool {
    match &step.placed.instruction.kind {
        InstructionKind::Copy(_) | InstructionKind::Add(_) => {
            let paths = ["/etc/passwd", "/etc/group"];
            paths.iter().any(|path| step.may_bring(ctx.file, ctx.context, path, &[]))
        }
        InstructionKind::Run(run) => {
            let text = &*step.placed.instruction.text;
            if text.contains("/etc/passwd") || text.contains("/etc/group") || run.script().is_none_or(|it| it.broken) {
                return true;
            }
            let Some(known) = step.run(ctx.facts) else { return true };
            let mounted = run.mounts.iter().any(|it| it.kind() == "bind");
            let local = |call: &Call| quiet::is_local(call, text);
            let calls = run.script().map_or(&[][..], |it| &it.calls);
            mounted && known.commands.iter().any(|it| !is_known(it)) || calls.iter().any(local) || makes(known, name)
        }
        InstructionKind::Onbuild(_) => true,
        _ => false,
    }
}

fn makes(run: &RunFacts, name: &str) -> bool {
    run.commands.iter().any(|command| match command.program.as_str() {
        "useradd" | "adduser" | "addgroup" | "groupadd" | "usermod" | "groupmod" | "newusers" | "sysusers"
        | "systemd-sysusers" => {
            // A name of no known value may be any.
            let is_it = |value: &str| value.split([',', ':']).any(|it| it == name);
            command.arguments.iter().any(|it| it.value.as_deref().is_none_or(is_it))
                || matches!(command.program.as_str(), "newusers" | "sysusers" | "systemd-sysusers")
        }
        _ => match deed(command) {
            Some(deed) => {
                let system = matches!(deed.manager, Manager::Apt | Manager::Apk | Manager::Rpm | Manager::Zypper);
                system
                    && deed.verb == Verb::Install
                    && (deed.is_open() || deed.packages().any(|it| accounts::may_come(it, name)))
            }
            None => !is_known(command),
        },
    })
}

/// Whether a command surely makes no account.
fn is_known(command: &Command) -> bool {
    const NAMES: &[&str] = &[
        ".",
        ":",
        "[",
        "[[",
        "apk",
        "apt",
        "apt-get",
        "apt-cache",
        "apt-key",
        "awk",
        "basename",
        "bundle",
        "bunzip2",
        "cargo",
        "cat",
        "cd",
        "chgrp",
        "chmod",
        "chown",
        "composer",
        "corepack",
        "cp",
        "curl",
        "cut",
        "date",
        "dirname",
        "dnf",
        "dotnet",
        "du",
        "echo",
        "env",
        "eval",
        "exit",
        "export",
        "false",
        "find",
        "gem",
        "git",
        "go",
        "gpg",
        "grep",
        "groupdel",
        "gunzip",
        "gradle",
        "head",
        "id",
        "install",
        "ldconfig",
        "ln",
        "locale-gen",
        "ls",
        "mkdir",
        "mktemp",
        "mv",
        "mvn",
        "node",
        "npm",
        "npx",
        "pecl",
        "pip",
        "pip3",
        "pnpm",
        "poetry",
        "printf",
        "pwd",
        "read",
        "rm",
        "rmdir",
        "sed",
        "set",
        "setcap",
        "sha1sum",
        "sha256sum",
        "shasum",
        "sleep",
        "sort",
        "stat",
        "strip",
        "tail",
        "tar",
        "tee",
        "test",
        "touch",
        "tr",
        "true",
        "tsc",
        "umask",
        "uname",
        "unset",
        "unzip",
        "update-ca-certificates",
        "uv",
        "wc",
        "wget",
        "which",
        "xargs",
        "yarn",
        "yum",
        "python",
        "python3",
        "java",
        "ruby",
        "bun",
        "userdel",
        "deluser",
        "rustup",
        "microdnf",
    ];
    if matches!(command.program.as_str(), "python" | "python3" | "ruby" | "node" | "java") {
        let first = command.arguments.first().and_then(|it| it.value.as_deref());
        return matches!(first, Some("-m" | "-c" | "-V" | "--version" | "-v" | "-version" | "-e"));
    }
    // `. /etc/os-release`
    if matches!(command.program.as_str(), "." | "eval") {
        return command.values().all(|it| it.starts_with("/etc/") || it.contains("/activate"));
    }
    NAMES.contains(&command.program.as_str())
}

/// The number instead of the name, where no account is needed: without a distribution below.
fn fix(ctx: &Context, ground: &Ground, it: &Named) -> Option<Fix> {
    let distroless = ground.is_distroless();
    if *ground != Ground::Scratch && !distroless {
        return None;
    }
    let user = it.user.as_deref()?;
    let number = match number_in_builders(ctx, user) {
        Some(number) => number,
        None if distroless => "65532".to_owned(),
        None => "10001".to_owned(),
    };
    let insert = if it.group.is_some() { format!("{number}:{number}") } else { number.clone() };
    Some(Fix {
        title: format!("Write {number}, which needs no entry"),
        safety: Safety::Review,
        edit: TextEdit::replace(it.placed.range(it.word.range), insert),
    })
}

/// The number that another stage gives the user.
fn number_in_builders(ctx: &Context, user: &str) -> Option<String> {
    ctx.reaching().find_map(|(stage_idx, _)| {
        ctx.runs(stage_idx).find_map(|at| {
            at.facts.commands.iter().find_map(|command| {
                let makes = matches!(command.program.as_str(), "useradd" | "adduser");
                if !makes || !command.values().any(|it| it == user) {
                    return None;
                }
                let mut values = command.values();
                while let Some(value) = values.next() {
                    if matches!(value, "-u" | "--uid") {
                        return values.next().map(str::to_owned);
                    }
                    if let Some(number) = value.strip_prefix("--uid=") {
                        return Some(number.to_owned());
                    }
                }
                None
            })
        })
    })
}

#[cfg(test)]
mod tests;

//! `workdir-not-writable`: a RUN writes into a directory that belongs to root, as somebody else.

use crate::facts::ground::{self, Ground};
use crate::facts::history::{self, Step};
use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::landing;
use crate::facts::quiet;
use crate::facts::run::{Command, RunFacts};
use crate::facts::stage::join;
use crate::facts::walk;
use crate::model::{InstructionKind, Run};
use crate::rules::{Context, Finding, Fix, Group, Related, Rule, Safety, Severity};
use crate::shell::Call;
use crate::text::TextEdit;

/// The rule.
pub static RULE: Rule = Rule {
    name: "workdir-not-writable",
    group: Group::Correctness,
    severity: Severity::Error,
    on: true,
    also: &[],
    doc: r##"
A RUN writes into a directory that belongs to root, and runs as another user: the build stops with EACCES.

WORKDIR makes a directory for the user who is set at that point. One that was made before USER belongs to root and stays root's,
also when WORKDIR names it again. The directories that COPY makes belong to root without `--chown`.

```dockerfile
FROM node:22-slim
WORKDIR /app
USER node
COPY package*.json ./
RUN npm ci && npm cache clean --force
CMD ["node", "server.js"]
```

Given to the user first:

```dockerfile
FROM node:22-slim
WORKDIR /app
RUN chown node /app
USER node
COPY package*.json ./
RUN npm ci && npm cache clean --force
CMD ["node", "server.js"]
```

What the program writes when it runs cannot be seen here, and nothing is said of it.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, stage) in ctx.reaching() {
        let is_run = |kind: &InstructionKind| matches!(kind, InstructionKind::Run(_));
        let has_user = ctx.facts.stages.get(stage_idx).is_some_and(|facts| {
            facts.users.iter().any(|it| matches!(it, crate::facts::stage::User::Named(name) if !walk::is_root(name)))
        });
        if !has_user || !stage.instructions.iter().any(|it| is_run(&it.instruction.kind)) {
            continue;
        }
        let Ground::Image(_, traits) = ground::of(ctx.file, ctx.images, stage_idx) else { continue };
        if traits.default_user.as_deref() == Some("root") && traits.has_shell {
            check_stage(ctx, stage_idx, acc);
        }
    }
}

/// A directory that this file makes.
struct Directory {
    path: String,
    /// Whether root owns it, and others may not write into it.
    of_root: bool,
    /// The step that made it.
    step: usize,
}

fn check_stage(ctx: &Context, stage_idx: usize, acc: &mut Vec<Finding>) {
    let steps = history::steps(ctx.file, stage_idx, usize::MAX);
    let mut known: Vec<Directory> = Vec::new();
    let mut user_at = None;
    let mut given: Vec<&str> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let is_root = step.state.user.as_deref().is_none_or(walk::is_root);
        match &step.placed.instruction.kind {
            InstructionKind::User(_) => user_at = Some(at),
            InstructionKind::Workdir(_) => {
                let next = steps.get(at + 1).map(|it| &it.state);
                let after = next.or(None).and_then(|it| it.directory.clone());
                let Some(path) = after else { continue };
                // An unknown user may be root or not.
                let unknown = step.state.user.as_deref().is_some_and(|it| it.contains('$'));
                let is_given = given.iter().any(|text| text.contains(path.as_str()) || text.contains('$'));
                add(&mut known, path, is_root && !unknown && !is_given, at);
            }
            InstructionKind::Copy(_) | InstructionKind::Add(_) => {
                let Some(copied) = landing::copied(ctx.file, step.stage, step.placed, &step.state) else { continue };
                let owned = step.placed.instruction.flag("chown").is_some();
                if copied.into_directory {
                    let is_given =
                        given.iter().any(|text| text.contains(copied.destination.as_str()) || text.contains('$'));
                    add(&mut known, copied.destination, !owned && !is_given, at);
                }
            }
            InstructionKind::Run(run) => {
                let Some(facts) = step.run(ctx.facts) else { continue };
                if is_root {
                    if may_give(run, facts, &step.placed.instruction.text) {
                        known.iter_mut().for_each(|it| it.of_root = false);
                        // A script may make any directory for anybody.
                        if is_script(run, facts, &step.placed.instruction.text) {
                            return;
                        }
                        given.push(&step.placed.instruction.text);
                    }
                    continue;
                }
                let user = step.state.user.as_deref().unwrap_or_default();
                if user.contains(['$', '\\']) || step.stage_idx != stage_idx {
                    continue;
                }
                let Some((command, directory)) = written(step, run, facts, &known) else { continue };
                let name = user.split(':').next().unwrap_or(user);
                let message =
                    format!("this writes into `{}`, which belongs to root and not to `{name}`", directory.path);
                let mut finding = Finding::new(&RULE, step.placed.range(command.range), message);
                if let Some(made) = steps.get(directory.step) {
                    let message = "root makes the directory here".to_owned();
                    finding.related.push(Related { range: made.placed.whole(), message });
                }
                finding.fix = user_at.and_then(|at| fix(steps.get(at)?, at, user, directory));
                acc.push(finding);
                return;
            }
            _ => {}
        }
    }
}

/// Notes a directory, unless it is there already: it keeps its owner then.
fn add(known: &mut Vec<Directory>, path: String, of_root: bool, step: usize) {
    // What base images have, nobody makes anew.
    let of_base =
        ["/", "/tmp", "/var/tmp", "/go", "/var/www/html", "/usr/local/bundle", "/opt", "/srv", "/usr/src", "/root"];
    let system = ["/home", "/var", "/usr/local", "/etc", "/root", "/usr/share", "/go"]
        .iter()
        .any(|it| walk::is_inside(&path, it));
    if of_base.contains(&path.as_str()) || system || known.iter().any(|it| it.path == path) {
        return;
    }
    known.push(Directory { path, of_root, step });
}

/// Whether a RUN of root could give a directory to somebody: it changes owners or rights, or nobody knows what it does.
fn may_give(run: &Run, facts: &RunFacts, text: &str) -> bool {
    let Some(script) = run.script().filter(|it| !it.broken) else { return true };
    let gives = |command: &Command| {
        let name = command.program.as_str();
        matches!(
            name,
            "chown"
                | "chmod"
                | "chgrp"
                | "setfacl"
                | "install"
                | "sh"
                | "bash"
                | "make"
                | ""
                | "su"
                | "cp"
                | "mv"
                | "ln"
                | "rm"
        ) || name.ends_with(".sh")
            || matches!(name, "useradd" | "adduser") && command.values().any(|it| it.starts_with('/'))
    };
    facts.commands.is_empty()
        || facts.commands.iter().any(gives)
        || script.calls.iter().any(|call| quiet::is_local(call, text) || call.wrapper.is_some())
}

/// Whether a RUN does what nobody has read.
fn is_script(run: &Run, facts: &RunFacts, text: &str) -> bool {
    let Some(script) = run.script().filter(|it| !it.broken) else { return true };
    let unread = |command: &Command| {
        let name = command.program.as_str();
        matches!(name, "sh" | "bash" | "make" | "") || name.ends_with(".sh")
    };
    facts.commands.is_empty()
        || facts.commands.iter().any(unread)
        || script.calls.iter().any(|call| quiet::is_local(call, text))
}

/// The first command that surely writes into a directory of root.
fn written<'r, 'k>(
    step: &Step,
    run: &Run,
    facts: &'r RunFacts,
    known: &'k [Directory],
) -> Option<(&'r Command, &'k Directory)> {
    let script = run.script()?;
    let start = step.state.directory.as_deref();
    let directories = crate::facts::removes::directories(facts, script, start);
    for (command, here) in facts.commands.iter().zip(&directories) {
        let call = script.calls.get(command.call)?;
        // With `sudo` it is root after all.
        if call.wrapper.is_some() || command.program == "sudo" {
            return None;
        }
        let Some(here) = here.as_deref().filter(|_| command.certain && call.subshell == 0) else { continue };
        let Some(target) = target(command, call, here) else { continue };
        let mounted = facts.is_mounted(&target)
            || run.mounts.iter().any(|it| it.target().is_none_or(|it| !it.text.starts_with('/')));
        if mounted {
            continue;
        }
        let folder = target.rsplit_once('/').map_or("/", |(folder, _)| folder);
        // What lies deeper may have been made by somebody else.
        if let Some(directory) = known.iter().find(|it| it.path == folder).filter(|it| it.of_root) {
            return Some((command, directory));
        }
        // Whoever could make something here may make more.
        if matches!(command.program.as_str(), "mkdir" | "git") {
            return None;
        }
    }
    None
}

/// What a command makes, as a path; `None` for one that is not in the table.
fn target(command: &Command, call: &Call, here: &str) -> Option<String> {
    if let Some(deed) = deed(command).filter(|it| it.verb == Verb::Install && it.is_from_manifest(command)) {
        let global = command.has(&[
            "-g",
            "--global",
            "--prefix",
            "--cwd",
            "-C",
            "--dir",
            "--modules-folder",
            "--working-dir",
            "-d",
        ]);
        let name = match deed.manager {
            Manager::Npm | Manager::Yarn | Manager::Pnpm | Manager::Bun => "node_modules",
            Manager::Composer => "vendor",
            _ => return None,
        };
        return (!global).then(|| join(Some(here), name)).flatten();
    }
    match command.program.as_str() {
        "mkdir" | "touch" => {
            let word = command.operands().next()?.value.as_deref()?;
            let first = if command.has(&["-p", "--parents"]) { word.split('/').next()? } else { word };
            (!word.starts_with(['/', '~', '$']) && !first.contains('/') && !first.is_empty())
                .then(|| join(Some(here), first))
                .flatten()
        }
        _ => {
            let redirect = call.redirects.iter().find(|it| matches!(it.operator.as_str(), ">" | ">>"))?;
            let path = redirect.target.literal().filter(|it| !it.contains(['/', '$', '~']))?;
            join(Some(here), &path)
        }
    }
}

/// A `chown` in front of USER.
fn fix(user_step: &Step, at: usize, user: &str, directory: &Directory) -> Option<Fix> {
    if directory.step > at {
        return None;
    }
    let owner = user.split(':').next().unwrap_or(user);
    Some(Fix {
        title: format!("Give `{}` to `{owner}`", directory.path),
        safety: Safety::Review,
        edit: TextEdit::insert(user_step.placed.whole().start(), format!("RUN chown {owner} {}\n", directory.path)),
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_no_fix};

    fn check_silent(body: &str) {
        check(&RULE, &format!("FROM node:22-slim\n{body}\n"));
    }

    #[test]
    fn the_directory_was_made_for_root() {
        check(
            &RULE,
            "FROM node:22-slim\nWORKDIR /app\nUSER node\nWORKDIR /app\nRUN mkdir data\n\
             #   ^^^^^^^^^^ this writes into `/app`, which belongs to root and not to `node`\n",
        );
        check(
            &RULE,
            "FROM node:22-slim\nUSER 1000:1000\nCOPY package.json /app/\nRUN cd /app && npm install\n\
             #              ^^^^^^^^^^^ which belongs to root and not to `1000`\n",
        );
        check(&RULE, "FROM debian:12\nWORKDIR /a\nUSER www-data\nRUN echo x > y\n#   ^^^^^^ into `/a`\n");
        check_no_fix(&RULE, "FROM node:22-slim\nUSER node\nCOPY package.json /app/\nRUN cd /app && npm ci\n");
    }

    #[test]
    fn who_owns_it_may_write() {
        check_silent("WORKDIR /app\nRUN chown node /app\nUSER node\nRUN npm ci");
        check_silent("WORKDIR /app\nRUN chmod 777 /app\nUSER node\nRUN npm ci");
        check_silent("RUN mkdir /app && chown -R node:node /app\nWORKDIR /app\nUSER node\nRUN npm ci");
        check_silent("ENV D=/app\nRUN mkdir $D && chown node $D\nWORKDIR $D\nUSER node\nRUN npm ci");
        check_silent("RUN install -d -o node /app\nWORKDIR /app\nRUN chown -R node:node .\nUSER node\nRUN npm ci");
        check_silent("WORKDIR /app\nRUN ./setup.sh\nUSER node\nRUN npm ci");
        check_silent("RUN sh create-user.sh\nWORKDIR /app\nUSER node\nRUN npm ci");
        check_silent("WORKDIR /app\nRUN chgrp -R 0 /app && chmod -R g=u /app\nUSER 1001\nRUN npm ci");
    }

    #[test]
    fn a_directory_behind_user_is_the_users() {
        check_silent("USER node\nWORKDIR /app\nRUN npm ci");
        check_silent("USER node\nCOPY --chown=node:node package.json /app/\nRUN cd /app && npm ci");
    }

    #[test]
    fn a_home_is_the_users() {
        check_silent("WORKDIR /home/node\nUSER node\nRUN npm ci");
        check_silent("WORKDIR /home/node/app\nUSER node\nRUN npm ci");
    }

    #[test]
    fn another_place_is_another_matter() {
        check_silent("WORKDIR /app\nUSER node\nRUN mkdir /tmp/a && cd /tmp/a && npm ci");
        check_silent("WORKDIR /app\nUSER node\nRUN npm i -g pm2");
        check_silent("WORKDIR /app\nUSER node\nRUN --mount=type=cache,target=/app/node_modules,uid=1000 npm ci");
    }

    #[test]
    fn an_unknown_user_may_be_root() {
        check_silent("WORKDIR /app\nARG U\nUSER $U\nRUN npm ci");
        check(&RULE, "FROM example.com/a\nWORKDIR /app\nUSER node\nRUN npm ci\n");
    }

    #[test]
    fn root_writes_everywhere() {
        check_silent("WORKDIR /app\nUSER node\nUSER root\nRUN npm ci");
        check_silent("WORKDIR /app\nUSER node\nRUN sudo npm ci");
        check_silent("WORKDIR /app\nRUN npm ci\nUSER node");
    }
}

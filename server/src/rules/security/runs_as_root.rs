//! `runs-as-root`: the program of the image has root's rights in the container.

use crate::facts::landing::{self, Landed};
use crate::facts::purpose;
use crate::facts::run::Command;
use crate::facts::stage::User;
use crate::facts::start::{self, Open, StartChain};
use crate::facts::walk;
use crate::model::{Base, ImageRef, InstructionKind, Placed};
use crate::rules::{Context, Finding, Group, Rule, Severity};
use crate::text::TextRange;

/// The rule.
pub static RULE: Rule = Rule {
    name: "runs-as-root",
    group: Group::Security,
    severity: Severity::Warning,
    on: true,
    also: &["DL3002"],
    doc: r##"
The program of the image runs as root, so that a flaw in it has root's rights in the container.

A container keeps a program apart from the host, but not from its own files, and root inside is root for every mounted
folder. Most programs need none of it: a user without rights, set by `USER`, is enough.

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY . .
CMD ["node", "server.js"]
```

As the user that the image brings for it:

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY . .
USER node
CMD ["node", "server.js"]
```

Nothing is said of images that start nothing of their own, of a file or stage that is named for development or tests
(`Dockerfile.dev`), and where the start command gives root's rights up by itself (`gosu`, `su-exec`, `supervisord`).
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let Some(target) = ctx.facts.target.filter(|_| ctx.facts.is_started()) else { return };
    let Some(stage) = ctx.file.stages.get(target) else { return };
    let Some(user) = ctx.facts.stages.get(target).and_then(|facts| facts.users.last()) else { return };
    let for_people = |name: &str| ["dev", "test", "debug"].iter().any(|it| name.to_ascii_lowercase().contains(it));
    if stage.name.as_ref().is_some_and(|name| for_people(&name.text)) || purpose::is_for_development(ctx.context, stage)
    {
        return;
    }
    let why = match user {
        User::Named(name) if walk::is_root(name) => format!("USER is `{name}`"),
        User::OfImage => match root_by_default(ctx, target) {
            Some(image) => format!("no USER is set, and {image} starts as root"),
            None => return,
        },
        User::Named(_) | User::Unknown => return,
    };
    let image = ctx.base_image();
    let chain = ctx.start();
    if gives_rights_up(ctx, chain) {
        return;
    }
    let Some((range, is_user)) = place(ctx) else { return };
    let mut finding = Finding::new(&RULE, range, format!("the program runs as root: {why}"));
    let own_entrypoint = ctx
        .facts
        .final_chain
        .iter()
        .any(|idx| ctx.facts.stages.get(*idx).is_some_and(|facts| facts.entrypoint.is_some()));
    if !is_user && !own_entrypoint && image.is_some_and(drops_by_itself) || chain.work().any(|it| is_server(&it.name)) {
        finding.severity = Severity::Information;
    }
    finding.assists.push("non-root-user");
    acc.push(finding);
}

/// What the base is called, where its default user is known to be root.
fn root_by_default(ctx: &Context, target: usize) -> Option<String> {
    let bottom = *ctx.facts.final_chain.last()?;
    match &ctx.file.stages.get(bottom)?.base {
        Base::Scratch => Some("`scratch`".to_owned()),
        Base::Image(image) => {
            let user = ctx.images.traits(image)?.default_user.clone()?;
            let name = image.text.split('@').next().unwrap_or(&image.text);
            walk::is_root(&user).then(|| format!("`{name}`"))
        }
        Base::Stage(_) | Base::Unknown(_) => {
            debug_assert!(bottom <= target, "a chain leads to earlier stages");
            None
        }
    }
}

/// The last USER of the chain and that it is one, else the instruction that starts the program.
fn place(ctx: &Context) -> Option<(TextRange, bool)> {
    let stages = || ctx.facts.final_chain.iter().filter_map(|idx| ctx.file.stages.get(*idx));
    let find = |wanted: fn(&Placed) -> Option<TextRange>| {
        stages().find_map(|stage| stage.instructions.iter().rev().find_map(wanted))
    };
    let user = find(|placed| match &placed.instruction.kind {
        InstructionKind::User(word) => Some(placed.range(word.range)),
        _ => None,
    });
    let start = || {
        find(|placed| match &placed.instruction.kind {
            InstructionKind::Cmd(_) | InstructionKind::Entrypoint(_) => Some(placed.whole()),
            _ => None,
        })
    };
    user.map(|range| (range, true)).or_else(|| Some((start()?, false)))
}

/// Programs that change the user, or that have to be root: inits, and servers that serve logins.
const CHANGERS: [&str; 25] = [
    "capsh",
    "chpst",
    "chroot",
    "cron",
    "crond",
    "dockerd",
    "gosu",
    "init",
    "my_init",
    "privdrop",
    "runit",
    "runsvdir",
    "runsvdir-start",
    "runuser",
    "s6-setuidgid",
    "s6-svscan",
    "setpriv",
    "setuidgid",
    "sshd",
    "start-stop-daemon",
    "su",
    "su-exec",
    "sudo",
    "supervisord",
    "systemd",
];

fn gives_rights_up(ctx: &Context, chain: &StartChain) -> bool {
    if CHANGERS.iter().any(|name| chain.runs(name)) {
        return true;
    }
    // A script that cannot be read, a program that is not known: it may.
    let hidden = |open: &Open| matches!(open, Open::Script(_) | Open::Variable(_) | Open::Shell | Open::Deep(_));
    if chain.open.iter().any(hidden) {
        return true;
    }
    // A bare shell is an image to work in, a base or a tool.
    let is_shell = |name: &str| matches!(name, "sh" | "bash" | "ash" | "dash" | "zsh" | "fish");
    let idle = |it: &start::Program| is_shell(&it.name) || matches!(it.name.as_str(), "tail" | "sleep" | "true");
    if chain.programs.iter().filter(|it| !it.health).all(idle) {
        return true;
    }
    let script = |it: &start::Program| it.name.ends_with(".sh") || it.name.contains("entrypoint");
    if chain.work().any(|it| script(it) || is_copied(ctx, &it.word)) {
        return true;
    }
    // Who installs, copies or names such a tool means to use it.
    let tools = ["gosu", "su-exec", "setpriv", "runuser", "s6-overlay", "supervisor", "sudo -u"];
    let tool = |word: &str| tools.iter().any(|it| word.contains(it));
    if chain.asked.iter().any(|path| script_text(ctx, path).is_some_and(tool)) {
        return true;
    }
    let installs =
        ctx.final_runs().any(|at| at.facts.commands.iter().any(|command: &Command| command.values().any(tool)));
    let stages = ctx.facts.final_chain.iter().filter_map(|idx| ctx.file.stages.get(*idx));
    installs
        || stages.flat_map(|stage| &stage.instructions).any(|placed| match &placed.instruction.kind {
            InstructionKind::Copy(_)
            | InstructionKind::Add(_)
            | InstructionKind::Cmd(_)
            | InstructionKind::Entrypoint(_) => tool(&placed.instruction.text),
            _ => false,
        })
}

/// Whether a file was copied to this very path from a context that is not known: it may be a script.
fn is_copied(ctx: &Context, word: &str) -> bool {
    let stages = ctx.facts.final_chain.iter().filter_map(|idx| ctx.file.stages.get(*idx));
    stages.flat_map(|stage| &stage.instructions).any(|placed| match &placed.instruction.kind {
        InstructionKind::Copy(copy) | InstructionKind::Add(copy) => {
            let from_context = placed.instruction.flag("from").is_none() && !ctx.context.known;
            from_context && word.contains('/') && copy.destination.as_ref().is_some_and(|it| it.text == word)
        }
        _ => false,
    })
}

/// The text of a script at this path of the image.
fn script_text<'a>(ctx: &Context<'a>, path: &str) -> Option<&'a str> {
    ctx.facts.final_chain.iter().find_map(|stage_idx| {
        let stage = ctx.file.stages.get(*stage_idx)?;
        let states = walk::states(ctx.file, *stage_idx, "/");
        match landing::landed(ctx.file, stage, &states, ctx.context, path) {
            Landed::File(path) => ctx.context.text(&path),
            Landed::Hidden | Landed::Nothing => None,
        }
    })
}

/// Images whose own entry point or server gives root's rights up for the work itself.
fn drops_by_itself(image: &ImageRef) -> bool {
    let name = image.path.rsplit('/').next().unwrap_or(&image.path);
    let tag = image.tag.as_deref().unwrap_or("");
    match name {
        "cassandra" | "couchdb" | "elasticsearch" | "ghost" | "haproxy" | "httpd" | "influxdb" | "kibana"
        | "logstash" | "mariadb" | "memcached" | "mongo" | "mysql" | "nginx" | "percona" | "postgis" | "postgres"
        | "rabbitmq" | "redis" | "solr" | "timescaledb" | "valkey" | "wordpress" | "zookeeper" | "redmine"
        | "consul" | "vault" => true,
        "php" | "drupal" | "joomla" | "nextcloud" => tag.contains("apache") || tag.contains("fpm"),
        _ => false,
    }
}

/// Servers whose first process opens the port as root and whose others do the work without.
fn is_server(name: &str) -> bool {
    matches!(
        name,
        "nginx" | "apache2" | "apache2ctl" | "apachectl" | "apache2-foreground" | "httpd" | "httpd-foreground"
    ) || name.starts_with("php-fpm")
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, findings, parse};
    use crate::rules::Severity;

    fn check_silent(text: &str) {
        check(&RULE, text);
    }

    fn severity(text: &str) -> Option<Severity> {
        findings(&analyse(&parse(text)), &RULE).first().map(|it| it.severity)
    }

    #[test]
    fn without_a_user_the_images_own_holds() {
        let text = "FROM node:22-slim\nCOPY . .\nCMD [\"node\", \"s.js\"]\n";
        let analysis = analyse(&parse(text));
        let found = findings(&analysis, &RULE);
        assert_eq!(found[0].message, "the program runs as root: no USER is set, and `node:22-slim` starts as root");
        assert_eq!(&text[found[0].range], "CMD [\"node\", \"s.js\"]");
    }

    #[test]
    fn the_last_user_is_to_blame() {
        check(
            &RULE,
            "FROM node:22-slim\n\
             USER node\n\
             USER root\n\
             #    ^^^^ USER is `root`\n\
             CMD [\"node\", \"s.js\"]\n",
        );
        check(
            &RULE,
            "FROM example.com/unknown AS base\n\
             USER 0:0\n\
             #    ^^^ USER is `0:0`\n\
             FROM base\n\
             CMD [\"node\", \"s.js\"]\n",
        );
    }

    #[test]
    fn a_user_without_rights_is_enough() {
        check_silent("FROM node:22\nUSER root\nRUN a\nUSER node\nCMD [\"node\", \"s.js\"]\n");
        check_silent("FROM node:22\nARG ID=1000\nUSER $ID\nCMD [\"node\", \"s.js\"]\n");
        check_silent("FROM node:22 AS base\nUSER node\nFROM base\nCMD [\"node\", \"s.js\"]\n");
    }

    #[test]
    fn an_image_that_starts_nothing_is_a_base_or_a_tool() {
        check_silent("FROM node:22\nRUN a\n");
    }

    #[test]
    fn a_bare_shell_is_a_tool_to_work_in() {
        check_silent("FROM debian:12\nCMD [\"/bin/bash\"]\n");
        check_silent("FROM debian:12\nCMD bash\n");
        check_silent("FROM debian:12\nCMD [\"tail\", \"-f\", \"/dev/null\"]\n");
    }

    #[test]
    fn the_default_user_of_the_base_must_be_known() {
        check_silent("FROM example.com/team/base:1\nCMD [\"a\"]\n");
        check_silent("FROM gcr.io/distroless/static-debian12:nonroot\nCMD [\"/a\"]\n");
        check_silent("ARG BASE\nFROM $BASE\nCMD [\"a\"]\n");
    }

    #[test]
    fn a_user_that_is_not_known_may_have_no_rights() {
        check_silent("FROM node:22\nARG RUN_AS\nUSER $RUN_AS\nCMD [\"node\", \"s.js\"]\n");
    }

    #[test]
    fn a_start_command_may_give_the_rights_up() {
        check_silent("FROM debian:12\nCMD [\"gosu\", \"app\", \"/app\"]\n");
        check_silent("FROM debian:12\nENTRYPOINT [\"tini\", \"--\", \"su-exec\", \"app\"]\nCMD [\"/app\"]\n");
        check_silent("FROM debian:12\nCMD su app -c /app\n");
        check_silent("FROM debian:12\nCMD [\"/usr/bin/supervisord\"]\n");
        check_silent("FROM debian:12\nCMD [\"/sbin/init\"]\n");
        check_silent("FROM debian:12\nCMD [\"/usr/sbin/sshd\", \"-D\"]\n");
    }

    #[test]
    fn an_entry_script_may_give_them_up() {
        check_silent("FROM debian:12\nCOPY entry.sh /\nENTRYPOINT [\"/entry.sh\"]\n");
        check_silent(
            "FROM debian:12\nCOPY entry.sh /\nENTRYPOINT [\"/entry.sh\"]\n#- entry.sh\n#!/bin/sh\nexec gosu app /app\n",
        );
    }

    #[test]
    fn a_stage_for_people_is_not_run_for_others() {
        check_silent("FROM node:22 AS development\nCMD [\"node\", \"s.js\"]\n");
    }

    #[test]
    fn a_file_for_people_is_not_run_for_others() {
        for (path, expected) in
            [("Dockerfile.dev", 0), ("docker/dev/Dockerfile", 0), ("test.Dockerfile", 0), ("docker/Dockerfile", 1)]
        {
            let mut fixture = parse("FROM node:22-alpine\nCMD [\"pnpm\", \"start\"]\n#- package.json\n{}\n");
            fixture.context.dockerfile = Some(path.to_owned());
            assert_eq!(findings(&analyse(&fixture), &RULE).len(), expected, "{path}");
        }
    }

    #[test]
    fn a_digest_is_no_name_for_people() {
        let digest = "0123456789abcdef".repeat(4);
        let analysis = analyse(&parse(&format!("FROM node:22-slim@sha256:{digest}\nCMD [\"node\", \"s.js\"]\n")));
        let found = findings(&analysis, &RULE);
        assert_eq!(found[0].message, "the program runs as root: no USER is set, and `node:22-slim` starts as root");
    }

    #[test]
    fn servers_that_drop_rights_by_themselves_are_information() {
        assert_eq!(
            severity("FROM nginx:1.27\nCMD [\"nginx\", \"-g\", \"daemon off;\"]\n"),
            Some(Severity::Information)
        );
        assert_eq!(severity("FROM debian:12\nCMD [\"nginx\", \"-g\", \"daemon off;\"]\n"), Some(Severity::Information));
        assert_eq!(severity("FROM debian:12\nCMD [\"/app\"]\n"), Some(Severity::Warning));
    }
}

//! `many-responsibilities`: several servers in one image, or a supervisor that starts them.

use crate::facts::installs::{Manager, Verb, deed};
use crate::model::ImageRef;
use crate::rules::{Context, Finding, Group, Related, Rule, Severity};
use crate::text::TextRange;

/// The rule.
pub static RULE: Rule = Rule {
    name: "many-responsibilities",
    group: Group::Size,
    severity: Severity::Hint,
    on: false,
    also: &[],
    doc: r##"
Several servers share one image.

Each brings all that it needs, none can be updated or restarted without the others, and a container that has one process
left still counts as running.
Off by default: where one image is to be all of an appliance, this is meant.

```dockerfile
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends nginx redis-server supervisor \
    && rm -rf /var/lib/apt/lists/*
CMD ["supervisord", "-n"]
#- plimsoll.toml
rules.many-responsibilities = "hint"
```

One of them, and another image for the other:

```dockerfile
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends nginx \
    && rm -rf /var/lib/apt/lists/*
CMD ["nginx", "-g", "daemon off;"]
```
"##,
    check,
};

/// Packages of servers, and what kind they are of. Two of one kind, and a web server with PHP, go together.
const SERVERS: &[(&str, &str)] = &[
    ("apache2", "web"),
    ("httpd", "web"),
    ("nginx", "web"),
    ("lighttpd", "web"),
    ("mariadb-server", "database"),
    ("mysql-server", "database"),
    ("postgresql", "database"),
    ("mongodb", "database"),
    ("mongodb-org", "database"),
    ("redis", "cache"),
    ("redis-server", "cache"),
    ("memcached", "cache"),
    ("rabbitmq-server", "queue"),
    ("openssh-server", "ssh"),
    ("postfix", "mail"),
    ("exim4", "mail"),
    ("proftpd", "files"),
    ("vsftpd", "files"),
    ("samba", "files"),
    ("bind9", "names"),
];

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let Some(target) = ctx.facts.target else { return };
    if ctx.base_image().is_some_and(is_appliance) {
        return;
    }
    let mut servers: Vec<(&str, &str, TextRange)> = Vec::new();
    for at in ctx.final_runs() {
        for command in &at.facts.commands {
            let Some(deed) = deed(command) else { continue };
            let of_system = matches!(deed.manager, Manager::Apt | Manager::Apk | Manager::Rpm | Manager::Zypper);
            if !of_system || deed.verb != Verb::Install {
                continue;
            }
            for argument in &deed.words {
                let Some(name) = argument.value.as_deref() else { continue };
                let name = name.split(['=', '@']).next().unwrap_or(name);
                let Some((name, kind)) = SERVERS.iter().find(|(server, _)| *server == name) else { continue };
                if !servers.iter().any(|(_, other, _)| other == kind) {
                    servers.push((name, kind, at.placed.range(argument.range)));
                }
            }
        }
    }
    if let [(first, _, place), (second, _, range), ..] = servers.as_slice() {
        let mut finding = Finding::new(&RULE, *range, format!("`{first}` and `{second}` share this image"));
        finding.related.push(Related { range: *place, message: "the other server".to_owned() });
        acc.push(finding);
        return;
    }
    let supervisor = ctx.start().programs.iter().find(|it| is_supervisor(&it.name) && !it.health);
    let (Some(supervisor), Some(stage)) = (supervisor, ctx.file.stages.get(target)) else { return };
    let names = |placed: &&crate::model::Placed| {
        let kind = &placed.instruction.kind;
        matches!(kind, crate::model::InstructionKind::Cmd(_) | crate::model::InstructionKind::Entrypoint(_))
    };
    let Some(start) = stage.instructions.iter().rev().find(names) else { return };
    let message = format!("`{}` starts several programs in one container", supervisor.name);
    acc.push(Finding::new(&RULE, start.whole(), message));
}

fn is_supervisor(name: &str) -> bool {
    matches!(name, "supervisord" | "s6-svscan" | "runsvdir" | "runit" | "monit" | "systemd")
}

/// Images that are made to hold several programs.
fn is_appliance(image: &ImageRef) -> bool {
    ["baseimage", "s6", "supervisor", "all-in-one", "aio", "omnibus", "gitlab", "nextcloud"]
        .iter()
        .any(|word| image.path.contains(word))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, findings, parse};

    fn found(text: &str) -> Vec<String> {
        let asked = format!("{text}#- plimsoll.toml\nrules.many-responsibilities = \"hint\"\n");
        findings(&analyse(&parse(&asked)), &RULE).iter().map(|finding| finding.message.clone()).collect()
    }

    #[test]
    fn servers_of_different_kinds_share_an_image() {
        let text = "FROM debian:12\nRUN apt-get install -y nginx\nRUN apt-get install -y mariadb-server\nCMD x\n";
        assert_eq!(found(text), ["`nginx` and `mariadb-server` share this image"]);
        assert_eq!(
            found("FROM a\nCMD [\"supervisord\"]\n"),
            ["`supervisord` starts several programs in one container"]
        );
    }

    #[test]
    fn what_usually_goes_together_is_one_thing() {
        assert!(found("FROM debian:12\nRUN apt-get install -y nginx php-fpm cron\nCMD x\n").is_empty());
        assert!(found("FROM node:22\nCMD [\"pm2-runtime\", \"x.js\"]\n").is_empty());
        assert!(found("FROM python:3\nCMD [\"gunicorn\", \"x\"]\n").is_empty());
    }

    #[test]
    fn an_appliance_is_meant_to_hold_several() {
        assert!(found("FROM phusion/baseimage\nRUN apt-get install -y nginx redis-server\nCMD x\n").is_empty());
    }

    #[test]
    fn nobody_is_asked_by_default() {
        check(&RULE, "FROM debian:12\nRUN apt-get install -y nginx redis-server\nCMD x\n");
    }

    #[test]
    fn a_builder_is_not_shipped() {
        let text = "FROM debian:12 AS a\nRUN apt-get install -y nginx redis-server\nFROM debian:12\nCOPY --from=a /x /x\nCMD x\n";
        assert!(found(text).is_empty());
    }
}

//! `ssh-server-in-image`: an SSH server is a second way into the container.

use crate::facts::installs::{Verb, deed};
use crate::facts::made::plain_name;
use crate::facts::run::Command;
use crate::model::{Base, InstructionKind, Placed};
use crate::rules::{Context, Finding, Group, Related, Rule, Severity};
use crate::text::TextRange;

/// The rule.
pub static RULE: Rule = Rule {
    name: "ssh-server-in-image",
    group: Group::Security,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
An SSH server lies in the image: a second way in, with keys and passwords of its own.

`docker exec` and `kubectl exec` open a shell in a container without one. The server needs another process to run it, its
host keys are the same in every container of the image, and with all it needs it weighs about 21 MB.

```dockerfile
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y openssh-server && rm -rf /var/lib/apt/lists/*
EXPOSE 22 80
CMD ["app"]
```

Without it:

```dockerfile
FROM debian:bookworm-slim
EXPOSE 80
CMD ["app"]
```

Nothing is said where SSH is what the image is for: the server is all that starts, or names speak of SSH, Git or a CI agent.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let Some(target) = ctx.facts.target else { return };
    let signs = signs(ctx);
    let Some(first) = signs.iter().min_by_key(|sign| (sign.rank, sign.range.start())) else { return };
    if is_purpose(ctx, target) {
        return;
    }
    let mut finding = Finding::new(&RULE, first.range, first.message);
    finding.cause = first.cause;
    let others = signs.iter().filter(|sign| sign.range != first.range);
    finding.related = { others }.map(|sign| Related { range: sign.range, message: sign.message.to_owned() }).collect();
    acc.push(finding);
}

/// Something that says that an SSH server is there.
struct Sign {
    /// The smallest speaks.
    rank: u8,
    range: TextRange,
    cause: TextRange,
    message: &'static str,
}

fn signs(ctx: &Context) -> Vec<Sign> {
    let mut res = Vec::new();
    for stage_idx in ctx.facts.final_chain.iter().rev() {
        let Some(stage) = ctx.file.stages.get(*stage_idx) else { continue };
        for placed in &stage.instructions {
            let InstructionKind::Expose(ports) = &placed.instruction.kind else { continue };
            let port = ports.iter().find(|port| matches!(port.text.trim_matches('"'), "22" | "22/tcp"));
            res.extend(port.map(|port| {
                let range = placed.range(port.range);
                Sign { rank: 4, range, cause: range, message: "port 22 is the port of an SSH server" }
            }));
        }
    }
    for at in ctx.final_runs() {
        let sets_passwords = at.facts.commands.iter().any(|it| it.program == "chpasswd");
        for command in &at.facts.commands {
            let mut add = |rank: u8, range: TextRange, message: &'static str| {
                res.push(Sign { rank, range, cause: at.range(command), message });
            };
            if let Some(deed) = deed(command).filter(|deed| deed.verb == Verb::Install) {
                let is_server = |text: &str| {
                    let name = plain_name(deed.manager, text);
                    matches!(name, "openssh-server" | "dropbear" | "tinysshd")
                };
                if let Some(word) = deed.words.iter().find(|it| it.value.as_deref().is_some_and(is_server)) {
                    add(
                        1,
                        at.placed.range(word.range),
                        "an SSH server is a second way into the container (about 21 MB)",
                    );
                }
            }
            let of_root = |it: &str| it.starts_with("root:");
            if sets_passwords && matches!(command.program.as_str(), "echo" | "printf") && command.values().any(of_root)
            {
                add(3, at.range(command), "root gets a password to log in with");
            }
            if permits_root(command) {
                add(2, at.range(command), "root may log in from outside");
            }
        }
    }
    res
}

/// `sed -i 's/#PermitRootLogin .*/PermitRootLogin yes/' /etc/ssh/sshd_config`
fn permits_root(command: &Command) -> bool {
    let says = |text: &str| {
        text.match_indices("PermitRootLogin").any(|(at, word)| {
            let rest = text.get(at + word.len()..).unwrap_or_default();
            rest.trim_start().starts_with("yes")
        })
    };
    matches!(command.program.as_str(), "sed" | "echo" | "printf" | "perl") && command.values().any(says)
}

/// Whether SSH is what the image is for, or people work in it.
fn is_purpose(ctx: &Context, target: usize) -> bool {
    #[rustfmt::skip]
    const WORDS: [&str; 27] = [
        "agent", "ansible", "bastion", "borg", "cicd", "dev", "devcontainer", "dokku", "gerrit", "git", "gitea", "gitlab",
        "gitolite", "gogs", "hadoop", "jenkins", "jumphost", "mpi", "openmpi", "rsync", "sandbox", "sftp", "slave", "spark", "ssh",
        "sshd", "test",
    ];
    let says = |text: &str| {
        let lower = text.to_ascii_lowercase();
        let mut words = lower.split(|it: char| !it.is_ascii_alphanumeric());
        words.any(|word| WORDS.binary_search(&word).is_ok())
    };
    let stage_says =
        ctx.file.stages.get(target).is_some_and(|stage| stage.name.as_ref().is_some_and(|name| says(&name.text)));
    let base_says = ctx.facts.final_chain.iter().any(|idx| match ctx.file.stages.get(*idx).map(|stage| &stage.base) {
        Some(Base::Image(image)) => says(&image.path),
        _ => false,
    });
    let path_says = ctx.context.dockerfile.as_deref().is_some_and(says)
        || ctx.context.folder.as_deref().is_some_and(|folder| folder.rsplit('/').next().is_some_and(says));
    // Who installs a tool for which SSH is the way in means it.
    let packages = ctx.final_runs().any(|at| {
        at.facts.commands.iter().any(|command| {
            let names = deed(command).filter(|deed| deed.verb == Verb::Install);
            names.is_some_and(|deed| {
                deed.packages().any(|word| {
                    ["openmpi", "mpich", "gitolite", "libopenmpi", "rssh", "borgbackup", "openssh-sftp"]
                        .iter()
                        .any(|it| word.starts_with(it))
                })
            })
        })
    });
    let label_says = ctx.facts.final_chain.iter().filter_map(|idx| ctx.file.stages.get(*idx)).any(|stage| {
        stage.instructions.iter().any(|placed| {
            matches!(placed.instruction.kind, InstructionKind::Label(_)) && says(&placed.instruction.text)
        })
    });
    stage_says || base_says || path_says || packages || label_says || starts_server_alone(ctx, target)
}

/// Whether the server is all that starts.
fn starts_server_alone(ctx: &Context, target: usize) -> bool {
    let mut work = ctx.start().work().peekable();
    if work.peek().is_some() {
        return work.all(|it| it.name == "sshd" || it.name == "dropbear");
    }
    let is_server = |placed: &Placed| {
        matches!(placed.instruction.kind, InstructionKind::Cmd(_) | InstructionKind::Entrypoint(_))
            && placed.instruction.text.contains("sshd")
    };
    ctx.file.stages.get(target).is_some_and(|stage| stage.instructions.iter().any(is_server))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, check_no_fix, findings, parse};

    fn check_silent(text: &str) {
        check(&RULE, text);
    }

    #[test]
    fn the_server_is_to_blame() {
        let text = "FROM debian:12\n\
                    RUN apt-get update && apt-get install -y curl openssh-server\n\
                    #                                             ^^^^^^^^^^^^^^ a second way into the container\n\
                    EXPOSE 22 80\n\
                    CMD [\"app\"]\n";
        check(&RULE, text);
        check_no_fix(&RULE, text);
        let analysis = analyse(&parse(text));
        assert_eq!(findings(&analysis, &RULE)[0].related.len(), 1, "the port belongs to it");
    }

    #[test]
    fn a_port_or_a_setting_says_it_too() {
        check(&RULE, "FROM debian:12\nEXPOSE 80 22\n#         ^^ port 22\nCMD [\"app\"]\n");
        check(
            &RULE,
            "FROM debian:12\n\
             RUN sed -i 's/.*PermitRootLogin.*/PermitRootLogin yes/' /etc/ssh/sshd_config\n\
             #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ root may log in\n\
             CMD [\"app\"]\n",
        );
        check(
            &RULE,
            "FROM debian:12\nRUN echo 'root:a' | chpasswd\n#   ^^^^^^^^^^^^^ root gets a password\nCMD [\"app\"]\n",
        );
    }

    #[test]
    fn an_image_for_ssh_has_a_server() {
        check_silent(
            "FROM debian:12\nRUN apt-get install -y openssh-server\nEXPOSE 22\nCMD [\"/usr/sbin/sshd\", \"-D\"]\n",
        );
        check_silent("FROM gitea/gitea:1\nEXPOSE 22\nCMD [\"app\"]\n");
        check_silent("FROM debian:12 AS sftp\nEXPOSE 22\nCMD [\"app\"]\n");
        check_silent("FROM alpine:3.20\nRUN apk add openssh-server openssh-sftp-server\nCMD [\"app\"]\n");
        check_silent("FROM debian:12\nRUN apt-get install -y openssh-server openmpi-bin\nCMD [\"app\"]\n");
    }

    #[test]
    fn a_client_is_no_server() {
        check_silent("FROM debian:12\nRUN apt-get install -y openssh-client\nCMD [\"app\"]\n");
    }

    #[test]
    fn another_port_may_be_anything() {
        check_silent("FROM debian:12\nEXPOSE 2222\nCMD [\"app\"]\n");
    }

    #[test]
    fn people_work_in_images_for_it() {
        check_silent("FROM debian:12 AS dev\nRUN apt-get install -y openssh-server\nCMD [\"app\"]\n");
        check_silent("FROM debian:12 AS test\nEXPOSE 22\nCMD [\"app\"]\n");
    }
}

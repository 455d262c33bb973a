//! `whole-system-upgrade`: every package of the base is replaced by a newer one, and both are shipped.

use crate::facts::given_up;
use crate::facts::installs::{Deed, Manager, Verb, deed};
use crate::facts::run::Command;
use crate::rules::{Context, Finding, Group, Rule, RunAt, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "whole-system-upgrade",
    group: Group::Size,
    severity: Severity::Information,
    on: true,
    also: &["DL3005", "DL3017", "DL3031", "DL3035", "DL3039"],
    doc: r##"
A whole upgrade stores every file it replaces a second time, above the copy of the base image.

What it brings depends on the day, and the build cache keeps that day for ever: the next build does not upgrade again.
A newer tag of the base has the same packages once.

```dockerfile
FROM debian:12.5-slim
RUN apt-get update && apt-get upgrade -y && rm -rf /var/lib/apt/lists/*
CMD ["app"]
```

On a newer base:

```dockerfile
FROM debian:12.12-slim
CMD ["app"]
```

There is no fix: without the upgrade security updates may be missing until the base is newer, or is built with
`--pull --no-cache`.
Nothing is said where packages are named, where only security updates are asked for, where a comment at the place names
them as the reason, or where there is no newer base: support has ended, or nobody maintains the repository any more.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let mut has_ended = None;
    for at in ctx.final_runs() {
        for command in at.facts.commands.iter().filter(|it| it.certain) {
            let Some(deed) = deed(command).filter(|it| is_whole(command, it)) else { continue };
            if is_explained(ctx, &at) || *has_ended.get_or_insert_with(|| ended(ctx)) {
                continue;
            }
            let message = "every file that this upgrade replaces is shipped twice; a newer base image has it once";
            let mut finding = Finding::new(&RULE, at.range(command), message);
            finding.cause = at.placed.range(deed.word_range);
            acc.push(finding);
        }
    }
}

/// Whether a command upgrades all there is.
fn is_whole(command: &Command, deed: &Deed) -> bool {
    let narrowed = [
        "--security",
        "--only-upgrade",
        "--advisory",
        "--cve",
        "--sec-severity",
        "--bugfix",
        "-s",
        "--dry-run",
        "--simulate",
        "--assumeno",
        "--downloadonly",
        "--download-only",
        "--installroot",
        "--root",
        "-p",
    ];
    let word = match deed.manager {
        Manager::Apt => matches!(deed.word, "upgrade" | "dist-upgrade" | "full-upgrade" | "safe-upgrade"),
        Manager::Apk => deed.word == "upgrade",
        Manager::Rpm => matches!(deed.word, "update" | "upgrade" | "distro-sync"),
        Manager::Zypper => matches!(deed.word, "dist-upgrade" | "dup" | "update" | "up"),
        _ => false,
    };
    word && deed.words.is_empty() && deed.verb != Verb::Remove && !command.has(&narrowed)
}

/// Whether a comment in the RUN, or directly above it, says that it is for security.
fn is_explained(ctx: &Context, at: &RunAt) -> bool {
    let says = |text: &str| {
        let text = text.to_ascii_lowercase();
        ["security", "cve", "vuln"].iter().any(|word| text.contains(word))
    };
    let inside = at.placed.instruction.comments.iter().any(|it| says(it.of(&at.placed.instruction.text)));
    let own =
        at.run.script().is_some_and(|script| script.comments.iter().any(|it| says(it.of(&at.placed.instruction.text))));
    let above = || {
        let before = ctx.file.text.get(..usize::from(at.placed.at)).unwrap_or_default();
        { before.lines().rev() }.take_while(|line| line.trim_start().starts_with('#')).any(says)
    };
    inside || own || above()
}

/// Whether support of the base has ended, or its repository was given up: then that is the matter, and no newer base
/// image has the packages.
fn ended(ctx: &Context) -> bool {
    let Some(image) = ctx.base_image() else { return false };
    given_up::successor(image).is_some() || ctx.today.is_some_and(|today| ctx.images.ended(image, today).is_some())
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_no_fix};

    fn check_silent(image: &str, run: &str) {
        check(&RULE, &format!("FROM {image}\n{run}\nCMD [\"a\"]\n"));
    }

    #[test]
    fn the_upgrade_is_to_blame() {
        check(
            &RULE,
            "FROM debian:12\n\
             RUN apt-get update && apt-get -y dist-upgrade\n\
             #                     ^^^^^^^^^^^^^^^^^^^^^^^ shipped twice\n\
             CMD [\"a\"]\n",
        );
        check(
            &RULE,
            "FROM fedora:42\n\
             RUN dnf -y update && dnf clean all\n\
             #   ^^^^^^^^^^^^^ twice\n\
             RUN zypper --non-interactive dup\n\
             #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ twice\n\
             RUN apk upgrade --no-cache\n\
             #   ^^^^^^^^^^^^^^^^^^^^^^ twice\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn packages_that_are_named_are_a_few() {
        check_silent("fedora:42", "RUN dnf -y update openssl");
        check_silent("alpine:3.22", "RUN apk upgrade --no-cache libssl3");
        check_silent("debian:12", "RUN apt-get install -y --only-upgrade openssl");
        check_silent("fedora:42", "RUN dnf -y upgrade $PACKAGES");
    }

    #[test]
    fn security_updates_alone_are_no_whole_upgrade() {
        check_silent("fedora:42", "RUN dnf -y update --security");
    }

    #[test]
    fn who_says_that_it_is_for_security_has_decided() {
        check_silent("debian:12", "# Security updates of the base.\nRUN apt-get update && apt-get upgrade -y");
        check_silent("debian:12", "RUN apt-get update && \\\n    # fixes CVE-2024-1\n    apt-get upgrade -y");
        check_silent("debian:12", "RUN apt-get upgrade -y # vulnerabilities");
    }

    #[test]
    fn a_comment_further_away_is_about_something_else() {
        check(
            &RULE,
            "FROM debian:12\n# security\n\nRUN apt-get upgrade -y\n#   ^^^^^^^^^^^^^^^^^^ twice\nCMD [\"a\"]\n",
        );
    }

    #[test]
    fn a_base_whose_support_has_ended_is_the_matter_itself() {
        check(&RULE, "FROM debian:9\nRUN apt-get upgrade -y\nCMD [\"a\"]\n#- today 2026-11-21\n");
    }

    #[test]
    fn a_repository_that_nobody_maintains_has_no_newer_image() {
        check_silent("centos", "RUN yum --setopt=tsflags=nodocs -y update && yum clean all");
        check_silent("centos:7", "RUN yum -y update");
        check_silent("openjdk:17-jdk-slim", "RUN apt-get update && apt-get -y upgrade");
    }

    #[test]
    fn lists_are_no_upgrade() {
        check_silent("debian:12", "RUN apt-get update");
        check_silent("alpine:3.22", "RUN apk update");
    }

    #[test]
    fn a_builder_is_not_shipped() {
        check(&RULE, "FROM debian:12 AS b\nRUN apt-get upgrade -y\nFROM debian:12\nCOPY --from=b /a /a\nCMD [\"a\"]\n");
    }

    #[test]
    fn without_it_updates_may_be_missing() {
        check_no_fix(&RULE, "FROM debian:12\nRUN apt-get upgrade -y\nCMD [\"a\"]\n");
    }
}

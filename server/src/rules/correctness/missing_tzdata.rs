//! `missing-tzdata`: a time zone is set by its name, and no file in the image says what that is.

use crate::facts::ground::{self, Ground};
use crate::facts::history;
use crate::facts::installs::{Manager, Verb, deed};
use crate::model::{InstructionKind, Origin};
use crate::rules::{Context, Finding, Group, Rule, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "missing-tzdata",
    group: Group::Correctness,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
`TZ` names a time zone, and the image has no zone files: programs show UTC and say nothing.

Alpine, BusyBox, Ubuntu and `scratch` come without `/usr/share/zoneinfo`. Debian and the images built on it have it.

```dockerfile
FROM alpine:3.20
ENV TZ=Europe/Berlin
CMD ["date"]
```

With the zones:

```dockerfile
FROM alpine:3.20
RUN apk add --no-cache tzdata
ENV TZ=Europe/Berlin
CMD ["date"]
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let Some(target) = ctx.facts.target else { return };
    let Some(stage) = ctx.file.stages.get(target) else { return };
    let Some(zone) = stage.scope.get("TZ").filter(|it| it.origin == Origin::Env) else { return };
    let (Some(name), Some(range)) = (zone.value.as_deref(), zone.range) else { return };
    if !is_zone(name) || !lacks_zones(&ground::of(ctx.file, ctx.images, target)) || may_have(ctx, target) {
        return;
    }
    let ground = ground::of(ctx.file, ctx.images, target);
    let message = format!("`{}` has no zone files: programs show UTC instead of {name}", ground.name());
    acc.push(Finding::new(&RULE, range, message));
}

/// Whether a value names a zone by a place: not UTC, which needs no file, and no rule of its own (`CET-1CEST`).
fn is_zone(value: &str) -> bool {
    let Some((area, city)) = value.split_once('/') else { return false };
    let plain = |it: &str| {
        !it.is_empty()
            && it.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/' | b'+'))
    };
    area != "Etc" && area.starts_with(|it: char| it.is_ascii_uppercase()) && plain(area) && plain(city)
}

/// Images without zone files whose programs look for them.
fn lacks_zones(ground: &Ground) -> bool {
    if *ground == Ground::Scratch {
        return true;
    }
    let Some((repository, tag)) = ground.repository() else { return false };
    match repository.as_str() {
        "docker.io/library/alpine" | "docker.io/library/busybox" => true,
        // Until 16.04 they were part of it.
        "docker.io/library/ubuntu" => {
            !["10.", "12.", "14.", "15.", "16.", "precise", "trusty", "xenial"].iter().any(|it| tag.starts_with(it))
        }
        _ => false,
    }
}

/// Whether something brings the zones, or programs that have their own.
fn may_have(ctx: &Context, target: usize) -> bool {
    // Java, Node and ICU know the zones by themselves; Go does when it is told to.
    const OWN: [&str; 12] = [
        "tzdata",
        "zoneinfo",
        "ZONEINFO",
        "timetzdata",
        "java",
        "jdk",
        "jre",
        "node",
        "icu",
        "php",
        "postgres",
        "mysql",
    ];
    let text_of = |idx: &usize| {
        ctx.file
            .stages
            .get(*idx)
            .and_then(|stage| ctx.file.text.get(usize::from(stage.range.start())..usize::from(stage.range.end())))
    };
    if ctx.facts.final_chain.iter().filter_map(text_of).any(|text| OWN.iter().any(|it| text.contains(it))) {
        return true;
    }
    history::steps(ctx.file, target, usize::MAX).iter().any(|step| match &step.placed.instruction.kind {
        InstructionKind::Copy(_) | InstructionKind::Add(_) => {
            step.may_bring(ctx.file, ctx.context, "/usr/share/zoneinfo", &[])
        }
        InstructionKind::Run(_) => {
            let Some(known) = step.run(ctx.facts) else { return true };
            known.commands.is_empty()
                || known.commands.iter().any(|command| match deed(command) {
                    // Many packages of Ubuntu need the zones; these do not.
                    Some(deed) if deed.manager == Manager::Apt && deed.verb == Verb::Install => {
                        deed.is_open()
                            || deed
                                .packages()
                                .any(|name| !SMALL.contains(&name.split(['=', ':']).next().unwrap_or(name)))
                    }
                    Some(deed) => deed.is_open() && deed.verb == Verb::Install,
                    None => {
                        command.program.contains('.') || matches!(command.program.as_str(), "sh" | "bash" | "" | "make")
                    }
                })
        }
        _ => false,
    })
}

/// Packages of Ubuntu that come without zones.
const SMALL: [&str; 16] = [
    "apt-transport-https",
    "build-essential",
    "ca-certificates",
    "cron",
    "curl",
    "g++",
    "gcc",
    "git",
    "gnupg",
    "jq",
    "locales",
    "make",
    "nano",
    "unzip",
    "wget",
    "zip",
];

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::check;

    #[test]
    fn the_zone_has_no_file() {
        check(
            &RULE,
            "FROM alpine:3.20\nENV A=1 TZ=Europe/Berlin\n#       ^^ `alpine:3.20` has no zone files: programs show UTC instead of Europe/Berlin\n",
        );
        check(&RULE, "FROM ubuntu:22.04\nENV TZ Asia/Tokyo\n#   ^^ has no zone files\nRUN apt-get install -y curl\n");
        check(&RULE, "FROM scratch\nCOPY a.json /\nENV TZ=America/New_York\n#   ^^ `scratch` has no zone files\n");
        check(&RULE, "FROM alpine\nRUN apk add curl\nARG Z=Europe/Paris\nENV TZ=$Z\n#   ^^ instead of Europe/Paris\n");
    }

    #[test]
    fn utc_needs_no_file() {
        for zone in ["UTC", "Etc/UTC", "GMT", "CET-1CEST,M3.5.0,M10.5.0/3", "$ZONE"] {
            check(&RULE, &format!("FROM alpine\nENV TZ={zone}\n"));
        }
    }

    #[test]
    fn the_zones_may_be_brought() {
        check(&RULE, "FROM alpine\nENV TZ=Europe/Berlin\nRUN apk add --no-cache tzdata\n");
        check(&RULE, "FROM scratch\nCOPY --from=b /usr/share/zoneinfo /usr/share/zoneinfo\nENV TZ=Europe/Berlin\n");
        check(&RULE, "FROM scratch\nADD zones.tar.gz /\nENV TZ=Europe/Berlin\n");
        check(&RULE, "FROM alpine\nENV TZ=Europe/Berlin ZONEINFO=/z\n");
        check(&RULE, "FROM ubuntu:22.04\nENV TZ=Europe/Berlin\nRUN apt-get install -y python3-tz\n");
        check(&RULE, "FROM alpine\nENV TZ=Europe/Berlin\nRUN apk add $PACKAGES\n");
    }

    #[test]
    fn images_that_have_them_are_fine() {
        for image in
            ["debian:12", "python:3.12-alpine", "node:22-alpine", "ubuntu:16.04", "example.com/a", "nginx:alpine"]
        {
            check(&RULE, &format!("FROM {image}\nENV TZ=Europe/Berlin\n"));
        }
    }

    #[test]
    fn some_programs_have_their_own() {
        check(&RULE, "FROM alpine\nRUN apk add openjdk17-jre\nENV TZ=Europe/Berlin\n");
        check(&RULE, "FROM alpine\nRUN apk add nodejs\nENV TZ=Europe/Berlin\n");
    }

    #[test]
    fn a_builder_may_have_any_time() {
        check(&RULE, "FROM alpine AS b\nENV TZ=Europe/Berlin\nFROM alpine\nCOPY --from=b /a /a\n");
    }
}

//! `apt-recommends-installed`: apt brings packages that nobody asked for.

use crate::facts::installs::{Deed, Manager, Verb, deed};
use crate::facts::run::Command;
use crate::model::{ImageRef, InstructionKind};
use crate::packages::{AptClosure, apt_closure};
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Safety, Severity};
use crate::size::spared::{Asked, Saving, asked, declines, saving};
use crate::text::TextEdit;
use crate::weight::Estimate;

/// The rule.
pub static RULE: Rule = Rule {
    name: "apt-recommends-installed",
    group: Group::Size,
    severity: Severity::Information,
    on: true,
    also: &["DL3015"],
    doc: r##"
apt installs the packages that the named ones recommend as well.

On a desktop they round a program off; in an image they are mostly weight: `python3-pip` comes with compilers, 452 MB
instead of 70, counted from the package lists of Debian 12.
Nothing is said where they are few, or where the configuration of apt declines them already.

```dockerfile
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y python3-pip && rm -rf /var/lib/apt/lists/*
CMD ["python3", "app.py"]
```

Without them:

```dockerfile
FROM debian:bookworm-slim
RUN apt-get update && apt-get install --no-install-recommends -y python3-pip && rm -rf /var/lib/apt/lists/*
CMD ["python3", "app.py"]
```

The fix is for a person to look at: a recommended package may be what the program relies on.
Its title names the heaviest ones that fall away; `ca-certificates` is asked for by name where it would be among them.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let Some(image) = ctx.base_image() else { return };
    let mut all: Option<Vec<Asked>> = None;
    for at in ctx.final_runs() {
        for command in at.facts.commands.iter().filter(|it| it.certain) {
            let Some(deed) = deed(command).filter(|it| is_install(command, it)) else { continue };
            if is_configured(ctx, &at) {
                return;
            }
            let all = all.get_or_insert_with(|| asked(ctx.file, ctx.facts));
            let Some((extra, saves)) = extra(ctx, &at, command, all, image) else { continue };
            let figure = saves.words_of(is_incomplete(&deed));
            let message = format!("packages that nobody asked for are installed too ({figure})");
            let mut finding = Finding::new(&RULE, at.placed.range(deed.word_range), message);
            finding.cause = at.range(command);
            finding.saves = Some(saves);
            finding.fix = Some(fix(&at, &deed, &extra, image));
            acc.push(finding);
        }
    }
}

/// Whether it is an install of known packages with those that they recommend.
fn is_install(command: &Command, deed: &Deed) -> bool {
    let idle = ["--no-install-recommends", "-s", "--simulate", "--dry-run", "--print-uris", "--only-upgrade", "-f"];
    let idle = command.has(&idle) || command.has(&["--download-only", "-d", "--reinstall", "--fix-broken"]);
    let is_apt = deed.manager == Manager::Apt && deed.verb == Verb::Install && deed.word == "install";
    is_apt && !idle && !deed.is_open() && !deed.words.is_empty() && !declines(command)
}

/// Whether an earlier instruction of the chain writes, copies or names a configuration that may decline them.
fn is_configured(ctx: &Context, at: &RunAt) -> bool {
    let stages = ctx.facts.final_chain.iter().filter_map(|idx| ctx.file.stages.get(*idx));
    let earlier =
        |stage: &'_ crate::model::Stage| stage.instructions.iter().take_while(|it| it.at <= at.placed.at).any(mentions);
    { stages }.any(earlier)
}

fn mentions(placed: &crate::model::Placed) -> bool {
    let text = &*placed.instruction.text;
    let names = ["Install-Recommends", "install-recommends \"", "apt.conf", "APT_CONFIG"];
    let into_etc = match &placed.instruction.kind {
        InstructionKind::Copy(copy) | InstructionKind::Add(copy) => copy.destination.as_ref().is_some_and(|it| {
            matches!(it.text.trim_end_matches('/'), "" | "/" | "/etc") || it.text.starts_with("/etc/apt/ap")
        }),
        _ => false,
    };
    into_etc || names.iter().any(|name| text.contains(name))
}

/// What comes with this command and would not without recommended packages here and in what follows.
fn extra(
    ctx: &Context,
    at: &RunAt,
    command: &Command,
    all: &[Asked],
    image: &ImageRef,
) -> Option<(AptClosure, Estimate)> {
    let here = u32::from(at.range(command).start());
    let until = |last: u32| -> Vec<Asked> {
        all.iter().map(|it| Asked { recommends: it.recommends && it.at <= last, ..*it }).collect()
    };
    let (mut all, mut kept) = (until(here), until(here.saturating_sub(1)));
    if !is_of_today(image) {
        // Headers of the libc recommend half a desktop since glibc 2.32, not before.
        let headers = Asked { name: "libc6-dev", recommends: true, at: 0 };
        all.push(headers);
        kept.push(headers);
    }
    match saving(&all, &kept, Some(image), ctx.images) {
        Saving::Known(extra, weight) => Some((extra, weight)),
        Saving::Nothing | Saving::Unknown => None,
    }
}

/// Whether the base surely is a release like the one of the table: Debian 12, Ubuntu 22.04 or later.
fn is_of_today(image: &ImageRef) -> bool {
    let tag = image.tag_or_latest().unwrap_or_default();
    let suites = ["bookworm", "trixie", "jammy", "noble", "22.04", "24.04", "26.04"];
    let debian =
        image.path == "library/debian" && ["12", "13", "stable", "latest"].iter().any(|it| tag.starts_with(it));
    let ubuntu = image.path == "library/ubuntu" && matches!(tag, "latest" | "rolling");
    debian || ubuntu || suites.iter().any(|suite| tag.contains(suite))
}

/// Whether the table lacks a package of this command, so that what it recommends is not counted.
fn is_incomplete(deed: &Deed) -> bool {
    let names: Vec<&str> = deed.packages().collect();
    !apt_closure(&names, true).unknown.is_empty()
}

/// Whether the package is called so in one release only, as `libpython3.11` is in Debian 12.
fn is_of_one_release(name: &str) -> bool {
    name.strip_prefix("python3-").unwrap_or(name).contains(|it: char| it.is_ascii_digit())
}

fn fix(at: &RunAt, deed: &Deed, extra: &AptClosure, image: &ImageRef) -> Fix {
    let names = extra.heaviest();
    let certificates = names.contains(&"ca-certificates");
    let others = || names.iter().filter(|it| **it != "ca-certificates");
    let tag = image.tag.as_deref().unwrap_or_default();
    let is_of_the_table = tag.contains("bookworm") || image.path == "library/debian" && tag.starts_with("12");
    let shown: Vec<&str> = others().filter(|it| is_of_the_table || !is_of_one_release(it)).take(3).copied().collect();
    let more =
        if is_of_the_table { others().count() - shown.len() } else { usize::from(others().count() > shown.len()) };
    let title = match (shown.join(", "), more) {
        (shown, _) if shown.is_empty() => "Install without recommended packages".to_owned(),
        (shown, 0) => format!("Install without the recommended {shown}"),
        (shown, more) if is_of_the_table => format!("Install without the recommended {shown} and {more} more"),
        (shown, _) => format!("Install without the recommended {shown} and others"),
    };
    let place = at.placed.range(deed.word_range).end();
    let keep = if certificates { " ca-certificates" } else { "" };
    let edit = TextEdit::insert(place, format!(" --no-install-recommends{keep}"));
    Fix { title, safety: Safety::Review, edit }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, check_fix, findings, parse};
    use crate::rules::Safety;

    fn check_silent(image: &str, run: &str) {
        check(&RULE, &format!("FROM {image}\n{run}\nCMD [\"a\"]\n"));
    }

    #[test]
    fn the_word_install_is_to_blame() {
        let text = "FROM debian:bookworm-slim\n\
             RUN apt-get update && apt-get install -y python3-pip\n\
             #                             ^^^^^^^ packages that nobody asked for are installed too (about 380 MB)\n\
             CMD [\"a\"]\n";
        check(&RULE, text);
        let analysis = analyse(&parse(text));
        let title = findings(&analysis, &RULE)[0].fix.as_ref().map(|it| it.title.clone()).unwrap_or_default();
        assert!(title.starts_with("Install without the recommended ") && title.ends_with(" more"), "{title}");
    }

    fn title(text: &str) -> String {
        let analysis = analyse(&parse(text));
        findings(&analysis, &RULE)[0].fix.as_ref().map(|it| it.title.clone()).unwrap_or_default()
    }

    #[test]
    fn on_another_release_the_packages_have_other_versions_in_their_names() {
        let file = |image: &str| format!("FROM {image}\nRUN apt-get install -y procps smbclient\nCMD [\"a\"]\n");
        assert!(title(&file("php:8.3-fpm-bookworm")).contains("libpython3.11"));
        let of_any = title(&file("nextcloud:fpm"));
        assert!(of_any.contains("python3-samba") && of_any.ends_with(" and others"), "{of_any}");
        assert!(!of_any.contains("libpython3"), "{of_any}");
    }

    #[test]
    fn packages_that_are_not_known_may_recommend_more() {
        check(
            &RULE,
            "FROM debian:bookworm-slim\n\
             RUN apt-get install -y curl nobody-knows-this\n\
             #           ^^^^^^^ at least 3\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn ubuntu_and_what_is_built_on_debian_recommend_alike() {
        check(
            &RULE,
            "FROM ubuntu:22.04\n\
             RUN apt-get update && apt install -y --no-install-suggests python3-pip\n\
             #                         ^^^^^^^ about\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn who_declines_them_does_not_get_them() {
        check_silent("debian:12", "RUN apt-get install -y --no-install-recommends python3-pip");
        check_silent("debian:12", "RUN apt-get -o APT::Install-Recommends=0 install -y python3-pip");
        check_silent("debian:12", "RUN apt-get install -y -o APT::Install-Recommends=false python3-pip");
    }

    #[test]
    fn a_configuration_may_decline_them() {
        check_silent(
            "debian:12",
            "RUN echo 'APT::Install-Recommends \"0\";' > /etc/apt/apt.conf.d/99x\nRUN apt-get install -y python3-pip",
        );
        check_silent("debian:12", "COPY apt.conf /etc/apt/apt.conf\nRUN apt-get install -y python3-pip");
        check_silent("debian:12", "COPY 99norecommend /etc/apt/apt.conf.d/\nRUN apt-get install -y python3-pip");
        check_silent("debian:12", "COPY root/ /\nRUN apt-get install -y python3-pip");
    }

    #[test]
    fn where_little_is_recommended_there_is_little_to_say() {
        check_silent("debian:12", "RUN apt-get install -y ca-certificates");
        check_silent("debian:12", "RUN apt-get install -y netcat-openbsd");
    }

    #[test]
    fn packages_that_are_not_known_recommend_nothing_that_is_known() {
        check_silent("debian:12", "RUN apt-get install -y $PACKAGES");
        check_silent("debian:12", "RUN apt-get install -y nobody-knows-this");
        check_silent("debian:12", "RUN apt-get build-dep -y python3-pip");
    }

    #[test]
    fn what_an_earlier_install_brought_is_not_counted_again() {
        check(
            &RULE,
            "FROM debian:bookworm-slim\n\
             RUN apt-get update && apt-get install -y python3-pip\n\
             #                             ^^^^^^^ about 380 MB\n\
             RUN apt-get update && apt-get install -y python3-pip\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn an_older_release_recommends_less() {
        check(&RULE, "FROM debian:12\nRUN apt-get install -y zlib1g-dev\n#           ^^^^^^^ about\nCMD [\"a\"]\n");
        check_silent("debian:10", "RUN apt-get install -y zlib1g-dev");
    }

    #[test]
    fn another_base_has_other_packages() {
        check_silent("example.com/base", "RUN apt-get install -y python3-pip");
        check_silent("alpine:3.22", "RUN apt-get install -y python3-pip");
    }

    #[test]
    fn a_builder_is_not_shipped() {
        check(
            &RULE,
            "FROM debian:12 AS b\nRUN apt-get install -y python3-pip\nFROM debian:12\nCOPY --from=b /a /a\nCMD [\"a\"]\n",
        );
    }

    #[test]
    fn the_flag_stands_behind_the_verb_and_certificates_are_kept() {
        let file = |run: &str| format!("FROM debian:bookworm-slim\nRUN {run}\nCMD [\"a\"]\n");
        check_fix(
            &RULE,
            Safety::Review,
            &file("apt-get install -y curl"),
            &file("apt-get install --no-install-recommends ca-certificates -y curl"),
        );
    }
}

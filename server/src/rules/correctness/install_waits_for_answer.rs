//! `install-waits-for-answer`: a package manager asks whether to go on, and nobody is there to answer.

use crate::facts::installs::{Deed, Manager, deed};
use crate::facts::run::Command;
use crate::model::Base;
use crate::packages::apt_closure;
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Safety, Severity};
use crate::shell::{Call, Part};
use crate::text::{Local, TextEdit, TextRange};

/// The rule.
pub static RULE: Rule = Rule {
    name: "install-waits-for-answer",
    group: Group::Correctness,
    severity: Severity::Error,
    on: true,
    also: &["DL3014", "DL3030", "DL3034", "DL3038"],
    doc: r##"
A package manager asks before it goes on, and a build has nobody who could answer.

Without a terminal the question is answered by no: `apt-get` aborts as soon as it wants to install more than was named,
`yum`, `dnf`, `zypper` and `conda` always ask.
`DEBIAN_FRONTEND=noninteractive` silences the questions of packages, not that of `apt-get`.

```dockerfile
FROM debian:bookworm-slim
RUN apt-get update && apt-get install git && rm -rf /var/lib/apt/lists/*
CMD ["git", "--version"]
```

Answered beforehand:

```dockerfile
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y git && rm -rf /var/lib/apt/lists/*
CMD ["git", "--version"]
```

A setting (`APT::Get::Assume-Yes`, `assumeyes=1`, `CONDA_ALWAYS_YES`) answers as well.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, _) in ctx.reaching() {
        for at in ctx.runs(stage_idx) {
            for command in &at.facts.commands {
                acc.extend(finding(ctx, &at, command));
            }
        }
    }
}

fn finding(ctx: &Context, at: &RunAt, command: &Command) -> Option<Finding> {
    let deed = deed(command)?;
    let asking = asking(&deed, command)?;
    let call = at.call(command)?;
    let asks_nothing = ["--help", "-h", "--version", "--dry-run", "--simulate", "-s", "--print-uris", "--assumeno"];
    if command.has(&asks_nothing)
        || answered(asking, command, &deed)
        || hides_an_option(call, command)
        || is_fed(at, command.range, call)
        || is_configured(ctx, at, asking)
        || !is_alone_at_fault(ctx, at, asking, &deed, command)
    {
        return None;
    }
    let range = TextRange::new(at.range(command).start(), at.placed.range(deed.word_range).end());
    let message = format!("`{} {}` asks whether to go on, and nobody answers in a build", command.program, deed.word);
    let mut finding = Finding::new(&RULE, range, message);
    finding.cause = at.range(command);
    // On some days there is nothing to upgrade or to repair, and then nothing is asked.
    let of_some_days = matches!(deed.word, "update" | "upgrade" | "up" | "dup" | "patch" | "distro-sync")
        || deed.word.ends_with("-upgrade")
        || deed.words.is_empty();
    if of_some_days {
        finding.severity = Severity::Warning;
    }
    finding.fix = fix(at, asking, &deed);
    Some(finding)
}

/// Whose question it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asking {
    Apt,
    Rpm,
    Zypper,
    Conda,
}

/// Whether this asks, if nothing answers it.
fn asking(deed: &Deed, command: &Command) -> Option<Asking> {
    let one_of = |words: &[&str]| words.contains(&deed.word);
    match deed.manager {
        Manager::Apt => {
            let verbs = [
                "install",
                "build-dep",
                "reinstall",
                "remove",
                "purge",
                "upgrade",
                "dist-upgrade",
                "full-upgrade",
                "safe-upgrade",
            ];
            one_of(&verbs).then_some(Asking::Apt)
        }
        Manager::Rpm => {
            let asks = matches!(command.program.as_str(), "yum" | "dnf" | "dnf5");
            let verbs = [
                "install",
                "groupinstall",
                "localinstall",
                "reinstall",
                "update",
                "upgrade",
                "builddep",
                "remove",
                "erase",
                "downgrade",
                "swap",
                "distro-sync",
            ];
            (asks && one_of(&verbs)).then_some(Asking::Rpm)
        }
        Manager::Zypper => {
            let verbs = ["install", "in", "update", "up", "remove", "rm", "dup", "dist-upgrade", "patch"];
            one_of(&verbs).then_some(Asking::Zypper)
        }
        Manager::Conda => {
            let asks = matches!(command.program.as_str(), "conda" | "mamba");
            (asks && one_of(&["install", "update", "create", "remove"])).then_some(Asking::Conda)
        }
        _ => None,
    }
}

/// Whether an option answers.
fn answered(asking: Asking, command: &Command, deed: &Deed) -> bool {
    let mut n_quiet = 0;
    for argument in &command.arguments {
        let Some(value) = argument.value.as_deref() else { continue };
        let before = argument.range.start < deed.word_range.start;
        if let Some(long) = value.strip_prefix("--") {
            let name = long.split('=').next().unwrap_or_default();
            let answers = match asking {
                Asking::Apt => {
                    n_quiet += usize::from(name == "quiet");
                    matches!(name, "yes" | "assume-yes" | "force-yes") || matches!(long, "quiet=2")
                }
                Asking::Rpm => matches!(name, "assumeyes"),
                Asking::Zypper => matches!(name, "non-interactive" | "no-confirm"),
                Asking::Conda => matches!(name, "yes" | "json"),
            };
            if answers {
                return true;
            }
        } else if let Some(letters) = value.strip_prefix('-') {
            if letters.starts_with("q=2") {
                return true;
            }
            if letters.len() > 6 || !letters.bytes().all(|it| it.is_ascii_alphabetic()) {
                continue;
            }
            n_quiet += letters.matches('q').count();
            let answers = letters.contains('y') || (asking == Asking::Zypper && before && letters.contains('n'));
            if answers || (asking == Asking::Conda && letters == "d") {
                return true;
            }
        }
    }
    asking == Asking::Apt && n_quiet >= 2
}

/// Whether a variable stands where an option may: `apt-get install $OPTIONS`.
fn hides_an_option(call: &Call, command: &Command) -> bool {
    call.arguments.iter().zip(&command.arguments).any(|(word, argument)| match (word.parts.first(), &argument.value) {
        (Some(Part::Variable { .. } | Part::Substitution(_) | Part::Other), Some(value)) => {
            value.split_whitespace().any(|it| it.starts_with('-'))
        }
        (Some(Part::Variable { .. } | Part::Substitution(_) | Part::Other), None) => true,
        _ => false,
    })
}

/// Whether something is written to its input: `yes | apt-get install x`.
fn is_fed(at: &RunAt, range: Local, call: &Call) -> bool {
    let redirected = call.redirects.iter().any(|it| it.operator.starts_with('<') && it.descriptor.is_none());
    let Some(script) = at.run.script() else { return true };
    redirected
        || script.items().iter().any(|(item, _)| {
            item.and_or
                .pipelines()
                .any(|pipeline| pipeline.commands.iter().skip(1).any(|it| it.range.contains_range(range)))
        })
}

/// Whether a setting answers: one that is written before, or comes with a copied file or the base image.
fn is_configured(ctx: &Context, at: &RunAt, asking: Asking) -> bool {
    let words: &[&str] = match asking {
        Asking::Apt => &["assume-yes", "apt_config", "apt.conf"],
        Asking::Rpm => &["assumeyes", "yum.conf", "dnf.conf"],
        Asking::Zypper => &["zypp_non_interactive", "zypper.conf"],
        Asking::Conda => &["always_yes", "condarc"],
    };
    let mut stage_idx = at.stage_idx;
    let mut n_instructions = at.idx + 1;
    while let Some(stage) = ctx.file.stages.get(stage_idx) {
        let before = stage.instructions.iter().take(n_instructions);
        if before.into_iter().any(|placed| {
            let text = placed.instruction.text.to_ascii_lowercase();
            words.iter().any(|word| text.contains(word))
        }) {
            return true;
        }
        let Base::Stage(parent) = stage.base else { break };
        stage_idx = parent;
        n_instructions = usize::MAX;
    }
    ctx.facts.image(ctx.file, at.stage_idx).is_none_or(|image| {
        // The images of CircleCI set `APT::Get::Assume-Yes`.
        image.path.starts_with("circleci/") || image.path.starts_with("cimg/")
    })
}

/// Whether apt surely asks: not where it installs just what was named, or nothing at all.
fn is_alone_at_fault(ctx: &Context, at: &RunAt, asking: Asking, deed: &Deed, command: &Command) -> bool {
    if asking != Asking::Apt || deed.word != "install" {
        return true;
    }
    if deed.is_open() || deed.words.is_empty() {
        return !deed.words.is_empty() || command.has(&["-f", "--fix-broken"]);
    }
    let names: Vec<&str> = deed.packages().collect();
    let recommends = !command.has(&["--no-install-recommends", "APT::Install-Recommends=0"]);
    let closure = apt_closure(&names, recommends);
    // Of packages that others publish nobody knows whether they need more than themselves.
    if !closure.unknown.is_empty() && !adds_a_repository(at) {
        return true;
    }
    let base = ctx.facts.image(ctx.file, at.stage_idx).and_then(|image| ctx.images.packages(image));
    let new = match base {
        Some(base) => closure.without(&base),
        None => closure,
    };
    let n_named = new.of_names(&names).packages();
    n_named > 0 && new.packages() > n_named
}

/// Whether packages may come from another repository than the distribution's.
fn adds_a_repository(at: &RunAt) -> bool {
    let words = ["sources.list", "add-apt-repository", "dpkg -i", "apt-key", "keyrings", "setup_"];
    let before = at.stage.instructions.iter().take(at.idx + 1);
    before.into_iter().any(|placed| words.iter().any(|word| placed.instruction.text.contains(word)))
}

fn fix(at: &RunAt, asking: Asking, deed: &Deed) -> Option<Fix> {
    let word = at.placed.range(deed.word_range);
    let (edit, option) = match asking {
        Asking::Apt | Asking::Rpm | Asking::Conda => (TextEdit::insert(word.end(), " -y"), "-y"),
        Asking::Zypper => (TextEdit::insert(word.start(), "-n "), "-n"),
    };
    Some(Fix { title: format!("Answer beforehand with `{option}`"), safety: Safety::Safe, edit })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, check_fix, findings, parse};
    use crate::rules::{Safety, Severity};

    fn check_silent(run: &str) {
        check(&RULE, &format!("FROM debian:12\n{run}\nCMD [\"a\"]\n"));
    }

    #[test]
    fn apt_aborts_where_it_installs_more_than_was_named() {
        check(
            &RULE,
            "FROM debian:12\n\
             ENV DEBIAN_FRONTEND=noninteractive\n\
             RUN apt-get update && apt-get -q install git\n\
             #                     ^^^^^^^^^^^^^^^^^^ `apt-get install` asks\n\
             RUN apt-get upgrade\n\
             #   ^^^^^^^^^^^^^^^ asks\n\
             RUN sudo apt remove git\n\
             #        ^^^^^^^^^^ asks\n",
        );
    }

    #[test]
    fn the_others_always_ask() {
        check(
            &RULE,
            "FROM fedora:40\n\
             RUN dnf install gcc\n\
             #   ^^^^^^^^^^^ asks\n\
             RUN yum -q update && conda install -n base numpy\n\
             #   ^^^^^^^^^^^^^ asks\n\
             #                    ^^^^^^^^^^^^^ asks\n\
             RUN zypper --no-gpg-checks in vim\n\
             #   ^^^^^^^^^^^^^^^^^^^^^^^^^ asks\n",
        );
    }

    #[test]
    fn an_option_answers() {
        for run in [
            "apt-get install -y git",
            "apt-get -qqy install git",
            "apt-get install -yq --no-install-recommends git",
            "apt-get -qq install git",
            "apt-get install -q -q git",
            "apt-get -q=2 install git",
            "apt-get install git --assume-yes",
            "apt-get install --force-yes git",
            "apt-get -o APT::Get::Assume-Yes=true install git",
            "yum install gcc -y",
            "dnf --assumeyes install gcc",
            "dnf --setopt=assumeyes=1 install gcc",
            "zypper -n in vim",
            "zypper --non-interactive install vim",
            "zypper install -y vim",
            "conda install -yq numpy",
            "conda create --yes -n x",
        ] {
            check_silent(&format!("RUN {run}"));
        }
    }

    #[test]
    fn a_setting_answers() {
        check_silent("RUN echo 'APT::Get::Assume-Yes \"true\";' > /etc/apt/apt.conf.d/90yes\nRUN apt-get install git");
        check_silent("COPY apt.conf /etc/apt/\nRUN apt-get install git");
        check_silent("ENV CONDA_ALWAYS_YES=true\nRUN conda install numpy");
        check_silent("RUN conda config --set always_yes yes && conda install numpy");
        check(&RULE, "FROM debian:12 AS a\nCOPY apt.conf /etc/apt/\nFROM a\nRUN apt-get install git\n");
        check(&RULE, "FROM circleci/node\nRUN sudo apt-get install git\n");
    }

    #[test]
    fn a_pipe_answers() {
        check_silent("RUN yes | apt-get install git");
        check_silent("RUN echo y | sudo yum install gcc");
        check_silent("RUN yes | sh -c 'apt-get install git'");
        check_silent("RUN apt-get install git < answers");
    }

    #[test]
    fn what_asks_nothing_is_left_alone() {
        check_silent("RUN apt-get update && apt-get clean && apt-get autoclean && apt-get download git");
        check_silent("RUN microdnf install git && npx x && add-apt-repository ppa:x");
        check_silent("RUN apt-get install --dry-run git && micromamba install -n x y");
    }

    #[test]
    fn apt_asks_nothing_where_it_installs_what_was_named() {
        check_silent("RUN apt-get update && apt-get install tree");
        check(&RULE, "FROM node:22\nRUN apt-get install curl\n");
        check_silent("RUN add-apt-repository ppa:x && apt-get install somebodys-tool");
    }

    #[test]
    fn a_variable_may_hold_the_option() {
        check_silent("ARG OPTIONS\nRUN apt-get install $OPTIONS git");
        check_silent("ENV OPTIONS=\"-y --no-install-recommends\"\nRUN apt-get install $OPTIONS git");
    }

    #[test]
    fn other_shells_and_unreached_stages_are_left_alone() {
        check(&RULE, "FROM a AS b\nRUN yum install x\nFROM c\n");
        check_silent("SHELL [\"pwsh\", \"-c\"]\nRUN apt-get install git");
        check_silent("ONBUILD RUN apt-get install git");
    }

    #[test]
    fn an_upgrade_asks_on_some_days() {
        let severity = |run: &str| {
            let analysis = analyse(&parse(&format!("FROM debian:12\nRUN {run}\n")));
            findings(&analysis, &RULE).first().map(|finding| finding.severity)
        };
        assert_eq!(severity("apt-get install git"), Some(Severity::Error));
        assert_eq!(severity("apt-get dist-upgrade"), Some(Severity::Warning));
        assert_eq!(severity("yum update"), Some(Severity::Warning));
        assert_eq!(severity("apt-get -f install"), Some(Severity::Warning));
    }

    #[test]
    fn the_answer_is_put_in() {
        check_fix(
            &RULE,
            Safety::Safe,
            "FROM opensuse/leap\nRUN zypper install vim && zypper rm vim\nCMD a\n",
            "FROM opensuse/leap\nRUN zypper -n install vim && zypper -n rm vim\nCMD a\n",
        );
        check_fix(
            &RULE,
            Safety::Safe,
            "FROM debian:12\nRUN apt-get install \\\n    git\nCMD a\n",
            "FROM debian:12\nRUN apt-get install -y \\\n    git\nCMD a\n",
        );
    }
}

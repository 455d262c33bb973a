//! `apt-lists-left`: the package lists of `apt-get update` stay in a shipped layer.

use crate::facts::append::append;
use crate::facts::caches::{Cache, lists_weight};
use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::run::Command;
use crate::model::Base;
use crate::rules::{Context, Finding, Fix, Group, Related, Rule, RunAt, Safety, Severity};
use crate::text::TextRange;

/// The rule.
pub static RULE: Rule = Rule {
    name: "apt-lists-left",
    group: Group::Size,
    severity: Severity::Warning,
    on: true,
    also: &["DL3009"],
    doc: r##"
The package lists fetched by `apt-get update` stay in the layer.

They are only needed while packages are installed: about 20 MB on Debian, more where the image does not compress them.
A later `RUN rm` cannot take them out again, because the layer below keeps them; they have to go in the same `RUN`.

```dockerfile
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends curl
CMD ["curl", "https://example.com"]
```

Removed where they were fetched:

```dockerfile
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
CMD ["curl", "https://example.com"]
```

A cache mount on `/var/lib/apt` keeps them out of the layer as well.
Nothing is offered where a later `RUN` installs without an `apt-get update` of its own: it would no longer build.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let image = ctx.base_image();
    let manager = image.and_then(|image| ctx.images.traits(image)).map(|it| it.package_manager.clone());
    if manager.is_some_and(|manager| manager != "apt") {
        return;
    }
    for at in ctx.final_runs() {
        let Some(left) = at.facts.left.iter().rfind(|left| left.cache == Cache::AptLists) else { continue };
        let Some(update) = at.facts.commands.get(left.command) else { continue };
        if is_configured(ctx, &at) {
            continue;
        }
        let saves = lists_weight(image);
        let mut message = format!("{} in this layer ({})", left.cache.stays(), saves.words());
        let mut finding = Finding::new(&RULE, at.range(update), String::new());
        match needs_them(ctx, at.stage_idx, at.idx + 1) {
            Needs::Install(range) => {
                message.push_str(", and a later RUN installs from them");
                let message = "this installs without an update of its own".to_owned();
                finding.related.push(Related { range, message });
            }
            Needs::Unknown => finding.fix = fix(ctx, &at, update, Safety::Review),
            Needs::Nothing => finding.fix = fix(ctx, &at, update, ctx.safety()),
        }
        finding.message = message;
        finding.saves = Some(saves);
        acc.push(finding);
    }
}

/// Whether an earlier instruction of the chain puts the lists elsewhere, as far as it can be read.
fn is_configured(ctx: &Context, at: &RunAt) -> bool {
    ctx.facts.final_chain.iter().filter_map(|idx| ctx.file.stages.get(*idx)).any(|stage| {
        let mut earlier = stage.instructions.iter().take_while(|placed| placed.at <= at.placed.at);
        earlier.any(|placed| placed.instruction.text.contains("Dir::State"))
    })
}

fn fix(ctx: &Context, at: &RunAt, update: &Command, safety: Safety) -> Option<Fix> {
    let wrapper = at.call(update)?.wrapper.as_deref();
    let remove = match wrapper {
        None => "rm -rf /var/lib/apt/lists/*",
        Some("sudo") => "sudo rm -rf /var/lib/apt/lists/*",
        Some(_) => return None,
    };
    let edit = append(&ctx.file.text, at.placed, at.run, at.facts, remove)?;
    Some(Fix { title: "Remove the lists in the same layer".to_owned(), safety, edit })
}

/// Whether something later installs from the lists.
enum Needs {
    /// Nothing does.
    Nothing,
    /// A script that nobody has read may.
    Unknown,
    /// This command does.
    Install(TextRange),
}

/// Looks at the RUNs from an instruction on, in the stage and in all stages that are built on it.
fn needs_them(ctx: &Context, stage_idx: usize, from: usize) -> Needs {
    let mut res = Needs::Nothing;
    for at in ctx.runs(stage_idx).filter(|at| at.idx >= from) {
        for command in &at.facts.commands {
            let deed = deed(command).filter(|it| it.manager == Manager::Apt);
            match deed.as_ref().map(|it| it.verb) {
                Some(Verb::Update) => return res,
                Some(Verb::Install) if deed.is_some_and(|it| is_fetched(&it.words)) => {
                    return Needs::Install(at.range(command));
                }
                Some(_) => {}
                None if is_script(command) => res = Needs::Unknown,
                None => {}
            }
        }
        if at.facts.commands.is_empty() {
            res = Needs::Unknown;
        }
    }
    for (child, stage) in ctx.file.stages.iter().enumerate().skip(stage_idx + 1) {
        if stage.base == Base::Stage(stage_idx) {
            match needs_them(ctx, child, 0) {
                Needs::Install(range) => return Needs::Install(range),
                Needs::Unknown => res = Needs::Unknown,
                Needs::Nothing => {}
            }
        }
    }
    res
}

/// Whether a package comes from a repository: `./x.deb` needs no list for itself, but one for what it depends on.
fn is_fetched(words: &[&crate::facts::run::Argument]) -> bool {
    !words.is_empty()
}

/// A program of the project or a script, which may install packages.
fn is_script(command: &Command) -> bool {
    let names_script = |word: &str| word.ends_with(".sh") || word.starts_with("./");
    let runs_file = matches!(command.program.as_str(), "make" | "ansible-playbook" | "source" | "." | "eval");
    runs_file || names_script(&command.program) || command.values().any(names_script)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    fn check_silent(run: &str) {
        check(&RULE, &format!("FROM debian:12\n{run}\nCMD [\"a\"]\n"));
    }

    #[test]
    fn the_update_is_to_blame() {
        check(
            &RULE,
            "FROM debian:12\n\
             RUN apt-get update \\\n\
             #   ^^^^^^^^^^^^^^ the package lists stay in this layer (about 20 MB)\n \
              && apt-get install -y curl\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn what_is_removed_in_the_same_layer_is_not_in_it() {
        check_silent("RUN apt-get update && apt-get install -y a && rm -rf /var/lib/apt/lists/*");
        check_silent("RUN apt update; apt install -y a; rm -rf /var/lib/apt");
        check_silent("RUN apt-get update && apt-get -y install a && find /var/lib/apt/lists -type f -delete");
        check_silent("RUN <<EOF\napt-get update\napt-get install -y a\nrm -rf /var/lib/apt/lists/*\nEOF");
        check_silent("RUN set -ex; apt-get update; apt-get install -y a; apt-get dist-clean");
        check_silent("RUN apt-get update && apt-get install -y a && apt-get distclean");
    }

    #[test]
    fn a_removal_that_may_not_run_silences_nobody() {
        check_silent("RUN apt-get update && apt-get install -y a && (b || rm -rf /var/lib/apt/lists/*)");
        check_silent("RUN apt-get update && apt-get install -y a && /opt/cleanup.sh");
    }

    #[test]
    fn a_mount_keeps_them_out_of_the_layer() {
        check_silent("RUN --mount=type=cache,target=/var/lib/apt apt-get update");
        check_silent("RUN --mount=type=tmpfs,target=/var/lib/apt/lists apt-get update");
    }

    #[test]
    fn lists_that_lie_elsewhere_are_not_looked_for() {
        check_silent("RUN apt-get -o Dir::State::Lists=/tmp/lists update");
        check_silent("RUN echo 'Dir::State::Lists \"/tmp/l\";' > /etc/apt/apt.conf.d/l\nRUN apt-get update");
    }

    #[test]
    fn a_builder_is_not_shipped() {
        check(&RULE, "FROM debian:12 AS build\nRUN apt-get update\nFROM debian:12\nCOPY --from=build /a /a\nCMD /a\n");
    }

    #[test]
    fn a_base_that_is_built_upon_is_shipped() {
        check(
            &RULE,
            "FROM debian:12 AS base\n\
             RUN apt-get update && apt-get install -y a\n\
             #   ^^^^^^^^^^^^^^ lists\n\
             FROM base\n\
             CMD /a\n",
        );
    }

    #[test]
    fn an_update_in_a_condition_may_not_run() {
        check_silent("RUN if a; then apt-get update; fi");
        check_silent("RUN a || apt-get update");
    }

    #[test]
    fn onbuild_is_somebody_elses_image() {
        check_silent("ONBUILD RUN apt-get update");
    }

    #[test]
    fn other_shells_and_templates_are_left_alone() {
        check_silent("SHELL [\"pwsh\", \"-c\"]\nRUN apt-get update");
        check_silent("RUN apt-get update && apt-get install -y {{ packages }}");
    }

    #[test]
    fn the_lists_are_removed_behind_the_last_command() {
        check_fix(
            &RULE,
            Safety::Safe,
            "FROM debian:12\nRUN set -eux; \\\n\tapt-get update; \\\n\tapt-get install -y a\nCMD a\n",
            "FROM debian:12\nRUN set -eux; \\\n\tapt-get update; \\\n\tapt-get install -y a; \\\n\trm -rf /var/lib/apt/lists/*\nCMD a\n",
        );
        check_fix(
            &RULE,
            Safety::Safe,
            "FROM debian:12\nUSER app\nRUN sudo apt-get update\nCMD a\n",
            "FROM debian:12\nUSER app\nRUN sudo apt-get update && sudo rm -rf /var/lib/apt/lists/*\nCMD a\n",
        );
    }

    #[test]
    fn an_image_that_starts_nothing_is_looked_at_by_a_person() {
        check_fix(
            &RULE,
            Safety::Review,
            "FROM debian:12\nRUN apt-get update && apt-get install -y a\n",
            "FROM debian:12\nRUN apt-get update && apt-get install -y a && rm -rf /var/lib/apt/lists/*\n",
        );
        check_fix(
            &RULE,
            Safety::Review,
            "FROM debian:12\nRUN apt-get update && apt-get install -y a\nRUN ./setup.sh\nCMD a\n",
            "FROM debian:12\nRUN apt-get update && apt-get install -y a && rm -rf /var/lib/apt/lists/*\nRUN ./setup.sh\nCMD a\n",
        );
    }

    #[test]
    fn a_later_install_needs_the_lists() {
        let alone = "#- plimsoll.toml\nrules.apt-update-alone = \"off\"\n";
        check_no_fix(&RULE, &format!("FROM debian:12\nRUN apt-get update\nRUN apt-get install -y a\nCMD a\n{alone}"));
        check_no_fix(
            &RULE,
            "FROM debian:12 AS a\nRUN apt-get update && apt-get install -y b\nFROM a\nRUN apt-get install -y c\nCMD a\n",
        );
    }
}

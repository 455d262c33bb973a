//! `apt-update-alone`: the lists of packages are fetched in a layer of their own, and a later one installs from them.

use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::run::{Command, RunFacts};
use crate::model::Base;
use crate::rules::{Context, Finding, Group, Related, Rule, RunAt, Severity};
use crate::text::TextRange;

/// The rule.
pub static RULE: Rule = Rule {
    name: "apt-update-alone",
    group: Group::Cache,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
The lists of packages are fetched in a `RUN` of their own, and a later `RUN` installs from them.

The build cache keeps the lists while the install line changes: one day they name versions that the mirror no longer has, and
the install ends with `404 Not Found` or brings old packages.

```dockerfile
FROM debian:bookworm-slim
RUN apt-get update
RUN apt-get install -y --no-install-recommends curl
CMD ["curl", "https://example.com"]
```

In one `RUN`, both are done anew together:

```dockerfile
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends curl
CMD ["curl", "https://example.com"]
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, _) in ctx.reaching() {
        for at in ctx.runs(stage_idx) {
            let Some((update, manager)) = lone_update(at.facts) else { continue };
            let Some(install) = install_from(ctx, stage_idx, at.idx + 1, manager) else { continue };
            let shared = lists(manager);
            if at.facts.is_mounted(shared) && install.mounted {
                continue;
            }
            let message =
                format!("`{}` alone is kept by the build cache while the install after it changes", words(update));
            let mut finding = Finding::new(&RULE, at.range(update), message);
            let message = "this installs without an update of its own".to_owned();
            finding.related.push(Related { range: install.range, message });
            finding.assists.extend(["merge-runs", "merge-runs-clean"]);
            acc.push(finding);
        }
    }
}

fn words(update: &Command) -> String {
    let verb = deed(update).map_or("update", |it| it.word);
    format!("{} {verb}", update.program)
}

/// Where a manager keeps its lists.
fn lists(manager: Manager) -> &'static str {
    match manager {
        Manager::Apk => "/var/cache/apk",
        Manager::Rpm => "/var/cache/dnf",
        Manager::Zypper => "/var/cache/zypp",
        _ => "/var/lib/apt/lists",
    }
}

/// The update of a RUN that does nothing else.
fn lone_update(run: &RunFacts) -> Option<(&Command, Manager)> {
    let mut res = None;
    for command in &run.commands {
        let deed = deed(command);
        match deed.map(|it| (it.manager, it.verb)) {
            Some((manager @ (Manager::Apt | Manager::Apk | Manager::Rpm | Manager::Zypper), Verb::Update)) => {
                if !command.certain || res.is_some_and(|(_, before)| before != manager) {
                    return None;
                }
                res = res.or(Some((command, manager)));
            }
            Some((_, Verb::Clean)) => {}
            _ if matches!(
                command.program.as_str(),
                "set" | "echo" | "true" | ":" | "export" | "cd" | "sleep" | "date"
            ) => {}
            _ => return None,
        }
    }
    res
}

/// An install that needs lists fetched before.
struct Install {
    range: TextRange,
    /// Whether its RUN has the lists mounted.
    mounted: bool,
}

/// The first install from an instruction on that fetches no lists itself, if no other update stands before it; in the stage,
/// else in one that is built on it.
fn install_from(ctx: &Context, stage_idx: usize, from: usize, manager: Manager) -> Option<Install> {
    for at in ctx.runs(stage_idx).filter(|at| at.idx >= from) {
        if let Some(found) = first_deed(&at, manager) {
            return found;
        }
    }
    let children = ctx.reaching().filter(|(idx, stage)| *idx > stage_idx && stage.base == Base::Stage(stage_idx));
    { children }.find_map(|(child, _)| install_from(ctx, child, 0, manager))
}

/// What a RUN does first with the manager's lists: installs from them, or (`Some(None)`) fetches them anew.
fn first_deed(at: &RunAt, manager: Manager) -> Option<Option<Install>> {
    for command in &at.facts.commands {
        let Some(deed) = deed(command).filter(|deed| deed.manager == manager) else { continue };
        match deed.verb {
            Verb::Update => return Some(None),
            // `apk add --no-cache` and `-U` fetch the index themselves.
            Verb::Install if command.has(&["--no-cache", "-U", "--update", "--update-cache"]) => return Some(None),
            Verb::Install if deed.packages().all(|it| it.starts_with(['/', '.'])) && !deed.is_open() => {}
            Verb::Install => {
                return Some(Some(Install { range: at.range(command), mounted: at.facts.is_mounted(lists(manager)) }));
            }
            Verb::Remove | Verb::Clean | Verb::Other => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::check;

    fn check_silent(lines: &str) {
        check(&RULE, &format!("FROM debian:12\n{lines}\nCMD [\"a\"]\n"));
    }

    #[test]
    fn the_update_is_kept_while_the_install_changes() {
        check(
            &RULE,
            "FROM debian:12\n\
             RUN set -e; apt-get -qq update\n\
             #           ^^^^^^^^^^^^^^^^^^ `apt-get update` alone is kept by the build cache\n\
             COPY . /a\n\
             RUN apt-get install -y curl\n\
             CMD [\"a\"]\n",
        );
        check(
            &RULE,
            "FROM alpine:3.20\nRUN apk update\n#   ^^^^^^^^^^ `apk update` alone\nRUN apk add curl\nCMD [\"a\"]\n",
        );
    }

    #[test]
    fn a_stage_that_is_built_on_it_installs_too() {
        check(
            &RULE,
            "FROM debian:12 AS base\n\
             RUN apt update\n\
             #   ^^^^^^^^^^ `apt update` alone\n\
             FROM base\n\
             RUN apt install -y a\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn both_in_one_run_are_done_anew_together() {
        check_silent("RUN apt-get update && apt-get install -y a");
        check_silent("RUN apt-get update && apt-get upgrade -y\nRUN apt-get install -y a");
    }

    #[test]
    fn an_install_with_an_update_of_its_own_needs_no_other() {
        check_silent("RUN apt-get update\nRUN apt-get update && apt-get install -y a");
        check_silent("RUN apk update\nRUN apk add --no-cache a");
        check_silent(
            "RUN apt-get update\nRUN add-repository x && apt-get update\nRUN apt-get update && apt-get install -y b",
        );
    }

    #[test]
    fn nothing_installs_after_it() {
        check_silent("RUN apt-get update\nRUN a");
        check_silent("RUN apt-get update\nRUN apt-get install -y ./a.deb");
    }

    #[test]
    fn lists_in_a_mount_that_both_share_are_no_layer() {
        let mount = "--mount=type=cache,target=/var/lib/apt";
        check_silent(&format!("RUN {mount} apt-get update\nRUN {mount} apt-get install -y a"));
    }

    #[test]
    fn an_update_that_may_not_run_is_left_alone() {
        check_silent("RUN a || apt-get update\nRUN apt-get install -y a");
    }

    #[test]
    fn a_stage_that_nobody_needs_is_not_built() {
        check(&RULE, "FROM a AS b\nRUN apt-get update\nRUN apt-get install -y a\nFROM a\nCMD [\"a\"]\n");
    }
}

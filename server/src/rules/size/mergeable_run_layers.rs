//! `mergeable-run-layers`: two adjacent RUNs fetch the same lists, which one RUN would hold once.

use crate::facts::caches::{Cache, lists_weight};
use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::merging;
use crate::facts::run::Command;
use crate::rules::{Context, Finding, Group, Related, Rule, RunAt, Severity};
use crate::weight::Size;

/// The rule.
pub static RULE: Rule = Rule {
    name: "mergeable-run-layers",
    group: Group::Size,
    severity: Severity::Information,
    on: true,
    also: &["DL3059"],
    doc: r##"
Two adjacent `RUN`s fetch the same package lists, and each layer keeps them: one `RUN` would hold them once.

A layer by itself costs about a kilobyte, so most `RUN`s may stay apart, and some should: joined with the install before it,
each change of a build command would install everything again. Two installs by the same package manager are another matter.

```dockerfile
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends git
RUN apt-get update && apt-get install -y --no-install-recommends curl
CMD ["git", "--version"]
```

Joined:

```dockerfile
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends git && apt-get update && apt-get install -y --no-install-recommends curl
CMD ["git", "--version"]
```

The action `merge-runs` joins them. With `mergeable-run-layers.layers-only = true` there is also a hint where two `RUN`s of
little weight would be one layer less.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for stage_idx in ctx.facts.final_chain.iter().rev().copied() {
        let runs: Vec<RunAt> = ctx.runs(stage_idx).collect();
        let mut found: Vec<(&RunAt, &RunAt, Option<Twice>)> = Vec::new();
        for pair in runs.windows(2) {
            let [first, second] = pair else { continue };
            match twice(first, second) {
                Some(twice) => found.push((first, second, Some(twice))),
                None if ctx.config.options.merge_layers_only && is_little(ctx, first) && is_little(ctx, second) => {
                    found.push((first, second, None));
                }
                None => {}
            }
        }
        // Which may be joined costs more than the rest, and is asked only where it matters.
        let Some(users) = ctx.facts.stages.get(stage_idx).map(|facts| &facts.users).filter(|_| !found.is_empty())
        else {
            continue;
        };
        let Some(stage) = ctx.file.stages.get(stage_idx) else { continue };
        let groups = merging::groups(stage, users);
        for (first, second, twice) in found {
            if groups.iter().any(|group| group.joins(first.idx, second.idx)) {
                acc.push(finding(ctx, first, second, twice));
            }
        }
    }
}

/// What two RUNs both fetch.
struct Twice<'a> {
    cache: Cache,
    /// The command of the first that keeps it.
    kept: &'a Command,
    /// The command of the second that fetches it again.
    again: &'a Command,
}

/// Whether both install packages of the system by one manager, the first keeps what it fetched for that, and the second
/// fetches it again.
fn twice<'a>(first: &RunAt<'a>, second: &RunAt<'a>) -> Option<Twice<'a>> {
    let left = first.facts.left.iter().rfind(|left| manager(left.cache).is_some())?;
    let manager = manager(left.cache)?;
    let installs = |at: &RunAt| {
        at.facts.commands.iter().any(|it| deed(it).is_some_and(|it| it.manager == manager && it.verb == Verb::Install))
    };
    if !installs(first) || !installs(second) {
        return None;
    }
    let again = second.facts.commands.iter().find(|command| {
        let own = deed(command).filter(|it| it.manager == manager && command.certain);
        own.is_some_and(|it| match manager {
            // Without lists of its own it installs from those of the first.
            Manager::Apt => it.verb == Verb::Update,
            _ => matches!(it.verb, Verb::Update | Verb::Install) && !command.has(&["--no-cache"]),
        })
    })?;
    Some(Twice { cache: left.cache, kept: first.facts.commands.get(left.command)?, again })
}

fn manager(cache: Cache) -> Option<Manager> {
    match cache {
        Cache::AptLists => Some(Manager::Apt),
        Cache::ApkIndex => Some(Manager::Apk),
        Cache::Rpm => Some(Manager::Rpm),
        _ => None,
    }
}

/// Whether a RUN is known to write next to nothing.
fn is_little(ctx: &Context, at: &RunAt) -> bool {
    let layer = ctx.size.stages.get(at.stage_idx).and_then(|stage| stage.layer(at.idx));
    layer.is_some_and(|it| !it.incomplete && it.adds.as_ref().is_some_and(|adds| adds.high <= Size(1_000_000)))
}

fn finding(ctx: &Context, first: &RunAt, second: &RunAt, twice: Option<Twice>) -> Finding {
    let whole = first.placed.whole().cover(second.placed.whole());
    let mut res = match twice {
        Some(Twice { cache, kept, again }) => {
            let saves = (cache == Cache::AptLists).then(|| lists_weight(ctx.base_image()));
            let weight = saves.as_ref().map(|it| format!(" ({})", it.words())).unwrap_or_default();
            let what = match cache {
                Cache::AptLists => "the package lists are fetched again: one RUN would hold them once",
                _ => "the package index is fetched again: one RUN would hold it once",
            };
            let mut res = Finding::new(&RULE, second.range(again), format!("{what}{weight}"));
            res.saves = saves;
            res.related.push(Related { range: first.range(kept), message: "fetched here the first time".to_owned() });
            res
        }
        None => {
            let keyword = second.placed.range(second.placed.instruction.keyword);
            let message = "with the RUN before it this would be one layer less";
            Finding { severity: Severity::Hint, ..Finding::new(&RULE, keyword, message) }
        }
    };
    res.cause = whole;
    res.assists.push("merge-runs");
    res
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, parse};

    /// How many findings there are, replaced ones included: a sharper rule may speak of the same lists.
    fn count(body: &str, expected: usize) {
        let analysis = analyse(&parse(&format!("FROM debian:12\n{body}\nCMD [\"a\"]\n")));
        let found = analysis.findings.iter().filter(|finding| finding.id() == RULE.name).count();
        assert_eq!(found, expected, "{body}");
    }

    const FIRST: &str = "RUN apt-get update && apt-get install -y git";

    #[test]
    fn lists_that_are_fetched_again_would_be_there_once() {
        check(
            &RULE,
            "FROM fedora:42\nRUN dnf install -y git\nLABEL a=b\nRUN dnf install -y curl\n#   ^^^^^^^^^^^^^^^^^^^ the package index is fetched again\nCMD [\"a\"]\n",
        );
        count(&format!("{FIRST}\nRUN apt-get update && apt-get install -y curl"), 1);
        count(&format!("{FIRST}\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*"), 1);
    }

    #[test]
    fn lists_that_the_first_deletes_are_there_once() {
        count(
            "RUN apt-get update && apt-get install -y git && rm -rf /var/lib/apt/lists/*\nRUN apt-get update && apt-get install -y curl",
            0,
        );
    }

    #[test]
    fn an_install_from_the_lists_of_the_first_fetches_none() {
        count(&format!("{FIRST}\nRUN apt-get install -y curl"), 0);
    }

    #[test]
    fn a_build_is_not_joined_with_its_dependencies() {
        count("RUN npm ci\nRUN npm run build", 0);
        count(&format!("{FIRST}\nRUN make"), 0);
    }

    #[test]
    fn runs_that_cannot_be_joined_stay_apart() {
        count(&format!("{FIRST}\nENV A=b\nRUN apt-get update && apt-get install -y curl"), 0);
        count(&format!("{FIRST}\nUSER a\nRUN apt-get update && apt-get install -y curl"), 0);
        count(&format!("{FIRST}\nRUN --network=none apt-get update && apt-get install -y curl"), 0);
    }

    #[test]
    fn a_builder_is_not_shipped() {
        check(
            &RULE,
            "FROM fedora:42 AS b\nRUN dnf install -y git\nRUN dnf install -y curl\nFROM fedora:42\nCOPY --from=b /c /c\nCMD /c\n",
        );
    }

    #[test]
    fn layers_alone_are_a_hint_where_it_was_asked_for() {
        let text = "FROM debian:12\nRUN mkdir /a\nRUN mkdir /b\nCMD [\"a\"]\n";
        check(&RULE, text);
        let settings = "#- plimsoll.toml\n[mergeable-run-layers]\nlayers-only = true\n";
        let analysis = analyse(&parse(&format!("{text}{settings}")));
        let found: Vec<&str> =
            analysis.shown().filter(|it| it.id() == RULE.name).map(|it| it.message.as_str()).collect();
        assert_eq!(found, ["with the RUN before it this would be one layer less"]);
    }
}

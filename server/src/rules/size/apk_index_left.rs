//! `apk-index-left`: the index of `apk` stays in a shipped layer.

use crate::facts::append::append;
use crate::facts::caches::{Cache, asks_anew, index_weight};
use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::run::Command;
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Severity};
use crate::shell::{Script, SeparatorKind};
use crate::text::{Indel, Local, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "apk-index-left",
    group: Group::Size,
    severity: Severity::Warning,
    on: true,
    also: &["DL3019"],
    doc: r##"
The index that `apk` fetched stays in the layer.

It is only needed while packages are installed: two to three megabytes of Alpine's two repositories (their usual size, not
measured), more where `apk update` and an install in another `RUN` fetch it twice.
With `--no-cache` the index is fetched for the one command and kept nowhere, so that `apk update` is not needed either.

```dockerfile
FROM alpine:3.22
RUN apk update && apk add curl
CMD ["curl", "https://example.com"]
```

Fetched and not kept:

```dockerfile
FROM alpine:3.22
RUN apk add --no-cache curl
CMD ["curl", "https://example.com"]
```

Who removes `/var/cache/apk/*` in the same `RUN`, or mounts a cache there, keeps nothing either.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let mut is_there = false;
    for at in ctx.final_runs() {
        // One finding a RUN: all its commands share one index.
        let left = at.facts.left.iter().filter(|left| left.cache == Cache::ApkIndex);
        let mut commands = left.filter_map(|left| at.facts.commands.get(left.command)).peekable();
        let Some(command) = commands.peek().copied() else { continue };
        // `apk add` takes the index of an earlier layer while it is fresh, and fetches none.
        let fetches = commands.any(asks_anew);
        let mut finding = Finding::new(&RULE, at.range(command), Cache::ApkIndex.stays());
        if is_there && !fetches {
            finding.message.push_str(" as it does in an earlier layer");
        } else {
            let saves = index_weight();
            finding.message.push_str(&format!(" in this layer ({})", saves.words()));
            finding.saves = Some(saves);
        }
        is_there = true;
        finding.fix = fix(ctx, &at);
        acc.push(finding);
    }
}

fn fix(ctx: &Context, at: &RunAt) -> Option<Fix> {
    let script = at.run.script()?;
    // Who reads the index by other means needs it.
    let reads = |command: &Command| {
        deed(command).is_some_and(|it| it.manager == Manager::Apk)
            && matches!(
                deed(command).map_or("", |it| it.word),
                "search" | "policy" | "list" | "fetch" | "info" | "cache"
            )
    };
    if at.facts.commands.iter().any(reads) {
        return None;
    }
    let edit = without_index(ctx, at, script).or_else(|| {
        let plain = at.facts.commands.iter().filter(|it| it.program == "apk").all(|it| at.is_plain(it));
        plain.then(|| append(&ctx.file.text, at.placed, at.run, at.facts, "rm -rf /var/cache/apk/*")).flatten()
    })?;
    Some(Fix { title: "Keep no index".to_owned(), safety: ctx.safety(), edit })
}

/// `--no-cache` at every command that fetches the index, and no `apk update` any more; `None` where one of them stands
/// where it cannot be taken out.
fn without_index(ctx: &Context, at: &RunAt, script: &Script) -> Option<TextEdit> {
    let mut indels = Vec::new();
    let mut updates: Vec<Local> = Vec::new();
    let mut installs = false;
    for command in at.facts.commands.iter().filter(|it| it.program == "apk") {
        let deed = deed(command)?;
        match (deed.verb, deed.word) {
            (Verb::Update, _) => updates.push(at.call(command)?.whole),
            (Verb::Install, _) | (_, "upgrade") => {
                installs = true;
                if !command.has(&["--no-cache"]) {
                    let place = at.placed.range(deed.word_range).end();
                    indels
                        .push(Indel { delete: crate::text::TextRange::empty(place), insert: " --no-cache".to_owned() });
                }
            }
            _ => {}
        }
    }
    if !installs {
        return None;
    }
    for update in updates {
        let end = next_command(script, update)?;
        indels.push(Indel { delete: at.placed.range(Local { start: update.start, end }), insert: String::new() });
    }
    // Text between the commands is taken out with the update: no comment may stand in it.
    let comment = |range: &crate::text::TextRange| {
        ctx.file.text.get(std::ops::Range::<usize>::from(*range)).is_none_or(|it| it.contains('#'))
    };
    if indels.iter().any(|it| comment(&it.delete)) {
        return None;
    }
    indels.sort_by_key(|it| it.delete.start());
    TextEdit::new(indels)
}

/// Where the command behind this one begins, when both stand in one list at the top of the script, joined by `&&` or `;`.
fn next_command(script: &Script, update: Local) -> Option<u32> {
    for (idx, item) in script.list.items.iter().enumerate() {
        if !item.and_or.range.contains_range(update) {
            continue;
        }
        let is_whole = |range: Local| range == update;
        if item.and_or.rest.iter().any(|(joint, _)| !joint.and) {
            return None;
        }
        let mut pipelines = item.and_or.pipelines().peekable();
        while let Some(pipeline) = pipelines.next() {
            if is_whole(pipeline.range) {
                if let Some(next) = pipelines.peek() {
                    return Some(next.range.start);
                }
                // The last of its list: what follows is the next statement, if it was alone.
                let semicolon = item.separator.is_some_and(|it| it.kind == SeparatorKind::Semicolon);
                let alone = item.and_or.rest.is_empty() && semicolon;
                return script.list.items.get(idx + 1).filter(|_| alone).map(|next| next.and_or.range.start);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    fn check_silent(run: &str) {
        check(&RULE, &format!("FROM alpine:3.22\n{run}\nCMD [\"a\"]\n"));
    }

    fn check_fixed(before: &str, after: &str) {
        let image = |run: &str| format!("FROM alpine:3.22\nRUN {run}\nCMD [\"a\"]\n");
        check_fix(&RULE, Safety::Safe, &image(before), &image(after));
    }

    #[test]
    fn who_fetches_the_index_is_to_blame() {
        check(
            &RULE,
            "FROM alpine:3.22\n\
             RUN apk add curl\n\
             #   ^^^^^^^^^^^^ the package index stays in this layer (about 2.4 MB)\n\
             RUN apk add -U git\n\
             #   ^^^^^^^^^^^^^^ the package index stays in this layer (about 2.4 MB)\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn an_index_that_is_there_is_not_fetched_again() {
        check(
            &RULE,
            "FROM alpine:3.22\n\
             RUN apk add curl\n\
             #   ^^^^^^^^^^^^ in this layer (about 2.4 MB)\n\
             RUN apk add git\n\
             #   ^^^^^^^^^^^ the package index stays as it does in an earlier layer\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn one_finding_a_run() {
        check(
            &RULE,
            "FROM alpine:3.22\n\
             RUN apk update && apk add --no-cache curl\n\
             #   ^^^^^^^^^^ index\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn without_a_cache_nothing_is_kept() {
        check_silent("RUN apk add --no-cache curl");
        check_silent("RUN apk --no-cache add curl && apk --no-cache upgrade");
    }

    #[test]
    fn what_is_removed_in_the_same_layer_is_not_in_it() {
        check_silent("RUN apk add curl && rm -rf /var/cache/apk/*");
        check_silent("RUN apk update && apk add curl; rm -rf /var/cache/apk");
        check_silent("RUN apk add curl && apk cache clean");
    }

    #[test]
    fn a_mount_keeps_it_out_of_the_layer() {
        check_silent("RUN --mount=type=cache,target=/var/cache/apk apk add curl");
        check_silent("RUN --mount=type=cache,target=/etc/apk/cache apk add curl");
    }

    #[test]
    fn who_only_deletes_packages_fetches_nothing() {
        check_silent("RUN apk del .build-deps");
        check_silent("RUN apk info");
    }

    #[test]
    fn packages_that_lie_in_files_need_no_index() {
        check_silent("RUN --network=none apk add --allow-untrusted /tmp/a.apk");
        check_silent("RUN apk add --allow-untrusted ./glibc.apk");
    }

    #[test]
    fn another_root_has_another_index() {
        check_silent("RUN apk add --root /out --initdb curl");
    }

    #[test]
    fn a_builder_is_not_shipped() {
        check(&RULE, "FROM alpine:3.22 AS b\nRUN apk add gcc\nFROM alpine:3.22\nCOPY --from=b /a /a\nCMD [\"a\"]\n");
    }

    #[test]
    fn the_flag_stands_behind_the_verb_and_the_update_goes() {
        check_fixed("apk add curl", "apk add --no-cache curl");
        check_fixed("apk update && apk upgrade && apk add curl", "apk upgrade --no-cache && apk add --no-cache curl");
        check_fixed("apk update; apk add curl", "apk add --no-cache curl");
        check_fixed("set -x \\\n && apk update \\\n && apk add curl", "set -x \\\n && apk add --no-cache curl");
        check_fixed("apk update && apk add --no-cache curl", "apk add --no-cache curl");
    }

    #[test]
    fn where_the_update_cannot_be_taken_out_the_index_is_removed() {
        check_fixed("apk update", "apk update && rm -rf /var/cache/apk/*");
        check_fixed("apk add curl && apk update", "apk add curl && apk update && rm -rf /var/cache/apk/*");
        check_fixed("apk update || true; apk add curl", "apk update || true; apk add curl && rm -rf /var/cache/apk/*");
    }

    #[test]
    fn who_reads_the_index_needs_it() {
        check_no_fix(&RULE, "FROM alpine:3.22\nRUN apk update && apk search curl && apk add curl\nCMD [\"a\"]\n");
    }
}

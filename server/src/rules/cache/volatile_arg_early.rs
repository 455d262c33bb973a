//! `volatile-arg-early`: an argument that changes with each build stands before expensive steps that do not use it.

use crate::facts::builds::is_build_step;
use crate::facts::installs::{Verb, deed};
use crate::model::{InstructionKind, Pair, Placed, Stage};
use crate::rules::{Context, Finding, Fix, Group, Related, Rule, RunAt, Safety, Severity};
use crate::text::{TextEdit, TextRange, TextSize};

/// The rule.
pub static RULE: Rule = Rule {
    name: "volatile-arg-early",
    group: Group::Cache,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
An argument that changes with each build stands before expensive steps that do not use it.

Every `ARG` in scope is part of the environment of a `RUN` and so of its key in the build cache: with another commit, all that
follows is done anew.

```dockerfile
FROM node:22-slim
ARG GIT_SHA
COPY package*.json ./
RUN npm ci
LABEL revision=$GIT_SHA
CMD ["node", "server.js"]
```

Where it is used:

```dockerfile
FROM node:22-slim
COPY package*.json ./
RUN npm ci
ARG GIT_SHA
LABEL revision=$GIT_SHA
CMD ["node", "server.js"]
```

Nothing is said of an argument that every expensive step uses, and of one that is there to break the cache.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, stage) in ctx.reaching() {
        for (idx, placed) in stage.instructions.iter().enumerate() {
            let InstructionKind::Arg(pairs) = &placed.instruction.kind else { continue };
            for pair in pairs.iter().filter(|pair| is_volatile(ctx, pair)) {
                acc.extend(finding(ctx, stage_idx, stage, idx, placed, pair));
            }
        }
    }
}

/// Whether a name says that its value changes with each build; a constant default that looks like one's choice says that it
/// does not.
fn is_volatile(ctx: &Context, pair: &Pair) -> bool {
    let name = pair.name.text.to_ascii_uppercase();
    let own = pair.value.as_ref().map(|word| word.text.trim_matches(['"', '\'']).to_ascii_lowercase());
    // Without a default of its own it takes the global one's.
    let global = || ctx.file.globals.get(&pair.name.text)?.value.as_deref().map(str::to_ascii_lowercase);
    let default = own.or_else(global);
    let nothing = [
        "",
        "unknown",
        "none",
        "dev",
        "development",
        "latest",
        "local",
        "head",
        "master",
        "main",
        "n/a",
        "undefined",
        "unspecified",
        "snapshot",
        "0",
        "0.0.0",
        "dirty",
        "null",
    ];
    let is_open = default.as_deref().is_none_or(|text| nothing.contains(&text) || text.starts_with('$'));
    let last = name.rsplit('_').next().unwrap_or_default();
    let breaker = matches!(name.as_str(), "CACHE_BUST" | "CACHEBUST" | "CACHE_BUSTER" | "CACHE_DATE" | "CACHE_BREAKER");
    let by_name = name.split('_').any(|part| matches!(part, "COMMIT" | "COMMITS" | "REVISION"))
        || matches!(last, "SHA" | "SHA1" | "TIMESTAMP")
        || matches!(
            name.as_str(),
            "VCS_REF"
                | "BUILD_DATE"
                | "BUILD_TIME"
                | "BUILD_NUMBER"
                | "BUILD_ID"
                | "APP_VERSION"
                | "GITCOMMIT"
                | "GITSHA"
        )
        || name.starts_with("CI_")
            && !matches!(
                last,
                "IMAGE" | "URL" | "USER" | "TOKEN" | "REGISTRY" | "HOST" | "SERVER" | "NAME" | "PATH" | "DIR"
            )
        || name.starts_with("GIT_")
            && matches!(
                last,
                "HASH" | "REF" | "REV" | "BRANCH" | "TAG" | "DESCRIBE" | "DATE" | "DIRTY" | "STATE" | "TREE"
            );
    breaker || by_name && is_open
}

fn finding(
    ctx: &Context,
    stage_idx: usize,
    stage: &Stage,
    idx: usize,
    placed: &Placed,
    pair: &Pair,
) -> Option<Finding> {
    let name = pair.name.text.as_str();
    // Whoever reads it passes it on: an ENV from it is as volatile.
    let mut names = vec![name];
    let mut uses = Vec::new();
    let mut related = Vec::new();
    for (at, later) in stage.instructions.iter().enumerate().skip(idx + 1) {
        if !names.iter().any(|name| mentions(&later.instruction.text, name)) {
            continue;
        }
        uses.push(at);
        if let InstructionKind::Env(pairs) = &later.instruction.kind {
            let from_it =
                |it: &&Pair| it.value.as_ref().is_some_and(|word| names.iter().any(|name| mentions(&word.text, name)));
            let passed: Vec<&str> = pairs.iter().filter(from_it).map(|it| it.name.text.as_str()).collect();
            related.push(Related { range: later.whole(), message: "and passes it on to all that follows".to_owned() });
            names.extend(passed);
        }
    }
    let runs: Vec<RunAt> = ctx.runs(stage_idx).filter(|at| at.idx > idx).collect();
    // Behind all the sources everything is done anew with each commit anyway.
    let sources = stage.instructions.iter().position(copies_all).unwrap_or(usize::MAX);
    let hit = runs.iter().find(|at| at.idx < sources && !uses.contains(&at.idx) && is_expensive(at))?;
    let is_breaker = name.to_ascii_uppercase().contains("CACHE");
    // Directly before the RUN that it is to break.
    let breaks_next = is_breaker && (uses.is_empty() || runs.first().is_some_and(|at| uses.contains(&at.idx)));
    if breaks_next {
        return None;
    }
    let message = format!("each new value of `{name}` makes the steps after it run anew");
    let mut res = Finding::new(&RULE, placed.range(pair.range), message);
    res.cause = placed.whole();
    res.related.push(Related { range: hit.placed.whole(), message: "this does not use it".to_owned() });
    res.related.extend(related);
    res.fix = fix(ctx, stage, idx, placed, &uses);
    Some(res)
}

/// `COPY . .`
fn copies_all(placed: &Placed) -> bool {
    let (InstructionKind::Copy(copy) | InstructionKind::Add(copy)) = &placed.instruction.kind else { return false };
    let from_context = placed.instruction.flag("from").is_none();
    from_context && copy.sources.iter().any(|word| matches!(word.text.as_str(), "." | "./" | "/" | "*" | "./*"))
}

/// Whether a text names a variable.
fn mentions(text: &str, name: &str) -> bool {
    let is_word = |byte: Option<&u8>| byte.is_some_and(|it| it.is_ascii_alphanumeric() || *it == b'_');
    text.match_indices(name).any(|(at, _)| {
        let bytes = text.as_bytes();
        !is_word(at.checked_sub(1).and_then(|at| bytes.get(at))) && !is_word(bytes.get(at + name.len()))
    })
}

/// Whether a RUN installs, builds or fetches.
fn is_expensive(at: &RunAt) -> bool {
    at.facts.commands.iter().any(|command| {
        let fetches = matches!(command.program.as_str(), "curl" | "wget" | "git" | "svn" | "npx");
        fetches
            || is_build_step(command)
            || deed(command).is_some_and(|deed| matches!(deed.verb, Verb::Install | Verb::Update))
    })
}

/// Moves the ARG to directly before the first instruction that uses it, or behind the last RUN or COPY. None where that
/// instruction stands before all steps: then it would have to move as well.
fn fix(ctx: &Context, stage: &Stage, idx: usize, placed: &Placed, uses: &[usize]) -> Option<Fix> {
    let InstructionKind::Arg(pairs) = &placed.instruction.kind else { return None };
    let text = &*ctx.file.text;
    let is_step = |it: &Placed| {
        matches!(it.instruction.kind, InstructionKind::Run(_) | InstructionKind::Copy(_) | InstructionKind::Add(_))
    };
    let target = match uses.first() {
        Some(first) => *first,
        None => stage.instructions.iter().rposition(is_step)? + 1,
    };
    let between = stage.instructions.get(idx + 1..target)?;
    // A second declaration of the same name would be another one.
    if pairs.len() != 1 || !between.iter().any(is_step) {
        return None;
    }
    let start = with_comments(ctx, placed.at);
    let end = line_end(text, placed.whole().end());
    let last = between.last()?;
    let to = match stage.instructions.get(target) {
        Some(next) => with_comments(ctx, next.at),
        None => line_end(text, last.whole().end()),
    };
    let moved = text.get(usize::from(start)..usize::from(end))?;
    let passed = text.get(usize::from(end)..usize::from(to))?;
    let is_sound = moved.ends_with('\n') && (passed.ends_with('\n'));
    is_sound.then(|| Fix {
        title: "Move the argument to where it is used".to_owned(),
        safety: Safety::Review,
        edit: TextEdit::replace(TextRange::new(start, to), format!("{passed}{moved}")),
    })
}

/// The end of the line, its line end included.
fn line_end(text: &str, at: TextSize) -> TextSize {
    let rest = text.get(usize::from(at)..).unwrap_or_default();
    at + TextSize::new(rest.find('\n').map_or(rest.len(), |end| end + 1) as u32)
}

/// Where the comments directly above an instruction begin, else the line of the instruction.
fn with_comments(ctx: &Context, at: TextSize) -> TextSize {
    let text = &*ctx.file.text;
    let line_start = |at: TextSize| {
        let before = text.get(..usize::from(at)).unwrap_or_default();
        TextSize::new(before.rfind('\n').map_or(0, |end| end + 1) as u32)
    };
    let mut res = line_start(at);
    for comment in ctx.file.comments.iter().rev().filter(|comment| comment.end() <= at) {
        let start = line_start(comment.start());
        if line_end(text, comment.end()) != res {
            break;
        }
        res = start;
    }
    res
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, check_fix, check_no_fix, findings, parse};
    use crate::rules::Safety;

    fn found(lines: &str) -> usize {
        findings(&analyse(&parse(&format!("FROM node:22\n{lines}\nCMD [\"a\"]\n"))), &RULE).len()
    }

    #[test]
    fn all_that_follows_is_done_anew() {
        check(
            &RULE,
            "FROM node:22\n\
             ARG GIT_COMMIT=unknown\n\
             #   ^^^^^^^^^^^^^^^^^^ each new value of `GIT_COMMIT` makes the steps after it run anew\n\
             RUN npm ci\n\
             RUN echo $GIT_COMMIT > /version\n\
             CMD [\"a\"]\n",
        );
        for name in [
            "COMMIT_SHA",
            "SHA",
            "VCS_REF",
            "BUILD_DATE",
            "BUILD_NUMBER",
            "SOURCE_REVISION",
            "BUILD_TIMESTAMP",
            "APP_VERSION",
            "CI_COMMIT_TAG",
        ] {
            assert_eq!(found(&format!("ARG {name}\nRUN npm ci")), 1, "{name}");
        }
    }

    #[test]
    fn nothing_follows_that_is_worth_keeping() {
        assert_eq!(found("RUN npm ci\nARG GIT_SHA\nLABEL a=$GIT_SHA"), 0);
        assert_eq!(found("ARG GIT_SHA\nRUN mkdir /a"), 0);
    }

    #[test]
    fn every_expensive_step_uses_it() {
        assert_eq!(found("ARG GIT_SHA\nRUN go build -ldflags \"-X main.sha=$GIT_SHA\""), 0);
        assert_eq!(found("ARG GIT_SHA\nENV SHA=${GIT_SHA}\nRUN SHA=$SHA npm run build"), 0);
    }

    #[test]
    fn behind_all_the_sources_each_commit_does_everything_anew() {
        assert_eq!(found("COPY . .\nARG GIT_SHA\nRUN npm run build"), 0);
        assert_eq!(found("ARG GIT_SHA\nCOPY . .\nRUN npm run build"), 0);
        assert_eq!(found("ARG GIT_SHA\nCOPY package.json .\nRUN npm ci\nCOPY . .\nRUN npm run build"), 1);
    }

    #[test]
    fn an_intended_breaker_of_the_cache_does_what_it_should() {
        assert_eq!(found("ARG CACHE_BUST\nRUN git clone https://example.com/x"), 0);
        assert_eq!(found("ARG CACHEBUST=1\nRUN echo $CACHEBUST && git clone https://example.com/x\nRUN npm ci"), 0);
    }

    #[test]
    fn a_global_argument_is_in_no_stage() {
        check(&RULE, "ARG GIT_SHA\nFROM node:22\nRUN npm ci\nCMD [\"a\"]\n");
    }

    #[test]
    fn a_label_is_no_part_of_the_key() {
        assert_eq!(found("LABEL revision=abc\nRUN npm ci"), 0);
    }

    #[test]
    fn a_version_that_somebody_chose_does_not_change_with_each_build() {
        assert_eq!(found("ARG APP_VERSION=1.2.3\nRUN curl -O https://example.com/$APP_VERSION\nRUN npm ci"), 0);
        assert_eq!(found("ARG GIT_COMMIT=0123abc\nRUN git checkout $GIT_COMMIT\nRUN npm ci"), 0);
        check(&RULE, "ARG TOOL_COMMIT=0123abc\nFROM node:22\nARG TOOL_COMMIT\nRUN npm ci\nCMD [\"a\"]\n");
        assert_eq!(found("ARG GIT_URL\nARG NODE_VERSION\nRUN npm ci"), 0);
    }

    #[test]
    fn it_moves_to_where_it_is_used() {
        check_fix(
            &RULE,
            Safety::Review,
            "FROM a\nWORKDIR /a\n# The commit.\nARG GIT_SHA\nRUN npm ci\n\n# Tell.\nLABEL a=$GIT_SHA\nCMD a\n",
            "FROM a\nWORKDIR /a\nRUN npm ci\n\n# The commit.\nARG GIT_SHA\n# Tell.\nLABEL a=$GIT_SHA\nCMD a\n",
        );
        check_fix(
            &RULE,
            Safety::Review,
            "FROM a\nARG GIT_SHA\nRUN npm ci\nCMD a\n",
            "FROM a\nRUN npm ci\nARG GIT_SHA\nCMD a\n",
        );
        check_no_fix(&RULE, "FROM a\nARG GIT_SHA\nLABEL a=$GIT_SHA\nRUN npm ci\nCMD a\n");
    }
}

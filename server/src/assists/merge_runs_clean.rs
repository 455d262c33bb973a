//! Merges adjacent RUNs and cleans up in the one that comes of them (SPEC-merge-run.md §9); on a RUN that is not merged
//! the cleaning alone.
//!
//! What is left behind and how it is removed is the matter of the rules that find it: their fixes are applied to the
//! merged text, and only those that stay inside the RUN. So nothing is removed that a later RUN installs from.

use crate::assists::{Assist, Offer, merge_runs, weigh};
use crate::model::{InstructionKind, Placed};
use crate::rules::{self, Context, Safety};
use crate::text::{TextEdit, TextRange, TextSize};

/// The id of the action (CLI.md, *Actions*).
pub const ID: &str = "merge-runs-clean";

/// The rules whose fixes clean up in a RUN.
const CLEANING: &[&str] =
    &["apk-index-left", "apt-lists-left", "npm-cache-left", "package-cache-left", "pip-cache-left", "rpm-cache-left"];

/// More rounds than this over one RUN show a rule that never ends.
const MOST_ROUNDS: usize = 12;

/// Programs that leave something behind when they install.
const INSTALLERS: &[&str] = &[
    "apk", "apt", "bun", "bundle", "cargo", "composer", "conda", "dnf", "dotnet", "gem", "go ", "gradle", "mamba",
    "mvn", "npm", "npx", "pip", "pnpm", "poetry", "uv", "yarn", "yum", "zypper",
];

/// The merges at a place, each with cleaning where there is something to clean; without any, the RUN there alone.
pub fn offer(ctx: &Context, range: TextRange) -> Vec<Assist> {
    let merges: Vec<Assist> = merge_runs::offer(ctx.file, ctx.facts, range)
        .into_iter()
        .filter_map(|offer| match offer {
            Offer::Assist(assist) => Some(assist).filter(|it| it.variant == Some(merge_runs::PLAIN)),
            Offer::Refusal(_) => None,
        })
        .collect();
    if !merges.is_empty() {
        return merges.iter().filter_map(|merge| merge_and_clean(ctx, merge)).collect();
    }
    clean(ctx, range).into_iter().collect()
}

fn merge_and_clean(ctx: &Context, merge: &Assist) -> Option<Assist> {
    let text = &*ctx.file.text;
    installs(ctx, merge.target).then_some(())?;
    let (cleaned, doubts) = cleaned(ctx, merge.edit.apply(text), merge.target.start())?;
    Some(Assist {
        id: ID,
        variant: None,
        label: format!("{} and clean up", merge.label),
        target: merge.target,
        preferred: false,
        edit: replaced(text, &cleaned, merge.target),
        other: None,
        doubts: merge.doubts.iter().cloned().chain(doubts).collect(),
        before: None,
        after: None,
    })
}

/// Cleans the only RUN at a place.
fn clean(ctx: &Context, range: TextRange) -> Option<Assist> {
    let is_run = |placed: &&Placed| matches!(placed.instruction.kind, InstructionKind::Run(_));
    let runs = ctx.file.stages.iter().flat_map(|stage| &stage.instructions).filter(is_run);
    let mut touched = runs.filter(|placed| placed.whole().intersect(range).is_some());
    let (Some(placed), None) = (touched.next(), touched.next()) else { return None };
    let text = &*ctx.file.text;
    let target = placed.whole();
    installs(ctx, target).then_some(())?;
    let (cleaned, doubts) = cleaned(ctx, text.to_owned(), target.start())?;
    Some(Assist {
        id: ID,
        variant: None,
        label: "Clean up in this RUN".to_owned(),
        target,
        preferred: false,
        edit: replaced(text, &cleaned, target),
        other: None,
        doubts,
        before: None,
        after: None,
    })
}

/// Whether there may be anything to clean: to ask the rules costs an analysis.
fn installs(ctx: &Context, target: TextRange) -> bool {
    let text = ctx.file.text.get(std::ops::Range::from(target)).unwrap_or_default();
    INSTALLERS.iter().any(|it| text.contains(it))
}

/// A text with its RUN cleaned, and what could not be shown. `at` is where the RUN, or the first of its parts, begins in the
/// file; `None` when there is nothing to clean.
fn cleaned(ctx: &Context, text: String, at: TextSize) -> Option<(String, Vec<String>)> {
    // Merging and cleaning leave the instructions before it alone.
    let ordinal = ctx.file.instructions().position(|placed| placed.at == at)?;
    let mut text = text;
    let mut doubts = Vec::new();
    let mut is_changed = false;
    for _ in 0..MOST_ROUNDS {
        let (file, facts, size) = weigh(ctx, &text);
        let run = file.instructions().nth(ordinal)?.whole();
        let ctx = Context { file: &file, facts: &facts, size: &size, start: std::cell::OnceCell::new(), ..*ctx };
        let findings = rules::check(&ctx);
        let fixes = findings.iter().filter(|it| CLEANING.contains(&it.id())).filter_map(|it| it.fix.as_ref());
        let mut last: Option<TextRange> = None;
        let mut indels = Vec::new();
        for fix in fixes {
            let Some(range) = fix.edit.range().filter(|it| run.contains_range(*it)) else { continue };
            // Findings ascend, their fixes mostly; what touches an earlier one has its turn in the next round.
            if last.is_some_and(|last| range.start() <= last.end()) {
                continue;
            }
            last = Some(range);
            indels.extend(fix.edit.indels().iter().cloned());
            let doubt = format!("{}: something later may use them", fix.title.to_ascii_lowercase());
            if fix.safety == Safety::Review && !doubts.contains(&doubt) {
                doubts.push(doubt);
            }
        }
        let Some(edit) = TextEdit::new(indels).filter(|edit| edit.range().is_some()) else { break };
        text = edit.apply(&text);
        is_changed = true;
    }
    is_changed.then_some((text, doubts))
}

/// The edit that leads from one text to the other, `target` and what else differs as one replacement.
fn replaced(before: &str, after: &str, target: TextRange) -> TextEdit {
    let same = |(one, other): &(char, char)| one == other;
    let start: usize = before.chars().zip(after.chars()).take_while(same).map(|(it, _)| it.len_utf8()).sum();
    let start = start.min(target.start().into());
    let behind = before.get(usize::from(target.end())..).unwrap_or_default();
    let reversed = behind.chars().rev().zip(after.get(start..).unwrap_or_default().chars().rev());
    let end: usize = reversed.take_while(same).map(|(it, _)| it.len_utf8()).sum();
    let insert = after.get(start..after.len() - end).unwrap_or_default();
    TextEdit::replace(TextRange::new(size(start), size(before.len() - end)), insert)
}

fn size(at: usize) -> TextSize {
    TextSize::new(u32::try_from(at).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::analysis::{Analysis, Inputs};
    use crate::assists::merge_runs_clean::ID;
    use crate::assists::{Assist, Offer};
    use crate::images::ImageBook;
    use crate::text::{TextRange, TextSize};

    /// The assist with the cursor at the mark, and the text after it.
    fn assist(text: &str) -> Option<(Assist, String)> {
        let at = text.find("<|>").expect("a cursor");
        let text = text.replace("<|>", "");
        let inputs =
            Inputs { text: text.as_str().into(), images: Arc::new(ImageBook::embedded()), ..Inputs::default() };
        let offers = Analysis::of(inputs, None).assists(TextRange::empty(TextSize::new(at as u32)));
        let assist = offers.into_iter().find_map(|offer| match offer {
            Offer::Assist(assist) => Some(assist).filter(|it| it.id == ID),
            Offer::Refusal(_) => None,
        })?;
        let after = assist.edit.apply(&text);
        Some((assist, after))
    }

    fn check(before: &str, after: &str) -> Assist {
        let (assist, text) = assist(before).expect("it is offered");
        assert_eq!(text, after);
        assert_eq!(super::tests::assist(&format!("{after}<|>")), None, "once more");
        assist
    }

    #[test]
    fn merging_and_cleaning_are_one_action() {
        let assist = check(
            "FROM debian:12\nRUN <|>apt-get update\nRUN apt-get install -y curl\nCMD [\"curl\"]\n",
            "FROM debian:12\nRUN apt-get update \\\n    && apt-get install -y curl \\\n    && rm -rf /var/lib/apt/lists/*\nCMD [\"curl\"]\n",
        );
        assert!(assist.label.starts_with("Merge 2 RUN layers and clean up"), "{}", assist.label);
        assert_eq!(assist.doubts, [""; 0]);
    }

    #[test]
    fn a_run_that_stands_alone_is_cleaned() {
        let assist = check(
            "FROM node:22-slim\n<|>RUN npm ci\nCMD [\"node\", \"a.js\"]\n",
            "FROM node:22-slim\nRUN npm ci && npm cache clean --force\nCMD [\"node\", \"a.js\"]\n",
        );
        assert!(assist.label.starts_with("Clean up in this RUN"), "{}", assist.label);
    }

    #[test]
    fn everything_that_is_left_is_cleaned_at_once() {
        check(
            "FROM node:22\nRUN <|>apt-get update && apt-get install -y git\nRUN npm ci\nCMD [\"node\", \"a.js\"]\n",
            "FROM node:22\nRUN apt-get update && apt-get install -y git \\\n    && npm ci \\\n    && rm -rf /var/lib/apt/lists/* \\\n    && npm cache clean --force\nCMD [\"node\", \"a.js\"]\n",
        );
    }

    #[test]
    fn every_install_of_a_long_run_gets_its_option() {
        let installs = |option: &str| {
            let lines: Vec<String> = (0..20).map(|n| format!("pip install {option}a{n}")).collect();
            format!("FROM python:3.12\nRUN {}\nCMD [\"python\", \"a.py\"]\n", lines.join(" \\\n    && "))
        };
        check(&installs("").replacen("pip", "<|>pip", 1), &installs("--no-cache-dir "));
    }

    #[test]
    fn in_a_list_under_set_e_one_more_statement_cleans() {
        check(
            "FROM debian:12\nRUN set -eux; <|>apt-get update; apt-get install -y a\nCMD a\n",
            "FROM debian:12\nRUN set -eux; apt-get update; apt-get install -y a; rm -rf /var/lib/apt/lists/*\nCMD a\n",
        );
    }

    #[test]
    fn lists_that_a_later_run_installs_from_stay() {
        let text = "FROM debian:12\nRUN <|>apt-get update\nRUN apt-get install -y a\nCOPY . .\n\
                    RUN apt-get install -y b\nCMD a\n";
        assert_eq!(assist(text), None);
        let text = "FROM debian:12 AS a\nRUN <|>apt-get update && apt-get install -y a\nFROM a\n\
                    RUN apt-get install -y b\nCMD a\n";
        assert_eq!(assist(text), None);
    }

    #[test]
    fn what_is_clean_is_left_alone() {
        assert_eq!(assist("FROM debian:12\nRUN <|>a\nRUN b\nCMD a\n"), None);
        let clean = "FROM debian:12\nRUN <|>apt-get update && apt-get install -y a\n\
                     RUN rm -rf /var/lib/apt/lists/*\nCMD a\n";
        assert_eq!(assist(clean), None);
        let builder = "FROM debian:12 AS b\nRUN <|>apt-get update\nRUN apt-get install -y a\n\
                       FROM debian:12\nCOPY --from=b /a /a\nCMD a\n";
        assert_eq!(assist(builder), None);
    }

    #[test]
    fn an_image_that_starts_nothing_may_want_its_lists() {
        let (assist, _) = assist("FROM debian:12\nRUN <|>apt-get update\nRUN apt-get install -y a\n").expect("offered");
        assert_eq!(assist.doubts.len(), 1);
    }
}

//! What BuildKit's own parser made of 522 texts and its linter of 291 (`tests/buildkit`), against ours.
//!
//! `checks.jsonl` was recorded with `dockerfile2llb.DockerfileLint` of BuildKit 73ed682 (what `docker build --check` calls),
//! built from its vendored source, over texts written for this test. No registry was asked: every image was answered with the
//! variables of `server/src/images/environment.rs` and the platform that was asked for, those of Docker Hub's repositories of
//! one architecture with theirs. A line holds the text, an ignore file where there is one, and each finding with its line and,
//! for UndefinedVar, the variable; `narrower` names the checks that say nothing here on purpose, `error` what BuildKit said
//! besides.

use std::sync::Arc;

use plimsoll::analysis::{Analysis, Inputs};
use plimsoll::config::{Config, Level};
use plimsoll::context::BuildContext;
use plimsoll::images::ImageBook;
use plimsoll::rules::{self, Finding, Source};
use plimsoll::{lower, segment};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    text: String,
    segments: Vec<String>,
}

#[test]
fn instructions_begin_and_end_where_buildkit_says() {
    for line in include_str!("buildkit/segments.jsonl").lines() {
        let case: Case = serde_json::from_str(line).expect("a case a line");
        let ours: Vec<String> = segment::segment(&case.text)
            .segments
            .iter()
            .map(|it| {
                let word = case.text[it.range].split_whitespace().next().unwrap_or_default().to_uppercase();
                format!("{word} {} {}", it.first_line + 1, it.last_line + 1)
            })
            .collect();
        assert_eq!(ours, case.segments, "{:?}", case.text);
    }
}

#[derive(Deserialize)]
struct Verdict {
    text: String,
    error: Option<String>,
}

/// BuildKit's words without its `dockerfile parse error on line N: `, and the line.
fn split_error(error: &str) -> (Option<u32>, &str) {
    let Some(rest) = error.strip_prefix("dockerfile parse error on line ") else { return (None, error) };
    let (line, message) = rest.split_once(": ").expect("a colon behind the line");
    (Some(line.parse().expect("a line number")), message)
}

#[test]
fn what_buildkit_rejects_is_a_fault_in_its_words() {
    for line in include_str!("buildkit/errors.jsonl").lines() {
        let case: Verdict = serde_json::from_str(line).expect("a case a line");
        let file = lower::file(case.text.as_str().into(), &lower::Build::default(), None);
        let ours: Vec<_> = file.faults.iter().map(|fault| (fault.line, fault.message.as_str())).collect();
        let theirs: Vec<_> = case.error.iter().map(|error| split_error(error)).collect();
        assert_eq!(ours, theirs, "{:?}", case.text);
        for fault in &file.faults {
            let Some(line) = fault.line else { continue };
            let start = case.text[..usize::from(fault.range.start())].matches('\n').count() as u32 + 1;
            assert_eq!(start, line, "the range of {:?}", case.text);
        }
    }
}

#[derive(Deserialize)]
struct Checked {
    text: String,
    dockerignore: Option<String>,
    checks: Vec<(String, u32, Option<String>)>,
    #[serde(default)]
    narrower: Vec<String>,
}

/// A check, the index of the instruction it is about, and the variable of UndefinedVar.
type Found = (String, usize, Option<String>);

/// Settings with every check of BuildKit's on.
fn all_checks() -> Config {
    let mut res = Config::default();
    let off = rules::ALL.iter().filter(|rule| rule.is_check() && !rule.on);
    res.rules.extend(off.map(|rule| (rule.name.to_owned(), Level::Warning)));
    res
}

/// The last instruction that begins on this line (from 1) or before it.
fn instruction_at(analysis: &Analysis, line: u32) -> usize {
    analysis.file.instructions().filter(|placed| placed.line < line).count().saturating_sub(1)
}

fn of_ours(analysis: &Analysis, finding: &Finding) -> Option<Found> {
    let Source::Rule(rule) = finding.source else { return None };
    let line = analysis.file.text[..usize::from(finding.range.start())].matches('\n').count() as u32 + 1;
    // This one is about the comment above the instruction.
    let line = if rule.name == "InvalidDefinitionDescription" { line + 1 } else { line };
    let variable = finding.message.split("undefined variable '$").nth(1).and_then(|rest| rest.split('\'').next());
    rule.is_check().then(|| (rule.name.to_owned(), instruction_at(analysis, line), variable.map(str::to_owned)))
}

#[test]
fn the_checks_find_what_buildkits_find() {
    let (config, images) = (Arc::new(all_checks()), Arc::new(ImageBook::embedded()));
    for line in include_str!("buildkit/checks.jsonl").lines() {
        let case: Checked = serde_json::from_str(line).expect("a case a line");
        let ignore = case.dockerignore.as_deref().map(|text| BuildContext::of_texts([(".dockerignore", text)]));
        let analysis = Analysis::of(
            Inputs {
                text: case.text.as_str().into(),
                config: Arc::clone(&config),
                context: Arc::new(ignore.unwrap_or_default()),
                images: Arc::clone(&images),
                ..Inputs::default()
            },
            None,
        );
        let mut ours: Vec<Found> =
            analysis.findings.iter().filter(|it| !it.suppressed).filter_map(|it| of_ours(&analysis, it)).collect();
        let theirs = case.checks.into_iter().filter(|(rule, ..)| !case.narrower.contains(rule));
        let mut theirs: Vec<Found> =
            theirs.map(|(rule, line, variable)| (rule, instruction_at(&analysis, line), variable)).collect();
        for found in [&mut ours, &mut theirs] {
            found.sort();
            // A variable that stands several times in one instruction counts once.
            found.dedup_by(|left, right| left == right && left.2.is_some());
        }
        assert_eq!(ours, theirs, "{:?}", case.text);
    }
}

#[test]
fn each_check_is_recorded_at_least_five_times() {
    let lines = include_str!("buildkit/checks.jsonl").lines();
    let cases: Vec<Checked> = lines.map(|line| serde_json::from_str(line).expect("a case a line")).collect();
    for rule in rules::ALL.iter().filter(|rule| rule.is_check()) {
        let finds = |case: &&Checked| case.checks.iter().any(|(name, ..)| name == rule.name);
        assert!(cases.iter().filter(finds).count() >= 5, "{}", rule.name);
    }
}

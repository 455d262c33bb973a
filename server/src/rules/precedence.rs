//! One finding per cause (RULES.md §5): of findings about the same thing the stronger speaks.
//!
//! Rules do not know each other; what a stronger finding replaces stays in the list, marked, and speaks when the stronger
//! rule is off or allowed there. The table names rules by their ids; one that does not look replaces nothing.

mod spots;

use std::collections::BTreeMap;

use crate::model::File;
use crate::rules::precedence::spots::{Instructions, Spots};
use crate::rules::{Finding, Source};

/// What two findings must share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Same {
    /// The instruction of their causes.
    Instruction,
    /// The stage of their causes.
    Stage,
    /// What is started, or what is sent to the builder: there is one of it in a file.
    File,
    /// A piece of their ranges.
    Range,
    /// A piece of their causes: the same command, the same pipe.
    Cause,
    /// A piece of the weaker one's cause and what belongs to the stronger one: bytes that it deletes too late.
    Related,
    /// A piece of all that belongs to either.
    Any,
    /// All that the weaker one is about is what the stronger ones are about: files.
    Files,
}

/// A row of the table: each of `order` replaces all that stand right of it.
struct Row {
    order: &'static [&'static [&'static str]],
    same: Same,
    /// Which of the weaker findings are meant; all without it.
    only: Option<fn(&File, &Finding) -> bool>,
}

const fn row(order: &'static [&'static [&'static str]], same: Same) -> Row {
    Row { order, same, only: None }
}

/// In the order in which the rows are gone through: what one row replaces replaces nothing in the rows below.
static TABLE: &[Row] = &[
    row(
        &[
            &["inline-comment"],
            &["invalid-json-form"],
            &["shell-in-shell-less-image"],
            &["cmd-ignored-by-entrypoint"],
            &["npm-as-pid1"],
            &["JSONArgsRecommended"],
        ],
        Same::Instruction,
    ),
    row(&[&["deprecated-base-repository"], &["eol-base-image"], &["unpinned-base-tag"]], Same::Instruction),
    row(&[&["dev-server-as-command"], &["single-stage-build", "dev-dependencies-in-final", "npm-as-pid1"]], Same::File),
    row(
        &[&["single-stage-build"], &["sdk-as-runtime", "static-binary-on-fat-base", "fat-base-image"]],
        Same::Instruction,
    ),
    row(
        &[&["single-stage-build"], &["build-tools-in-final", "dev-dependencies-in-final", "copy-whole-stage"]],
        Same::Stage,
    ),
    Row { order: &[&["single-stage-build"], &["package-cache-left"]], same: Same::Stage, only: Some(is_compiled) },
    row(&[&["secret-file-copied", "secret-in-run"], &["cleanup-in-later-layer", "duplicate-copy"]], Same::Files),
    row(&[&["secret-in-env-or-arg"], &["SecretsUsedInArgOrEnv"]], Same::Cause),
    row(&[&["variable-out-of-scope"], &["UndefinedVar"]], Same::Range),
    row(&[&["pipe-to-shell"], &["pipe-failure-hidden"]], Same::Cause),
    row(&[&["undefined-stage"], &["missing-runtime-file"]], Same::Instruction),
    row(
        &[
            &["cleanup-in-later-layer"],
            &[
                "apt-lists-left",
                "apk-index-left",
                "rpm-cache-left",
                "npm-cache-left",
                "pip-cache-left",
                "package-cache-left",
                "download-kept",
                "copied-archive-unpacked",
                "build-tools-in-final",
            ],
        ],
        Same::Related,
    ),
    row(
        &[&["cleanup-in-later-layer"], &["apt-update-alone"], &["apt-lists-left"], &["mergeable-run-layers"]],
        Same::Any,
    ),
    row(&[&["files-stored-twice"], &["mergeable-run-layers"]], Same::Any),
    row(
        &[
            &["ineffective-cache-mount"],
            &["npm-cache-left", "pip-cache-left", "package-cache-left", "install-without-cache-mount"],
        ],
        Same::Instruction,
    ),
    row(&[&["output-in-cache-mount"], &["missing-runtime-file"]], Same::Any),
    row(&[&["prod-install-before-build"], &["dev-dependencies-in-final", "dependencies-not-split"]], Same::Any),
    row(&[&["dynamic-npm-only"], &["deprecated-npm-flag"]], Same::Range),
    row(&[&["copy-all-before-install"], &["dependencies-not-split"], &["install-without-cache-mount"]], Same::Any),
    row(&[&["lockfile-not-copied"], &["npm-install-not-ci", "copy-all-before-install"]], Same::Any),
    row(&[&["npm-cache-left", "pip-cache-left", "package-cache-left"], &["install-without-cache-mount"]], Same::Cause),
    row(&[&["libc-mismatch"], &["missing-runtime-library"]], Same::Any),
    row(&[&["missing-dockerignore"], &["dockerignore-incomplete"]], Same::File),
    Row { order: &[&["git-history-kept"], &["dockerignore-incomplete"]], same: Same::Any, only: Some(is_about_git) },
    row(&[&["ssh-server-in-image"], &["dev-tools-in-final"]], Same::Range),
    row(&[&["ssh-server-in-image"], &["secret-in-run"]], Same::Cause),
];

/// Rules about the image below the target, of which the one that saves most speaks.
static BASES: &[&str] = &["sdk-as-runtime", "static-binary-on-fat-base", "fat-base-image"];

/// The sum of all others, which replaces nothing and is not replaced.
const SUM: &str = "image-over-budget";

/// Marks the weaker findings of each cause as replaced. What a comment allows neither replaces nor is replaced.
pub fn apply(file: &File, findings: &mut [Finding]) {
    if findings.len() < 2 {
        return;
    }
    let instructions = Instructions::of(file);
    let mut by_id: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (idx, finding) in findings.iter().enumerate() {
        if finding.speaks() && matches!(finding.source, Source::Rule(_)) {
            by_id.entry(finding.id()).or_default().push(idx);
        }
    }
    let of = |ids: &[&str]| ids.iter().filter_map(|id| by_id.get(id)).flatten().copied().collect::<Vec<usize>>();
    for row in TABLE {
        for (place, strong) in row.order.iter().enumerate() {
            let strong = of(strong);
            let weaker = row.order.get(place + 1..).unwrap_or_default();
            let weak: Vec<usize> = weaker.iter().flat_map(|ids| of(ids)).collect();
            if !strong.is_empty() && !weak.is_empty() {
                replace(row, file, &instructions, &strong, &weak, findings);
            }
        }
    }
    keep_heaviest(&instructions, &by_id, findings);
    keep_one(findings);
}

/// Marks those of `weak` that share with one of `strong` what the row asks for. One that an earlier row has replaced
/// replaces nothing.
fn replace(
    row: &Row,
    file: &File,
    instructions: &Instructions,
    strong: &[usize],
    weak: &[usize],
    findings: &mut [Finding],
) {
    let strong = strong.iter().filter_map(|idx| findings.get(*idx)).filter(|it| !it.replaced);
    let stronger = match row.same {
        Same::Instruction => Spots::numbers(strong.filter_map(|it| instructions.number(it.cause.start()))),
        Same::Stage => Spots::numbers(strong.filter_map(|it| instructions.stage(it.cause.start()))),
        Same::File => Spots::numbers(strong.map(|_| 0)),
        Same::Range => Spots::ranges(strong.map(|it| it.range)),
        Same::Cause | Same::Files => Spots::ranges(strong.map(|it| it.cause)),
        Same::Related => Spots::ranges(strong.flat_map(|it| it.related.iter().map(|related| related.range))),
        Same::Any => Spots::ranges(strong.flat_map(spots::all)),
    };
    for idx in weak {
        let Some(finding) = findings.get_mut(*idx) else { continue };
        if !row.only.is_none_or(|only| only(file, finding)) {
            continue;
        }
        finding.replaced |= match row.same {
            Same::Instruction => instructions.number(finding.cause.start()).is_some_and(|it| stronger.has(it)),
            Same::Stage => instructions.stage(finding.cause.start()).is_some_and(|it| stronger.has(it)),
            Same::File => stronger.has(0),
            Same::Range => stronger.touches(finding.range),
            Same::Cause | Same::Related => stronger.touches(finding.cause),
            Same::Any => spots::all(finding).any(|range| stronger.touches(range)),
            Same::Files => {
                let related = &finding.related;
                stronger.touches(finding.cause)
                    || !related.is_empty() && related.iter().all(|related| stronger.touches(related.range))
            }
        };
    }
}

/// Of the findings about the image below the target, only the one that saves most stays.
fn keep_heaviest(instructions: &Instructions, by_id: &BTreeMap<&str, Vec<usize>>, findings: &mut [Finding]) {
    let mut best: BTreeMap<usize, usize> = BTreeMap::new();
    for idx in BASES.iter().filter_map(|id| by_id.get(id)).flatten() {
        let Some(finding) = findings.get(*idx).filter(|it| !it.replaced) else { continue };
        let Some(number) = instructions.number(finding.cause.start()) else { continue };
        let saves = |idx: usize| findings.get(idx).and_then(|it| it.saves.as_ref()).map(|saves| saves.likely);
        let Some(other) = best.insert(number, *idx) else { continue };
        let (winner, loser) = if saves(*idx) > saves(other) { (*idx, other) } else { (other, *idx) };
        best.insert(number, winner);
        if let Some(finding) = findings.get_mut(loser) {
            finding.replaced = true;
        }
    }
}

/// Where the table is silent: of findings of one group, one cause and the same bytes one stays, the one that saves more,
/// then the more severe one, then the one whose id comes first.
fn keep_one(findings: &mut [Finding]) {
    let mut order: Vec<(_, usize)> = Vec::new();
    for (idx, finding) in findings.iter().enumerate() {
        let (Source::Rule(rule), Some(saves)) = (finding.source, &finding.saves) else { continue };
        if !finding.speaks() || rule.name == SUM {
            continue;
        }
        let cause = (rule.group, finding.cause.start(), finding.cause.end(), saves.likely);
        let rank = (std::cmp::Reverse((saves.high, finding.severity)), rule.name);
        order.push(((cause, rank), idx));
    }
    order.sort();
    let mut speaker = None;
    for ((cause, (_, name)), idx) in order {
        match speaker {
            Some((known, _)) if known != cause => speaker = Some((cause, name)),
            None => speaker = Some((cause, name)),
            Some((_, first)) if first == name => {}
            Some(_) => {
                if let Some(finding) = findings.get_mut(idx) {
                    finding.replaced = true;
                }
            }
        }
    }
}

/// Whether a cache is one of a compiler, which stays behind in a builder stage.
fn is_compiled(file: &File, finding: &Finding) -> bool {
    let text = file.text.get(std::ops::Range::<usize>::from(finding.cause)).unwrap_or_default();
    let program = text.split_whitespace().find(|word| *word != "RUN" && !word.starts_with("--")).unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default();
    matches!(program, "cargo" | "go" | "mvn" | "mvnw" | "gradle" | "gradlew" | "sbt" | "dotnet" | "nuget")
}

/// Whether an ignore file is to be mended for the history of git alone.
fn is_about_git(_: &File, finding: &Finding) -> bool {
    let names = finding.message.split('`').skip(1).step_by(2).filter(|name| !name.ends_with("dockerignore"));
    let mut names = names.peekable();
    names.peek().is_some() && names.all(|name| name.trim_end_matches('/') == ".git")
}

#[cfg(test)]
mod tests;

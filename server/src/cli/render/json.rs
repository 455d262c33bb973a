//! The JSON of the command line (CLI.md, *JSON*): fields in that order, none ever removed or given another meaning.

use serde::Serialize;

use crate::cli::fix::actions;
use crate::cli::render::places::{Lines, Place};
use crate::rules::{Finding, Safety, Source};
use crate::text::{TextEdit, TextRange};
use crate::weight::Estimate;

/// Which contract the output keeps.
pub(crate) const VERSION: u32 = 1;

/// Who wrote it.
#[derive(Debug, Serialize)]
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
}

/// This program.
pub(crate) const TOOL: Tool = Tool { name: "plimsoll", version: env!("CARGO_PKG_VERSION") };

/// A value as one document with a line end.
pub(crate) fn document(value: &impl Serialize) -> anyhow::Result<String> {
    let mut res = serde_json::to_string_pretty(value)?;
    res.push('\n');
    Ok(res)
}

/// A place of a file.
#[derive(Debug, Serialize)]
struct JsonPlace {
    line: usize,
    column: usize,
    offset: usize,
}

impl From<Place> for JsonPlace {
    fn from(place: Place) -> JsonPlace {
        JsonPlace { line: place.line, column: place.column, offset: place.offset }
    }
}

/// A range of a file.
#[derive(Debug, Serialize)]
pub(crate) struct JsonRange {
    start: JsonPlace,
    end: JsonPlace,
}

impl JsonRange {
    /// The range in places.
    pub(crate) fn of(range: TextRange, lines: &Lines<'_>) -> JsonRange {
        JsonRange { start: lines.place(range.start()).into(), end: lines.place(range.end()).into() }
    }
}

/// Bytes with their uncertainty.
#[derive(Debug, Serialize)]
pub(crate) struct JsonEstimate {
    low: u64,
    likely: u64,
    high: u64,
    basis: &'static str,
    source: String,
    /// Whether a part of the sum is not known.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    incomplete: bool,
}

impl JsonEstimate {
    /// A figure.
    pub(crate) fn of(estimate: &Estimate) -> JsonEstimate {
        JsonEstimate {
            low: estimate.low.0,
            likely: estimate.likely.0,
            high: estimate.high.0,
            basis: estimate.basis.name(),
            source: estimate.source.clone(),
            incomplete: false,
        }
    }

    /// A figure that is the least it can be where a part is not known.
    pub(crate) fn part(estimate: &Estimate, incomplete: bool) -> JsonEstimate {
        JsonEstimate { incomplete, ..JsonEstimate::of(estimate) }
    }

    /// A sum, of which a part may not be known; its parts have the sources.
    pub(crate) fn sum(estimate: &Estimate, incomplete: bool) -> JsonEstimate {
        JsonEstimate { source: String::new(), incomplete, ..JsonEstimate::of(estimate) }
    }
}

/// One replacement.
#[derive(Debug, Serialize)]
struct JsonEdit {
    range: JsonRange,
    text: String,
}

fn edits(edit: &TextEdit, lines: &Lines<'_>) -> Vec<JsonEdit> {
    let one =
        |indel: &crate::text::Indel| JsonEdit { range: JsonRange::of(indel.delete, lines), text: indel.insert.clone() };
    edit.indels().iter().map(one).collect()
}

#[derive(Debug, Serialize)]
struct JsonFix {
    title: String,
    safety: &'static str,
    edits: Vec<JsonEdit>,
}

#[derive(Debug, Serialize)]
struct JsonRelated {
    message: String,
    range: JsonRange,
}

/// A finding.
#[derive(Debug, Serialize)]
pub(crate) struct JsonFinding {
    rule: &'static str,
    kind: &'static str,
    group: Option<&'static str>,
    severity: &'static str,
    message: String,
    range: JsonRange,
    saves: Option<JsonEstimate>,
    related: Vec<JsonRelated>,
    fix: Option<JsonFix>,
    actions: Vec<&'static str>,
    suppressed: bool,
    /// With `--all`: whether a stronger finding of the same cause speaks instead.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replaced: bool,
    url: Option<String>,
}

impl JsonFinding {
    /// A finding of a text.
    pub(crate) fn of(finding: &Finding, lines: &Lines<'_>) -> JsonFinding {
        let (kind, group) = match finding.source {
            Source::Rule(rule) if rule.is_check() => ("check", Some(rule.group.name())),
            Source::Rule(rule) => ("rule", Some(rule.group.name())),
            Source::Fault => ("fault", None),
            Source::Note(_) => ("note", None),
        };
        let fix = finding.fix.as_ref().map(|fix| JsonFix {
            title: fix.title.clone(),
            safety: safety(fix.safety),
            edits: edits(&fix.edit, lines),
        });
        let related = finding.related.iter().map(|related| JsonRelated {
            message: related.message.clone(),
            range: JsonRange::of(related.range, lines),
        });
        JsonFinding {
            rule: finding.id(),
            kind,
            group,
            severity: finding.severity.name(),
            message: finding.message.clone(),
            range: JsonRange::of(finding.range, lines),
            saves: finding.saves.as_ref().map(JsonEstimate::of),
            related: related.collect(),
            fix,
            actions: finding.assists.iter().copied().filter(|id| actions::is_known(id)).collect(),
            suppressed: finding.suppressed,
            replaced: finding.replaced,
            url: url(finding),
        }
    }
}

/// The word of a fix's safety.
fn safety(safety: Safety) -> &'static str {
    match safety {
        Safety::Review => "review",
        Safety::Safe => "safe",
    }
}

/// The page of a finding's rule.
pub(crate) fn url(finding: &Finding) -> Option<String> {
    match finding.source {
        Source::Rule(rule) => Some(rule.url()),
        Source::Fault | Source::Note(_) => None,
    }
}

//! Weights as a page that is read in a browser or printed: everything it needs is in it, and it runs no script.
//!
//! **Invariant:** whatever comes from a file is text. `maud` escapes it, nothing of it stands in a style, an address or
//! a name of an attribute, and the page forbids itself to load anything.

use maud::{DOCTYPE, Markup, PreEscaped, Render, html};

use crate::analysis::Analysis;
use crate::cli::render::weights::{self, Row, at_least};
use crate::cli::size::suggest::Suggestion;
use crate::model::Stage;
use crate::size::StageSize;
use crate::weight::{Estimate, Size, rounded};

const STYLE: &str = include_str!("page.css");

/// Nothing is loaded from anywhere, and only the style above counts.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// A part of the page: what came of one file.
#[derive(Debug)]
pub(crate) struct Section {
    name: String,
    unpacked: Option<String>,
    pulled: Option<String>,
    over: bool,
    failed: bool,
    body: Markup,
}

/// The page of all files.
pub(crate) fn page(sections: &[Section]) -> String {
    let title = match sections {
        [only] => format!("What {} weighs", only.name),
        _ => format!("What {} Dockerfiles weigh", sections.len()),
    };
    let res = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="generator" content=(format!("plimsoll {}", env!("CARGO_PKG_VERSION")));
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header.top {
                    p.brand { (mark()) span { "Plimsoll" } }
                    h1 { (title) }
                }
                main {
                    @if sections.is_empty() { p { "No Dockerfile was found." } }
                    @if sections.len() > 1 { (contents(sections)) }
                    @for (idx, section) in sections.iter().enumerate() {
                        section.file id=(format!("file-{}", idx + 1)) aria-labelledby=(format!("name-{}", idx + 1)) {
                            h2 id=(format!("name-{}", idx + 1)) .only[sections.len() == 1] { (section.name) }
                            (section.body)
                        }
                    }
                }
                footer {
                    (legend())
                    p {
                        "Sizes are decimal. "
                        b { "Unpacked" } " is what the layers hold as files, " b { "pulled" }
                        " what is fetched of them, compressed. Made by plimsoll " (env!("CARGO_PKG_VERSION")) "."
                    }
                }
            }
        }
    };
    res.into_string() + "\n"
}

/// The load line of a ship: a disc and the line it must not sink below.
fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" {
            circle cx="16" cy="16" r="9.5" fill="none" stroke="currentColor" stroke-width="3" {}
            path d="M2 16h28" stroke="currentColor" stroke-width="3" {}
        }
    }
}

fn contents(sections: &[Section]) -> Markup {
    html! {
        nav aria-label="Files" {
            table.contents {
                thead { tr { th scope="col" { "file" } th.number scope="col" { "unpacked" } th.number scope="col" { "pulled" } } }
                tbody {
                    @for (idx, section) in sections.iter().enumerate() {
                        tr {
                            th scope="row" {
                                a href=(format!("#file-{}", idx + 1)) { (section.name) }
                                @if section.over { " " span.badge.over { "over budget" } }
                                @if section.failed { " " span.badge.over { "not read" } }
                            }
                            td.number { (section.unpacked.as_deref().unwrap_or("unknown")) }
                            td.number { (section.pulled.as_deref().unwrap_or("unknown")) }
                        }
                    }
                }
            }
        }
    }
}

/// A file that could not be read.
pub(crate) fn failed(name: &str, error: &str) -> Section {
    let body = html! { p.notice.over { (error) } };
    Section { name: name.to_owned(), unpacked: None, pulled: None, over: false, failed: true, body }
}

/// The part of a file.
pub(crate) fn section(name: &str, analysis: &Analysis, suggestions: &[Suggestion]) -> Section {
    let target = analysis.facts.target.and_then(|idx| Some((idx, analysis.size.stages.get(idx)?)));
    let sums = target.map(|(_, size)| (size.unpacked(), size.pulled()));
    let shown = |(sum, incomplete): &(Option<Estimate>, bool)| sum.as_ref().map(|sum| at_least(sum, *incomplete));
    let excesses = analysis.excesses();
    let over = excesses.iter().any(|excess| excess.certain);
    let heaviest = weights::heaviest(analysis);
    let body = html! {
        @for excess in &excesses {
            p.notice.over[excess.certain] role="note" {
                (mark()) span { (weights::stage_name(analysis, excess.stage)) " " (excess.words()) }
            }
        }
        @if let Some((idx, size)) = target {
            (figures(size, analysis.budget(idx)))
            (hull(analysis, idx))
        } @else {
            p { "There is no stage in this file." }
        }
        @if !suggestions.is_empty() { (suggested(name, suggestions)) }
        h3 { "Stage by stage" }
        @for (idx, (stage, size)) in analysis.file.stages.iter().zip(&analysis.size.stages).enumerate() {
            (stage_table(analysis, idx, stage, size, heaviest))
        }
    };
    Section {
        name: name.to_owned(),
        unpacked: sums.as_ref().and_then(|(unpacked, _)| shown(unpacked)),
        pulled: sums.as_ref().and_then(|(_, pulled)| shown(pulled)),
        over,
        failed: false,
        body,
    }
}

/// The two sums of the image, and what it may weigh.
fn figures(size: &StageSize, budget: Option<Size>) -> Markup {
    let figure = |name: &str, (sum, incomplete): (Option<Estimate>, bool)| {
        html! {
            div {
                dt { (name) }
                dd {
                    @match &sum {
                        Some(sum) => {
                            span.big { (at_least(sum, incomplete)) }
                            " " span.ends { (ends(sum)) }
                        }
                        None => span.big { "unknown" }
                    }
                }
            }
        }
    };
    html! {
        dl.figures {
            (figure("unpacked", size.unpacked()))
            (figure("pulled", size.pulled()))
            @if let Some(budget) = budget { div { dt { "budget" } dd { span.big { (budget.to_string()) } } } }
        }
    }
}

/// `1 GB to 1.6 GB`; empty where the figure is exact.
fn ends(sum: &Estimate) -> String {
    let (low, high) = (rounded(sum.low), rounded(sum.high));
    if low == high { String::new() } else { format!("{low} to {high}") }
}

/// The image as one bar, from the base to the last layer, with the load line where there is a budget.
fn hull(analysis: &Analysis, target: usize) -> Markup {
    let parts = parts(analysis);
    let Some((sum, incomplete)) = analysis.size.stages.get(target).map(StageSize::unpacked) else { return html! {} };
    let Some(sum) = sum.filter(|sum| sum.likely > Size(0)) else { return html! {} };
    let budget = analysis.budget(target);
    let all = sum.high.0.max(budget.map_or(0, |budget| budget.0)).max(1);
    let told: Vec<String> = parts.iter().map(|part| format!("{} {}", part.name, part.weight.words())).collect();
    let more = if incomplete { ", and what is not known" } else { "" };
    let label = format!("The image, from its base to its last layer: {}{more}.", told.join(", "));
    html! {
        figure.hull.loaded[budget.is_some()] {
            div.water role="img" aria-label=(label) {
                @for part in parts.iter().filter(|part| part.weight.likely > Size(0)) {
                    div class=(format!("part {} {}", part.class, solid(Some(part.weight)))) style=(share(part.weight.likely, all))
                        title=(format!("{}: {}", part.text, part.weight.words())) {
                        span { (part.name) " " (part.weight.brief()) }
                    }
                }
                @if incomplete { div.part.unknown title="what is not known" { span { "?" } } }
                @if !ends(&sum).is_empty() {
                    div.ends style=(format!("{};{}", offset(sum.low, all), share(Size(sum.high.0 - sum.low.0), all))) {}
                }
                @if let Some(budget) = budget {
                    div.line.left[budget.0 > all / 2] style=(offset(budget, all)) {
                        (mark()) span { "budget " (budget.to_string()) }
                    }
                }
            }
        }
    }
}

/// A part of the image that is shipped.
struct Part<'a> {
    class: &'static str,
    /// `base`, `RUN`, `COPY`.
    name: &'a str,
    /// The first line of the instruction.
    text: String,
    weight: &'a Estimate,
}

/// What is known of the image, from the bottom.
fn parts(analysis: &Analysis) -> Vec<Part<'_>> {
    let mut res = Vec::new();
    let pairs = analysis
        .facts
        .final_chain
        .iter()
        .rev()
        .filter_map(|idx| Some((*idx, analysis.file.stages.get(*idx)?, analysis.size.stages.get(*idx)?)));
    for (idx, stage, size) in pairs {
        let is_bottom = analysis.facts.final_chain.last() == Some(&idx);
        if let Some(weight) = size.base_unpacked.as_ref().filter(|_| is_bottom) {
            let text = weights::first_line(&stage.from.instruction.text);
            res.push(Part { class: "base", name: "base", text, weight });
        }
        for layer in &size.layers {
            let Some((placed, weight)) = stage.instructions.get(layer.instruction).zip(layer.adds.as_ref()) else {
                continue;
            };
            let text = weights::first_line(&placed.instruction.text);
            res.push(Part { class: "layer", name: &placed.instruction.name, text, weight });
        }
    }
    res
}

fn stage_table(analysis: &Analysis, idx: usize, stage: &Stage, size: &StageSize, heaviest: u64) -> Markup {
    let name = stage.name.as_ref().map_or_else(|| format!("stage {idx}"), |name| name.text.clone());
    let part = weights::part(analysis, idx);
    let rows = weights::rows(stage, size);
    let ((unpacked, incomplete), (pulled, pull_incomplete)) = (size.unpacked(), size.pulled());
    let sum = |sum: Option<Estimate>, incomplete: bool| {
        sum.map_or_else(|| "unknown".to_owned(), |sum| at_least(&sum, incomplete))
    };
    html! {
        table.stage.shipped[analysis.facts.is_final(idx)] role="table" {
            caption {
                span.name { (name) } " "
                span.badge.target[analysis.facts.target == Some(idx)] { (part) } " "
                span.platform { (size.platform.to_string()) }
            }
            thead role="rowgroup" {
                tr role="row" {
                    th.at scope="col" role="columnheader" { "line" }
                    th scope="col" role="columnheader" { "instruction" }
                    th.number scope="col" role="columnheader" { "unpacked" }
                    th.number scope="col" role="columnheader" { "pulled" }
                }
            }
            tbody role="rowgroup" {
                @for row in &rows { (table_row(row, heaviest)) }
            }
            tfoot role="rowgroup" {
                tr role="row" {
                    td.at role="cell" {}
                    th scope="row" role="rowheader" { "together" }
                    td.number role="cell" { (sum(unpacked, incomplete)) }
                    td.number role="cell" { (sum(pulled, pull_incomplete)) }
                }
            }
        }
    }
}

fn table_row(row: &Row<'_>, heaviest: u64) -> Markup {
    let first = weights::first_line(row.text);
    let is_more = first != row.text.trim_end();
    let bytes = row.weight.map_or(Size(0), |weight| weight.likely);
    html! {
        tr role="row" {
            td.at role="cell" { (row.line) }
            th.what scope="row" role="rowheader" {
                @if is_more {
                    details { summary { code { (first) } } pre { code { (row.text) } } }
                } @else {
                    code { (first) }
                }
                div.track aria-hidden="true" {
                    @if row.weight.is_none() { div.bar.unknown {} } @else if bytes > Size(0) {
                        div class=(format!("bar {}", solid(row.weight))) style=(share(bytes, heaviest)) {}
                    }
                }
                @if !row.why.is_empty() { p.why { (row.why) } }
            }
            td.number role="cell" {
                @match row.weight {
                    Some(weight) => { (weight.brief()) span.basis { (weight.basis.name()) } }
                    None => { "?" span.basis { "unknown" } }
                }
            }
            td.number.none[row.pull.is_none()] role="cell" {
                @match row.pull {
                    Some(pull) => (pull.brief()),
                    None => "?",
                }
            }
        }
    }
}

fn suggested(name: &str, suggestions: &[Suggestion]) -> Markup {
    let most = suggestions.iter().filter_map(|it| it.before.as_ref()).map(|before| before.likely.0).max().unwrap_or(1);
    html! {
        h3 { "What would make it lighter" }
        ol.suggestions {
            @for suggestion in suggestions {
                li {
                    p.title { (suggestion.title) }
                    @if let (Some(before), Some(after)) = (&suggestion.before, &suggestion.after) {
                        dl.change {
                            div {
                                dt { "before" }
                                dd {
                                    span.track aria-hidden="true" {
                                        span class=(format!("bar {}", solid(Some(before)))) style=(share(before.likely, most)) {}
                                    }
                                    span.figure { (before.brief()) }
                                }
                            }
                            div {
                                dt { "after" }
                                dd {
                                    span.track aria-hidden="true" {
                                        span class=(format!("bar after {}", solid(Some(after)))) style=(share(after.likely, most)) {}
                                    }
                                    span.figure { (after.brief()) }
                                }
                            }
                        }
                    } @else {
                        p.why { "How many bytes it saves is not known." }
                    }
                    p.command { code { (suggestion.command(name)) } }
                }
            }
        }
    }
}

/// What the patterns mean, which no colour tells alone.
fn legend() -> Markup {
    let entry =
        |class: &str, words: &str| html! { li { span class=(format!("bar {class}")) aria-hidden="true" {} (words) } };
    html! {
        ul.legend aria-label="Legend" {
            (entry("solid", "counted, measured or from a table"))
            (entry("estimate", "estimated (≈)"))
            (entry("unknown", "unknown (?)"))
        }
    }
}

/// How a figure is drawn.
fn solid(weight: Option<&Estimate>) -> &'static str {
    match weight {
        None => "unknown",
        Some(weight) if weight.basis.is_plain() => "solid",
        Some(_) => "estimate",
    }
}

/// How wide a bar of these bytes is, where all of them are the whole width.
fn share(bytes: Size, all: u64) -> Declaration {
    Declaration { property: "width", bytes: bytes.0, all }
}

/// How far from the left a mark at these bytes stands.
fn offset(bytes: Size, all: u64) -> Declaration {
    Declaration { property: "left", bytes: bytes.0, all }
}

/// A style that is made of figures alone.
struct Declaration {
    property: &'static str,
    bytes: u64,
    all: u64,
}

impl std::fmt::Display for Declaration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let percent = 100.0 * self.bytes as f64 / self.all.max(1) as f64;
        write!(f, "{}:{:.3}%", self.property, percent.min(100.0))
    }
}

impl Render for Declaration {
    fn render_to(&self, acc: &mut String) {
        acc.push_str(&self.to_string());
    }
}

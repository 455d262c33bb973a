//! Weights as a page that is read in a browser or printed: everything it needs is in it, and it runs no script.
//!
//! **Invariant:** whatever comes from a file is text. `maud` escapes it, nothing of it stands in a style, an address or
//! a name of an attribute, and the page forbids itself to load anything.

mod draw;
mod hull;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::analysis::Analysis;
use crate::cli::render::html::draw::{share, solid};
use crate::cli::render::html::hull::{figures, hull};
use crate::cli::render::weights::{self, Row};
use crate::cli::size::suggest::Suggestion;
use crate::measured::waste::Waste;
use crate::model::Stage;
use crate::size::StageSize;
use crate::weight::{Estimate, Size};

/// How many wasted files are shown.
const WASTED: usize = 20;

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
pub(crate) fn section(name: &str, analysis: &Analysis, suggestions: &[Suggestion], waste: Option<&Waste>) -> Section {
    let target = analysis.facts.target.and_then(|idx| Some((idx, analysis.size.stages.get(idx)?)));
    let sums = target.map(|(_, size)| (size.unpacked(), size.pulled()));
    let shown = |(sum, incomplete): &(Option<Estimate>, bool)| sum.as_ref().map(|sum| sum.words_of(*incomplete));
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
        @if let Some(waste) = waste { (wasted(waste)) }
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

fn stage_table(analysis: &Analysis, idx: usize, stage: &Stage, size: &StageSize, heaviest: u64) -> Markup {
    let name = stage.name.as_ref().map_or_else(|| format!("stage {idx}"), |name| name.text.clone());
    let part = weights::part(analysis, idx);
    let rows = weights::rows(stage, size);
    let ((unpacked, incomplete), (pulled, pull_incomplete)) = (size.unpacked(), size.pulled());
    let sum = |sum: Option<Estimate>, incomplete: bool| {
        sum.map_or_else(|| "unknown".to_owned(), |sum| sum.words_of(incomplete))
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
                    Some(weight) => { (weight.brief_of(row.incomplete)) span.basis { (weight.basis.name()) } }
                    None => { "?" span.basis { "unknown" } }
                }
            }
            td.number.none[row.pull.is_none()] role="cell" {
                @match row.pull {
                    Some(pull) => (pull.brief_of(row.incomplete)),
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

/// What a built image carries in vain.
fn wasted(waste: &Waste) -> Markup {
    let more = waste.files.len().saturating_sub(WASTED);
    html! {
        h3 { "What it carries in vain" }
        @if waste.wasted == 0 {
            p { "Nothing: every file in the layers is seen in the image." }
        } @else {
            p {
                b { (Size(waste.wasted).to_string()) }
                " of files that a later layer replaced or removed; efficiency "
                (format!("{} %", (waste.efficiency * 1000.0).floor() / 10.0)) "."
            }
            table.contents {
                thead { tr { th scope="col" { "file" } th.number scope="col" { "wasted" } th.number scope="col" { "layers" } } }
                tbody {
                    @for file in waste.files.iter().take(WASTED) {
                        tr {
                            th scope="row" { code { (file.path) } }
                            td.number { (Size(file.bytes).to_string()) }
                            td.number { (file.layers.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")) }
                        }
                    }
                }
            }
            @if more > 0 { p.why { "and " (more) " more" } }
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

#[cfg(test)]
mod tests {
    use super::{page, section, wasted};
    use crate::fixture::{analyse, parse};
    use crate::measured::waste::{Waste, WastedFile};

    #[test]
    fn wasted_files_are_named_as_text() {
        let files = vec![WastedFile { path: "/<script>x".to_owned(), bytes: 12_000_000, layers: vec![2, 5] }];
        let waste = Waste { efficiency: 0.987, wasted: 12_000_000, files };
        let analysis = analyse(&parse("FROM scratch\n"));
        let res = page(&[section("Dockerfile", &analysis, &[], Some(&waste))]);
        assert!(res.contains("<code>/&lt;script&gt;x</code>") && res.contains(">2, 5</td>"), "{res}");
        assert!(res.contains("efficiency 98.7 %"), "{res}");
        let nothing = Waste { efficiency: 1.0, wasted: 0, files: Vec::new() };
        assert!(wasted(&nothing).into_string().contains("every file in the layers is seen"));
    }
}

//! The image of the page: its two sums, and one bar from the base to the last layer with the load line where there is a
//! budget.

use maud::{Markup, html};

use crate::analysis::Analysis;
use crate::cli::render::html::draw::{offset, share, solid};
use crate::cli::render::html::mark;
use crate::cli::render::weights;
use crate::size::StageSize;
use crate::weight::{Estimate, Size, rounded};

/// The two sums of the image, and what it may weigh.
pub(super) fn figures(size: &StageSize, budget: Option<Size>) -> Markup {
    let figure = |name: &str, (sum, incomplete): (Option<Estimate>, bool)| {
        html! {
            div {
                dt { (name) }
                dd {
                    @match &sum {
                        Some(sum) => {
                            span.big { (sum.words_of(incomplete)) }
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
pub(super) fn hull(analysis: &Analysis, target: usize) -> Markup {
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

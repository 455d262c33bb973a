//! Weights in words, as hover, inlay hints and lenses have them in common. Plain text: nothing here is escaped for
//! Markdown.

use crate::model::Stage;
use crate::rules::Context;
use crate::size::{LayerSize, StageSize};
use crate::weight::{Basis, Estimate, Size, rounded};

/// What an instruction adds and why, a line each; `shipped` says whether its layer is.
pub(super) fn of_layer(layer: &LayerSize, shipped: bool) -> Vec<String> {
    let Some(adds) = &layer.adds else {
        return vec!["adds an unknown amount".to_owned(), layer.why.clone()];
    };
    let words = |figure: &Estimate| figure.words_of(layer.incomplete);
    let pull = layer.pull.as_ref().map(|pull| format!(", pulled as {}", words(pull))).unwrap_or_default();
    let mut res = vec![format!("adds {} unpacked{pull}", words(adds))];
    if !layer.why.is_empty() {
        res.push(layer.why.clone());
    }
    res.push(certainty(adds, &layer.why));
    if !shipped {
        res.push("this stage is not shipped".to_owned());
    }
    res
}

/// What a figure rests on and how sure it is: `estimated from package tables, between 10 MB and 14 MB`. A source that is
/// `told` already is not said again.
pub(super) fn certainty(estimate: &Estimate, told: &str) -> String {
    let basis = match estimate.basis {
        Basis::Measured => "measured in the built image",
        Basis::Registry => "as the registry says",
        Basis::Table => "from the image table",
        Basis::Context => "counted in the build context",
        Basis::Recipe => "estimated from package tables",
        Basis::Relative => "estimated from the nearest relative that is known",
        Basis::Guess => "a guess from what is typical",
    };
    let source = match estimate.source.as_str() {
        "" => String::new(),
        source if source == told => String::new(),
        source => format!(" ({source})"),
    };
    match ends(estimate) {
        ends if ends.is_empty() => format!("{basis}{source}"),
        ends => format!("{basis}{source}, {ends}"),
    }
}

/// `between 10 MB and 14 MB`; empty where the figure is exact.
pub(super) fn ends(estimate: &Estimate) -> String {
    let (low, high) = (rounded(estimate.low), rounded(estimate.high));
    if low == high { String::new() } else { format!("between {low} and {high}") }
}

/// What a stage is called: `runtime stage`, `final stage`, `stage 2`.
pub(super) fn stage_name(ctx: &Context, idx: usize, stage: &Stage) -> String {
    match &stage.name {
        Some(name) => format!("{} stage", name.text),
        None if ctx.facts.target == Some(idx) => "final stage".to_owned(),
        None => format!("stage {idx}"),
    }
}

/// What a stage weighs in all: `≈ 210 MB, pulled ≈ 78 MB`; `None` where nothing is known.
pub(super) fn of_stage(size: &StageSize, shipped: bool) -> Option<String> {
    let at_least = |figure: &Estimate, incomplete| if incomplete { figure.words_of(true) } else { figure.brief() };
    let (unpacked, incomplete) = size.unpacked();
    let unpacked = unpacked.filter(|figure| figure.likely > Size(0)).map(|figure| match &size.base_unpacked {
        Some(_) => at_least(&figure, incomplete),
        None => {
            let incomplete = size.base_incomplete || size.layers.iter().any(|layer| layer.incomplete);
            format!("{} on a base of unknown size", at_least(&figure, incomplete))
        }
    });
    if !shipped {
        return Some(format!("{}, not shipped", unpacked?));
    }
    let (pulled, incomplete) = size.pulled();
    let pulled = pulled.filter(|figure| size.base_pull.is_some() && figure.likely > Size(0));
    let pulled = pulled.map(|figure| format!("pulled {}", at_least(&figure, incomplete)));
    let parts: Vec<String> = unpacked.into_iter().chain(pulled).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

//! The JSON of `size` (CLI.md, *JSON*): what every stage and layer weighs, as scripts read it.

use anyhow::{Error, Result};
use serde::Serialize;

use crate::analysis::Analysis;
use crate::cli::render::json::{self, JsonEstimate, TOOL, Tool};
use crate::cli::size::image::JsonImage;
use crate::cli::size::suggest::Suggestion;
use crate::measured::waste::Waste;
use crate::model::{Base, ImageRef, Stage};
use crate::size::StageSize;
use crate::weight::{Basis, Estimate};

/// The whole document.
#[derive(Debug, Serialize)]
struct Report {
    version: u32,
    tool: Tool,
    files: Vec<JsonFile>,
}

/// A file with its stages.
#[derive(Debug, Serialize)]
pub(super) struct JsonFile {
    path: String,
    error: Option<String>,
    target: Option<usize>,
    stages: Vec<JsonStage>,
    /// With `--suggest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestions: Option<Vec<JsonSuggestion>>,
    /// What a built image wastes, with `--image` and `--archive`.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<JsonImage>,
}

#[derive(Debug, Serialize)]
struct JsonStage {
    index: usize,
    name: Option<String>,
    shipped: bool,
    line: u32,
    base: JsonBase,
    layers: Vec<JsonLayer>,
    unpacked: Option<JsonEstimate>,
    pull: Option<JsonEstimate>,
    /// What the settings allow it to weigh unpacked, if they say anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<JsonBudget>,
}

#[derive(Debug, Serialize)]
struct JsonBudget {
    bytes: u64,
    exceeded: bool,
}

#[derive(Debug, Serialize)]
struct JsonSuggestion {
    id: &'static str,
    variant: Option<&'static str>,
    title: String,
    line: usize,
    before: Option<JsonEstimate>,
    after: Option<JsonEstimate>,
}

/// What a stage is built on.
#[derive(Debug, Serialize)]
pub(crate) struct JsonBase {
    text: String,
    /// The whole name of an image; `null` for a stage, `scratch` or what is not known.
    image: Option<String>,
    /// The stage it is built on.
    stage: Option<usize>,
    platform: String,
    pull: Option<JsonEstimate>,
    unpacked: Option<JsonEstimate>,
    basis: &'static str,
    date: Option<String>,
    via: Option<String>,
}

#[derive(Debug, Serialize)]
struct JsonLayer {
    line: u32,
    instruction: String,
    text: String,
    adds: Option<JsonEstimate>,
    basis: &'static str,
    measured: bool,
    /// Compressed bytes, where they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pull: Option<JsonEstimate>,
    why: String,
}

/// The whole document.
pub(super) fn document(files: Vec<JsonFile>) -> Result<String> {
    json::document(&Report { version: json::VERSION, tool: TOOL, files })
}

/// A file that could not be weighed.
pub(super) fn failed(path: String, error: &Error) -> JsonFile {
    JsonFile {
        path,
        error: Some(format!("{error:#}")),
        target: None,
        stages: Vec::new(),
        suggestions: None,
        image: None,
    }
}

/// A file that was weighed.
pub(super) fn file(
    name: &str,
    analysis: &Analysis,
    suggestions: Option<Vec<Suggestion>>,
    waste: Option<&Waste>,
) -> JsonFile {
    let stages = analysis.file.stages.iter().zip(&analysis.size.stages).enumerate();
    JsonFile {
        path: name.to_owned(),
        error: None,
        target: analysis.facts.target,
        stages: stages.map(|(idx, (stage, size))| json_stage(analysis, idx, stage, size)).collect(),
        suggestions: suggestions.map(|all| all.into_iter().map(suggestion).collect()),
        image: waste.map(JsonImage::of),
    }
}

fn suggestion(suggestion: Suggestion) -> JsonSuggestion {
    JsonSuggestion {
        id: suggestion.id,
        variant: suggestion.variant,
        title: suggestion.title,
        line: suggestion.line,
        before: suggestion.before.as_ref().map(JsonEstimate::of),
        after: suggestion.after.as_ref().map(JsonEstimate::of),
    }
}

fn json_stage(analysis: &Analysis, index: usize, stage: &Stage, size: &StageSize) -> JsonStage {
    let (unpacked, incomplete) = size.unpacked();
    let (pulled, pull_incomplete) = size.pulled();
    let exceeded = analysis.excesses().iter().any(|excess| excess.stage == index && excess.certain);
    let layers = size.layers.iter().filter_map(|layer| {
        let placed = stage.instructions.get(layer.instruction)?;
        Some(JsonLayer {
            line: placed.line + 1,
            instruction: placed.instruction.name.clone(),
            text: placed.instruction.text.to_string(),
            adds: layer.adds.as_ref().map(|adds| JsonEstimate::part(adds, layer.incomplete)),
            basis: layer.adds.as_ref().map_or("unknown", |adds| adds.basis.name()),
            measured: layer.adds.as_ref().is_some_and(|adds| adds.basis == Basis::Measured),
            pull: layer.pull.as_ref().map(|pull| JsonEstimate::part(pull, layer.incomplete)),
            why: layer.why.clone(),
        })
    });
    JsonStage {
        index,
        name: stage.name.as_ref().map(|name| name.text.clone()),
        shipped: analysis.facts.is_final(index),
        line: stage.from.line + 1,
        base: base(analysis, stage, size),
        layers: layers.collect(),
        unpacked: unpacked.map(|sum| JsonEstimate::sum(&sum, incomplete)),
        pull: pulled.map(|sum| JsonEstimate::sum(&sum, pull_incomplete)),
        budget: analysis.budget(index).map(|budget| JsonBudget { bytes: budget.0, exceeded }),
    }
}

/// What a stage of this size is built on.
pub(crate) fn base(analysis: &Analysis, stage: &Stage, size: &StageSize) -> JsonBase {
    let (text, image, on_stage) = match &stage.base {
        Base::Image(image) => (image.text.clone(), Some(image), None),
        Base::Stage(idx) => {
            let name = analysis.file.stages.get(*idx).and_then(|stage| stage.name.as_ref());
            (name.map_or_else(|| idx.to_string(), |name| name.text.clone()), None, Some(*idx))
        }
        Base::Scratch => ("scratch".to_owned(), None, None),
        Base::Unknown(text) => (text.clone(), None, None),
    };
    let tag = |image: &ImageRef| {
        let tag = image.tag_or_latest().map(|tag| format!(":{tag}")).unwrap_or_default();
        let digest = image.digest.as_ref().map(|digest| format!("@{digest}")).unwrap_or_default();
        format!("{}{tag}{digest}", image.repository())
    };
    let of_base = |figure: &Option<Estimate>, incomplete| {
        figure.as_ref().map(|it| match on_stage {
            Some(_) => JsonEstimate::sum(it, incomplete),
            None => JsonEstimate::of(it),
        })
    };
    // What is unpacked is never asked of a registry.
    let asked = size.base_pull.as_ref().filter(|pull| pull.basis == Basis::Registry);
    JsonBase {
        text,
        image: image.map(tag),
        stage: on_stage,
        platform: size.platform.to_string(),
        pull: of_base(&size.base_pull, size.base_pull_incomplete),
        unpacked: of_base(&size.base_unpacked, size.base_incomplete),
        basis: asked
            .or(size.base_unpacked.as_ref())
            .or(size.base_pull.as_ref())
            .map_or("unknown", |it| it.basis.name()),
        date: size.date.clone(),
        via: size.via.clone(),
    }
}

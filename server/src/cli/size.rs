//! `plimsoll size`: what every stage and layer weighs.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::analysis::Analysis;
use crate::cli::Outcome;
use crate::cli::console::Console;
use crate::cli::names::Selection;
use crate::cli::options::{Build, Files, Format, Manner};
use crate::cli::read::{self, Job, Session};
use crate::cli::render::json::{self, JsonEstimate, TOOL, Tool};
use crate::cli::render::weights;
use crate::model::{Base, Stage};
use crate::size::StageSize;

/// The options of `size`.
#[derive(Debug, Args)]
pub struct Options {
    /// Files, folders that are searched for Dockerfiles, or `-` for standard input; the current folder by default
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    build: Build,
    /// What the weights are written as
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    manner: Manner,
}

/// What came of one file.
#[derive(Debug)]
struct Weighed {
    name: String,
    rendered: Rendered,
    lossy: bool,
    complaints: Vec<String>,
    notes: Vec<String>,
}

#[derive(Debug)]
enum Rendered {
    Text(String),
    Json(Box<JsonFile>),
}

#[derive(Debug, Serialize)]
struct Report {
    version: u32,
    tool: Tool,
    files: Vec<JsonFile>,
}

#[derive(Debug, Serialize)]
struct JsonFile {
    path: String,
    error: Option<String>,
    target: Option<usize>,
    stages: Vec<JsonStage>,
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
}

#[derive(Debug, Serialize)]
struct JsonBase {
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
    why: String,
}

/// Weighs what the options name.
pub(crate) fn run(options: &Options, console: &mut Console) -> Result<Outcome> {
    console.set_up(options.manner.color, options.manner.quiet);
    let session = Session::new(&options.build, &options.files, Selection::default())?;
    let paths = read::or_here(&options.paths);
    let jobs = read::jobs(&paths, options.build.stdin_filename.as_deref());
    if jobs.is_empty() {
        console.warning(&read::nothing_found(&paths));
    }
    let color = console.color();
    let mut outcome = Outcome::Fine;
    let mut files = Vec::new();
    let mut said = Vec::new();
    let mut is_first = true;
    for res in read::each(jobs, |job| weigh(&session, options, color, job)) {
        match res {
            Ok(weighed) => {
                if weighed.lossy {
                    console.warning(&read::lossy(&weighed.name));
                }
                if options.manner.verbose {
                    weighed.notes.iter().for_each(|note| console.note(note));
                }
                outcome = outcome.max(read::complain(&weighed.complaints, console, &mut said));
                match weighed.rendered {
                    Rendered::Text(text) => {
                        console.result(if is_first { "" } else { "\n" })?;
                        console.result(&text)?;
                        is_first = false;
                    }
                    Rendered::Json(file) => files.push(*file),
                }
            }
            Err((name, error)) => {
                outcome = Outcome::Failed;
                console.error(&format!("{error:#}"));
                files.push(JsonFile {
                    path: name,
                    error: Some(format!("{error:#}")),
                    target: None,
                    stages: Vec::new(),
                });
            }
        }
    }
    if options.format == Format::Json {
        console.result(&json::document(&Report { version: json::VERSION, tool: TOOL, files })?)?;
    }
    Ok(outcome)
}

fn weigh(session: &Session<'_>, options: &Options, color: bool, job: &Job) -> Result<Weighed> {
    let opened = session.open(job)?;
    let rendered = match options.format {
        Format::Text => Rendered::Text(weights::table(&job.name, &opened.analysis, color)),
        Format::Json => Rendered::Json(Box::new(file(&job.name, &opened.analysis))),
    };
    Ok(Weighed {
        name: job.name.clone(),
        rendered,
        lossy: opened.source.lossy,
        complaints: opened.complaints,
        notes: opened.notes,
    })
}

fn file(name: &str, analysis: &Analysis) -> JsonFile {
    let stages = analysis.file.stages.iter().zip(&analysis.size.stages).enumerate();
    JsonFile {
        path: name.to_owned(),
        error: None,
        target: analysis.facts.target,
        stages: stages.map(|(idx, (stage, size))| json_stage(analysis, idx, stage, size)).collect(),
    }
}

fn json_stage(analysis: &Analysis, index: usize, stage: &Stage, size: &StageSize) -> JsonStage {
    let (unpacked, incomplete) = size.unpacked();
    let layers = size.layers.iter().filter_map(|layer| {
        let placed = stage.instructions.get(layer.instruction)?;
        Some(JsonLayer {
            line: placed.line + 1,
            instruction: placed.instruction.name.clone(),
            text: placed.instruction.text.to_string(),
            adds: layer.adds.as_ref().map(JsonEstimate::of),
            basis: layer.adds.as_ref().map_or("unknown", |adds| adds.basis.name()),
            measured: false,
            why: layer.why.clone(),
        })
    });
    JsonStage {
        index,
        name: stage.name.as_ref().map(|name| name.text.clone()),
        shipped: analysis.facts.is_final(index),
        line: stage.from.line + 1,
        base: json_base(analysis, stage, size),
        layers: layers.collect(),
        unpacked: unpacked.map(|sum| JsonEstimate::sum(&sum, incomplete)),
        // What the layers add to a pull is not estimated.
        pull: size.base_pull.as_ref().map(|pull| JsonEstimate::sum(pull, !size.layers.is_empty())),
    }
}

fn json_base(analysis: &Analysis, stage: &Stage, size: &StageSize) -> JsonBase {
    let (text, image, on_stage) = match &stage.base {
        Base::Image(image) => (image.text.clone(), Some(image), None),
        Base::Stage(idx) => {
            let name = analysis.file.stages.get(*idx).and_then(|stage| stage.name.as_ref());
            (name.map_or_else(|| idx.to_string(), |name| name.text.clone()), None, Some(*idx))
        }
        Base::Scratch => ("scratch".to_owned(), None, None),
        Base::Unknown(text) => (text.clone(), None, None),
    };
    let tag = |image: &crate::model::ImageRef| {
        let tag = image.tag_or_latest().map(|tag| format!(":{tag}")).unwrap_or_default();
        let digest = image.digest.as_ref().map(|digest| format!("@{digest}")).unwrap_or_default();
        format!("{}{tag}{digest}", image.repository())
    };
    JsonBase {
        text,
        image: image.map(tag),
        stage: on_stage,
        platform: size.platform.to_string(),
        pull: size.base_pull.as_ref().map(JsonEstimate::of),
        unpacked: size.base_unpacked.as_ref().map(|it| match on_stage {
            Some(_) => JsonEstimate::sum(it, size.base_incomplete),
            None => JsonEstimate::of(it),
        }),
        basis: size.base_unpacked.as_ref().or(size.base_pull.as_ref()).map_or("unknown", |it| it.basis.name()),
        date: size.date.clone(),
        via: size.via.clone(),
    }
}

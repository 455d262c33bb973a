//! `plimsoll size`: what every stage and layer weighs.

mod image;
pub(crate) mod json;
pub(crate) mod suggest;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::cli::Outcome;
use crate::cli::console::Console;
use crate::cli::names::Selection;
use crate::cli::options::{Build, Files, Manner};
use crate::cli::read::{self, Job, Session};
use crate::cli::render::{html, weights};

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
    /// Also show what each action that is offered would save
    #[arg(long)]
    suggest: bool,
    #[command(flatten)]
    built: image::Built,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    manner: Manner,
}

/// What weights are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, in a terminal
    Text,
    /// For scripts
    Json,
    /// A page for people, with everything it needs in it
    Html,
}

/// What came of one file.
#[derive(Debug)]
struct Weighed {
    name: String,
    rendered: Rendered,
    /// The budgets that are exceeded, a sentence each.
    over: Vec<String>,
    lossy: bool,
    complaints: Vec<String>,
    warnings: Vec<String>,
    notes: Vec<String>,
}

#[derive(Debug)]
enum Rendered {
    Text(String),
    Json(Box<json::JsonFile>),
    Html(Box<html::Section>),
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
    options.built.check(&jobs)?;
    let color = console.color();
    let mut outcome = Outcome::Fine;
    let (mut files, mut sections) = (Vec::new(), Vec::new());
    let mut said = Vec::new();
    let mut is_first = true;
    for res in read::each(jobs, |job| weigh(&session, options, color, job)) {
        match res {
            Ok(weighed) => {
                if weighed.lossy {
                    console.warning(&read::lossy(&weighed.name));
                }
                weighed.warnings.iter().for_each(|warning| console.warning(warning));
                if options.manner.verbose {
                    weighed.notes.iter().for_each(|note| console.note(note));
                }
                outcome = outcome.max(read::complain(&weighed.complaints, console, &mut said));
                if !weighed.over.is_empty() {
                    outcome = outcome.max(Outcome::Found);
                }
                // The table says it itself.
                if options.format != Format::Text {
                    weighed.over.iter().for_each(|over| console.warning(&format!("{}: {over}", weighed.name)));
                }
                match weighed.rendered {
                    Rendered::Text(text) => {
                        console.result(if is_first { "" } else { "\n" })?;
                        console.result(&text)?;
                        is_first = false;
                    }
                    Rendered::Json(file) => files.push(*file),
                    Rendered::Html(section) => sections.push(*section),
                }
            }
            Err((name, error)) => {
                outcome = Outcome::Failed;
                console.error(&format!("{error:#}"));
                sections.push(html::failed(&name, &format!("{error:#}")));
                files.push(json::failed(name, &error));
            }
        }
    }
    session.tell_unanswered(console);
    match options.format {
        Format::Text => {}
        Format::Json => console.result(&json::document(files)?)?,
        Format::Html => console.result(&html::page(&sections))?,
    }
    Ok(outcome)
}

fn weigh(session: &Session<'_>, options: &Options, color: bool, job: &Job) -> Result<Weighed> {
    let mut opened = session.open(job)?;
    let taken = image::measure(&options.built, &mut opened)?;
    let waste = taken.as_ref().map(|taken| &taken.waste);
    let analysis = &opened.analysis;
    // The page always has them.
    let is_wanted = options.suggest || options.format == Format::Html;
    let suggestions = is_wanted.then(|| suggest::suggestions(analysis));
    let excesses = analysis.excesses();
    let over = excesses.iter().filter(|excess| excess.certain);
    let over = over.map(|excess| format!("{} {}", weights::stage_name(analysis, excess.stage), excess.words()));
    let over = over.collect();
    let rendered = match options.format {
        Format::Text => {
            let mut text = weights::table(&job.name, analysis, color);
            if let Some(suggestions) = &suggestions {
                text.push_str(&weights::suggested(&job.name, suggestions, color));
            }
            text.push_str(&waste.map(image::text).unwrap_or_default());
            Rendered::Text(text)
        }
        Format::Json => Rendered::Json(Box::new(json::file(&job.name, analysis, suggestions, waste))),
        Format::Html => {
            let suggestions = suggestions.unwrap_or_default();
            Rendered::Html(Box::new(html::section(&job.name, analysis, &suggestions, waste)))
        }
    };
    Ok(Weighed {
        name: job.name.clone(),
        rendered,
        over,
        lossy: opened.source.lossy,
        complaints: opened.complaints,
        warnings: taken.map(|taken| taken.warnings).unwrap_or_default(),
        notes: opened.notes,
    })
}

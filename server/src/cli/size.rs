//! `plimsoll size`: what every stage and layer weighs.

mod json;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::cli::Outcome;
use crate::cli::console::Console;
use crate::cli::names::Selection;
use crate::cli::options::{Build, Files, Format, Manner};
use crate::cli::read::{self, Job, Session};
use crate::cli::render::weights;

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
    Json(Box<json::JsonFile>),
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
                files.push(json::failed(name, &error));
            }
        }
    }
    if options.format == Format::Json {
        console.result(&json::document(files)?)?;
    }
    Ok(outcome)
}

fn weigh(session: &Session<'_>, options: &Options, color: bool, job: &Job) -> Result<Weighed> {
    let opened = session.open(job)?;
    let rendered = match options.format {
        Format::Text => Rendered::Text(weights::table(&job.name, &opened.analysis, color)),
        Format::Json => Rendered::Json(Box::new(json::file(&job.name, &opened.analysis))),
    };
    Ok(Weighed {
        name: job.name.clone(),
        rendered,
        lossy: opened.source.lossy,
        complaints: opened.complaints,
        notes: opened.notes,
    })
}

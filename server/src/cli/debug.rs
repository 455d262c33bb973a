//! `plimsoll debug`: what the layers make of a file, for people who work on Plimsoll.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Subcommand};
use ropey::Rope;

use crate::cli::Outcome;
use crate::cli::console::Console;
use crate::cli::names::shown;
use crate::cli::read;
use crate::cli::render::model;
use crate::cli::render::places::Lines;
use crate::disk::{self, Source};
use crate::lower::{self, Build};
use crate::segment::segment;
use crate::syntax;

/// The options of `debug`.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    layer: Layer,
}

/// A layer that can be looked at.
#[derive(Debug, Subcommand)]
enum Layer {
    /// Where each instruction begins and ends: `KEYWORD first-line last-line`, and the error of a text BuildKit rejects
    Segments(Input),
    /// The syntax tree
    Tree(Input),
    /// Stages, instructions and their parts, variables, faults
    Model(Input),
}

/// The file that is looked at.
#[derive(Debug, Args)]
struct Input {
    /// A file, or `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Shows the layer of the file.
pub(crate) fn run(options: &Options, console: &mut Console) -> Result<Outcome> {
    let (input, show): (&Input, fn(&str) -> String) = match &options.layer {
        Layer::Segments(input) => (input, segments),
        Layer::Tree(input) => (input, |text| syntax::sexp(&syntax::parse(&Rope::from_str(text), None))),
        Layer::Model(input) => (input, |text| model::dump(&lower::file(text.into(), &Build::default(), None))),
    };
    let source = source(&input.file)?;
    if source.lossy {
        console.warning(&read::lossy(&shown(&input.file)));
    }
    console.result(&show(&source.text))?;
    Ok(Outcome::Fine)
}

fn source(path: &Path) -> Result<Source> {
    if path.as_os_str() == "-" { disk::read_input() } else { disk::read(path) }
}

fn segments(text: &str) -> String {
    let mut res = String::new();
    for segment in &segment(text).segments {
        let word = text.get(std::ops::Range::<usize>::from(segment.range)).unwrap_or_default();
        let word = word.split_whitespace().next().unwrap_or_default().to_uppercase();
        let _ = writeln!(res, "{word} {} {}", segment.first_line + 1, segment.last_line + 1);
    }
    // BuildKit stops at what it meets first.
    if let Some(fault) = lower::file(text.into(), &Build::default(), None).faults.first() {
        let line = fault.line.map_or_else(|| Lines::of(text).line(fault.range.start()), |line| line as usize);
        let _ = writeln!(res, "error {line} {}", fault.message);
    }
    res
}

//! The command line: what it takes, and which verb does it (CLI.md is the contract).
//!
//! Standard output carries results alone and is written through a `Console` handed down; messages
//! go to standard error. All types of clap stay in `cli/`.

mod check;
mod console;
mod debug;
mod explain;
mod fix;
mod images;
mod names;
mod online;
mod options;
mod parallel;
mod read;
mod render;
mod size;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::cli::console::Console;
use crate::disk::settings::Wanted;

/// What the arguments ask for.
#[derive(Debug)]
pub enum Task {
    /// Serve an editor, with these settings files.
    Serve(Wanted),
    /// Carry out a verb.
    Run(Box<Verb>),
}

/// What the environment says, for the help.
const ENVIRONMENT: &str = "\
Environment:
  NO_COLOR=1                 No colours, unless --color says otherwise
  PLIMSOLL_TODAY=2026-11-21  The day to check for, instead of the clock's
  PLIMSOLL_LOG=debug         What the language server logs to standard error

Exit codes:
  0  all is well   1  findings, or an action that was refused   2  something could not be done";

/// Plimsoll shows what every line of a Dockerfile weighs, and what would make it lighter.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, arg_required_else_help = true, max_term_width = 100, after_help = ENVIRONMENT)]
struct Arguments {
    /// Serve an editor on standard input and output, as `plimsoll lsp` does
    #[arg(long)]
    stdio: bool,
    #[command(subcommand)]
    verb: Option<Verb>,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Find what is wrong or too heavy in Dockerfiles
    Check(check::Options),
    /// Show what every stage and layer weighs
    Size(size::Options),
    /// Apply fixes, or one action, to Dockerfiles
    Fix(fix::Options),
    /// Show what is known of images, or make a newer table of them
    Images(images::Options),
    /// Show the page of a rule, or the list of rules
    Explain(explain::Options),
    /// Show what the layers make of a file, for people who work on Plimsoll
    Debug(debug::Options),
    /// Serve an editor on standard input and output
    Lsp(LspOptions),
}

/// The options of `lsp`.
#[derive(Debug, clap::Args)]
pub struct LspOptions {
    #[command(flatten)]
    files: options::Files,
    /// Does nothing more: standard input and output are the only channel
    #[arg(long, hide = true)]
    stdio: bool,
}

/// How a run ended; of several the last in this list counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// All is well.
    Fine,
    /// Findings, or an action that was refused.
    Found,
    /// Something could not be done.
    Failed,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(match outcome {
            Outcome::Fine => 0,
            Outcome::Found => 1,
            Outcome::Failed => 2,
        })
    }
}

/// Reads arguments, the program's name first. `Err` is the exit code when there is nothing more to do: help was asked
/// for, or the arguments are wrong; both were said.
pub fn task(arguments: impl IntoIterator<Item = OsString>) -> Result<Task, ExitCode> {
    let arguments = Arguments::try_parse_from(arguments).map_err(|error| {
        // Nobody is left to tell when even this cannot be written.
        let _ = error.print();
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
    })?;
    Ok(match arguments.verb {
        Some(Verb::Lsp(options)) => Task::Serve(options.files.wanted()),
        Some(verb) => Task::Run(Box::new(verb)),
        None => Task::Serve(Wanted::Found),
    })
}

/// Carries out a verb on standard input, output and error.
pub fn run(verb: &Verb) -> ExitCode {
    let mut console = Console::new();
    let res = match verb {
        Verb::Check(options) => check::run(options, &mut console),
        Verb::Size(options) => size::run(options, &mut console),
        Verb::Fix(options) => fix::run(options, &mut console),
        Verb::Images(options) => images::run(options, &mut console),
        Verb::Explain(options) => explain::run(options, &mut console),
        Verb::Debug(options) => debug::run(options, &mut console),
        Verb::Lsp(_) => Ok(Outcome::Fine),
    };
    let res = res.and_then(|outcome| console.finish().map(|()| outcome));
    res.unwrap_or_else(|error| {
        console.error(&format!("{error:#}"));
        Outcome::Failed
    })
    .into()
}

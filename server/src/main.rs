//! Reads arguments and calls the command line or the language server; nothing else.

use std::process::ExitCode;

use plimsoll::cli::{self, Task};
use plimsoll::lsp;

fn main() -> ExitCode {
    match cli::task(std::env::args_os()) {
        Ok(Task::Serve(files)) => lsp::run(lsp::Options { files, settings: None }),
        Ok(Task::Run(verb)) => cli::run(&verb),
        Err(code) => code,
    }
}

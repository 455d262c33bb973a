//! Reads arguments and calls the command line or the language server; nothing else.

use std::process::ExitCode;

use plimsoll::lsp;

fn main() -> ExitCode {
    lsp::run(lsp::Options::default())
}

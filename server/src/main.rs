//! Reads arguments and calls the command line or the language server; nothing else.

fn main() {}

//! Where output goes: results to standard output, messages to standard error.
//!
//! **Invariant:** a reader that goes away (`| head`) ends the output quietly and changes no exit code; a disk that is full
//! is an error.

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};

use anyhow::{Context, Result};

use crate::cli::options::ColorChoice;

/// Standard output and standard error of one run.
#[derive(Debug)]
pub(crate) struct Console {
    out: BufWriter<Pipe<io::Stdout>>,
    quiet: bool,
    color: bool,
}

impl Console {
    /// The process' own.
    pub(crate) fn new() -> Console {
        let out = Pipe { inner: io::stdout(), closed: false };
        Console { out: BufWriter::new(out), quiet: false, color: false }
    }

    /// Takes in `--color` and `-q`.
    pub(crate) fn set_up(&mut self, choice: ColorChoice, quiet: bool) {
        self.quiet = quiet;
        self.color = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
                let is_dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
                io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb
            }
        };
    }

    /// Whether results are coloured.
    pub(crate) fn color(&self) -> bool {
        self.color
    }

    /// Writes a piece of the result.
    pub(crate) fn result(&mut self, text: &str) -> Result<()> {
        self.out.write_all(text.as_bytes()).context("cannot write to standard output")
    }

    /// Writes what is still held back.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.out.flush().context("cannot write to standard output")
    }

    /// Says what could not be done.
    pub(crate) fn error(&mut self, message: &str) {
        self.say("error", message);
    }

    /// Says what deserves a look; `-q` keeps it back.
    pub(crate) fn warning(&mut self, message: &str) {
        if !self.quiet {
            self.say("warning", message);
        }
    }

    /// Says why something that was asked for was not done.
    pub(crate) fn refusal(&mut self, message: &str) {
        self.say("refused", message);
    }

    /// Says what may help; `-q` keeps it back.
    pub(crate) fn note(&mut self, message: &str) {
        if !self.quiet {
            self.say("note", message);
        }
    }

    /// Says how far it has come, in place of what was said before; on a terminal alone.
    pub(crate) fn progress(&mut self, text: &str) {
        if !self.quiet && io::stderr().is_terminal() {
            // To the start of the line, and clear it.
            let _ = write!(io::stderr(), "\r\u{1b}[K{text}");
        }
    }

    fn say(&mut self, kind: &str, message: &str) {
        // Results that were written before stand before it on a terminal.
        let _ = self.out.flush();
        // Where standard error is closed nobody listens.
        let _ = writeln!(io::stderr(), "{kind}: {message}");
    }
}

/// A writer that swallows what comes after its reader went away.
#[derive(Debug)]
struct Pipe<W> {
    inner: W,
    closed: bool,
}

impl<W: Write> Pipe<W> {
    fn unless_closed<T>(&mut self, instead: T, write: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        if self.closed {
            return Ok(instead);
        }
        match write(&mut self.inner) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(instead)
            }
            res => res,
        }
    }
}

impl<W: Write> Write for Pipe<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_closed(bytes.len(), |inner| inner.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_closed((), Write::flush)
    }
}

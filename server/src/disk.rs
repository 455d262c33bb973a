//! The files of the world: finds Dockerfiles, settings and build contexts, reads them as data, and writes what `fix` was
//! asked to write.
//!
//! The order of a run: [`find::dockerfiles`] → [`read`] → [`settings::settings`] → `Config::of` →
//! [`folder::context_folder`] → [`walk::context`] → analysis → [`texts::read_texts`] for what it wants → analysis again →
//! [`write::write`].
//! **Invariant:** nothing is written but by [`write`](mod@write), no FIFO or device in a folder is opened, and no symbolic
//! link is followed on a walk or out of a build context.

pub mod analyse;
pub mod clock;
pub(crate) mod compose;
pub mod find;
pub mod folder;
pub mod settings;
pub mod sources;
pub mod tables;
pub mod texts;
pub mod walk;
pub mod walks;
pub mod write;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Larger Dockerfiles are not read.
const LARGEST_DOCKERFILE: u64 = 4 << 20;

/// A text that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The text, with its byte order mark and line ends as they are.
    pub text: String,
    /// Whether bytes that are no UTF-8 were replaced; such a file can be checked and not be written.
    pub lossy: bool,
}

/// Reads a Dockerfile that was named or found. A link or a pipe that was named is read.
pub fn read(path: &Path) -> Result<Source> {
    let bytes = bytes_of(path, LARGEST_DOCKERFILE).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(source(bytes))
}

/// Reads a Dockerfile from standard input to its end.
pub fn read_input() -> Result<Source> {
    let bytes = at_most(std::io::stdin().lock(), LARGEST_DOCKERFILE).context("cannot read standard input")?;
    Ok(source(bytes))
}

fn source(bytes: Vec<u8>) -> Source {
    match String::from_utf8(bytes) {
        Ok(text) => Source { text, lossy: false },
        Err(error) => Source { text: String::from_utf8_lossy(error.as_bytes()).into_owned(), lossy: true },
    }
}

/// A path as the core has it: absolute, with `/` between its parts. For `Config::of`, which compares paths.
pub fn slashed(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let text = path.to_string_lossy().into_owned();
    if std::path::MAIN_SEPARATOR == '/' { text } else { text.replace(std::path::MAIN_SEPARATOR, "/") }
}

/// The whole file, unless it is larger than `most` bytes.
fn bytes_of(path: &Path, most: u64) -> Result<Vec<u8>> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        bail!("it is a folder");
    }
    at_most(file, most)
}

fn at_most(reader: impl Read, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        bail!("it is larger than {} MiB and is skipped", most >> 20);
    }
    Ok(bytes)
}

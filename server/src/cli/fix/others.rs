//! Another file than the Dockerfile that an action writes: `.dockerignore`.

use std::path::Path;

use anyhow::Result;

use crate::assists::OtherFile;
use crate::cli::console::Console;
use crate::cli::fix::report::{self, JsonFile};
use crate::cli::fix::{Applied, Done, Options};
use crate::cli::options::Format;
use crate::disk::{slashed, write};

/// Writes or shows it; its entry in the JSON, and what went wrong, if anything did. `written` are the paths and texts that
/// this run has written: two Dockerfiles may want the same ignore file.
pub(super) fn finish(
    options: &Options,
    dockerfile: &str,
    done: &Done,
    (other, applied): (&OtherFile, &Applied),
    written: &mut Vec<(String, String)>,
    console: &mut Console,
) -> Result<(JsonFile, Option<String>)> {
    let path = other.whole_path();
    let name = shown(&path, dockerfile);
    let is_shown = options.diff || options.stdout || done.from_input;
    let is_written = written.iter().any(|(known, text)| *known == path && *text == other.after);
    let mut error = None;
    if !is_shown && !is_written {
        let res = write::write(Path::new(&path), other.before.as_deref(), &other.after);
        error = res.err().map(|error| format!("{error:#}"));
        if error.is_none() {
            written.push((path, other.after.clone()));
        }
    }
    if options.format == Format::Text && options.diff {
        console.result(&report::diff_of(&name, other.before.as_deref(), &other.after, console.color()))?;
    } else if is_shown && options.format == Format::Text {
        console.note(&format!("{name} is not written"));
    }
    Ok((JsonFile::other(name, &other.after, applied, error.clone()), error))
}

/// The path as a person here would write it: like the Dockerfile's, relative to the working directory where it can be.
fn shown(path: &str, dockerfile: &str) -> String {
    let Some(current) = std::env::current_dir().ok().filter(|_| !dockerfile.starts_with('/')) else {
        return path.to_owned();
    };
    let current = slashed(&current);
    let below = path.strip_prefix(current.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
    below.unwrap_or(path).to_owned()
}

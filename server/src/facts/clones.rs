//! What `git clone` is told: where to, and how much of the history.

use crate::facts::run::Command;
use crate::text::Local;

/// What `git clone` is told.
#[derive(Debug, PartialEq, Eq)]
pub struct Clone {
    /// The word `clone`.
    pub word: Local,
    /// The directory as written or as the address has it.
    pub directory: String,
    /// Whether it takes a part of the history, or history is what it is for.
    pub partial: bool,
}

/// Options of `git clone` whose value is the next word.
const WITH_VALUE: [&str; 13] = [
    "-b",
    "--branch",
    "-c",
    "--config",
    "-j",
    "--jobs",
    "-o",
    "--origin",
    "--reference",
    "--server-option",
    "--template",
    "-u",
    "--upload-pack",
];

/// Reads `git [options] clone [options] address [directory]`.
pub fn clone(command: &Command) -> Option<Clone> {
    let mut arguments = command.arguments.iter();
    let word = loop {
        let argument = arguments.next()?;
        match argument.value.as_deref()? {
            "-C" => return None,
            "-c" => drop(arguments.next()),
            value if value.starts_with('-') => {}
            "clone" => break argument.range,
            _ => return None,
        }
    };
    let mut partial = false;
    let mut operands = Vec::new();
    while let Some(argument) = arguments.next() {
        let Some(value) = argument.value.as_deref() else {
            operands.push(None);
            continue;
        };
        let name = value.split('=').next().unwrap_or(value);
        match name {
            "--bare" | "--mirror" => partial = true,
            "--depth" | "--shallow-since" | "--shallow-exclude" | "--separate-git-dir" | "--filter" => {
                let of_files = value.contains("blob:none") || value.contains("tree:0") || !value.contains('=');
                partial |= name != "--filter" || of_files;
                if !value.contains('=') {
                    arguments.next();
                }
            }
            _ if WITH_VALUE.contains(&value) => drop(arguments.next()),
            _ if value.starts_with('-') => {}
            _ => operands.push(Some(value)),
        }
    }
    let address = operands.first().copied()?;
    let directory = match operands.get(1) {
        Some(directory) => (*directory)?.to_owned(),
        None => {
            let address = address?.trim_end_matches('/');
            let name = address.rsplit(['/', ':']).next().unwrap_or(address);
            name.strip_suffix(".git").unwrap_or(name).to_owned()
        }
    };
    // A path of the image is no history from elsewhere.
    let is_local = address.is_some_and(|it| it.starts_with(['/', '.']) || it.starts_with("file:"));
    Some(Clone { word, directory, partial: partial || is_local })
}

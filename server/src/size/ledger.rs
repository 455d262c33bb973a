//! What lies where in a stage: every part of every layer with its place, so that a later instruction can store it again,
//! take it away or copy it to another stage.
//!
//! **Invariant:** a part whose weight is not known stays in the ledger as such; it is never counted as nothing.

use crate::context::BuildContext;
use crate::facts::removes::{Removal, covers, homely};
use crate::facts::run::is_below;
use crate::packages::AptClosure;
use crate::size::Again;
use crate::size::load::Load;

/// More parts are not remembered: nobody has so many, and each is asked again and again.
const MOST_PARTS: usize = 150;

/// The parts of the layers of a stage, those of the stages it is built on included.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    /// What earlier layers hold and nobody took away.
    earlier: Vec<Part>,
    /// What the layer that is being made holds so far.
    fresh: Vec<Part>,
    /// Directories that the instructions themselves made: what lies in them is in the ledger.
    directories: Vec<String>,
    /// Whether it was too long, so that its beginning is forgotten.
    is_cut: bool,
    /// What the layer that is being made stores though earlier layers hold it.
    again: Vec<Again>,
    /// The Debian packages that were installed, those of the base image not.
    pub(super) packages: AptClosure,
    /// The virtual environment of Python that was made last.
    pub(super) venv: Option<String>,
}

/// Files that came by one deed.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Where they lie, as [`place`] writes it; `None` where that is not known.
    pub(super) path: Option<String>,
    /// What they weigh; `None` where that is not known.
    pub(super) load: Option<Load>,
    /// What they are, for people (`16 packages`); where the weight is not known, the whole reason (`what make writes is not
    /// known`).
    pub(super) what: String,
    /// What is known of what lies inside.
    pub(super) inside: Inside,
}

/// What is known of the inside of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Inside {
    /// It is this path of the build context; empty for all of it.
    Context(String),
    /// Nothing.
    Closed,
    /// It lies spread over the directories of the system, `/usr/local` not among them.
    Spread,
}

/// What lies at a path.
#[derive(Clone, Debug, Default)]
pub(super) struct Share {
    /// What is known of its weight.
    pub(super) load: Option<Load>,
    /// What is known, in words.
    pub(super) parts: Vec<String>,
    /// Why something is missing.
    pub(super) missing: Option<String>,
    /// Whether anything of the ledger concerns the path.
    pub(super) found: bool,
    /// Whether files surely lie there, known or not: directories that were made are none.
    pub(super) is_evident: bool,
}

impl Ledger {
    /// Begins another layer.
    pub(super) fn begin(&mut self) {
        self.again.clear();
        self.earlier.append(&mut self.fresh);
        if self.earlier.len() > MOST_PARTS {
            self.earlier.drain(..MOST_PARTS / 2);
            self.is_cut = true;
        }
    }

    /// Notes that a command stores files of earlier layers once more, if it is known that any lie there.
    pub(super) fn store_again(&mut self, command: usize, path: &str, share: &Share) {
        if !share.is_evident || self.again.len() >= MOST_PARTS {
            return;
        }
        let adds = share.load.as_ref().map(|load| load.disk.clone());
        let incomplete = share.missing.is_some();
        self.again.push(Again { command, path: path.to_owned(), adds, incomplete });
    }

    /// What the layer that is being made stores once more.
    pub(super) fn again(&self) -> &[Again] {
        &self.again
    }

    /// The parts of the layer that is being made.
    pub(super) fn layer(&self) -> &[Part] {
        &self.fresh
    }

    /// Adds a part to the layer. Files of the build context that it writes once more lie in the ledger once.
    pub(super) fn add(&mut self, part: Part) {
        if let (Some(path), Inside::Context(inside), Some(_)) = (&part.path, &part.inside, &part.load) {
            let replaced = |old: &Part| match (&old.inside, old.path.as_deref()) {
                (Inside::Context(old_inside), Some(old_path)) => {
                    let rest = below(old_path, path);
                    rest.is_some_and(|rest| joined(inside, rest) == *old_inside)
                        || old_path == path && is_inside_of(old_inside, inside)
                }
                _ => false,
            };
            self.earlier.retain(|old| !replaced(old));
            self.fresh.retain(|old| !replaced(old));
        }
        self.push(part);
    }

    /// Beyond a number that nobody has, parts are only summed.
    fn push(&mut self, part: Part) {
        if self.fresh.len() < MOST_PARTS {
            self.fresh.push(part);
            return;
        }
        let same = self.fresh.iter_mut().rev().find(|old| old.load.is_some() == part.load.is_some());
        match (same, &part.load) {
            (Some(Part { load: Some(sum), .. }), Some(load)) => *sum += load,
            (Some(_), _) => {}
            (None, _) => self.fresh.push(part),
        }
    }

    /// Adds a part that takes the place of all that lay at its path.
    pub(super) fn replace(&mut self, part: Part) {
        if part.path.is_some() && part.load.is_some() {
            self.earlier.retain(|old| old.path != part.path);
            self.fresh.retain(|old| old.path != part.path);
        }
        self.push(part);
    }

    /// Notes that the instructions made this directory.
    pub(super) fn made(&mut self, directory: &str) {
        let directory = place(directory);
        if directory != "/" && !self.directories.contains(&directory) && self.directories.len() < 200 {
            self.directories.push(directory);
        }
    }

    /// Takes away what a pattern covers. In a layer that is being made the weight goes with it, from an earlier layer
    /// nothing does. With `surely` unset the command may not run.
    pub(super) fn remove(&mut self, pattern: &str, surely: bool, context: &BuildContext) {
        let pattern = place(pattern);
        self.earlier.retain(|part| match part.path.as_deref() {
            Some(path) if surely && part.inside != Inside::Spread => covers(&pattern, path) != Removal::Yes,
            Some(_) | None => true,
        });
        self.fresh.retain_mut(|part| {
            let Some(path) = part.path.as_deref() else { return true };
            let covered = match (&part.inside, covers(&pattern, path)) {
                // Nobody deletes all of /usr; and what apt put there is not all gone with a part of it.
                (Inside::Spread, _) => Removal::No,
                (_, covered) => covered,
            };
            match covered {
                Removal::Yes if surely => return false,
                Removal::Yes | Removal::Maybe => {
                    if let Some(load) = &mut part.load {
                        load.disk.low = Default::default();
                        load.pull.low = Default::default();
                    }
                }
                Removal::No => {
                    let rest = below(&pattern, path).filter(|rest| !rest.contains(['*', '?', '[']) && surely);
                    if let (Some(rest), Inside::Context(inside), Some(load)) = (rest, &part.inside, &mut part.load)
                        && let Some(gone) = context.brings(&joined(inside, rest))
                    {
                        *load = load.without(&Load::files(gone.bytes));
                    }
                }
            }
            true
        });
    }

    /// What earlier layers hold at a path, this layer's own files not: they are in it once.
    pub(super) fn earlier_at(&self, path: &str, context: &BuildContext) -> Share {
        self.share(self.earlier.iter(), path, context)
    }

    /// What lies at a path when everything so far has been carried out.
    pub(super) fn at(&self, path: &str, context: &BuildContext) -> Share {
        self.share(self.earlier.iter().chain(&self.fresh), path, context)
    }

    /// The path of the build context whose copy lies at this path, if one does.
    pub(super) fn context_path(&self, path: &str, context: &BuildContext) -> Option<String> {
        let path = place(path);
        self.earlier.iter().chain(&self.fresh).rev().find_map(|part| {
            let Inside::Context(inside) = &part.inside else { return None };
            let found = joined(inside, below(&path, part.path.as_deref()?)?);
            context.has_file(&found).then_some(found)
        })
    }

    /// Takes what lies at a path to another one, in earlier layers alone: what this layer holds is moved where it lies.
    pub(super) fn relocate(&mut self, from: &str, to: &str) {
        let (from, to) = (place(from), place(to));
        let parts = self.earlier.iter_mut().chain(&mut self.fresh);
        for path in parts.filter(|part| part.inside != Inside::Spread).filter_map(|part| part.path.as_mut()) {
            if let Some(rest) = below(path, &from) {
                *path = format!("{}/{rest}", to.trim_end_matches('/')).trim_end_matches('/').to_owned();
            }
        }
    }

    fn share<'p>(&self, parts: impl Iterator<Item = &'p Part>, path: &str, context: &BuildContext) -> Share {
        let path = place(path);
        let mut res = Share::default();
        let mut above: Option<&Part> = None;
        let is_pattern = path.contains(['*', '?', '[']);
        for part in parts {
            let Some(at) = part.path.as_deref() else { continue };
            let whole = match &part.inside {
                Inside::Spread => matches!(path.as_str(), "/" | "/usr"),
                Inside::Context(_) | Inside::Closed if is_pattern => covers(&path, at) == Removal::Yes,
                Inside::Context(_) | Inside::Closed => is_below(at, &path),
            };
            if whole {
                res.take(part);
                continue;
            }
            let Some(rest) = below(&path, at) else { continue };
            match (&part.inside, &part.load) {
                (Inside::Context(inside), Some(_)) => {
                    if let Some(brought) = context.brings(&joined(inside, rest)) {
                        res.found = true;
                        res.is_evident = true;
                        res.add(&Load::files(brought.bytes));
                        res.parts.push(n_files(brought.files));
                    }
                }
                (Inside::Spread, _) if is_below(&path, "/usr/local") => {}
                (Inside::Context(_) | Inside::Closed | Inside::Spread, _) => above = Some(part),
            }
        }
        if !res.found {
            res.missing = match above {
                Some(Part { load: None, what, .. }) => Some(what.clone()),
                Some(Part { what, .. }) => Some(format!("how much of {what} lies in {path} is not known")),
                None => None,
            };
            let made = || self.directories.iter().any(|it| is_below(it, &path) || is_below(&path, it));
            res.found = above.is_some() || made();
            res.is_evident |= above.is_some_and(|part| part.inside != Inside::Spread);
        }
        if self.is_cut && res.missing.is_none() {
            res.missing = Some("the stage is too long to remember all of its files".to_owned());
        }
        res
    }

    /// The parts of the layer that is being made, to be changed.
    pub(super) fn layer_mut(&mut self) -> &mut Vec<Part> {
        &mut self.fresh
    }

    /// Changes what lies in earlier layers without changing their weight: what is copied from here later is another.
    pub(super) fn earlier_mut(&mut self) -> &mut Vec<Part> {
        &mut self.earlier
    }
}

impl Share {
    fn take(&mut self, part: &Part) {
        self.found = true;
        self.is_evident = true;
        match &part.load {
            Some(load) => {
                self.add(load);
                self.parts.push(part.what.clone());
            }
            None => self.missing = Some(part.what.clone()),
        }
    }

    fn add(&mut self, load: &Load) {
        match &mut self.load {
            Some(sum) => *sum += load,
            None => self.load = Some(load.clone()),
        }
    }
}

/// `1 file`, `12 files`.
pub(super) fn n_files(n: usize) -> String {
    if n == 1 { "1 file".to_owned() } else { format!("{n} files") }
}

/// How many files [`n_files`] has put into words; `None` for other words.
pub(super) fn counted_files(what: &str) -> Option<usize> {
    let (number, word) = what.split_once(' ')?;
    if matches!(word, "file" | "files") { number.parse().ok() } else { None }
}

/// A path as the ledger writes it: home folders as `~`, versions of Python left out of the names of its folders.
pub(super) fn place(path: &str) -> String {
    let path = homely(path);
    let path = if path.is_empty() { "/".to_owned() } else { path };
    let Some(at) = path.find("/python3.") else { return path };
    let end = path.get(at + 1..).and_then(|rest| rest.find('/')).map_or(path.len(), |len| at + 1 + len);
    let (Some(head), Some(tail)) = (path.get(..at), path.get(end..)) else { return path };
    format!("{head}/python3{tail}")
}

/// What remains of a path below another: empty for itself, `None` outside of it.
fn below<'a>(path: &'a str, directory: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(directory.trim_end_matches('/'))?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// A path below a directory of the build context, which is empty for the context itself.
fn joined(directory: &str, rest: &str) -> String {
    match (directory, rest) {
        ("", rest) => rest.to_owned(),
        (directory, "") => directory.to_owned(),
        (directory, rest) => format!("{directory}/{rest}"),
    }
}

/// Whether a path of the build context is another or lies in it; the empty one is the context itself.
fn is_inside_of(path: &str, directory: &str) -> bool {
    directory.is_empty() || is_below(path, directory)
}

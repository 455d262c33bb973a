//! Which instruction made which layer: the history of an image, from its end, against the instructions that led to the
//! target, through stages that are built on stages.
//!
//! Every instruction but FROM makes one entry, whichever builder it was. What is left below the first one is the base's.
//! **Invariant:** no byte is laid on an instruction that may not have made it: what does not fit is refused.

use std::fmt;
use std::sync::Arc;

use crate::measured::created_by::{Likeness, Maker, likeness};
use crate::measured::{BuiltImage, Entry, Measured, MeasuredLayer, base_text, chain};
use crate::model::{File, InstructionKind, Placed};

/// Why an image's layers cannot be laid on a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The file has no such stage.
    NoTarget,
    /// The image does not say how its layers were made.
    NoHistory,
    /// An instruction that did not make what it should have made.
    Instruction {
        /// Its line, counting from 1.
        line: u32,
        /// Its first line.
        text: String,
        /// What the image's history has in its place; `None` where the history has ended.
        found: Option<String>,
    },
    /// There is something below the first instruction that is not of its base.
    Below {
        /// The last entry below the first instruction.
        found: String,
    },
    /// The file begins with an image, of which nothing is there.
    NoBase,
    /// The base and what is built on it are one layer.
    OneLayer,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::NoTarget => write!(f, "the file has no stage that could have made an image"),
            Misfit::NoHistory => write!(f, "the image does not say how its layers were made"),
            Misfit::Instruction { line, text, found: Some(found) } => {
                write!(f, "the image was not built from this file: line {line} is `{text}`, its history has `{found}`")
            }
            Misfit::Instruction { line, text, found: None } => {
                write!(f, "the image was not built from this file: nothing in its history is line {line}, `{text}`")
            }
            Misfit::Below { found } => {
                write!(f, "the image was not built from this file: before the first instruction it has `{found}`")
            }
            Misfit::NoBase => write!(f, "the image was not built from this file: it has no base image"),
            Misfit::OneLayer => write!(f, "base image and instructions were squashed into one layer"),
        }
    }
}

/// An instruction and the entry it made.
struct Pair<'a> {
    placed: &'a Placed,
    entry: &'a Entry,
    is_same: bool,
}

/// Lays the layers of an image on the instructions of the file that make the target.
///
/// # Errors
/// The image was built from something else, or does not say from what. `base` is the base image as it is now, where it can
/// be had: if the image has more between that and the first instruction, the file lacks it. Where the instructions are the same in kind and at
/// least half of those that make files in text as well, the file counts as changed since: the others are named in
/// [`Measured::changed`] and have no figure.
pub fn lay(image: &BuiltImage, file: &File, target: usize, base: Option<&BuiltImage>) -> Result<Measured, Misfit> {
    let chain = chain(file, target);
    let first = chain.first().and_then(|idx| file.stages.get(*idx)).ok_or(Misfit::NoTarget)?;
    if image.entries.iter().all(|entry| entry.created_by.is_empty() && entry.comment.is_empty()) {
        return Err(Misfit::NoHistory);
    }
    let instructions: Vec<&Placed> =
        chain.iter().filter_map(|idx| file.stages.get(*idx)).flat_map(|stage| &stage.instructions).collect();
    let (entries, squashed) = without_squash(&image.entries);
    let (below, pairs) = pair(&instructions, entries, &shells(image, &instructions))?;
    let files: Vec<&Pair<'_>> = pairs.iter().filter(|pair| makes_files(pair.placed)).collect();
    if files.iter().filter(|pair| pair.is_same).count() * 2 < files.len()
        && let Some(pair) = files.iter().find(|pair| !pair.is_same)
    {
        return Err(misfit(pair.placed, Some(pair.entry)));
    }
    if let Some(found) = base.and_then(|base| first_behind(below, base)) {
        return Err(Misfit::Below { found: shown(&found.created_by) });
    }
    let joined = squashed.is_some() || files.iter().any(|pair| pair.entry.is_empty);
    let base = match (base_text(&first.base), below.last()) {
        (None, Some(found)) => return Err(Misfit::Below { found: shown(&found.created_by) }),
        (None, None) => None,
        (Some(_), None) => return Err(Misfit::NoBase),
        (Some(_), Some(_)) if joined && below.iter().all(|entry| entry.is_empty) => return Err(Misfit::OneLayer),
        (Some(text), Some(_)) => {
            let unpacked = below.iter().map(|entry| entry.unpacked).fold(0, u64::saturating_add);
            let layers = below.iter().filter(|entry| !entry.is_empty);
            let pull = layers.map(|entry| entry.pull).try_fold(0u64, |sum, pull| Some(sum.saturating_add(pull?)));
            Some(MeasuredLayer { text: text.into(), unpacked, pull, remark: None })
        }
    };
    let changed = pairs.iter().filter(|pair| !pair.is_same).map(|pair| pair.placed.line + 1).collect();
    Ok(Measured { image: image.name.clone(), base, layers: layers(&pairs, squashed), changed })
}

/// The image that the first stage of the target is built on, to be asked for.
pub fn base_image(file: &File, target: usize) -> Option<&str> {
    let first = *chain(file, target).first()?;
    base_text(&file.stages.get(first)?.base)
}

/// The first entry that stands behind those of the base. A base that is not how these begin has changed since.
fn first_behind<'a>(below: &'a [Entry], base: &BuiltImage) -> Option<&'a Entry> {
    let base_of = below.iter().zip(&base.entries);
    let is_begin = !base.has_triggers && !base.entries.is_empty();
    let is_begin = is_begin && base_of.into_iter().all(|(it, of_base)| it.created_by == of_base.created_by);
    below.get(base.entries.len()).filter(|_| is_begin)
}

/// The figures of the instructions. Those whose entries have no layer of their own share the next one, which is laid on
/// the instruction that finished it.
fn layers(pairs: &[Pair<'_>], squashed: Option<&Entry>) -> Vec<MeasuredLayer> {
    // Engines say of an entry of nothing only that it weighs nothing.
    let has_none = |entry: &Entry| entry.is_empty || squashed.is_some() && entry.unpacked == 0;
    let is_waiting = |pair: &Pair<'_>| makes_files(pair.placed) && has_none(pair.entry);
    let last_file = pairs.iter().rposition(|pair| makes_files(pair.placed));
    let mut n_waiting = 0;
    let mut res = Vec::with_capacity(pairs.len());
    for (at, pair) in pairs.iter().enumerate() {
        let mut layer = MeasuredLayer {
            text: Arc::clone(&pair.placed.instruction.text),
            unpacked: pair.entry.unpacked,
            pull: if pair.entry.is_empty { Some(0) } else { pair.entry.pull },
            remark: None,
        };
        let squashed = squashed.filter(|_| last_file == Some(at));
        if let Some(squashed) = squashed {
            layer.unpacked = layer.unpacked.saturating_add(squashed.unpacked);
            layer.pull = squashed.pull;
        }
        let ends = squashed.is_some() || !is_waiting(pair) && makes_files(pair.placed);
        if ends && n_waiting > 0 {
            let instructions = if n_waiting == 1 { "instruction" } else { "instructions" };
            layer.remark = Some(format!("one layer with the {n_waiting} {instructions} before it"));
            n_waiting = 0;
        } else if !ends && is_waiting(pair) {
            layer.remark = Some("its files lie in a later instruction's layer".to_owned());
            n_waiting += 1;
        }
        if pair.is_same {
            res.push(layer);
        }
    }
    res
}

/// The history without the entry that `docker build --squash` puts on top, and that entry.
fn without_squash(entries: &[Entry]) -> (&[Entry], Option<&Entry>) {
    match entries.split_last() {
        Some((last, rest)) if last.created_by.is_empty() && last.comment.starts_with("merge ") => (rest, Some(last)),
        _ => (entries, None),
    }
}

/// Pairs instructions with entries from the end; the entries that are left below them.
fn pair<'a>(
    instructions: &[&'a Placed],
    entries: &'a [Entry],
    shells: &[String],
) -> Result<(&'a [Entry], Vec<Pair<'a>>), Misfit> {
    let mut rest = entries;
    let mut pairs: Vec<Pair<'a>> = Vec::with_capacity(instructions.len());
    for placed in instructions.iter().rev() {
        let is_trigger = matches!(placed.instruction.kind, InstructionKind::Onbuild(_));
        loop {
            let Some((entry, below)) = rest.split_last() else {
                if is_trigger {
                    break;
                }
                return Err(misfit(placed, None));
            };
            let maker = Maker::of(&entry.created_by);
            let likeness = likeness(&placed.instruction, &maker, shells);
            match likeness {
                Likeness::Same | Likeness::Kind if !is_label_of_command_line(&maker, likeness, entry, &pairs) => {
                    pairs.push(Pair { placed, entry, is_same: likeness == Likeness::Same });
                    rest = below;
                    break;
                }
                // BuildKit writes nothing for it, the classic builder does.
                Likeness::None if is_trigger => break,
                _ if is_label_of_command_line(&maker, likeness, entry, &pairs) => rest = below,
                _ => return Err(misfit(placed, Some(entry))),
            }
        }
    }
    pairs.reverse();
    Ok((rest, pairs))
}

/// `docker build --label` of some builders ends the history with a LABEL that is in no file.
fn is_label_of_command_line(maker: &Maker<'_>, likeness: Likeness, entry: &Entry, pairs: &[Pair<'_>]) -> bool {
    maker.keyword == "LABEL" && likeness != Likeness::Same && entry.unpacked == 0 && pairs.is_empty()
}

/// The shells that may have run a RUN: the default, the image's own, those of SHELL instructions.
fn shells(image: &BuiltImage, instructions: &[&Placed]) -> Vec<String> {
    let mut res = vec!["/bin/sh -c".to_owned(), "cmd /S /C".to_owned()];
    if !image.shell.is_empty() {
        res.push(image.shell.join(" "));
    }
    for placed in instructions {
        if let InstructionKind::Shell(words) = &placed.instruction.kind {
            res.push(words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" "));
        }
    }
    // A longer one may end like a shorter one.
    res.sort_by_key(|shell| std::cmp::Reverse(shell.len()));
    res
}

/// Whether this kind of instruction makes a layer with files of its own.
fn makes_files(placed: &Placed) -> bool {
    matches!(placed.instruction.kind, InstructionKind::Run(_) | InstructionKind::Copy(_) | InstructionKind::Add(_))
}

fn misfit(placed: &Placed, entry: Option<&Entry>) -> Misfit {
    Misfit::Instruction {
        line: placed.line + 1,
        text: shown(&placed.instruction.text),
        found: entry.map(|entry| shown(&entry.created_by)),
    }
}

/// The first line, not longer than a message can be.
fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    let line = text.trim().lines().next().unwrap_or_default();
    let mut res: String = line.chars().map(|it| if it.is_control() { ' ' } else { it }).take(LONGEST).collect();
    if line.chars().count() > LONGEST || text.trim().lines().nth(1).is_some() {
        res.push('…');
    }
    res
}

#[cfg(test)]
mod tests;

//! What every stage and layer weighs: the base from the image table, each instruction by its estimator.
//!
//! **Invariant:** what is not known is `None`, never zero; every figure has its basis.

mod apk;
mod apt;
pub mod budget;
mod build;
mod copy;
mod fetched;
mod ledger;
mod little;
mod load;
mod measured;
mod moved;
mod node;
mod python;
mod run;
pub mod spared;
#[cfg(test)]
mod tests;

use crate::context::BuildContext;
use crate::facts::Facts;
use crate::images::ImageBook;
use crate::measured::Measured;
use crate::model::{Base, File, InstructionKind, Platform, Stage};
use crate::size::ledger::Ledger;
use crate::size::load::Load;
use crate::weight::{Basis, Estimate};

/// The weight of a whole Dockerfile.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct BuildSize {
    /// One for each stage, in order.
    pub stages: Vec<StageSize>,
}

/// The weight of a stage.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StageSize {
    /// The platform the figures are for.
    pub platform: Platform,
    /// What the base weighs unpacked; of a stage built on a stage, that stage's sum.
    pub base_unpacked: Option<Estimate>,
    /// What is pulled for the base (compressed); of a stage built on a stage, that stage's sum.
    pub base_pull: Option<Estimate>,
    /// Whether a part of the base's figures is not known (the base is a stage with an unknown layer).
    pub base_incomplete: bool,
    /// The same of what is pulled for the base.
    pub base_pull_incomplete: bool,
    /// The tag the base's figures were taken from, when it is not the one that is written.
    pub via: Option<String>,
    /// The day of the base's figures, as the table has it.
    pub date: Option<String>,
    /// What each instruction adds that adds files, in order.
    pub layers: Vec<LayerSize>,
}

/// What one instruction adds.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerSize {
    /// Its index in `Stage::instructions`.
    pub instruction: usize,
    /// Unpacked bytes; `None` = not known.
    pub adds: Option<Estimate>,
    /// Compressed bytes, as they are pushed and pulled; `None` = not known.
    pub pull: Option<Estimate>,
    /// Whether a part of it is not known: then the figures are what it adds at least.
    pub incomplete: bool,
    /// One line for people: what makes it up (`16 packages, package lists`), or why it is not known.
    pub why: String,
    /// What of it earlier layers hold already: a layer stores whole files, also where only their owner changes.
    pub again: Vec<Again>,
}

/// Files of earlier layers that a command of a RUN stores once more.
#[derive(Clone, Debug, PartialEq)]
pub struct Again {
    /// The command, by its index in `RunFacts::commands`.
    pub command: usize,
    /// Their place, absolute.
    pub path: String,
    /// What they weigh; `None` = not known.
    pub adds: Option<Estimate>,
    /// Whether a part of it is not known.
    pub incomplete: bool,
}

impl StageSize {
    /// Base and all layers unpacked; the flag says that a part is not known. `None` when nothing is known.
    pub fn unpacked(&self) -> (Option<Estimate>, bool) {
        let incomplete = self.base_incomplete || self.layers.iter().any(|layer| layer.incomplete);
        let layers = self.layers.iter().map(|layer| layer.adds.as_ref());
        sum(self.base_unpacked.as_ref(), incomplete, layers)
    }

    /// What is pulled for base and all layers (compressed); the flag says that a part is not known. `None` when nothing is
    /// known.
    pub fn pulled(&self) -> (Option<Estimate>, bool) {
        let incomplete = self.base_pull_incomplete || self.layers.iter().any(|layer| layer.incomplete);
        let layers = self.layers.iter().map(|layer| layer.pull.as_ref());
        sum(self.base_pull.as_ref(), incomplete, layers)
    }

    /// What the instruction of this index adds; `None` where it adds no files.
    pub fn layer(&self, instruction: usize) -> Option<&LayerSize> {
        self.layers.iter().find(|layer| layer.instruction == instruction)
    }
}

/// Base and layers together, and whether a part of it is not known.
fn sum<'a>(
    base: Option<&Estimate>,
    base_incomplete: bool,
    layers: impl Iterator<Item = Option<&'a Estimate>>,
) -> (Option<Estimate>, bool) {
    let mut incomplete = base.is_none() || base_incomplete;
    let mut res = base.cloned();
    for layer in layers {
        match (layer, &mut res) {
            (Some(layer), Some(res)) => *res += layer,
            (Some(layer), None) => res = Some(layer.clone()),
            (None, _) => incomplete = true,
        }
    }
    (res, incomplete)
}

/// What the weights are found from.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The Dockerfile.
    pub file: &'a File,
    /// Its facts.
    pub facts: &'a Facts,
    /// What lies beside it.
    pub context: &'a BuildContext,
    /// What is known of images.
    pub images: &'a ImageBook,
    /// The platform that is built for.
    pub platform: &'a Platform,
    /// The layers of a built image, if one was measured.
    pub measured: Option<&'a Measured>,
}

/// Weighs a file.
pub fn estimate(evidence: &Evidence<'_>) -> BuildSize {
    let Evidence { file, facts, context, images, platform, .. } = *evidence;
    let mut res = BuildSize::default();
    let mut done: Vec<(StageSize, Ledger)> = Vec::with_capacity(file.stages.len());
    let measured = measured::figures(evidence.measured, file, facts);
    for (idx, stage) in file.stages.iter().enumerate() {
        let mut size = base(stage, &done, images, platform);
        let image = facts.image(file, idx);
        let traits = image.and_then(|image| images.traits(image));
        let base_packages = image.and_then(|image| images.packages(image));
        let mut ledger = match stage.base {
            Base::Stage(parent) => done.get(parent).map(|(_, ledger)| ledger.clone()).unwrap_or_default(),
            Base::Image(_) | Base::Scratch | Base::Unknown(_) => Ledger::default(),
        };
        let facts_here = facts.stages.get(idx);
        for (at, placed) in stage.instructions.iter().enumerate() {
            let directory = facts_here.and_then(|facts| facts.directories.get(at)).and_then(Option::as_deref);
            // Where the image says nothing else, a container starts at the root.
            let directory = directory.unwrap_or("/");
            ledger.begin();
            match &placed.instruction.kind {
                InstructionKind::Run(run) => {
                    let Some(facts) = facts_here.and_then(|facts| facts.run(at)) else { continue };
                    let (traits, base_packages) = (traits.as_deref(), base_packages.as_deref());
                    let script = run.script();
                    let ground =
                        run::Ground { stage, placed, run: facts, script, image, traits, base_packages, context };
                    run::add(&ground, &mut ledger);
                }
                InstructionKind::Copy(copy) | InstructionKind::Add(copy) => {
                    let escape = file.directives.escape;
                    let ground =
                        copy::Ground { stage, placed, at, directory: Some(directory), escape, context, earlier: &done };
                    copy::add(&ground, copy, &mut ledger);
                }
                InstructionKind::Workdir(_) => {
                    let made = facts_here.and_then(|facts| facts.directories.get(at + 1)).and_then(Option::as_deref);
                    made.into_iter().for_each(|directory| ledger.made(directory));
                    continue;
                }
                _ => continue,
            }
            size.layers.push(layer(at, &ledger));
        }
        if let Some(measured) = &measured {
            measured.replace(idx, &mut size);
        }
        ledger.begin();
        done.push((size, ledger));
    }
    res.stages = done.into_iter().map(|(size, _)| size).collect();
    res
}

/// The sum of the parts of the layer that the ledger has open.
fn layer(instruction: usize, ledger: &Ledger) -> LayerSize {
    let mut load: Option<Load> = None;
    let mut parts: Vec<&str> = Vec::new();
    let mut missing: Vec<&str> = Vec::new();
    let mut files: Option<usize> = None;
    for part in ledger.layer() {
        match (&part.load, &mut load) {
            (Some(more), Some(sum)) => *sum += more,
            (Some(more), None) => load = Some(more.clone()),
            (None, _) => {
                if !missing.contains(&part.what.as_str()) {
                    missing.push(&part.what);
                }
                continue;
            }
        }
        match ledger::counted_files(&part.what) {
            Some(n) => files = Some(files.unwrap_or(0) + n),
            None if !parts.contains(&part.what.as_str()) => parts.push(&part.what),
            None => {}
        }
    }
    let mut why: Vec<String> = files.into_iter().map(ledger::n_files).collect();
    why.extend(parts.iter().take(MOST_WORDS).map(|it| (*it).to_owned()));
    if parts.len() > MOST_WORDS {
        why.push(format!("{} more", parts.len() - MOST_WORDS));
    }
    let mut why = why.join(", ");
    if let [first, more @ ..] = &missing[..] {
        why.push_str(if why.is_empty() { "" } else { "; " });
        why.push_str(first);
        if !more.is_empty() {
            why.push_str(&format!(" (and {} more)", more.len()));
        }
    } else if load.is_none() {
        why.push_str("a few small files");
        load = Some(Load::guess(0, 1_000, 100_000, load::ANYTHING));
    }
    let (adds, pull) = load.map(|load| (load.disk, load.pull)).unzip();
    let sourced = |estimate: Option<Estimate>| estimate.map(|it| Estimate { source: why.clone(), ..it });
    LayerSize {
        instruction,
        adds: sourced(adds),
        pull: sourced(pull),
        incomplete: !missing.is_empty(),
        why,
        again: ledger.again().to_vec(),
    }
}

/// More kinds of parts are not named one by one.
const MOST_WORDS: usize = 4;

fn base(stage: &Stage, done: &[(StageSize, Ledger)], images: &ImageBook, platform: &Platform) -> StageSize {
    let platform = stage.platform.clone().unwrap_or_else(|| platform.clone());
    let mut size = StageSize { platform, ..StageSize::default() };
    match &stage.base {
        Base::Scratch => {
            size.base_unpacked = Some(Estimate::exact(0, Basis::Table, "scratch"));
            size.base_pull = size.base_unpacked.clone();
        }
        Base::Stage(parent) => {
            if let Some((parent, _)) = done.get(*parent) {
                (size.base_unpacked, size.base_incomplete) = parent.unpacked();
                (size.base_pull, size.base_pull_incomplete) = parent.pulled();
            }
        }
        Base::Image(image) => {
            if let Some(facts) = images.look_up(image, &size.platform) {
                size.base_unpacked = facts.unpacked;
                size.base_pull = facts.pull;
                size.via = facts.via;
                size.date = Some(facts.date);
            }
        }
        Base::Unknown(_) => {}
    }
    size
}

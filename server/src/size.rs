//! What every stage and layer weighs: the base from the image table, each instruction by its estimator.
//!
//! **Invariant:** what is not known is `None`, never zero; every figure has its basis.

pub mod budget;
mod copy;
mod measured;
mod run;

use crate::context::BuildContext;
use crate::facts::Facts;
use crate::images::ImageBook;
use crate::measured::Measured;
use crate::model::{Base, File, InstructionKind, Platform, Stage};
use crate::packages::AptClosure;
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
    /// What is pulled for the base (compressed).
    pub base_pull: Option<Estimate>,
    /// Whether a part of the base's figure is not known (the base is a stage with an unknown layer).
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
    /// One line for people: what makes it up (`16 packages, package lists`), or why it is not known.
    pub why: String,
}

impl StageSize {
    /// Base and all layers unpacked; the flag says that a part is not known. `None` when nothing is known.
    pub fn unpacked(&self) -> (Option<Estimate>, bool) {
        let layers = self.layers.iter().map(|layer| layer.adds.as_ref());
        sum(self.base_unpacked.as_ref(), self.base_incomplete, layers)
    }

    /// What is pulled for base and all layers (compressed); the flag says that a part is not known. `None` when nothing is
    /// known.
    pub fn pulled(&self) -> (Option<Estimate>, bool) {
        let layers = self.layers.iter().map(|layer| layer.pull.as_ref());
        sum(self.base_pull.as_ref(), self.base_pull_incomplete, layers)
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
    let mut installed: Vec<AptClosure> = Vec::with_capacity(file.stages.len());
    let measured = measured::figures(evidence.measured, file, facts);
    for (idx, stage) in file.stages.iter().enumerate() {
        let mut size = base(stage, &mut res, images, platform);
        let image = facts.image(file, idx);
        let traits = image.and_then(|image| images.traits(image));
        let mut here = match stage.base {
            Base::Stage(parent) => installed.get(parent).cloned().unwrap_or_default(),
            Base::Image(_) | Base::Scratch | Base::Unknown(_) => AptClosure::default(),
        };
        let mut ground = run::Ground { image, traits: traits.as_ref(), installed: &mut here };
        for (at, placed) in stage.instructions.iter().enumerate() {
            let layer = match &placed.instruction.kind {
                InstructionKind::Run(_) => {
                    facts.stages.get(idx).and_then(|facts| facts.run(at)).map(|run| run::adds(run, &mut ground))
                }
                InstructionKind::Copy(copy) | InstructionKind::Add(copy) => Some(copy::adds(placed, copy, context)),
                _ => None,
            };
            let Some((adds, why)) = layer else { continue };
            size.layers.push(LayerSize { instruction: at, adds, pull: None, why });
        }
        if let Some(measured) = &measured {
            measured.replace(idx, &mut size);
        }
        res.stages.push(size);
        installed.push(here);
    }
    res
}

fn base(stage: &Stage, res: &mut BuildSize, images: &ImageBook, platform: &Platform) -> StageSize {
    let platform = stage.platform.clone().unwrap_or_else(|| platform.clone());
    let mut size = StageSize { platform, ..StageSize::default() };
    match &stage.base {
        Base::Scratch => {
            size.base_unpacked = Some(Estimate::exact(0, Basis::Table, "scratch"));
            size.base_pull = size.base_unpacked.clone();
        }
        Base::Stage(parent) => {
            if let Some(parent) = res.stages.get(*parent) {
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

//! What every stage and layer weighs: the base from the image table, each instruction by its estimator.
//!
//! **Invariant:** what is not known is `None`, never zero; every figure has its basis.

use crate::model::ImageRef;
use crate::weight::Estimate;

/// The weight of a whole Dockerfile.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct BuildSize {
    /// One for each stage, in order.
    pub stages: Vec<StageSize>,
    /// Base images that the table does not know: the edge may ask a registry and call again.
    pub unknown_images: Vec<ImageRef>,
}

/// The weight of a stage.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StageSize {
    /// What the base image weighs unpacked; of a stage built on a stage, that stage's sum.
    pub base_unpacked: Option<Estimate>,
    /// What is pulled for the base image (compressed).
    pub base_pull: Option<Estimate>,
    /// What each instruction of the stage adds, by its index in `Stage::instructions`.
    pub layers: Vec<LayerSize>,
}

/// What one instruction adds.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerSize {
    /// Its index in `Stage::instructions`.
    pub instruction: usize,
    /// Unpacked bytes; `None` = not known. Instructions that add no file have no `LayerSize` at all.
    pub adds: Option<Estimate>,
    /// One line for people: what makes it up (`3 packages and what they need, without lists`).
    pub why: String,
}

impl StageSize {
    /// Base and all layers; the flag says that a part is not known. `None` when nothing is known.
    pub fn unpacked(&self) -> (Option<Estimate>, bool) {
        let mut incomplete = self.base_unpacked.is_none();
        let mut sum = self.base_unpacked.clone();
        for layer in &self.layers {
            match (&layer.adds, &mut sum) {
                (Some(adds), Some(sum)) => *sum += adds,
                (Some(adds), None) => sum = Some(adds.clone()),
                (None, _) => incomplete = true,
            }
        }
        (sum, incomplete)
    }
}

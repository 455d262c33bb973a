//! What the settings allow a stage to weigh (`size.budget`), and which stages weigh more.

use crate::config::{Budget, Config};
use crate::facts::Facts;
use crate::model::File;
use crate::size::BuildSize;
use crate::weight::{Estimate, Size};

/// A stage that weighs more than it may.
#[derive(Clone, Debug, PartialEq)]
pub struct Excess {
    /// Its index.
    pub stage: usize,
    /// What it may weigh, in unpacked bytes.
    pub budget: Size,
    /// What it weighs unpacked, as far as that is known.
    pub weight: Estimate,
    /// Whether a part of the weight is not known.
    pub incomplete: bool,
    /// Whether even the lower end is above the budget; else it only may be.
    pub certain: bool,
}

impl Excess {
    /// What is so, for a sentence that begins with the stage: `weighs 227 MB unpacked, more than its budget of 200 MB`.
    pub fn words(&self) -> String {
        let budget = self.budget;
        if !self.certain {
            return format!("may exceed its budget of {budget}: it weighs {} unpacked", self.weight.words());
        }
        format!("weighs {} unpacked, more than its budget of {budget}", self.weight.words_of(self.incomplete))
    }
}

/// The stages above their budget, in order: the target by the budget of the file, others by one of their own name. What
/// the target does not need is not looked at.
pub fn excesses(file: &File, facts: &Facts, size: &BuildSize, config: &Config) -> Vec<Excess> {
    let mut res = Vec::new();
    for (idx, weights) in size.stages.iter().enumerate() {
        let Some(budget) = of_stage(file, facts, config, idx) else { continue };
        let (weight, incomplete) = weights.unpacked();
        let Some(weight) = weight.filter(|weight| weight.likely > budget) else { continue };
        let certain = weight.low > budget;
        res.push(Excess { stage: idx, budget, weight, incomplete, certain });
    }
    res
}

/// What a stage may weigh, unpacked; `None` where nothing is said or the target does not need it.
pub fn of_stage(file: &File, facts: &Facts, config: &Config, idx: usize) -> Option<Size> {
    let Budget { target, stages } = &config.budget;
    let stage = file.stages.get(idx).filter(|_| facts.reaching.get(idx).copied().unwrap_or(false))?;
    let named = stages.iter().find(|(name, _)| stage.is_named(name)).map(|(_, bytes)| *bytes);
    named.or(target.filter(|_| facts.target == Some(idx))).map(Size)
}

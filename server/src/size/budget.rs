//! What the settings allow a stage to weigh (`size.budget`), and which stages weigh more.

use crate::config::Config;
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

/// The stages above their budget, in order: the target by the budget of the file, others by one of their own name. What
/// the target does not need is not looked at.
pub fn excesses(file: &File, facts: &Facts, size: &BuildSize, config: &Config) -> Vec<Excess> {
    let budgets = &config.budget;
    if budgets.target.is_none() && budgets.stages.is_empty() {
        return Vec::new();
    }
    let mut res = Vec::new();
    for (idx, (stage, weights)) in file.stages.iter().zip(&size.stages).enumerate() {
        if !facts.reaching.get(idx).copied().unwrap_or(false) {
            continue;
        }
        let named = budgets.stages.iter().find(|(name, _)| stage.is_named(name)).map(|(_, bytes)| *bytes);
        let of_file = budgets.target.filter(|_| facts.target == Some(idx));
        let Some(budget) = named.or(of_file).map(Size) else { continue };
        let (weight, incomplete) = weights.unpacked();
        let Some(weight) = weight.filter(|weight| weight.likely > budget) else { continue };
        let certain = weight.low > budget;
        res.push(Excess { stage: idx, budget, weight, incomplete, certain });
    }
    res
}

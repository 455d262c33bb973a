//! One finding per cause (RULES.md §5): of findings about the same thing the stronger speaks.

use crate::rules::Finding;

/// Marks the weaker findings of each cause as replaced.
pub fn apply(_findings: &mut [Finding]) {}

//! What several rules, sizes and assists ask.

/// Shared facts about a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {}

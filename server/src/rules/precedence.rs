//! One finding per cause (RULES.md §5).

//! The text does not do what it seems to say.

// Modules of the rules: written by tests/tidy.rs from the folder.
pub mod inline_comment;
pub mod npm_as_pid1;
pub mod npm_install_not_ci;
// End of Modules of the rules.

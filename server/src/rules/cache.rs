//! Time of the next build.

// Modules of the rules: written by tests/tidy.rs from the folder.
pub mod copy_all_before_install;
// End of Modules of the rules.

//! Time of the next build.

// Modules of the rules: written by tests/tidy.rs from the folder.
pub mod apt_update_alone;
pub mod copy_all_before_install;
pub mod unused_stage;
// End of Modules of the rules.

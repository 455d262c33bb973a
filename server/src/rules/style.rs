//! Small matters.

// Modules of the rules: written by tests/tidy.rs from the folder.
pub mod add_for_local_files;
pub mod apt_in_script;
pub mod build_only_env;
pub mod redundant_mkdir;
pub mod unused_arg;
// End of Modules of the rules.

//! Time of the next build.

// Modules of the rules: written by tests/tidy.rs from the folder.
pub mod apt_update_alone;
pub mod cache_defeated;
pub mod copy_all_before_install;
pub mod dependencies_not_split;
pub mod ineffective_cache_mount;
pub mod install_without_cache_mount;
pub mod musl_source_builds;
pub mod unused_stage;
pub mod volatile_arg_early;
// End of Modules of the rules.

//! Bytes in the image that is shipped.

// Modules of the rules: written by tests/tidy.rs from the folder.
pub mod apt_lists_left;
pub mod cleanup_in_later_layer;
pub mod copied_archive_unpacked;
pub mod dockerignore_incomplete;
pub mod download_kept;
pub mod duplicate_copy;
pub mod fat_base_image;
pub mod git_history_kept;
pub mod image_over_budget;
pub mod missing_dockerignore;
pub mod npm_cache_left;
pub mod pip_cache_left;
pub mod single_stage_build;
pub mod sparse_lastlog;
// End of Modules of the rules.

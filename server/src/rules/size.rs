//! Bytes in the image that is shipped.

// Modules of the rules: written by tests/tidy.rs from the folder.
pub mod apt_lists_left;
pub mod cleanup_in_later_layer;
pub mod fat_base_image;
pub mod image_over_budget;
pub mod npm_cache_left;
pub mod pip_cache_left;
pub mod single_stage_build;
// End of Modules of the rules.

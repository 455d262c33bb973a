//! Bytes in the image that is shipped.

// Modules of the rules: written by tests/tidy.rs from the folder.
pub mod apk_index_left;
pub mod apt_lists_left;
pub mod apt_recommends_installed;
pub mod build_tools_in_final;
pub mod cleanup_in_later_layer;
pub mod copied_archive_unpacked;
pub mod copy_whole_stage;
pub mod cuda_wheels_on_cpu_base;
pub mod dev_dependencies_in_final;
pub mod dev_tools_in_final;
pub mod dockerignore_incomplete;
pub mod download_kept;
pub mod duplicate_copy;
pub mod fat_base_image;
pub mod files_stored_twice;
pub mod git_history_kept;
pub mod image_over_budget;
pub mod many_responsibilities;
pub mod mergeable_run_layers;
pub mod missing_dockerignore;
pub mod npm_cache_left;
pub mod package_cache_left;
pub mod pip_cache_left;
pub mod removable_files_kept;
pub mod rpm_cache_left;
pub mod sdk_as_runtime;
pub mod single_stage_build;
pub mod sparse_lastlog;
pub mod static_binary_on_fat_base;
pub mod whole_system_upgrade;
// End of Modules of the rules.

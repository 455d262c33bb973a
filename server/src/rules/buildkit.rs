//! BuildKit's own checks, under its names and with its scope: every stage, also those that nothing needs.
//!
//! What `docker build --check` reports, as far as the text and what lies beside it tell (RULES.md §3). They follow
//! `frontend/dockerfile/linter/ruleset.go` and `dockerfile2llb/validations.go`; where a check is narrower than BuildKit's,
//! its page says so. Their documentation is ours, the link is Docker's.

mod defaults;
mod edits;
mod near;
mod port;
mod references;

// Modules of the rules: written by tests/tidy.rs from the folder.
pub mod consistent_instruction_casing;
pub mod copy_ignored_file;
pub mod duplicate_stage_name;
pub mod expose_invalid_format;
pub mod expose_proto_casing;
pub mod from_as_casing;
pub mod from_platform_flag_const_disallowed;
pub mod invalid_base_image_platform;
pub mod invalid_default_arg_in_from;
pub mod invalid_definition_description;
pub mod json_args_recommended;
pub mod legacy_key_value_format;
pub mod maintainer_deprecated;
pub mod multiple_instructions_disallowed;
pub mod no_empty_continuation;
pub mod redundant_target_platform;
pub mod reserved_stage_name;
pub mod secrets_used_in_arg_or_env;
pub mod stage_name_casing;
pub mod undefined_arg_in_from;
pub mod undefined_var;
pub mod workdir_relative_path;
// End of Modules of the rules.

/// The checks for which Docker has no page; ours stands in.
pub const WITHOUT_PAGE: &[&str] = &["InvalidBaseImagePlatform"];

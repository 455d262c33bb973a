//! The text does not do what it seems to say.

// Modules of the rules: written by tests/tidy.rs from the folder.
pub mod cgo_on_static_base;
pub mod cmd_ignored_by_entrypoint;
pub mod copy_to_root;
pub mod deprecated_npm_flag;
pub mod dev_server_as_command;
pub mod dynamic_npm_only;
pub mod effect_lost_after_run;
pub mod healthcheck_tool_missing;
pub mod heredoc_without_errexit;
pub mod inline_comment;
pub mod install_waits_for_answer;
pub mod invalid_json_form;
pub mod libc_mismatch;
pub mod lockfile_not_copied;
pub mod log_to_file;
pub mod missing_ca_certificates;
pub mod missing_healthcheck;
pub mod missing_runtime_file;
pub mod missing_runtime_library;
pub mod missing_tzdata;
pub mod npm_as_pid1;
pub mod npm_install_not_ci;
pub mod output_in_cache_mount;
pub mod pipe_failure_hidden;
pub mod prod_install_before_build;
pub mod shell_in_shell_less_image;
pub mod undefined_stage;
pub mod unreadable_root_home;
pub mod user_not_in_image;
pub mod variable_out_of_scope;
pub mod workdir_not_writable;
pub mod write_after_volume;
// End of Modules of the rules.

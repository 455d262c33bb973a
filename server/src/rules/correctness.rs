//! The text does not do what it seems to say.

// Modules of the rules: written by tests/tidy.rs from the folder.
pub mod cmd_ignored_by_entrypoint;
pub mod copy_to_root;
pub mod effect_lost_after_run;
pub mod heredoc_without_errexit;
pub mod inline_comment;
pub mod install_waits_for_answer;
pub mod invalid_json_form;
pub mod npm_as_pid1;
pub mod npm_install_not_ci;
pub mod undefined_stage;
pub mod variable_out_of_scope;
// End of Modules of the rules.

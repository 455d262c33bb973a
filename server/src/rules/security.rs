//! What an attacker could use.

// Modules of the rules: written by tests/tidy.rs from the folder.
pub mod deprecated_base_repository;
pub mod eol_base_image;
pub mod pipe_to_shell;
pub mod remote_add_unverified;
pub mod runs_as_root;
pub mod secret_file_copied;
pub mod secret_in_env_or_arg;
pub mod secret_in_run;
pub mod ssh_server_in_image;
pub mod sudo_in_run;
pub mod unpinned_base_tag;
pub mod unpinned_package;
pub mod verification_off;
pub mod world_writable_files;
// End of Modules of the rules.

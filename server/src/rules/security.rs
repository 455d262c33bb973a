//! What an attacker could use.

// Modules of the rules: written by tests/tidy.rs from the folder.
pub mod eol_base_image;
pub mod runs_as_root;
// End of Modules of the rules.

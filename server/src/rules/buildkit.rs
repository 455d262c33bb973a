//! BuildKit's own checks, under its names.

// Modules of the rules: written by tests/tidy.rs from the folder.
// End of Modules of the rules.

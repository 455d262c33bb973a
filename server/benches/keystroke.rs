//! From a keystroke to its findings.
fn main() {}

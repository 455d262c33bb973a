//! Real editors on a real Dockerfile, with the server that was just built.
//!
//! `tests/editors/setup.sh` brings the editors. Without them the tests say that they were not run; where `CI` is set, as
//! in `.ci/run`, that is a failure.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output};

fn neovim() -> Option<PathBuf> {
    let folder = std::env::var_os("PLIMSOLL_EDITORS").map(PathBuf::from).or_else(|| {
        let home = std::env::var_os("HOME")?;
        Some(PathBuf::from(home).join(".cache/plimsoll/editors"))
    })?;
    let nvim = folder.join("bin/nvim");
    if nvim.exists() {
        return Some(nvim);
    }
    assert!(std::env::var_os("CI").is_none(), "no Neovim at {}: run tests/editors/setup.sh", nvim.display());
    let _ = writeln!(std::io::stderr(), "NOT RUN: no Neovim at {}; tests/editors/setup.sh brings it", nvim.display());
    None
}

fn suite(nvim: &PathBuf, server: &str, milliseconds: &str) -> Output {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/editors/neovim/run.sh");
    Command::new("bash")
        .arg(script)
        .env("NVIM", nvim)
        .env("LSP_BIN", server)
        .env("E2E_TIMEOUT", milliseconds)
        .output()
        .expect("bash runs")
}

#[test]
fn neovim_shows_weights_and_merges_layers() {
    let Some(nvim) = neovim() else { return };
    let output = suite(&nvim, env!("CARGO_BIN_EXE_plimsoll"), "60000");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}");
}

#[test]
fn the_neovim_suite_fails_with_a_dead_server() {
    let Some(nvim) = neovim() else { return };
    assert!(!suite(&nvim, "/bin/false", "1500").status.success());
}

//! A folder of its own for a run of the built program, with nothing of the user's around it.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The folder.
pub(crate) struct Folder {
    temporary: TempDir,
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Folder {
    /// A folder with these files; parents are made.
    pub(crate) fn with(files: &[(&str, &str)]) -> Folder {
        let res = Folder { temporary: tempfile::tempdir().expect("a folder for the test") };
        for (name, text) in files {
            res.write(name, text.as_bytes());
        }
        res
    }

    /// A folder with one `Dockerfile`.
    pub(crate) fn of(text: &str) -> Folder {
        Folder::with(&[("Dockerfile", text)])
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.temporary.path().join("work").join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).expect("UTF-8")
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("the file is there")
    }

    /// The names of all files at the top, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("")).expect("the folder");
        let mut res: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
        res.sort();
        res
    }

    /// The program, about to run in the folder on a fixed day and without settings of a user.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut res = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        fs::create_dir_all(self.path("")).expect("the folder");
        let home = self.temporary.path().join("home");
        res.args(arguments)
            .current_dir(self.path(""))
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", home.join(".config"))
            .env("APPDATA", &home)
            .env_remove("XDG_CACHE_HOME")
            .env_remove("DOCKER_CONFIG")
            .env("PLIMSOLL_TODAY", "2026-11-21")
            .env_remove("NO_COLOR")
            .stdin(Stdio::null());
        res
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run::of(&self.command(arguments).output().expect("the program runs"))
    }

    /// Runs it with a text on standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Run {
        let mut command = self.command(arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // It may end before it has read everything.
        let _ = child.stdin.take().expect("a pipe").write_all(input);
        Run::of(&child.wait_with_output().expect("the program ends"))
    }
}

impl Run {
    pub(crate) fn of(output: &Output) -> Run {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        let code = output.status.code().expect("it ended by itself");
        Run { code, out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

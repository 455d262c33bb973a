//! A Docker Engine of its own for a test program: started once, shared by its tests, gone when the program ends.
//!
//! `tests/engine/setup.sh` brings it. Without it the tests say that they were not run; where `CI` is set, as in `.ci/run`,
//! that is a failure.
//!
//! `engine.sh with` keeps the engine: it stops it and removes what it left as soon as its standard input is closed, which
//! happens however this program ends.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, OnceLock};

/// The scripts beside this file.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engine");

/// A running engine.
#[derive(Debug)]
pub(crate) struct Engine {
    keeper: Child,
    /// What the engine's client needs to know, as `engine.sh with` sets it.
    environment: Vec<(String, String)>,
    socket: PathBuf,
    /// Bases are brought one at a time.
    bases: Mutex<()>,
}

/// The engine of this test program; `None` on a desk where none was brought.
pub(crate) fn engine() -> Option<&'static Engine> {
    static ENGINE: OnceLock<Option<Engine>> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::start("")).as_ref()
}

/// The cache of `engine.sh`.
fn cache() -> PathBuf {
    let named = std::env::var_os("PLIMSOLL_ENGINE").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").expect("a home folder"));
    named.unwrap_or_else(|| home().join(".cache/plimsoll/engine"))
}

impl Engine {
    /// Starts an engine of one's own, which stops when it is dropped. `store` is `ENGINE_STORE` of `engine.sh`.
    pub(crate) fn start(store: &str) -> Option<Engine> {
        let cache = cache();
        if !cache.join("busybox.tar").exists() {
            let needed = format!("no Docker Engine at {}: run tests/engine/setup.sh as root", cache.display());
            assert!(std::env::var_os("CI").is_none(), "{needed}");
            let _ = writeln!(std::io::stderr(), "NOT RUN: {needed}");
            return None;
        }
        let log = tempfile::NamedTempFile::new().expect("a file for the log");
        // A session of its own: an interrupt in the terminal ends the tests, and then the keeper ends by itself.
        let mut keeper = Command::new("setsid")
            .args(["bash", &format!("{SCRIPTS}/engine.sh"), "with", "bash", "-c"])
            .arg("env | grep -E '^(PATH|DOCKER_HOST|DOCKER_CONFIG|LD_LIBRARY_PATH|PLIMSOLL_ENGINE)='; echo; exec cat > /dev/null")
            .env("ENGINE_STORE", store)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log.path()).expect("the log"))
            .spawn()
            .expect("setsid and bash are there");
        let lines = BufReader::new(keeper.stdout.take().expect("it is piped")).lines();
        let lines = lines.map_while(Result::ok).take_while(|line| !line.is_empty());
        let environment: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
            .collect();
        let host = environment.iter().find(|(name, _)| name == "DOCKER_HOST");
        let socket = host.and_then(|(_, host)| host.strip_prefix("unix://")).map(PathBuf::from);
        let Some(socket) = socket else {
            let said = std::fs::read_to_string(log.path()).unwrap_or_default();
            panic!("the Docker Engine does not start: {said}");
        };
        Some(Engine { keeper, environment, socket, bases: Mutex::new(()) })
    }

    /// Its socket.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// A command that talks to this engine.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut res = Command::new(program);
        res.envs(self.environment.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        res
    }

    /// Runs `docker` with these arguments, whatever comes of it.
    pub(crate) fn try_docker(&self, arguments: &[&str]) -> Output {
        self.command("docker").args(arguments).output().expect("docker runs")
    }

    /// Runs `docker` with these arguments; its standard output. Failing fails the test with what it said.
    pub(crate) fn docker(&self, arguments: &[&str]) -> String {
        let output = self.try_docker(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker {arguments:?}: {said}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Builds the text as a Dockerfile in this context folder and tags it. A `# syntax=` line is left out: the frontend
    /// that it names cannot be pulled.
    pub(crate) fn build(&self, dockerfile: &str, context: &Path, tag: &str) {
        self.build_with(dockerfile, context, tag, &[]);
    }

    /// The same with further options of `docker build`; what the build printed.
    pub(crate) fn build_with(&self, dockerfile: &str, context: &Path, tag: &str, options: &[&str]) -> String {
        self.try_build(dockerfile, context, tag, options).unwrap_or_else(|said| panic!("{tag} does not build: {said}"))
    }

    /// The same where the build may fail.
    ///
    /// # Errors
    /// What the build printed when it failed.
    pub(crate) fn try_build(
        &self,
        dockerfile: &str,
        context: &Path,
        tag: &str,
        options: &[&str],
    ) -> Result<String, String> {
        let is_syntax = |line: &&str| {
            let comment = line.trim_start().strip_prefix('#').unwrap_or_default().to_ascii_lowercase();
            comment.trim_start().strip_prefix("syntax").is_some_and(|it| it.trim_start().starts_with('='))
        };
        let text: String = dockerfile.split_inclusive('\n').filter(|line| !is_syntax(line)).collect();
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("it can be written");
        let output = self
            .command("docker")
            .args(["build", "--progress=plain", "--network=host", "-t", tag, "-f"])
            .arg(file.path())
            .args(options)
            .arg(context)
            .output()
            .expect("docker runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(said) } else { Err(said) }
    }

    /// Brings stand-in base images (the targets of `bases.sh`): from the cache, or made once and kept there.
    pub(crate) fn base(&self, target: &str) {
        let _one_at_a_time = self.bases.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let output = self.command("bash").arg(format!("{SCRIPTS}/bases.sh")).arg(target).output().expect("bash runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the base {target} cannot be made: {said}");
    }
}

impl Drop for Engine {
    /// Closes the keeper's standard input and waits until it has cleared away.
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

//! A registry as others run it: Debian's `docker-registry`, started by a test on a port of its own.
//!
//! `tests/registry/setup.sh` brings it. Without it the tests say that they were not run; where `CI` is set, as in `.ci/run`,
//! that is a failure.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;

use tempfile::TempDir;

use crate::server::{Image, digest};

/// The user that a registry with a password file knows, as an `Authorization` header has it: `sailor:secret-word`.
pub(crate) const SAILOR: &str = "c2FpbG9yOnNlY3JldC13b3Jk";

/// A certificate for 127.0.0.1, its key, and the authority that signed it, all for these tests alone.
const TLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/registry/tls");

/// The certificate of that authority.
pub(crate) const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/registry/tls/authority.pem");

/// That user's line of the password file.
const PASSWORD_FILE: &str = "sailor:$2b$04$yWNozkJ5Ny/coKT2CV0N8On4/I.Eo1oVxSKFNnq5SHsnQ1RaHdQZC\n";

/// A program that the setup brought; `None` on a desk where it did not.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let home = || PathBuf::from(std::env::var_os("HOME").expect("a home folder"));
    let named = std::env::var_os("PLIMSOLL_REGISTRY").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| home().join(".cache/plimsoll/registry"));
    let res = folder.join("bin").join(name);
    if res.exists() {
        return Some(res);
    }
    let needed = format!("no {name} at {}: run tests/registry/setup.sh", res.display());
    assert!(std::env::var_os("CI").is_none(), "{needed}");
    let _ = writeln!(std::io::stderr(), "NOT RUN: {needed}");
    None
}

/// A running registry; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Real {
    process: Child,
    pub(crate) port: u16,
    /// Whether it knows [`SAILOR`] and nobody else.
    guarded: bool,
    folder: Arc<TempDir>,
}

impl Real {
    /// Starts one.
    pub(crate) fn start(guarded: bool) -> Option<Real> {
        Real::with(guarded, false, Arc::new(tempfile::tempdir().expect("a folder")))
    }

    /// Starts another one with the same images that is spoken to over TLS; its authority is in [`AUTHORITY`].
    pub(crate) fn encrypted(&self) -> Option<Real> {
        Real::with(false, true, Arc::clone(&self.folder))
    }

    fn with(guarded: bool, encrypted: bool, folder: Arc<TempDir>) -> Option<Real> {
        let program = program("docker-registry")?;
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("users"), PASSWORD_FILE).expect("a file");
        let mut config = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\n\
             http:\n  addr: \"127.0.0.1:0\"\n",
            path("data").display()
        );
        if encrypted {
            let _ = writeln!(config, "  tls: {{certificate: {TLS}/registry.pem, key: {TLS}/registry.key}}");
        }
        if guarded {
            let _ = writeln!(config, "auth:\n  htpasswd: {{realm: test, path: {}}}", path("users").display());
        }
        std::fs::write(path("config.yml"), config).expect("a file");
        let mut process = Command::new(program)
            .arg("serve")
            .arg(path("config.yml"))
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the registry starts");
        let mut log = BufReader::new(process.stderr.take().expect("it is piped"));
        let mut said = String::new();
        let port = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).expect("text") > 0, "the registry ended: {said}");
            let behind = line.split("listening on 127.0.0.1:").nth(1).unwrap_or_default();
            if let Some(Ok(port)) = behind.split(|it: char| !it.is_ascii_digit()).next().map(str::parse) {
                break port;
            }
            said.push_str(&line);
        };
        // It would wait for somebody to read its log.
        thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Some(Real { process, port, guarded, folder })
    }

    /// The host as images name it.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Puts an image into a repository, under its digest and, where there is one, a tag.
    pub(crate) fn push(&self, repository: &str, tag: Option<&str>, image: &Image) {
        for blob in image.layers.iter().chain([&image.config]) {
            self.push_blob(repository, blob);
        }
        let digest = digest(&image.manifest);
        self.push_manifest(repository, tag.unwrap_or(&digest), image.media_type, &image.manifest);
    }

    /// Puts a manifest or an index into a repository, whose parts are there.
    pub(crate) fn push_manifest(&self, repository: &str, reference: &str, media_type: &str, manifest: &[u8]) {
        let path = format!("/v2/{repository}/manifests/{reference}");
        self.send("PUT", &path, &[("Content-Type", media_type)], manifest, 201);
    }

    fn push_blob(&self, repository: &str, blob: &[u8]) {
        let head = self.send("POST", &format!("/v2/{repository}/blobs/uploads/"), &[], &[], 202);
        let location = head.lines().find_map(|line| line.strip_prefix("Location: ")).expect("a place for it").trim();
        let path = location.split_once(&self.host()).map_or(location, |(_, path)| path);
        let query = format!("digest={}", digest(blob).replace(':', "%3A"));
        let path = format!("{path}{}{query}", if path.contains('?') { '&' } else { '?' });
        self.send("PUT", &path, &[("Content-Type", "application/octet-stream")], blob, 201);
    }

    /// Sends a request; the head of the answer, which has this status.
    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8], status: u16) -> String {
        let mut stream = TcpStream::connect(self.host()).expect("it listens");
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.host());
        let authorization = format!("Basic {SAILOR}");
        let own = self.guarded.then_some(("Authorization", authorization.as_str()));
        for (name, value) in headers.iter().copied().chain(own) {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let _ = write!(head, "Content-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {path}: {answer}");
        answer
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

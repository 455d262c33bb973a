//! Registries in an editor: the table's figure at once, the registry's when it came.

use std::fs;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Client, uri};
use crate::real::{Real, SAILOR};
use crate::server::{Image, OCI, Server, Shelf, wait_for_end};

/// A user who allows registries, and the address of a Dockerfile.
fn home(settings: &str) -> (TempDir, String) {
    let home = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(home.path().join("plimsoll")).expect("a folder");
    fs::write(home.path().join("plimsoll/plimsoll.toml"), settings).expect("a file");
    let uri = uri(&home.path().join("Dockerfile"));
    (home, uri)
}

/// How long something is waited for before the test fails.
const PATIENCE: Duration = Duration::from_secs(120);

const ENABLED: &str = "[registry]\nenabled = true\n";

fn open(client: &mut Client, uri: &str, text: &str) {
    let document = json!({"uri": uri, "languageId": "dockerfile", "version": 1, "text": text});
    client.notify("textDocument/didOpen", json!({"textDocument": document}));
}

fn hover(client: &mut Client, uri: &str) -> String {
    let at = json!({"textDocument": {"uri": uri}, "position": {"line": 0, "character": 8}});
    let answer = client.request("textDocument/hover", at);
    answer["result"]["contents"]["value"].as_str().expect("a hover").to_owned()
}

/// What the client declares: that it can be told of stale hints and lenses, or nothing.
fn refreshing() -> Value {
    json!({"workspace": {"inlayHint": {"refreshSupport": true}, "codeLens": {"refreshSupport": true}}})
}

#[test]
fn the_hover_shows_what_is_known_at_once_and_the_answer_when_it_came() {
    let image = Image::of(OCI, "linux/amd64", &[123_000]);
    let shelf = Shelf::default().with("team/app", "1", &image);
    let gate: Arc<(Mutex<bool>, Condvar)> = Arc::default();
    let server = Server::start({
        let gate = Arc::clone(&gate);
        move |request, stream| {
            let open = gate.0.lock().unwrap_or_else(PoisonError::into_inner);
            drop(gate.1.wait_while(open, |open| !*open));
            shelf.reply(request, stream);
        }
    });
    let (home, uri) = home(ENABLED);
    let (mut client, _) = Client::greet(home.path(), refreshing(), Value::Null);
    open(&mut client, &uri, &format!("FROM {}/team/app:1\n", server.host()));
    client.diagnostics(&uri, 1, |_| true);
    let before = hover(&mut client, &uri);
    assert!(before.contains("Nothing is known about the size"), "{before}");
    let whole = json!({"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 0}});
    client.request("textDocument/inlayHint", json!({"textDocument": {"uri": uri}, "range": whole}));
    client.request("textDocument/codeLens", json!({"textDocument": {"uri": uri}}));
    *gate.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
    gate.1.notify_all();

    client.wait(|message| message["method"] == "workspace/inlayHint/refresh");
    client.wait(|message| message["method"] == "workspace/codeLens/refresh");
    let after = hover(&mut client, &uri);
    assert!(after.contains("pull 123 kB") && after.contains("(registry, "), "{after}");
    assert_eq!(client.leave(), Some(0));
    let requests = server.requests();
    let methods: Vec<&str> = requests.iter().map(|it| it.method.as_str()).collect();
    assert_eq!(methods, ["HEAD", "GET", "GET"], "the digest, the manifest, its configuration, each once");
}

#[test]
fn a_registry_is_asked_for_the_name_that_stands_and_for_none_when_it_is_switched_off() {
    let image = Image::of(OCI, "linux/amd64", &[123_000]);
    let shelf = Shelf::default().with("team/app", "1", &image).with("team/other", "1", &image);
    let server = Server::start(move |request, stream| shelf.reply(request, stream));
    let (home, uri) = home(ENABLED);
    let (mut client, _) = Client::greet(home.path(), json!({}), Value::Null);
    open(&mut client, &uri, &format!("FROM {}/te\n", server.host()));
    let mut version = 1;
    let mut text = |client: &mut Client, text: &str| {
        version += 1;
        let document = json!({"uri": uri, "version": version});
        let changes = json!([{"text": text}]);
        client.notify("textDocument/didChange", json!({"textDocument": document, "contentChanges": changes}));
        version
    };
    for piece in ["team/a", "team/ap", "team/app", "team/app:", "team/app:1"] {
        text(&mut client, &format!("FROM {}/{piece}\n", server.host()));
    }
    let settings = |enabled: bool| json!({"settings": {"plimsoll": {"registry": {"enabled": enabled}}}});
    // Each publication may be the one with the answer.
    while !hover(&mut client, &uri).contains("(registry, ") {
        client.diagnostics(&uri, 6, |_| true);
    }
    let named: Vec<String> = server.requests().into_iter().map(|it| it.path).collect();
    assert!(named.iter().all(|path| path.starts_with("/v2/team/app/")), "{named:?}");

    client.notify("workspace/didChangeConfiguration", settings(false));
    let other = format!("FROM {}/team/other:1\n", server.host());
    let last = text(&mut client, &other);
    client.diagnostics(&uri, last, |_| true);
    let n_requests = server.requests().len();
    assert_eq!(n_requests, named.len());
    client.notify("workspace/didChangeConfiguration", settings(true));
    while !hover(&mut client, &uri).contains("(registry, ") {
        client.diagnostics(&uri, last, |_| true);
    }
    assert!(server.requests().len() > n_requests);
    assert_eq!(client.leave(), Some(0));
}

#[test]
fn a_document_that_is_closed_stops_asking() {
    let server = Server::start(|_, stream| wait_for_end(stream));
    let (home, uri) = home(ENABLED);
    let (mut client, _) = Client::greet(home.path(), json!({}), Value::Null);
    let text = format!("FROM {}/team/app:1\n", server.host());
    // A look-up that went on would end with its host left alone, and a second one would wait for it.
    for n_requests in 1..=3 {
        open(&mut client, &uri, &text);
        let begun = Instant::now();
        while server.requests().len() < n_requests {
            assert!(begun.elapsed() < PATIENCE, "it was asked {} times", server.requests().len());
            thread::park_timeout(Duration::from_millis(5));
        }
        client.notify("textDocument/didClose", json!({"textDocument": {"uri": uri}}));
    }
    assert_eq!(client.leave(), Some(0));
}

#[test]
fn credentials_stand_in_no_log() {
    let Some(registry) = Real::start(true) else { return };
    registry.push("secret", Some("1"), &Image::of(OCI, "linux/amd64", &[5_000]));
    let (home, uri) = home(ENABLED);
    let config = format!("{{\"auths\": {{\"{}\": {{\"auth\": \"{SAILOR}\"}}}}}}", registry.host());
    fs::write(home.path().join("config.json"), config).expect("a file");
    let log = home.path().join("log");
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.env("PLIMSOLL_LOG", "trace").env("DOCKER_CONFIG", home.path());
    command.stderr(fs::File::create(&log).expect("a file"));
    let (mut client, _) = Client::start_by(&mut command, home.path()).greeted(home.path(), json!({}), Value::Null);
    open(&mut client, &uri, &format!("FROM {}/secret:1\n", registry.host()));
    while !hover(&mut client, &uri).contains("(registry, ") {
        client.diagnostics(&uri, 1, |_| true);
    }
    assert_eq!(client.leave(), Some(0));
    let said = fs::read_to_string(&log).expect("a log");
    assert!(said.contains("asking a registry"), "the log is no witness: {said}");
    for secret in [SAILOR, "secret-word", "sailor", "Basic "] {
        assert!(!said.contains(secret), "{secret} stands in the log");
    }
    let kept = fs::read_to_string(home.path().join(".cache/plimsoll/registry.json")).expect("a cache");
    assert!(!kept.contains(SAILOR) && !kept.contains("sailor"), "{kept}");
}

//! Nobody is spoken to unasked: the calls of the system are the witness.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::client::{Client, uri};
use crate::folder::Folder;
use crate::real::program;

/// A workspace that would like to open doors.
const GREEDY: &str =
    "[registry]\nenabled = true\nallow = [\"127.0.0.1\"]\n[engine]\nsocket = \"/var/run/docker.sock\"\n";

const DOCKERFILE: &str = "FROM 127.0.0.1:9/base:1\nFROM node:18\nRUN apt-get update && apt-get install -y curl\n";

/// The command that runs the program and writes what it says to the network.
fn traced(strace: &Path, calls: &Path) -> Command {
    let mut res = Command::new(strace);
    res.args(["-f", "-e", "trace=network", "-o"]).arg(calls).arg("--").arg(env!("CARGO_BIN_EXE_plimsoll"));
    res
}

/// The calls that have to do with the network, of local sockets too.
fn calls(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).expect("the trace is there");
    assert!(text.contains("+++ exited with"), "nothing was traced: {text}");
    text.lines().filter(|line| line.contains('(')).map(str::to_owned).collect()
}

fn run(folder: &Folder, strace: &Path, arguments: &[&str]) -> Vec<String> {
    let file = folder.path("../calls");
    let plain = folder.command(&[]);
    let mut command = traced(strace, &file);
    for (key, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(key, value),
            None => command.env_remove(key),
        };
    }
    let output = command.args(arguments).current_dir(folder.path("")).output().expect("it runs");
    assert!(output.status.code().is_some_and(|code| code <= 2), "{output:?}");
    calls(&file)
}

#[test]
fn no_socket_is_opened_unless_the_user_wants_it() {
    let Some(strace) = program("strace") else { return };
    for workspace in [None, Some(GREEDY)] {
        let folder = Folder::of(DOCKERFILE);
        if let Some(text) = workspace {
            folder.write("plimsoll.toml", text.as_bytes());
        }
        for arguments in [&["check", "."][..], &["size", "."], &["fix", "--diff", "."], &["images", "look-up", "node"]]
        {
            assert_eq!(run(&folder, &strace, arguments), [""; 0], "{arguments:?}");
        }
        // The witness is no liar.
        let asked = run(&folder, &strace, &["size", "--online", "."]);
        assert!(asked.iter().any(|call| call.contains("socket(AF_INET")), "{asked:?}");
    }
}

#[test]
fn the_server_opens_no_socket_either() {
    let Some(strace) = program("strace") else { return };
    for workspace in [None, Some(GREEDY)] {
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("calls");
        let path = home.path().join("Dockerfile");
        fs::write(&path, DOCKERFILE).expect("a file");
        if let Some(text) = workspace {
            fs::write(home.path().join("plimsoll.toml"), text).expect("a file");
        }
        let client = Client::start_by(&mut traced(&strace, &file), home.path());
        let (mut client, _) = client.greeted(home.path(), json!({}), Value::Null);
        let uri = uri(&path);
        let document = json!({"uri": uri, "languageId": "dockerfile", "version": 1, "text": DOCKERFILE});
        client.notify("textDocument/didOpen", json!({"textDocument": document}));
        client.diagnostics(&uri, 1, |_| true);
        let at = json!({"textDocument": {"uri": uri}, "position": {"line": 0, "character": 8}});
        let hover = client.request("textDocument/hover", at);
        let text = hover["result"]["contents"]["value"].as_str().expect("a hover");
        assert!(text.contains("Nothing is known about the size of this image offline"), "{text}");
        let document = json!({"uri": uri, "version": 2});
        let changes = json!([{"text": format!("{DOCKERFILE}FROM 127.0.0.1:9/other\n")}]);
        client.notify("textDocument/didChange", json!({"textDocument": document, "contentChanges": changes}));
        client.diagnostics(&uri, 2, |_| true);
        assert_eq!(client.leave(), Some(0));
        assert_eq!(calls(&file), [""; 0]);
    }
}

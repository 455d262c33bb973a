//! A small client of the language server: starts the built program, speaks JSON-RPC over its standard streams, answers
//! its questions, and keeps the text as an editor would.
//!
//! It waits for messages, never for time; [`PATIENCE`] only ends a test whose message never comes.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, from_slice, from_str, json};

/// How long a message may be waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// A client that was recorded: what it declares in `initialize`, and what its columns count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recorded {
    /// Its name.
    pub(crate) name: &'static str,
    capabilities: &'static str,
    /// The encoding that the server is to choose.
    pub(crate) encoding: &'static str,
}

/// The clients whose capabilities were recorded.
pub(crate) const RECORDED: [Recorded; 3] = [
    Recorded { name: "VS Code", capabilities: include_str!("../capabilities/vscode.json"), encoding: "utf-16" },
    Recorded { name: "Neovim", capabilities: include_str!("../capabilities/neovim.json"), encoding: "utf-8" },
    Recorded { name: "Helix", capabilities: include_str!("../capabilities/helix.json"), encoding: "utf-8" },
];

impl Recorded {
    /// What it declares.
    pub(crate) fn capabilities(&self) -> Value {
        from_str(self.capabilities).expect("recorded capabilities")
    }
}

/// A running server and what it said.
pub(crate) struct Client {
    process: Child,
    stdin: Option<ChildStdin>,
    incoming: Receiver<Value>,
    /// What came and nobody asked for: notifications and requests of the server.
    pub(crate) said: Vec<Value>,
    /// The answer to `workspace/configuration`.
    pub(crate) settings: Value,
    n_requests: i64,
}

impl Client {
    /// Starts the server; no settings file of the user is seen.
    pub(crate) fn start(home: &Path) -> Client {
        Client::start_by(&mut Command::new(env!("CARGO_BIN_EXE_plimsoll")), home)
    }

    /// Starts the server with a command that lacks its arguments and the user's folders.
    pub(crate) fn start_by(command: &mut Command, home: &Path) -> Client {
        let named = |name: &str| command.get_envs().any(|(key, _)| key == name);
        let level = if named("PLIMSOLL_LOG") { None } else { Some("error") };
        let mut process = command
            .arg("--stdio")
            .env("HOME", home)
            .env("XDG_CONFIG_HOME", home)
            .env("APPDATA", home)
            .env_remove("XDG_CACHE_HOME")
            .envs(level.map(|level| ("PLIMSOLL_LOG", level)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let stdin = process.stdin.take();
        let mut stdout = BufReader::new(process.stdout.take().expect("standard output is piped"));
        let (sender, incoming) = channel();
        thread::spawn(move || {
            while let Some(message) = read_message(&mut stdout) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Client { process, stdin, incoming, said: Vec::new(), settings: Value::Null, n_requests: 0 }
    }

    /// Starts the server and greets it as this client would; the server's capabilities are returned too.
    pub(crate) fn greet(home: &Path, capabilities: Value, options: Value) -> (Client, Value) {
        Client::start(home).greeted(home, capabilities, options)
    }

    /// Greets the server that was started.
    pub(crate) fn greeted(self, home: &Path, capabilities: Value, options: Value) -> (Client, Value) {
        let mut client = self;
        let folder = json!({"uri": uri(home), "name": "work"});
        let params = json!({
            "processId": null, "rootUri": uri(home), "workspaceFolders": [folder],
            "capabilities": capabilities, "initializationOptions": options,
        });
        let answer = client.request("initialize", params);
        client.notify("initialized", json!({}));
        (client, answer["result"]["capabilities"].clone())
    }

    /// Sends a request and waits for its answer: the whole message, an error too.
    pub(crate) fn request(&mut self, method: &str, params: Value) -> Value {
        self.n_requests += 1;
        let id = self.n_requests;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let message = self.receive();
            if message["id"] == id && message.get("method").is_none() {
                return message;
            }
            self.note(message);
        }
    }

    /// Sends a notification.
    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// The first message of the server, among those that came and those to come, of which this holds. It and all before
    /// it are forgotten.
    pub(crate) fn wait(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            if let Some(at) = self.said.iter().position(&wanted) {
                return self.said.drain(..=at).next_back().expect("it was found there");
            }
            let message = self.receive();
            self.note(message);
        }
    }

    /// The diagnostics that are published for this version of a document and of which this holds.
    pub(crate) fn diagnostics(&mut self, uri: &str, version: i64, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let message = self.wait(|message| {
            let params = &message["params"];
            let found = params["diagnostics"].as_array();
            message["method"] == "textDocument/publishDiagnostics"
                && params["uri"] == uri
                && params["version"] == version
                && found.is_some_and(|found| wanted(found))
        });
        message["params"]["diagnostics"].as_array().expect("it was one").clone()
    }

    /// Says goodbye as the protocol wants; the exit code.
    pub(crate) fn leave(mut self) -> Option<i32> {
        let answer = self.request("shutdown", Value::Null);
        assert_eq!(answer["result"], Value::Null);
        assert_eq!(answer.get("error"), None);
        self.exit()
    }

    /// Leaves; the exit code. Standard input stays open until the server is gone.
    pub(crate) fn exit(mut self) -> Option<i32> {
        self.notify("exit", Value::Null);
        self.process.wait().expect("the server ends").code()
    }

    /// Closes standard input without a word; the exit code.
    pub(crate) fn hang_up(mut self) -> Option<i32> {
        self.stdin = None;
        self.process.wait().expect("the server ends").code()
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        let stdin = self.stdin.as_mut().expect("it was not hung up");
        write!(stdin, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("the server reads");
        stdin.flush().expect("the server reads");
    }

    fn receive(&mut self) -> Value {
        let message = self.incoming.recv_timeout(PATIENCE);
        message.unwrap_or_else(|error| panic!("{error}; the server said {:#?}", self.said))
    }

    /// Answers the server's questions and keeps what it said.
    fn note(&mut self, message: Value) {
        if message.get("method").is_some() && message.get("id").is_some() {
            let id = &message["id"];
            let answer = match message["method"].as_str() {
                Some("workspace/configuration") => json!({"jsonrpc": "2.0", "id": id, "result": [self.settings]}),
                Some(
                    "client/registerCapability"
                    | "workspace/diagnostic/refresh"
                    | "workspace/inlayHint/refresh"
                    | "workspace/codeLens/refresh"
                    | "window/workDoneProgress/create",
                ) => json!({"jsonrpc": "2.0", "id": id, "result": null}),
                _ => json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32601, "message": "not known"}}),
            };
            self.send(&answer);
        }
        self.said.push(message);
    }
}

impl Drop for Client {
    /// A test that failed leaves no server behind.
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}

fn read_message(stdout: &mut impl BufRead) -> Option<Value> {
    let mut length = None;
    loop {
        let mut line = String::new();
        if stdout.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            header => length = header.strip_prefix("Content-Length: ").and_then(|it| it.parse().ok()).or(length),
        }
    }
    let mut body = vec![0; length?];
    stdout.read_exact(&mut body).ok()?;
    from_slice(&body).ok()
}

/// The address of a path without odd characters.
pub(crate) fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// The place of a byte in the client's terms.
pub(crate) fn place(text: &str, byte: usize, encoding: &str) -> Value {
    let before = &text[..byte];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let in_line = &before[line_start..];
    let character = if encoding == "utf-8" { in_line.len() } else { in_line.encode_utf16().count() };
    json!({"line": before.matches('\n').count(), "character": character})
}

/// The range of the first occurrence of a piece of the text.
pub(crate) fn range(text: &str, piece: &str, encoding: &str) -> Value {
    let start = text.find(piece).expect("the text has this piece");
    json!({"start": place(text, start, encoding), "end": place(text, start + piece.len(), encoding)})
}

/// The text after a `WorkspaceEdit` of one document.
pub(crate) fn edited(text: &str, edit: &Value, encoding: &str) -> String {
    let edits = match edit["documentChanges"].as_array() {
        Some(documents) => documents[0]["edits"].clone(),
        None => edit["changes"].as_object().and_then(|it| it.values().next()).expect("a change").clone(),
    };
    let byte = |wanted: &Value| {
        let bytes = (0..=text.len()).filter(|&byte| text.is_char_boundary(byte));
        bytes.into_iter().find(|&byte| place(text, byte, encoding) == *wanted).expect("a place of the text")
    };
    let mut res = text.to_owned();
    for edit in edits.as_array().expect("edits").iter().rev() {
        let range = byte(&edit["range"]["start"])..byte(&edit["range"]["end"]);
        res.replace_range(range, edit["newText"].as_str().expect("a text"));
    }
    res
}

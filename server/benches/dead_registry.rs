//! From a keystroke to its diagnostics over standard input and output: with registries switched off, and with registries
//! switched on that accept and never answer, turn by turn in one run.
//!
//! It prints the medians and their ratio, and beside it that of two servers with registries off: what chance makes of it.
#![allow(clippy::print_stdout, reason = "standard output is where a benchmark reports")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How many dead registries the document names.
const N_REGISTRIES: usize = 8;

/// How many keystrokes are measured for each server; about as many as fit into the time a registry is waited for, and on
/// beyond it.
const N_KEYSTROKES: usize = 1_500;

/// How long a keystroke waits for the next one.
const PAUSE: Duration = Duration::from_millis(4);

static N_ASKED: AtomicUsize = AtomicUsize::new(0);

/// A host whose registry accepts and never answers.
fn dead_registry(number: usize) -> String {
    let listener = TcpListener::bind(format!("127.0.0.{}:0", number + 1)).expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            N_ASKED.fetch_add(1, Ordering::SeqCst);
            held.push(stream);
        }
    });
    address
}

/// A server with one document open.
struct Editor {
    process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    text: String,
    /// Where a character comes and goes: line, column.
    place: (usize, usize),
    version: i64,
}

impl Editor {
    fn open(home: &Path, enabled: bool, text: &str) -> Editor {
        let home = tempfile::tempdir_in(home).expect("a folder").keep();
        std::fs::create_dir_all(home.join("plimsoll")).expect("a folder");
        std::fs::write(home.join("plimsoll/plimsoll.toml"), format!("[registry]\nenabled = {enabled}\n"))
            .expect("a file");
        let mut process = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
            .arg("--stdio")
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", &home)
            .env("XDG_CACHE_HOME", &home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let stdin = process.stdin.take().expect("it is piped");
        let stdout = BufReader::new(process.stdout.take().expect("it is piped"));
        let line = text.lines().position(|line| line.starts_with("RUN ")).expect("a RUN");
        let mut res = Editor { process, stdin, stdout, text: text.to_owned(), place: (line, 8), version: 1 };
        res.send(&json!({"id": 1, "method": "initialize", "params": {"capabilities": {}}}));
        res.wait(|message| message["id"] == 1);
        res.send(&json!({"method": "initialized", "params": {}}));
        let document =
            json!({"uri": "file:///work/Dockerfile", "languageId": "dockerfile", "version": 1, "text": text});
        res.send(&json!({"method": "textDocument/didOpen", "params": {"textDocument": document}}));
        res.wait(|message| message["params"]["version"] == 1);
        res
    }

    fn send(&mut self, message: &Value) {
        let mut message = message.clone();
        message["jsonrpc"] = json!("2.0");
        let body = message.to_string();
        write!(self.stdin, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("the server reads");
        self.stdin.flush().expect("the server reads");
    }

    fn wait(&mut self, wanted: impl Fn(&Value) -> bool) {
        loop {
            let mut length = 0;
            loop {
                let mut line = String::new();
                self.stdout.read_line(&mut line).expect("the server speaks");
                match line.trim_end() {
                    "" => break,
                    header => {
                        length = header.strip_prefix("Content-Length: ").map_or(length, |it| it.parse().unwrap_or(0))
                    }
                }
            }
            let mut body = vec![0; length];
            self.stdout.read_exact(&mut body).expect("the server speaks");
            if wanted(&serde_json::from_slice(&body).expect("JSON")) {
                return;
            }
        }
    }

    /// Types a character or takes it back; the time to the diagnostics of that text, in microseconds.
    fn keystroke(&mut self) -> f64 {
        self.version += 1;
        let version = self.version;
        let (line, column) = self.place;
        let typed = version % 2 == 1;
        let end = column + usize::from(typed);
        let range = json!({"start": {"line": line, "character": column}, "end": {"line": line, "character": end}});
        let changes = json!([{"range": range, "text": if typed { "" } else { "x" }}]);
        let document = json!({"uri": "file:///work/Dockerfile", "version": version});
        let change = json!({"method": "textDocument/didChange",
                            "params": {"textDocument": document, "contentChanges": changes}});
        let start = Instant::now();
        self.send(&change);
        self.wait(|message| message["params"]["version"] == version);
        start.elapsed().as_secs_f64() * 1e6
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn percentile(times: &mut [f64], part: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    times[((times.len() - 1) as f64 * part) as usize]
}

fn main() {
    let home = tempfile::tempdir().expect("a folder");
    let hosts: Vec<String> = (0..N_REGISTRIES).map(dead_registry).collect();
    let mut text = String::new();
    for host in hosts.iter().cycle().take(20) {
        text.push_str(&format!("FROM {host}/team/app:1\nWORKDIR /srv\nCOPY package.json ./\n"));
        text.push_str("RUN apt-get update && apt-get install -y curl git \\\n && rm -rf /var/lib/apt/lists/*\n");
        text.push_str("RUN npm ci --omit=dev\nENV NODE_ENV=production\nUSER node\nCMD [\"node\", \"server.js\"]\n");
    }
    let mut editors = [false, false, true].map(|enabled| Editor::open(home.path(), enabled, &text));
    while N_ASKED.load(Ordering::SeqCst) < N_REGISTRIES {
        thread::sleep(Duration::from_millis(10));
    }
    let mut times: [Vec<f64>; 3] = Default::default();
    let begun = Instant::now();
    for stroke in 0..N_KEYSTROKES {
        // Who comes later finds caches warm: each is first as often as last.
        for turn in 0..3 {
            let idx = (stroke + turn) % 3;
            times[idx].push(editors[idx].keystroke());
        }
        thread::sleep(PAUSE);
    }
    let n_lines = editors[0].text.lines().count();
    println!("\nA keystroke to its diagnostics, {n_lines} lines, {N_KEYSTROKES} keystrokes each, in µs:");
    println!("registries                     median   95 %");
    let mut medians = Vec::new();
    for (name, mut times) in ["off", "off, another server", "on, 8 that never answer"].into_iter().zip(times) {
        let median = percentile(&mut times, 0.5);
        println!("{name:28} {median:8.0} {:6.0}", percentile(&mut times, 0.95));
        medians.push(median);
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "ratio of the medians: on to off {:.3}, off to off {:.3}",
        medians[2] / medians[0],
        medians[1] / medians[0]
    );
    println!("({seconds:.0} s)\n");
}

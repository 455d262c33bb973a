//! A merged RUN builds what its parts built: the blocks of `tests/merge`, built as they are and merged by a real Docker
//! Engine. Both images hold the same files with the same configuration, or both builds fail.
//!
//! Modification times and logs are not compared (SPEC-merge-run §1).

mod engine;

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::{Engine, engine};
use plimsoll::assists::{Offer, merge_runs};
use plimsoll::config::Config;
use plimsoll::facts::Facts;
use plimsoll::lower;
use plimsoll::model::File;

/// The files of `tests/merge` and what their blocks are built on.
const FILES: [(&str, &str); 5] = [
    ("debian.txt", "debian:bookworm-slim"),
    ("examples.txt", "busybox"),
    ("shell.txt", "busybox"),
    ("ways.txt", "busybox"),
    ("refused.txt", "busybox"),
];

/// How many builds at a time: most of a build is waiting.
const AT_ONCE: usize = 4;

/// What differs from one build to the next: logs, and the linker's cache with its times.
const NOT_COMPARED: [&str; 2] = ["var/log/", "var/cache/ldconfig/aux-cache"];

/// RUNs that are to be merged.
#[derive(Debug)]
struct Block {
    name: String,
    text: String,
    /// `plain`, or another variant.
    way: String,
    /// How many RUNs there are afterwards.
    left: usize,
    fails: bool,
    refused: Option<String>,
}

fn blocks() -> Vec<Block> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/merge");
    let mut res = Vec::new();
    for (name, base) in FILES {
        let text = fs::read_to_string(folder.join(name)).expect("the file is there");
        for block in format!("\n{text}").split("\n=== ").skip(1) {
            let (head, body) = block.split_once('\n').expect("there are lines below the name");
            let (name, options) = head.split_once(" | ").unwrap_or((head, ""));
            let mut text = format!("FROM {base}\n{}\n", body.trim_end());
            let mut block = Block {
                name: name.to_owned(),
                text: String::new(),
                way: "plain".to_owned(),
                left: 1,
                fails: false,
                refused: None,
            };
            for option in options.split_whitespace() {
                match option.split_once('=').unwrap_or((option, "")) {
                    ("fails", _) => block.fails = true,
                    ("crlf", _) => text = text.replace('\n', "\r\n"),
                    ("left", number) => block.left = number.parse().expect("a number"),
                    ("way", way) => block.way = way.to_owned(),
                    ("refused", code) => block.refused = Some(code.to_owned()),
                    _ => panic!("{name}: unknown option {option}"),
                }
            }
            res.push(Block { text, ..block });
        }
    }
    res
}

fn lowered(text: &str) -> (File, Facts) {
    let file = lower::file(text.into(), &lower::Build::default(), None);
    let facts = Facts::of(&file, &Config::default());
    (file, facts)
}

/// The text after every merge that is possible in this way.
fn merged(text: &str, way: &str) -> String {
    let mut text = text.to_owned();
    loop {
        let (file, facts) = lowered(&text);
        let assists =
            if way == "plain" { merge_runs::all(&file, &facts) } else { merge_runs::all_others(&file, &facts) };
        let Some(assist) = assists.into_iter().find(|it| it.variant == Some(way)) else { return text };
        text = assist.edit.apply(&text);
    }
}

/// The codes of what is refused with everything selected.
fn refusals(text: &str) -> Vec<&'static str> {
    let (file, facts) = lowered(text);
    let ranges = file.stages.iter().map(|stage| stage.range);
    let offers = ranges.flat_map(|range| merge_runs::offer(&file, &facts, range));
    offers
        .filter_map(|offer| match offer {
            Offer::Assist(_) => None,
            Offer::Refusal(refusal) => Some(refusal.code),
        })
        .collect()
}

/// What a build makes: the configuration of the image and what it holds; `None` when the build fails.
fn built(engine: &Engine, text: &str, context: &Path, tag: &str) -> Option<(String, Vec<String>)> {
    // A build fails by a command's exit code. Anything else is the engine's own trouble, as on a busy machine.
    let is_code = |said: &str| said.contains("did not complete successfully");
    let build = || engine.try_build(text, context, tag, &[]);
    let tries = || (0..3).map(|_| build()).find(|it| it.as_ref().err().is_none_or(|said| is_code(said)));
    match tries() {
        Some(Ok(_)) => {}
        Some(Err(_)) => return None,
        None => panic!("the engine cannot build {tag}: {}", build().err().unwrap_or_default()),
    }
    let config = engine.docker(&["inspect", "--format", "{{json .Config}}", tag]);
    let container = engine.docker(&["create", tag, "true"]);
    let container = container.trim();
    let mut export =
        engine.command("docker").args(["export", container]).stdout(Stdio::piped()).spawn().expect("docker runs");
    let mut archive = tar::Archive::new(export.stdout.take().expect("it is piped"));
    let mut tree = Vec::new();
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let path = entry.path().expect("a path").display().to_string();
        if NOT_COMPARED.iter().any(|it| path.starts_with(it)) {
            continue;
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("it can be read");
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        let header = entry.header();
        let (kind, mode) = (header.entry_type(), header.mode().expect("a mode"));
        let (user, group) = (header.uid().expect("a number"), header.gid().expect("a number"));
        let link = entry.link_name().expect("a name").map(|it| it.display().to_string()).unwrap_or_default();
        tree.push(format!("{path} {kind:?} {mode:o} {user}:{group} {} {:x} {link}", entry.size(), hasher.finish()));
    }
    assert!(export.wait().expect("it ends").success(), "docker export {container}");
    tree.sort();
    Some((config, tree))
}

/// What is wrong with a block, if anything is.
fn fault(engine: &Engine, context: &Path, number: usize, block: &Block) -> Option<String> {
    let after = merged(&block.text, &block.way);
    let n_runs = |text: &str| {
        let (file, _) = lowered(text);
        file.stages.iter().map(|stage| stage.runs().count()).sum::<usize>()
    };
    if let Some(code) = &block.refused {
        let refused = refusals(&block.text);
        let as_told = after == block.text && refused == [code.as_str()];
        return (!as_told).then(|| format!("expected {code}, refused for {refused:?}"));
    }
    if n_runs(&after) != block.left {
        return Some(format!("{} RUNs are left", n_runs(&after)));
    }
    let apart = built(engine, &block.text, context, &format!("apart:{number}"));
    if apart.is_none() != block.fails {
        return Some(if block.fails { "it builds as it is" } else { "it does not build as it is" }.to_owned());
    }
    let together = built(engine, &after, context, &format!("together:{number}"));
    let (Some(apart), Some(together)) = (&apart, &together) else {
        return (apart.is_some() != together.is_some()).then(|| format!("one of the two does not build:\n{after}"));
    };
    if apart.0 != together.0 {
        return Some(format!("the configuration differs:\n{}\n{}\n{after}", apart.0, together.0));
    }
    let lines = |of: &[String], without: &[String]| {
        let lines = of.iter().filter(|line| without.binary_search(line).is_err()).take(10);
        lines.map(|line| format!("  {line}\n")).collect::<String>()
    };
    let (left, right) = (lines(&apart.1, &together.1), lines(&together.1, &apart.1));
    let is_same = left.is_empty() && right.is_empty() && !apart.1.is_empty();
    (!is_same).then(|| format!("the files differ, apart:\n{left}merged:\n{right}{after}"))
}

#[test]
fn a_merged_run_builds_what_its_parts_built() {
    let Some(engine) = engine() else { return };
    engine.base("debian");
    let blocks = blocks();
    let context = tempfile::tempdir().expect("a folder");
    let next = AtomicUsize::new(0);
    let work = || {
        let mut faults = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(block) = blocks.get(number) else { return faults };
            faults.extend(fault(engine, context.path(), number, block).map(|it| format!("{}: {it}", block.name)));
        }
    };
    let faults: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("every block is built")).collect()
    });
    let n_refused = blocks.iter().filter(|block| block.refused.is_some()).count();
    let n_failing = blocks.iter().filter(|block| block.fails).count();
    let n_built = blocks.len() - n_refused;
    let _ = writeln!(
        std::io::stderr(),
        "{n_built} groups built before and after, {n_failing} of which fail; {n_refused} refused with their codes"
    );
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    assert!(n_built >= 60 && n_refused * 3 <= blocks.len(), "there are {n_built} and {n_refused}");
}

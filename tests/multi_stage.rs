//! Worked conversions: `before.Dockerfile` and its application in, `after.Dockerfile` out, byte for byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plimsoll::assists::{Offer, multi_stage};
use plimsoll::config::Config;
use plimsoll::context::BuildContext;
use plimsoll::facts::Facts;
use plimsoll::images::ImageBook;
use plimsoll::lower::{self, Build};
use plimsoll::rules::Context;
use plimsoll::size::BuildSize;
use plimsoll::text::{TextRange, TextSize};

/// The examples of the ecosystems that are converted, a folder each.
const EXAMPLES: [&str; 8] = [
    "01-node-typescript",
    "02-node-user",
    "03-node-plain",
    "04-next",
    "05-pnpm",
    "06-yarn",
    "24-variables",
    "27-heredoc",
];

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/multi-stage");
    EXAMPLES.iter().map(|it| folder.join(it)).collect()
}

/// The application without the Dockerfiles.
fn application(folder: &Path) -> BuildContext {
    let mut texts = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(at) = waiting.pop() {
        for entry in fs::read_dir(at).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).expect("below it").to_string_lossy().replace('\\', "/");
            if !name.ends_with(".Dockerfile") {
                texts.insert(name, fs::read_to_string(&path).expect("text"));
            }
        }
    }
    BuildContext::of_texts(texts.iter().map(|(path, text)| (path.as_str(), text.as_str())))
}

fn offers(text: &str, context: &BuildContext) -> Vec<Offer> {
    let file = lower::file(Arc::from(text), &Build::default(), None);
    let config = Config::default();
    let facts = Facts::of(&file, &config);
    let ctx = Context {
        file: &file,
        facts: &facts,
        size: &BuildSize::default(),
        config: &config,
        context,
        images: &ImageBook::embedded(),
        today: None,
        start: std::cell::OnceCell::new(),
    };
    let at = file.stages.last().map_or(TextSize::new(0), |stage| stage.from.at);
    multi_stage::offer(&ctx, TextRange::empty(at))
}

fn converted(text: &str, context: &BuildContext) -> String {
    match offers(text, context).as_slice() {
        [Offer::Assist(assist)] => assist.edit.apply(text),
        other => panic!("{other:?}"),
    }
}

fn check(change: impl Fn(&str) -> String) {
    for folder in examples() {
        let read = |name: &str| fs::read_to_string(folder.join(name)).expect("a Dockerfile");
        let (before, after) = (change(&read("before.Dockerfile")), change(&read("after.Dockerfile")));
        let context = application(&folder);
        assert_eq!(converted(&before, &context), after, "{}", folder.display());
        for offer in offers(&after, &context) {
            assert!(
                matches!(offer, Offer::Refusal(_)),
                "the output of {} is converted again: {offer:?}",
                folder.display()
            );
        }
    }
}

#[test]
fn the_examples_come_out_byte_for_byte() {
    check(str::to_owned);
}

#[test]
fn line_ends_stay_as_they_are() {
    check(|text| match text.contains("<<EOF") {
        // BuildKit hands the body of a heredoc to the shell as it is.
        true => text.to_owned(),
        false => text.replace('\n', "\r\n"),
    });
    check(|text| text.trim_end().to_owned());
}

#[test]
fn new_keywords_are_spelt_as_from_is() {
    const WORDS: [&str; 10] = ["ARG", "FROM", "WORKDIR", "COPY", "RUN", "EXPOSE", "CMD", "ENV", "USER", "HEALTHCHECK"];
    check(|text| {
        let lines = text.lines().map(|line| {
            let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
            match WORDS.contains(&first) {
                true => format!("{} {}", first.to_lowercase(), rest.replace(" AS ", " as ")).trim_end().to_owned(),
                false => line.to_owned(),
            }
        });
        lines.map(|line| line + "\n").collect()
    });
}

#[test]
fn comments_and_blank_lines_stay_with_their_instructions() {
    let context = application(&examples()[0]);
    let before = "# syntax=docker/dockerfile:1\n# The shop.\nFROM node:18\n\n# Where it lives.\nWORKDIR /app\n\nCOPY . .\n\n\
                  # Everything.\nRUN npm install && npm run build\n\n# The port.\nEXPOSE 3000\nCMD [\"npm\", \"start\"]\n# The end.\n";
    let after = "# syntax=docker/dockerfile:1\n# The shop.\nFROM node:18 AS build\n\n# Where it lives.\nWORKDIR /app\n\nCOPY . .\n\n\
                 # Everything.\nRUN npm install && npm run build\n\nRUN npm prune --omit=dev\n\nFROM node:18-slim\n\nWORKDIR /app\n\n\
                 COPY --from=build /app ./\n\n# The port.\nEXPOSE 3000\nCMD [\"npm\", \"start\"]\n# The end.\n";
    assert_eq!(converted(before, &context), after);
}

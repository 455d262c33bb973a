//! Laws that hold for any text and any edit, on real-looking files and on random changes of them.
//!
//! `PLIMSOLL_EDITS` sets how many edits are made (2,000), `PLIMSOLL_CORPUS` a folder of further files, `PLIMSOLL_SEED`
//! the seed. A failure prints the text before and the change.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use plimsoll::analysis::{Analysis, Inputs};
use plimsoll::assists::Offer;
use plimsoll::config::Config;
use plimsoll::context::BuildContext;
use plimsoll::date::Date;
use plimsoll::document::{Change, Document};
use plimsoll::images::ImageBook;
use plimsoll::segment;
use plimsoll::syntax;
use plimsoll::text::position::{self, Encoding};
use plimsoll::text::{TextRange, TextSize};
use ropey::Rope;

/// A small generator of pseudo-random numbers (xorshift), so that a run can be repeated.
struct Random(u64);

impl Random {
    fn new(law: u64) -> Random {
        let seed = std::env::var("PLIMSOLL_SEED").map_or(1, |seed| seed.parse().expect("PLIMSOLL_SEED is a number"));
        Random(seed * 0x9e37_79b9_7f4a_7c15 + law)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// An offset of the text on a character boundary.
    fn offset(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

/// What people type, and what breaks parsers.
const PIECES: [&str; 48] = [
    "a",
    " ",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\\",
    "\\\n",
    "`",
    "#",
    "# x\n",
    "\"",
    "'",
    "$",
    "${",
    "}",
    "{{",
    "(",
    ")",
    "&&",
    "||",
    ";",
    "|",
    "&",
    "<<EOF\n",
    "<<-E",
    "EOF\n",
    "[",
    "]",
    ",",
    "=",
    "--from=",
    "--mount=type=cache,target=/x ",
    "RUN ",
    "FROM ",
    "COPY . .",
    "ENV A=b ",
    "ARG X=1\n",
    "ONBUILD ",
    "SHELL [\"pwsh\"]\n",
    "AS ",
    "CMD [\"a\"]\n",
    "apt-get update",
    "npm ci",
    "é",
    "😀",
    "\u{2028}",
    "\u{feff}",
];

fn n_edits() -> usize {
    std::env::var("PLIMSOLL_EDITS").map_or(2_000, |edits| edits.parse().expect("PLIMSOLL_EDITS is a number"))
}

fn corpus() -> Vec<String> {
    let mut res = Vec::new();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for name in ["segments.jsonl", "errors.jsonl"] {
        let lines = fs::read_to_string(tests.join("buildkit").join(name)).expect("BuildKit's verdicts are there");
        for line in lines.lines() {
            let case: serde_json::Value = serde_json::from_str(line).expect("a case a line");
            res.push(case["text"].as_str().expect("a text").to_owned());
        }
    }
    for folder in ["multi-stage", "dockerfiles", "editors/fixture"] {
        files(&tests.join(folder), &mut res);
    }
    if let Some(folder) = std::env::var_os("PLIMSOLL_CORPUS") {
        files(Path::new(&folder), &mut res);
    }
    assert!(res.len() > 500);
    res
}

fn files(folder: &Path, acc: &mut Vec<String>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("it can be read").path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            files(&path, acc);
        } else if name.contains("Dockerfile") {
            acc.extend(String::from_utf8(fs::read(&path).expect("it can be read")).ok());
        }
    }
}

/// A random replacement: what goes, and what comes instead.
fn random_change(random: &mut Random, text: &str) -> (usize, usize, String) {
    let start = random.offset(text);
    let mut end = (start + random.below(12)).min(text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    match random.below(4) {
        0 => (start, end, String::new()),
        1 => (start, end, (*random.of(&PIECES)).to_owned()),
        _ => (start, start, (*random.of(&PIECES)).to_owned()),
    }
}

fn inputs(text: &str, images: &Arc<ImageBook>, context: &Arc<BuildContext>) -> Inputs {
    Inputs {
        text: text.into(),
        config: Arc::new(Config::default()),
        context: Arc::clone(context),
        images: Arc::clone(images),
        today: Date::parse("2026-11-21"),
        ..Inputs::default()
    }
}

fn harbour() -> Arc<BuildContext> {
    let manifest =
        r#"{"scripts": {"build": "tsc", "start": "node dist/a.js"}, "devDependencies": {"typescript": "5"}}"#;
    Arc::new(BuildContext::of_texts([("package.json", manifest), ("package-lock.json", "{}"), ("src/a.ts", "")]))
}

#[test]
fn an_incremental_analysis_equals_one_from_nothing() {
    let random = &mut Random::new(1);
    let corpus = corpus();
    let images = Arc::new(ImageBook::embedded());
    let contexts = [Arc::default(), harbour()];
    let mut n_done = 0;
    while n_done < n_edits() {
        let mut text = random.of(&corpus).clone();
        let context = random.of(&contexts).clone();
        let mut document = Document::open(0, &text);
        let mut before = Analysis::of(inputs(&text, &images, &context), None);
        document.tree();
        for _ in 0..1 + random.below(20) {
            let encoding = *random.of(&[Encoding::Utf8, Encoding::Utf16, Encoding::Utf32]);
            let (start, end, insert) = random_change(random, &text);
            let range = TextRange::new(TextSize::new(start as u32), TextSize::new(end as u32));
            let places = position::line_cols(document.rope(), range, encoding);
            let told = format!("{text:?}\n{start}..{end} -> {insert:?} in {encoding:?}");
            // An editor cannot name a place between the two characters of a line end.
            let named = position::range(document.rope(), places.clone(), encoding);
            document.change(0, &[Change { range: Some(places), text: insert.clone() }], encoding);
            text.replace_range(usize::from(named.start())..usize::from(named.end()), &insert);
            assert_eq!(*document.text(), *text, "the buffer after {told}");
            let fresh_tree = syntax::parse(&Rope::from_str(&text), None);
            assert_eq!(syntax::sexp(document.tree()), syntax::sexp(&fresh_tree), "the tree after {told}");
            let now = Analysis::of(inputs(&text, &images, &context), Some(&before));
            let fresh = Analysis::of(inputs(&text, &images, &context), None);
            assert!(now.file == fresh.file, "the model after {told}");
            assert!(now.facts == fresh.facts, "the facts after {told}");
            assert!(now.size == fresh.size, "the sizes after {told}");
            assert!(now.findings == fresh.findings, "the findings after {told}");
            before = now;
            n_done += 1;
        }
    }
}

#[test]
fn instructions_ascend_and_leave_out_only_blanks_and_comments() {
    let random = &mut Random::new(2);
    let corpus = corpus();
    for _ in 0..n_edits() {
        let mut text = random.of(&corpus).clone();
        let (start, end, insert) = random_change(random, &text);
        text.replace_range(start..end, &insert);
        let mut at = 0;
        let mut next_line = 0;
        for it in segment::segment(&text).segments {
            let between = &text[at..usize::from(it.range.start())];
            let is_left_out = |line: &str| {
                let line = line.trim_start_matches('\u{feff}').trim();
                line.is_empty() || line.starts_with('#')
            };
            assert!(between.split('\n').all(is_left_out), "{between:?} of {text:?}");
            assert!(it.first_line >= next_line && it.last_line >= it.first_line, "{text:?}");
            at = usize::from(it.range.end());
            next_line = it.last_line + 1;
        }
    }
}

#[test]
fn positions_go_there_and_back_in_all_encodings() {
    let random = &mut Random::new(3);
    let corpus = corpus();
    for _ in 0..n_edits() {
        let mut text = random.of(&corpus).clone();
        let (start, end, insert) = random_change(random, &text);
        text.replace_range(start..end, &insert);
        let rope = Rope::from_str(&text);
        let at = random.offset(&text);
        for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
            let place = position::line_col(&rope, TextSize::new(at as u32), encoding);
            let back = usize::from(position::offset(&rope, place, encoding));
            // Behind the `\r` of a `\r\n` there is no place of its own.
            let inside_line_end = text.as_bytes().get(..at).is_some_and(|it| it.ends_with(b"\r"))
                && text.as_bytes().get(at) == Some(&b'\n');
            assert_eq!(back, at - usize::from(inside_line_end), "{encoding:?} {text:?}");
        }
    }
}

#[test]
fn nothing_panics_and_every_edit_applies() {
    let random = &mut Random::new(4);
    let corpus = corpus();
    let images = Arc::new(ImageBook::embedded());
    let contexts = [Arc::default(), harbour()];
    for round in 0..n_edits() / 2 {
        let text = if round % 8 == 0 {
            let bytes: Vec<u8> = (0..random.below(200)).map(|_| random.below(256) as u8).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        } else {
            // Two files, each half deleted, one behind the other.
            let (first, second) = (random.of(&corpus).clone(), random.of(&corpus).clone());
            let (first_end, second_start) = (random.offset(&first), random.offset(&second));
            first[..first_end].to_owned() + &second[second_start..]
        };
        let analysis = Analysis::of(inputs(&text, &images, random.of(&contexts)), None);
        for finding in &analysis.findings {
            assert!(text.get(bytes(finding.range)).is_some(), "{finding:?} of {text:?}");
            if let Some(fix) = &finding.fix {
                applies(&text, &fix.edit);
            }
        }
        let (from, to) = (random.offset(&text), random.offset(&text));
        let (from, to) = (TextSize::new(from.min(to) as u32), TextSize::new(from.max(to) as u32));
        let _ = analysis.hover(from);
        for inlay in analysis.inlays(TextRange::new(from, to), true) {
            assert!(from <= inlay.at && inlay.at <= to, "{inlay:?} is not in {from:?}..{to:?}");
            assert!(text.get(inlay.at.into()..).is_some_and(|rest| rest.is_empty() || rest.starts_with(['\r', '\n'])));
        }
        let ranges: Vec<TextRange> = analysis.lenses().into_iter().map(|lens| lens.range).collect();
        assert!(ranges.iter().all(|range| text.get(usize::from(range.start())..usize::from(range.end())).is_some()));
        for range in [TextRange::empty(from), TextRange::new(from, to)] {
            for offer in analysis.assists(range) {
                if let Offer::Assist(assist) = offer {
                    applies(&text, &assist.edit);
                }
            }
        }
        analysis.wanted_files();
    }
}

/// The edit lies in the text, and the text after it has no more faults than before.
fn applies(text: &str, edit: &plimsoll::text::TextEdit) {
    for indel in edit.indels() {
        assert!(text.get(bytes(indel.delete)).is_some(), "{indel:?} of {text:?}");
    }
    let n_faults =
        |text: &str| plimsoll::lower::file(text.into(), &plimsoll::lower::Build::default(), None).faults.len();
    let after = edit.apply(text);
    assert!(n_faults(&after) <= n_faults(text), "{text:?}\nbecame\n{after:?}");
}

fn bytes(range: TextRange) -> std::ops::Range<usize> {
    range.into()
}

//! What a tag says by its words: version, variant, distribution and the rest (`3.11.4-slim-bookworm`). Never allocates.

use std::ops::Range;

use crate::table::hash;

/// A tag in its parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tag<'a> {
    /// All of it.
    pub(super) text: &'a str,
    /// `3.11.4`; empty where it has none.
    pub(super) version: &'a str,
    /// Its numbers: at most three, from the left.
    pub(super) numbers: [Option<u32>; 3],
    /// Which kind of image of its repository.
    pub(super) variant: Variant,
    /// `bookworm`, `alpine3.20`, if it names one.
    pub(super) distro: Option<&'a str>,
    /// A day as in `bookworm-20240110`.
    pub(super) dated: bool,
    /// The words that are nothing else, in order: `fpm`, `jdk`, `eclipse`, `temurin`, `21`; the first eight.
    words: [&'a str; WORDS],
    /// How many there are.
    word_count: usize,
    /// A Windows image: the tables have none.
    pub(super) windows: bool,
}

/// How many words are kept.
const WORDS: usize = 8;

/// Which kind of image of a repository: those of one kind are alike in size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variant {
    /// Neither of the others.
    Full,
    /// `slim`
    Slim,
    /// `alpine`
    Alpine,
    /// `chiseled` or `distroless`
    Chiseled,
}

impl Variant {
    /// The word of size-ratios.tsv.
    pub(super) fn name(self) -> &'static str {
        match self {
            Variant::Full => "full",
            Variant::Slim => "slim",
            Variant::Alpine => "alpine",
            Variant::Chiseled => "chiseled",
        }
    }
}

/// Code names of Debian and Ubuntu that tags use, in order.
const SUITES: [&str; 30] = [
    "artful", "bionic", "bookworm", "bullseye", "buster", "cosmic", "disco", "eoan", "focal", "forky", "groovy",
    "hirsute", "impish", "jammy", "jessie", "lunar", "noble", "precise", "resolute", "sid", "stretch", "trixie",
    "trusty", "utopic", "vivid", "wheezy", "wily", "xenial", "yakkety", "zesty",
];

/// Other distributions, each followed by its version.
const NUMBERED: [&str; 8] = ["alpine", "ubi", "al2", "amazonlinux", "oraclelinux", "azurelinux", "mariner", "ubuntu"];

impl<'a> Tag<'a> {
    pub(super) fn parse(text: &'a str) -> Tag<'a> {
        let mut res = Tag {
            text,
            version: "",
            numbers: [None; 3],
            variant: Variant::Full,
            distro: None,
            dated: false,
            words: [""; WORDS],
            word_count: 0,
            windows: false,
        };
        for (idx, word) in text.split('-').enumerate() {
            match part(word, idx) {
                Part::Version => {
                    res.version = word;
                    res.numbers = numbers(word);
                }
                Part::Variant(variant) => {
                    if res.variant == Variant::Full || variant == Variant::Chiseled {
                        res.variant = variant;
                    }
                }
                Part::Distro => {
                    res.distro = Some(word);
                    if word.starts_with("alpine") {
                        res.variant = Variant::Alpine;
                    }
                }
                Part::Day => res.dated = true,
                Part::Windows => res.windows = true,
                Part::Nothing => {}
                Part::Other => {
                    if let Some(slot) = res.words.get_mut(res.word_count) {
                        *slot = word;
                        res.word_count += 1;
                    }
                }
            }
        }
        res
    }

    /// The variant as a number, which is another one for Windows.
    pub(super) fn kind(&self) -> u32 {
        if self.windows { u32::MAX } else { self.variant as u32 }
    }

    /// A number that stands for its words: 0 where it has none.
    pub(super) fn words_mark(&self) -> u32 {
        mark(self.words())
    }

    /// The words that are nothing else.
    pub(super) fn words(&self) -> &[&'a str] {
        self.words.get(..self.word_count).unwrap_or_default()
    }

    /// Where a word of the tag stands in it.
    pub(super) fn range(self, word: &str) -> Option<Range<usize>> {
        let mut start = 0;
        for it in self.text.split('-') {
            if it == word {
                return Some(start..start + it.len());
            }
            start += it.len() + 1;
        }
        None
    }
}

/// A number of a version as the table has it: one more than it is, 0 for none.
pub(super) fn stored(number: Option<u32>) -> u32 {
    number.map_or(0, |number| number.saturating_add(1))
}

/// A number that stands for a name: 0 for none.
pub(super) fn named(name: Option<&str>) -> u32 {
    mark(name.as_slice())
}

/// A number that stands for words: 0 for none.
fn mark(words: &[&str]) -> u32 {
    if words.is_empty() {
        return 0;
    }
    hash(words.iter().flat_map(|word| word.bytes().chain([b'-']))).max(1)
}

#[derive(PartialEq, Eq)]
enum Part {
    Version,
    Variant(Variant),
    Distro,
    Day,
    Windows,
    /// `latest`, or an architecture, which the platform says as well.
    Nothing,
    Other,
}

fn part(word: &str, idx: usize) -> Part {
    let digits = |text: &str| text.starts_with(|first: char| first.is_ascii_digit());
    let numbered = || {
        let is_it = |name: &&str| word.strip_prefix(*name).is_some_and(|rest| digits(rest) || *name == "al2");
        word.bytes().any(|byte| byte.is_ascii_digit()) && NUMBERED.iter().any(is_it)
    };
    match word {
        "slim" => Part::Variant(Variant::Slim),
        "alpine" => Part::Variant(Variant::Alpine),
        "chiseled" | "distroless" => Part::Variant(Variant::Chiseled),
        "latest" | "" | "amd64" | "arm64v8" | "arm64" | "arm32v7" => Part::Nothing,
        _ if idx == 0 && (digits(word) || word.strip_prefix('v').is_some_and(digits)) => Part::Version,
        _ if word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_digit()) => Part::Day,
        _ if SUITES.binary_search(&word).is_ok() || numbered() => Part::Distro,
        _ if word.starts_with("windowsservercore") || word.starts_with("nanoserver") => Part::Windows,
        _ => Part::Other,
    }
}

/// The first numbers of a version: `3.11.4` is 3, 11, 4; `8u151` is 8, 151; what follows other letters does not count.
fn numbers(word: &str) -> [Option<u32>; 3] {
    let mut res = [None; 3];
    let word = word.strip_prefix('v').unwrap_or(word);
    let end = word.find(|it: char| !it.is_ascii_digit() && !matches!(it, '.' | 'u' | '_' | '+')).unwrap_or(word.len());
    let pieces = word.get(..end).unwrap_or_default().split(['.', 'u', '_', '+']);
    for (slot, piece) in res.iter_mut().zip(pieces) {
        let Ok(number) = piece.parse() else { break };
        *slot = Some(number);
    }
    res
}

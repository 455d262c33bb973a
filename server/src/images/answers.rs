//! What registries said of images: figures that go before those of every table.
//!
//! Nothing is asked here; the edge puts in what it learned.

use std::collections::HashMap;

use crate::date::Date;
use crate::model::{ImageRef, Platform};

/// What a registry said of an image for one platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The sum of the compressed layers, in bytes.
    pub pull: u64,
    /// How many layers.
    pub layers: u32,
    /// The day it was asked.
    pub asked: Date,
    /// The digest of what the name stood for that day: an index, or a manifest.
    pub digest: String,
}

/// Answers, by the whole name of the image and the platform that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Answers(HashMap<(String, Platform), Answer>);

impl Answers {
    /// Takes an answer in, instead of one that was there.
    pub fn insert(&mut self, image: &ImageRef, platform: &Platform, answer: Answer) {
        self.0.insert((whole_name(image), platform.clone()), answer);
    }

    /// The answer for an image.
    pub fn get(&self, image: &ImageRef, platform: &Platform) -> Option<&Answer> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&(whole_name(image), platform.clone()))
    }
}

/// The name of an image with everything that the user may leave out: `docker.io/library/node:latest`, with a digest
/// behind it where one is written.
pub fn whole_name(image: &ImageRef) -> String {
    let mut res = image.repository();
    if let Some(tag) = image.tag_or_latest() {
        res.push(':');
        res.push_str(tag);
    }
    if let Some(digest) = &image.digest {
        res.push('@');
        res.push_str(digest);
    }
    res
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Answer, Answers};
    use crate::date::Date;
    use crate::images::newer::{COLUMNS, Newer};
    use crate::images::{ImageBook, ImageFacts};
    use crate::model::{ImageRef, Platform};
    use crate::weight::{Basis, Size};

    /// What is known of an image when a registry and a newer table know these ones.
    fn known(image: &str, answered: &[&str], rows: &[&str]) -> Option<ImageFacts> {
        let reference = |text: &str| ImageRef::parse(text).expect("a reference");
        let mut answers = Answers::default();
        for text in answered {
            let asked = Date { year: 2026, month: 12, day: 24 };
            let answer = Answer { pull: 50_000_000, layers: 3, asked, digest: String::new() };
            answers.insert(&reference(text), &Platform::default(), answer);
        }
        let table = format!("{}\n{}\n", COLUMNS.join("\t"), rows.join("\n"));
        let book = ImageBook::default().with_answers(Arc::new(answers)).with_newer(Arc::new(Newer::parse(&table)));
        book.look_up(&reference(image), &Platform::default())
    }

    fn source(facts: Option<ImageFacts>) -> String {
        facts.and_then(|facts| facts.pull).map(|pull| pull.source).unwrap_or_default()
    }

    const NEWER: &str = "docker.io/library/node\t22-slim\tlinux/amd64\t60000000\t\t\t5\t2026-12-01\treg";

    #[test]
    fn a_registrys_answer_goes_before_the_newer_table_and_that_before_the_embedded_one() {
        assert_eq!(
            source(known("node:22-slim", &["docker.io/library/node:22-slim"], &[NEWER])),
            "registry, 2026-12-24"
        );
        assert_eq!(source(known("node:22-slim", &["node:20"], &[NEWER])), "table, 2026-12-01");
        assert!(source(known("node:22-slim", &["node:20"], &[])).contains("2026-0"));
        let older = NEWER.replace("2026-12-01", "2020-01-01");
        assert!(source(known("node:22-slim", &[], &[&older])).contains("2026-0"));
    }

    #[test]
    fn what_a_registry_did_not_say_is_the_ratios_word() {
        let facts = known("node:22-slim", &["node:22-slim"], &[]).expect("it answered");
        let (pull, unpacked) = (facts.pull.expect("a figure"), facts.unpacked.expect("a figure"));
        assert_eq!((pull.basis, pull.low, pull.high), (Basis::Registry, Size(50_000_000), Size(50_000_000)));
        assert_eq!(unpacked.basis, Basis::Relative);
        assert!(unpacked.low < unpacked.likely && unpacked.likely < unpacked.high && unpacked.low > pull.high);
        assert_eq!(unpacked.source, "registry, 2026-12-24, by the usual ratio");
    }

    #[test]
    fn an_image_of_an_unknown_repository_is_known_once_it_was_asked() {
        assert_eq!(known("registry.example/team/app:1", &[], &[]), None);
        let facts = known("registry.example/team/app:1", &["registry.example/team/app:1"], &[]).expect("it answered");
        assert!(facts.pull.is_some() && facts.unpacked.is_some() && facts.layers == Some(3));
    }

    #[test]
    fn a_digest_alone_has_no_ratio() {
        let image = format!("node@sha256:{}", "0a".repeat(32));
        let facts = known(&image, &[&image], &[]).expect("it answered");
        assert!(facts.pull.is_some() && facts.unpacked.is_none());
    }

    #[test]
    fn the_tags_that_still_move_are_those_of_the_official_list() {
        let tags: Vec<String> = ImageBook::embedded().moving_tags().into_iter().map(|it| it.text).collect();
        let has = |tag: &str| tags.iter().any(|it| it == tag);
        assert!(has("docker.io/library/node:22") && !has("docker.io/library/node:18"), "{tags:?}");
        assert!((200..1_000).contains(&tags.len()), "{}", tags.len());
    }
}

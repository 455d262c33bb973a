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

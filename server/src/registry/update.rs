//! A newer table of images, made by asking registries and kept beside the cache.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::images::answers::Answer;
use crate::images::newer::{Newer, Row};
use crate::model::{ImageRef, Platform};
use crate::registry::cache;
use crate::registry::{Registry, Trouble, TroubleKind};

/// The name of the table in the cache folder.
pub const FILE_NAME: &str = "base-images.tsv";

/// What the column `source` says of a row that a registry gave.
const SOURCE: &str = "reg";

/// The platforms of a table.
const PLATFORMS: [&str; 2] = ["linux/amd64", "linux/arm64"];

/// How many images are asked for together.
const TOGETHER: usize = 4;

/// What became of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updated {
    /// The image.
    pub image: ImageRef,
    /// How many rows it got.
    pub n_rows: usize,
    /// Why it got none, or not all.
    pub trouble: Option<Trouble>,
}

/// Asks for these images and puts their rows into the table; tells of each when it is done. Ends early when the registry
/// wants to be left alone or cannot be reached; the trouble that ended it is returned. Without a platform the image has no
/// row of it, which is no trouble.
pub async fn update(
    registry: &Arc<Registry>,
    images: &[ImageRef],
    table: &mut Newer,
    mut tell: impl FnMut(&Updated),
) -> Option<Trouble> {
    for images in images.chunks(TOGETHER) {
        let pairs: Vec<(ImageRef, Platform)> = images.iter().flat_map(with_platforms).collect();
        let mut answers = registry.ask(&pairs).await.into_iter();
        let mut end = None;
        for image in images {
            let mut updated = Updated { image: image.clone(), n_rows: 0, trouble: None };
            for (platform, answer) in with_platforms(image).map(|(_, platform)| platform).zip(answers.by_ref()) {
                match answer {
                    Ok(answer) => {
                        insert(table, image, &platform, &answer);
                        updated.n_rows += 1;
                    }
                    Err(trouble) => match trouble.kind {
                        TroubleKind::Platform => {}
                        TroubleKind::Host | TroubleKind::Limit => end = Some(trouble),
                        TroubleKind::Image | TroubleKind::Remembered => updated.trouble = Some(trouble),
                    },
                }
            }
            tell(&updated);
        }
        if end.is_some() {
            return end;
        }
    }
    None
}

fn with_platforms(image: &ImageRef) -> impl Iterator<Item = (ImageRef, Platform)> {
    PLATFORMS.iter().filter_map(|platform| Some((image.clone(), Platform::parse(platform)?)))
}

fn insert(table: &mut Newer, image: &ImageRef, platform: &Platform, answer: &Answer) {
    let Some(tag) = image.tag_or_latest() else { return };
    let row = Row {
        compressed: Some(answer.pull),
        uncompressed: None,
        layers: Some(answer.layers),
        date: answer.asked.to_string(),
        source: SOURCE.to_owned(),
    };
    table.0.insert([image.repository(), tag.to_owned(), platform.to_string()], row);
}

/// Writes the table, whole.
pub fn write(table: &Newer, file: &Path) -> io::Result<()> {
    cache::write(file, table.text().as_bytes())
}

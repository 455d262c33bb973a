//! What was looked up already: a keystroke asks the same few questions about the same images again.

use std::collections::HashMap;
use std::sync::Arc;

use crate::images::{Counterpart, ImageFacts, Traits};
use crate::memo::Memo;
use crate::model::{ImageRef, Platform};
use crate::packages::AptClosure;

/// What was asked of one image.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Its figures, for each platform that was asked for.
    pub(super) figures: Vec<(Platform, Option<ImageFacts>)>,
    /// Its slimmer counterparts, in the same way.
    pub(super) counterparts: Vec<(Platform, Vec<Counterpart>)>,
    /// What kind of image it is.
    pub(super) traits: Option<Option<Arc<Traits>>>,
    /// The Debian packages it brings.
    pub(super) packages: Option<Option<Arc<AptClosure>>>,
}

/// With more images than this the memory is emptied: while a name is typed, every beginning of it is asked for.
const MOST: usize = 256;

/// Makes room for the images of most files at once, so that the first of them need not wait for it.
pub(super) fn make_room(memo: &Memo<HashMap<ImageRef, Known>>) {
    memo.known().reserve(16);
}

/// Asks for something about an image, which `answer` takes from what is known or adds to it.
pub(super) fn ask<T>(
    memo: &Memo<HashMap<ImageRef, Known>>,
    image: &ImageRef,
    answer: impl FnOnce(&mut Known) -> T,
) -> T {
    let mut images = memo.known();
    if let Some(known) = images.get_mut(image) {
        return answer(known);
    }
    if images.len() >= MOST {
        images.clear();
    }
    answer(images.entry(image.clone()).or_default())
}

/// The answer for a platform, found among those that were given or worked out.
pub(super) fn of_platform<T: Clone>(known: &mut Vec<(Platform, T)>, platform: &Platform, new: impl FnOnce() -> T) -> T {
    if let Some((_, answer)) = known.iter().find(|(of, _)| of == platform) {
        return answer.clone();
    }
    let res = new();
    known.push((platform.clone(), res.clone()));
    res
}

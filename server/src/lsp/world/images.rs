//! What the server remembers of images: which of them were asked for, and what tables and registries say.

use std::sync::Arc;

use tower_lsp::ls_types::Uri;

use crate::analysis::Analysis;
use crate::disk::tables::Stamp;
use crate::images::answers::{Answer, Answers};
use crate::images::newer::Newer;
use crate::lsp::world::{Open, World};
use crate::model::{ImageRef, Platform};
use crate::registry::may_ask;

/// An image that a registry is asked for.
pub(crate) type Asked = (ImageRef, Platform);

impl World {
    /// The images that the last analysis of a document names, that registries may be asked for and were not yet. They count
    /// as asked for from now on.
    pub(crate) fn take_images(&mut self, uri: &Uri) -> Vec<Asked> {
        let Some(open) = self.documents.get_mut(uri) else { return Vec::new() };
        let registry = &open.config.registry;
        let Some(analysis) = open.analysis.as_ref().filter(|_| registry.enabled && open.settled) else {
            return Vec::new();
        };
        // Most often there is nothing new: then nothing is copied.
        let is_new = |(image, platform): &(&ImageRef, &Platform)| {
            let was_asked = open.asked_images.iter().any(|it| is(it, image, platform));
            !was_asked && self.images.answers().get(image, platform).is_none() && may_ask(registry, image)
        };
        let new = analysis.base_images().into_iter().filter(is_new);
        let res: Vec<Asked> = new.map(|(image, platform)| (image.clone(), platform.clone())).collect();
        open.asked_images.extend(res.iter().cloned());
        res
    }

    /// Those of the images that the last analysis of a document still names; the others may be asked for another time.
    pub(crate) fn still_named(&mut self, uri: &Uri, mut asked: Vec<Asked>) -> Vec<Asked> {
        let Some(open) = self.documents.get_mut(uri) else { return Vec::new() };
        let named = open.analysis.as_ref().map(|analysis| analysis.base_images()).unwrap_or_default();
        asked.retain(|it| {
            let is_named = named.iter().any(|(image, platform)| is(it, image, platform));
            if !is_named {
                open.asked_images.retain(|other| other != it);
            }
            is_named
        });
        asked
    }

    /// Begins a look-up for a document; it ends when the document is closed or its settings forbid it.
    pub(crate) fn begin_look_up(&mut self, uri: &Uri, task: impl Future<Output = ()> + Send + 'static) {
        let Some(open) = self.documents.get_mut(uri) else { return };
        while open.look_ups.try_join_next().is_some() {}
        open.look_ups.spawn(task);
    }

    /// Ends all look-ups.
    pub(crate) fn stop_look_ups(&mut self) {
        for open in self.documents.values_mut() {
            open.look_ups.abort_all();
        }
    }

    /// Takes in what registries answered; the documents that name one of the images, with their new states.
    pub(crate) fn learn_answers(&mut self, known: Vec<(Asked, Answer)>) -> Vec<(Uri, u64)> {
        if known.is_empty() {
            return Vec::new();
        }
        let mut answers = Answers::clone(self.images.answers());
        for ((image, platform), answer) in &known {
            answers.insert(image, platform, answer.clone());
        }
        self.images = Arc::new(self.images.with_answers(Arc::new(answers)));
        let named = |analysis: &Analysis| {
            let images = analysis.base_images();
            known.iter().any(|((image, platform), _)| images.contains(&(image, platform)))
        };
        self.renew(|open| open.analysis.as_deref().is_some_and(named))
    }

    /// What the newer table was when it was read.
    pub(crate) fn newer_stamp(&self) -> Option<&Stamp> {
        self.newer.as_ref()
    }

    /// Takes in a newer table of images; all documents with their new states.
    pub(crate) fn learn_newer(&mut self, stamp: Option<Stamp>, newer: Newer) -> Vec<(Uri, u64)> {
        self.newer = stamp;
        self.images = Arc::new(self.images.with_newer(Arc::new(newer)));
        self.renew(|_| true)
    }

    /// Gives the documents of which this holds a new state.
    fn renew(&mut self, is_touched: impl Fn(&Open) -> bool) -> Vec<(Uri, u64)> {
        let mut res = Vec::new();
        for (uri, open) in &mut self.documents {
            if is_touched(open) {
                self.n_states += 1;
                open.state = self.n_states;
                res.push((uri.clone(), open.state));
            }
        }
        res
    }
}

/// Whether this is what was asked for.
fn is(asked: &Asked, image: &ImageRef, platform: &Platform) -> bool {
    asked.0 == *image && asked.1 == *platform
}

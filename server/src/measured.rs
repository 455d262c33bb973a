//! What the layers of a built image really weighed, laid on the instructions that made them.
//!
//! [`crate::engine`] reads an image; [`lay`] finds which instruction made which of its layers.
//! **Invariant:** a figure counts only for the text it was measured with: as soon as an instruction changes, its estimate
//! stands again.

mod created_by;
pub mod lay;
pub mod waste;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::model::{Base, File};

/// A built image: how it was made, from the lowest layer to the highest.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct BuiltImage {
    /// Its name, as the user gave it.
    pub name: String,
    /// The shell of its configuration; empty where it is the default.
    pub shell: Vec<String>,
    /// Whether it has triggers (ONBUILD), which add to the history of what is built on it.
    pub has_triggers: bool,
    /// Its history with the weight of the layers.
    pub entries: Vec<Entry>,
}

/// One entry of an image's history.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Entry {
    /// What the builder wrote that made it (`COPY a b # buildkit`).
    pub created_by: String,
    /// The builder's remark.
    pub comment: String,
    /// Whether it made no layer.
    pub is_empty: bool,
    /// Bytes of the files in its layer.
    pub unpacked: u64,
    /// Bytes of the layer as it is pulled, where it was seen compressed.
    pub pull: Option<u64>,
}

/// The measured layers of one built image.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Measured {
    /// The image, as the user named it.
    pub image: String,
    /// All that lies below the first instruction of the file, and the base it was measured with; `None` when the file
    /// begins with nothing.
    pub base: Option<MeasuredLayer>,
    /// What the instructions made, in the order in which they were built, from the first stage of the chain to the target.
    pub layers: Vec<MeasuredLayer>,
    /// Lines (counting from 1) of instructions that are not what the image was built from.
    pub changed: Vec<u32>,
}

/// What one instruction made.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct MeasuredLayer {
    /// The text of the instruction it was measured with; of a base, the image that was named.
    pub text: Arc<str>,
    /// Bytes of the files in its layer.
    pub unpacked: u64,
    /// Bytes of the layer as it is pulled, where it was seen compressed.
    pub pull: Option<u64>,
    /// Something to say about it: that its files lie in a common layer.
    pub remark: Option<String>,
}

/// Which figures hold for a text.
#[derive(Clone, Debug, Default)]
pub struct Laid<'a> {
    /// The stage whose base was measured, and the figure.
    pub base: Option<(usize, &'a MeasuredLayer)>,
    layers: BTreeMap<(usize, usize), &'a MeasuredLayer>,
}

impl Measured {
    /// Which of the figures hold for this file: those of instructions whose text is still the one that was measured. Of
    /// several with the same text the first has the first one's figure.
    pub fn laid_on<'a>(&'a self, file: &File, target: usize) -> Laid<'a> {
        let chain = chain(file, target);
        let mut by_text: HashMap<&str, Vec<&MeasuredLayer>> = HashMap::new();
        for layer in self.layers.iter().rev() {
            by_text.entry(&layer.text).or_default().push(layer);
        }
        let mut res = Laid::default();
        for (at, stage) in chain.iter().filter_map(|idx| Some((*idx, file.stages.get(*idx)?))) {
            for (idx, placed) in stage.instructions.iter().enumerate() {
                let measured = by_text.get_mut(&*placed.instruction.text).and_then(Vec::pop);
                res.layers.extend(measured.map(|layer| ((at, idx), layer)));
            }
        }
        let first = chain.first().and_then(|idx| Some((*idx, file.stages.get(*idx)?)));
        res.base = first.zip(self.base.as_ref()).and_then(|((idx, stage), base)| {
            let is_same = base_text(&stage.base).is_some_and(|text| *text == *base.text);
            is_same.then_some((idx, base))
        });
        res
    }
}

impl<'a> Laid<'a> {
    /// What the instruction of this stage made.
    pub fn layer(&self, stage: usize, instruction: usize) -> Option<&'a MeasuredLayer> {
        self.layers.get(&(stage, instruction)).copied()
    }

    /// The measured instructions of a stage, by index.
    pub fn of_stage(&self, stage: usize) -> impl Iterator<Item = (usize, &'a MeasuredLayer)> {
        self.layers.range((stage, 0)..(stage + 1, 0)).map(|((_, instruction), layer)| (*instruction, *layer))
    }
}

/// The stages that the target is made of, the one on an image first.
fn chain(file: &File, target: usize) -> Vec<usize> {
    let mut res = vec![target];
    let mut at = target;
    while let Some(Base::Stage(parent)) = file.stages.get(at).map(|stage| &stage.base)
        && *parent < at
    {
        at = *parent;
        res.push(at);
    }
    res.reverse();
    res
}

/// The image that a base names; `None` for `scratch` and stages.
fn base_text(base: &Base) -> Option<&str> {
    match base {
        Base::Image(image) => Some(&image.text),
        Base::Unknown(text) => Some(text),
        Base::Scratch | Base::Stage(_) => None,
    }
}

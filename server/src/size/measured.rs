//! Measured figures in place of estimates, where the text is still the one that was measured.

use crate::facts::Facts;
use crate::measured::{Laid, Measured, MeasuredLayer};
use crate::model::File;
use crate::size::{LayerSize, StageSize};
use crate::weight::{Basis, Estimate};

/// The figures of a built image that hold for a file.
pub(super) struct Figures<'a> {
    image: &'a str,
    laid: Laid<'a>,
}

/// The figures that hold for the target and the stages it is built on.
pub(super) fn figures<'a>(measured: Option<&'a Measured>, file: &File, facts: &Facts) -> Option<Figures<'a>> {
    let (measured, target) = measured.zip(facts.target)?;
    Some(Figures { image: &measured.image, laid: measured.laid_on(file, target) })
}

impl Figures<'_> {
    /// Puts them into a stage after it was estimated.
    pub(super) fn replace(&self, stage: usize, size: &mut StageSize) {
        if let Some((_, base)) = self.laid.base.filter(|(of, _)| *of == stage) {
            size.base_unpacked = Some(self.exact(base.unpacked));
            size.base_incomplete = false;
            size.via = None;
            size.date = None;
            if let Some(pull) = base.pull {
                size.base_pull = Some(self.exact(pull));
            }
        }
        for (instruction, measured) in self.laid.of_stage(stage) {
            match size.layers.iter_mut().find(|layer| layer.instruction == instruction) {
                Some(layer) => self.measure(layer, measured),
                // What a WORKDIR or an ENV makes is worth a line only if it weighs something.
                None if measured.unpacked == 0 => {}
                None => {
                    let mut layer = LayerSize { instruction, adds: None, pull: None, why: String::new() };
                    self.measure(&mut layer, measured);
                    size.layers.push(layer);
                }
            }
        }
        size.layers.sort_by_key(|layer| layer.instruction);
    }

    fn measure(&self, layer: &mut LayerSize, measured: &MeasuredLayer) {
        layer.adds = Some(self.exact(measured.unpacked));
        layer.why = measured.remark.clone().unwrap_or_default();
        if let Some(pull) = measured.pull.or((measured.unpacked == 0).then_some(0)) {
            layer.pull = Some(self.exact(pull));
        }
    }

    fn exact(&self, bytes: u64) -> Estimate {
        Estimate::exact(bytes, Basis::Measured, format!("measured, {}", self.image))
    }
}

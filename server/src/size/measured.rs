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
                    let mut layer = LayerSize {
                        instruction,
                        adds: None,
                        pull: None,
                        incomplete: false,
                        why: String::new(),
                        again: Vec::new(),
                    };
                    self.measure(&mut layer, measured);
                    size.layers.push(layer);
                }
            }
        }
        size.layers.sort_by_key(|layer| layer.instruction);
    }

    fn measure(&self, layer: &mut LayerSize, measured: &MeasuredLayer) {
        layer.adds = Some(self.exact(measured.unpacked));
        layer.incomplete = false;
        layer.why = measured.remark.clone().unwrap_or_default();
        if let Some(pull) = measured.pull.or((measured.unpacked == 0).then_some(0)) {
            layer.pull = Some(self.exact(pull));
        }
    }

    fn exact(&self, bytes: u64) -> Estimate {
        Estimate::exact(bytes, Basis::Measured, format!("measured, {}", self.image))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::analysis::{Analysis, Inputs};
    use crate::measured::{Measured, MeasuredLayer};
    use crate::weight::Basis;

    fn layer(text: &str, unpacked: u64) -> MeasuredLayer {
        MeasuredLayer { text: text.into(), unpacked, pull: Some(unpacked / 2), remark: None }
    }

    /// The measured figures of a text: the line, its bytes and what is pulled of it; then the sum of the last stage.
    fn check(text: &str, expected: &[(u32, u64, u64)], sum: Option<u64>) {
        let measured = Measured {
            image: "app".to_owned(),
            base: Some(layer("busybox", 1000)),
            layers: vec![layer("RUN a", 10), layer("ENV A=b", 0), layer("VOLUME /v", 4), layer("RUN a", 30)],
            changed: Vec::new(),
        };
        let inputs = Inputs { text: text.into(), measured: Some(Arc::new(measured)), ..Inputs::default() };
        let analysis = Analysis::of(inputs, None);
        let mut found = Vec::new();
        for (stage, size) in analysis.file.stages.iter().zip(&analysis.size.stages) {
            let base = size.base_unpacked.as_ref().zip(size.base_pull.as_ref());
            let base = base.filter(|_| !matches!(stage.base, crate::model::Base::Stage(_)));
            found.extend(base.map(|(unpacked, pull)| (stage.from.line + 1, unpacked.clone(), pull.clone())));
            for layer in &size.layers {
                let line = stage.instructions[layer.instruction].line + 1;
                let figures = layer.adds.clone().zip(layer.pull.clone());
                found.extend(figures.map(|(adds, pull)| (line, adds, pull)));
            }
        }
        found.retain(|(_, unpacked, _)| unpacked.basis == Basis::Measured);
        let found: Vec<_> = found.into_iter().map(|(line, adds, pull)| (line, adds.likely.0, pull.likely.0)).collect();
        assert_eq!(found, expected);
        let (unpacked, incomplete) = analysis.size.stages.last().expect("a stage").unpacked();
        let exact = unpacked.filter(|sum| sum.basis == Basis::Measured && !incomplete);
        assert_eq!(exact.map(|it| it.likely.0), sum);
    }

    #[test]
    fn measured_figures_stand_in_place_of_estimates_through_all_stages_of_the_target() {
        let all = [(2, 1000, 500), (3, 10, 5), (6, 4, 2), (7, 30, 15)];
        let text = "FROM busybox AS other\nFROM busybox AS one\nRUN a\nENV A=b\nFROM one\nVOLUME /v\nRUN a\n";
        check(text, &all, Some(1044));
    }

    #[test]
    fn what_was_changed_has_its_estimate_again() {
        check("FROM busybox\nRUN b\nENV A=b\nVOLUME /v\nRUN a\n", &[(1, 1000, 500), (4, 4, 2), (5, 10, 5)], None);
        check("FROM alpine\nRUN a\nENV A=b\nVOLUME /v\nRUN a\n", &[(2, 10, 5), (4, 4, 2), (5, 30, 15)], None);
    }
}

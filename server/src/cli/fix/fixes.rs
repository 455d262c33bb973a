//! The fixes of findings, as `fix` applies them to a file: with the files that the new text wants read from the disk.

use crate::analysis::Analysis;
use crate::analysis::fixing::{self, Wanted};
use crate::cli::fix::{Applied, Fixed};
use crate::disk::analyse;
use crate::rules::Safety;
use crate::text::TextRange;

/// Applies what is wanted until nothing is left to do, in `region` alone if there is one.
pub(super) fn apply(analysis: &Analysis, wanted: &Wanted, region: Option<TextRange>) -> Fixed {
    let again = |inputs, before: &Analysis| analyse::in_rounds(inputs, Some(before));
    let fixing::Fixed { text, steps, fault, .. } = fixing::apply(analysis, wanted, region, &again);
    let applied = steps.into_iter().map(|step| Applied {
        id: step.id,
        variant: None,
        title: step.title,
        line: step.line,
        doubts: Vec::new(),
        before: None,
        after: None,
    });
    Fixed { text: text.to_string(), applied: applied.collect(), others: Vec::new(), refused: Vec::new(), fault }
}

/// What could be done in a region besides: fixes that a person has to look at, and the ids of actions that findings
/// there name. `None` where there is nothing.
pub(super) fn left(analysis: &Analysis, wanted: &Wanted, region: TextRange) -> Option<String> {
    let all = Wanted { safety: Safety::Review, ..wanted.clone() };
    let n_review = fixing::round(analysis, &all, Some(region)).len();
    let here = analysis.shown().filter(|finding| region.intersect(finding.range).is_some());
    let mut actions: Vec<&str> = here.flat_map(|finding| finding.assists.iter().copied()).collect();
    actions.retain(|id| super::actions::is_known(id));
    actions.sort_unstable();
    actions.dedup();
    let review = match n_review {
        0 => None,
        1 => Some("1 fix that a person should look at (--review)".to_owned()),
        n => Some(format!("{n} fixes that a person should look at (--review)")),
    };
    let named = (!actions.is_empty()).then(|| format!("--action {}", actions.join(", --action ")));
    let parts: Vec<String> = review.into_iter().chain(named).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

//! Whether adjacent RUNs may be joined into one, in which form, or why not (SPEC-merge-run.md §3 to §5).
//!
//! A joined RUN leaves the same files, and it succeeds exactly when the RUNs one after another did. What the shell of
//! one RUN would hand on to the next (directory, variables, options, remembered programs) is kept apart by `( … )`.
//!
//! **Invariant:** no text is composed here. A sequence that may be joined may be joined in every part of it, which the
//! search for the longest ones relies on.

mod account;
mod daemons;
mod element;
mod exec;
mod flags;
mod heredoc;
mod hoist;
mod obstacle;
mod plan;
mod programs;

use std::ops::Range;

use crate::facts::stage::User;
use crate::model::{InstructionKind, Placed, Stage};

pub use element::Element;
pub use heredoc::{HeredocPlan, heredoc_plan};
pub use hoist::{Hoist, wide_groups};
pub use obstacle::Obstacle;
pub use plan::{Link, Plan, Statement, Wrapper, plan};

/// RUNs of a stage with nothing between them but comments and instructions that do not concern them; two at least.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The RUNs in order.
    pub elements: Vec<Element>,
    /// Why each RUN cannot be joined with the next one, `None` where it can: one less than `elements`.
    pub verdicts: Vec<Option<Obstacle>>,
    /// The group cut where joining is not possible, longest pieces first taken from the left; also pieces of one RUN.
    pub parts: Vec<Range<usize>>,
    /// ENV and ARG between the RUNs that would have to move above them; none but in those of [`wide_groups`].
    pub hoists: Vec<Hoist>,
}

/// What a joined RUN is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// With `&&` and `;`.
    Chain,
    /// As a script in a heredoc.
    Heredoc,
}

impl Group {
    /// The place of an instruction of the stage in `elements`.
    pub fn position(&self, instruction: usize) -> Option<usize> {
        self.elements.binary_search_by_key(&instruction, |element| element.instruction).ok()
    }

    /// Whether two instructions of the stage are RUNs that one joined RUN can hold.
    pub fn joins(&self, first: usize, second: usize) -> bool {
        let (Some(first), Some(second)) = (self.position(first), self.position(second)) else { return false };
        let (first, second) = (first.min(second), first.max(second));
        self.elements.get(first..=second).is_some_and(|elements| plan(elements).is_ok())
    }

    /// These elements cut where they cannot be joined: from the left the longest pieces, also those of one element.
    pub fn cut(&self, elements: Range<usize>, way: Way) -> Vec<Range<usize>> {
        let mut res = Vec::new();
        let mut start = elements.start;
        while start < elements.end {
            let end = self.longest(start, elements.end, way);
            res.push(start..end);
            start = end;
        }
        res
    }

    /// A sequence that holds this element, can be joined and cannot be made longer: of the one that reaches furthest to
    /// the left and the one that reaches furthest to the right the longer. The element alone when there is none.
    pub fn around(&self, element: usize, way: Way) -> Range<usize> {
        let left = |end: usize| element - furthest(element, |back| self.is_legal(element - back..end, way));
        let right = |start: usize| self.longest(start, self.elements.len(), way).max(element + 1);
        let start = left(element + 1);
        let first = start..right(start);
        let end = right(element);
        let second = left(end)..end;
        if second.len() > first.len() { second } else { first }
    }

    /// Whether these can be joined; then every part of them can.
    fn is_legal(&self, elements: Range<usize>, way: Way) -> bool {
        let Some(elements) = self.elements.get(elements) else { return false };
        let planned = match way {
            Way::Chain => plan(elements).is_ok(),
            Way::Heredoc => heredoc_plan(elements).is_ok(),
        };
        planned && self.hoists_between(elements).all(|hoist| hoist.is_free_from(elements))
    }

    /// The ENV and ARG between the first and the last of these elements.
    pub fn hoists_between<'a>(&'a self, elements: &'a [Element]) -> impl Iterator<Item = &'a Hoist> {
        let ends = elements.first().zip(elements.last());
        let lies = move |hoist: &&Hoist| {
            ends.is_some_and(|(first, last)| (first.instruction..last.instruction).contains(&hoist.instruction))
        };
        self.hoists.iter().filter(lies)
    }

    /// One past the last element, before `end`, of the longest sequence from `start` that can be joined.
    fn longest(&self, start: usize, end: usize, way: Way) -> usize {
        let n_behind = end.saturating_sub(start + 1);
        start + 1 + furthest(n_behind, |more| self.is_legal(start..start + more + 1, way))
    }
}

/// The groups of a stage; `users` are those of its facts.
pub fn groups(stage: &Stage, users: &[User]) -> Vec<Group> {
    let mut res = Vec::new();
    let mut runs = Vec::new();
    for (idx, placed) in stage.instructions.iter().enumerate() {
        if matches!(placed.instruction.kind, InstructionKind::Run(_)) {
            runs.push(idx);
        } else if !is_movable(placed) {
            res.extend(group(stage, users, &runs, Vec::new()));
            runs.clear();
        }
    }
    res.extend(group(stage, users, &runs, Vec::new()));
    res
}

/// Whether an instruction means the same in front of a RUN and behind it.
pub fn is_movable(placed: &Placed) -> bool {
    let movable = match &placed.instruction.kind {
        InstructionKind::Cmd(_)
        | InstructionKind::Entrypoint(_)
        | InstructionKind::Label(_)
        | InstructionKind::Expose(_)
        | InstructionKind::Stopsignal(_)
        | InstructionKind::Healthcheck(_)
        | InstructionKind::Maintainer(_) => true,
        InstructionKind::From(_)
        | InstructionKind::Run(_)
        | InstructionKind::Shell(_)
        | InstructionKind::Copy(_)
        | InstructionKind::Add(_)
        | InstructionKind::Env(_)
        | InstructionKind::Arg(_)
        | InstructionKind::Volume(_)
        | InstructionKind::User(_)
        | InstructionKind::Workdir(_)
        | InstructionKind::Onbuild(_)
        | InstructionKind::Unknown => false,
    };
    movable && placed.instruction.faults.is_empty()
}

fn group(stage: &Stage, users: &[User], runs: &[usize], hoists: Vec<Hoist>) -> Option<Group> {
    if runs.len() < 2 {
        return None;
    }
    let element = |idx: &usize| Element::of(*idx, stage.instructions.get(*idx)?, stage, users.get(*idx));
    let elements: Vec<Element> = runs.iter().filter_map(element).collect();
    let verdicts = vec![None; elements.len().saturating_sub(1)];
    let mut res = Group { verdicts, elements, parts: Vec::new(), hoists };
    res.parts = res.cut(0..res.elements.len(), Way::Chain);
    // Inside of a part every pair can be joined.
    for part in res.parts.iter().filter(|part| part.end < res.elements.len()) {
        let pair = res.elements.get(part.end - 1..=part.end).unwrap_or_default();
        if let Some(verdict) = res.verdicts.get_mut(part.end - 1) {
            *verdict = plan(pair).err();
        }
    }
    Some(res)
}

/// The largest number up to `limit` for which `is_legal` holds, where it holds for all smaller ones too; 0 is not asked.
/// Steps double, so that a file of thousands of RUNs costs no square.
fn furthest(limit: usize, is_legal: impl Fn(usize) -> bool) -> usize {
    let mut good = 0;
    let mut bad = limit + 1;
    let mut step = 1;
    while good < limit && bad > limit {
        let next = (good + step).min(limit);
        if is_legal(next) {
            good = next;
            step *= 2;
        } else {
            bad = next;
        }
    }
    while bad - good > 1 && bad <= limit {
        let middle = good + (bad - good) / 2;
        if is_legal(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    good
}

#[cfg(test)]
mod tests {
    use super::furthest;

    #[test]
    fn the_furthest_is_found_wherever_it_is() {
        for limit in 0..40 {
            for last in 0..=limit {
                assert_eq!(furthest(limit, |it| it <= last), last, "of {limit}");
            }
        }
    }
}

//! Merges adjacent RUNs into one (SPEC-merge-run.md §3 to §6): fewer layers, the same image.
//!
//! Whether that may be done is [`crate::facts::merging`]'s matter; here the text is made from the user's own lines.
//! What comes out is read again, and it is offered only when it says what the parts said.

mod compose;
mod gaps;
#[cfg(test)]
mod other_tests;
#[cfg(test)]
mod peer_tests;
mod pragmas;
mod script;
mod style;
#[cfg(test)]
mod tests;
mod words;

use std::ops::Range;

use crate::assists::merge_runs::style::Style;
use crate::assists::{Assist, Offer, Refusal};
use crate::facts::Facts;
use crate::facts::merging::{self, Group, Obstacle, Way};
use crate::model::{File, Stage};
use crate::text::{TextEdit, TextRange};

/// The id of the action (CLI.md, *Actions*).
pub const ID: &str = "merge-runs";
/// The form with `&&`.
pub const PLAIN: &str = "plain";
/// The form as a script in a heredoc.
pub const HEREDOC: &str = "heredoc";
/// The form with `&&`, below an ENV or ARG that stood between.
const HOIST: &str = "hoist";

/// What can be merged at a place: with a cursor in a RUN the longest sequence around it, with several RUNs selected
/// exactly those, cut where they cannot be joined. A refusal where there are neighbours and nothing can be joined.
pub fn offer(file: &File, facts: &Facts, range: TextRange) -> Vec<Offer> {
    let style = style::of(file);
    let mut res = Vec::new();
    for (stage, stage_facts) in file.stages.iter().zip(&facts.stages) {
        if stage.range.intersect(range).is_none() {
            continue;
        }
        let place = Place { file, style: &style, stage };
        for group in merging::groups(stage, &stage_facts.users) {
            let touched = touched(stage, &group, range);
            if touched.is_empty() {
                continue;
            }
            let mut assists = place.assists(&group, parts(&group, &touched, Way::Chain), PLAIN);
            let has_script = group.elements.iter().any(|element| element.body.is_some());
            if has_script || knows_heredocs(file) {
                let scripts = place.assists(&group, parts(&group, &touched, Way::Heredoc), HEREDOC);
                let is_only_way = assists.is_empty();
                assists.extend(scripts.into_iter().map(|it| Assist { preferred: is_only_way, ..it }));
            }
            if assists.is_empty() {
                res.push(Offer::Refusal(refusal(stage, &group, touched)));
            }
            res.extend(assists.into_iter().map(Offer::Assist));
        }
        for group in merging::wide_groups(stage, &stage_facts.users) {
            let touched = touched(stage, &group, range);
            if !touched.is_empty() {
                let hoists = |part: &Range<usize>| hoisted(&group, part).next().is_some();
                let parts = parts(&group, &touched, Way::Chain).into_iter().filter(hoists).collect();
                res.extend(place.assists(&group, parts, HOIST).into_iter().map(Offer::Assist));
            }
        }
    }
    res
}

/// Everything in the file that can be merged, each sequence once: with `&&`, or as scripts where RUNs are some already.
pub fn all(file: &File, facts: &Facts) -> Vec<Assist> {
    let style = style::of(file);
    let mut res = Vec::new();
    for (stage, stage_facts) in file.stages.iter().zip(&facts.stages) {
        let place = Place { file, style: &style, stage };
        for group in merging::groups(stage, &stage_facts.users) {
            let mut assists = place.assists(&group, group.parts.clone(), PLAIN);
            if assists.is_empty() && group.elements.iter().any(|element| element.body.is_some()) {
                let parts = group.cut(0..group.elements.len(), Way::Heredoc);
                assists = place.assists(&group, parts, HEREDOC);
            }
            res.extend(assists);
        }
    }
    res
}

/// Everything that can be merged in one of the other ways, each sequence once.
pub fn all_others(file: &File, facts: &Facts) -> Vec<Assist> {
    let style = style::of(file);
    let mut res = Vec::new();
    for (stage, stage_facts) in file.stages.iter().zip(&facts.stages) {
        let place = Place { file, style: &style, stage };
        for group in merging::groups(stage, &stage_facts.users) {
            let parts = group.cut(0..group.elements.len(), Way::Heredoc);
            res.extend(place.assists(&group, parts, HEREDOC));
        }
        for group in merging::wide_groups(stage, &stage_facts.users) {
            let parts = group.parts.iter().filter(|part| hoisted(&group, part).next().is_some());
            res.extend(place.assists(&group, parts.cloned().collect(), HOIST));
        }
    }
    res
}

/// Whether whoever builds this file has a BuildKit that knows heredocs: it holds one, or its first line asks for 1.4.
fn knows_heredocs(file: &File) -> bool {
    let version = |syntax: &str| {
        let tag = syntax.split('@').next()?.rsplit_once("docker/dockerfile:")?.1;
        let tag = tag.split('-').next().unwrap_or_default();
        let mut numbers = tag.split('.').map(str::parse::<u32>);
        let major = numbers.next()?.ok()?;
        let minor = match numbers.next() {
            Some(minor) => minor.ok()?,
            None => u32::MAX,
        };
        Some((major, minor) >= (1, 4))
    };
    let asked = file.directives.syntax.as_ref().and_then(|syntax| version(syntax));
    asked == Some(true) || file.instructions().any(|placed| !placed.instruction.heredocs.is_empty())
}

fn parts(group: &Group, touched: &Range<usize>, way: Way) -> Vec<Range<usize>> {
    if touched.len() == 1 { vec![group.around(touched.start, way)] } else { group.cut(touched.clone(), way) }
}

/// The names of the variables that move above a part of a group.
fn hoisted<'a>(group: &'a Group, part: &Range<usize>) -> impl Iterator<Item = &'a str> {
    let elements = group.elements.get(part.clone()).unwrap_or_default();
    group.hoists_between(elements).flat_map(|hoist| &hoist.names).map(String::as_str)
}

/// The elements of a group that a range touches.
fn touched(stage: &Stage, group: &Group, range: TextRange) -> Range<usize> {
    let is_touched = |idx: &usize| {
        let placed = group.elements.get(*idx).and_then(|element| stage.instructions.get(element.instruction));
        placed.and_then(|placed| placed.whole().intersect(range)).is_some()
    };
    let mut elements = (0..group.elements.len()).filter(is_touched);
    let Some(first) = elements.next() else { return 0..0 };
    first..elements.next_back().unwrap_or(first) + 1
}

/// Where assists are made.
struct Place<'a> {
    file: &'a File,
    style: &'a Style,
    stage: &'a Stage,
}

impl Place<'_> {
    /// The assists for these parts of a group, as far as they hold more than one RUN.
    fn assists(&self, group: &Group, parts: Vec<Range<usize>>, variant: &'static str) -> Vec<Assist> {
        parts.into_iter().filter_map(|part| self.assist(group, part, variant)).collect()
    }

    fn assist(&self, group: &Group, part: Range<usize>, variant: &'static str) -> Option<Assist> {
        let elements = group.elements.get(part.clone()).filter(|elements| elements.len() > 1)?;
        let merged = match variant {
            HEREDOC => script::compose(self.file, self.style, self.stage, elements)?,
            _ => compose::compose(self.file, self.style, self.stage, elements)?,
        };
        let names: Vec<&str> = hoisted(group, &part).collect();
        let how = match variant {
            HEREDOC => " into a heredoc".to_owned(),
            HOIST => format!(" below {}", names.join(", ")),
            _ => String::new(),
        };
        let is_exec = elements.iter().any(|element| element.exec.is_some());
        let mut doubts: Vec<String> = Vec::new();
        doubts.extend(is_exec.then(|| "a command in exec form will run in a shell".to_owned()));
        doubts.extend(names.iter().map(|name| format!("commands that ran before {name} was set may read it")));
        Some(Assist {
            id: ID,
            variant: Some(variant),
            label: format!("Merge {} RUN layers{how}", elements.len()),
            target: merged.target,
            preferred: variant == PLAIN && doubts.is_empty(),
            edit: TextEdit::new(merged.indels)?,
            other: None,
            doubts,
            before: None,
            after: None,
        })
    }
}

/// Why nothing can be joined here: of a single RUN what is against the next one, or else the one before it. It is about
/// the RUN that is to blame, so that it is the same wherever in the group it is asked for.
fn refusal(stage: &Stage, group: &Group, touched: Range<usize>) -> Refusal {
    let pairs = touched.start..(touched.end - 1).max(touched.start + 1);
    let before = touched.start.checked_sub(1);
    let verdict = |pair: usize| Some((pair, group.verdicts.get(pair).copied().flatten()?));
    // A text that did not read the same again is the only other cause.
    let found = pairs.chain(before).find_map(verdict);
    let (pair, obstacle) = found.unwrap_or((touched.start, Obstacle::Unparsed));
    // Of scripts, why they cannot be one either.
    let elements = group.elements.get(pair..=pair + 1).unwrap_or_default();
    let obstacle = match merging::heredoc_plan(elements) {
        Err(better) if obstacle == Obstacle::Heredoc => better,
        Err(_) | Ok(_) => obstacle,
    };
    let has_it = |idx: &usize| group.elements.get(*idx).is_some_and(|element| element.obstacle == Some(obstacle));
    let blamed = [pair, pair + 1].into_iter().find(has_it).unwrap_or(pair);
    let placed = group.elements.get(blamed).and_then(|element| stage.instructions.get(element.instruction));
    Refusal {
        id: ID,
        variant: Some(PLAIN),
        code: obstacle.code(),
        reason: obstacle.reason().to_owned(),
        target: placed.map_or(stage.range, |placed| placed.whole()),
    }
}

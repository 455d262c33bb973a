//! What the actions that are offered in a file would save, the largest saving first.

use std::cmp::Reverse;

use crate::analysis::Analysis;
use crate::assists::{Assist, Offer, merge_runs, merge_runs_clean};
use crate::cli::render::places::Lines;
use crate::text::TextRange;
use crate::weight::{Estimate, Size};

/// Savings that are not known stand between those above and those below this many bytes (RULES.md §5, *Order*).
const UNKNOWN: u64 = 10_000_000;

/// An action and what it would save.
#[derive(Clone, Debug)]
pub(crate) struct Suggestion {
    /// Its id (CLI.md, *Actions*).
    pub(crate) id: &'static str,
    /// Which of several ways.
    pub(crate) variant: Option<&'static str>,
    /// What it does, with what it saves.
    pub(crate) title: String,
    /// The line it is offered at, from 1.
    pub(crate) line: usize,
    /// What is rewritten weighs this, unpacked.
    pub(crate) before: Option<Estimate>,
    /// And this afterwards.
    pub(crate) after: Option<Estimate>,
}

impl Suggestion {
    /// What it saves, where that is known.
    pub(crate) fn saves(&self) -> Option<Size> {
        Some(self.before.as_ref()?.minus(self.after.as_ref()?).likely)
    }

    /// The command that does it in this file.
    pub(crate) fn command(&self, path: &str) -> String {
        let path = if path.contains(char::is_whitespace) { format!("'{path}'") } else { path.to_owned() };
        format!("plimsoll fix --action {} --at {} {path}", self.id, self.line)
    }
}

/// The actions of a file, each place and way once. Those that are known to save less than the settings ask for are left
/// out, and merges that are not known to save a byte: they save a layer, and cost the cache of the first step.
pub(crate) fn suggestions(analysis: &Analysis) -> Vec<Suggestion> {
    let lines = Lines::of(&analysis.inputs.text);
    let mut known: Vec<(&'static str, Option<&'static str>, TextRange)> = Vec::new();
    let mut res = Vec::new();
    for placed in analysis.file.instructions() {
        for offer in analysis.assists(TextRange::empty(placed.at)) {
            let Offer::Assist(assist) = offer else { continue };
            // Other forms of a merge are for whoever asks for them.
            if assist.id == merge_runs::ID && assist.variant != Some(merge_runs::PLAIN) && !assist.preferred {
                continue;
            }
            let is_merge = matches!(assist.id, merge_runs::ID | merge_runs_clean::ID);
            let place = (assist.id, assist.variant, assist.target);
            if !known.contains(&place) {
                known.push(place);
                let suggestion = suggestion(assist, &lines);
                if !is_merge || suggestion.saves().is_some() {
                    res.push(suggestion);
                }
            }
        }
    }
    let least = analysis.inputs.config.minimum_saving;
    res.retain(|it| it.saves().is_none_or(|saves| saves.0 >= least));
    res.sort_by_key(|it| (Reverse(it.saves().map_or(UNKNOWN, |saves| saves.0)), it.line));
    res
}

fn suggestion(assist: Assist, lines: &Lines<'_>) -> Suggestion {
    Suggestion {
        id: assist.id,
        variant: assist.variant,
        title: assist.label,
        line: lines.line(assist.target.start()),
        before: assist.before,
        after: assist.after,
    }
}

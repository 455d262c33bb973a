//! The edits that allow a finding, where it is or in the whole file.
//!
//! A comment goes above the block of comments that an instruction has, so that none comes between a description and
//! what it describes, and never in front of a parser directive, which it would end. A comment that is there takes the
//! name in.

use crate::model::File;
use crate::rules::Finding;
use crate::rules::allow::comments::{self, Comment};
use crate::rules::allow::may_speak;
use crate::rules::allow::reach::{Above, Places};
use crate::rules::names;
use crate::text::{TextEdit, TextRange, TextSize};

/// The edit that allows a finding for the instruction it is in; with `with_reason` the comment ends where the reason
/// has to be written.
pub fn here(file: &File, finding: &Finding, with_reason: bool) -> Option<TextEdit> {
    let places = Places::of(file);
    let number = places.number(finding.range.start())?;
    let placed = places.instruction(number)?;
    let is_above = |above: Above, of_file: bool| above == Above::Instruction(number) && !of_file;
    if let Some(edit) = merged(file, &places, finding.id(), &is_above) {
        return Some(edit);
    }
    let line = |at: TextSize| {
        let before = file.text.get(..usize::from(at)).unwrap_or_default();
        before.rfind('\n').map_or(0, |at| at + 1)
    };
    let start = line(places.block_start(placed));
    let own = line(placed.at);
    let indentation = file.text.get(own..usize::from(placed.at))?.trim_start_matches('\u{feff}');
    insert(file, start, indentation, &comment("allow", finding.id(), with_reason))
}

/// The edit that allows a rule in the whole file.
pub fn in_file(file: &File, finding: &Finding, with_reason: bool) -> Option<TextEdit> {
    let places = Places::of(file);
    if let Some(edit) = merged(file, &places, finding.id(), &|_, of_file| of_file) {
        return Some(edit);
    }
    insert(file, file.directives.end as usize, "", &comment("allow-file", finding.id(), with_reason))
}

fn comment(verb: &str, id: &str, with_reason: bool) -> String {
    format!("# plimsoll: {verb} {id}{}", if with_reason { " — " } else { "" })
}

/// Adds the name to a comment that is there; which one, `is_meant` says by its place and whether it is for the file.
fn merged(file: &File, places: &Places, id: &str, is_meant: &dyn Fn(Above, bool) -> bool) -> Option<TextEdit> {
    let is_name = |word: &str| names::named(word).is_some();
    places.comments(&may_speak).into_iter().find_map(|standing| {
        let text = file.text.get(std::ops::Range::<usize>::from(standing.range))?;
        let Some(Comment::Allow(allow)) = comments::read(text, &is_name) else { return None };
        let in_place = !allow.file || !places.is_behind_from(standing.range.start());
        let last = allow.ids.last().filter(|_| in_place && is_meant(standing.above, allow.file))?;
        let end = standing.range.start() + TextSize::new((last.at + last.text.len()) as u32);
        Some(TextEdit::insert(end, format!(", {id}")))
    })
}

/// A line of its own at the beginning of the line at `at`.
fn insert(file: &File, at: usize, indentation: &str, comment: &str) -> Option<TextEdit> {
    let text: &str = &file.text;
    let at = if at == 0 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { at };
    let first = text.find('\n').and_then(|end| text.get(..end));
    let line_end = if first.is_some_and(|line| line.ends_with('\r')) { "\r\n" } else { "\n" };
    // Directives may be all there is, without a line end behind them.
    let before = text.get(..at)?;
    let own_line = before.is_empty() || before == "\u{feff}" || before.ends_with('\n');
    let open = if own_line { "" } else { line_end };
    let insert = format!("{open}{indentation}{comment}{line_end}");
    Some(TextEdit::replace(TextRange::empty(TextSize::new(at as u32)), insert))
}

//! Weights for people: a table of stages and layers with a bar each, and a file's weight in one line.

use std::fmt::Write;

use crate::analysis::Analysis;
use crate::model::{Base, Stage};
use crate::size::StageSize;
use crate::weight::{Basis, Estimate, Size, rounded};

/// How long the bar of the heaviest layer is.
const BAR: usize = 20;

/// Longer instructions are cut, in characters.
const LONGEST_TEXT: usize = 72;

/// The weight of the target in words (`1.13 GB unpacked, the base image pulled as 395 MB`); `None` where nothing is known of
/// its base, the better part of most images.
pub(crate) fn of_target(analysis: &Analysis) -> Option<String> {
    let stage = analysis.size.stages.get(analysis.facts.target?)?;
    stage.base_unpacked.as_ref()?;
    let (unpacked, incomplete) = stage.unpacked();
    let unpacked = unpacked.filter(|sum| !incomplete || sum.likely > Size(0))?.words();
    let mut res = if incomplete {
        format!("at least {} unpacked", unpacked.trim_start_matches("about "))
    } else {
        format!("{unpacked} unpacked")
    };
    if let Some(pull) = stage.base_pull.as_ref().filter(|pull| pull.likely > Size(0)) {
        let _ = write!(res, ", the base image pulled as {}", pull.words());
    }
    Some(res)
}

/// The table of a file.
pub(crate) fn table(name: &str, analysis: &Analysis, color: bool) -> String {
    let (bold, plain) = if color { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
    let mut res = String::new();
    let weight = of_target(analysis).unwrap_or_else(|| "the weight of the base image is not known".to_owned());
    let _ = writeln!(res, "{bold}{name}{plain}: {weight}");
    let heaviest = heaviest(analysis);
    for (idx, stage) in analysis.file.stages.iter().enumerate() {
        let Some(size) = analysis.size.stages.get(idx) else { continue };
        let stage_name = stage.name.as_ref().map(|name| format!(" {}", name.text)).unwrap_or_default();
        let part = if analysis.facts.target == Some(idx) {
            "the target"
        } else if analysis.facts.is_final(idx) {
            "shipped"
        } else {
            "not shipped"
        };
        let _ = writeln!(res, "\n  {bold}stage {idx}{stage_name}{plain}, {part}");
        for row in rows(stage, size) {
            res.push_str(&row.line(heaviest));
        }
        res.push_str(&sum(size));
    }
    res
}

/// One line of the table.
struct Row<'a> {
    line: u32,
    weight: Option<&'a Estimate>,
    text: String,
    why: String,
}

fn rows<'a>(stage: &'a Stage, size: &'a StageSize) -> Vec<Row<'a>> {
    let pull = size.base_pull.as_ref().filter(|pull| pull.likely > Size(0));
    let pull = pull.map(|pull| format!("pulled as {}", pull.words()));
    let why = match (&stage.base, pull, &size.base_unpacked) {
        (Base::Stage(_) | Base::Scratch, _, _) => String::new(),
        (_, Some(pull), Some(weight)) if !weight.source.is_empty() => format!("{pull}; {}", weight.source),
        (_, Some(pull), _) => pull,
        (_, None, Some(weight)) => weight.source.clone(),
        (_, None, None) => String::new(),
    };
    let from = &stage.from;
    let mut res = vec![Row {
        line: from.line + 1,
        weight: size.base_unpacked.as_ref(),
        text: first_line(&from.instruction.text),
        why,
    }];
    for layer in &size.layers {
        let Some(placed) = stage.instructions.get(layer.instruction) else { continue };
        res.push(Row {
            line: placed.line + 1,
            weight: layer.adds.as_ref(),
            text: first_line(&placed.instruction.text),
            why: layer.why.clone(),
        });
    }
    res
}

impl Row<'_> {
    fn line(&self, heaviest: u64) -> String {
        let (figure, basis) = figure(self.weight);
        let bytes = self.weight.map_or(0, |weight| weight.likely.0);
        let why = if self.why.is_empty() { String::new() } else { format!("  ({})", self.why) };
        let bar = bar(bytes, heaviest);
        format!("  {:>5}  {figure:>8}  {basis:<8}  {bar}  {}{why}\n", self.line, self.text)
    }
}

fn sum(size: &StageSize) -> String {
    let (sum, incomplete) = size.unpacked();
    let (figure, _) = figure(sum.as_ref());
    let parts = if incomplete { "together, without what is not known" } else { "together" };
    format!("  {:>5}  {figure:>8}  {parts}\n", "")
}

/// The figure with as many digits as it deserves, and its basis.
fn figure(weight: Option<&Estimate>) -> (String, &'static str) {
    let Some(weight) = weight else { return ("?".to_owned(), "unknown") };
    let figure = match weight.basis {
        Basis::Measured | Basis::Registry | Basis::Table | Basis::Context => weight.likely.to_string(),
        Basis::Recipe | Basis::Relative | Basis::Guess => format!("~{}", rounded(weight.likely)),
    };
    (figure, weight.basis.name())
}

fn heaviest(analysis: &Analysis) -> u64 {
    let figures = analysis.size.stages.iter().flat_map(|stage| {
        let layers = stage.layers.iter().filter_map(|layer| layer.adds.as_ref());
        stage.base_unpacked.iter().chain(layers)
    });
    figures.map(|figure| figure.likely).max().unwrap_or(Size(0)).0
}

/// A bar of eighths of a character, always as wide as the longest.
fn bar(bytes: u64, heaviest: u64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let all = BAR as u128 * 8;
    let eighths = (u128::from(bytes) * all).checked_div(u128::from(heaviest)).unwrap_or(0) as usize;
    // What weighs anything is seen.
    let eighths = if bytes > 0 { eighths.max(1) } else { 0 };
    let mut res = "█".repeat(eighths / 8);
    res.push_str(EIGHTHS.get(eighths % 8).copied().unwrap_or_default());
    let width = eighths.div_ceil(8);
    res.push_str(&" ".repeat(BAR.saturating_sub(width)));
    res
}

/// The first line of an instruction, with a sign where it goes on.
fn first_line(text: &str) -> String {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default().trim_end();
    let shown = first.trim_end_matches(['\\', '`']).trim_end();
    let mut res: String = shown.chars().take(LONGEST_TEXT).map(|it| if it.is_control() { ' ' } else { it }).collect();
    if lines.next().is_some() || shown.chars().count() > LONGEST_TEXT {
        res.push_str(" …");
    }
    res
}

#[cfg(test)]
mod tests {
    use super::{bar, first_line};

    #[test]
    fn bars_are_in_proportion_and_show_what_is_small() {
        assert_eq!(bar(100, 100), "█".repeat(20));
        assert_eq!(bar(50, 100), format!("{}{}", "█".repeat(10), " ".repeat(10)));
        assert_eq!(bar(1, 1_000_000), format!("▏{}", " ".repeat(19)));
        assert_eq!(bar(0, 100), " ".repeat(20));
        assert_eq!(bar(0, 0), " ".repeat(20));
    }

    #[test]
    fn an_instruction_is_shown_by_its_first_line() {
        assert_eq!(first_line("RUN a \\\n b"), "RUN a …");
        assert_eq!(first_line("RUN\ta\r"), "RUN a");
    }
}

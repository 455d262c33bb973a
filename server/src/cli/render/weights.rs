//! Weights for people: a table of stages and layers with a bar each, and a file's weight in one line.

use std::fmt::Write;

use crate::analysis::Analysis;
use crate::cli::size::suggest::Suggestion;
use crate::model::{Base, Stage};
use crate::size::StageSize;
use crate::weight::{Estimate, Size};

/// How long the bar of the heaviest layer is.
const BAR: usize = 20;

/// Longer instructions are cut, in characters.
const LONGEST_TEXT: usize = 72;

/// The weight of the target in words (`1.13 GB unpacked, pulled as 395 MB`); `None` where nothing is known of its base, the
/// better part of most images.
pub(crate) fn of_target(analysis: &Analysis) -> Option<String> {
    let stage = analysis.size.stages.get(analysis.facts.target?)?;
    stage.base_unpacked.as_ref()?;
    let (unpacked, incomplete) = stage.unpacked();
    let unpacked = unpacked.filter(|sum| !incomplete || sum.likely > Size(0))?;
    let mut res = format!("{} unpacked", unpacked.words_of(incomplete));
    let (pulled, incomplete) = stage.pulled();
    match (pulled, &stage.base_pull) {
        (Some(pulled), _) if !incomplete && pulled.likely > Size(0) => {
            let _ = write!(res, ", pulled as {}", pulled.words());
        }
        (_, Some(base)) if base.likely > Size(0) => {
            let _ = write!(res, ", the base image pulled as {}", base.words());
        }
        (_, _) => {}
    }
    Some(res)
}

/// The table of a file.
pub(crate) fn table(name: &str, analysis: &Analysis, color: bool) -> String {
    let paint = Paint { color };
    let mut res = String::new();
    let weight = of_target(analysis).unwrap_or_else(|| "the weight of the base image is not known".to_owned());
    let _ = writeln!(res, "{}: {weight}", paint.bold(name));
    for excess in analysis.excesses() {
        let what = stage_name(analysis, excess.stage);
        let _ = writeln!(res, "{}", paint.warning(&format!("{what} {}", excess.words())));
    }
    let heaviest = heaviest(analysis);
    let pulls = analysis.size.stages.iter().any(|stage| {
        let layers = stage.layers.iter().filter_map(|layer| layer.pull.as_ref());
        stage.base_pull.iter().chain(layers).any(|pull| pull.likely > Size(0))
    });
    for (idx, stage) in analysis.file.stages.iter().enumerate() {
        let Some(size) = analysis.size.stages.get(idx) else { continue };
        let stage_name = stage.name.as_ref().map(|name| format!(" {}", name.text)).unwrap_or_default();
        let part = part(analysis, idx);
        let _ = writeln!(res, "\n  {}, {part}", paint.bold(&format!("stage {idx}{stage_name}")));
        let pulled = if pulls { format!("  {:>8}", "pulled") } else { String::new() };
        let head = format!("  {:>5}  {:>8}{pulled}  {:<8}", "line", "unpacked", "basis");
        let _ = writeln!(res, "{}", paint.faint(head.trim_end()));
        for row in rows(stage, size) {
            res.push_str(&row.line(heaviest, pulls, paint));
        }
        res.push_str(&sum(size, pulls));
    }
    res
}

/// What the actions of a file would save, with the commands that carry them out.
pub(crate) fn suggested(name: &str, suggestions: &[Suggestion], color: bool) -> String {
    let paint = Paint { color };
    let mut res = format!("\n  {}\n", paint.bold("what would make it lighter"));
    if suggestions.is_empty() {
        res.push_str("         no action is offered that saves bytes\n");
    }
    for suggestion in suggestions {
        let _ = writeln!(res, "  {:>5}  {}", suggestion.line, printable(&suggestion.title));
        let _ = writeln!(res, "         {}", paint.faint(&suggestion.command(name)));
    }
    res
}

/// What becomes of a stage.
pub(crate) fn part(analysis: &Analysis, idx: usize) -> &'static str {
    if analysis.facts.target == Some(idx) {
        "the target"
    } else if analysis.facts.is_final(idx) {
        "shipped"
    } else {
        "not shipped"
    }
}

/// What a sentence about a stage begins with.
pub(crate) fn stage_name(analysis: &Analysis, idx: usize) -> String {
    let name = analysis.file.stages.get(idx).and_then(|stage| stage.name.as_ref());
    match name.filter(|_| analysis.facts.target != Some(idx)) {
        Some(name) => format!("the stage {}", name.text),
        None => "the image".to_owned(),
    }
}

/// Colours, if there are any.
#[derive(Clone, Copy, Debug)]
struct Paint {
    color: bool,
}

impl Paint {
    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    fn warning(self, text: &str) -> String {
        self.with("1;33", text)
    }

    fn bar(self, text: &str) -> String {
        self.with("36", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    /// From 1.
    pub(crate) line: u32,
    /// What it adds unpacked.
    pub(crate) weight: Option<&'a Estimate>,
    /// What it adds to a pull.
    pub(crate) pull: Option<&'a Estimate>,
    /// Whether a part of it is not known, so that the figures are the least it can be.
    pub(crate) incomplete: bool,
    /// The whole instruction.
    pub(crate) text: &'a str,
    /// What makes it up, or where the figure is from.
    pub(crate) why: String,
}

/// The FROM of a stage and every instruction that adds files.
pub(crate) fn rows<'a>(stage: &'a Stage, size: &'a StageSize) -> Vec<Row<'a>> {
    let source = size.base_unpacked.as_ref().or(size.base_pull.as_ref()).map(|weight| weight.source.clone());
    let mut why = match &stage.base {
        Base::Stage(_) | Base::Scratch => String::new(),
        Base::Image(_) | Base::Unknown(_) => source.unwrap_or_default(),
    };
    if let Some(via) = &size.via {
        why = if why.is_empty() { format!("as {via}") } else { format!("as {via}, {why}") };
    }
    let from = &stage.from;
    let mut res = vec![Row {
        line: from.line + 1,
        weight: size.base_unpacked.as_ref(),
        pull: size.base_pull.as_ref(),
        incomplete: size.base_incomplete,
        text: &from.instruction.text,
        why,
    }];
    for layer in &size.layers {
        let Some(placed) = stage.instructions.get(layer.instruction) else { continue };
        res.push(Row {
            line: placed.line + 1,
            weight: layer.adds.as_ref(),
            pull: layer.pull.as_ref(),
            incomplete: layer.incomplete,
            text: &placed.instruction.text,
            why: layer.why.clone(),
        });
    }
    res
}

impl Row<'_> {
    fn line(&self, heaviest: u64, pulls: bool, paint: Paint) -> String {
        let basis = self.weight.map_or("unknown", |weight| weight.basis.name());
        let bytes = self.weight.map_or(0, |weight| weight.likely.0);
        let why =
            if self.why.is_empty() { String::new() } else { paint.faint(&format!("  ({})", printable(&self.why))) };
        let (bar, text) = (paint.bar(&bar(bytes, heaviest)), first_line(self.text));
        let figures = figures(self.weight, self.pull, pulls, self.incomplete);
        format!("  {:>5}  {figures}  {basis:<8}  {bar}  {text}{why}\n", self.line)
    }
}

fn sum(size: &StageSize, pulls: bool) -> String {
    let ((unpacked, incomplete), (pulled, pull_incomplete)) = (size.unpacked(), size.pulled());
    let figures = figures(unpacked.as_ref(), pulled.as_ref(), pulls, false);
    let parts =
        if incomplete || (pulls && pull_incomplete) { "together, without what is not known" } else { "together" };
    format!("  {:>5}  {figures}  {parts}\n", "")
}

fn figures(unpacked: Option<&Estimate>, pulled: Option<&Estimate>, pulls: bool, incomplete: bool) -> String {
    let figure = |figure: Option<&Estimate>| figure.map_or_else(|| "?".to_owned(), |it| it.brief_of(incomplete));
    let pulled = if pulls { format!("  {:>8}", figure(pulled)) } else { String::new() };
    format!("{:>8}{pulled}", figure(unpacked))
}

/// The bytes of the heaviest layer or base of a file.
pub(crate) fn heaviest(analysis: &Analysis) -> u64 {
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
pub(crate) fn first_line(text: &str) -> String {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default().trim_end();
    let shown = first.trim_end_matches(['\\', '`']).trim_end();
    let mut res: String = printable(shown).chars().take(LONGEST_TEXT).collect();
    if lines.next().is_some() || shown.chars().count() > LONGEST_TEXT {
        res.push_str(" …");
    }
    res
}

/// The text without characters that a terminal acts upon.
fn printable(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect()
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

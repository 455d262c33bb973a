//! Comments that silence findings (RULES.md §6): `# plimsoll: allow …`, hadolint's and BuildKit's.
//!
//! What is silenced stays in the list, marked, and says nothing; a weaker finding of the same cause speaks then. What a
//! comment of another linter cannot silence: secrets that are found by their value, and faults of the file.

mod comments;
pub(super) mod directive;
pub mod edits;
mod notes;
mod reach;

use crate::rules::allow::comments::{Comment, Id};
use crate::rules::allow::reach::{Above, Places};
use crate::rules::names::{self, Named};
use crate::rules::{Context, Finding, Rule, Severity, Source};
use crate::text::{TextRange, TextSize};

/// A name of a comment: what it silences, and where.
#[derive(Debug)]
struct Entry<'a> {
    what: What,
    reach: Reach,
    /// The name in the file.
    range: TextRange,
    /// For our own comments, which of them it stands in.
    own: Option<usize>,
    text: &'a str,
    used: bool,
}

/// What is silenced.
#[derive(Debug)]
enum What {
    /// What the name stands for.
    Named(Named),
    /// All of BuildKit's checks.
    Checks,
    /// Nothing of this name is known.
    Unknown,
}

/// Where it is silenced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// In the file.
    File,
    /// In the instruction of this number.
    Instruction(usize),
    /// In a part of the instruction of this number.
    Part(usize, TextRange),
    /// Nowhere.
    Nothing,
}

/// One of our comments.
#[derive(Debug)]
struct Own<'a> {
    range: TextRange,
    /// Its names, as indices of entries.
    ids: Vec<Id<'a>>,
    has_reason: bool,
    reach: Reach,
    file: bool,
    misspelt: Option<(Id<'a>, &'static str)>,
}

/// All that the comments of a file say.
#[derive(Debug)]
struct Said<'a> {
    entries: Vec<Entry<'a>>,
    own: Vec<Own<'a>>,
}

/// Marks the findings that a comment silences, and adds what is to be said of the comments themselves. `is_on` says
/// whether a rule looks.
pub fn apply(ctx: &Context, findings: &mut Vec<Finding>, is_on: &dyn Fn(&Rule) -> bool) {
    let places = Places::of(ctx.file);
    let mut said = said(ctx, &places);
    if said.entries.is_empty() && said.own.is_empty() {
        return;
    }
    silence(&mut said.entries, &places, findings);
    notes::add(ctx, &said, &places, is_on, findings);
}

/// Whether a comment may be for linters.
fn may_speak(comment: &str) -> bool {
    let text = comment.trim_start_matches('#').trim_start();
    ["plimsoll", "hadolint", "check"]
        .iter()
        .any(|word| text.get(..word.len()).is_some_and(|first| first.eq_ignore_ascii_case(word)))
}

/// Reads all comments of a file, and the directive at its top.
fn said<'a>(ctx: &Context<'a>, places: &Places<'a>) -> Said<'a> {
    let text: &'a str = &ctx.file.text;
    let mut res = Said { entries: Vec::new(), own: Vec::new() };
    let directive = ctx.file.directives.check.as_deref().map(comments::skipped).unwrap_or_default();
    directive.into_iter().for_each(|name| res.check(name, Reach::File));
    let is_name = |word: &str| names::named(word).is_some();
    for standing in places.comments(&may_speak) {
        let Some(comment) = text.get(std::ops::Range::<usize>::from(standing.range)) else { continue };
        let reach = match standing.above {
            Above::Nothing => Reach::Nothing,
            Above::Instruction(number) => Reach::Instruction(number),
            Above::Line(number, part) => Reach::Part(number, part),
        };
        match comments::read(comment, &is_name) {
            None => {}
            Some(Comment::Allow(allow)) => {
                let behind = allow.file && places.is_behind_from(standing.range.start());
                let reach = match allow.file {
                    true if behind => Reach::Nothing,
                    true => Reach::File,
                    false => reach,
                };
                for id in &allow.ids {
                    let at = standing.range.start() + TextSize::new(id.at as u32);
                    res.entries.push(Entry {
                        what: names::named(id.text).map_or(What::Unknown, What::Named),
                        reach,
                        range: TextRange::at(at, TextSize::of(id.text)),
                        own: Some(res.own.len()),
                        text: id.text,
                        used: false,
                    });
                }
                let has_reason = allow.reason.is_some();
                let (ids, file) = (allow.ids, allow.file);
                res.own.push(Own { range: standing.range, ids, has_reason, reach, file, misspelt: None });
            }
            Some(Comment::Misspelt(id, nearest)) => res.own.push(Own {
                range: standing.range,
                ids: Vec::new(),
                has_reason: true,
                reach,
                file: false,
                misspelt: Some((id, nearest)),
            }),
            // hadolint and BuildKit read no comments inside an instruction.
            Some(_) if matches!(reach, Reach::Part(..)) => {}
            Some(Comment::Hadolint { global, numbers }) => {
                let reach = if global { Reach::File } else { reach };
                for number in numbers {
                    let Some(rules) = names::rules_named(number) else { continue };
                    res.foreign(What::Named(Named::Rules(rules)), reach);
                }
            }
            Some(Comment::Check(names)) => names.into_iter().for_each(|name| res.check(name, reach)),
        }
    }
    res
}

/// Rules of ours that look at the same as a check of BuildKit, and are silenced with it.
static REPLACED: &[(&str, &str)] =
    &[("SecretsUsedInArgOrEnv", "secret-in-env-or-arg"), ("UndefinedVar", "variable-out-of-scope")];

impl Said<'_> {
    /// Takes in a name behind `check=skip=`.
    fn check(&mut self, name: &str, reach: Reach) {
        if name.eq_ignore_ascii_case("all") {
            return self.foreign(What::Checks, reach);
        }
        let ours = REPLACED.iter().find(|(check, _)| *check == name).map(|(_, ours)| *ours);
        let meant = |rule: &&&'static Rule| rule.name == name && rule.is_check() || Some(rule.name) == ours;
        let rules: Vec<&'static Rule> = crate::rules::ALL.iter().filter(meant).copied().collect();
        self.foreign(What::Named(Named::Rules(rules)), reach);
    }

    fn foreign(&mut self, what: What, reach: Reach) {
        let range = TextRange::default();
        self.entries.push(Entry { what, reach, range, own: None, text: "", used: false });
    }
}

impl Entry<'_> {
    /// Whether it stands for a finding of this rule.
    fn means(&self, rule: &Rule, finding: &Finding) -> bool {
        let means = match &self.what {
            What::Named(named) => named.holds(rule),
            What::Checks => rule.is_check(),
            What::Unknown => false,
        };
        let by_value = rule.name == "secret-in-env-or-arg" && finding.severity != Severity::Warning;
        means && (self.own.is_some() || !by_value)
    }
}

/// Marks the findings that are silenced, and the names that silence one. A finding may be silenced where it is shown
/// and where its cause is.
fn silence(entries: &mut [Entry], places: &Places, findings: &mut [Finding]) {
    let mut by_instruction: Vec<(usize, usize)> = Vec::new();
    let mut of_file: Vec<usize> = Vec::new();
    for (idx, entry) in entries.iter().enumerate() {
        match entry.reach {
            Reach::File => of_file.push(idx),
            Reach::Instruction(number) | Reach::Part(number, _) => by_instruction.push((number, idx)),
            Reach::Nothing => {}
        }
    }
    by_instruction.sort_unstable();
    for finding in findings {
        let Source::Rule(rule) = finding.source else { continue };
        for at in [finding.range.start(), finding.cause.start()] {
            let Some(number) = places.number(at) else { continue };
            let from = by_instruction.partition_point(|(it, _)| *it < number);
            let here = by_instruction.get(from..).unwrap_or_default();
            for (_, idx) in here.iter().take_while(|(it, _)| *it == number) {
                let Some(entry) = entries.get_mut(*idx) else { continue };
                let is_here = match entry.reach {
                    Reach::Part(_, part) => part.contains(at),
                    Reach::File | Reach::Instruction(_) | Reach::Nothing => true,
                };
                if is_here && entry.means(rule, finding) {
                    entry.used = true;
                    finding.suppressed = true;
                }
            }
        }
        for idx in &of_file {
            let Some(entry) = entries.get_mut(*idx) else { continue };
            if entry.means(rule, finding) {
                entry.used = true;
                finding.suppressed = true;
            }
        }
    }
}

#[cfg(test)]
mod tests;

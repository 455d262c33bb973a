//! `plimsoll explain`: the page of a rule, or the list of rules.

use std::fmt::Write;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::cli::Outcome;
use crate::cli::console::Console;
use crate::cli::names;
use crate::cli::options::{Format, Manner};
use crate::cli::render::json::{self, TOOL, Tool};
use crate::config::hadolint::{self, Answer, Row};
use crate::rules::names::rules_named;
use crate::rules::{self, Note, Rule};

/// The options of `explain`.
#[derive(Debug, Args)]
pub struct Options {
    /// A rule's id, or the name another tool gives it (DL3009, stage-name-casing); the list of all rules without one
    #[arg(value_name = "RULE")]
    rule: Option<String>,
    /// What the page is written as
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    manner: Manner,
}

#[derive(Debug, Serialize)]
struct Report {
    version: u32,
    tool: Tool,
    rules: Vec<JsonRule>,
    /// What became of a number of hadolint, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    hadolint: Option<JsonNumber>,
}

#[derive(Debug, Serialize)]
struct JsonNumber {
    number: &'static str,
    about: &'static str,
    rules: &'static [&'static str],
    /// Whether it is an error of the file.
    fault: bool,
    /// Why nothing, or not all of it, is reported.
    left_out: Option<&'static str>,
}

impl JsonNumber {
    fn of(row: &'static Row) -> JsonNumber {
        let left_out = match row.answer {
            Answer::Partly(_, reason) | Answer::LeftOut(reason) => Some(reason),
            Answer::Rules(_) | Answer::Fault => None,
        };
        let fault = row.answer == Answer::Fault;
        JsonNumber { number: row.number, about: row.about, rules: row.rules(), fault, left_out }
    }
}

#[derive(Debug, Serialize)]
struct JsonRule {
    name: &'static str,
    group: &'static str,
    severity: &'static str,
    /// Whether it looks when no setting says anything.
    default: bool,
    also: &'static [&'static str],
    page: String,
    url: String,
}

/// Shows what the options name.
pub(crate) fn run(options: &Options, console: &mut Console) -> Result<Outcome> {
    console.set_up(options.manner.color, options.manner.quiet);
    let row = options.rule.as_deref().and_then(hadolint::find);
    let note = options.rule.as_deref().and_then(|name| Note::ALL.into_iter().find(|note| note.id() == name));
    let wanted = match &options.rule {
        Some(_) if note.is_some() => Vec::new(),
        Some(name) if row.is_some() => rules_named(name).unwrap_or_default(),
        Some(name) => names::rules_named(name)?,
        None => rules::ALL.to_vec(),
    };
    let text = match (options.format, &options.rule) {
        (Format::Json, _) => {
            let rules = wanted.into_iter().map(json_rule).collect();
            let hadolint = row.map(JsonNumber::of);
            json::document(&Report { version: json::VERSION, tool: TOOL, rules, hadolint })?
        }
        (Format::Text, Some(name)) => {
            let number = row.map(|row| number(name, row));
            let note = note.map(note_page);
            let pages = wanted.into_iter().map(page);
            number.into_iter().chain(note).chain(pages).collect::<Vec<String>>().join("\n")
        }
        (Format::Text, None) => list(&wanted),
    };
    console.result(&text)?;
    Ok(Outcome::Fine)
}

fn json_rule(rule: &'static Rule) -> JsonRule {
    JsonRule {
        name: rule.name,
        group: rule.group.name(),
        severity: rule.severity.name(),
        default: rule.on,
        also: rule.also,
        page: rule.doc.trim().to_owned(),
        url: rule.url(),
    }
}

/// What became of a number, in a sentence.
fn number(name: &str, row: &Row) -> String {
    format!("{} of hadolint, {}: {}.\n", name.to_ascii_uppercase(), row.about, names::reason(row))
}

fn note_page(note: Note) -> String {
    format!("# {}\n\na note on an allow comment · {}\n\n{}\n", note.id(), note.severity().name(), note.doc())
}

fn page(rule: &Rule) -> String {
    let mut res = format!("# {}\n\n{} · {}", rule.name, rule.group.name(), rule.severity.name());
    res.push_str(if rule.on { "" } else { " · off by default" });
    if !rule.also.is_empty() {
        let _ = write!(res, " · also {}", rule.also.join(", "));
    }
    let _ = write!(res, "\n\n{}\n\n{}\n", rule.doc.trim(), rule.url());
    res
}

/// One line a rule.
fn list(rules: &[&Rule]) -> String {
    let width = rules.iter().map(|rule| rule.name.len()).max().unwrap_or_default();
    let mut res = String::new();
    for rule in rules {
        let severity = if rule.on { rule.severity.name() } else { "off" };
        let also = if rule.also.is_empty() { String::new() } else { format!("  ({})", rule.also.join(", ")) };
        let first = rule.doc.trim().lines().next().unwrap_or_default();
        let _ = writeln!(res, "{:width$}  {:<11}  {severity:<11}  {first}{also}", rule.name, rule.group.name());
    }
    res
}

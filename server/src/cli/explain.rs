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
use crate::rules::{self, Rule};

/// The options of `explain`.
#[derive(Debug, Args)]
pub struct Options {
    /// A rule's id, or the number another tool gives it (DL3009); the list of all rules without one
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
    let wanted = match &options.rule {
        Some(name) => names::rules_named(name)?,
        None => rules::ALL.to_vec(),
    };
    let text = match (options.format, &options.rule) {
        (Format::Json, _) => {
            let rules = wanted.into_iter().map(json_rule).collect();
            json::document(&Report { version: json::VERSION, tool: TOOL, rules })?
        }
        (Format::Text, Some(_)) => wanted.into_iter().map(page).collect::<Vec<String>>().join("\n"),
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

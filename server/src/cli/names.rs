//! Names that people type: rules by id or another tool's number, groups, paths.

use std::path::Path;

use anyhow::{Result, bail};

use crate::config::hadolint::{self, Answer};
use crate::config::keys::GROUPS;
use crate::config::{Config, Level};
use crate::rules::{self, Note, Rule, Severity, names};

/// The ids of all rules.
pub(crate) fn known_rules() -> Vec<&'static str> {
    names::ids()
}

/// The rules of an id or of another name (`DL3009`, `stage-name-casing`), which may stand for several. Fails for a
/// number of another tool that no rule stands for, with the reason.
pub(crate) fn rules_named(name: &str) -> Result<Vec<&'static Rule>> {
    match names::rules_named(name) {
        Some(rules) if !rules.is_empty() => Ok(rules),
        _ => match hadolint::find(name) {
            Some(row) => bail!("no rule stands for {name}: {}", reason(row)),
            None => bail!("unknown rule `{name}`{}", nearest(name, &names::ids())),
        },
    }
}

/// Why a number has no rule, or has one for a part alone.
pub(crate) fn reason(row: &hadolint::Row) -> String {
    match row.answer {
        Answer::Rules(rules) => format!("it is {}", rules.join(", ")),
        Answer::Partly(rules, reason) => format!("it is {} in part; {reason}", rules.join(", ")),
        Answer::Fault => "BuildKit rejects it, so it is an error of the file and cannot be switched off".to_owned(),
        Answer::LeftOut(reason) => format!("left out: {reason}"),
    }
}

/// Whether this is the id of a note on an allow comment.
pub(crate) fn is_note(id: &str) -> bool {
    Note::ALL.iter().any(|note| note.id() == id)
}

/// The ids of findings that a name stands for, notes on allow comments too.
pub(crate) fn ids_named(name: &str) -> Result<Vec<&'static str>> {
    match Note::ALL.iter().find(|note| note.id() == name) {
        Some(note) => Ok(vec![note.id()]),
        None => Ok(rules_named(name)?.into_iter().map(|rule| rule.name).collect()),
    }
}

/// The rules of an id, another name or a group.
fn rules_or_group(name: &str) -> Result<Vec<&'static Rule>> {
    if !GROUPS.contains(&name) {
        return rules_named(name);
    }
    Ok(rules::ALL.iter().copied().filter(|rule| rule.group.name() == name).collect())
}

/// A hint at the name that was probably meant, and at the list.
pub(crate) fn nearest(name: &str, known: &[&str]) -> String {
    match similar::get_close_matches(name, known, 1, 0.7).first() {
        Some(close) => format!("; did you mean `{close}`?"),
        None => String::new(),
    }
}

/// Which rules look, by `--select` and `--ignore`.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// These alone, whatever the settings say; all that are on if `None`.
    only: Option<Vec<&'static Rule>>,
    /// Not these.
    ignored: Vec<&'static Rule>,
}

impl Selection {
    /// Reads ids, other names and groups.
    pub(crate) fn of(select: &[String], ignore: &[String]) -> Result<Selection> {
        let all = |names: &mut dyn Iterator<Item = &String>| -> Result<Vec<&'static Rule>> {
            let lists = names.map(|name| rules_or_group(name)).collect::<Result<Vec<_>>>()?;
            Ok(lists.into_iter().flatten().collect())
        };
        let only = if select.is_empty() { None } else { Some(all(&mut select.iter())?) };
        // To ignore a number that nothing stands for is no mistake.
        let has_rules = |name: &&String| hadolint::find(name).is_none_or(|row| !row.rules().is_empty());
        Ok(Selection { only, ignored: all(&mut ignore.iter().filter(has_rules))? })
    }

    /// Switches rules in the settings. A rule that is asked for and off gets its own severity.
    pub(crate) fn lay_over(&self, acc: &mut Config) {
        if self.only.as_ref().is_some_and(|only| only.iter().any(|rule| rule.is_check())) {
            acc.buildkit = Some(true);
        }
        for rule in rules::ALL {
            let is_wanted = self.only.as_ref().is_none_or(|only| only.contains(rule)) && !self.ignored.contains(rule);
            let level = acc.level(rule.name, rule.group.name());
            let is_on = level.map_or(rule.on, |level| level != Level::Off);
            if !is_wanted {
                acc.file_levels.rules.insert(rule.name.to_owned(), Level::Off);
            } else if self.only.is_some() && !is_on {
                acc.file_levels.rules.insert(rule.name.to_owned(), own_level(rule));
            }
        }
    }
}

fn own_level(rule: &Rule) -> Level {
    match rule.severity {
        Severity::Hint => Level::Hint,
        Severity::Information => Level::Information,
        Severity::Warning => Level::Warning,
        Severity::Error => Level::Error,
    }
}

/// A path as it is shown: as given, or relative to the working directory where it lies below, with `/`.
pub(crate) fn shown(path: &Path) -> String {
    let current = std::env::current_dir().ok();
    let path = current.as_deref().and_then(|current| path.strip_prefix(current).ok()).unwrap_or(path);
    let text = path.to_string_lossy().into_owned();
    if std::path::MAIN_SEPARATOR == '/' { text } else { text.replace(std::path::MAIN_SEPARATOR, "/") }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_name_that_is_nearly_one_is_hinted_at() {
        let known = ["apt-lists-left", "runs-as-root"];
        assert_eq!(nearest("apt-list-left", &known), "; did you mean `apt-lists-left`?");
        assert_eq!(nearest("DL9999", &known), "");
    }
}

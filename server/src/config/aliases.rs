//! The names that a rule answers to besides its id: hadolint's numbers, and BuildKit's checks with hyphens.

use crate::config::hadolint;
use crate::config::names::spelled;

/// The ids that a name stands for, of those that are known: an id itself, the name of a check with hyphens
/// (`stage-name-casing`), a number of hadolint. Nothing stands behind a number that was left out; `None` is no name at
/// all.
pub fn resolve<'a>(name: &str, known: &[&'a str]) -> Option<Vec<&'a str>> {
    if let Some(id) = known.iter().find(|id| **id == name) {
        return Some(vec![id]);
    }
    // Only a name with hyphens can be the other spelling of one, and is worth the search.
    if let Some(id) = name.contains('-').then(|| spelled(name, known)).flatten() {
        return Some(vec![id]);
    }
    let row = hadolint::find(name)?;
    Some(known.iter().filter(|id| row.rules().contains(id)).copied().collect())
}

/// Whether an id is the name of one of BuildKit's checks.
pub fn is_check(id: &str) -> bool {
    id.starts_with(|first: char| first.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn a_rule_answers_to_its_other_names() {
        let known = ["apt-lists-left", "JSONArgsRecommended", "cmd-ignored-by-entrypoint", "UndefinedArgInFrom"];
        let check = |name: &str, expected: Option<&[&str]>| {
            assert_eq!(resolve(name, &known).as_deref(), expected, "{name}");
        };
        check("apt-lists-left", Some(&["apt-lists-left"]));
        check("json-args-recommended", Some(&["JSONArgsRecommended"]));
        check("undefined-arg-in-from", Some(&["UndefinedArgInFrom"]));
        check("DL3009", Some(&["apt-lists-left"]));
        check("DL3025", Some(&["JSONArgsRecommended", "cmd-ignored-by-entrypoint"]));
        check("DL3047", Some(&[]));
        for name in ["jsonargs-recommended", "Json-Args-Recommended", "json-args", "Apt-Lists-Left", "", "-", "é"] {
            check(name, None);
        }
    }
}

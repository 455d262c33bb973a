//! The names that a rule answers to besides its id: hadolint's numbers, and BuildKit's checks with hyphens.

use crate::config::hadolint;

/// The ids that a name stands for, of those that are known: an id itself, the name of a check with hyphens
/// (`stage-name-casing`), a number of hadolint. Nothing stands behind a number that was left out; `None` is no name at
/// all.
pub fn resolve<'a>(name: &str, known: &[&'a str]) -> Option<Vec<&'a str>> {
    if let Some(id) = known.iter().find(|id| **id == name) {
        return Some(vec![id]);
    }
    if let Some(id) = known.iter().find(|id| is_check(id) && is_hyphenated(name, id)) {
        return Some(vec![id]);
    }
    let row = hadolint::find(name)?;
    Some(known.iter().filter(|id| row.rules().contains(id)).copied().collect())
}

/// Whether an id is the name of one of BuildKit's checks.
pub fn is_check(id: &str) -> bool {
    id.starts_with(|first: char| first.is_ascii_uppercase())
}

/// Whether a name is that of a check in small letters with hyphens between its words: `json-args-recommended`.
fn is_hyphenated(name: &str, id: &str) -> bool {
    let bytes = id.as_bytes();
    let mut rest = name.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let after_small = at.checked_sub(1).and_then(|it| bytes.get(it)).is_some_and(u8::is_ascii_lowercase);
        let before_small = at > 0 && bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        if byte.is_ascii_uppercase() && (after_small || before_small) {
            let Some((b'-', behind)) = rest.split_first() else { return false };
            rest = behind;
        }
        match rest.split_first() {
            Some((first, behind)) if *first == byte.to_ascii_lowercase() => rest = behind,
            Some(_) | None => return false,
        }
    }
    rest.is_empty()
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

//! From the names that people write to rules: ids, hadolint's numbers, BuildKit's names with hyphens, groups, `all`.

use crate::config::aliases;
use crate::config::nearest;
use crate::rules::{self, Group, Rule};

/// What a name in an `allow` comment stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Named {
    /// These rules; none for a number of hadolint that was left out.
    Rules(Vec<&'static Rule>),
    /// All rules of a group, BuildKit's checks of it too.
    Group(Group),
    /// All rules and BuildKit's checks.
    All,
}

impl Named {
    /// Whether it stands for this rule.
    pub fn holds(&self, rule: &Rule) -> bool {
        match self {
            Named::Rules(rules) => rules.contains(&rule),
            Named::Group(group) => rule.group == *group,
            Named::All => true,
        }
    }
}

/// What a name stands for, if it is one.
pub fn named(name: &str) -> Option<Named> {
    if name == "all" {
        return Some(Named::All);
    }
    let group = Group::ALL.iter().find(|group| group.name() == name).map(|group| Named::Group(*group));
    group.or_else(|| rules_named(name).map(Named::Rules))
}

/// The rules that a name stands for: an id, a number of hadolint, another name; none behind a number that was left out.
pub fn rules_named(name: &str) -> Option<Vec<&'static Rule>> {
    let ids = ids();
    if let Some(meant) = aliases::resolve(name, &ids) {
        return Some(rules::ALL.iter().copied().filter(|rule| meant.contains(&rule.name)).collect());
    }
    let also = |rule: &Rule| rule.also.iter().any(|also| also.eq_ignore_ascii_case(name));
    let res: Vec<&'static Rule> = rules::ALL.iter().copied().filter(|rule| also(rule)).collect();
    (!res.is_empty()).then_some(res)
}

/// The ids of all rules.
pub fn ids() -> Vec<&'static str> {
    rules::ALL.iter().map(|rule| rule.name).collect()
}

/// The known name that is nearest to one that is none, if one is near.
pub fn nearest(name: &str) -> Option<&'static str> {
    let groups = Group::ALL.iter().map(|group| group.name());
    nearest::nearest(name, ids().into_iter().chain(groups).chain(["all"]))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Named, named, nearest};
    use crate::config::{aliases, hadolint};
    use crate::rules::{self, Group, catalogue};

    #[test]
    fn names_are_ids_numbers_groups_and_all() {
        let ids = |name: &str| match named(name) {
            Some(Named::Rules(rules)) => rules.iter().map(|rule| rule.name).collect::<Vec<_>>(),
            other => unreachable!("{name}: {other:?}"),
        };
        assert_eq!(ids("apt-lists-left"), ["apt-lists-left"]);
        assert_eq!(ids("DL3009"), ["apt-lists-left", "cleanup-in-later-layer"]);
        assert_eq!(ids("dl3002"), ["runs-as-root"]);
        assert_eq!(ids("DL3047"), [""; 0]);
        assert_eq!(ids("SC2086"), [""; 0]);
        assert_eq!(named("size"), Some(Named::Group(Group::Size)));
        assert_eq!(named("all"), Some(Named::All));
        assert_eq!(named("Apt-Lists-Left"), None, "ids have one spelling");
        assert_eq!(nearest("apt-list-left"), Some("apt-lists-left"));
    }

    #[test]
    fn every_rule_is_one_of_the_catalogue() {
        for rule in rules::ALL {
            let known = if aliases::is_check(rule.name) { catalogue::CHECKS } else { catalogue::RULES };
            assert!(known.contains(&rule.name), "{}", rule.name);
        }
    }

    #[test]
    fn the_numbers_of_a_rule_are_those_of_the_table() {
        for row in hadolint::ROWS {
            for id in row.rules() {
                assert!(catalogue::RULES.contains(id) || catalogue::CHECKS.contains(id), "{}: {id}", row.number);
            }
        }
        for rule in rules::ALL {
            let in_table: BTreeSet<&str> =
                hadolint::ROWS.iter().filter(|row| row.rules().contains(&rule.name)).map(|row| row.number).collect();
            let in_rule: BTreeSet<&str> = rule.also.iter().copied().filter(|also| also.starts_with("DL")).collect();
            // What a number names beside its first rule may stay with the first.
            let seconds: BTreeSet<&str> = hadolint::ROWS
                .iter()
                .filter(|row| row.rules().first().is_some_and(|first| *first != rule.name))
                .map(|row| row.number)
                .collect();
            assert!(in_rule.is_subset(&in_table), "{}: {in_rule:?}, the table has {in_table:?}", rule.name);
            let missing: Vec<&&str> =
                in_table.difference(&in_rule).filter(|number| !seconds.contains(*number)).collect();
            assert!(missing.is_empty(), "`also` of {} lacks {missing:?}", rule.name);
        }
    }
}

//! What `# check=` at the top of a file says besides what it skips.

use crate::model::File;
use crate::rules::Rule;
use crate::rules::allow::comments::{list, options};

/// BuildKit's checks that `experimental=` switches on.
static EXPERIMENTAL: &[&str] = &["CopyIgnoredFile", "InvalidDefinitionDescription"];

/// Whether every check that is reported is an error: `error=true`, as Go reads truth.
pub(in crate::rules) fn is_error(file: &File) -> bool {
    let is_true = |value: &str| matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True");
    let check = file.directives.check.as_deref().unwrap_or_default();
    options(check).any(|(key, value)| key == "error" && is_true(value))
}

/// Whether the file asks for an experimental check: `experimental=all`, or by its name.
pub(in crate::rules) fn is_tried(file: &File, rule: &Rule) -> bool {
    let Some(check) = file.directives.check.as_deref().filter(|_| EXPERIMENTAL.contains(&rule.name)) else {
        return false;
    };
    let named = options(check).filter(|(key, _)| *key == "experimental").flat_map(|(_, names)| list(names));
    { named }.any(|name| name == rule.name || name.eq_ignore_ascii_case("all"))
}

#[cfg(test)]
mod tests {
    use super::{is_error, is_tried};
    use crate::lower::{self, Build};
    use crate::rules::{Context, Finding, Group, Rule, Severity};

    const fn rule(name: &'static str) -> Rule {
        let check = |_: &Context, _: &mut Vec<Finding>| {};
        Rule { name, group: Group::Style, severity: Severity::Hint, on: false, also: &[], doc: "", check }
    }

    #[test]
    fn a_directive_makes_errors_and_tries_what_is_experimental() {
        let says = |directive: &str| {
            let file = lower::file(format!("{directive}\nFROM a\n").into(), &Build::default(), None);
            let tried =
                ["InvalidDefinitionDescription", "InvalidBaseImagePlatform"].map(|it| is_tried(&file, &rule(it)));
            (is_error(&file), tried)
        };
        assert_eq!(says("# check=skip=FromAsCasing;error=true"), (true, [false, false]));
        assert_eq!(says("# check=error=false;experimental=all"), (false, [true, false]));
        assert_eq!(says("# check = experimental=A,InvalidDefinitionDescription"), (false, [true, false]));
        assert_eq!(
            says("# about\n# check=error=true"),
            (false, [false, false]),
            "no directive stands behind a comment"
        );
    }
}

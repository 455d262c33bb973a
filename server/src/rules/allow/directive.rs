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

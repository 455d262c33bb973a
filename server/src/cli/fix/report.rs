//! What `fix` says of what it did: lines for people, a unified diff, JSON.

use std::fmt::Write;

use anyhow::Result;
use serde::Serialize;
use similar::TextDiff;

use crate::assists::Refusal;
use crate::cli::fix::{Applied, Fixed};
use crate::cli::render::json::{self, JsonEstimate, TOOL, Tool};

#[derive(Debug, Serialize)]
struct Report {
    version: u32,
    tool: Tool,
    files: Vec<JsonFile>,
}

/// A file in the JSON of `fix`.
#[derive(Debug, Serialize)]
pub(super) struct JsonFile {
    path: String,
    error: Option<String>,
    changed: bool,
    /// The new text, `null` if the file could not be read.
    text: Option<String>,
    applied: Vec<JsonApplied>,
    refused: Vec<JsonRefusal>,
}

#[derive(Debug, Serialize)]
struct JsonApplied {
    id: &'static str,
    variant: Option<&'static str>,
    title: String,
    line: usize,
    doubts: Vec<String>,
    before: Option<JsonEstimate>,
    after: Option<JsonEstimate>,
}

#[derive(Debug, Serialize)]
struct JsonRefusal {
    id: &'static str,
    variant: Option<&'static str>,
    code: String,
    reason: String,
    line: usize,
}

impl JsonApplied {
    fn of(applied: &Applied) -> JsonApplied {
        JsonApplied {
            id: applied.id,
            variant: applied.variant,
            title: applied.title.clone(),
            line: applied.line,
            doubts: applied.doubts.clone(),
            before: applied.before.as_ref().map(JsonEstimate::of),
            after: applied.after.as_ref().map(JsonEstimate::of),
        }
    }
}

impl JsonFile {
    /// A file that was read.
    pub(super) fn of(path: String, before: &str, fixed: &Fixed, error: Option<String>) -> JsonFile {
        let refused = fixed.refused.iter().map(|(line, refusal)| JsonRefusal {
            id: refusal.id,
            variant: refusal.variant,
            code: refusal.code.to_string(),
            reason: refusal.reason.clone(),
            line: *line,
        });
        JsonFile {
            path,
            error,
            changed: fixed.text != before,
            text: Some(fixed.text.clone()),
            applied: fixed.applied.iter().map(JsonApplied::of).collect(),
            refused: refused.collect(),
        }
    }

    /// Another file that an action writes.
    pub(super) fn other(path: String, text: &str, applied: &Applied, error: Option<String>) -> JsonFile {
        let applied = vec![JsonApplied::of(applied)];
        JsonFile { path, error, changed: true, text: Some(text.to_owned()), applied, refused: Vec::new() }
    }

    /// A file that could not be read.
    pub(super) fn failed(path: String, error: String) -> JsonFile {
        JsonFile { path, error: Some(error), changed: false, text: None, applied: Vec::new(), refused: Vec::new() }
    }
}

/// The whole report.
pub(super) fn json(files: Vec<JsonFile>) -> Result<String> {
    json::document(&Report { version: json::VERSION, tool: TOOL, files })
}

/// One line for each thing that was applied, its doubts below it.
pub(super) fn summary(name: &str, fixed: &Fixed) -> String {
    let mut res = String::new();
    for applied in fixed.applied.iter().chain(fixed.others.iter().map(|(_, applied)| applied)) {
        let Applied { id, variant, title, line, doubts, .. } = applied;
        let variant = variant.map(|variant| format!("={variant}")).unwrap_or_default();
        let _ = writeln!(res, "{name}:{line}: {title} ({id}{variant})");
        for doubt in doubts {
            let _ = writeln!(res, "  not shown: {doubt}");
        }
    }
    res
}

/// A refusal in one line.
pub(super) fn refusal(name: &str, line: usize, refusal: &Refusal) -> String {
    let Refusal { id, variant, code, reason, .. } = refusal;
    let variant = variant.map(|variant| format!("={variant}")).unwrap_or_default();
    format!("{name}:{line}: {id}{variant} is not possible: {reason} ({code})")
}

/// A unified diff that `patch -p1` and `git apply` take; empty where nothing changed.
pub(super) fn diff(name: &str, before: &str, after: &str, color: bool) -> String {
    diff_of(name, Some(before), after, color)
}

/// The same of a file that may not be there yet.
pub(super) fn diff_of(name: &str, before: Option<&str>, after: &str, color: bool) -> String {
    // Lines end at LF alone, as for patch.
    let old: Vec<&str> = before.unwrap_or_default().split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let diff = TextDiff::configure().newline_terminated(true).diff_slices(&old, &new);
    let (from, to) = if name.starts_with('/') {
        (name.to_owned(), name.to_owned())
    } else {
        (format!("a/{name}"), format!("b/{name}"))
    };
    let from = if before.is_some() { from } else { "/dev/null".to_owned() };
    let res = diff.unified_diff().context_radius(3).header(&from, &to).to_string();
    if color { colored(&res) } else { res }
}

fn colored(diff: &str) -> String {
    let paint = |line: &str| {
        let code = match line.as_bytes().first() {
            _ if line.starts_with("+++") || line.starts_with("---") => "1",
            Some(b'+') => "32",
            Some(b'-') => "31",
            Some(b'@') => "36",
            _ => return line.to_owned(),
        };
        let content = line.trim_end_matches(['\n', '\r']);
        let end = line.get(content.len()..).unwrap_or_default();
        format!("\u{1b}[{code}m{content}\u{1b}[0m{end}")
    };
    diff.split_inclusive('\n').map(paint).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::diff;

    #[test]
    fn a_diff_is_one_that_patch_takes() {
        expect![[r#"
            --- a/app/Dockerfile
            +++ b/app/Dockerfile
            @@ -1,3 +1,2 @@
             FROM a
            -RUN b
            -RUN c
            +RUN b && c
        "#]]
        .assert_eq(&diff("app/Dockerfile", "FROM a\nRUN b\nRUN c\n", "FROM a\nRUN b && c\n", false));
        let last = "--- a/Dockerfile\n+++ b/Dockerfile\n@@ -1,2 +1,2 @@\n FROM a\r\n-RUN b\n\\ No newline at end of file\n+RUN c\n\\ No newline at end of file\n";
        assert_eq!(diff("Dockerfile", "FROM a\r\nRUN b", "FROM a\r\nRUN c", false), last);
        assert_eq!(diff("Dockerfile", "FROM a\n", "FROM a\n", true), "");
    }
}

//! Parser directives: `# syntax=`, `# escape=`, `# check=` before anything else.

use crate::segment::{SegmentFault, line, range};

/// The directives of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directives {
    /// The escape character, `\` unless `# escape=` says otherwise.
    pub escape: char,
    /// The value of `# syntax=`.
    pub syntax: Option<String>,
    /// The value of `# check=`.
    pub check: Option<String>,
    /// The end of the last directive line, its line end included, in bytes; 0 without directives.
    pub end: u32,
}

impl Default for Directives {
    fn default() -> Directives {
        Directives { escape: '\\', syntax: None, check: None, end: 0 }
    }
}

/// Reads the directives (BuildKit's `parser/directives.go`): comment lines from the first line on, until one is none or
/// names something else.
pub(super) fn read(text: &str, acc: &mut Vec<SegmentFault>) -> Directives {
    let mut res = Directives::default();
    let mut escape_seen = false;
    let mut at = 0;
    while at < text.len() {
        let line = line::physical(text, at);
        let content =
            if at == 0 { line.content.strip_prefix('\u{feff}').unwrap_or(line.content) } else { line.content };
        let Some((key, value)) = directive(content.trim_start()) else { break };
        let whole = range(at + (line.content.len() - content.trim_start().len()), at + line.content.len());
        let seen = match key.as_str() {
            "syntax" => res.syntax.is_some(),
            "check" => res.check.is_some(),
            "escape" => escape_seen,
            _ => break,
        };
        if seen {
            acc.push(SegmentFault { range: whole, message: format!("only one {key} parser directive can be used") });
        } else if key == "syntax" {
            res.syntax = Some(value.to_owned());
        } else if key == "check" {
            res.check = Some(value.to_owned());
        } else {
            escape_seen = true;
            match value {
                "\\" => res.escape = '\\',
                "`" => res.escape = '`',
                _ => {
                    let message = format!("invalid escape token '{value}' does not match ` or \\");
                    acc.push(SegmentFault { range: whole, message });
                }
            }
        }
        at = line.end;
        res.end = at as u32;
    }
    res
}

/// `# key = value`, the key in lower case (`^([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$` behind the `#`).
fn directive(content: &str) -> Option<(String, &str)> {
    let rest = content.strip_prefix('#')?.trim_start();
    let key_end = rest.find(|char: char| !char.is_ascii_alphanumeric())?;
    let key = &rest[..key_end];
    if !key.starts_with(|char: char| char.is_ascii_alphabetic()) {
        return None;
    }
    let blank = |char: char| matches!(char, ' ' | '\t' | '\n' | '\r' | '\u{c}');
    let value = rest[key_end..].trim_start_matches(blank).strip_prefix('=')?.trim_matches(blank);
    (!value.is_empty()).then(|| (key.to_ascii_lowercase(), value))
}

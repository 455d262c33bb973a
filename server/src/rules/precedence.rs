//! One finding per cause (RULES.md §5): of findings about the same thing the stronger speaks.
//!
//! Rules do not know each other; what a stronger finding replaces stays in the list, marked, and speaks when the stronger
//! rule is off.

use crate::rules::Finding;
use crate::text::TextRange;

/// What two findings must share.
#[derive(Clone, Copy)]
enum Same {
    /// The instruction that one of the causes is.
    Instruction,
    /// The cause itself.
    Cause,
    /// The weaker one's cause is among the stronger one's related places: bytes that it deletes too late.
    Related,
}

struct Row {
    stronger: &'static str,
    weaker: &'static [&'static str],
    same: Same,
}

static TABLE: &[Row] = &[
    Row { stronger: "inline-comment", weaker: &["npm-as-pid1"], same: Same::Instruction },
    Row { stronger: "single-stage-build", weaker: &["fat-base-image"], same: Same::Cause },
    Row {
        stronger: "cleanup-in-later-layer",
        weaker: &["apt-lists-left", "npm-cache-left", "pip-cache-left"],
        same: Same::Related,
    },
];

/// Marks the weaker findings of each cause as replaced.
pub fn apply(findings: &mut [Finding]) {
    for row in TABLE {
        let strong: Vec<(TextRange, Vec<TextRange>)> = findings
            .iter()
            .filter(|finding| finding.id() == row.stronger && !finding.replaced)
            .map(|finding| (finding.cause, finding.related.iter().map(|it| it.range).collect()))
            .collect();
        for finding in findings.iter_mut().filter(|finding| row.weaker.contains(&finding.id())) {
            finding.replaced |= strong.iter().any(|(cause, related)| match row.same {
                Same::Instruction => cause.contains_range(finding.cause) || finding.cause.contains_range(*cause),
                Same::Cause => *cause == finding.cause,
                Same::Related => related.contains(&finding.cause),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{analyse, parse};

    fn shown(text: &str) -> Vec<&'static str> {
        analyse(&parse(text)).shown().map(|finding| finding.id()).collect()
    }

    #[test]
    fn lists_that_are_deleted_too_late_are_one_finding() {
        let text = "FROM debian:12-slim\nRUN apt-get update\nRUN rm -rf /var/lib/apt/lists/*\nUSER app\nCMD [\"a\"]\n";
        assert_eq!(shown(text), ["cleanup-in-later-layer"]);
        let off = format!("{text}#- plimsoll.toml\n[rules]\ncleanup-in-later-layer = \"off\"\n");
        assert_eq!(shown(&off), ["apt-lists-left"]);
    }
}

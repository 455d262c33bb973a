//! Comments that are meant for linters: inside a continuation they would not be seen.

/// What a comment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Comment {
    /// For people.
    Plain,
    /// `# hadolint ignore=DL3008,DL3009 # why`
    Hadolint(Ignores),
    /// `# plimsoll: allow …`, which is read inside a continuation too and holds for the next line there.
    Allow,
    /// For another linter.
    Foreign,
}

/// What hadolint is told to ignore.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ignores {
    codes: Vec<String>,
    remarks: Vec<String>,
}

impl Ignores {
    /// Adds what another comment says.
    pub(super) fn unite(&mut self, other: Ignores) {
        for (acc, more) in [(&mut self.codes, other.codes), (&mut self.remarks, other.remarks)] {
            for it in more {
                if !acc.contains(&it) {
                    acc.push(it);
                }
            }
        }
    }

    /// Whether nothing is ignored.
    pub(super) fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The comment that says it.
    pub(super) fn comment(&self) -> String {
        let mut res = format!("# hadolint ignore={}", self.codes.join(","));
        if !self.remarks.is_empty() {
            res.push_str(" # ");
            res.push_str(&self.remarks.join("; "));
        }
        res
    }
}

/// Beginnings of comments that linters read.
const FOREIGN: &[&str] = &[
    "checkov:",
    "dockerfile_lint",
    "dockerfilelint",
    "dockle",
    "droast",
    "hadolint",
    "kics-scan",
    "nosemgrep",
    "nosonar",
    "renovate:",
    "shellcheck",
    "snyk",
    "tally",
    "tfsec:",
    "trivy:",
];

/// Reads a comment, its `#` included.
pub(super) fn read(comment: &str) -> Comment {
    let text = comment.trim_start_matches('#').trim();
    if let Some(ignores) = hadolint(text) {
        return Comment::Hadolint(ignores);
    }
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("plimsoll:") {
        return Comment::Allow;
    }
    if FOREIGN.iter().any(|it| lower.starts_with(it)) { Comment::Foreign } else { Comment::Plain }
}

fn hadolint(text: &str) -> Option<Ignores> {
    let rest = text.strip_prefix("hadolint")?.trim_start().strip_prefix("ignore")?.trim_start().strip_prefix('=')?;
    let (codes, remark) = match rest.split_once('#') {
        Some((codes, remark)) => (codes, Some(remark.trim().to_owned())),
        None => (rest, None),
    };
    let codes: Vec<String> = codes.split(',').map(|code| code.trim().to_owned()).collect();
    let sound = codes.iter().all(|code| !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    sound.then(|| Ignores { codes, remarks: remark.into_iter().filter(|it| !it.is_empty()).collect() })
}

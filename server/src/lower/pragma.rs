//! `# hadolint shell=…`: a comment that says which shell carries out what follows in the stage.

use crate::lower::stages::shell_named;
use crate::model::ShellKind;

/// The shell that a comment names, from its `#` on.
pub(super) fn shell(comment: &str) -> Option<ShellKind> {
    let text = comment.trim_start_matches('#').trim_start();
    let rest = text.strip_prefix("hadolint")?.trim_start().strip_prefix("shell")?.trim_start().strip_prefix('=')?;
    let program = rest.split_whitespace().next()?;
    Some(shell_named(program))
}

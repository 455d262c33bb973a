//! Shell text that is one plain command: what can be said without a shell as well.
//!
//! No operators, variables, patterns, redirections, assignments: [`words`] is `None` for anything that only a shell does.

use crate::shell::{Call, CommandKind, Script};

/// The words of a command that needs no shell. A leading `exec` is taken off.
pub fn words(script: &Script) -> Option<Vec<String>> {
    let [item] = script.list.items.as_slice() else { return None };
    let [command] = item.and_or.first.commands.as_slice() else { return None };
    let CommandKind::Simple(simple) = &command.kind else { return None };
    let alone = item.separator.is_none() && item.and_or.rest.is_empty() && item.and_or.first.negated.is_none();
    let plain = command.redirects.is_empty() && simple.assignments.is_empty() && script.comments.is_empty();
    if script.broken || !alone || !plain || simple.words.iter().any(|word| word.is_pattern()) {
        return None;
    }
    let mut words: Vec<String> = simple.words.iter().map(|word| word.literal()).collect::<Option<_>>()?;
    if words.first().is_some_and(|it| it == "exec") {
        words.remove(0);
    }
    let braces = |word: &String| word.contains(['{', '~', '\n']);
    (!words.is_empty() && !words.iter().any(braces)).then_some(words)
}

/// Whether something else is done where a call fails (`call || other`), so that its failure is foreseen. `text` is that of
/// the instruction.
pub fn is_foreseen(call: &Call, text: &str) -> bool {
    let behind = text.get(call.whole.end as usize..).unwrap_or_default();
    behind.trim_start_matches(|it: char| it.is_whitespace() || it == '\\').starts_with("||")
}

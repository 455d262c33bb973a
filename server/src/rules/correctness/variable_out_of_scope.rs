//! `variable-out-of-scope`: a variable that is empty here, though the file sets it elsewhere.

mod bases;
mod references;

use crate::facts::lines;
use crate::model::{InstructionKind, Pair, Placed, ShellKind, Stage};
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::text::{Local, TextEdit, TextRange};

/// The rule.
pub static RULE: Rule = Rule {
    name: "variable-out-of-scope",
    group: Group::Correctness,
    severity: Severity::Warning,
    on: true,
    also: &["DL3044"],
    doc: r##"
A variable is empty here, though the file gives it a value elsewhere.

An `ARG` before the first `FROM` is seen by the `FROM`s alone: a stage sees it once it declares it again, without a value.
And an `ENV` gives all its variables at once, so that one cannot read another: `ENV A=1 B=$A` leaves `B` empty.
The build goes on with an empty text, and fetches `app-.tar.gz`.

```dockerfile
ARG V=1.2
FROM debian:bookworm-slim
RUN echo $V > /v
CMD ["cat", "/v"]
```

Declared again in the stage:

```dockerfile
ARG V=1.2
FROM debian:bookworm-slim
ARG V
RUN echo $V > /v
CMD ["cat", "/v"]
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let mut globals: Vec<&str> =
        ctx.file.globals.variables.iter().filter(|it| it.range.is_some()).map(|it| it.name.as_str()).collect();
    globals.sort_unstable();
    globals.dedup();
    for (stage_idx, stage) in ctx.reaching() {
        for placed in &stage.instructions {
            if let InstructionKind::Env(pairs) = &placed.instruction.kind {
                of_one_env(ctx, stage_idx, stage, placed, pairs, acc);
            }
        }
        for name in &globals {
            undeclared(ctx, stage_idx, stage, name, acc);
        }
    }
}

/// Uses of a global ARG in a stage that has not declared it.
fn undeclared(ctx: &Context, stage_idx: usize, stage: &Stage, name: &str, acc: &mut Vec<Finding>) {
    if is_proxy(name) {
        return;
    }
    let mut is_first = true;
    for placed in &stage.instructions {
        if !placed.instruction.text.contains(name) {
            continue;
        }
        if stage.scope.get_at(name, placed.at).is_some() {
            return;
        }
        let Some(range) = references::find(&placed.instruction, name) else { continue };
        if bases::may_set(ctx, stage_idx, name) {
            return;
        }
        let message = format!("`{name}` is empty here: the ARG before the first FROM is not seen in a stage");
        let mut finding = Finding::new(&RULE, placed.range(range), message);
        if is_first {
            let keyword = placed.instruction.keyword.of(&placed.instruction.text);
            let arg = if keyword.starts_with(char::is_lowercase) { "arg" } else { "ARG" };
            finding.fix = Some(Fix {
                title: format!("Declare `{name}` in this stage"),
                safety: Safety::Review,
                edit: lines::above(ctx.file, placed, &format!("{arg} {name}")),
            });
        }
        is_first = false;
        acc.push(finding);
    }
}

/// What Docker hands to every RUN without being asked.
fn is_proxy(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    matches!(upper.as_str(), "HTTP_PROXY" | "HTTPS_PROXY" | "FTP_PROXY" | "NO_PROXY" | "ALL_PROXY")
}

/// Values of an ENV that read what the same ENV sets first.
fn of_one_env(ctx: &Context, stage_idx: usize, stage: &Stage, placed: &Placed, pairs: &[Pair], acc: &mut Vec<Finding>) {
    // Windows has variables of its own, whatever their letter case.
    let on_windows = matches!(placed.instruction.frame.shell, ShellKind::Cmd | ShellKind::PowerShell);
    if pairs.len() < 2 || on_windows || !placed.instruction.text.contains('$') {
        return;
    }
    for (idx, pair) in pairs.iter().enumerate() {
        let Some(word) = pair.value.as_ref().filter(|word| word.text.contains('$')) else { continue };
        for (set_idx, set) in pairs.iter().enumerate().filter(|(set_idx, _)| *set_idx != idx) {
            let name = set.name.text.as_str();
            let known = || stage.scope.get_at(name, placed.at).is_some();
            if name == pair.name.text || !word.text.contains(name) || known() {
                continue;
            }
            let Some(range) = references::in_word(&placed.instruction, word, name) else { continue };
            if bases::may_set(ctx, stage_idx, name) {
                continue;
            }
            let message = format!("`{name}` is empty here: it gets its value by this same ENV");
            let mut finding = Finding::new(&RULE, placed.range(range), message);
            finding.related.push(crate::rules::Related {
                range: placed.range(set.name.range),
                message: "it is set here for what follows the ENV".to_owned(),
            });
            if set_idx < idx {
                finding.fix = pairs.get(idx - 1).and_then(|before| split(ctx, placed, before, pair));
            }
            acc.push(finding);
        }
    }
}

/// Splits an ENV between two of its pairs.
fn split(ctx: &Context, placed: &Placed, before: &Pair, pair: &Pair) -> Option<Fix> {
    let instruction = &*placed.instruction;
    let gap = Local::new(before.range.end as usize, pair.range.start as usize);
    let is_plain = gap.of(&instruction.text).chars().all(|it| it.is_whitespace() || it == instruction.frame.escape);
    if !is_plain || gap.is_empty() {
        return None;
    }
    let delete: TextRange = placed.range(gap);
    let keyword = instruction.keyword.of(&instruction.text);
    let insert = format!("{}{}{keyword} ", lines::line_end(ctx.file), lines::indent(ctx.file, placed));
    let title = "Set it by an ENV of its own".to_owned();
    Some(Fix { title, safety: Safety::Review, edit: TextEdit::replace(delete, insert) })
}

#[cfg(test)]
mod tests;

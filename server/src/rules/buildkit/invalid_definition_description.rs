//! `InvalidDefinitionDescription`: a comment that BuildKit takes for the description of a stage or an argument.

use crate::model::{InstructionKind, Placed};
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::text::{TextEdit, TextRange};

/// The rule.
pub static RULE: Rule = Rule {
    name: "InvalidDefinitionDescription",
    group: Group::Style,
    severity: Severity::Hint,
    on: false,
    also: &["invalid-definition-description"],
    doc: r##"
The comment above a named stage or an ARG does not begin with its name.

`docker build --call=outline` and `--call=targets` show such comments as descriptions, if they have the form `# NAME what it
is`. BuildKit checks it only where the file asks for experimental checks, and the rule is off here too.

```dockerfile
# Compiles the server.
FROM golang:1.25 AS build
CMD ["go", "version"]
#- plimsoll.toml
[rules]
InvalidDefinitionDescription = "hint"
```

Parted from it by an empty comment, it is no description:

```dockerfile
# Compiles the server.
#
FROM golang:1.25 AS build
CMD ["go", "version"]
#- plimsoll.toml
[rules]
InvalidDefinitionDescription = "hint"
```

As a description it would be `# build compiles the server`. Comments that another tool reads (`# hadolint …`) are left alone.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for placed in ctx.file.instructions() {
        let (names, keyword) = match &placed.instruction.kind {
            InstructionKind::From(from) => (from.name.iter().map(|it| it.text.to_lowercase()).collect(), "FROM"),
            InstructionKind::Arg(pairs) => (pairs.iter().map(|it| it.name.text.clone()).collect::<Vec<_>>(), "ARG"),
            _ => continue,
        };
        let Some(first) = names.first() else { continue };
        let Some(comment) = directly_above(ctx, placed) else { continue };
        let text = text(&ctx.file.text, comment);
        let word = text.split(' ').next().unwrap_or_default();
        if text.is_empty() || is_for_a_tool(text) || names.iter().any(|name| name == word) {
            continue;
        }
        let name = if names.len() > 1 { "<arg_key>" } else { first.as_str() };
        let message = format!("comment for {keyword} should follow the format: `# {name} <description>`");
        let mut finding = Finding::new(&RULE, comment, message);
        finding.fix = fix(&ctx.file.text, placed);
        acc.push(finding);
    }
}

/// The comment line right above an instruction.
fn directly_above(ctx: &Context, placed: &Placed) -> Option<TextRange> {
    let comments = &ctx.file.comments;
    let at = comments.partition_point(|comment| comment.start() < placed.at);
    let comment = *comments.get(at.checked_sub(1)?)?;
    let between = ctx.file.text.get(usize::from(comment.end())..usize::from(placed.at))?;
    (between.matches('\n').count() == 1).then_some(comment)
}

fn text(file: &str, comment: TextRange) -> &str {
    file.get(usize::from(comment.start())..usize::from(comment.end()))
        .unwrap_or_default()
        .trim_start_matches('#')
        .trim()
}

/// Whether a tool reads the comment, so that it must stay where it is.
fn is_for_a_tool(text: &str) -> bool {
    [
        "hadolint",
        "plimsoll:",
        "check=",
        "syntax=",
        "escape=",
        "renovate:",
        "nosemgrep",
        "checkov:",
        "trivy:",
        "kics-scan",
    ]
    .iter()
    .any(|tool| text.starts_with(tool))
}

/// An empty comment between the two. (A blank line would not do: BuildKit keeps the comment across it.)
fn fix(file: &str, placed: &Placed) -> Option<Fix> {
    let before = file.get(..usize::from(placed.at))?;
    let line_start = before.rfind('\n')? + 1;
    let line_end = if before.get(..line_start)?.ends_with("\r\n") { "\r\n" } else { "\n" };
    Some(Fix {
        title: "Part the comment from the instruction".to_owned(),
        safety: Safety::Safe,
        edit: TextEdit::insert((line_start as u32).into(), format!("#{line_end}")),
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{self, check_fix};
    use crate::rules::Safety;

    const ON: &str = "#- plimsoll.toml\n[rules]\nInvalidDefinitionDescription = \"hint\"\n";

    fn check(text: &str) {
        fixture::check(&RULE, &format!("{text}{ON}"));
    }

    #[test]
    fn the_comment_is_to_blame() {
        check(
            "  # Compiles it.\n# ^^^^^^^^^^^^^^ comment for FROM should follow the format: `# build <description>`\nFROM a AS Build\n",
        );
        check("  # why\n# ^^^^^ `# B <description>`\nARG B=c\nFROM a\n");
        check("FROM a\n  # why\n# ^^^^^ `# <arg_key> <description>`\nARG B=c D=e\n");
    }

    #[test]
    fn a_description_begins_with_the_name() {
        check("# build compiles it.\nFROM a AS build\n# D is why\nARG B=c D=e\n");
    }

    #[test]
    fn a_stage_without_a_name_has_no_description() {
        check("# why\nFROM a\n");
    }

    #[test]
    fn a_blank_line_or_an_empty_comment_parts_them() {
        check("# why\n\nARG B\n# why\n#\nFROM a AS b\n");
    }

    #[test]
    fn a_comment_for_a_tool_is_left_alone() {
        check("# hadolint ignore=DL3006\nFROM a AS b\n# plimsoll: allow unused-stage - why\nFROM c AS d\n");
    }

    #[test]
    fn an_empty_comment_is_put_between() {
        let (before, after) = ("FROM a\r\n# why\r\nARG B\r\n", "FROM a\r\n# why\r\n#\r\nARG B\r\n");
        check_fix(&RULE, Safety::Safe, &format!("{before}{ON}"), &format!("{after}{ON}"));
    }

    #[test]
    fn it_is_off_by_default() {
        fixture::check(&RULE, "# why\nFROM a AS b\n");
    }
}

//! `NoEmptyContinuation`: a blank line inside an instruction that is continued.

use crate::model::Placed;
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::segment::Line;
use crate::text::{Indel, TextEdit, TextRange, TextSize};

/// The rule.
pub static RULE: Rule = Rule {
    name: "NoEmptyContinuation",
    group: Group::Correctness,
    severity: Severity::Warning,
    on: true,
    also: &["no-empty-continuation"],
    doc: r##"
A blank line stands inside an instruction that goes on over several lines.

BuildKit skips it today and says that a later version of the syntax will reject it. To a reader the instruction seems to end
there, and a file in which it did end there would look the same.

```dockerfile
FROM debian:12-slim
RUN echo one && \

    echo two
```

Without the blank line:

```dockerfile
FROM debian:12-slim
RUN echo one && \
    echo two
```

A comment line may stand in its place: `# …` inside a continued instruction is taken out before the shell sees it.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let last = ctx.file.instructions().last().map(|placed| placed.at);
    for placed in ctx.file.instructions() {
        let is_last = Some(placed.at) == last;
        let blank = blank_lines(&ctx.file.text, placed, is_last);
        let Some(first) = blank.first() else { continue };
        let mut finding = Finding::new(&RULE, *first, "empty continuation line");
        finding.cause = placed.whole();
        let indels = blank.iter().map(|line| Indel { delete: *line, insert: String::new() }).collect();
        finding.fix = TextEdit::new(indels).map(|edit| Fix {
            title: if blank.len() == 1 { "Delete the blank line" } else { "Delete the blank lines" }.to_owned(),
            safety: Safety::Safe,
            edit,
        });
        acc.push(finding);
    }
}

/// The blank lines inside an instruction, line ends included. Behind the last instruction there may be some that it asked
/// for and that are not counted to it.
fn blank_lines(text: &str, placed: &Placed, is_last: bool) -> Vec<TextRange> {
    let instruction = &*placed.instruction;
    let has_blank = |text: &str| text.lines().skip(1).any(|line| line.trim_start().is_empty());
    if !is_last && !has_blank(&instruction.text) {
        return Vec::new();
    }
    let start = usize::from(placed.at);
    let source = if is_last { text.get(start..).unwrap_or_default() } else { &*instruction.text };
    let with_end = |at: usize| {
        let rest = source.get(at..).unwrap_or_default();
        at + rest.find('\n').map_or(rest.len(), |newline| newline + 1)
    };
    let line = Line::join(source, instruction.frame.escape);
    let place = |from: usize, to: usize| TextRange::new(at(start + from), at(start + to));
    line.blank_lines.iter().map(|it| place(it.start as usize, with_end(it.end as usize))).collect()
}

fn at(offset: usize) -> TextSize {
    TextSize::new(offset as u32)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check_fix, findings, parse};
    use crate::rules::Safety;

    fn n_found(text: &str) -> usize {
        findings(&analyse(&parse(text)), &RULE).len()
    }

    #[test]
    fn the_first_blank_line_is_to_blame() {
        let fixture = parse("FROM a\nRUN b \\\n    \n  c\n");
        let analysis = analyse(&fixture);
        let [finding] = findings(&analysis, &RULE)[..] else { panic!("one finding") };
        let range = usize::from(finding.range.start())..usize::from(finding.range.end());
        assert_eq!((&fixture.text[range], finding.message.as_str()), ("    \n", "empty continuation line"));
    }

    #[test]
    fn one_finding_an_instruction() {
        assert_eq!(n_found("FROM a\nRUN b \\\n\n\n c \\\n\n d\nENV a=b \\\n\n c=d\n"), 2);
    }

    #[test]
    fn a_comment_or_a_heredoc_may_hold_what_it_likes() {
        assert_eq!(n_found("FROM a\n\nRUN b \\\n# c\n c\n\nRUN <<EOF\n\na\n\nEOF\n\nCMD c\n\n\n"), 0);
        assert_eq!(n_found("FROM a\n# escape\n\nRUN b `\n\nRUN c\n"), 0);
    }

    #[test]
    fn a_continuation_at_the_end_takes_the_blank_lines_behind_it() {
        assert_eq!(n_found("FROM a\nRUN b \\\n\n"), 1);
        assert_eq!(n_found("FROM a\nRUN b \\\n"), 0);
        assert_eq!(n_found("FROM a\nRUN b \\"), 0);
        assert_eq!(n_found("# escape=`\nFROM a\nRUN b `\n\n c\n"), 1);
    }

    #[test]
    fn all_blank_lines_go() {
        check_fix(
            &RULE,
            Safety::Safe,
            "FROM a\nRUN b \\\n\n \\\n# x\n\t\n c\nCMD d\n",
            "FROM a\nRUN b \\\n \\\n# x\n c\nCMD d\n",
        );
        check_fix(&RULE, Safety::Safe, "FROM a\r\nRUN b \\\r\n\r\n c\r\n", "FROM a\r\nRUN b \\\r\n c\r\n");
    }
}

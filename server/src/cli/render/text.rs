//! A finding for people: the lines it is about, as rustc shows them.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use crate::cli::fix::actions;
use crate::cli::render::json;
use crate::cli::render::places::Lines;
use crate::rules::{Finding, Safety, Severity};
use crate::text::{TextRange, TextSize};

/// How findings are shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// With colours.
    pub(crate) color: bool,
    /// With a link to the rule's page.
    pub(crate) verbose: bool,
}

/// A finding with its excerpt, related places and cure.
pub(crate) fn finding(finding: &Finding, path: &str, lines: &Lines<'_>, style: Style) -> String {
    let text = lines.text();
    let mut message = finding.message.lines();
    let title = level(finding.severity).primary_title(message.next().unwrap_or_default()).id(finding.id());
    let related = finding.related.iter();
    let window = window(text, std::iter::once(finding.range).chain(related.clone().map(|related| related.range)));
    let source = text.get(window.clone()).unwrap_or_default();
    let first_line = lines.line(TextSize::new(window.start as u32));
    let span = |range: TextRange| within(range, window.start, source);
    let related: Vec<Annotation<'_>> = related
        .map(|related| AnnotationKind::Context.span(span(related.range)).label(related.message.as_str()))
        .collect();
    let snippet = Snippet::source(source)
        .path(path)
        .line_start(first_line)
        .annotation(AnnotationKind::Primary.span(span(finding.range)))
        .annotations(related);
    let mut group = title.element(snippet);
    group = group.elements(message.map(|line| Level::NOTE.message(line)));
    if finding.suppressed {
        group = group.element(Level::NOTE.message("a comment allows it"));
    }
    if finding.replaced {
        group = group.element(Level::NOTE.message("a stronger finding of the same cause speaks instead"));
    }
    if let Some(url) = json::url(finding).filter(|_| style.verbose) {
        group = group.element(Level::NOTE.message(url));
    }
    let mut report = vec![group];
    let line = lines.line(finding.range.start());
    let cure = cure(finding, path, line).filter(|_| finding.speaks());
    report.extend(cure.map(|cure| Group::with_title(Level::HELP.secondary_title(cure))));
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
    let mut res = renderer.render(&report);
    res.push_str("\n\n");
    res
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Information => Level::INFO.with_name("information"),
        Severity::Hint => Level::NOTE.with_name("hint"),
    }
}

/// What mends it, with the command that does; `line` is the finding's, from 1.
fn cure(finding: &Finding, path: &str, line: usize) -> Option<String> {
    let path = if path.contains(char::is_whitespace) { format!("'{path}'") } else { path.to_owned() };
    if let Some(fix) = &finding.fix {
        let review = match fix.safety {
            Safety::Safe => "",
            Safety::Review => "--review ",
        };
        return Some(format!("{} (plimsoll fix {review}--rule {} {path})", fix.title, finding.id()));
    }
    let action = finding.assists.iter().find(|id| actions::is_known(id))?;
    Some(format!("plimsoll fix --action {action} --at {line} {path}"))
}

/// The whole lines that hold these ranges: the renderer walks all it is given.
fn window(text: &str, ranges: impl Iterator<Item = TextRange>) -> Range<usize> {
    let whole = ranges.reduce(TextRange::cover).unwrap_or_default();
    let start = boundary(text, usize::from(whole.start()));
    let end = boundary(text, usize::from(whole.end())).max(start);
    let start = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let end = text.get(end..).and_then(|behind| behind.find('\n')).map_or(text.len(), |at| end + at + 1);
    start..end
}

/// The range within an excerpt that begins at `from`, on character boundaries and without the line end behind it.
fn within(range: TextRange, from: usize, excerpt: &str) -> Range<usize> {
    let start = boundary(excerpt, usize::from(range.start()).saturating_sub(from));
    let end = boundary(excerpt, usize::from(range.end()).saturating_sub(from)).max(start);
    let trimmed = excerpt.get(start..end).unwrap_or_default().trim_end_matches(['\n', '\r']).len();
    start..start + trimmed
}

fn boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::{Style, finding};
    use crate::cli::render::places::Lines;
    use crate::rules::{Context, Finding, Fix, Group, Related, Rule, Safety, Severity};
    use crate::text::{TextEdit, TextRange, TextSize};

    static RULE: Rule = Rule {
        name: "made-up",
        group: Group::Size,
        severity: Severity::Warning,
        on: true,
        also: &[],
        doc: "",
        check: |_: &Context, _| {},
    };

    fn range(text: &str, piece: &str) -> TextRange {
        let at = text.find(piece).expect("the piece is in the text");
        TextRange::at(TextSize::new(at as u32), TextSize::of(piece))
    }

    fn shown(found: &Finding, text: &str) -> String {
        finding(found, "app/Dockerfile", &Lines::of(text), Style { color: false, verbose: false })
    }

    fn check(text: &str, piece: &str, expected: &Expect) {
        expected.assert_eq(&shown(&Finding::new(&RULE, range(text, piece), "is so here"), text));
    }

    #[test]
    fn a_finding_has_its_lines_its_cause_elsewhere_and_its_cure() {
        let text = "FROM debian\nRUN apt-get update\nRUN true\nRUN rm -rf /var/lib/apt/lists\n";
        let related = Related { range: range(text, "rm -rf"), message: "removed here, in a later layer".to_owned() };
        let fix = Fix {
            title: "Remove them in the same layer".to_owned(),
            safety: Safety::Review,
            edit: TextEdit::insert(TextSize::new(30), " && rm"),
        };
        let message = "the lists stay (about 20 MB)\nthis RUN and that one are apart";
        let mut found = Finding::new(&RULE, range(text, "apt-get update"), message);
        found.related.push(related);
        found.fix = Some(fix);
        expect![[r#"
            warning[made-up]: the lists stay (about 20 MB)
             --> app/Dockerfile:2:5
              |
            2 | RUN apt-get update
              |     ^^^^^^^^^^^^^^
            3 | RUN true
            4 | RUN rm -rf /var/lib/apt/lists
              |     ------ removed here, in a later layer
              |
              = note: this RUN and that one are apart
              = note: https://github.com/plimsoll-dev/plimsoll/blob/main/docs/rules.md#made-up
            help: Remove them in the same layer (plimsoll fix --review --rule made-up app/Dockerfile)

        "#]]
        .assert_eq(&finding(&found, "app/Dockerfile", &Lines::of(text), Style { color: false, verbose: true }));
    }

    #[test]
    fn an_action_is_named_with_its_place() {
        let text = "FROM debian\nRUN apt-get update\n";
        let mut found = Finding::new(&RULE, range(text, "apt-get update"), "is so here");
        found.assists.extend(["not-yet-there", "merge-runs"]);
        let res = shown(&found, text);
        assert!(res.ends_with("\nhelp: plimsoll fix --action merge-runs --at 2 app/Dockerfile\n\n"), "{res}");
    }

    #[test]
    fn lines_that_end_with_crlf_look_like_others() {
        check(
            "FROM debian\r\nRUN apt-get update\r\nUSER root\r\n",
            "apt-get update",
            &expect![[r#"
            warning[made-up]: is so here
             --> app/Dockerfile:2:5
              |
            2 | RUN apt-get update
              |     ^^^^^^^^^^^^^^

        "#]],
        );
    }

    #[test]
    fn tabs_and_wide_characters_keep_the_carets_in_place() {
        check(
            "FROM debian\nRUN\techo 日本 && apt-get update\n",
            "apt-get update",
            &expect![[r#"
            warning[made-up]: is so here
             --> app/Dockerfile:2:16
              |
            2 | RUN    echo 日本 && apt-get update
              |                     ^^^^^^^^^^^^^^

        "#]],
        );
    }

    #[test]
    fn an_instruction_of_many_lines_is_shown_by_its_ends() {
        let text = "FROM debian\nRUN a \\\n  b \\\n  c \\\n  d \\\n  e \\\n  f \\\n  g\nCMD x\n";
        check(
            text,
            "RUN a \\\n  b \\\n  c \\\n  d \\\n  e \\\n  f \\\n  g",
            &expect![[r#"
            warning[made-up]: is so here
             --> app/Dockerfile:2:1
              |
            2 | / RUN a \
            3 | |   b \
            4 | |   c \
            5 | |   d \
            6 | |   e \
            7 | |   f \
            8 | |   g
              | |___^

        "#]],
        );
    }

    #[test]
    fn an_empty_text_has_a_place_too() {
        check(
            "",
            "",
            &expect![[r#"
            warning[made-up]: is so here
             --> app/Dockerfile:1:1
              |
            1 |
              | ^

        "#]],
        );
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        check(
            "FROM \u{1b}[31mdebian\u{7}\n",
            "debian",
            &expect![[r#"
            warning[made-up]: is so here
             --> app/Dockerfile:1:11
              |
            1 | FROM ␛[31mdebian␇
              |           ^^^^^^

        "#]],
        );
    }

    #[test]
    fn a_byte_order_mark_does_not_move_the_carets() {
        check(
            "\u{feff}FROM debian\n",
            "debian",
            &expect![[r#"
            warning[made-up]: is so here
             --> app/Dockerfile:1:7
              |
            1 | ﻿FROM debian
              |      ^^^^^^

        "#]],
        );
    }
}

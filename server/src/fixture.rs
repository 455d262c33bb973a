//! Test texts: a Dockerfile with what is expected of it written under its lines, and what lies beside it.
//!
//! A line `#   ^^^^ words` stands for a finding at exactly these columns of the line above, whose message holds the
//! words; it is taken out of the text before it is analysed. `<|>` is the cursor, two of them a selection. What lies
//! beside the Dockerfile follows it, each file behind a line `#- package.json` and with a known context from then on;
//! `#- plimsoll.toml` are the settings, `#- today 2026-11-21` the day of the check. Columns count bytes.

use std::sync::Arc;

use crate::analysis::{Analysis, Inputs};
use crate::config::{Config, Layer, Trust};
use crate::context::BuildContext;
use crate::date::Date;
use crate::images::ImageBook;
use crate::rules::{self, Finding, Rule, Safety, Source};
use crate::text::{TextRange, TextSize};

/// A test text taken apart.
#[derive(Debug, Default)]
pub(crate) struct Fixture {
    /// The Dockerfile without carets and cursors.
    pub(crate) text: String,
    /// The findings written under the lines.
    pub(crate) expected: Vec<Expected>,
    /// The cursor (empty) or the selection.
    pub(crate) cursor: Option<TextRange>,
    /// The files beside it; not known when there are none.
    pub(crate) context: BuildContext,
    /// The settings.
    pub(crate) config: Config,
    /// The day of the check.
    pub(crate) today: Option<Date>,
}

/// A finding that is expected.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// Line of the Dockerfile, counting from 0.
    pub(crate) line: usize,
    /// First column, and one past the last.
    pub(crate) columns: (usize, usize),
    /// A part of the message.
    pub(crate) message: String,
}

/// Takes a test text apart.
pub(crate) fn parse(text: &str) -> Fixture {
    let mut res = Fixture::default();
    let mut files: Vec<(String, String)> = Vec::new();
    let mut n_lines = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        if let Some(name) = content.strip_prefix("#- ") {
            match name.strip_prefix("today ") {
                Some(day) => res.today = Date::parse(day),
                None => files.push((name.to_owned(), String::new())),
            }
        } else if let Some((_, body)) = files.last_mut() {
            body.push_str(line);
        } else if let Some((columns, message)) = carets(content) {
            let line = n_lines - 1;
            res.expected.push(Expected { line, columns, message: message.to_owned() });
        } else {
            res.text.push_str(line);
            n_lines += 1;
        }
    }
    let mut cursors = Vec::new();
    while let Some(at) = res.text.find("<|>") {
        res.text.replace_range(at..at + 3, "");
        cursors.push(TextSize::new(at as u32));
    }
    res.cursor = match cursors[..] {
        [] => None,
        [at] => Some(TextRange::empty(at)),
        [from, to, ..] => Some(TextRange::new(from, to)),
    };
    add_files(&mut res, &files);
    res
}

/// The columns and the words of a line `#   ^^^^ words`.
fn carets(line: &str) -> Option<((usize, usize), &str)> {
    let rest = line.trim_start().strip_prefix('#')?.trim_start();
    let start = line.len() - rest.len();
    let message = rest.trim_start_matches('^');
    let end = line.len() - message.len();
    (end > start).then_some(((start, end), message.trim()))
}

/// Files beside the Dockerfile make the context known; `plimsoll.toml` among them are the settings.
fn add_files(fixture: &mut Fixture, files: &[(String, String)]) {
    let (settings, files): (Vec<_>, Vec<_>) = files.iter().partition(|(path, _)| path == "plimsoll.toml");
    let names: Vec<&str> = rules::ALL.iter().map(|rule| rule.name).collect();
    for (path, text) in settings {
        let (layer, reports) = Layer::from_toml(text, path, Trust::Workspace, &names);
        assert!(reports.is_empty(), "{path}: {reports:?}");
        fixture.config = Config::of(&[layer], None);
    }
    if !files.is_empty() {
        fixture.context = BuildContext::of_texts(files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    }
}

/// Analyses the Dockerfile of a test text with the embedded tables.
pub(crate) fn analyse(fixture: &Fixture) -> Analysis {
    let inputs = Inputs {
        text: fixture.text.as_str().into(),
        config: Arc::new(fixture.config.clone()),
        context: Arc::new(fixture.context.clone()),
        images: Arc::new(ImageBook::embedded()),
        today: fixture.today,
        ..Inputs::default()
    };
    Analysis::of(inputs, None)
}

/// The findings of one rule, also those that another rule's finding replaces: a rule's tests are about the rule alone,
/// and which of two speaks is the table's matter (`rules/precedence.rs`).
pub(crate) fn findings<'a>(analysis: &'a Analysis, rule: &'static Rule) -> Vec<&'a Finding> {
    let of_rule = |finding: &&Finding| finding.source == Source::Rule(rule) && !finding.suppressed;
    analysis.findings.iter().filter(of_rule).collect()
}

/// Checks that a rule finds what the carets say, and nothing else. A finding that ends on another line is compared as
/// far as its first line goes.
pub(crate) fn check(rule: &'static Rule, text: &str) {
    let fixture = parse(text);
    let analysis = analyse(&fixture);
    let mut found: Vec<Expected> = findings(&analysis, rule)
        .into_iter()
        .map(|finding| {
            let (line, start) = position(&fixture.text, finding.range.start());
            let (last, end) = position(&fixture.text, finding.range.end());
            let width = fixture.text.lines().nth(line).map_or(0, str::len);
            Expected {
                line,
                columns: (start, if last == line { end } else { width }),
                message: finding.message.clone(),
            }
        })
        .collect();
    for expected in &fixture.expected {
        let at = found.iter().position(|it| {
            it.line == expected.line && it.columns == expected.columns && it.message.contains(&expected.message)
        });
        match at {
            Some(at) => drop(found.remove(at)),
            None => panic!("{} does not find {expected:?}, but {found:?} in:\n{text}", rule.name),
        }
    }
    assert!(found.is_empty(), "{} finds what it should not: {found:?} in:\n{text}", rule.name);
}

/// Line and column of an offset, both from 0.
fn position(text: &str, offset: TextSize) -> (usize, usize) {
    let before = &text[..usize::from(offset)];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count(), before.len() - line_start)
}

/// The text after the fixes of a rule were applied one after the other until none is left, and how safe the first was;
/// `None` where the rule offers no fix.
pub(crate) fn fixed(rule: &'static Rule, text: &str) -> Option<(String, Safety)> {
    let mut fixture = parse(text);
    let mut safety = None;
    for _ in 0..10 {
        let analysis = analyse(&fixture);
        let Some(fix) = findings(&analysis, rule).into_iter().find_map(|finding| finding.fix.clone()) else { break };
        safety = safety.or(Some(fix.safety));
        fixture.text = fix.edit.apply(&fixture.text);
    }
    Some((fixture.text, safety?))
}

/// Checks that the fixes of a rule lead from one text to the other, byte for byte.
pub(crate) fn check_fix(rule: &'static Rule, safety: Safety, before: &str, after: &str) {
    let res = fixed(rule, before);
    assert_eq!(res, Some((parse(after).text, safety)), "{} in:\n{before}", rule.name);
}

/// Checks that a rule finds something and offers no fix for it.
pub(crate) fn check_no_fix(rule: &'static Rule, text: &str) {
    let analysis = analyse(&parse(text));
    let found = findings(&analysis, rule);
    assert!(!found.is_empty(), "{} finds nothing in:\n{text}", rule.name);
    assert!(found.iter().all(|finding| finding.fix.is_none()), "{} offers a fix in:\n{text}", rule.name);
}

/// The text with the continuations of its instructions taken out, blanks around them made one.
fn on_one_line(text: &str) -> String {
    let mut res = String::new();
    for line in text.lines() {
        let content = line.trim_start();
        let continued = res.ends_with(' ');
        res.push_str(if continued { content } else { line });
        match res.strip_suffix('\\').map(|it| it.trim_end().len()) {
            Some(length) => {
                res.truncate(length);
                res.push(' ');
            }
            None => res.push('\n'),
        }
    }
    res
}

mod tests {
    use super::{analyse, findings, fixed, on_one_line, parse};
    use crate::rules;

    /// The `dockerfile` blocks of a rule's page.
    fn blocks(doc: &str) -> Vec<&str> {
        let mut res = Vec::new();
        let mut rest = doc;
        while let Some((_, block)) = rest.split_once("```dockerfile\n") {
            let Some((block, behind)) = block.split_once("```") else { break };
            res.push(block);
            rest = behind;
        }
        res
    }

    #[test]
    fn the_pages_of_the_rules_are_true() {
        for rule in rules::ALL {
            let [before, after] = blocks(rule.doc)[..] else { panic!("{}: two dockerfile blocks", rule.name) };
            let found = |text: &str| findings(&analyse(&parse(text)), rule).len();
            assert_ne!(found(before), 0, "{} is not found in:\n{before}", rule.name);
            assert_eq!(found(after), 0, "{} is found in:\n{after}", rule.name);
            let first = rule.doc.trim_start().split("\n\n").next().unwrap_or_default();
            assert!(first.ends_with('.'), "{}: the first paragraph is a sentence", rule.name);
            if let Some((text, _)) = fixed(rule, before) {
                assert_eq!(on_one_line(&text), on_one_line(&parse(after).text), "the fix of {}", rule.name);
            }
        }
    }

    #[test]
    fn the_saving_stands_in_the_first_line_of_a_message() {
        let mut n_savings = 0;
        for text in rules::ALL.iter().flat_map(|rule| blocks(rule.doc)) {
            for finding in &analyse(&parse(text)).findings {
                let Some(saves) = &finding.saves else { continue };
                n_savings += 1;
                let first = finding.message.lines().next().unwrap_or_default();
                assert!(first.contains(&saves.words()), "{}: {} in {first:?}", finding.id(), saves.words());
            }
        }
        assert!(n_savings >= 4, "the examples save bytes");
    }

    #[test]
    fn a_test_text_is_taken_apart() {
        let fixture = parse("FROM a\nRUN <|>b\n#   ^ what\n#- package.json\n{}\n#- today 2026-11-21\n");
        assert_eq!(fixture.text, "FROM a\nRUN b\n");
        assert_eq!((fixture.expected[0].line, fixture.expected[0].columns), (1, (4, 5)));
        assert_eq!(fixture.expected[0].message, "what");
        assert_eq!(fixture.cursor.map(|it| u32::from(it.start())), Some(11));
        assert_eq!(fixture.context.text("package.json"), Some("{}\n"));
        assert!(fixture.today.is_some());
    }
}

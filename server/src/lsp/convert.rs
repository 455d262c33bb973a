//! From our values to the protocol's and back: places, findings, hovers, folds. Code actions are in
//! [`crate::lsp::actions`].
//!
//! Nothing is decided here but what the client understands.

use std::collections::BTreeMap;
use std::ops::Range;

use ropey::Rope;
use tower_lsp::ls_types::{
    self, CodeDescription, CodeLens, Command, DiagnosticRelatedInformation, DiagnosticSeverity, FoldingRange,
    FoldingRangeKind, HoverContents, InlayHint, InlayHintLabel, InlayHintTooltip, Location, MarkupContent, MarkupKind,
    NumberOrString, TextDocumentContentChangeEvent, Uri,
};

use crate::document::Change;
use crate::features::hover::Hover;
use crate::features::inlay::Inlay;
use crate::features::lens::Lens;
use crate::lsp::capabilities::Abilities;
use crate::rules::{Finding, Severity, Source};
use crate::text::position::{self, Encoding, LineCol};
use crate::text::{TextRange, TextSize};

/// What turns places of one text into the client's and back.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    /// The text.
    pub(crate) rope: Rope,
    /// What the client's columns count.
    pub(crate) encoding: Encoding,
}

impl Lines {
    /// The byte of the client's place.
    pub(crate) fn offset(&self, place: ls_types::Position) -> TextSize {
        position::offset(&self.rope, line_col(place), self.encoding)
    }

    /// The bytes of the client's range.
    pub(crate) fn bytes(&self, range: ls_types::Range) -> TextRange {
        position::range(&self.rope, line_cols(range), self.encoding)
    }

    /// The client's range of these bytes.
    pub(crate) fn range(&self, range: TextRange) -> ls_types::Range {
        let Range { start, end } = position::line_cols(&self.rope, range, self.encoding);
        ls_types::Range { start: place(start), end: place(end) }
    }
}

fn line_col(place: ls_types::Position) -> LineCol {
    LineCol { line: place.line, column: place.character }
}

fn line_cols(range: ls_types::Range) -> Range<LineCol> {
    line_col(range.start)..line_col(range.end)
}

fn place(line_col: LineCol) -> ls_types::Position {
    ls_types::Position { line: line_col.line, character: line_col.column }
}

/// The changes of a notification, in its order. What the client says of their length is not needed.
pub(crate) fn changes(events: Vec<TextDocumentContentChangeEvent>) -> Vec<Change> {
    events.into_iter().map(|event| Change { range: event.range.map(line_cols), text: event.text }).collect()
}

/// A finding as the client shows it.
pub(crate) fn diagnostic(finding: &Finding, uri: &Uri, lines: &Lines, abilities: &Abilities) -> ls_types::Diagnostic {
    let related = finding.related.iter().map(|related| DiagnosticRelatedInformation {
        location: Location { uri: uri.clone(), range: lines.range(related.range) },
        message: related.message.clone(),
    });
    let related: Vec<_> = related.filter(|_| abilities.related).collect();
    let href = page(finding).filter(|_| abilities.code_description).and_then(|page| page.parse().ok());
    ls_types::Diagnostic {
        range: lines.range(finding.range),
        severity: Some(match finding.severity {
            Severity::Hint => DiagnosticSeverity::HINT,
            Severity::Information => DiagnosticSeverity::INFORMATION,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Error => DiagnosticSeverity::ERROR,
        }),
        code: Some(NumberOrString::String(finding.id().to_owned())),
        code_description: href.map(|href| CodeDescription { href }),
        source: Some("plimsoll".to_owned()),
        message: finding.message.clone(),
        related_information: (!related.is_empty()).then_some(related),
        tags: None,
        data: None,
    }
}

/// The address of a rule's page; faults have none.
fn page(finding: &Finding) -> Option<String> {
    match finding.source {
        Source::Rule(rule) => Some(rule.url()),
        Source::Fault | Source::Note(_) => None,
    }
}

/// A hover, as Markdown where the client shows it.
pub(crate) fn hover(hover: Hover, lines: &Lines, abilities: &Abilities) -> ls_types::Hover {
    let kind = if abilities.hover_markdown { MarkupKind::Markdown } else { MarkupKind::PlainText };
    ls_types::Hover {
        contents: HoverContents::Markup(MarkupContent { kind, value: hover.markdown }),
        range: Some(lines.range(hover.range)),
    }
}

/// A hint, a blank away from what stands before it.
pub(crate) fn inlay(inlay: Inlay, lines: &Lines) -> InlayHint {
    let tooltip = (!inlay.tooltip.is_empty()).then_some(InlayHintTooltip::String(inlay.tooltip));
    InlayHint {
        position: lines.range(TextRange::empty(inlay.at)).start,
        label: InlayHintLabel::String(inlay.label),
        kind: None,
        text_edits: None,
        tooltip,
        padding_left: Some(true),
        padding_right: Some(false),
        data: None,
    }
}

/// A lens that says something and does nothing: its command has a title and no name, which clients show as plain text.
pub(crate) fn lens(lens: Lens, lines: &Lines) -> CodeLens {
    let command = Command { title: lens.title, command: String::new(), arguments: None };
    CodeLens { range: lines.range(lens.range), command: Some(command), data: None }
}

/// Folds of whole lines, one for each line they may start at: the longest.
pub(crate) fn folds(ranges: &[TextRange], lines: &Lines) -> Vec<FoldingRange> {
    let mut by_start: BTreeMap<u32, FoldingRange> = BTreeMap::new();
    for &range in ranges {
        let ls_types::Range { start, end } = lines.range(range);
        let longer = by_start.get(&start.line).is_none_or(|other| other.end_line < end.line);
        if end.line == start.line || !longer {
            continue;
        }
        let is_comment = lines.rope.get_byte(range.start().into()) == Some(b'#');
        let fold = FoldingRange {
            start_line: start.line,
            end_line: end.line,
            kind: is_comment.then_some(FoldingRangeKind::Comment),
            ..FoldingRange::default()
        };
        by_start.insert(start.line, fold);
    }
    by_start.into_values().collect()
}

#[cfg(test)]
mod tests {
    use ropey::Rope;
    use serde_json::{Value, from_value, json};

    use super::{Lines, diagnostic, folds};
    use crate::lsp::capabilities::Abilities;
    use crate::rules::{Context, Finding, Group, Related, Rule, Severity};
    use crate::syntax;
    use crate::text::TextRange;
    use crate::text::position::Encoding;

    static RULE: Rule = Rule {
        name: "made-up",
        group: Group::Size,
        severity: Severity::Warning,
        on: true,
        also: &[],
        doc: "",
        check: |_: &Context, _| {},
    };

    fn lines(text: &str) -> Lines {
        Lines { rope: Rope::from_str(text), encoding: Encoding::Utf16 }
    }

    /// The diagnostic of a finding at bytes 5 to 9 for a client that declares this about `publishDiagnostics`.
    fn shown(declared: Value) -> Value {
        let mut finding = Finding::new(&RULE, TextRange::new(5.into(), 9.into()), "is so");
        finding.related.push(Related { range: TextRange::empty(0.into()), message: "there".to_owned() });
        let declared = from_value(json!({"textDocument": {"publishDiagnostics": declared}})).expect("capabilities");
        let uri = "file:///Dockerfile".parse().expect("a URI");
        let res = diagnostic(&finding, &uri, &lines("FROM 𝕏\n"), &Abilities::of(&declared));
        serde_json::to_value(res).expect("JSON")
    }

    #[test]
    fn a_finding_is_shown_with_what_the_client_understands_and_no_more() {
        let mut expected = json!({
            "range": {"start": {"line": 0, "character": 5}, "end": {"line": 0, "character": 7}},
            "severity": 2, "code": "made-up", "source": "plimsoll", "message": "is so",
        });
        assert_eq!(shown(json!({})), expected);
        let href = format!("{}/blob/main/docs/rules.md#made-up", env!("CARGO_PKG_REPOSITORY"));
        expected["codeDescription"] = json!({"href": href});
        expected["relatedInformation"] = json!([{
            "location": {
                "uri": "file:///Dockerfile",
                "range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}},
            },
            "message": "there",
        }]);
        assert_eq!(shown(json!({"codeDescriptionSupport": true, "relatedInformation": true})), expected);
    }

    #[test]
    fn only_what_covers_several_lines_folds_and_once() {
        let text = "# one\n# two\nFROM a\nRUN <<EOF\nb\nEOF\n";
        let lines = lines(text);
        let tree = syntax::parse(&lines.rope, None);
        let res = folds(&syntax::folds(&tree, text), &lines);
        let shown: Vec<_> = res.iter().map(|it| (it.start_line, it.end_line, it.kind.is_some())).collect();
        assert_eq!(shown, [(0, 1, true), (3, 5, false)]);
    }
}

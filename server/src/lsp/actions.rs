//! Code actions: fixes of the findings at a place and what the assists offer there, as the client can take them.
//!
//! They depend on the range that was asked for alone, not on the diagnostics that the client sends along: VS Code sends
//! none beside a squiggle. Edits go out at once, without a second request.

use std::collections::HashMap;

use ropey::Rope;
use serde_json::{Map, Value};
use tower_lsp::ls_types::{
    self, AnnotatedTextEdit, ChangeAnnotation, CodeAction, CodeActionContext, CodeActionDisabled, CodeActionKind,
    CodeActionTriggerKind, CreateFile, CreateFileOptions, DocumentChangeOperation, DocumentChanges, OneOf,
    OptionalVersionedTextDocumentIdentifier, ResourceOp, TextDocumentEdit, Uri, WorkspaceEdit,
};

use crate::analysis::Analysis;
use crate::analysis::fixing::{self, Wanted};
use crate::assists::{self, Assist, Offer, OtherFile, Refusal};
use crate::lsp::capabilities::{Abilities, FIX_ALL};
use crate::lsp::convert::{self, Lines};
use crate::rules::allow::edits;
use crate::rules::{Finding, Fix, Safety, Source};
use crate::text::{Indel, TextEdit, TextRange, TextSize};

/// What an action of a document needs besides itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The document.
    pub(crate) uri: &'a Uri,
    /// The version that edits are for.
    pub(crate) version: i32,
    /// Its places.
    pub(crate) lines: &'a Lines,
    /// What the client can.
    pub(crate) abilities: &'a Abilities,
}

/// All actions at a range: fixes first, then the assists in their own order. The fix of everything comes only where it
/// is asked for by its kind.
pub(crate) fn at(analysis: &Analysis, range: TextRange, context: &CodeActionContext, place: &Place) -> Vec<CodeAction> {
    let mut res = Vec::new();
    if !place.abilities.code_actions {
        return res;
    }
    let only = context.only.as_deref();
    if is_wanted(only, CodeActionKind::QUICKFIX.as_str()) {
        let touched: Vec<&Finding> = analysis.shown().filter(|it| it.range.intersect(range).is_some()).collect();
        res.extend(touched.iter().filter_map(|finding| quick_fix(finding, finding.fix.as_ref()?, place)));
        res.extend(allowing(analysis, &touched, place));
    }
    if only.is_some() && is_wanted(only, FIX_ALL.as_str()) {
        res.extend(fix_all(analysis, place));
    }
    if only.is_none_or(|kinds| kinds.iter().any(|kind| may_hold_rewrites(kind.as_str()))) {
        let asked = context.trigger_kind != Some(CodeActionTriggerKind::AUTOMATIC);
        for offer in analysis.assists(range) {
            let action = match &offer {
                Offer::Assist(it) => assist(it, place),
                Offer::Refusal(it) => (place.abilities.disabled && asked).then(|| refusal(it)),
            };
            res.extend(action.filter(|it| it.kind.as_ref().is_some_and(|kind| is_wanted(only, kind.as_str()))));
        }
    }
    res
}

/// Whether a kind is one of those asked for or below one. Nothing asked for is all but what must be asked for.
fn is_wanted(only: Option<&[CodeActionKind]>, kind: &str) -> bool {
    only.is_none_or(|kinds| kinds.iter().any(|asked| is_below(kind, asked.as_str())))
}

fn is_below(kind: &str, asked: &str) -> bool {
    let Some(rest) = kind.strip_prefix(asked) else { return false };
    asked.is_empty() || rest.is_empty() || rest.starts_with('.')
}

/// Whether some `refactor.rewrite.ID` may be below this kind or be it: else the assists are not asked at all.
fn may_hold_rewrites(asked: &str) -> bool {
    let rewrite = CodeActionKind::REFACTOR_REWRITE;
    is_below(rewrite.as_str(), asked) || is_below(asked, rewrite.as_str())
}

fn quick_fix(finding: &Finding, fix: &Fix, place: &Place) -> Option<CodeAction> {
    fix.edit.range()?;
    Some(CodeAction {
        title: fix.title.clone(),
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![convert::diagnostic(finding, place.uri, place.lines, place.abilities)]),
        edit: Some(workspace_edit(&fix.edit, None, place)),
        is_preferred: (place.abilities.preferred && fix.safety == Safety::Safe).then_some(true),
        data: Some(data(finding.id(), None)),
        ..CodeAction::default()
    })
}

/// Comments that allow the findings, each rule once: where it is found, and in the whole file.
fn allowing(analysis: &Analysis, findings: &[&Finding], place: &Place) -> Vec<CodeAction> {
    let mut known: Vec<&str> = Vec::new();
    let mut res = Vec::new();
    for finding in findings.iter().filter(|it| matches!(it.source, Source::Rule(_))) {
        if known.contains(&finding.id()) {
            continue;
        }
        known.push(finding.id());
        let with_reason = analysis.inputs.config.require_reason;
        let action = |id, title: String, edit: &TextEdit| CodeAction {
            title,
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: Some(vec![convert::diagnostic(finding, place.uri, place.lines, place.abilities)]),
            edit: Some(workspace_edit(edit, None, place)),
            data: Some(data(id, None)),
            ..CodeAction::default()
        };
        let here = edits::here(&analysis.file, finding, with_reason);
        res.extend(here.map(|edit| action("allow", format!("Allow `{}` here", finding.id()), &edit)));
        let in_file = edits::in_file(&analysis.file, finding, with_reason);
        res.extend(in_file.map(|edit| action("allow-file", format!("Allow `{}` in this file", finding.id()), &edit)));
    }
    res
}

/// All safe fixes, in rounds until there are none: a fix may bring another, or wait for one that it touches.
fn fix_all(analysis: &Analysis, place: &Place) -> Option<CodeAction> {
    let wanted = Wanted { safety: Safety::Safe, ids: None };
    let fixed = fixing::apply(analysis, &wanted, None, &|inputs, before| Analysis::of(inputs, Some(before)));
    let n_fixes = fixed.steps.len();
    let edit = match fixed.rounds.as_slice() {
        [] => return None,
        [only] => only.clone(),
        _ => between(&analysis.inputs.text, &fixed.text)?,
    };
    let s = if n_fixes == 1 { "" } else { "es" };
    Some(CodeAction {
        title: format!("Apply {n_fixes} safe fix{s}"),
        kind: Some(FIX_ALL),
        edit: Some(workspace_edit(&edit, None, place)),
        data: Some(data("fix-all", None)),
        ..CodeAction::default()
    })
}

/// The edit that leads from one text to the other, in whole lines.
fn between(before: &str, after: &str) -> Option<TextEdit> {
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let starts: Vec<usize> = std::iter::once(0)
        .chain(old.iter().scan(0, |at, line| {
            *at += line.len();
            Some(*at)
        }))
        .collect();
    let start = |line: usize| TextSize::new(starts.get(line).copied().unwrap_or(before.len()) as u32);
    let indel = |(_, from, to): (_, std::ops::Range<usize>, std::ops::Range<usize>)| Indel {
        delete: TextRange::new(start(from.start), start(from.end)),
        insert: new.get(to).unwrap_or_default().concat(),
    };
    let changes = similar::capture_diff_slices(similar::Algorithm::Myers, &old, &new);
    let changed = changes.into_iter().map(|it| it.as_tag_tuple()).filter(|(tag, ..)| *tag != similar::DiffTag::Equal);
    TextEdit::new(changed.map(indel).collect())
}

/// `None` for an action whose edit this client cannot carry out.
fn assist(assist: &Assist, place: &Place) -> Option<CodeAction> {
    let n_doubts = assist.doubts.len();
    let annotation = (place.abilities.annotations && n_doubts > 0).then(|| ChangeAnnotation {
        label: count(n_doubts, "doubt"),
        needs_confirmation: Some(true),
        description: Some(assist.doubts.join("\n")),
    });
    let told = annotation.is_some() || n_doubts == 0;
    let edit = match &assist.other {
        Some(other) => other_file(other, place)?,
        None => workspace_edit(&assist.edit, annotation, place),
    };
    Some(CodeAction {
        title: if told { assist.label.clone() } else { format!("{}; {}", assist.label, count(n_doubts, "doubt")) },
        kind: Some(rewrite(assist.id)),
        edit: Some(edit),
        is_preferred: (place.abilities.preferred && assist.preferred).then_some(true),
        data: Some(data(assist.id, assist.variant)),
        ..CodeAction::default()
    })
}

/// The edit of another file: made where it is not there, else changed from the first line that differs. It has no
/// version: nobody may have opened it.
fn other_file(other: &OtherFile, place: &Place) -> Option<WorkspaceEdit> {
    let uri = Uri::from_file_path(other.whole_path())?;
    let Some(before) = &other.before else {
        // A client that cannot make files would open an editor on nothing, or fail.
        let make = place.abilities.create_files.then(|| CreateFile {
            uri: uri.clone(),
            options: Some(CreateFileOptions { overwrite: Some(false), ignore_if_exists: Some(false) }),
            annotation_id: None,
        })?;
        let text = ls_types::TextEdit { range: ls_types::Range::default(), new_text: other.after.clone() };
        let operations = vec![
            DocumentChangeOperation::Op(ResourceOp::Create(make)),
            DocumentChangeOperation::Edit(unversioned(uri, text)),
        ];
        let changes = Some(DocumentChanges::Operations(operations));
        return Some(WorkspaceEdit { document_changes: changes, ..WorkspaceEdit::default() });
    };
    let added = other.after.strip_prefix(before.as_str())?;
    let lines = Lines { rope: Rope::from_str(before), encoding: place.lines.encoding };
    let end = TextRange::empty(TextSize::of(before.as_str()));
    let text = ls_types::TextEdit { range: lines.range(end), new_text: added.to_owned() };
    if !place.abilities.document_changes {
        let changes = HashMap::from([(uri, vec![text])]);
        return Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() });
    }
    let changes = Some(DocumentChanges::Edits(vec![unversioned(uri, text)]));
    Some(WorkspaceEdit { document_changes: changes, ..WorkspaceEdit::default() })
}

fn unversioned(uri: Uri, text: ls_types::TextEdit) -> TextDocumentEdit {
    TextDocumentEdit {
        text_document: OptionalVersionedTextDocumentIdentifier { uri, version: None },
        edits: vec![OneOf::Left(text)],
    }
}

fn refusal(refusal: &Refusal) -> CodeAction {
    CodeAction {
        title: assists::title(refusal.id).to_owned(),
        kind: Some(rewrite(refusal.id)),
        disabled: Some(CodeActionDisabled { reason: refusal.reason.clone() }),
        data: Some(data(refusal.id, refusal.variant)),
        ..CodeAction::default()
    }
}

fn count(n: usize, word: &str) -> String {
    if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") }
}

fn rewrite(id: &str) -> CodeActionKind {
    CodeActionKind::from(format!("{}.{id}", CodeActionKind::REFACTOR_REWRITE.as_str()))
}

/// The id (CLI.md, *Actions*), by which scripts and tests know an action.
fn data(id: &str, variant: Option<&str>) -> Value {
    let mut res = Map::new();
    res.insert("id".to_owned(), id.into());
    res.extend(variant.map(|variant| ("variant".to_owned(), variant.into())));
    Value::Object(res)
}

/// The edit for the version it was made for where the client can check that; the annotation on every part of it.
fn workspace_edit(edit: &TextEdit, annotation: Option<ChangeAnnotation>, place: &Place) -> WorkspaceEdit {
    const ANNOTATION: &str = "doubts";
    let text_edit =
        |indel: &Indel| ls_types::TextEdit { range: place.lines.range(indel.delete), new_text: indel.insert.clone() };
    let edits = edit.indels().iter().map(text_edit);
    if !place.abilities.document_changes {
        let changes = HashMap::from([(place.uri.clone(), edits.collect())]);
        return WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() };
    }
    let annotated = |text_edit| match annotation {
        Some(_) => OneOf::Right(AnnotatedTextEdit { text_edit, annotation_id: ANNOTATION.to_owned() }),
        None => OneOf::Left(text_edit),
    };
    let document = TextDocumentEdit {
        text_document: OptionalVersionedTextDocumentIdentifier::new(place.uri.clone(), place.version),
        edits: edits.map(annotated).collect(),
    };
    WorkspaceEdit {
        document_changes: Some(DocumentChanges::Edits(vec![document])),
        change_annotations: annotation.map(|annotation| HashMap::from([(ANNOTATION.to_owned(), annotation)])),
        ..WorkspaceEdit::default()
    }
}

#[cfg(test)]
mod tests {
    use ropey::Rope;
    use serde_json::{Value, from_value, json, to_value};
    use tower_lsp::ls_types::Uri;

    use super::{Place, allowing, assist, between, fix_all, is_below, may_hold_rewrites, refusal};
    use crate::analysis::Analysis;
    use crate::assists::{Assist, Refusal};
    use crate::lsp::capabilities::Abilities;
    use crate::lsp::convert::Lines;
    use crate::text::position::Encoding;
    use crate::text::{TextEdit, TextRange};

    /// What a client that declares this about edits gets for an action, in version 3 of `FROM a`.
    fn check(declared: Value, action: impl Fn(&Place) -> super::CodeAction, expected: Value) {
        let declared = from_value(json!({"workspace": {"workspaceEdit": declared}})).expect("capabilities");
        let uri: Uri = "file:///Dockerfile".parse().expect("a URI");
        let lines = Lines { rope: Rope::from_str("FROM a\nRUN b\nRUN c\n"), encoding: Encoding::Utf8 };
        let place = Place { uri: &uri, version: 3, lines: &lines, abilities: &Abilities::of(&declared) };
        assert_eq!(to_value(action(&place)).expect("JSON"), expected);
    }

    fn merge(doubts: &[&str]) -> Assist {
        Assist {
            id: "merge-runs",
            variant: Some("plain"),
            label: "Merge 2 RUN".to_owned(),
            target: TextRange::new(7.into(), 18.into()),
            preferred: true,
            edit: TextEdit::replace(TextRange::new(12.into(), 16.into()), " && "),
            other: None,
            doubts: doubts.iter().map(|doubt| (*doubt).to_owned()).collect(),
            before: None,
            after: None,
        }
    }

    fn range(line: u32, character: u32, end_line: u32, end_character: u32) -> Value {
        json!({"start": {"line": line, "character": character}, "end": {"line": end_line, "character": end_character}})
    }

    #[test]
    fn doubts_are_annotations_where_the_client_knows_them() {
        check(
            json!({"documentChanges": true, "changeAnnotationSupport": {}}),
            |place| assist(&merge(&["a is not known", "b is not known"]), place).expect("an edit"),
            json!({
                "title": "Merge 2 RUN",
                "kind": "refactor.rewrite.merge-runs",
                "edit": {
                    "documentChanges": [{
                        "textDocument": {"uri": "file:///Dockerfile", "version": 3},
                        "edits": [{"range": range(1, 5, 2, 3), "newText": " && ", "annotationId": "doubts"}],
                    }],
                    "changeAnnotations": {"doubts": {
                        "label": "2 doubts", "needsConfirmation": true, "description": "a is not known\nb is not known",
                    }},
                },
                "data": {"id": "merge-runs", "variant": "plain"},
            }),
        );
    }

    #[test]
    fn doubts_are_in_the_title_where_it_does_not() {
        check(
            json!({"changeAnnotationSupport": {}}),
            |place| assist(&merge(&["a is not known"]), place).expect("an edit"),
            json!({
                "title": "Merge 2 RUN; 1 doubt",
                "kind": "refactor.rewrite.merge-runs",
                "edit": {"changes": {"file:///Dockerfile": [{"range": range(1, 5, 2, 3), "newText": " && "}]}},
                "data": {"id": "merge-runs", "variant": "plain"},
            }),
        );
    }

    #[test]
    fn a_refusal_has_a_reason_and_no_edit() {
        let refused = Refusal {
            id: "multi-stage",
            variant: None,
            code: "R3",
            reason: "the start command is not known".to_owned(),
            target: TextRange::default(),
        };
        check(
            json!({}),
            |_| refusal(&refused),
            json!({
                "title": "Split into build and runtime stages",
                "kind": "refactor.rewrite.multi-stage",
                "disabled": {"reason": "the start command is not known"},
                "data": {"id": "multi-stage"},
            }),
        );
    }

    /// The place of a text in version 3, for a client that declares nothing.
    fn placed(text: &str, action: impl Fn(&Analysis, &Place) -> Vec<super::CodeAction>) -> Vec<Value> {
        let uri: Uri = "file:///Dockerfile".parse().expect("a URI");
        let fixture = crate::fixture::parse(text);
        let analysis = crate::fixture::analyse(&fixture);
        let lines = Lines { rope: Rope::from_str(&fixture.text), encoding: Encoding::Utf8 };
        let abilities = Abilities::of(&from_value(json!({})).expect("capabilities"));
        let place = Place { uri: &uri, version: 3, lines: &lines, abilities: &abilities };
        action(&analysis, &place).iter().map(|it| to_value(it).expect("JSON")).collect()
    }

    #[test]
    fn all_safe_fixes_are_one_action() {
        let text = "FROM debian:12-slim\nRUN apt-get update && apt-get install -y --no-install-recommends a\n\
                    RUN echo b > /b\nUSER 1\nCMD [\"a\"]\n";
        let found = placed(text, |analysis, place| fix_all(analysis, place).into_iter().collect());
        let [action] = &found[..] else { panic!("{found:?}") };
        assert_eq!(action["title"], "Apply 1 safe fix");
        assert_eq!(action["kind"], "source.fixAll.plimsoll");
        let edits = &action["edit"]["changes"]["file:///Dockerfile"];
        assert_eq!(edits[0]["newText"], " && rm -rf /var/lib/apt/lists/*");
        let clean = placed("FROM scratch\n", |analysis, place| fix_all(analysis, place).into_iter().collect());
        assert_eq!(clean, [] as [Value; 0]);
    }

    #[test]
    fn what_several_rounds_change_is_an_edit_of_whole_lines() {
        let check = |before: &str, after: &str, n_edits: usize| {
            let edit = between(before, after).expect("an edit");
            assert_eq!((edit.apply(before).as_str(), edit.indels().len()), (after, n_edits), "{before}");
        };
        check("a\nb\nc\nd\n", "a\nB\nc\nD\nE\n", 2);
        check("a\r\nb", "a\r\nb\r\nc", 1);
        check("a\nb\n", "b\n", 1);
        check("", "é\n", 1);
    }

    #[test]
    fn a_finding_can_be_allowed_where_it_is_and_in_the_file() {
        let text = "FROM debian:12-slim\nRUN apt-get update\nUSER 1\nCMD [\"a\"]\n\
                    #- plimsoll.toml\n[groups]\ncache = \"off\"\n";
        let found = placed(text, |analysis, place| {
            let findings: Vec<_> = analysis.shown().collect();
            allowing(analysis, &findings, place)
        });
        let told: Vec<(&str, &str)> = found
            .iter()
            .map(|it| {
                let edit = &it["edit"]["changes"]["file:///Dockerfile"][0]["newText"];
                (it["title"].as_str().unwrap_or_default(), edit.as_str().unwrap_or_default())
            })
            .collect();
        assert_eq!(
            told,
            [
                ("Allow `apt-lists-left` here", "# plimsoll: allow apt-lists-left\n"),
                ("Allow `apt-lists-left` in this file", "# plimsoll: allow-file apt-lists-left\n"),
            ]
        );
    }

    #[test]
    fn kinds_are_asked_for_by_their_beginning_in_whole_words() {
        assert!(is_below("refactor.rewrite.merge-runs", "refactor"));
        assert!(is_below("refactor.rewrite.merge-runs", "refactor.rewrite.merge-runs"));
        assert!(is_below("quickfix", ""));
        assert!(!is_below("refactor.rewrite.merge-runs-clean", "refactor.rewrite.merge-runs"));
        assert!(!is_below("source.fixAll.plimsoll", "source.fix"));
        assert!(may_hold_rewrites("refactor.rewrite.merge-runs"));
        assert!(may_hold_rewrites("refactor"));
        assert!(!may_hold_rewrites("refactor.extract"));
    }
}

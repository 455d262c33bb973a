//! What the client can, and what the server says of itself in return.
//!
//! Nothing is sent that was not declared: no registration, refresh, annotation or link (EDITORS.md says what each of
//! the common clients does with what it did not ask for).

use tower_lsp::ls_types::{
    ClientCapabilities, CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CodeLensOptions,
    DiagnosticOptions, DiagnosticServerCapabilities, ExecuteCommandOptions, FoldingRangeProviderCapability,
    HoverProviderCapability, MarkupKind, OneOf, PositionEncodingKind, ResourceOperationKind, SaveOptions,
    ServerCapabilities, TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions,
    TextDocumentSyncSaveOptions,
};

use crate::lsp::measure;
use crate::text::position::Encoding;

/// The kind of the action that applies every safe fix of a file.
pub(crate) const FIX_ALL: CodeActionKind = CodeActionKind::new("source.fixAll.plimsoll");

/// What the client declared, as far as it changes what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// What columns count in this session.
    pub(crate) encoding: Encoding,
    /// Whether a hover may be Markdown; else it is sent as plain text.
    pub(crate) hover_markdown: bool,
    /// Whether a diagnostic's code may be a link.
    pub(crate) code_description: bool,
    /// Whether a diagnostic may name other places.
    pub(crate) related: bool,
    /// Whether code actions other than commands are understood.
    pub(crate) code_actions: bool,
    /// Whether an action may be shown that cannot be carried out, with the reason.
    pub(crate) disabled: bool,
    /// Whether one of several actions may be marked as the one to take.
    pub(crate) preferred: bool,
    /// Whether edits may name the version that they are for.
    pub(crate) document_changes: bool,
    /// Whether edits may make files.
    pub(crate) create_files: bool,
    /// Whether edits may carry a remark that a person confirms.
    pub(crate) annotations: bool,
    /// Whether hints inside the text are shown.
    pub(crate) inlay_hints: bool,
    /// Whether lines above the text are shown.
    pub(crate) code_lenses: bool,
    /// Whether the server may say that hints are out of date.
    pub(crate) refresh_inlay_hints: bool,
    /// Whether the server may say that lenses are out of date.
    pub(crate) refresh_code_lenses: bool,
    /// Whether the server may show progress that the client did not ask for.
    pub(crate) progress: bool,
    /// Whether settings can be asked for.
    pub(crate) configuration: bool,
    /// Whether the server may ask to be told of changed settings.
    pub(crate) register_configuration: bool,
    /// Whether the server may ask to be told of changed files.
    pub(crate) register_watched_files: bool,
    /// Whether the server may say that pulled diagnostics are out of date.
    pub(crate) refresh_diagnostics: bool,
}

impl Abilities {
    /// Reads what the client declared.
    pub(crate) fn of(capabilities: &ClientCapabilities) -> Abilities {
        let workspace = capabilities.workspace.as_ref();
        let document = capabilities.text_document.as_ref();
        let edit = workspace.and_then(|it| it.workspace_edit.as_ref());
        let hover = document.and_then(|it| it.hover.as_ref()).and_then(|it| it.content_format.as_ref());
        let publish = document.and_then(|it| it.publish_diagnostics.as_ref());
        let action = document.and_then(|it| it.code_action.as_ref());
        let document_changes = edit.and_then(|it| it.document_changes).unwrap_or(false);
        Abilities {
            encoding: encoding(capabilities),
            hover_markdown: hover.is_none_or(|formats| formats.contains(&MarkupKind::Markdown)),
            code_description: publish.and_then(|it| it.code_description_support).unwrap_or(false),
            related: publish.and_then(|it| it.related_information).unwrap_or(false),
            code_actions: action.is_some_and(|it| it.code_action_literal_support.is_some()),
            disabled: action.and_then(|it| it.disabled_support).unwrap_or(false),
            preferred: action.and_then(|it| it.is_preferred_support).unwrap_or(false),
            document_changes,
            create_files: document_changes
                && edit
                    .and_then(|it| it.resource_operations.as_ref())
                    .is_some_and(|operations| operations.contains(&ResourceOperationKind::Create)),
            inlay_hints: document.is_some_and(|it| it.inlay_hint.is_some()),
            code_lenses: document.is_some_and(|it| it.code_lens.is_some()),
            refresh_inlay_hints: workspace
                .and_then(|it| it.inlay_hint.as_ref())
                .and_then(|it| it.refresh_support)
                .unwrap_or(false),
            refresh_code_lenses: workspace
                .and_then(|it| it.code_lens.as_ref())
                .and_then(|it| it.refresh_support)
                .unwrap_or(false),
            annotations: document_changes && edit.is_some_and(|it| it.change_annotation_support.is_some()),
            progress: capabilities.window.as_ref().and_then(|it| it.work_done_progress).unwrap_or(false),
            configuration: workspace.and_then(|it| it.configuration).unwrap_or(false),
            register_configuration: workspace
                .and_then(|it| it.did_change_configuration.as_ref())
                .and_then(|it| it.dynamic_registration)
                .unwrap_or(false),
            register_watched_files: workspace
                .and_then(|it| it.did_change_watched_files.as_ref())
                .and_then(|it| it.dynamic_registration)
                .unwrap_or(false),
            refresh_diagnostics: workspace
                .and_then(|it| it.diagnostics.as_ref())
                .and_then(|it| it.refresh_support)
                .unwrap_or(false),
        }
    }
}

/// UTF-8 if the client offers it, since then nothing is converted; else the first of its list that is known, else the
/// protocol's default.
fn encoding(capabilities: &ClientCapabilities) -> Encoding {
    let offered = capabilities.general.as_ref().and_then(|it| it.position_encodings.as_ref());
    let known = |kind: &PositionEncodingKind| match kind.as_str() {
        "utf-8" => Some(Encoding::Utf8),
        "utf-16" => Some(Encoding::Utf16),
        "utf-32" => Some(Encoding::Utf32),
        _ => None,
    };
    let offered: Vec<Encoding> = offered.into_iter().flatten().filter_map(known).collect();
    if offered.contains(&Encoding::Utf8) {
        return Encoding::Utf8;
    }
    offered.first().copied().unwrap_or(Encoding::Utf16)
}

/// What the server offers. `pull` announces answers to `textDocument/diagnostic`, and then nothing is pushed: clients
/// that can do both would show everything twice.
pub(crate) fn server(abilities: &Abilities, pull: bool) -> ServerCapabilities {
    let kinds = vec![CodeActionKind::QUICKFIX, CodeActionKind::REFACTOR_REWRITE, FIX_ALL];
    ServerCapabilities {
        position_encoding: Some(match abilities.encoding {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
            Encoding::Utf32 => PositionEncodingKind::UTF32,
        }),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions { include_text: Some(false) })),
            ..TextDocumentSyncOptions::default()
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(kinds),
            ..CodeActionOptions::default()
        })),
        inlay_hint_provider: abilities.inlay_hints.then_some(OneOf::Left(true)),
        code_lens_provider: abilities.code_lenses.then_some(CodeLensOptions { resolve_provider: Some(false) }),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: vec![measure::COMMAND.to_owned()],
            ..ExecuteCommandOptions::default()
        }),
        folding_range_provider: Some(FoldingRangeProviderCapability::Simple(true)),
        diagnostic_provider: pull.then(|| {
            DiagnosticServerCapabilities::Options(DiagnosticOptions {
                identifier: Some("plimsoll".to_owned()),
                ..DiagnosticOptions::default()
            })
        }),
        ..ServerCapabilities::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::Abilities;
    use crate::text::position::Encoding;

    fn abilities(declared: Value) -> Abilities {
        Abilities::of(&from_value(declared).expect("capabilities"))
    }

    fn check(encodings: Value, expected: Encoding) {
        let declared = json!({"general": {"positionEncodings": encodings}});
        assert_eq!(abilities(declared).encoding, expected);
    }

    #[test]
    fn utf_8_is_taken_wherever_it_is_offered() {
        check(json!(["utf-16", "utf-32", "utf-8"]), Encoding::Utf8);
    }

    #[test]
    fn else_the_first_known_encoding_of_the_client() {
        check(json!(["ebcdic", "utf-32", "utf-16"]), Encoding::Utf32);
        check(json!(["ebcdic"]), Encoding::Utf16);
        check(json!([]), Encoding::Utf16);
        check(Value::Null, Encoding::Utf16);
    }

    #[test]
    fn a_client_that_declares_nothing_gets_nothing_special() {
        let silent = abilities(json!({}));
        assert!(silent.hover_markdown);
        let special = [
            silent.code_description,
            silent.related,
            silent.disabled,
            silent.document_changes,
            silent.annotations,
            silent.inlay_hints,
            silent.code_lenses,
            silent.refresh_inlay_hints,
            silent.refresh_code_lenses,
            silent.progress,
            silent.configuration,
            silent.register_configuration,
            silent.register_watched_files,
            silent.refresh_diagnostics,
        ];
        assert!(special.iter().all(|it| !it));
    }

    #[test]
    fn annotations_need_edits_that_can_carry_them() {
        let edit = json!({"workspace": {"workspaceEdit": {"changeAnnotationSupport": {}}}});
        assert!(!abilities(edit).annotations);
    }
}

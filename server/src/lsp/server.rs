//! The handlers: each changes or reads the state, hands what takes longer to a task, and answers.

use std::path::PathBuf;
use std::sync::{Arc, MutexGuard};

use serde_json::{Value, json};
use tower_lsp::LanguageServer;
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::ls_types::{
    CodeActionOrCommand, CodeActionParams, CodeActionResponse, CodeLens, CodeLensParams, ConfigurationItem,
    DidChangeConfigurationParams, DidChangeTextDocumentParams, DidChangeWatchedFilesParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, DidSaveTextDocumentParams, DocumentDiagnosticParams, DocumentDiagnosticReport,
    DocumentDiagnosticReportResult, ExecuteCommandParams, FoldingRange, FoldingRangeParams,
    FullDocumentDiagnosticReport, Hover, HoverParams, InitializeParams, InitializeResult, InitializedParams, InlayHint,
    InlayHintParams, Registration, RelatedFullDocumentDiagnosticReport, ServerInfo,
};

use crate::config::{DiagnosticsMode, Report};
use crate::lsp::actions::{self, Place};
use crate::lsp::capabilities::{self, Abilities};
use crate::lsp::publish::{self, Cause};
use crate::lsp::refresh::Figures;
use crate::lsp::world::{self, World};
use crate::lsp::{Shared, convert, measure, registries, surroundings};

/// The handlers.
#[derive(Debug)]
pub(crate) struct Server(Arc<Shared>);

impl Server {
    /// The handlers over this state.
    pub(crate) fn new(shared: Arc<Shared>) -> Server {
        Server(shared)
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.world()
    }
}

impl LanguageServer for Server {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let roots = roots(&params);
        let (said, abilities) = {
            let mut world = self.world();
            world.abilities = Abilities::of(&params.capabilities);
            let options = params.initialization_options.unwrap_or(Value::Null);
            // The client may be shown nothing before it got this answer.
            world.complaints = world.said.learn_options(&options, roots.first().map(PathBuf::as_path));
            world.roots.clone_from(&roots);
            (world.said.clone(), world.abilities)
        };
        let place = roots.first().map(|root| root.join("Dockerfile"));
        let files = {
            let (said, place) = (said.clone(), place.clone());
            surroundings::in_background(move || surroundings::files(&said, place.as_deref())).await
        };
        let pull = said.config(&files, place.as_deref()).diagnostics == DiagnosticsMode::Pull;
        self.world().pull = pull;
        Ok(InitializeResult {
            capabilities: capabilities::server(&abilities, pull),
            server_info: Some(ServerInfo {
                name: "plimsoll".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
            ..InitializeResult::default()
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        let (abilities, complaints) = {
            let mut world = self.world();
            (world.abilities, std::mem::take(&mut world.complaints))
        };
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move {
            shared.tell(&complaints).await;
            let registrations = registrations(&abilities);
            if !registrations.is_empty()
                && let Err(error) = shared.client.register_capability(registrations).await
            {
                tracing::warn!("the client registers nothing: {error}");
            }
            ask_for_settings(&shared).await;
        });
    }

    async fn shutdown(&self) -> Result<()> {
        self.world().stop_look_ups();
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        let document = params.text_document;
        self.world().open(document.uri.clone(), document.version, &document.text);
        surroundings::read(&self.0, document.uri);
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        let uri = params.text_document.uri;
        let changes = convert::changes(params.content_changes);
        let state = self.world().change(&uri, params.text_document.version, &changes);
        if let Some(state) = state {
            publish::soon(&self.0, uri, state, Cause::Text);
        }
    }

    async fn did_save(&self, params: DidSaveTextDocumentParams) {
        surroundings::read(&self.0, params.text_document.uri);
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        let uri = params.text_document.uri;
        if self.world().close(&uri) {
            publish::clear(&self.0, uri);
        }
        self.0.settled.notify_waiters();
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        let shared = Arc::clone(&self.0);
        if params.settings.is_null() {
            // The client only says that something changed.
            tokio::spawn(async move { ask_for_settings(&shared).await });
            return;
        }
        let reports = learn(&shared, &params.settings);
        read_all(&self.0);
        tokio::spawn(async move { shared.tell(&reports).await });
    }

    async fn did_change_watched_files(&self, params: DidChangeWatchedFilesParams) {
        let paths: Vec<PathBuf> = params.changes.iter().filter_map(|change| world::path(&change.uri)).collect();
        surroundings::changed(&self.0, &paths);
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        let at = params.text_document_position_params;
        let mut world = self.world();
        let Some(view) = world.view(&at.text_document.uri) else { return Ok(None) };
        let hover = view.analysis.hover(view.lines.offset(at.position));
        Ok(hover.map(|hover| convert::hover(hover, &view.lines, &world.abilities)))
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        let mut world = self.world();
        let uri = &params.text_document.uri;
        let Some(view) = world.view(uri) else { return Ok(None) };
        let place = Place { uri, version: view.version, lines: &view.lines, abilities: &world.abilities };
        let range = view.lines.bytes(params.range);
        let actions = actions::at(&view.analysis, range, &params.context, &place);
        Ok(Some(actions.into_iter().map(CodeActionOrCommand::CodeAction).collect()))
    }

    async fn inlay_hint(&self, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
        let mut world = self.world();
        let stages = !world.abilities.code_lenses;
        let Some(view) = world.shown(&params.text_document.uri, Figures::Hints) else { return Ok(None) };
        let inlays = view.analysis.inlays(view.lines.bytes(params.range), stages);
        Ok(Some(inlays.into_iter().map(|inlay| convert::inlay(inlay, &view.lines)).collect()))
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        let mut world = self.world();
        let Some(view) = world.shown(&params.text_document.uri, Figures::Lenses) else { return Ok(None) };
        let lenses = view.analysis.lenses();
        Ok(Some(lenses.into_iter().map(|lens| convert::lens(lens, &view.lines)).collect()))
    }

    async fn folding_range(&self, params: FoldingRangeParams) -> Result<Option<Vec<FoldingRange>>> {
        Ok(self.world().folds(&params.text_document.uri))
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<Value>> {
        if params.command != measure::COMMAND {
            return Err(Error::invalid_params(format!("there is no command {}", params.command)));
        }
        measure::soon(&self.0, &params.arguments, params.work_done_progress_params.work_done_token);
        Ok(None)
    }

    async fn diagnostic(&self, params: DocumentDiagnosticParams) -> Result<DocumentDiagnosticReportResult> {
        let uri = params.text_document.uri;
        loop {
            let settled = self.0.settled.notified();
            if self.world().is_settled(&uri) {
                break;
            }
            settled.await;
        }
        let items = {
            let mut world = self.world();
            let view = world.view(&uri);
            view.map(|view| publish::diagnostics(&view, &uri, &world.abilities)).unwrap_or_default()
        };
        surroundings::fetch_wanted(&self.0, &uri);
        registries::ask(&self.0, &uri);
        let report = FullDocumentDiagnosticReport { result_id: None, items };
        let report =
            RelatedFullDocumentDiagnosticReport { related_documents: None, full_document_diagnostic_report: report };
        Ok(DocumentDiagnosticReportResult::Report(DocumentDiagnosticReport::Full(report)))
    }
}

/// Reads the surroundings of all open documents anew.
fn read_all(shared: &Arc<Shared>) {
    let open = shared.world().open_documents();
    for uri in open {
        surroundings::read(shared, uri);
    }
}

/// Takes in what the editor says about settings; what is wrong with it.
fn learn(shared: &Shared, settings: &Value) -> Vec<Report> {
    let mut world = shared.world();
    let root = world.roots.first().cloned();
    world.said.learn(settings, root.as_deref())
}

/// Asks the client for its settings, if it answers such questions, and reads everything anew.
async fn ask_for_settings(shared: &Arc<Shared>) {
    if !shared.world().abilities.configuration {
        return;
    }
    let item = ConfigurationItem { scope_uri: None, section: Some("plimsoll".to_owned()) };
    let settings = match shared.client.configuration(vec![item]).await {
        Ok(settings) => settings,
        Err(error) => {
            tracing::warn!("the client does not tell its settings: {error}");
            return;
        }
    };
    let Some(settings) = settings.into_iter().next() else { return };
    let reports = learn(shared, &settings);
    read_all(shared);
    shared.tell(&reports).await;
}

/// The folders that the client has open; none for a single file.
fn roots(params: &InitializeParams) -> Vec<PathBuf> {
    let folders = params.workspace_folders.iter().flatten().map(|folder| &folder.uri);
    let roots: Vec<PathBuf> = folders.filter_map(world::path).collect();
    if !roots.is_empty() {
        return roots;
    }
    // Clients from before workspace folders.
    #[expect(deprecated, reason = "older clients send nothing else")]
    params.root_uri.as_ref().and_then(world::path).into_iter().collect()
}

/// What the client is asked to tell: changed settings, and changed files that an analysis depends on.
fn registrations(abilities: &Abilities) -> Vec<Registration> {
    let registration = |method: &str, options: Value| Registration {
        id: format!("plimsoll {method}"),
        method: method.to_owned(),
        register_options: Some(options),
    };
    let mut res = Vec::new();
    if abilities.register_configuration {
        res.push(registration("workspace/didChangeConfiguration", json!({"section": "plimsoll"})));
    }
    if abilities.register_watched_files {
        // Any file may be one that a COPY brings.
        res.push(registration("workspace/didChangeWatchedFiles", json!({"watchers": [{"globPattern": "**/*"}]})));
    }
    res
}

//! Diagnostics to the client: pushed as soon as no newer change waits, or only said to be out of date where they are
//! pulled.

use std::sync::Arc;

use tower_lsp::ls_types::{self, Uri};

use crate::lsp::Shared;
use crate::lsp::capabilities::Abilities;
use crate::lsp::convert;
use crate::lsp::refresh;
use crate::lsp::registries;
use crate::lsp::surroundings;
use crate::lsp::world::View;

/// Why there is something to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The client changed the text.
    Text,
    /// Settings or build context are others, which a client that pulls does not know.
    Surroundings,
}

/// Publishes what is found in this state of a document, unless a newer one is there when it comes to it: a burst of
/// changes is analysed once.
pub(crate) fn soon(shared: &Arc<Shared>, uri: Uri, state: u64, cause: Cause) {
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        tokio::task::yield_now().await;
        let (pull, view, abilities) = {
            let mut world = shared.world();
            let Some(view) = world.view_of(&uri, state) else { return };
            (world.pull, view, world.abilities)
        };
        surroundings::fetch_wanted(&shared, &uri);
        registries::ask(&shared, &uri);
        if cause == Cause::Surroundings {
            refresh::soon(&shared);
        }
        if !pull {
            let found = diagnostics(&view, &uri, &abilities);
            shared.client.publish_diagnostics(uri, found, Some(view.version)).await;
        } else if abilities.refresh_diagnostics && cause == Cause::Surroundings {
            // A client that cannot do it after all will pull at the next change.
            let _ = shared.client.workspace_diagnostic_refresh().await;
        }
    });
}

/// Takes back what was shown of a document that was closed.
pub(crate) fn clear(shared: &Arc<Shared>, uri: Uri) {
    if shared.world().pull {
        return;
    }
    let shared = Arc::clone(shared);
    tokio::spawn(async move { shared.client.publish_diagnostics(uri, Vec::new(), None).await });
}

/// All that is shown of a document.
pub(crate) fn diagnostics(view: &View, uri: &Uri, abilities: &Abilities) -> Vec<ls_types::Diagnostic> {
    view.analysis.shown().map(|finding| convert::diagnostic(finding, uri, &view.lines, abilities)).collect()
}

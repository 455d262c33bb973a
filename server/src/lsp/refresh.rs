//! Says to the client that the figures it shows are out of date, when they changed without a change of the text.
//!
//! **Invariant:** a request goes out only to a client that declared it, and not a second time before the client has asked
//! for the figures anew: several documents that learn something at once are one request.

use std::sync::Arc;

use crate::lsp::Shared;

/// What shows figures inside the text and is asked for by the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figures {
    /// Hints at the end of instructions.
    Hints,
    /// Lines above stages.
    Lenses,
}

/// Has the client ask anew for the hints and lenses whose figures are others by now. To be called after settings, build
/// contexts, images or measured layers were learned.
pub(crate) fn soon(shared: &Arc<Shared>) {
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let (hints, lenses) = {
            let mut world = shared.world();
            let abilities = world.abilities;
            let hints = abilities.refresh_inlay_hints && world.take_stale(Figures::Hints);
            (hints, abilities.refresh_code_lenses && world.take_stale(Figures::Lenses))
        };
        // A client that cannot do it after all asks again at the next change.
        if hints {
            let _ = shared.client.inlay_hint_refresh().await;
        }
        if lenses {
            let _ = shared.client.code_lens_refresh().await;
        }
    });
}

//! Registries for open documents: each new name of a base image is asked for in a task of its own, where the settings allow
//! it, and what comes back is published.
//!
//! **Invariant:** nothing is made or sent before a document names an image and its settings allow to ask; no handler waits
//! for it, and a document that is closed stops asking.

use std::sync::Arc;
use std::time::Duration;

use tower_lsp::ls_types::Uri;

use crate::disk::tables;
use crate::lsp::publish::{self, Cause};
use crate::lsp::surroundings::in_background;
use crate::lsp::world::images::Asked;
use crate::lsp::{Shared, world::World};
use crate::registry::{self, Options, Registry};

/// How long a name must stand before it is asked for: one that is being typed is many names.
const SETTLES: Duration = Duration::from_millis(500);

/// Asks for the images that the last analysis of a document names and that were not asked for yet.
pub(crate) fn ask(shared: &Arc<Shared>, uri: &Uri) {
    let mut world = shared.world();
    let asked = world.take_images(uri);
    if asked.is_empty() {
        return;
    }
    let task = look_up(Arc::clone(shared), uri.clone(), asked);
    world.begin_look_up(uri, task);
}

async fn look_up(shared: Arc<Shared>, uri: Uri, asked: Vec<Asked>) {
    tokio::time::sleep(SETTLES).await;
    let asked = shared.world().still_named(&uri, asked);
    if asked.is_empty() {
        return;
    }
    let registry = registry(&shared).await;
    let answers = registry.ask(&asked).await;
    let known: Vec<_> =
        asked.into_iter().zip(answers).filter_map(|(asked, answer)| Some((asked, answer.ok()?))).collect();
    let changed = shared.world().learn_answers(known);
    for (uri, state) in changed {
        publish::soon(&shared, uri, state, Cause::Surroundings);
    }
}

/// The registries, with what is remembered of them; read when they are first needed.
async fn registry(shared: &Shared) -> Arc<Registry> {
    let open = || async {
        in_background(|| {
            let options = Options::of_user(tables::cache_folder());
            Some(Arc::new(Registry::new(options, registry::clock())))
        })
        .await
        .unwrap_or_else(|| Arc::new(Registry::new(Options::default(), registry::clock())))
    };
    Arc::clone(shared.registry.get_or_init(open).await)
}

/// Reads the newer table of images, if it is another than the one that is known, and publishes what it changes.
pub(crate) async fn read_newer(shared: &Arc<Shared>, named: Option<String>) {
    let before = shared.world().newer_stamp().cloned();
    let read = in_background(move || Some(tables::newer(named.as_deref(), before.as_ref()))).await;
    match read {
        Some(Ok(Some((stamp, table)))) => {
            let changed = World::learn_newer(&mut shared.world(), stamp, table);
            for (uri, state) in changed {
                publish::soon(shared, uri, state, Cause::Surroundings);
            }
        }
        Some(Ok(None)) | None => {}
        Some(Err(error)) => tracing::warn!("{error:#}"),
    }
}

//! What surrounds a document, read from the disk in the background: settings, then the build context, then the files
//! that the analysis wants. Each step that brings something new publishes again.
//!
//! **Invariant:** no handler waits for the disk, and what a newer reading replaced is dropped.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tower_lsp::ls_types::Uri;

use crate::config::Report;
use crate::context::BuildContext;
use crate::disk::analyse::build_context;
use crate::disk::settings::Settings;
use crate::disk::sources::context_sources;
use crate::disk::{folder, settings, texts};
use crate::lsp::publish::{self, Cause};
use crate::lsp::settings::{Said, known_rules};
use crate::lsp::{Shared, registries, world};

/// Reads settings and build context of a document anew.
pub(crate) fn read(shared: &Arc<Shared>, uri: Uri) {
    let shared = Arc::clone(shared);
    let (reading, said, roots) = {
        let mut world = shared.world();
        let Some(reading) = world.begin_reading(&uri) else { return };
        (reading, world.said.clone(), world.roots.clone())
    };
    tokio::spawn(async move {
        let path = world::path(&uri);
        let place = path.clone().or_else(|| roots.first().map(|root| root.join("Dockerfile")));
        let files = in_background({
            let (said, place) = (said.clone(), place.clone());
            move || files(&said, place.as_deref())
        });
        let files = files.await;
        let config = said.config(&files, place.as_deref());
        let (named, table) = (config.context.clone(), config.data_file.clone());
        let state = shared.world().learn_config(&reading, config);
        shared.settled.notify_waiters();
        let Some(state) = state else { return };
        publish::soon(&shared, uri.clone(), state, Cause::Surroundings);
        shared.tell(&files.reports).await;
        let view = shared.world().view(&uri);
        if let Some(target) = view.as_ref().and_then(|view| view.analysis.unknown_target()) {
            let name = uri.path().to_string();
            let message = format!("`{target}` is to be built, and no stage of {name} has this name");
            let report = Report { file: None, line: None, column: None, key: "target".to_owned(), message };
            shared.tell(&[report]).await;
        }
        registries::read_newer(&shared, table).await;

        let Some(path) = path else { return };
        let Some(view) = shared.world().view(&uri) else { return };
        let sources = context_sources(&view.analysis.file);
        // What was read before is read with it, so that nothing is shown without it in between.
        let read_before: Vec<String> = view.analysis.inputs.context.texts.keys().cloned().collect();
        let stop = reading.stop.clone();
        let context = in_background(move || {
            let mut res = build_context(&path, named.as_ref(), &root_of(&path, &roots), &sources, &stop);
            if let Some(folder) = res.folder.clone() {
                texts::read_texts(Path::new(&folder), &read_before, &mut res);
            }
            res
        });
        let context = context.await;
        if let Some(state) = shared.world().learn_context(&reading, context) {
            publish::soon(&shared, uri, state, Cause::Surroundings);
        }
    });
}

/// How long nothing may change before what surrounds a document is read again: a build writes thousands of files.
const QUIET: Duration = Duration::from_millis(250);

/// How often that is waited for.
const MOST_WAITS: usize = 12;

/// Takes in that files changed: what surrounds the documents that depend on them is read anew once there is quiet.
pub(crate) fn changed(shared: &Arc<Shared>, paths: &[PathBuf]) {
    if !shared.world().touch(paths) {
        return;
    }
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let mut before = None;
        for _ in 0..MOST_WAITS {
            tokio::time::sleep(QUIET).await;
            let touches = shared.world().n_touches();
            if before == Some(touches) {
                break;
            }
            before = Some(touches);
        }
        let touched = shared.world().take_touched();
        for uri in touched {
            read(&shared, uri);
        }
    });
}

/// Reads the files of the build context that the last analysis of a document wants and that it was not given yet.
pub(crate) fn fetch_wanted(shared: &Arc<Shared>, uri: &Uri) {
    let Some((reading, context, wanted)) = shared.world().take_wanted(uri) else { return };
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let context = in_background(move || {
            let mut res = BuildContext::clone(&context);
            let folder = res.folder.clone()?;
            texts::read_texts(Path::new(&folder), &wanted, &mut res).then_some(res)
        });
        let context = context.await;
        let state = shared.world().learn_texts(&reading, context);
        if let Some(state) = state {
            publish::soon(&shared, reading.uri, state, Cause::Surroundings);
        }
    });
}

/// What the settings files say about a Dockerfile; a mistake that hinders all of them is a report too.
pub(crate) fn files(said: &Said, dockerfile: Option<&Path>) -> Settings {
    let user_file = settings::user_file();
    settings::settings(dockerfile, &said.files, user_file.as_deref(), &known_rules()).unwrap_or_else(|error| {
        let report = Report { file: None, line: None, column: None, key: String::new(), message: format!("{error:#}") };
        Settings { reports: vec![report], ..Settings::default() }
    })
}

/// The open folder that a Dockerfile belongs to, the deepest if there are several; else its repository.
fn root_of(dockerfile: &Path, roots: &[PathBuf]) -> PathBuf {
    let held = roots.iter().filter(|root| dockerfile.starts_with(root)).max_by_key(|root| root.as_os_str().len());
    held.cloned().unwrap_or_else(|| folder::root_of(dockerfile))
}

/// Runs what may take long on a thread of its own. If it panics, the answer is that there is nothing.
pub(crate) async fn in_background<T: Default + Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        tracing::error!("work in the background failed: {error}");
        T::default()
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::root_of;
    use crate::disk::analyse::build_context;
    use crate::disk::walk::Stop;

    #[test]
    fn the_context_is_the_folder_that_holds_what_is_copied_within_the_workspace() {
        let above = tempfile::tempdir().expect("a folder");
        let root = above.path().join("work");
        let own = root.join("docker");
        fs::create_dir_all(&own).expect("a folder");
        for file in [above.path().join("a"), above.path().join("b"), root.join("a"), own.join("Dockerfile")] {
            fs::write(file, "").expect("a file");
        }
        let sources = ["a".to_owned(), "b".to_owned()];
        let roots = [above.path().join("other"), root.clone()];
        let context = |sources: &[String]| {
            let dockerfile = own.join("Dockerfile");
            build_context(&dockerfile, None, &root_of(&dockerfile, &roots), sources, &Stop::default())
        };
        let found = context(&sources);
        assert!(found.known && found.has_file("a") && !found.has_file("b"), "{found:?}");
        let nothing = context(&["z".to_owned()]);
        assert!(!nothing.known);
    }
}

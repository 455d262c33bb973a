//! "Measure with the last build": the command that puts the layers of a built image in place of estimates.
//!
//! **Invariant:** only the socket is opened that the user named (`engine.socket`, which no file of a workspace sets), only
//! after the command, and no handler waits for the engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Result, anyhow, bail};
use serde_json::Value;
use tower_lsp::ls_types::{MessageType, ProgressToken, Uri};

use crate::engine;
use crate::lsp::Shared;
use crate::lsp::publish::{self, Cause};
use crate::lsp::surroundings::in_background;
use crate::measured::lay::{base_image, lay};
use crate::measured::{BuiltImage, Measured};
use crate::model::{File, Platform};

/// The name of the command.
pub(crate) const COMMAND: &str = "plimsoll.measure";

/// How many images of an engine are looked at, the newest first.
const MOST_IMAGES: usize = 30;

/// What the client asks for; everything may be missing.
#[derive(Debug, Default, PartialEq)]
struct Asked {
    document: Option<Uri>,
    image: Option<String>,
}

/// Reads the arguments: a document and an image, in that order or as `uri` and `image` of an object.
fn asked(arguments: &[Value]) -> Asked {
    let document = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
    let image = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    match arguments {
        [Value::Object(named), ..] => {
            Asked { document: named.get("uri").and_then(document), image: named.get("image").and_then(image) }
        }
        [first, rest @ ..] => Asked { document: document(first), image: rest.first().and_then(image) },
        [] => Asked::default(),
    }
}

/// Measures a document in the background: the one that is named, else the one that was last worked on.
/// `token` is where the client wants to see the progress, if it said so.
pub(crate) fn soon(shared: &Arc<Shared>, arguments: &[Value], token: Option<ProgressToken>) {
    let Asked { document, image } = asked(arguments);
    let (found, may_create) = {
        let mut world = shared.world();
        let uri = document.or_else(|| world.latest());
        (uri.and_then(|uri| world.view(&uri).map(|view| (uri, view))), world.abilities.progress)
    };
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let Some((uri, view)) = found else {
            shared.client.show_message(MessageType::WARNING, "There is no open Dockerfile to measure.").await;
            return;
        };
        let Some(socket) = view.analysis.inputs.config.engine_socket.clone() else {
            let message = "Plimsoll asks only the engine that you name: set `engine.socket` in your own settings (the \
                           editor's, or plimsoll.toml in your configuration folder), for example to /var/run/docker.sock.";
            shared.client.show_message(MessageType::WARNING, message).await;
            return;
        };
        let (file, target) = (view.analysis.file.clone(), view.analysis.facts.target);
        let platform = view.analysis.inputs.config.platform.clone();
        let token = match token {
            None if may_create => new_token(&shared).await,
            token => token,
        };
        let progress = match token {
            Some(token) => Some(shared.client.progress(token, "Measuring the last build").begin().await),
            None => None,
        };
        let work = move || Some(measure(&socket, image.as_deref(), &file, target, &platform));
        let res = in_background(work).await.unwrap_or_else(|| Err(anyhow!("the measuring itself failed")));
        if let Some(progress) = progress {
            progress.finish().await;
        }
        match res {
            Ok(measured) => {
                let message = said(&measured);
                let state = shared.world().learn_measured(&uri, measured);
                if let Some(state) = state {
                    publish::soon(&shared, uri, state, Cause::Surroundings);
                }
                shared.client.show_message(MessageType::INFO, message).await;
            }
            Err(error) => {
                let message = format!("Nothing was measured: {error:#}.");
                shared.client.show_message(MessageType::WARNING, message).await;
            }
        }
    });
}

/// A progress of the server's own, if the client takes one.
async fn new_token(shared: &Shared) -> Option<ProgressToken> {
    /// Two under way have two tokens.
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let token = ProgressToken::String(format!("{COMMAND}/{number}"));
    shared.client.create_work_done_progress(token.clone()).await.is_ok().then_some(token)
}

fn said(measured: &Measured) -> String {
    let mut res = format!("Measured with {}.", measured.image);
    if !measured.changed.is_empty() {
        let lines: Vec<String> = measured.changed.iter().map(u32::to_string).collect();
        let word = if lines.len() == 1 { "Line" } else { "Lines" };
        res.push_str(&format!(" {word} {} changed since it was built.", lines.join(", ")));
    }
    res
}

/// The figures of the named image, or of the newest one that was built from the file; where there is none, of the one with
/// the fewest instructions that changed since.
fn measure(
    socket: &str,
    image: Option<&str>,
    file: &File,
    target: Option<usize>,
    platform: &Platform,
) -> Result<Measured> {
    let Some(target) = target else { bail!("there is no stage that could have made an image") };
    let base = base_image(file, target).and_then(|base| engine::history(socket, base).ok());
    let found = match image {
        Some(image) => {
            let built = engine::history(socket, image)?;
            lay(&built, file, target, base.as_ref()).map_err(|misfit| anyhow!("{image}: {misfit}"))?
        }
        None => last_build(socket, file, target, base.as_ref())?,
    };
    // Engines count each in their own way (blocks on the disk, lengths of links): the files are counted here, as they are
    // for an archive.
    let counted = engine::export(socket, &found.image, platform)?;
    lay(&counted.built, file, target, base.as_ref()).map_err(|misfit| anyhow!("{}: {misfit}", found.image))
}

/// What the engine's own figures say of the image that fits best. Only the history is asked for: that is quick.
fn last_build(socket: &str, file: &File, target: usize, base: Option<&BuiltImage>) -> Result<Measured> {
    let images = engine::newest(socket, MOST_IMAGES)?;
    let mut best: Option<Measured> = None;
    for image in &images {
        // An image may be gone by now.
        let Ok(built) = engine::history(socket, image) else { continue };
        let Ok(measured) = lay(&built, file, target, base) else { continue };
        if measured.changed.is_empty() {
            return Ok(measured);
        }
        if best.as_ref().is_none_or(|best| measured.changed.len() < best.changed.len()) {
            best = Some(measured);
        }
    }
    best.ok_or_else(|| anyhow!("none of the {} newest images was built from this file", images.len()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Asked, asked};

    fn check(arguments: Value, document: Option<&str>, image: Option<&str>) {
        let expected = Asked { document: document.and_then(|it| it.parse().ok()), image: image.map(str::to_owned) };
        assert_eq!(asked(arguments.as_array().expect("arguments")), expected, "{arguments}");
    }

    #[test]
    fn arguments_may_be_missing_or_in_two_forms() {
        check(json!([]), None, None);
        check(json!([null]), None, None);
        check(json!(["file:///a/Dockerfile"]), Some("file:///a/Dockerfile"), None);
        check(json!(["file:///a/Dockerfile", "app:1"]), Some("file:///a/Dockerfile"), Some("app:1"));
        check(json!([null, "app:1"]), None, Some("app:1"));
        check(json!([{"uri": "file:///a/Dockerfile", "image": ""}]), Some("file:///a/Dockerfile"), None);
        check(json!([{"image": "app:1", "other": 1}]), None, Some("app:1"));
    }
}

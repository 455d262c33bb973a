//! Questions to a Docker Engine or Podman on a Unix socket: an image's archive, its history, the newest images.
//!
//! Each question is a connection of its own, and a runtime that lives as long as the answer is read.

use std::io::{self, Read};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::engine::{Budget, Image, archive};
use crate::measured::{BuiltImage, Entry};
use crate::model::Platform;

/// How long an engine may think before its next word. It packs a layer before it sends it.
const PATIENCE: Duration = Duration::from_secs(120);

/// The longest answer that is kept in memory.
const LONGEST_ANSWER: u64 = 64 << 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Made {
    #[serde(default)]
    created_by: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    size: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    config: Option<Settings>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    #[serde(default)]
    shell: Option<Vec<String>>,
    #[serde(default)]
    on_build: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    created: i64,
}

#[derive(Debug, Deserialize)]
struct Complaint {
    #[serde(default)]
    message: String,
}

/// An image with its files.
pub(super) fn export(socket: &str, image: &str, platform: &Platform) -> Result<Image> {
    let answer = ask(socket, &format!("/images/{}/get", encoded(image)))?;
    archive::stream(answer, platform, Budget::default()).with_context(|| format!("{image} of {socket}"))
}

/// An image's history, as the engine counts its layers.
pub(super) fn history(socket: &str, image: &str) -> Result<BuiltImage> {
    let history: Vec<Made> = json(socket, &format!("/images/{}/history", encoded(image)))?;
    let inspected: Inspected = json(socket, &format!("/images/{}/json", encoded(image)))?;
    let entries = history.into_iter().rev().map(|made| Entry {
        created_by: made.created_by,
        comment: made.comment,
        // The engine does not say it; what has no bytes adds none either way.
        is_empty: false,
        unpacked: made.size,
        pull: None,
    });
    let settings = inspected.config.unwrap_or_default();
    Ok(BuiltImage {
        name: image.to_owned(),
        shell: settings.shell.unwrap_or_default(),
        has_triggers: settings.on_build.is_some_and(|triggers| !triggers.is_empty()),
        entries: entries.collect(),
    })
}

/// The newest images, by a tag where they have one.
pub(super) fn newest(socket: &str, most: usize) -> Result<Vec<String>> {
    let mut listed: Vec<Listed> = json(socket, "/images/json")?;
    listed.sort_by_key(|image| std::cmp::Reverse(image.created));
    let name = |image: Listed| {
        let tag = image.repo_tags.into_iter().flatten().find(|tag| !tag.contains("<none>"));
        tag.unwrap_or(image.id)
    };
    Ok(listed.into_iter().take(most).map(name).collect())
}

/// What an image's name is in the address of a question.
fn encoded(image: &str) -> String {
    let mut res = String::with_capacity(image.len());
    for byte in image.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b':' | b'/' | b'@' => {
                res.push(char::from(byte));
            }
            _ => res.push_str(&format!("%{byte:02X}")),
        }
    }
    res
}

fn json<T: DeserializeOwned>(socket: &str, question: &str) -> Result<T> {
    let mut answer = ask(socket, question)?;
    let mut text = Vec::new();
    answer.by_ref().take(LONGEST_ANSWER).read_to_end(&mut text)?;
    serde_json::from_slice(&text).with_context(|| format!("the answer of {socket} is not understood"))
}

/// Asks, and returns the answer to be read.
fn ask(socket: &str, question: &str) -> Result<Answer> {
    let path = socket.strip_prefix("unix://").unwrap_or(socket);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let response = runtime.block_on(async {
        let stream = timeout(PATIENCE, UnixStream::connect(path)).await??;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // It lives as long as the runtime, and that as long as the answer.
        tokio::spawn(connection);
        let request = Request::get(question).header("Host", "localhost").body(Empty::<Bytes>::new())?;
        let response = timeout(PATIENCE, sender.send_request(request)).await??;
        anyhow::Ok(response)
    });
    let response = response.with_context(|| format!("no engine answers at {path}"))?;
    let status = response.status();
    let mut answer = Answer { runtime, body: response.into_body(), piece: Bytes::new() };
    if status == StatusCode::OK {
        return Ok(answer);
    }
    let mut text = Vec::new();
    answer.by_ref().take(64 << 10).read_to_end(&mut text)?;
    let complaint = serde_json::from_slice::<Complaint>(&text).map(|it| it.message).unwrap_or_default();
    if complaint.is_empty() {
        bail!("the engine at {path} answers {status}");
    }
    bail!("the engine at {path} says: {complaint}")
}

/// The body of an answer, read as it comes.
struct Answer {
    runtime: Runtime,
    body: Incoming,
    piece: Bytes,
}

impl Read for Answer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            let frame = self.runtime.block_on(async { timeout(PATIENCE, self.body.frame()).await });
            match frame.map_err(io::Error::other)? {
                None => return Ok(0),
                Some(frame) => self.piece = frame.map_err(io::Error::other)?.into_data().unwrap_or_default(),
            }
        }
        let n_bytes = self.piece.len().min(buffer.len());
        let taken = self.piece.split_to(n_bytes);
        buffer.iter_mut().zip(taken.iter()).for_each(|(to, from)| *to = *from);
        Ok(n_bytes)
    }
}

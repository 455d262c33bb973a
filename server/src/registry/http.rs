//! Requests whose answers are read up to a bound and no further.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};

use crate::registry::names::is_local;
use crate::registry::{Trouble, TroubleKind};

/// How often one request may be led elsewhere.
const MOST_REDIRECTS: usize = 5;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(3);

/// The clients, made when they are first needed.
#[derive(Debug, Default)]
pub(super) struct Clients {
    /// For this machine: never through a proxy, as Docker does it.
    local: OnceLock<Option<Client>>,
    outside: OnceLock<Option<Client>>,
}

impl Clients {
    /// A request to this address. Making the first one reads the system's certificates: call it where that may take some
    /// milliseconds.
    pub(super) fn request(&self, method: Method, url: Url) -> Result<RequestBuilder, Trouble> {
        let is_local = url.host_str().is_some_and(is_local);
        let client = match is_local {
            true => self.local.get_or_init(|| client(true)),
            false => self.outside.get_or_init(|| client(false)),
        };
        let client = client.as_ref().ok_or_else(|| Trouble::new(TroubleKind::Host, "no TLS on this machine"))?;
        Ok(client.request(method, url))
    }

    /// Whether the first request to this address would make a client.
    pub(super) fn is_made(&self, local: bool) -> bool {
        if local { self.local.get().is_some() } else { self.outside.get().is_some() }
    }

    /// Makes a client.
    pub(super) fn make(&self, local: bool) {
        if local {
            self.local.get_or_init(|| client(true))
        } else {
            self.outside.get_or_init(|| client(false))
        };
    }
}

fn client(local: bool) -> Option<Client> {
    // Another part of the program may have chosen one; then that one is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .user_agent(concat!("plimsoll/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .pool_max_idle_per_host(super::AT_ONCE)
        .redirect(Policy::custom(redirect));
    let builder = if local { builder.no_proxy() } else { builder };
    builder.build().inspect_err(|error| tracing::warn!("registries cannot be asked: {error}")).ok()
}

/// Follows some redirects, none from an encrypted address to a plain one. The client itself leaves the authorization out
/// where host or port is another.
fn redirect(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let loses_encryption =
        attempt.previous().last().is_some_and(|url| url.scheme() == "https") && attempt.url().scheme() != "https";
    if attempt.previous().len() > MOST_REDIRECTS {
        return attempt.error("too many redirects");
    }
    if loses_encryption { attempt.error("a redirect to an address without encryption") } else { attempt.follow() }
}

/// What came back of a request.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    response: Response,
}

/// Sends a request and waits for the head of the answer.
pub(super) async fn send(request: RequestBuilder) -> Result<Answer, Trouble> {
    let response = request.send().await.map_err(|error| trouble(&error))?;
    Ok(Answer { status: response.status(), headers: response.headers().clone(), response })
}

impl Answer {
    /// The body, unless it is larger than `most` bytes: then it is not read to its end.
    pub(super) async fn body(mut self, most: usize) -> Result<Vec<u8>, Trouble> {
        let too_large = || Trouble::image(format!("an answer of more than {} KiB", most >> 10));
        if self.response.content_length().is_some_and(|length| length > most as u64) {
            return Err(too_large());
        }
        let mut res = Vec::new();
        while let Some(piece) = self.response.chunk().await.map_err(|error| trouble(&error))? {
            if res.len() + piece.len() > most {
                return Err(too_large());
            }
            res.extend_from_slice(&piece);
        }
        Ok(res)
    }

    /// A header as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(HeaderValue::to_str)?.ok()
    }
}

/// What a failed request means. The address is left out: it may carry what is secret in a query.
fn trouble(error: &reqwest::Error) -> Trouble {
    let mut causes = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    let cause = causes.last().map_or("", String::as_str);
    if error.is_redirect() {
        return Trouble::image(format!("it leads elsewhere in vain: {cause}"));
    }
    if error.is_connect() || error.is_timeout() {
        return Trouble::new(TroubleKind::Host, format!("it cannot be reached: {cause}"));
    }
    Trouble::image(format!("its answer cannot be read: {cause}"))
}

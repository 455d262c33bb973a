//! One look-up: the digest of a tag (HEAD, which Docker Hub does not count), then what is not known yet of index, image and
//! configuration.

use std::sync::{Arc, Mutex};

use oci_client::errors::{OciEnvelope, OciErrorCode};
use reqwest::header::ACCEPT;
use reqwest::{Method, StatusCode};

use crate::model::{ImageRef, Platform};
use crate::registry::auth::Passes;
use crate::registry::cache::Cache;
use crate::registry::http::{self, Answer, Clients};
use crate::registry::manifest::{self, Manifest, Weight};
use crate::registry::names::{Place, is_digest};
use crate::registry::{Options, Trouble, TroubleKind, locked};

/// The header that names the digest of a manifest.
const DIGEST: &str = "docker-content-digest";

/// A larger configuration is not read.
const LARGEST_CONFIG: usize = 1 << 20;

/// What an error says is read up to here.
const LARGEST_ERROR: usize = 16 << 10;

/// What sends the requests.
#[derive(Debug)]
pub(super) struct Fetcher {
    clients: Arc<Clients>,
    passes: Passes,
    options: Options,
}

/// What a look-up brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fetched {
    /// The digest that the name stands for.
    pub(super) digest: String,
    /// What the image for the platform weighs.
    pub(super) weight: Weight,
}

impl Fetcher {
    pub(super) fn new(options: Options) -> Fetcher {
        Fetcher { clients: Arc::default(), passes: Passes::default(), options }
    }

    /// Looks an image up; what its digests stand for goes into the cache.
    pub(super) async fn fetch(
        &self,
        image: &ImageRef,
        platform: &Platform,
        cache: &Mutex<Cache>,
    ) -> Result<Fetched, Trouble> {
        let place = Place::of(image)?;
        if !self.clients.is_made(place.local) {
            let (clients, local) = (Arc::clone(&self.clients), place.local);
            // Certificates are read from the disk.
            let _ = tokio::task::spawn_blocking(move || clients.make(local)).await;
        }
        let ask = Ask { fetcher: self, place: &place, image, cache };
        let named = match &image.digest {
            Some(digest) if is_digest(digest) => Some(digest.clone()),
            Some(_) => return Err(Trouble::image("its digest is none that can be checked")),
            None => ask.digest_of_tag().await?,
        };
        let (digest, manifest) = match named {
            Some(digest) => (digest.clone(), ask.manifest(&digest).await?),
            None => ask.manifest_of_tag().await?,
        };
        let weight = match manifest {
            Manifest::Index(entries) => {
                let chosen = manifest::choose(&entries, platform)?.to_owned();
                match ask.manifest(&chosen).await? {
                    Manifest::Image(weight) => weight,
                    Manifest::Index(_) => return Err(Trouble::image("an index in an index")),
                }
            }
            Manifest::Image(weight) => weight,
        };
        weight.check(platform)?;
        Ok(Fetched { digest, weight })
    }
}

impl Weight {
    /// Fails where the configuration names another platform than the one that is asked for.
    pub(super) fn check(&self, platform: &Platform) -> Result<(), Trouble> {
        let found = self.platform.as_deref();
        match found.and_then(Platform::parse) {
            Some(parsed) if !manifest::fits(&parsed, platform, false) => {
                Err(manifest::other_platforms(platform, found.into_iter()))
            }
            _ => Ok(()),
        }
    }
}

/// What is asked in one look-up.
#[derive(Clone, Copy)]
struct Ask<'a> {
    fetcher: &'a Fetcher,
    place: &'a Place,
    image: &'a ImageRef,
    cache: &'a Mutex<Cache>,
}

impl Ask<'_> {
    /// The digest that the registry names for the tag; `None` where it names none without sending the manifest.
    async fn digest_of_tag(self) -> Result<Option<String>, Trouble> {
        let answer = self.send(Method::HEAD, "manifests", self.tag()).await?;
        match answer.status {
            StatusCode::OK => {}
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => return Ok(None),
            status => return Err(refusal(status, "it")),
        }
        match answer.header(DIGEST) {
            Some(digest) if is_digest(digest) => Ok(Some(digest.to_owned())),
            Some(_) | None => Ok(None),
        }
    }

    /// The manifest of the tag, and its digest.
    async fn manifest_of_tag(self) -> Result<(String, Manifest), Trouble> {
        let (named, body) = self.get("manifests", self.tag(), manifest::LARGEST).await?;
        let digest = named.filter(|digest| is_digest(digest)).unwrap_or_else(|| manifest::digest_of(&body));
        let manifest = self.read(&digest, &body).await?;
        Ok((digest, manifest))
    }

    /// The manifest of a digest, sent only if it is not known.
    async fn manifest(self, digest: &str) -> Result<Manifest, Trouble> {
        if let Some(known) = locked(self.cache).manifest(digest) {
            return Ok(known);
        }
        let (_, body) = self.get("manifests", digest, manifest::LARGEST).await?;
        self.read(digest, &body).await
    }

    /// Reads a manifest and keeps it by its digest, which must be that of the bytes.
    async fn read(self, digest: &str, body: &[u8]) -> Result<Manifest, Trouble> {
        if !manifest::is_of(digest, body) {
            return Err(Trouble::image("the manifest is not what its digest says"));
        }
        let manifest::Read { mut manifest, config } = manifest::read(body)?;
        if let Manifest::Image(weight) = &mut manifest {
            let of_index = locked(self.cache).platform_in_index(digest);
            weight.platform = match (of_index, config) {
                (None, Some(config)) => self.platform(&config).await?,
                (of_index, _) => of_index,
            };
        }
        locked(self.cache).learn(digest, manifest.clone());
        Ok(manifest)
    }

    /// The platform of an image that no index led to: it stands in its configuration alone.
    async fn platform(self, config: &str) -> Result<Option<String>, Trouble> {
        let (_, body) = self.get("blobs", config, LARGEST_CONFIG).await?;
        if !manifest::is_of(config, &body) {
            return Err(Trouble::image("the configuration is not what its digest says"));
        }
        Ok(manifest::platform_of(&body).map(|platform| platform.to_string()))
    }

    /// The body of something, and the digest that the registry names for it.
    async fn get(self, kind: &str, reference: &str, most: usize) -> Result<(Option<String>, Vec<u8>), Trouble> {
        let answer = self.send(Method::GET, kind, reference).await?;
        if answer.status != StatusCode::OK {
            return Err(self.refused(answer).await);
        }
        let digest = answer.header(DIGEST).map(str::to_owned);
        Ok((digest, answer.body(most).await?))
    }

    /// Sends a request, and once more with what the registry demands.
    async fn send(self, method: Method, kind: &str, reference: &str) -> Result<Answer, Trouble> {
        let Fetcher { clients, passes, options } = self.fetcher;
        let url = self.place.url(kind, reference)?;
        tracing::debug!(%method, %url, "asking a registry");
        let send = || {
            let request = clients.request(method.clone(), url.clone())?.header(ACCEPT, manifest::accepted());
            Ok(http::send(passes.show(request, self.place)))
        };
        let answer = send()?.await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let registry = &self.image.registry;
        let docker = options.docker.as_ref();
        let is_new = passes.obtain(clients, self.place, registry, docker, &answer.headers).await?;
        if is_new { send()?.await } else { Ok(answer) }
    }

    /// What an answer means that is no success: registries say 429 in the text too.
    async fn refused(self, answer: Answer) -> Trouble {
        let status = answer.status;
        let body = answer.body(LARGEST_ERROR).await.unwrap_or_default();
        let envelope: Option<OciEnvelope> = serde_json::from_slice(&body).ok();
        let limited = envelope.is_some_and(|it| it.errors.iter().any(|it| it.code == OciErrorCode::Toomanyrequests));
        refusal(if limited { StatusCode::TOO_MANY_REQUESTS } else { status }, "it")
    }

    fn tag(&self) -> &str {
        self.image.tag_or_latest().unwrap_or("latest")
    }
}

/// What a status means that is no success.
pub(super) fn refusal(status: StatusCode, who: &str) -> Trouble {
    match status {
        StatusCode::TOO_MANY_REQUESTS => Trouble::new(TroubleKind::Limit, format!("{who}: too many requests (429)")),
        StatusCode::NOT_FOUND => Trouble::image("the registry does not have it (404)"),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Trouble::image(format!("the registry does not show it to us ({})", status.as_u16()))
        }
        status => Trouble::image(format!("{who} answers with status {}", status.as_u16())),
    }
}

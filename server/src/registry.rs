//! Registries asked for what their images weigh. Only who was allowed to is here: nothing runs before [`Registry::ask`].
//!
//! One look-up is under way for an image (others wait for its answer), [`AT_ONCE`] at most for a registry, each ends within
//! [`DEADLINE`]. What was learned, failures too, is remembered on the disk (`cache`). Dropping a future ends its look-up.
//! **Invariants:** no answer is read beyond a bound; what a digest names is what was digested; credentials go to the host
//! they are for, and into no log.

mod auth;
pub mod cache;
mod credentials;
mod fetch;
mod http;
mod manifest;
mod names;
pub mod update;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::Semaphore;

use crate::config;
use crate::date::Date;
use crate::images::answers::{Answer, whole_name};
use crate::model::{ImageRef, Platform};
use crate::registry::cache::Cache;
use crate::registry::fetch::Fetcher;

/// How many look-ups of one registry are under way at once.
pub const AT_ONCE: usize = 4;

/// How long a look-up may take in all.
pub const DEADLINE: Duration = Duration::from_secs(5);

/// The seconds since 1970; a parameter, so that tests need not wait.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Where things are and what replaces what.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of the cache; nothing is kept on the disk without it.
    pub folder: Option<PathBuf>,
    /// The folder of Docker's `config.json`; without it nobody is greeted by name.
    pub docker: Option<PathBuf>,
    /// The host that is asked instead of Docker Hub.
    pub mirror: Option<String>,
    /// How long a look-up may take; [`DEADLINE`].
    pub deadline: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options { folder: None, docker: None, mirror: None, deadline: DEADLINE }
    }
}

impl Options {
    /// The user's: Docker's settings lie in `~/.docker`, or where `DOCKER_CONFIG` says.
    pub fn of_user(folder: Option<PathBuf>) -> Options {
        let named = std::env::var_os("DOCKER_CONFIG").filter(|it| !it.is_empty()).map(PathBuf::from);
        let docker = named.or_else(|| Some(etcetera::home_dir().ok()?.join(".docker")));
        Options { folder, docker, ..Options::default() }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What it keeps from being asked again, and how long.
    pub kind: TroubleKind,
    /// In words, without the name of the image.
    pub words: String,
}

/// What a trouble is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TroubleKind {
    /// The image: it is not asked for again for some minutes.
    Image,
    /// The platform alone: the image is there and has none such.
    Platform,
    /// The host cannot be reached or does not answer: it is left alone for an hour.
    Host,
    /// The host asked to be left alone (429).
    Limit,
    /// The image was refused or failed before, and nothing was sent now.
    Remembered,
}

impl Trouble {
    fn new(kind: TroubleKind, words: impl Into<String>) -> Trouble {
        Trouble { kind, words: words.into() }
    }

    fn image(words: impl Into<String>) -> Trouble {
        Trouble::new(TroubleKind::Image, words)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// The registries, and what is remembered of them.
pub struct Registry {
    cache: Mutex<Cache>,
    fetcher: Fetcher,
    clock: Clock,
    deadline: Duration,
    mirror: Option<String>,
    /// Whose look-up is under way, by the whole name.
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// What limits how many are, by host.
    gates: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

/// The system's clock.
pub fn clock() -> Clock {
    Arc::new(|| std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs()))
}

/// Whether the settings let the registry of this image be asked. Hosts are compared as they are written in references
/// (`docker.io`, `localhost:5000`); a port that is not named in the list is any.
pub fn may_ask(settings: &config::Registry, image: &ImageRef) -> bool {
    let is = |listed: &String| {
        let bare = image.registry.rsplit_once(':').map_or(image.registry.as_str(), |(host, _)| host);
        listed.eq_ignore_ascii_case(&image.registry) || listed.eq_ignore_ascii_case(bare)
    };
    settings.allow.as_ref().is_none_or(|allowed| allowed.iter().any(is)) && !settings.deny.iter().any(is)
}

impl Registry {
    /// Reads what is remembered. Nothing is sent, and no client made.
    pub fn new(options: Options, clock: Clock) -> Registry {
        let cache = Cache::open(options.folder.as_deref());
        Registry {
            deadline: options.deadline,
            mirror: options.mirror.clone(),
            cache: Mutex::new(cache),
            fetcher: Fetcher::new(options),
            clock,
            turns: Mutex::default(),
            gates: Mutex::default(),
        }
    }

    /// Asks for all of these images and keeps what was learned on the disk. The answers have the order of the questions.
    pub async fn ask(self: &Arc<Self>, images: &[(ImageRef, Platform)]) -> Vec<Result<Answer, Trouble>> {
        let res = join_all(images.iter().map(|(image, platform)| self.look_up(image, platform))).await;
        self.save().await;
        res
    }

    /// What is known of an image without asking: an answer that is fresh, or the reason not to ask now.
    pub fn known(&self, image: &ImageRef, platform: &Platform) -> Option<Result<Answer, Trouble>> {
        let now = self.now();
        let image = &self.asked(image);
        let name = whole_name(image);
        let cache = self.cache();
        let named = match image.digest.as_deref() {
            Some(digest) => Some((digest, now)),
            None => cache.digest_of(&name, now),
        };
        let found = named.and_then(|(digest, at)| Some((digest, at, cache.weight(digest, platform)?)));
        if let Some((digest, at, weight)) = found {
            return Some(weight.map(|weight| answer(weight.bytes, weight.layers, digest, at)));
        }
        if let Some(words) = cache.refused(&name, now) {
            return Some(Err(Trouble::new(TroubleKind::Remembered, words)));
        }
        let (words, until) = cache.silent(&image.registry, now)?;
        let minutes = until.saturating_sub(now).div_ceil(60);
        let words = format!("{words}; {} is left alone for {minutes} min", image.registry);
        Some(Err(Trouble::new(TroubleKind::Host, words)))
    }

    async fn look_up(&self, image: &ImageRef, platform: &Platform) -> Result<Answer, Trouble> {
        if let Some(known) = self.known(image, platform) {
            return known;
        }
        let image = &self.asked(image);
        let name = whole_name(image);
        let turn = Arc::clone(locked(&self.turns).entry(name.clone()).or_default());
        let _turn = turn.lock().await;
        let new_gate = || Arc::new(Semaphore::new(AT_ONCE));
        let gate = Arc::clone(locked(&self.gates).entry(image.registry.clone()).or_insert_with(new_gate));
        let _permit = gate.acquire().await;
        // While this waited another may have learned it, or why not to ask.
        if let Some(known) = self.known(image, platform) {
            return known;
        }
        self.cache().set_time(self.now());
        let fetched = tokio::time::timeout(self.deadline, self.fetcher.fetch(image, platform, &self.cache)).await;
        let late = || Trouble::new(TroubleKind::Host, format!("no answer within {:?}", self.deadline));
        let res = fetched.unwrap_or_else(|_| Err(late()));
        let now = self.now();
        {
            let mut turns = locked(&self.turns);
            // The table's and this one: nobody waits.
            if Arc::strong_count(&turn) <= 2 {
                turns.remove(&name);
            }
        }
        let mut cache = self.cache();
        match res {
            Ok(fetched) => {
                cache.learn_tag(&name, &fetched.digest, now);
                Ok(answer(fetched.weight.bytes, fetched.weight.layers, &fetched.digest, now))
            }
            Err(trouble) => {
                tracing::debug!(image = name, "{trouble}");
                match trouble.kind {
                    TroubleKind::Image => cache.refuse(&name, &trouble.words, now),
                    TroubleKind::Host | TroubleKind::Limit => cache.silence(&image.registry, &trouble.words, now),
                    TroubleKind::Platform | TroubleKind::Remembered => {}
                }
                Err(trouble)
            }
        }
    }

    /// The image as it is asked for: a mirror is a registry of its own, with its own credentials, tags and troubles.
    fn asked(&self, image: &ImageRef) -> ImageRef {
        match &self.mirror {
            Some(mirror) if image.registry == "docker.io" => ImageRef { registry: mirror.clone(), ..image.clone() },
            Some(_) | None => image.clone(),
        }
    }

    /// Writes what was learned, where something was.
    async fn save(self: &Arc<Self>) {
        let registry = Arc::clone(self);
        let written = tokio::task::spawn_blocking(move || {
            let now = registry.now();
            registry.cache().save(now)
        });
        match written.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!("what registries said cannot be kept: {error}"),
            Err(error) => tracing::warn!("what registries said cannot be kept: {error}"),
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        locked(&self.cache)
    }

    fn now(&self) -> u64 {
        (self.clock)()
    }
}

fn answer(pull: u64, layers: u32, digest: &str, now: u64) -> Answer {
    let days = i64::try_from(now / 86_400).unwrap_or_default();
    let asked = Date::from_unix_days(days).unwrap_or(Date { year: 1970, month: 1, day: 1 });
    Answer { pull, layers, asked, digest: digest.to_owned() }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

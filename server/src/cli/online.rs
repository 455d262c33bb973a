//! Registries for the command line: a runtime of their own, made when the first image is asked for.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use tokio::runtime::{Builder, Runtime};

use crate::disk::tables;
use crate::images::answers::Answers;
use crate::model::{ImageRef, Platform};
use crate::registry::{self, Options, Registry};

/// Registries that can be asked from any thread.
pub(crate) struct Online {
    /// Taken when it is dropped: what still waits for a name or a helper is not waited for.
    runtime: Option<Runtime>,
    registry: Arc<Registry>,
    answers: Mutex<Arc<Answers>>,
    /// Which images got no answer, and why.
    unanswered: Mutex<BTreeSet<String>>,
}

impl fmt::Debug for Online {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Online").finish_non_exhaustive()
    }
}

impl Online {
    /// With what is remembered in the user's cache folder; `mirror` stands for Docker Hub.
    pub(crate) fn open(mirror: Option<String>) -> Result<Online> {
        let runtime = Builder::new_current_thread().enable_all().build().context("no runtime for the network")?;
        let options = Options { mirror, ..Options::of_user(tables::cache_folder()) };
        let registry = Arc::new(Registry::new(options, registry::clock()));
        Ok(Online { runtime: Some(runtime), registry, answers: Mutex::default(), unanswered: Mutex::default() })
    }

    /// The registries.
    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// Waits for something of the network.
    pub(crate) fn wait<T>(&self, what: impl Future<Output = T>) -> Option<T> {
        Some(self.runtime.as_ref()?.block_on(what))
    }

    /// Asks for these images; all answers of the run so far.
    pub(crate) fn ask(&self, images: &[(ImageRef, Platform)]) -> Arc<Answers> {
        let found = self.wait(self.registry.ask(images)).unwrap_or_default();
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        for ((image, platform), answer) in images.iter().zip(found) {
            match answer {
                Ok(answer) => Arc::make_mut(&mut answers).insert(image, platform, answer),
                Err(trouble) => {
                    let mut unanswered = self.unanswered.lock().unwrap_or_else(PoisonError::into_inner);
                    unanswered.insert(format!("{image} ({platform}): {trouble}"));
                }
            }
        }
        Arc::clone(&answers)
    }

    /// Which images got no answer and why, each once in a run.
    pub(crate) fn take_unanswered(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.unanswered.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Online {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

//! The language server on standard input and output.
//!
//! A handler takes the state's lock, changes or reads it and lets go before its first `.await`; nothing a handler does
//! waits for the disk or for the client. All types of the protocol stay in `lsp/`.

mod actions;
mod capabilities;
mod convert;
mod guard;
mod measure;
mod publish;
mod refresh;
mod registries;
mod server;
mod settings;
mod surroundings;
mod world;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OnceCell};
use tower_lsp::ls_types::MessageType;
use tower_lsp::{Client, LspService};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::config::{Layer, Report};
use crate::disk::settings::Wanted;
use crate::lsp::guard::{Ending, Guard};
use crate::lsp::server::Server;
use crate::lsp::settings::Said;
use crate::lsp::world::World;
use crate::registry::Registry;

/// How many messages may be under way at once. The library's own default is 4: that many waiting handlers would keep
/// changes from being read.
const CONCURRENCY: usize = 64;

/// How long answers that are under way may take after `exit`.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// The environment variable that says what is logged (`debug`, `plimsoll=trace,warn`).
const LOG: &str = "PLIMSOLL_LOG";

/// What the command line says to the server.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which settings files count.
    pub files: Wanted,
    /// Settings from the command line, stronger than all others.
    pub settings: Option<Layer>,
}

/// Serves one client until it leaves: 0 after `shutdown` and `exit`, 1 without `shutdown` or if there is no runtime.
pub fn run(options: Options) -> ExitCode {
    log_to_stderr();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let announced = runtime.block_on(serve(options));
    // Standard input is read on a thread that may never come back.
    runtime.shutdown_background();
    if announced { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Serves until the client leaves; whether it said so before.
async fn serve(options: Options) -> bool {
    let ending = Arc::new(Ending::default());
    let said = Said::by_command_line(options.files, options.settings);
    let (service, socket) = LspService::new(|client| Server::new(Arc::new(Shared::new(client, World::new(said)))));
    let service = Guard::new(service, Arc::clone(&ending));
    let server = tower_lsp::Server::new(tokio::io::stdin(), tokio::io::stdout(), socket);
    let too_late = async {
        ending.exit().await;
        tokio::time::sleep(LAST_WORDS).await;
    };
    tokio::select! {
        () = server.concurrency_level(CONCURRENCY).serve(service) => {}
        () = too_late => {}
    }
    ending.was_announced()
}

/// Logs go to standard error, since standard output is the protocol's; each message is a span with its time.
fn log_to_stderr() {
    let asked = EnvFilter::try_from_env(LOG);
    let mistake = asked.as_ref().err().filter(|_| std::env::var_os(LOG).is_some()).map(ToString::to_string);
    let filter = asked.unwrap_or_else(|_| EnvFilter::new("warn"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // The command line may have begun to log before.
    let _ = subscriber.try_init();
    if let Some(mistake) = mistake {
        tracing::warn!("{LOG} is not understood: {mistake}");
    }
}

/// What handlers and tasks share.
#[derive(Debug)]
pub(crate) struct Shared {
    client: Client,
    world: Mutex<World>,
    /// Rings when the settings of some document became known.
    settled: Notify,
    /// The registries, once one is asked.
    registry: OnceCell<Arc<Registry>>,
}

impl Shared {
    fn new(client: Client, world: World) -> Shared {
        Shared { client, world: Mutex::new(world), settled: Notify::new(), registry: OnceCell::new() }
    }

    /// The state. A lock that a panic left behind is taken over: texts are changed before anything that may panic.
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows what is wrong with the settings, each complaint once.
    async fn tell(&self, reports: &[Report]) {
        for report in reports {
            let text = format!("plimsoll settings: {report}");
            tracing::warn!("{text}");
            let is_new = self.world().told.insert(text.clone());
            if is_new {
                self.client.show_message(MessageType::WARNING, text).await;
            }
        }
    }
}

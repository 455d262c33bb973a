//! What the server remembers: open documents, what surrounds them, what the client can.
//!
//! It lies behind one mutex. **Invariant:** a handler changes it before its first `.await`, so that messages take effect
//! in the order they came, and no lock is held across an `.await`.

pub(crate) mod images;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::JoinSet;
use tower_lsp::ls_types::{ClientCapabilities, FoldingRange, Uri};

use crate::analysis::{Analysis, Inputs};
use crate::config::{Config, Report};
use crate::context::BuildContext;
use crate::date::Date;
use crate::disk::analyse::MOST_ROUNDS;
use crate::disk::tables::Stamp;
use crate::disk::walk::Stop;
use crate::disk::{clock, compose, settings};
use crate::document::{Change, Document};
use crate::images::ImageBook;
use crate::lsp::capabilities::Abilities;
use crate::lsp::convert::{self, Lines};
use crate::lsp::refresh::Figures;
use crate::lsp::settings::Said;
use crate::lsp::world::images::Asked;
use crate::measured::Measured;
use crate::syntax;

/// Everything the server remembers.
#[derive(Debug)]
pub(crate) struct World {
    /// What the client declared.
    pub(crate) abilities: Abilities,
    /// Whether diagnostics are answered when asked for instead of pushed.
    pub(crate) pull: bool,
    /// The folders that are open in the editor.
    pub(crate) roots: Vec<PathBuf>,
    /// What the editor and the command line say.
    pub(crate) said: Said,
    /// What is wrong with the settings and waits to be shown, since the client is not initialized.
    pub(crate) complaints: Vec<Report>,
    /// Complaints about settings that were already shown.
    pub(crate) told: HashSet<String>,
    images: Arc<ImageBook>,
    newer: Option<Stamp>,
    documents: HashMap<Uri, Open>,
    n_states: u64,
    /// Documents that depend on files which changed and wait to be read anew, and how often something did.
    touched: HashSet<Uri>,
    n_touches: u64,
}

/// A document and what was made of it.
#[derive(Debug)]
struct Open {
    document: Document,
    config: Arc<Config>,
    context: Arc<BuildContext>,
    /// What the layers of a built image weighed, since it was asked for.
    measured: Option<Arc<Measured>>,
    /// The number of this state: of text, settings and context together. No two states of the session share one.
    state: u64,
    /// The last analysis, of this state if `analysed` says so.
    analysis: Option<Arc<Analysis>>,
    analysed: Option<u64>,
    /// The analyses whose hints and lenses the client was last given and may still show.
    shown_hints: Option<Arc<Analysis>>,
    shown_lenses: Option<Arc<Analysis>>,
    /// Whether settings were read since it was opened; before that nothing is published.
    settled: bool,
    /// The last reading of its surroundings: older ones come too late.
    reading: Reading,
    /// Files that were asked for since the context was read, and how often.
    asked: HashSet<String>,
    rounds: u32,
    /// Whether an answer to that is under way.
    asking: bool,
    /// Images that registries were asked for since the surroundings were read.
    asked_images: Vec<Asked>,
    /// The look-ups for them; they end with the document.
    look_ups: JoinSet<()>,
}

/// A document with the analysis of its present state.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// What the core makes of it.
    pub(crate) analysis: Arc<Analysis>,
    /// Its places.
    pub(crate) lines: Lines,
    /// The editor's number of this text.
    pub(crate) version: i32,
}

/// One reading of what surrounds a document.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// The document.
    pub(crate) uri: Uri,
    /// Which reading of it.
    pub(crate) number: u64,
    /// Ends it when a newer one begins or the document is closed.
    pub(crate) stop: Stop,
}

impl World {
    /// A world before `initialize`.
    pub(crate) fn new(said: Said) -> World {
        World {
            abilities: Abilities::of(&ClientCapabilities::default()),
            pull: false,
            roots: Vec::new(),
            said,
            complaints: Vec::new(),
            told: HashSet::new(),
            images: Arc::new(ImageBook::embedded()),
            newer: None,
            documents: HashMap::new(),
            n_states: 0,
            touched: HashSet::new(),
            n_touches: 0,
        }
    }

    /// Takes a document in, as the editor opened it.
    pub(crate) fn open(&mut self, uri: Uri, version: i32, text: &str) {
        let open = Open {
            document: Document::open(version, text),
            config: Arc::new(self.said.without_files()),
            context: Arc::default(),
            measured: None,
            state: self.next_state(),
            analysis: None,
            analysed: None,
            shown_hints: None,
            shown_lenses: None,
            settled: false,
            reading: Reading { uri: uri.clone(), number: 0, stop: Stop::default() },
            asked: HashSet::new(),
            rounds: 0,
            asking: false,
            asked_images: Vec::new(),
            look_ups: JoinSet::new(),
        };
        if self.documents.insert(uri, open).is_some() {
            tracing::warn!("a document was opened that was open");
        }
    }

    /// Changes the text of a document; the number of its new state, `None` if it is not open.
    pub(crate) fn change(&mut self, uri: &Uri, version: i32, changes: &[Change]) -> Option<u64> {
        let state = self.next_state();
        let Some(open) = self.documents.get_mut(uri) else {
            tracing::warn!(uri = uri.as_str(), "a document was changed that is not open");
            return None;
        };
        let before = open.document.version;
        if version != before.wrapping_add(1) {
            tracing::warn!(before, version, "versions of a document are missing; the text may not be the editor's");
        }
        open.document.change(version, changes, self.abilities.encoding);
        open.state = state;
        open.rounds = 0;
        Some(state)
    }

    /// Forgets a document; whether it was open.
    pub(crate) fn close(&mut self, uri: &Uri) -> bool {
        let closed = self.documents.remove(uri);
        if let Some(open) = &closed {
            open.reading.stop.stop();
        }
        closed.is_some()
    }

    /// The addresses of all open documents.
    pub(crate) fn open_documents(&self) -> Vec<Uri> {
        self.documents.keys().cloned().collect()
    }

    /// Remembers the documents that depend on files which changed; whether somebody must see to it that they are taken.
    pub(crate) fn touch(&mut self, paths: &[PathBuf]) -> bool {
        let depends = |open: &Open| paths.iter().any(|path| open.depends_on(path));
        let new: Vec<Uri> =
            self.documents.iter().filter(|(_, open)| depends(open)).map(|(uri, _)| uri.clone()).collect();
        let is_first = self.touched.is_empty();
        self.n_touches += u64::from(!new.is_empty());
        self.touched.extend(new);
        is_first && !self.touched.is_empty()
    }

    /// How often a change touched a document.
    pub(crate) fn n_touches(&self) -> u64 {
        self.n_touches
    }

    /// The documents that were touched since the last time.
    pub(crate) fn take_touched(&mut self) -> Vec<Uri> {
        self.touched.drain().collect()
    }

    /// The document with its analysis, which is made if it was not yet.
    pub(crate) fn view(&mut self, uri: &Uri) -> Option<View> {
        let open = self.documents.get_mut(uri)?;
        let current = open.analysis.as_ref().filter(|_| open.analysed == Some(open.state));
        let analysis = match current {
            Some(analysis) => Arc::clone(analysis),
            None => {
                let inputs = Inputs {
                    text: open.document.text(),
                    config: Arc::clone(&open.config),
                    context: Arc::clone(&open.context),
                    images: Arc::clone(&self.images),
                    today: today(),
                    measured: open.measured.clone(),
                };
                let analysis = Arc::new(Analysis::of(inputs, open.analysis.as_deref()));
                open.analysis = Some(Arc::clone(&analysis));
                open.analysed = Some(open.state);
                analysis
            }
        };
        let lines = Lines { rope: open.document.rope().clone(), encoding: self.abilities.encoding };
        Some(View { analysis, lines, version: open.document.version })
    }

    /// The document for an answer with figures, which is remembered until they are out of date.
    pub(crate) fn shown(&mut self, uri: &Uri, figures: Figures) -> Option<View> {
        let view = self.view(uri)?;
        let open = self.documents.get_mut(uri)?;
        *open.shown(figures) = Some(Arc::clone(&view.analysis));
        Some(view)
    }

    /// Whether some document shows figures that are others by now. After that the client is taken to ask for all anew.
    pub(crate) fn take_stale(&mut self, figures: Figures) -> bool {
        let uris = self.open_documents();
        let mut res = false;
        for uri in uris {
            let Some(shown) = self.documents.get_mut(&uri).and_then(|open| open.shown(figures).clone()) else {
                continue;
            };
            res |= self.view(&uri).is_some_and(|view| !has_same_figures(&shown, &view.analysis));
        }
        if res {
            self.documents.values_mut().for_each(|open| *open.shown(figures) = None);
        }
        res
    }

    /// The document if this is still its state and its settings are known.
    pub(crate) fn view_of(&mut self, uri: &Uri, state: u64) -> Option<View> {
        let open = self.documents.get(uri)?;
        (open.state == state && open.settled).then(|| self.view(uri)).flatten()
    }

    /// Whether the settings of a document are known, or never will be since it is not open.
    pub(crate) fn is_settled(&self, uri: &Uri) -> bool {
        self.documents.get(uri).is_none_or(|open| open.settled)
    }

    /// What can be folded in a document.
    pub(crate) fn folds(&mut self, uri: &Uri) -> Option<Vec<FoldingRange>> {
        let open = self.documents.get_mut(uri)?;
        let text = open.document.text();
        let ranges = syntax::folds(open.document.tree(), &text);
        let lines = Lines { rope: open.document.rope().clone(), encoding: self.abilities.encoding };
        Some(convert::folds(&ranges, &lines))
    }

    /// Begins a reading of what surrounds a document, which makes those before it too late.
    pub(crate) fn begin_reading(&mut self, uri: &Uri) -> Option<Reading> {
        let number = self.next_state();
        let open = self.documents.get_mut(uri)?;
        open.reading.stop.stop();
        open.reading = Reading { uri: uri.clone(), number, stop: Stop::default() };
        open.asking = false;
        open.asked_images.clear();
        Some(open.reading.clone())
    }

    /// Takes in the settings that a reading found; the number of the state they belong to, `None` if the reading is too
    /// late.
    pub(crate) fn learn_config(&mut self, reading: &Reading, config: Config) -> Option<u64> {
        let state = self.next_state();
        let open = self.reading(reading)?;
        open.settled = true;
        if !config.registry.enabled {
            open.look_ups.abort_all();
        }
        if *open.config != config {
            open.config = Arc::new(config);
            open.state = state;
        }
        Some(open.state)
    }

    /// Takes in the build context that a reading found; the number of the new state, `None` if nothing is new.
    pub(crate) fn learn_context(&mut self, reading: &Reading, context: BuildContext) -> Option<u64> {
        let state = self.next_state();
        let open = self.reading(reading)?;
        open.asked.clear();
        open.rounds = 0;
        if *open.context == context {
            return None;
        }
        open.context = Arc::new(context);
        open.state = state;
        Some(state)
    }

    /// The files of its context that a document's analysis wants and that were not asked for yet, with the context.
    pub(crate) fn take_wanted(&mut self, uri: &Uri) -> Option<(Reading, Arc<BuildContext>, Vec<String>)> {
        let open = self.documents.get_mut(uri)?;
        let wanted = open.analysis.as_ref()?.wanted_files();
        let new: Vec<String> = wanted.into_iter().filter(|path| !open.asked.contains(path)).collect();
        if new.is_empty() || open.asking || open.rounds >= MOST_ROUNDS {
            return None;
        }
        open.rounds += 1;
        open.asking = true;
        open.asked.extend(new.iter().cloned());
        Some((open.reading.clone(), Arc::clone(&open.context), new))
    }

    /// Takes in the context with the texts that were wanted; the number of the new state, `None` if there are none.
    pub(crate) fn learn_texts(&mut self, reading: &Reading, context: Option<BuildContext>) -> Option<u64> {
        let state = self.next_state();
        let open = self.reading(reading)?;
        open.asking = false;
        open.context = Arc::new(context?);
        open.state = state;
        Some(state)
    }

    /// Takes in what a document's image weighed; the number of the new state, `None` if it is not open.
    pub(crate) fn learn_measured(&mut self, uri: &Uri, measured: Measured) -> Option<u64> {
        let state = self.next_state();
        let open = self.documents.get_mut(uri)?;
        open.measured = Some(Arc::new(measured));
        open.state = state;
        Some(state)
    }

    /// The document that was last opened or changed.
    pub(crate) fn latest(&self) -> Option<Uri> {
        let latest = self.documents.iter().max_by_key(|(_, open)| open.state);
        latest.map(|(uri, _)| uri.clone())
    }

    fn reading(&mut self, reading: &Reading) -> Option<&mut Open> {
        self.documents.get_mut(&reading.uri).filter(|open| open.reading.number == reading.number)
    }

    fn next_state(&mut self) -> u64 {
        self.n_states += 1;
        self.n_states
    }
}

impl Open {
    /// Whether what surrounds this document may be another after this file changed.
    fn depends_on(&self, file: &Path) -> bool {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name == settings::FILE_NAME || name.ends_with(".dockerignore") || compose::NAMES.contains(&name) {
            return true;
        }
        if path(&self.reading.uri).as_deref() == Some(file) {
            // The editor tells its text.
            return false;
        }
        let context = &self.context;
        let Some(folder) = context.folder.as_deref().filter(|_| context.known) else { return true };
        file.strip_prefix(folder).is_ok_and(|below| {
            let parts: Vec<&str> = below.iter().filter_map(|part| part.to_str()).collect();
            !context.is_left_out(&parts.join("/"))
        })
    }

    fn shown(&mut self, figures: Figures) -> &mut Option<Arc<Analysis>> {
        match figures {
            Figures::Hints => &mut self.shown_hints,
            Figures::Lenses => &mut self.shown_lenses,
        }
    }
}

/// Whether hints and lenses made of both are the same.
fn has_same_figures(one: &Analysis, other: &Analysis) -> bool {
    let settings = |analysis: &Analysis| (analysis.inputs.config.hints, analysis.inputs.config.lens);
    std::ptr::eq(one, other)
        || (one.size == other.size && one.facts.target == other.facts.target && settings(one) == settings(other))
}

/// The file that an address names, if it names one.
pub(crate) fn path(uri: &Uri) -> Option<PathBuf> {
    let is_file = uri.scheme().as_str().eq_ignore_ascii_case("file");
    is_file.then(|| uri.to_file_path()).flatten().map(|path| Path::to_path_buf(&path))
}

fn today() -> Option<Date> {
    clock::today().unwrap_or_else(|error| {
        tracing::warn!("{error:#}");
        None
    })
}

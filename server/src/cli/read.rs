//! From the paths of the command line to analysed Dockerfiles.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::{Error, Result, anyhow, bail};

use crate::analysis::{Analysis, Inputs};
use crate::cli::console::Console;
use crate::cli::names::{Selection, known_rules, shown};
use crate::cli::online::Online;
use crate::cli::options::{Build, Files};
use crate::cli::{Outcome, parallel};
use crate::config::Config;
use crate::date::Date;
use crate::disk::settings::{Settings, Wanted};
use crate::disk::walks::Walks;
use crate::disk::{self, Source, analyse, clock, find, settings, tables};
use crate::images::ImageBook;
use crate::registry::may_ask;

/// A text to be looked at.
#[derive(Debug)]
pub(crate) struct Job {
    /// What it is called in the output.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) place: Place,
}

/// Where a text is.
#[derive(Debug)]
pub(crate) enum Place {
    /// In this file.
    File(PathBuf),
    /// It came from standard input, and has been read.
    Input(Source),
}

/// A file that was read and analysed.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The text as it was read.
    pub(crate) source: Source,
    /// What the core makes of it.
    pub(crate) analysis: Analysis,
    /// What is wrong with its settings.
    pub(crate) complaints: Vec<String>,
    /// What `-v` tells of how it was read.
    pub(crate) notes: Vec<String>,
}

/// What is the same for all files of a run.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    build: &'a Build,
    wanted: Wanted,
    selection: Selection,
    user_file: Option<PathBuf>,
    known_rules: Vec<&'static str>,
    /// The tables of images; the newer one is the user's and so the same for all files. Or why that cannot be read.
    images: OnceLock<Result<Arc<ImageBook>, String>>,
    /// The registries, once one is asked.
    online: OnceLock<Result<Online, String>>,
    today: Option<Date>,
    /// The build contexts of these files.
    walks: Walks,
}

impl<'a> Session<'a> {
    /// Reads what all files need. Fails where an option or the named settings file makes every file useless.
    pub(crate) fn new(build: &'a Build, files: &Files, selection: Selection) -> Result<Session<'a>> {
        build.check()?;
        let res = Session {
            build,
            wanted: files.wanted(),
            selection,
            user_file: settings::user_file(),
            known_rules: known_rules(),
            images: OnceLock::new(),
            online: OnceLock::new(),
            today: clock::today()?,
            walks: Walks::default(),
        };
        if let Wanted::Named(_) = res.wanted {
            res.settings(None)?;
        }
        Ok(res)
    }

    /// Reads and analyses a text with its settings and its build context.
    pub(crate) fn open(&self, job: &Job) -> Result<Opened> {
        let (source, dockerfile) = match &job.place {
            Place::File(path) => (disk::read(path)?, Some(path.as_path())),
            Place::Input(source) => (source.clone(), self.build.stdin_filename.as_deref()),
        };
        let settings = self.settings(dockerfile)?;
        let config = self.config(&settings, dockerfile);
        let images = self.images(&config)?;
        let inputs = Inputs {
            text: source.text.as_str().into(),
            config: Arc::new(config),
            context: Arc::default(),
            images,
            today: self.today,
            ..Inputs::default()
        };
        let analysis = self.ask(analyse::analyse(dockerfile, inputs, &self.walks))?;
        let unknown_target = analysis.unknown_target();
        if let (Some(target), Some(_)) = (unknown_target, &self.build.target) {
            bail!("no stage of {} is named {target}", job.name);
        }
        let unknown_target = unknown_target.map(|target| {
            format!("{}: the settings say that `{target}` is built, and no stage has this name", job.name)
        });
        let complaints = settings.reports.iter().map(|report| {
            let file = report.file.as_deref().map(|file| shown(Path::new(file)));
            crate::config::Report { file, ..report.clone() }.to_string()
        });
        let complaints = complaints.chain(unknown_target).collect();
        let notes = notes(&job.name, &settings, &analysis);
        Ok(Opened { source, analysis, complaints, notes })
    }

    /// The settings of a text that lies nowhere.
    pub(crate) fn config_here(&self) -> Result<Config> {
        Ok(self.config(&self.settings(None)?, None))
    }

    /// The tables of images. Fails where the settings name one that cannot be read.
    pub(crate) fn images(&self, config: &Config) -> Result<Arc<ImageBook>> {
        let read = || match tables::newer(config.data_file.as_deref(), None) {
            Ok(table) => {
                let newer = Arc::new(table.map(|(_, table)| table).unwrap_or_default());
                Ok(Arc::new(ImageBook::embedded().with_newer(newer)))
            }
            Err(error) => Err(format!("{error:#}")),
        };
        self.images.get_or_init(read).clone().map_err(Error::msg)
    }

    /// Asks the registries of the base images, where that is allowed, and analyses with the answers.
    fn ask(&self, analysis: Analysis) -> Result<Analysis> {
        let config = &analysis.inputs.config;
        if !self.build.online && !config.registry.enabled {
            return Ok(analysis);
        }
        let named = analysis.base_images().into_iter().filter(|(image, _)| may_ask(&config.registry, image));
        let images: Vec<_> = named.map(|(image, platform)| (image.clone(), platform.clone())).collect();
        if images.is_empty() {
            return Ok(analysis);
        }
        let online = self.online.get_or_init(|| Online::open(None).map_err(|error| format!("{error:#}")));
        let online = online.as_ref().map_err(|error| anyhow!("{error}"))?;
        let images = analysis.inputs.images.with_answers(online.ask(&images));
        let inputs = Inputs { images: Arc::new(images), ..analysis.inputs.clone() };
        Ok(analyse::in_rounds(inputs, Some(&analysis)))
    }

    /// Says which images got no answer, where the user asked for answers in this run.
    pub(crate) fn tell_unanswered(&self, console: &mut Console) {
        let Some(Ok(online)) = self.online.get() else { return };
        for text in online.take_unanswered().iter().filter(|_| self.build.online) {
            console.note(text);
        }
    }

    fn settings(&self, dockerfile: Option<&Path>) -> Result<Settings> {
        settings::settings(dockerfile, &self.wanted, self.user_file.as_deref(), &self.known_rules)
    }

    fn config(&self, settings: &Settings, dockerfile: Option<&Path>) -> Config {
        let layers: Vec<_> = [&settings.user, &settings.workspace].into_iter().flatten().cloned().collect();
        let mut res = Config::of(&layers, dockerfile.map(disk::slashed).as_deref());
        self.build.lay_over(&mut res);
        self.selection.lay_over(&mut res);
        res
    }
}

fn notes(name: &str, settings: &Settings, analysis: &Analysis) -> Vec<String> {
    let mut res: Vec<String> = Vec::new();
    for file in &settings.files {
        res.push(format!("{name}: settings of {}", shown(file)));
    }
    res.push(match &analysis.inputs.context.folder {
        Some(folder) => format!("{name}: build context {folder}"),
        None => format!("{name}: build context not known"),
    });
    res
}

/// The texts that paths name: files, the Dockerfiles of folders, standard input for `-`. None comes twice. A path that
/// cannot be read stands in its place with the reason.
pub(crate) fn jobs(paths: &[PathBuf], stdin_filename: Option<&Path>) -> Vec<Result<Job, (String, Error)>> {
    let mut res = Vec::new();
    let mut known = HashSet::new();
    for path in paths {
        if path.as_os_str() == "-" {
            if known.insert(path.clone()) {
                let name = stdin_filename.map_or_else(|| "-".to_owned(), shown);
                res.push(match disk::read_input() {
                    Ok(source) => Ok(Job { name, place: Place::Input(source) }),
                    Err(error) => Err((name, error)),
                });
            }
            continue;
        }
        let found = find::dockerfiles(std::slice::from_ref(path));
        for file in found.files {
            if known.insert(file.clone()) {
                res.push(Ok(Job { name: shown(&file), place: Place::File(file) }));
            }
        }
        res.extend(found.errors.into_iter().map(|error| Err((shown(path), error))));
    }
    res
}

/// The paths that were given, or the working directory.
pub(crate) fn or_here(paths: &[PathBuf]) -> Vec<PathBuf> {
    if paths.is_empty() { vec![PathBuf::from(".")] } else { paths.to_vec() }
}

/// What is said of a text with bytes that are no UTF-8.
pub(crate) fn lossy(name: &str) -> String {
    format!("{name} is not UTF-8; what is no text in it was replaced")
}

/// The error for a verb that was given no file.
pub(crate) fn nothing_found(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|path| shown(path)).collect();
    anyhow!("no Dockerfile below {}", names.join(", ")).to_string()
}

/// Does the work for every text, on all cores and in their order. What could not be read or done has its name and reason.
pub(crate) fn each<Res: Send>(
    jobs: Vec<Result<Job, (String, Error)>>,
    work: impl Fn(&Job) -> Result<Res> + Sync,
) -> Vec<Result<Res, (String, Error)>> {
    let names: Vec<String> =
        jobs.iter().map(|job| job.as_ref().map_or_else(|it| it.0.clone(), |it| it.name.clone())).collect();
    let done = parallel::each(jobs, |job| {
        let job = job?;
        work(&job).map_err(|error| (job.name, error))
    });
    let named = done.into_iter().zip(names);
    named.map(|(res, name)| res.unwrap_or_else(|error| Err((name.clone(), error.context(name))))).collect()
}

/// Says what is wrong with settings, each complaint once in a run.
pub(crate) fn complain(complaints: &[String], console: &mut Console, said: &mut Vec<String>) -> Outcome {
    for complaint in complaints {
        if !said.contains(complaint) {
            console.error(complaint);
            said.push(complaint.clone());
        }
    }
    if complaints.is_empty() { Outcome::Fine } else { Outcome::Failed }
}

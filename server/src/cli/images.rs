//! `plimsoll images`: what is known of an image, and a newer table of images from registries.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::analysis::Analysis;
use crate::cli::Outcome;
use crate::cli::console::Console;
use crate::cli::names::Selection;
use crate::cli::online::Online;
use crate::cli::options::{Build, Files, Format, Manner, platform};
use crate::cli::read::{Job, Place, Session};
use crate::cli::render::json::{self, TOOL, Tool};
use crate::cli::size::json::{JsonBase, base};
use crate::disk::{Source, tables};
use crate::images::ImageBook;
use crate::images::newer::Newer;
use crate::model::{ImageRef, Platform};
use crate::registry::{may_ask, update};

/// The repositories that Dockerfiles are most often built on: they come first, since a registry may not answer to the end.
const OFTEN: [&str; 16] = [
    "node",
    "python",
    "alpine",
    "debian",
    "ubuntu",
    "golang",
    "nginx",
    "php",
    "ruby",
    "eclipse-temurin",
    "maven",
    "rust",
    "postgres",
    "redis",
    "openjdk",
    "gradle",
];

/// So many images that got no row are named.
const MOST_NOTES: usize = 10;

/// The options of `images`.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show what is known of images: their weight, their kind, slimmer ones
    LookUp(LookUp),
    /// Make a newer table of images by asking their registry; it counts from the next run on
    Update(Update),
}

#[derive(Debug, Args)]
struct LookUp {
    /// Images, as FROM has them
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,
    /// The platform (linux/amd64 by default)
    #[arg(long, value_name = "OS/ARCH", value_parser = platform)]
    platform: Option<Platform>,
    /// Ask the registries of the images in this run
    #[arg(long)]
    online: bool,
    /// What the result is written as
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    manner: Manner,
}

#[derive(Debug, Args)]
struct Update {
    /// Images; by default all official ones of the built-in table whose tags still move
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
    /// The host to ask instead of Docker Hub
    #[arg(long, value_name = "HOST")]
    mirror: Option<String>,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    manner: Manner,
}

#[derive(Debug, Serialize)]
struct Report {
    version: u32,
    tool: Tool,
    images: Vec<JsonBase>,
}

/// Does what the options name.
pub(crate) fn run(options: &Options, console: &mut Console) -> Result<Outcome> {
    match &options.what {
        What::LookUp(options) => look_up(options, console),
        What::Update(options) => update_table(options, console),
    }
}

fn look_up(options: &LookUp, console: &mut Console) -> Result<Outcome> {
    console.set_up(options.manner.color, options.manner.quiet);
    let build = Build::of(options.platform.clone(), options.online);
    let session = Session::new(&build, &options.files, Selection::default())?;
    let mut images = Vec::new();
    for (idx, text) in options.images.iter().enumerate() {
        let image = reference(text)?;
        let source = Source { text: format!("FROM {image}\n"), lossy: false };
        let opened = session.open(&Job { name: text.clone(), place: Place::Input(source) })?;
        for complaint in &opened.complaints {
            console.error(complaint);
        }
        match options.format {
            Format::Json => images.extend(
                opened
                    .analysis
                    .file
                    .stages
                    .iter()
                    .zip(&opened.analysis.size.stages)
                    .map(|(stage, size)| base(&opened.analysis, stage, size)),
            ),
            Format::Text => {
                console.result(if idx == 0 { "" } else { "\n" })?;
                console.result(&page(&opened.analysis))?;
            }
        }
    }
    session.tell_unanswered(console);
    if options.format == Format::Json {
        console.result(&json::document(&Report { version: json::VERSION, tool: TOOL, images })?)?;
    }
    Ok(Outcome::Fine)
}

/// What the editor shows at the name of the image, without its marks.
fn page(analysis: &Analysis) -> String {
    let from = analysis.file.stages.first().map(|stage| stage.from.at);
    let hover = from.and_then(|at| analysis.hover(at + crate::text::TextSize::from(5)));
    let text = hover.map(|hover| hover.markdown).unwrap_or_default();
    text.replace('`', "").trim_end().to_owned() + "\n"
}

fn reference(text: &str) -> Result<ImageRef> {
    let is_plain = text != "scratch" && !text.contains(['$', '\\', '#']);
    let image = ImageRef::parse(text).filter(|_| is_plain);
    image.ok_or_else(|| anyhow!("{text} is no name of an image"))
}

fn update_table(options: &Update, console: &mut Console) -> Result<Outcome> {
    console.set_up(options.manner.color, options.manner.quiet);
    let build = Build::of(None, true);
    let session = Session::new(&build, &options.files, Selection::default())?;
    let config = session.config_here()?;
    let file = match &config.data_file {
        Some(file) => PathBuf::from(file),
        None => tables::cache_folder().context("this user has no cache folder")?.join(update::FILE_NAME),
    };
    // One that cannot be read is made anew.
    let known = session.images(&config).unwrap_or_else(|_| Arc::new(ImageBook::embedded()));
    let mut table = Newer::clone(known.newer());
    let mut images = match options.images.is_empty() {
        true => often_first(known.moving_tags(), &table),
        false => options.images.iter().map(|text| reference(text)).collect::<Result<_>>()?,
    };
    let n_wanted = images.len();
    images.retain(|image| may_ask(&config.registry, image));
    if images.len() < n_wanted {
        console.warning(&format!("{} images are of registries that the settings shut out", n_wanted - images.len()));
    }
    let online = Online::open(options.mirror.clone())?;
    let (mut n_done, mut n_rows, mut troubles) = (0, 0, Vec::new());
    let end = online.wait(update::update(online.registry(), &images, &mut table, |updated| {
        n_done += 1;
        n_rows += updated.n_rows;
        console.progress(&format!("{n_done} of {}: {}", images.len(), updated.image));
        if let Some(trouble) = &updated.trouble {
            troubles.push(format!("{}: {trouble}", updated.image));
        }
    }));
    console.progress("");
    for trouble in troubles.iter().take(MOST_NOTES) {
        console.note(trouble);
    }
    if troubles.len() > MOST_NOTES {
        console.note(&format!("and {} more got no row, or not all", troubles.len() - MOST_NOTES));
    }
    if n_rows > 0 {
        update::write(&table, &file).with_context(|| format!("cannot write {}", file.display()))?;
        console.result(&format!("{n_rows} rows of {n_done} images, now {} in {}\n", table.0.len(), file.display()))?;
    }
    match end.flatten() {
        Some(trouble) => {
            console.warning(&format!("stopped after {n_done} of {} images: {trouble}", images.len()));
            Ok(if n_rows > 0 { Outcome::Fine } else { Outcome::Failed })
        }
        None => Ok(if n_rows > 0 || images.is_empty() { Outcome::Fine } else { Outcome::Failed }),
    }
}

/// The images in the order in which they are asked for: those without a row before those with an old one, those that many
/// Dockerfiles name before others.
fn often_first(mut images: Vec<ImageRef>, table: &Newer) -> Vec<ImageRef> {
    images.sort_by_key(|image| {
        let tag = image.tag_or_latest().unwrap_or_default().to_owned();
        let row = table.0.get(&[image.repository(), tag, "linux/amd64".to_owned()]);
        let name = image.path.rsplit('/').next().unwrap_or_default();
        let rank = OFTEN.iter().position(|often| *often == name).unwrap_or(OFTEN.len());
        (row.map(|row| row.date.clone()), rank)
    });
    images
}

//! The options that several verbs have, and what they do to the settings.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::config::{Config, NamedFolder, Trust};
use crate::disk::settings::Wanted;
use crate::model::Platform;

/// Which settings files count.
#[derive(Debug, Args)]
pub(crate) struct Files {
    /// Take this settings file instead of the nearest plimsoll.toml above each Dockerfile
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Take no settings file, not even the user's own
    #[arg(long, conflicts_with = "config")]
    no_config: bool,
}

impl Files {
    /// As [`crate::disk`] takes it.
    pub(crate) fn wanted(&self) -> Wanted {
        match &self.config {
            Some(file) => Wanted::Named(file.clone()),
            None if self.no_config => Wanted::None,
            None => Wanted::Found,
        }
    }
}

/// How much is said, and how.
#[derive(Debug, Args)]
pub(crate) struct Manner {
    /// When to colour the output (NO_COLOR counts for auto)
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub(crate) color: ColorChoice,
    /// Say less: results and errors only
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more: links, settings files, build contexts
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// When output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What a result is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For scripts
    Json,
}

/// What the Dockerfile is built with.
#[derive(Debug, Default, Args)]
pub(crate) struct Build {
    /// The stage that is built, by name or number; the last one by default
    #[arg(long, value_name = "STAGE")]
    pub(crate) target: Option<String>,
    /// The platform that is built for (linux/amd64 by default)
    #[arg(long, value_name = "OS/ARCH", value_parser = platform)]
    platform: Option<Platform>,
    /// The build context folder; searched for by default
    #[arg(long, value_name = "DIR")]
    context: Option<PathBuf>,
    /// A build argument; may be given several times
    #[arg(long = "build-arg", value_name = "K=V", value_parser = build_argument)]
    build_arguments: Vec<(String, String)>,
    /// Ask the registries of the base images in this run
    #[arg(long)]
    pub(crate) online: bool,
    /// The name of standard input, where `-` is given
    #[arg(long, value_name = "NAME")]
    pub(crate) stdin_filename: Option<PathBuf>,
}

impl Build {
    /// What a Dockerfile of one image is looked at with.
    pub(crate) fn of(platform: Option<Platform>, online: bool) -> Build {
        Build { platform, online, ..Build::default() }
    }

    /// Fails if the context that is named is no folder.
    pub(crate) fn check(&self) -> Result<()> {
        match self.context.as_deref().filter(|folder| !folder.is_dir()) {
            Some(folder) => bail!("the build context {} is no folder", folder.display()),
            None => Ok(()),
        }
    }

    /// Lays what was said over the settings: the command line is the strongest.
    pub(crate) fn lay_over(&self, acc: &mut Config) {
        if let Some(target) = &self.target {
            acc.target = Some(target.clone());
        }
        if let Some(platform) = &self.platform {
            acc.platform = platform.clone();
        }
        if let Some(context) = &self.context {
            acc.context = Some(NamedFolder { path: text(context), trust: Trust::User });
        }
        acc.build_args.extend(self.build_arguments.iter().cloned());
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Reads a platform.
pub(crate) fn platform(text: &str) -> Result<Platform, String> {
    Platform::parse(text).ok_or_else(|| "expected something like linux/arm64".to_owned())
}

fn build_argument(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    if name.is_empty() { Err("the name is empty".to_owned()) } else { Ok((name.to_owned(), value.to_owned())) }
}

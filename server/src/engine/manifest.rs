//! From the files of an image to its history and layers: `manifest.json` of `docker save`, or an OCI index.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::engine::Image;
use crate::engine::blob::{Blob, Layer};
use crate::measured::waste::{Files, waste};
use crate::measured::{BuiltImage, Entry};
use crate::model::Platform;

/// An index in an index in an index: no builder nests deeper.
const DEEPEST: usize = 4;

/// More layers than any engine can mount.
const MOST_LAYERS: usize = 4096;

/// Gives the file of this name; `None` if there is none.
pub(super) type LookUp<'a> = &'a mut dyn FnMut(&str) -> Result<Option<Blob>>;

#[derive(Debug, Deserialize)]
struct Saved {
    #[serde(rename = "Config")]
    config: String,
    #[serde(rename = "RepoTags", default)]
    tags: Option<Vec<String>>,
    #[serde(rename = "Layers")]
    layers: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    #[serde(default)]
    manifests: Vec<Descriptor>,
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

#[derive(Clone, Debug, Deserialize)]
struct Descriptor {
    digest: String,
    platform: Option<Built>,
}

/// The platform of a manifest.
#[derive(Clone, Debug, Deserialize)]
struct Built {
    architecture: String,
    os: String,
    variant: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Configuration {
    #[serde(default)]
    config: Option<Settings>,
    #[serde(default)]
    history: Option<Vec<Made>>,
}

#[derive(Debug, Default, Deserialize)]
struct Settings {
    #[serde(rename = "Shell", default)]
    shell: Option<Vec<String>>,
    #[serde(rename = "OnBuild", default)]
    triggers: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Made {
    #[serde(default)]
    created_by: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    empty_layer: bool,
}

/// Puts an image together.
pub(super) fn image(look_up: LookUp<'_>, platform: &Platform) -> Result<Image> {
    if let Some(blob) = look_up("manifest.json")? {
        let mut saved: Vec<Saved> = json(&blob, "manifest.json")?;
        let Some(one) = saved.pop() else { bail!("there is no image in it") };
        if !saved.is_empty() {
            saved.push(one);
            let names: Vec<String> =
                saved.iter().map(|it| it.tags.iter().flatten().next().unwrap_or(&it.config).clone()).collect();
            bail!("there are {} images in it ({}): save one alone", saved.len(), names.join(", "));
        }
        return put_together(look_up, &one.config, &one.layers);
    }
    let Some(blob) = look_up("index.json")? else {
        bail!("it is no archive of an image: it has neither manifest.json nor index.json")
    };
    let mut manifest: Manifest = json(&blob, "index.json")?;
    for _ in 0..DEEPEST {
        if let Some(config) = &manifest.config {
            let layers: Vec<String> = manifest.layers.iter().map(|layer| path(&layer.digest)).collect::<Result<_>>()?;
            return put_together(look_up, &path(&config.digest)?, &layers);
        }
        let name = path(&choose(&manifest.manifests, platform)?.digest)?;
        manifest = json(&needed(look_up, &name)?, &name)?;
    }
    bail!("its indexes lead nowhere")
}

/// The manifest of the platform, of several. Attestations lie beside images, and their platform is not known.
fn choose<'a>(manifests: &'a [Descriptor], platform: &Platform) -> Result<&'a Descriptor> {
    let images: Vec<&Descriptor> =
        manifests.iter().filter(|it| it.platform.as_ref().is_none_or(|it| it.os != "unknown")).collect();
    if let [one] = images.as_slice() {
        return Ok(one);
    }
    let is_wanted = |it: &&&Descriptor| {
        it.platform.as_ref().is_some_and(|built| {
            built.os == platform.os
                && built.architecture == platform.arch
                && (platform.variant.is_none() || built.variant == platform.variant)
        })
    };
    if images.is_empty() {
        bail!("there is no image in it");
    }
    images.iter().find(is_wanted).copied().with_context(|| format!("there is no image for {platform} in it"))
}

/// Where a digest lies. It comes from a file that anyone may have written, and is made a path.
fn path(digest: &str) -> Result<String> {
    let (algorithm, hex) = digest.split_once(':').unwrap_or_default();
    let is_sound = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_sound(algorithm) || !is_sound(hex) {
        bail!("`{}` is no digest", digest.escape_debug());
    }
    Ok(format!("blobs/{algorithm}/{hex}"))
}

fn put_together(look_up: LookUp<'_>, config: &str, layers: &[String]) -> Result<Image> {
    if layers.len() > MOST_LAYERS {
        bail!("it has {} layers", layers.len());
    }
    let config: Configuration = json(&needed(look_up, config)?, config)?;
    let mut read: Vec<Arc<Layer>> = Vec::with_capacity(layers.len());
    for name in layers {
        read.push(needed(look_up, name)?.layer().with_context(|| name.clone())?);
    }
    let history = config.history.unwrap_or_default();
    let settings = config.config.unwrap_or_default();
    let files: Vec<&Files> = read.iter().map(|layer| &layer.files).collect();
    let waste = waste(&files);
    let built = BuiltImage {
        name: String::new(),
        shell: settings.shell.unwrap_or_default(),
        has_triggers: settings.triggers.is_some_and(|triggers| !triggers.is_empty()),
        entries: entries(history, &read)?,
    };
    Ok(Image { built, waste })
}

/// The history with the layers that its entries made. Layers below the first entry were made without one.
fn entries(history: Vec<Made>, layers: &[Arc<Layer>]) -> Result<Vec<Entry>> {
    let n_made = history.iter().filter(|made| !made.empty_layer).count();
    let Some(n_before) = layers.len().checked_sub(n_made) else {
        bail!("its history speaks of {n_made} layers, it has {}", layers.len())
    };
    let entry = |layer: &Arc<Layer>| Entry { unpacked: layer.files.bytes(), pull: layer.packed, ..Entry::default() };
    let mut rest = layers.iter();
    let mut res: Vec<Entry> = rest.by_ref().take(n_before).map(entry).collect();
    for Made { created_by, comment, empty_layer } in history {
        let layer = if empty_layer { None } else { rest.next() };
        let weighed = layer.map(entry).unwrap_or_default();
        res.push(Entry { created_by, comment, is_empty: empty_layer, ..weighed });
    }
    Ok(res)
}

fn needed(look_up: LookUp<'_>, name: &str) -> Result<Blob> {
    look_up(name)?.with_context(|| format!("{} is not in it", name.escape_debug()))
}

fn json<T: for<'de> Deserialize<'de>>(blob: &Blob, name: &str) -> Result<T> {
    let read = || Ok(serde_json::from_slice(blob.text()?)?);
    read().map_err(|error: anyhow::Error| error.context(format!("{} cannot be read", name.escape_debug())))
}

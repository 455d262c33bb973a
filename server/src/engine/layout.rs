//! The folder of an OCI layout: only the files are read that the image is made of, and no symbolic link is followed.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::engine::blob::{self, Blob};
use crate::engine::{Budget, Image, manifest};
use crate::model::Platform;

/// Reads the image in a folder.
pub(super) fn read(folder: &Path, platform: &Platform) -> Result<Image> {
    let mut budget = Budget::default();
    let mut look_up = |name: &str| file(folder, name, &mut budget);
    manifest::image(&mut look_up, platform)
}

fn file(folder: &Path, name: &str, budget: &mut Budget) -> Result<Option<Blob>> {
    let mut path = folder.to_path_buf();
    for part in name.split('/') {
        if matches!(part, "" | "." | "..") || part.contains(['\\', ':']) {
            bail!("{} leads out of the folder", name.escape_debug());
        }
        path.push(part);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => bail!("{} is a symbolic link", path.display()),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).context(path.display().to_string()),
        }
    }
    if !fs::symlink_metadata(&path)?.is_file() {
        return Ok(None);
    }
    let file = File::open(&path).with_context(|| path.display().to_string())?;
    let size = file.metadata()?.len();
    blob::read(file, size, budget).map(Some)
}

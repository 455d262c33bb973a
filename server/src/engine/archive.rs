//! An image as one archive, read from its first byte to its last: the manifest, which says what the files are, may come
//! at the end.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Result, bail};

use crate::engine::blob::{self, Blob};
use crate::engine::tape::Tape;
use crate::engine::{Budget, Image, manifest};
use crate::model::Platform;

/// Reads the archive in a file.
pub(super) fn read(path: &Path, platform: &Platform) -> Result<Image> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        bail!("it is no file");
    }
    stream(file, platform, Budget::default())
}

/// Reads an archive.
pub(super) fn stream(reader: impl Read, platform: &Platform, mut budget: Budget) -> Result<Image> {
    let mut blobs: BTreeMap<String, Blob> = BTreeMap::new();
    // `docker save` of old wrote a layer once, and links to it.
    let mut links: BTreeMap<String, String> = BTreeMap::new();
    let mut tape = Tape::new(reader);
    while let Some(member) = tape.next()? {
        Budget::spend(&mut budget.members, 1, "many files")?;
        Budget::spend(&mut budget.names, (member.path.len() + member.target.len()) as u64, "long names")?;
        let Ok(name) = String::from_utf8(member.path) else { continue };
        if member.kind.is_file() {
            blobs.insert(name, blob::read(tape.data(), member.size, &mut budget)?);
        } else if member.kind.is_symlink() || member.kind.is_hard_link() {
            let target = String::from_utf8_lossy(&member.target).into_owned();
            let folder = if member.kind.is_symlink() { name.rsplit_once('/').map_or("", |it| it.0) } else { "" };
            links.insert(name.clone(), joined(folder, &target));
        }
    }
    let mut look_up = |name: &str| {
        let name = joined("", name);
        let name = links.get(&name).unwrap_or(&name);
        Ok(blobs.get(name).cloned())
    };
    manifest::image(&mut look_up, platform)
}

/// The path that a relative one means in a folder of the archive.
fn joined(folder: &str, path: &str) -> String {
    let mut res: Vec<&str> = folder.split('/').collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                res.pop();
            }
            _ => res.push(part),
        }
    }
    res.retain(|part| !part.is_empty());
    res.join("/")
}

#[cfg(test)]
mod tests;

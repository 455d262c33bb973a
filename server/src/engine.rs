//! Built images: from the socket of a Docker Engine or Podman, from an archive (`docker save`, OCI), from an OCI layout.
//!
//! Nothing is written to disk and nothing is sent but the question to the socket that the user named; an image is read as
//! a stream and only the names and sizes of its files are kept.
//! **Invariant:** archives are hostile: whatever is in them gives an image or an error, within fixed bounds.

mod archive;
mod blob;
mod layout;
mod manifest;
#[cfg(unix)]
mod socket;
mod tape;

use std::path::Path;

use anyhow::{Result, bail};

use crate::measured::BuiltImage;
use crate::measured::waste::Waste;
use crate::model::Platform;

/// An image that was read with its files.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Its history with the weight of its layers.
    pub built: BuiltImage,
    /// What it carries without showing it.
    pub waste: Waste,
}

/// How much is read of one image.
#[derive(Clone, Debug)]
struct Budget {
    /// Members of all archives.
    members: u64,
    /// Bytes of all paths together, which are kept in memory.
    names: u64,
    /// Bytes of layers, unpacked.
    unpacked: u64,
    /// Bytes of manifests and configurations, which are kept in memory.
    texts: u64,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { members: 2_000_000, names: 192 << 20, unpacked: 256 << 30, texts: 32 << 20 }
    }
}

impl Budget {
    /// Takes away from one of the bounds.
    fn spend(bound: &mut u64, amount: u64, what: &str) -> Result<()> {
        let Some(rest) = bound.checked_sub(amount) else { bail!("it has too {what} to be an image") };
        *bound = rest;
        Ok(())
    }
}

/// Reads an image from a `docker save` or OCI archive, or from the folder of an OCI layout. Of several platforms the named
/// one is taken, of a single one whatever it is.
///
/// # Errors
/// The file cannot be read, is no such archive, or holds several images.
pub fn read(path: &Path, platform: &Platform) -> Result<Image> {
    let name = path.display().to_string();
    let read = || if path.is_dir() { layout::read(path, platform) } else { archive::read(path, platform) };
    read().map(|image| named(image, &name)).map_err(|error| error.context(name.clone()))
}

/// Reads an image from an engine.
///
/// # Errors
/// Nobody answers at the socket, or the engine has no such image.
#[cfg(unix)]
pub fn export(socket: &str, image: &str, platform: &Platform) -> Result<Image> {
    socket::export(socket, image, platform).map(|it| named(it, image))
}

/// Reads an image's history from an engine, which counts the bytes of its layers itself: quick, however large it is.
///
/// # Errors
/// As [`export`].
#[cfg(unix)]
pub fn history(socket: &str, image: &str) -> Result<BuiltImage> {
    socket::history(socket, image)
}

/// The names of an engine's images, the newest first, at most this many.
///
/// # Errors
/// Nobody answers at the socket.
#[cfg(unix)]
pub fn newest(socket: &str, most: usize) -> Result<Vec<String>> {
    socket::newest(socket, most)
}

/// Engines listen elsewhere on systems without Unix sockets.
///
/// # Errors
/// Always.
#[cfg(not(unix))]
pub fn export(_: &str, _: &str, _: &Platform) -> Result<Image> {
    bail!("images are asked of an engine through Unix sockets, which this system does not have; use --archive")
}

/// Engines listen elsewhere on systems without Unix sockets.
///
/// # Errors
/// Always.
#[cfg(not(unix))]
pub fn history(_: &str, _: &str) -> Result<BuiltImage> {
    bail!("images are asked of an engine through Unix sockets, which this system does not have")
}

/// Engines listen elsewhere on systems without Unix sockets.
///
/// # Errors
/// Always.
#[cfg(not(unix))]
pub fn newest(_: &str, _: usize) -> Result<Vec<String>> {
    bail!("images are asked of an engine through Unix sockets, which this system does not have")
}

fn named(mut image: Image, name: &str) -> Image {
    name.clone_into(&mut image.built.name);
    image
}

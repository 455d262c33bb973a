//! What a stage stands on: the image at the bottom of its chain with what the tables know of it, or nothing at all.
//!
//! **Invariant:** an image that no table knows is [`Ground::Unknown`], and so is one for Windows; nobody is blamed for it.

use std::sync::Arc;

use crate::facts;
use crate::images::{ImageBook, Traits};
use crate::model::{Base, File, ImageRef};

/// What lies below the first instruction of a chain of stages.
#[derive(Clone, Debug, PartialEq)]
pub enum Ground<'a> {
    /// `FROM scratch`: no file at all.
    Scratch,
    /// An image of the tables.
    Image(&'a ImageRef, Arc<Traits>),
    /// An image that no table knows, or a name that is not known.
    Unknown,
}

/// What this stage stands on.
pub fn of<'a>(file: &'a File, images: &ImageBook, stage_idx: usize) -> Ground<'a> {
    let bottom = facts::chain(file, stage_idx).last().copied().unwrap_or(stage_idx);
    let Some(stage) = file.stages.get(bottom) else { return Ground::Unknown };
    if stage.platform.as_ref().is_some_and(|platform| platform.os == "windows") {
        return Ground::Unknown;
    }
    match &stage.base {
        Base::Scratch => Ground::Scratch,
        Base::Image(image) => of_image(images, image),
        Base::Stage(_) | Base::Unknown(_) => Ground::Unknown,
    }
}

/// The same for an image.
pub fn of_image<'a>(images: &ImageBook, image: &'a ImageRef) -> Ground<'a> {
    match images.traits(image) {
        Some(traits) if !traits.distro.contains("windows") && !traits.distro.contains("nanoserver") => {
            Ground::Image(image, traits)
        }
        Some(_) | None => Ground::Unknown,
    }
}

impl<'a> Ground<'a> {
    /// What people call it.
    pub fn name(&self) -> &str {
        match self {
            Ground::Scratch => "scratch",
            Ground::Image(image, _) => &image.text,
            Ground::Unknown => "",
        }
    }

    /// The image, where it is a known one.
    pub fn image(&self) -> Option<&'a ImageRef> {
        match self {
            Ground::Image(image, _) => Some(image),
            Ground::Scratch | Ground::Unknown => None,
        }
    }

    /// Whether it has a shell; `None` where that is not known.
    pub fn has_shell(&self) -> Option<bool> {
        match self {
            Ground::Scratch => Some(false),
            Ground::Image(_, traits) => Some(traits.has_shell),
            Ground::Unknown => None,
        }
    }

    /// Its C library: `glibc`, `musl`, `none` …
    pub fn libc(&self) -> Option<&str> {
        match self {
            Ground::Scratch => Some("none"),
            Ground::Image(_, traits) => Some(&traits.libc),
            Ground::Unknown => None,
        }
    }

    /// Its distribution as the table has it, `none` for nothing.
    pub fn distro(&self) -> Option<&str> {
        match self {
            Ground::Scratch => Some("none"),
            Ground::Image(_, traits) => Some(&traits.distro),
            Ground::Unknown => None,
        }
    }

    /// The name of the repository (`docker.io/library/node`) and the tag.
    pub fn repository(&self) -> Option<(String, &'a str)> {
        let image = self.image()?;
        Some((image.repository(), image.tag.as_deref().unwrap_or("latest")))
    }

    /// Whether it is one of Google's distroless images.
    pub fn is_distroless(&self) -> bool {
        self.image().is_some_and(|image| image.registry == "gcr.io" && image.path.starts_with("distroless/"))
    }
}

//! Which Node an official image holds, by its tag.
//!
//! Says nothing of other images, and of a tag with a variable or an unknown word.

use crate::model::ImageRef;

/// A release of Node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    /// Major version; for a tag without a number (`lts-alpine`) the oldest that it has stood for in the last years.
    pub major: u32,
    /// Minor version, where the tag names it: else the newest one is meant.
    pub minor: Option<u32>,
}

/// The names of long-term releases.
const NAMES: [(&str, u32); 11] = [
    ("argon", 4),
    ("boron", 6),
    ("carbon", 8),
    ("dubnium", 10),
    ("erbium", 12),
    ("fermium", 14),
    ("gallium", 16),
    ("hydrogen", 18),
    ("iron", 20),
    ("jod", 22),
    ("krypton", 24),
];

/// Major version of the tags that move with time (`lts`, `latest`, `slim`).
const MOVING: u32 = 22;

/// The release of an official Node image.
pub fn of(image: &ImageRef) -> Option<Release> {
    if image.repository() != "docker.io/library/node" {
        return None;
    }
    let tag = image.tag_or_latest()?;
    let mut words = tag.split('-');
    let first = words.next()?;
    if first.starts_with(|it: char| it.is_ascii_digit()) {
        let mut parts = first.split('.');
        let major = parts.next()?.parse().ok()?;
        return Some(Release { major, minor: parts.next().and_then(|minor| minor.parse().ok()) });
    }
    if let Some((_, major)) = NAMES.iter().find(|(name, _)| *name == first) {
        return Some(Release { major: *major, minor: None });
    }
    let moving = ["latest", "lts", "current", "slim", "alpine", "stable"];
    let suites = ["stretch", "buster", "bullseye", "bookworm", "trixie"];
    (moving.contains(&first) || suites.contains(&first)).then_some(Release { major: MOVING, minor: None })
}

impl Release {
    /// Whether its npm is 7 or newer: `--omit`, lock files of version 2.
    pub fn has_omit(self) -> bool {
        self.major >= 15
    }
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::model::ImageRef;

    #[test]
    fn a_tag_names_its_release() {
        let major = |text: &str| ImageRef::parse(text).and_then(|image| of(&image)).map(|it| (it.major, it.minor));
        assert_eq!(major("node:18.4-alpine"), Some((18, Some(4))));
        assert_eq!(major("node:14"), Some((14, None)));
        assert_eq!(major("node:gallium-slim"), Some((16, None)));
        assert_eq!(major("node:lts-alpine"), Some((22, None)));
        assert_eq!(major("node"), Some((22, None)));
        assert_eq!(major("node:onbuild"), None);
        assert_eq!(major("python:3"), None);
    }
}

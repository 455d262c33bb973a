//! How figures become bars: patterns for what is counted, estimated or unknown, and widths.

use maud::Render;

use crate::weight::{Estimate, Size};

/// How a figure is drawn.
pub(super) fn solid(weight: Option<&Estimate>) -> &'static str {
    match weight {
        None => "unknown",
        Some(weight) if weight.basis.is_plain() => "solid",
        Some(_) => "estimate",
    }
}

/// How wide a bar of these bytes is, where all of them are the whole width.
pub(super) fn share(bytes: Size, all: u64) -> Declaration {
    Declaration { property: "width", bytes: bytes.0, all }
}

/// How far from the left a mark at these bytes stands.
pub(super) fn offset(bytes: Size, all: u64) -> Declaration {
    Declaration { property: "left", bytes: bytes.0, all }
}

/// A style that is made of figures alone.
#[derive(Debug)]
pub(super) struct Declaration {
    property: &'static str,
    bytes: u64,
    all: u64,
}

impl std::fmt::Display for Declaration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let percent = 100.0 * self.bytes as f64 / self.all.max(1) as f64;
        write!(f, "{}:{:.3}%", self.property, percent.min(100.0))
    }
}

impl Render for Declaration {
    fn render_to(&self, acc: &mut String) {
        acc.push_str(&self.to_string());
    }
}

//! What an editor asks about a place: one file a feature.

pub mod hover;
pub mod inlay;
pub mod lens;
mod words;

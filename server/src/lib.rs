//! Plimsoll: what every line of a Dockerfile weighs, and what would make it lighter.
//!
//! The modules stand in the order of their layers: each uses only those above it (`tests/tidy.rs` holds them to it).

pub mod date;
pub mod memo;
pub mod table;
pub mod text;
pub mod weight;

pub mod expand;

pub mod segment;
pub mod syntax;

pub mod document;

pub mod shell;

pub mod model;

pub mod lower;

pub mod config;
pub mod context;
pub mod images;
pub mod measured;
pub mod packages;

pub mod facts;

pub mod ecosystems;
pub mod size;

pub mod rules;

pub mod assists;
pub mod features;

pub mod analysis;

pub mod disk;
pub mod engine;
pub mod registry;

pub mod lsp;

pub mod cli;

#[cfg(test)]
mod fixture;

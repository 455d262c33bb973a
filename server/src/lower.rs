//! From text to [`crate::model`]: segments, instructions, stages, variables.
//!
//! **Invariant:** an instruction depends on its own text and [`Frame`](crate::model::Frame) alone, so one that did not
//! change is taken over from the analysis before; what the order of instructions decides (stages, scopes) is made anew.

mod command;
pub mod flags;
pub mod instruction;
mod pragma;
mod stages;
mod words;

pub use stages::{Build, file, resolve};

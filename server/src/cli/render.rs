//! From values of the core to what is printed. Lines and columns exist here and nowhere else on the command line.

pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod model;
pub(crate) mod places;
pub(crate) mod text;
pub(crate) mod weights;

//! What the layers of a built image really weighed, laid on the instructions that made them.
//!
//! Filled by [`crate::engine`] from an image's history and layers. **Invariant:** a figure counts only for the text it was
//! measured with: as soon as an instruction changes, its estimate stands again.

/// The measured layers of one built image.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Measured {
    /// The image, as the user named it.
    pub image: String,
}

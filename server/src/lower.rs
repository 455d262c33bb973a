//! From text to [`crate::model`].

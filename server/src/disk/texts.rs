//! The texts of a build context that the analysis asks for: manifests, lock files, start scripts.
//!
//! **Invariant:** only plain files inside the context, reached without a link, and a bounded number of bytes.

use std::path::Path;

use crate::context::{BuildContext, cleaned};
use crate::disk::{bytes_of, folder::below};

/// More files of one context are not read.
pub const MOST_FILES: usize = 64;

/// Larger files are not read.
pub const LARGEST_FILE: u64 = 1 << 20;

/// Reads the files that the analysis wants and adds them to the context; says whether any came. What is not there, not
/// text, too large or ignored is left out silently, so the same question need not be asked again: see
/// `Analysis::wanted_files`.
pub fn read_texts(folder: &Path, wanted: &[String], acc: &mut BuildContext) -> bool {
    let mut any = false;
    for path in wanted {
        let path = cleaned(path);
        if acc.texts.len() >= MOST_FILES || acc.texts.contains_key(&path) || !acc.has_file(&path) {
            continue;
        }
        let Some(file) = below(folder, &path).filter(|file| file.symlink_metadata().is_ok_and(|it| it.is_file()))
        else {
            continue;
        };
        let Some(text) = bytes_of(&file, LARGEST_FILE).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else {
            continue;
        };
        acc.texts.insert(path, text);
        any = true;
    }
    any
}

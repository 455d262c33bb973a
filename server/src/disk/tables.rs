//! The user's cache folder, and the newer table of images in it.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};
use etcetera::BaseStrategy;

use crate::disk::bytes_of;
use crate::images::newer::Newer;

/// The name of the table in the cache folder.
const FILE_NAME: &str = "base-images.tsv";

/// A larger table is not read.
const LARGEST: u64 = 16 << 20;

/// Where what can be fetched again is kept, whether or not it is there: `~/.cache/plimsoll`, or where the system keeps such
/// files (`XDG_CACHE_HOME`, `%LOCALAPPDATA%`).
pub fn cache_folder() -> Option<PathBuf> {
    Some(etcetera::choose_base_strategy().ok()?.cache_dir().join("plimsoll"))
}

/// A table that was read, and what it was when it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Stamp {
    file: PathBuf,
    changed: Option<SystemTime>,
    length: u64,
}

/// The table that the settings name, else the one in the cache folder, if it is another than the one of that stamp. The
/// stamp of none is `None`. Fails where a table that was named cannot be read.
pub fn newer(named: Option<&str>, before: Option<&Stamp>) -> Result<Option<(Option<Stamp>, Newer)>> {
    let file = match named {
        Some(file) => Some(PathBuf::from(file)),
        None => cache_folder().map(|folder| folder.join(FILE_NAME)).filter(|file| file.is_file()),
    };
    let Some(file) = file else { return Ok(before.map(|_| (None, Newer::default()))) };
    let cannot = || format!("cannot read the table {}", file.display());
    let metadata = match std::fs::metadata(&file).with_context(cannot) {
        Err(_) if named.is_none() => return Ok(None),
        metadata => metadata?,
    };
    let stamp = Stamp { file: file.clone(), changed: metadata.modified().ok(), length: metadata.len() };
    if before == Some(&stamp) {
        return Ok(None);
    }
    let bytes = bytes_of(Path::new(&file), LARGEST).with_context(cannot)?;
    Ok(Some((Some(stamp), Newer::parse(&String::from_utf8_lossy(&bytes)))))
}

#[cfg(test)]
mod tests {
    use super::newer;

    #[test]
    fn a_table_is_read_again_only_when_it_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("table.tsv");
        let header = crate::images::newer::COLUMNS.join("\t");
        std::fs::write(&file, format!("{header}\na\tb\tlinux/amd64\t1\t\t\t1\t2026\treg\n")).expect("a file");
        let named = file.to_str();
        let (stamp, table) = newer(named, None).expect("it can be read").expect("it is new");
        assert_eq!(table.0.len(), 1);
        assert_eq!(newer(named, stamp.as_ref()).expect("it can be read"), None);
        std::fs::write(&file, format!("{header}\n")).expect("a file");
        let (_, table) = newer(named, stamp.as_ref()).expect("it can be read").expect("it is another");
        assert!(table.0.is_empty());
        assert!(newer(folder.path().join("nowhere").to_str(), None).is_err());
    }
}

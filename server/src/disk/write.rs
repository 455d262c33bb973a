//! The one place that writes: a file that `fix` was asked to write, whole or not at all.

use std::fs::{File, OpenOptions, Permissions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::disk::bytes_of;

/// A file that is written is not larger than this.
const LARGEST: u64 = 64 << 20;

/// Replaces the text of a file by way of a temporary file beside it, so that a reader sees the old text or the new one.
/// `before` is the text that was analysed, `None` for a file that must not be there yet. Fails, and writes nothing, if
/// another text lies on the disk. The mode stays, and the owner where the system lets it; a link that was named keeps
/// pointing where it did.
pub fn write(path: &Path, before: Option<&str>, after: &str) -> Result<()> {
    replace(path, before, after).with_context(|| format!("cannot write {}", path.display()))
}

fn replace(path: &Path, before: Option<&str>, after: &str) -> Result<()> {
    let Some(before) = before else { return create(path, after) };
    let path = path.canonicalize()?;
    let metadata = path.metadata()?;
    if !metadata.is_file() {
        bail!("it is no plain file");
    }
    if metadata.permissions().readonly() {
        bail!("it is read-only");
    }
    let (temporary, file) = beside(&path, true)?;
    let res = fill(file, &temporary, after, Some(&metadata)).and_then(|()| {
        // As late as possible: what somebody saves now must not be lost.
        if bytes_of(&path, LARGEST)? != before.as_bytes() {
            bail!("it has changed since it was read");
        }
        Ok(std::fs::rename(&temporary, &path)?)
    });
    if res.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    res
}

fn create(path: &Path, text: &str) -> Result<()> {
    let (temporary, file) = beside(path, false)?;
    // A link is made only where nothing is, unlike a rename.
    let res = fill(file, &temporary, text, None).and_then(|()| Ok(std::fs::hard_link(&temporary, path)?));
    let _ = std::fs::remove_file(&temporary);
    res
}

fn fill(mut file: File, temporary: &Path, text: &str, like: Option<&std::fs::Metadata>) -> Result<()> {
    file.write_all(text.as_bytes())?;
    if let Some(like) = like {
        own(temporary, like);
        let permissions: Permissions = like.permissions();
        file.set_permissions(permissions)?;
    }
    file.sync_all()?;
    Ok(())
}

#[cfg(unix)]
fn own(file: &Path, like: &std::fs::Metadata) {
    use std::os::unix::fs::MetadataExt;
    // Only root may give a file away; for others the owner is the same already.
    let _ = std::os::unix::fs::chown(file, Some(like.uid()), Some(like.gid()));
}

#[cfg(unix)]
fn restrict(options: &mut OpenOptions, private: bool) {
    use std::os::unix::fs::OpenOptionsExt;
    if private {
        options.mode(0o600);
    }
}

#[cfg(not(unix))]
fn restrict(_options: &mut OpenOptions, _private: bool) {}

#[cfg(not(unix))]
fn own(_file: &Path, _like: &std::fs::Metadata) {}

/// A new file in the same folder, so that a rename is one step. A private one is nobody else's to read until it has the
/// mode of the file that it replaces.
fn beside(path: &Path, private: bool) -> Result<(PathBuf, File)> {
    let Some(name) = path.file_name() else { bail!("it has no name") };
    for number in 0..100 {
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}-{number}.plimsoll", std::process::id()));
        let temporary = path.with_file_name(hidden);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        restrict(&mut options, private);
        match options.open(&temporary) {
            Ok(file) => return Ok((temporary, file)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
    }
    bail!("no name is free for a temporary file")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::write;

    fn file(text: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("Dockerfile");
        std::fs::write(&path, text).expect("a file can be written");
        (folder, path)
    }

    fn names(folder: &Path) -> usize {
        std::fs::read_dir(folder).expect("it can be listed").count()
    }

    #[test]
    fn the_whole_text_is_replaced_to_the_byte() {
        let (folder, path) = file("\u{feff}FROM a\r\nRUN b".as_bytes());
        write(&path, Some("\u{feff}FROM a\r\nRUN b"), "\u{feff}FROM c\r\nRUN b").expect("it is written");
        assert_eq!(std::fs::read(&path).expect("it is there"), "\u{feff}FROM c\r\nRUN b".as_bytes());
        assert_eq!(names(folder.path()), 1, "nothing is left beside it");
    }

    #[test]
    fn another_text_than_the_one_analysed_is_left_alone() {
        let (folder, path) = file(b"FROM somebody else's");
        let error = write(&path, Some("FROM a"), "FROM b").expect_err("it has changed");
        assert!(format!("{error:#}").ends_with("Dockerfile: it has changed since it was read"));
        assert_eq!(std::fs::read(&path).expect("it is there"), b"FROM somebody else's");
        assert_eq!(names(folder.path()), 1);
    }

    #[test]
    fn bytes_that_were_replaced_when_read_are_never_written() {
        let (_folder, path) = file(b"FROM a # \xff");
        let source = crate::disk::read(&path).expect("it can be read");
        assert!(source.lossy);
        assert!(write(&path, Some(&source.text), "FROM b").is_err());
    }

    #[test]
    fn a_new_file_is_made_only_where_none_is() {
        let (folder, path) = file(b"FROM a");
        assert!(write(&path, None, "x").is_err());
        write(&folder.path().join(".dockerignore"), None, ".git\n").expect("it is written");
        assert_eq!(std::fs::read(folder.path().join(".dockerignore")).expect("it is there"), b".git\n");
        assert_eq!(std::fs::read(&path).expect("it is there"), b"FROM a");
        assert_eq!(names(folder.path()), 2);
    }

    #[cfg(unix)]
    #[test]
    fn mode_and_link_stay() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, path) = file(b"FROM a");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("a mode can be set");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("Dockerfile", &link).expect("a link can be made");
        write(&link, Some("FROM a"), "FROM b").expect("it is written");
        assert!(link.symlink_metadata().expect("it is there").is_symlink());
        assert_eq!(std::fs::read(&path).expect("it is there"), b"FROM b");
        assert_eq!(path.metadata().expect("it is there").permissions().mode() & 0o7777, 0o640);
    }

    #[test]
    fn a_path_without_a_file_is_an_error_with_its_name() {
        let (folder, _) = file(b"");
        let error = write(&folder.path().join("nowhere"), Some(""), "x").expect_err("it is not there");
        assert!(format!("{error:#}").contains("nowhere"));
        assert_eq!(names(folder.path()), 1);
    }
}

//! The build contexts that one run of the command line has walked: the Dockerfiles of a repository share theirs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::context::BuildContext;
use crate::disk::walk::{self, Limits, Stop};

/// So many contexts are kept: a run goes through the files folder by folder, and each may hold 100,000 paths.
const MOST: usize = 8;

/// What was walked last, the latest at the end. What changes on the disk afterwards is not seen.
#[derive(Debug, Default)]
pub struct Walks(Mutex<Vec<Walked>>);

/// The folder, the ignore file of the Dockerfile's own, and what the walk found once it has ended.
#[derive(Clone, Debug)]
struct Walked {
    folder: PathBuf,
    own_ignore_file: Option<PathBuf>,
    context: Arc<OnceLock<BuildContext>>,
}

impl Walks {
    /// The build context of a Dockerfile in this folder, walked once for all that share folder and ignore file: whoever
    /// comes while another walks it waits for that.
    pub fn context(&self, folder: &Path, dockerfile: Option<&Path>) -> BuildContext {
        let walked = self.walked(folder, walk::own_ignore_file(dockerfile));
        let walk = || walk::context(folder, dockerfile, Limits::default(), &Stop::default());
        let mut res = walked.get_or_init(walk).clone();
        res.dockerfile = dockerfile.and_then(|file| walk::place_in(folder, file));
        res
    }

    fn walked(&self, folder: &Path, own_ignore_file: Option<PathBuf>) -> Arc<OnceLock<BuildContext>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.iter().position(|it| it.folder == folder && it.own_ignore_file == own_ignore_file);
        let res = match found {
            Some(found) => all.remove(found),
            None => Walked { folder: folder.to_owned(), own_ignore_file, context: Arc::default() },
        };
        let context = Arc::clone(&res.context);
        all.push(res);
        if all.len() > MOST {
            all.remove(0);
        }
        context
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Walks};

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let res = tempfile::tempdir().expect("a folder can be made");
        for path in files {
            std::fs::write(res.path().join(path), "").expect("a file can be written");
        }
        res
    }

    #[test]
    fn a_folder_is_walked_once() {
        let folder = folder(&["a.Dockerfile", "b.Dockerfile"]);
        let walks = Walks::default();
        let of = |name: &str| walks.context(folder.path(), Some(&folder.path().join(name)));
        assert_eq!(of("a.Dockerfile").dockerfile.as_deref(), Some("a.Dockerfile"));
        std::fs::write(folder.path().join("late"), "").expect("a file can be written");
        let second = of("b.Dockerfile");
        assert_eq!(second.dockerfile.as_deref(), Some("b.Dockerfile"));
        assert!(second.known && !second.has_file("late"));
    }

    #[test]
    fn an_ignore_file_of_its_own_is_another_context() {
        let folder = folder(&["a.Dockerfile", "b.Dockerfile"]);
        std::fs::write(folder.path().join("b.Dockerfile.dockerignore"), "a.*").expect("a file can be written");
        let walks = Walks::default();
        let of = |name: &str| walks.context(folder.path(), Some(&folder.path().join(name)));
        assert!(of("a.Dockerfile").has_file("a.Dockerfile"));
        assert!(!of("b.Dockerfile").has_file("a.Dockerfile"));
        assert!(of("a.Dockerfile").has_file("a.Dockerfile"));
    }

    #[test]
    fn few_are_kept() {
        let folders: Vec<_> = (0..MOST + 1).map(|_| folder(&["Dockerfile"])).collect();
        let walks = Walks::default();
        for folder in &folders {
            assert!(walks.context(folder.path(), None).known);
        }
        std::fs::write(folders[0].path().join("late"), "").expect("a file can be written");
        assert!(walks.context(folders[0].path(), None).has_file("late"), "it was walked again");
    }
}

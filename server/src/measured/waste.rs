//! What an image carries without showing it: files that were written more than once, or removed later.
//!
//! The idea is dive's: efficiency is the part of all bytes in layers that the image needs. A file that was written again
//! counts once, as it is at the end; one that was removed does not count at all. (dive itself takes the smallest of several
//! sizes of one file as needed, and counts the last copy among the wasted.)

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

/// What a layer's archive has for a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file and its bytes.
    File(u64),
    /// Another name of a file.
    Link,
    /// A folder.
    Folder,
    /// Anything else without bytes: a symbolic link, a device.
    Other,
}

/// The paths of one layer. Paths lie in one piece of memory, since an image may have a million.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    names: Vec<u8>,
    members: Vec<Member>,
    bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Member {
    path: (usize, usize),
    /// The other name of a link.
    target: (usize, usize),
    kind: Kind,
}

impl Files {
    /// Takes in a member of the archive: a path without `/` at its ends and, of a link, the path it is a name of.
    pub fn add(&mut self, path: &[u8], kind: Kind, target: &[u8]) {
        let path = self.name(path);
        let target = self.name(target);
        self.members.push(Member { path, target, kind });
        if let Kind::File(bytes) = kind {
            self.bytes = self.bytes.saturating_add(bytes);
        }
    }

    /// The bytes of all files: what the layer weighs unpacked, as Docker counts what a build made.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn name(&mut self, text: &[u8]) -> (usize, usize) {
        let start = self.names.len();
        self.names.extend_from_slice(text);
        (start, self.names.len())
    }

    fn text(&self, (start, end): (usize, usize)) -> &[u8] {
        self.names.get(start..end).unwrap_or_default()
    }
}

/// What an image wastes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Waste {
    /// The part of all bytes in layers that is needed; 1 for an image without files.
    pub efficiency: f64,
    /// Bytes in layers that the image does not show.
    pub wasted: u64,
    /// Of which files, the heaviest first.
    pub files: Vec<WastedFile>,
}

/// A file that is carried without being shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WastedFile {
    /// Its path, with a leading `/`.
    pub path: String,
    /// Bytes of all its copies that are not shown.
    pub bytes: u64,
    /// The layers that wrote, rewrote or removed it, counting from 0 at the bottom.
    pub layers: Vec<usize>,
}

/// One copy of a file.
struct Copy<'a> {
    path: &'a [u8],
    bytes: u64,
    layer: usize,
    /// How many names it still has.
    n_names: usize,
    /// The layer that took the last one away.
    gone_in: Option<usize>,
}

/// The image while its layers are laid over each other.
#[derive(Default)]
struct Tree<'a> {
    copies: Vec<Copy<'a>>,
    /// Which copy a path shows.
    shown: BTreeMap<&'a [u8], usize>,
}

/// Lays layers over each other, the lowest first.
pub fn waste(layers: &[&Files]) -> Waste {
    let mut tree = Tree::default();
    for (at, layer) in layers.iter().enumerate() {
        for member in &layer.members {
            let path = layer.text(member.path);
            let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            let folder = path.get(..path.len() - name.len()).unwrap_or_default();
            match name.strip_prefix(b".wh.") {
                // The mark of a folder that shows nothing of the layers below.
                Some(b".wh..opq") => tree.hide_below(folder.strip_suffix(b"/").unwrap_or(folder), at, true),
                // Marks of a storage driver of old.
                Some(rest) if rest.starts_with(b".wh.") => {}
                Some(removed) => {
                    let path = [folder, removed].concat();
                    tree.hide(&path, at, true);
                    tree.hide_below(&path, at, true);
                }
                None => tree.put(path, member.kind, layer.text(member.target), at),
            }
        }
    }
    tree.waste()
}

impl<'a> Tree<'a> {
    fn put(&mut self, path: &'a [u8], kind: Kind, target: &[u8], layer: usize) {
        if kind == Kind::Folder {
            self.hide(path, layer, false);
            return;
        }
        let copy = match kind {
            Kind::Link => self.shown.get(target).copied(),
            Kind::File(bytes) => {
                self.copies.push(Copy { path, bytes, layer, n_names: 0, gone_in: None });
                Some(self.copies.len() - 1)
            }
            Kind::Folder | Kind::Other => None,
        };
        // Counted before the old one is taken away: a link may be written over itself.
        if let Some(copy) = copy.and_then(|copy| self.copies.get_mut(copy)) {
            copy.n_names += 1;
        }
        self.hide(path, layer, false);
        self.hide_below(path, layer, false);
        if let Some(copy) = copy {
            self.shown.insert(path, copy);
        }
    }

    /// Takes a path away; with `only_older` only if a lower layer wrote it.
    fn hide(&mut self, path: &[u8], layer: usize, only_older: bool) {
        let Some(idx) = self.shown.get(path).copied() else { return };
        let Some(copy) = self.copies.get_mut(idx) else { return };
        if only_older && copy.layer == layer {
            return;
        }
        self.shown.remove(path);
        copy.n_names = copy.n_names.saturating_sub(1);
        if copy.n_names == 0 {
            copy.gone_in = Some(layer);
        }
    }

    /// Takes all paths below a folder away.
    fn hide_below(&mut self, folder: &[u8], layer: usize, only_older: bool) {
        let first = if folder.is_empty() { Vec::new() } else { [folder, b"/"].concat() };
        // `0` is the character behind `/`.
        let last = [folder, b"0"].concat();
        let end = if folder.is_empty() { Bound::Unbounded } else { Bound::Excluded(last.as_slice()) };
        let range = self.shown.range::<[u8], _>((Bound::Included(first.as_slice()), end));
        let paths: Vec<&'a [u8]> = range.map(|(path, _)| *path).collect();
        for path in paths {
            self.hide(path, layer, only_older);
        }
    }

    fn waste(self) -> Waste {
        let mut total = 0u64;
        let mut wasted = 0u64;
        let mut by_path: HashMap<&[u8], (u64, BTreeSet<usize>)> = HashMap::new();
        for copy in &self.copies {
            total = total.saturating_add(copy.bytes);
            let Some(gone_in) = copy.gone_in.filter(|_| copy.bytes > 0) else { continue };
            wasted = wasted.saturating_add(copy.bytes);
            let (bytes, layers) = by_path.entry(copy.path).or_default();
            *bytes = bytes.saturating_add(copy.bytes);
            layers.extend([copy.layer, gone_in]);
        }
        let mut files: Vec<WastedFile> = by_path
            .into_iter()
            .map(|(path, (bytes, layers))| WastedFile {
                path: format!("/{}", String::from_utf8_lossy(path)),
                bytes,
                layers: layers.into_iter().collect(),
            })
            .collect();
        files.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
        let efficiency = if total == 0 { 1.0 } else { (total - wasted.min(total)) as f64 / total as f64 };
        Waste { efficiency, wasted, files }
    }
}

#[cfg(test)]
mod tests {
    use super::{Files, Kind, waste};

    /// A layer a line: `path=bytes`, `path/` a folder, `path->target` a link, `path` something without bytes.
    fn check(layers: &str, wasted: &str) {
        let layers: Vec<Files> = layers.trim().lines().map(layer).collect();
        let found = waste(&layers.iter().collect::<Vec<_>>());
        let shown: Vec<String> =
            found.files.iter().map(|file| format!("{}={} {:?}", file.path, file.bytes, file.layers)).collect();
        assert_eq!(shown.join("; "), wasted);
        assert_eq!(found.wasted, found.files.iter().map(|file| file.bytes).sum::<u64>());
        let total: u64 = layers.iter().map(Files::bytes).sum();
        let efficiency = if total == 0 { 1.0 } else { (total - found.wasted) as f64 / total as f64 };
        assert!((found.efficiency - efficiency).abs() < 1e-9);
    }

    fn layer(line: &str) -> Files {
        let mut res = Files::default();
        for word in line.split_whitespace() {
            if let Some((path, bytes)) = word.split_once('=') {
                res.add(path.as_bytes(), Kind::File(bytes.parse().expect("bytes")), b"");
            } else if let Some((path, target)) = word.split_once("->") {
                res.add(path.as_bytes(), Kind::Link, target.as_bytes());
            } else if let Some(path) = word.strip_suffix('/') {
                res.add(path.as_bytes(), Kind::Folder, b"");
            } else {
                res.add(word.as_bytes(), Kind::Other, b"");
            }
        }
        res
    }

    #[test]
    fn a_file_that_is_written_again_is_wasted_below() {
        check("a=10 b=1\na=20", "/a=10 [0, 1]");
        check("a=10\na=20\na=5", "/a=30 [0, 1, 2]");
    }

    #[test]
    fn a_file_that_is_removed_later_is_wasted() {
        check("d/a=10 d/b=2 da=1\nd/.wh.a", "/d/a=10 [0, 1]");
        check("d/a=10 d/b=2 da=1\nx\n.wh.d", "/d/a=10 [0, 2]; /d/b=2 [0, 2]");
        check("d/a=10\nd/.wh..wh..opq d/c=3", "/d/a=10 [0, 1]");
        check("d/a=10\nd/a=4 d/.wh..wh..opq", "/d/a=10 [0, 1]");
        check("a=10\n.wh..wh..opq b=1", "/a=10 [0, 1]");
        check("a=10\n.wh..wh.plnk", "");
    }

    #[test]
    fn what_takes_the_place_of_a_file_or_folder_hides_it() {
        check("a=10\na/ a/b=1", "/a=10 [0, 1]");
        check("a/ a/b=10\na=1", "/a/b=10 [0, 1]");
        check("a=10\na", "/a=10 [0, 1]");
        check("a/ a/b=10\na/", "");
    }

    #[test]
    fn a_file_with_another_name_is_still_shown() {
        check("a=10 b->a\n.wh.a", "");
        check("a=10 b->a\n.wh.a\n.wh.b", "/a=10 [0, 2]");
        check("a=10\nb->nowhere", "");
    }

    #[test]
    fn an_image_without_files_is_efficient() {
        check("d/\nd/", "");
    }
}

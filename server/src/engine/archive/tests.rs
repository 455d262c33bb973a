//! Archives of images, sound and hostile, made here.

use std::fmt::Write as _;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tar::{Builder, EntryType, Header};

use crate::engine::archive::stream;
use crate::engine::{Budget, Image, layout};
use crate::model::Platform;

fn header(path: &str, kind: EntryType, size: u64) -> Header {
    let mut res = Header::new_gnu();
    res.set_path(path).expect("a short path");
    res.set_entry_type(kind);
    res.set_size(size);
    res.set_mode(0o644);
    res.set_cksum();
    res
}

/// An archive of these files.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut res = Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = header("x", EntryType::Regular, bytes.len() as u64);
        res.append_data(&mut header, path, *bytes).expect("memory");
    }
    res.into_inner().expect("memory")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut res = GzEncoder::new(Vec::new(), Compression::fast());
    res.write_all(bytes).expect("memory");
    res.finish().expect("memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

const CONFIG: &str = r#"{"config":{"Shell":["/bin/ash","-c"]},"history":[{"created_by":"base"},
    {"created_by":"ENV A=b","empty_layer":true},{"created_by":"RUN /bin/ash -c x # buildkit","comment":"c"}]}"#;

/// Two layers: `a` of 3 bytes, and `a` again of 5 with `b` of 7.
fn layers() -> [Vec<u8>; 2] {
    [archive(&[("./a", b"123")]), archive(&[("a", b"12345"), ("b", b"1234567")])]
}

fn read(bytes: &[u8]) -> Result<Image, String> {
    stream(bytes, &Platform::default(), Budget::default()).map_err(|error| format!("{error:#}"))
}

fn saved(layers: [&[u8]; 2]) -> Vec<u8> {
    let manifest = r#"[{"Config":"c.json","RepoTags":["app:1"],"Layers":["1/layer.tar","2/layer.tar"]}]"#;
    archive(&[
        ("1/layer.tar", layers[0]),
        ("2/layer.tar", layers[1]),
        ("c.json", CONFIG.as_bytes()),
        ("manifest.json", manifest.as_bytes()),
    ])
}

/// What is shown of an image in these tests: bytes unpacked and pulled of each entry, and the waste.
fn shown(image: &Image) -> String {
    let mut res = String::new();
    for entry in &image.built.entries {
        let pull = if entry.pull.is_some() { " packed" } else { "" };
        let _ = write!(res, "{}={}{pull} ", entry.created_by.split(' ').next().unwrap_or_default(), entry.unpacked);
    }
    let _ = write!(res, "wasted={}", image.waste.wasted);
    res
}

#[test]
fn an_archive_of_docker_save_has_history_layers_and_shell() {
    let [lower, upper] = layers();
    let image = read(&saved([&lower, &upper])).expect("an image");
    assert_eq!(shown(&image), "base=3 ENV=0 RUN=12 wasted=3");
    assert_eq!(image.built.shell, ["/bin/ash", "-c"]);
    assert_eq!(image.waste.files[0].layers, [0, 1]);
}

#[test]
fn packed_layers_tell_what_is_pulled() {
    let [lower, upper] = layers();
    let image = read(&saved([&gzip(&lower), &zstd(&upper)])).expect("an image");
    assert_eq!(shown(&image), "base=3 packed ENV=0 RUN=12 packed wasted=3");
    assert_eq!(image.built.entries[0].pull, Some(gzip(&lower).len() as u64));
}

#[test]
fn several_frames_of_zstd_are_one_layer() {
    let [lower, upper] = layers();
    let (first, second) = upper.split_at(700);
    let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let packed = [&skipped[..], &zstd(first), &skipped, &zstd(second)].concat();
    assert_eq!(shown(&read(&saved([&lower, &packed])).expect("an image")), "base=3 ENV=0 RUN=12 packed wasted=3");
}

fn index(platforms: &[&str]) -> Vec<u8> {
    let [lower, upper] = layers();
    let (lower, upper) = (gzip(&lower), gzip(&upper));
    let manifest = r#"{"config":{"digest":"sha256:cc"},"layers":[{"digest":"sha256:11"},{"digest":"sha256:22"}]}"#;
    let entries: Vec<String> = platforms
        .iter()
        .map(|platform| {
            let (os, arch) = platform.split_once('/').expect("a platform");
            let digest = if *platform == "unknown/unknown" { "sha256:0a" } else { "sha256:aa" };
            format!(r#"{{"digest":"{digest}","platform":{{"os":"{os}","architecture":"{arch}"}}}}"#)
        })
        .collect();
    let inner = format!(r#"{{"manifests":[{}]}}"#, entries.join(","));
    archive(&[
        ("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#),
        ("index.json", br#"{"manifests":[{"digest":"sha256:ee"}]}"#),
        ("blobs/sha256/ee", inner.as_bytes()),
        ("blobs/sha256/aa", manifest.as_bytes()),
        ("blobs/sha256/cc", CONFIG.as_bytes()),
        ("blobs/sha256/11", &lower),
        ("blobs/sha256/22", &upper),
    ])
}

#[test]
fn an_oci_index_leads_to_the_image_of_the_platform() {
    let found = "base=3 packed ENV=0 RUN=12 packed wasted=3";
    assert_eq!(shown(&read(&index(&["linux/amd64", "unknown/unknown"])).expect("an image")), found);
    assert_eq!(shown(&read(&index(&["linux/arm64"])).expect("the only image")), found);
    assert_eq!(shown(&read(&index(&["linux/arm64", "linux/amd64"])).expect("an image")), found);
    let error = read(&index(&["linux/arm64", "linux/s390x"])).expect_err("neither is wanted");
    assert_eq!(error, "there is no image for linux/amd64 in it");
    assert_eq!(read(&index(&["unknown/unknown"])).expect_err("an attestation"), "there is no image in it");
}

#[test]
fn a_layout_may_be_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    tar::Archive::new(index(&["linux/amd64"]).as_slice()).unpack(folder.path()).expect("it unpacks");
    let image = layout::read(folder.path(), &Platform::default()).expect("an image");
    assert_eq!(shown(&image), "base=3 packed ENV=0 RUN=12 packed wasted=3");
}

#[cfg(unix)]
#[test]
fn nothing_outside_of_the_folder_of_a_layout_is_read() {
    let above = tempfile::tempdir().expect("a folder");
    std::fs::write(above.path().join("secret"), "{}").expect("a file");
    let folder = above.path().join("layout");
    std::fs::create_dir_all(folder.join("blobs/sha256")).expect("a folder");
    let read = || layout::read(&folder, &Platform::default()).map_err(|error| format!("{error:#}"));
    std::fs::write(folder.join("manifest.json"), r#"[{"Config":"../secret","Layers":[]}]"#).expect("a file");
    assert_eq!(read().expect_err("it leads out"), "../secret leads out of the folder");
    std::fs::remove_file(folder.join("manifest.json")).expect("it was there");
    std::fs::write(folder.join("index.json"), r#"{"manifests":[{"digest":"sha256:../../secret"}]}"#).expect("a file");
    assert_eq!(read().expect_err("it leads out"), "`sha256:../../secret` is no digest");
    std::fs::write(folder.join("index.json"), r#"{"manifests":[{"digest":"sha256:aa"}]}"#).expect("a file");
    std::os::unix::fs::symlink("../../../secret", folder.join("blobs/sha256/aa")).expect("a link");
    assert!(read().expect_err("a link").ends_with("blobs/sha256/aa is a symbolic link"));
}

#[test]
fn links_of_old_archives_lead_to_the_layer() {
    let [lower, _] = layers();
    let mut res = Builder::new(Vec::new());
    let manifest = br#"[{"Config":"c.json","Layers":["1/layer.tar","2/layer.tar"]}]"#;
    for (path, bytes) in [("1/layer.tar", lower.as_slice()), ("c.json", CONFIG.as_bytes()), ("manifest.json", manifest)]
    {
        res.append_data(&mut header("x", EntryType::Regular, bytes.len() as u64), path, bytes).expect("memory");
    }
    let mut link = header("2/layer.tar", EntryType::Symlink, 0);
    res.append_link(&mut link, "2/layer.tar", "../1/layer.tar").expect("memory");
    let image = read(&res.into_inner().expect("memory")).expect("an image");
    assert_eq!(shown(&image), "base=3 ENV=0 RUN=3 wasted=3");
}

fn check(bytes: &[u8], expected: &str) {
    let error = read(bytes).expect_err("it is hostile");
    assert!(error.contains(expected), "{error}");
}

#[test]
fn what_is_no_archive_is_said_to_be_none() {
    check(b"", "neither manifest.json nor index.json");
    check(b"FROM a\n", "it ends in the middle of a header");
    check(&[b'x'; 2000], "not a tar archive");
    check(&archive(&[("readme", b"hello")]), "neither manifest.json nor index.json");
    check(&archive(&[("manifest.json", b"[]")]), "there is no image in it");
    check(&archive(&[("manifest.json", b"{\"a\": 1")]), "manifest.json cannot be read");
    check(&archive(&[("index.json", br#"{"manifests":[{"digest":"sha256:aa"}]}"#)]), "blobs/sha256/aa is not in it");
}

#[test]
fn an_archive_that_is_cut_off_is_an_error_wherever_it_is_cut() {
    let [lower, upper] = layers();
    let whole = saved([&gzip(&lower), &upper]);
    // The last file is in the third block from the end; the two behind it say nothing.
    let end = whole.len() - 3 * 512;
    for at in (0..end).step_by(97) {
        let error = read(&whole[..at]);
        assert!(error.is_err(), "cut at {at}: {error:?}");
    }
}

#[test]
fn a_layer_that_is_cut_off_or_broken_is_named() {
    let [lower, upper] = layers();
    let packed = gzip(&upper);
    check(&saved([&lower, &packed[..packed.len() - 6]]), "2/layer.tar: the layer cannot be read");
    let mut broken = zstd(&upper);
    broken.truncate(40);
    check(&saved([&lower, &broken]), "2/layer.tar: the layer cannot be read");
    check(&saved([&lower, b"no tar at all, not even a block"]), "2/layer.tar: the layer cannot be read");
    check(&saved([b"[]", &upper]), "1/layer.tar: it is a text, not a layer");
}

#[test]
fn a_path_that_leads_out_of_a_layer_is_refused() {
    let mut evil = header("xx/etc/passwd", EntryType::Regular, 0);
    evil.as_mut_bytes()[..2].copy_from_slice(b"..");
    evil.set_cksum();
    let layer = [evil.as_bytes().as_slice(), &[0; 1024]].concat();
    let [lower, _] = layers();
    check(&saved([&lower, &layer]), "a path leads out of it: ../etc/passwd");
}

/// An endless run of zeros behind a header that promises them.
#[test]
fn a_size_that_is_a_lie_costs_nothing() {
    let huge = header("a", EntryType::Regular, u64::MAX / 2);
    let [lower, _] = layers();
    check(&saved([&lower, huge.as_bytes()]), "it ends in the middle of a file");
    check(huge.as_bytes(), "it ends in the middle of a file");
    let name = header("a", EntryType::GNULongName, 1 << 40);
    check(name.as_bytes(), "a name in it is 1099511627776 bytes long");
    let pax = header("a", EntryType::XHeader, 1 << 40);
    check(pax.as_bytes(), "a name in it is 1099511627776 bytes long");
}

#[test]
fn a_bomb_is_not_unpacked_to_its_end() {
    let zeros = header("a", EntryType::Regular, 1 << 40);
    let bomb = gzip(&[zeros.as_bytes().as_slice(), &vec![0; 1 << 20]].concat());
    let manifest = r#"[{"Config":"c.json","Layers":["1/layer.tar"]}]"#;
    let archive = archive(&[("1/layer.tar", &bomb), ("c.json", b"{}"), ("manifest.json", manifest.as_bytes())]);
    let budget = Budget { unpacked: 1 << 19, ..Budget::default() };
    let error = stream(archive.as_slice(), &Platform::default(), budget).expect_err("a bomb");
    assert!(format!("{error:#}").contains("decompression bomb"), "{error:#}");
}

#[test]
fn more_files_names_or_texts_than_an_image_has_are_an_error() {
    let [lower, upper] = layers();
    let image = saved([&lower, &upper]);
    let with = |budget: Budget| {
        let error = stream(image.as_slice(), &Platform::default(), budget).expect_err("it is too much");
        format!("{error:#}")
    };
    assert_eq!(with(Budget { members: 3, ..Budget::default() }), "it has too many files to be an image");
    assert_eq!(with(Budget { names: 20, ..Budget::default() }), "it has too long names to be an image");
    assert_eq!(with(Budget { texts: 20, ..Budget::default() }), "it has too many manifests to be an image");
}

#[test]
fn a_history_of_more_layers_than_there_are_is_an_error() {
    let manifest = r#"[{"Config":"c.json","Layers":[]}]"#;
    let archive = archive(&[("c.json", CONFIG.as_bytes()), ("manifest.json", manifest.as_bytes())]);
    check(&archive, "its history speaks of 2 layers, it has 0");
}

#[test]
fn several_images_in_one_archive_are_told_apart_by_nobody() {
    let manifest = r#"[{"Config":"c","RepoTags":["a:1"],"Layers":[]},{"Config":"d","RepoTags":null,"Layers":[]}]"#;
    check(&archive(&[("manifest.json", manifest.as_bytes())]), "there are 2 images in it (a:1, d): save one alone");
}

/// Arbitrary changes to sound archives give an image or an error.
#[test]
fn nothing_that_is_changed_in_an_archive_panics() {
    let [lower, upper] = layers();
    let sound = [saved([&gzip(&lower), &upper]), saved([&zstd(&lower), &upper]), index(&["linux/amd64"])];
    arbtest::arbtest(|arbitrary| {
        let mut bytes = arbitrary.choose(&sound)?.clone();
        for _ in 0..arbitrary.int_in_range(1..=4)? {
            let at = arbitrary.choose_index(bytes.len())?;
            bytes[at] = arbitrary.arbitrary()?;
        }
        let _ = read(&bytes);
        Ok(())
    });
}

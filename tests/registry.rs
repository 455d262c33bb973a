//! Registries: a real one with images that the test puts there, hostile ones, and that nothing is sent unasked.

mod client;
mod folder;
#[path = "registry/real.rs"]
mod real;
#[path = "registry/server.rs"]
mod server;

#[path = "registry/editor.rs"]
mod editor;
#[path = "registry/hostile.rs"]
mod hostile;
#[path = "registry/offline.rs"]
mod offline;

use std::fs;
use std::path::Path;

use folder::{Folder, Run};
use real::{Real, SAILOR};
use serde_json::Value;
use server::{DOCKER, Image, OCI, Server, Shelf, index, reply};

/// The `base` object of an image that was looked up.
fn base(run: &Run) -> Value {
    assert_eq!(run.code, 0, "{run:?}");
    run.json()["images"][0].clone()
}

fn look_up(folder: &Folder, image: &str, more: &[&str]) -> Run {
    folder.run(&[&["images", "look-up", "--online", "--format", "json", image], more].concat())
}

fn assert_unknown(base: &Value) {
    assert_eq!(base["pull"], Value::Null);
    assert_eq!(base["basis"], "unknown");
}

#[test]
fn an_image_weighs_what_its_layers_do_whatever_the_media_types() {
    let Some(registry) = Real::start(false) else { return };
    let folder = Folder::with(&[]);
    for (name, family) in [("oci", OCI), ("docker", DOCKER)] {
        let repository = format!("team/{name}");
        registry.push(&repository, Some("1.0"), &Image::of(family, "linux/amd64", &[120_000, 3_456]));
        let base = base(&look_up(&folder, &format!("{}/{repository}:1.0", registry.host()), &[]));
        assert_eq!(base["basis"], "registry");
        for end in ["low", "likely", "high"] {
            assert_eq!(base["pull"][end], 123_456, "{base:#}");
        }
        let source = base["pull"]["source"].as_str().expect("a source");
        assert_eq!(source, format!("registry, {}", base["date"].as_str().expect("a day")));
        // What it is unpacked is the usual ratio's word.
        assert_eq!(base["unpacked"]["basis"], "relative");
        assert!(base["unpacked"]["likely"].as_u64() > Some(123_456));
    }
    let text = folder.run(&["images", "look-up", "--online", &format!("{}/team/oci:1.0", registry.host())]);
    assert!(text.out.contains("pull 123 kB, unpacked about 310 kB (registry, "), "{text:?}");
}

#[test]
fn an_index_gives_the_image_of_the_platform_or_says_which_there_are() {
    let Some(registry) = Real::start(false) else { return };
    let folder = Folder::with(&[]);
    for (name, family) in [("oci", OCI), ("docker", DOCKER)] {
        let repository = format!("team/{name}");
        let images: Vec<(&str, Image)> = ["linux/amd64", "linux/arm/v7", "linux/arm64/v8", "unknown/unknown"]
            .into_iter()
            .zip([1_000, 2_000, 3_000, 40_000])
            .map(|(platform, bytes)| {
                let family = if platform.starts_with("unknown") { OCI } else { family };
                (platform, Image::of(family, platform, &[bytes]))
            })
            .collect();
        images.iter().for_each(|(_, image)| registry.push(&repository, None, image));
        // The attestation stands first, as no platform's image.
        let named: Vec<(&str, &Image)> = images.iter().rev().map(|(platform, image)| (*platform, image)).collect();
        registry.push_manifest(&repository, "2", family[1], &index(family, &named));
        let image = format!("{}/{repository}:2", registry.host());
        let weight = |platform: &str| {
            let base = base(&look_up(&folder, &image, &["--platform", platform]));
            (base["pull"]["likely"].as_u64(), base["platform"].as_str().map(str::to_owned))
        };
        assert_eq!(weight("linux/amd64"), (Some(1_000), Some("linux/amd64".to_owned())));
        assert_eq!(weight("linux/arm/v7"), (Some(2_000), Some("linux/arm/v7".to_owned())));
        assert_eq!(weight("linux/arm64"), (Some(3_000), Some("linux/arm64".to_owned())));

        let other = look_up(&folder, &image, &["--platform", "linux/s390x"]);
        assert_unknown(&base(&other));
        let words = "there is none for linux/s390x; there are: linux/arm64, linux/arm/v7, linux/amd64";
        assert!(other.err.contains(words), "{other:?}");
    }
}

#[test]
fn an_image_without_an_index_is_no_other_platforms_either() {
    let Some(registry) = Real::start(false) else { return };
    let folder = Folder::with(&[]);
    registry.push("app", Some("1"), &Image::of(OCI, "linux/arm64", &[1_000]));
    let image = format!("{}/app:1", registry.host());
    let run = look_up(&folder, &image, &[]);
    assert_unknown(&base(&run));
    assert!(run.err.contains("there is none for linux/amd64; there are: linux/arm64"), "{run:?}");
    assert_eq!(base(&look_up(&folder, &image, &["--platform", "linux/arm64"]))["pull"]["likely"], 1_000);
}

#[test]
fn what_was_asked_once_is_known_without_the_registry() {
    let Some(registry) = Real::start(false) else { return };
    let folder = Folder::with(&[]);
    let image = Image::of(OCI, "linux/amd64", &[1_000]);
    registry.push("app", Some("1"), &image);
    let tag = format!("{}/app:1", registry.host());
    let pinned = format!("{}/app@{}", registry.host(), server::digest(&image.manifest));
    let other = format!("{}/app:2", registry.host());
    assert_eq!(base(&look_up(&folder, &tag, &[]))["pull"]["likely"], 1_000);
    let missing = look_up(&folder, &other, &[]);
    assert!(missing.err.contains("the registry does not have it (404)"), "{missing:?}");
    drop(registry);
    for image in [&tag, &pinned] {
        let run = look_up(&folder, image, &[]);
        assert_eq!(base(&run)["pull"]["likely"], 1_000);
        assert_eq!(run.err, "");
    }
    let host = tag.split('/').next().expect("a host");
    let third = look_up(&folder, &format!("{host}/app:3"), &[]);
    assert!(third.err.contains("it cannot be reached"), "{third:?}");
    let fourth = look_up(&folder, &format!("{host}/app:4"), &[]);
    assert!(fourth.err.contains(&format!("{host} is left alone for 60 min")), "{fourth:?}");
}

#[test]
fn the_weight_of_a_private_base_is_known_online_and_only_then() {
    let Some(registry) = Real::start(false) else { return };
    registry.push("base", Some("1-alpine"), &Image::of(OCI, "linux/amd64", &[2_000_000]));
    let folder = Folder::of(&format!("FROM {}/base:1-alpine\nRUN true\n", registry.host()));
    let base_of = |arguments: &[&str]| {
        let run = folder.run(&[arguments, &["size", "--format", "json", "Dockerfile"]].concat());
        run.json()["files"][0]["stages"][0]["base"].clone()
    };
    assert_unknown(&base_of(&[]));
    let asked = folder.run(&["size", "--online", "--format", "json", "Dockerfile"]);
    let asked = &asked.json()["files"][0]["stages"][0]["base"];
    assert_eq!((&asked["basis"], &asked["pull"]["likely"]), (&Value::from("registry"), &Value::from(2_000_000)));
    let text = folder.run(&["check", "--online", "Dockerfile"]);
    assert!(text.out.contains("pulled as about 2 MB"), "{text:?}");
    assert!(folder.run(&["fix", "--online", "--diff", "Dockerfile"]).code == 0);
    // It is remembered, and not used without leave.
    assert_unknown(&base_of(&[]));
}

/// Writes the user's own settings.
fn settings(folder: &Folder, text: &str) {
    folder.write("../home/.config/plimsoll/plimsoll.toml", text.as_bytes());
}

#[test]
fn the_users_settings_say_whom_to_ask_and_a_workspace_only_narrows_them() {
    let Some(registry) = Real::start(false) else { return };
    registry.push("base", Some("1"), &Image::of(OCI, "linux/amd64", &[2_000]));
    let folder = Folder::of(&format!("FROM {}/base:1\n", registry.host()));
    let basis = || {
        let run = folder.run(&["size", "--format", "json", "Dockerfile"]);
        run.json()["files"][0]["stages"][0]["base"]["basis"].as_str().map(str::to_owned)
    };
    let expect = |expected: &str| assert_eq!(basis().as_deref(), Some(expected));
    settings(&folder, "[registry]\nenabled = true\n");
    expect("registry");
    settings(&folder, "[registry]\nenabled = true\ndeny = [\"127.0.0.1\"]\n");
    expect("unknown");
    settings(&folder, "[registry]\nenabled = true\nallow = [\"docker.io\"]\n");
    expect("unknown");
    settings(&folder, &format!("[registry]\nenabled = true\nallow = [\"{}\"]\n", registry.host()));
    expect("registry");
    folder.write("plimsoll.toml", b"[registry]\nenabled = false\n");
    expect("unknown");
    settings(&folder, "");
    folder.write("plimsoll.toml", b"[registry]\nenabled = true\n");
    expect("unknown");
}

#[test]
fn a_guarded_registry_is_shown_what_docker_knows_of_it() {
    let Some(registry) = Real::start(true) else { return };
    registry.push("secret", Some("1"), &Image::of(OCI, "linux/amd64", &[5_000]));
    let image = format!("{}/secret:1", registry.host());
    let ask = |config: Option<String>, path: Option<&Path>| {
        let folder = Folder::with(&[]);
        let mut command = folder.command(&["images", "look-up", "--online", "--format", "json", &image]);
        if let Some(config) = config {
            folder.write("docker/config.json", config.as_bytes());
            command.env("DOCKER_CONFIG", folder.path("docker"));
        }
        if let Some(path) = path {
            command.env("PATH", format!("{}:/usr/bin:/bin", path.display()));
        }
        let output = command.output().expect("the program runs");
        let err = String::from_utf8(output.stderr).expect("UTF-8");
        let out: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (out["images"][0]["pull"]["likely"].as_u64(), err)
    };
    let (weight, err) = ask(None, None);
    assert_eq!(weight, None);
    assert!(err.contains("the registry does not show it to us (401)"), "{err}");

    let named = |host: &str| format!("{{\"auths\": {{\"{host}\": {{\"auth\": \"{SAILOR}\"}}}}}}");
    assert_eq!(ask(Some(named(&registry.host())), None), (Some(5_000), String::new()));
    let (weight, err) = ask(Some(named("other.example")), None);
    assert!(weight.is_none() && err.contains("(401)"), "{err}");
    let (weight, _) = ask(Some(named(&registry.host()).replace(SAILOR, "c2FpbG9yOndyb25n")), None);
    assert_eq!(weight, None);

    let programs = tempfile::tempdir().expect("a folder");
    let helper = programs.path().join("docker-credential-locker");
    let script = "#!/bin/sh\ncat > \"$0.asked\"\necho '{\"Username\": \"sailor\", \"Secret\": \"secret-word\"}'\n";
    fs::write(&helper, script).expect("a file");
    make_executable(&helper);
    let by_helper = |host: &str| format!("{{\"credHelpers\": {{\"{host}\": \"locker\"}}}}");
    let asked = programs.path().join("docker-credential-locker.asked");
    let (weight, _) = ask(Some(by_helper("other.example")), Some(programs.path()));
    assert!(weight.is_none() && !asked.exists(), "a helper is run for its own registry alone");
    let (weight, _) = ask(Some(by_helper(&registry.host())), Some(programs.path()));
    assert_eq!(weight, Some(5_000));
    assert_eq!(fs::read_to_string(&asked).expect("it was run"), registry.host());

    // The store of all credentials, for a registry that somebody logged in to.
    let stored = format!("{{\"auths\": {{\"{}\": {{}}}}, \"credsStore\": \"locker\"}}", registry.host());
    let (weight, _) = ask(Some(stored), Some(programs.path()));
    assert_eq!(weight, Some(5_000));
}

#[cfg(unix)]
fn make_executable(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("it is ours");
}

#[cfg(not(unix))]
fn make_executable(_: &Path) {}

#[test]
fn an_encrypted_registry_is_believed_if_its_certificate_is() {
    let Some(registry) = Real::start(false) else { return };
    let Some(encrypted) = registry.encrypted() else { return };
    registry.push("app", Some("1"), &Image::of(OCI, "linux/amd64", &[9_000]));
    // This machine is spoken to without encryption, and may lead to an address with it.
    let elsewhere = encrypted.host();
    let server = Server::start(move |request, stream| {
        let place = format!("https://{elsewhere}{}", request.path);
        reply(stream, "307 Temporary Redirect", &[("Location", &place)], b"");
    });
    let ask = |authority: &str| {
        let folder = Folder::with(&[]);
        let image = format!("{}/app:1", server.host());
        let mut command = folder.command(&["images", "look-up", "--online", "--format", "json", &image]);
        let output = command.env("SSL_CERT_FILE", authority).output().expect("the program runs");
        let out: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (out["images"][0]["pull"]["likely"].as_u64(), String::from_utf8(output.stderr).expect("UTF-8"))
    };
    assert_eq!(ask(real::AUTHORITY), (Some(9_000), String::new()));
    let (weight, err) = ask("/nowhere.pem");
    assert!(weight.is_none() && err.contains("it cannot be reached: "), "{err}");
}

#[test]
fn a_newer_table_counts_from_the_next_run_on() {
    let Some(registry) = Real::start(false) else { return };
    let folder = Folder::with(&[]);
    let images = [Image::of(DOCKER, "linux/amd64", &[7_000, 70]), Image::of(DOCKER, "linux/arm64", &[6_000])];
    images.iter().for_each(|image| registry.push("library/node", None, image));
    let named = [("linux/amd64", &images[0]), ("linux/arm64", &images[1])];
    registry.push_manifest("library/node", "22", DOCKER[1], &index(DOCKER, &named));
    registry.push("team/app", Some("1"), &images[0]);
    let app = format!("{}/team/app:1", registry.host());

    let run = folder.run(&["images", "update", "--mirror", &registry.host(), "node:22", &app]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert!(run.out.starts_with("3 rows of 2 images, now 3 in "), "{run:?}");
    let known = |image: &str, platform: &str| {
        base(&folder.run(&["images", "look-up", "--format", "json", "--platform", platform, image]))
    };
    let node = known("node:22", "linux/amd64");
    assert_eq!((&node["basis"], &node["pull"]["likely"]), (&Value::from("relative"), &Value::from(7_070)));
    assert_eq!(node["pull"]["basis"], "table");
    assert_eq!(node["pull"]["source"], format!("table, {}", node["date"].as_str().expect("a day")));
    assert_eq!(known("node:22", "linux/arm64")["pull"]["likely"], 6_000);
    assert_eq!(known(&app, "linux/amd64")["pull"]["likely"], 7_070);
    // The others are as before.
    assert!(known("node:24", "linux/amd64")["pull"]["likely"].as_u64() > Some(1_000_000));

    // What was there stays there, and another place can be named.
    let table = fs::read_to_string(folder.path("../home/.cache/plimsoll/base-images.tsv")).expect("the table");
    assert_eq!(table.lines().count(), 4, "{table}");
    fs::remove_dir_all(folder.path("../home/.cache")).expect("it is there");
    assert!(known("node:22", "linux/amd64")["pull"]["likely"].as_u64() > Some(1_000_000));
    folder.write("my.tsv", table.as_bytes());
    settings(&folder, &format!("size.data-file = \"{}\"\n", folder.path("my.tsv").display()));
    assert_eq!(known("node:22", "linux/amd64")["pull"]["likely"], 7_070);
}

#[test]
fn an_update_without_names_asks_for_what_still_moves_and_stops_when_it_is_told_to() {
    let image = Image::of(OCI, "linux/amd64", &[7_000]);
    let shelf = Shelf::default().with("library/node", "22", &image).with("library/node", "24", &image);
    let server = Server::start(move |request, stream| match request.path.contains("/library/node/") {
        true => shelf.reply(request, stream),
        false => reply(stream, "429 Too Many Requests", &[("Retry-After", "3600")], b""),
    });
    let folder = Folder::with(&[]);
    let run = folder.run(&["images", "update", "--mirror", &server.host()]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.starts_with("2 rows of "), "{run:?}");
    assert!(run.err.contains("warning: stopped after ") && run.err.contains("too many requests (429)"), "{run:?}");
    let n_other = server.requests().iter().filter(|it| !it.path.contains("/library/node/")).count();
    assert!((1..=4).contains(&n_other), "it stops within those that are under way: {n_other}");
    let n_requests = server.requests().len();
    let again = folder.run(&["images", "update", "--mirror", &server.host()]);
    assert!(again.err.contains(&format!("{} is left alone", server.host())), "{again:?}");
    assert_eq!(server.requests().len(), n_requests, "nothing is sent within the hour");
}

#[test]
fn what_is_no_image_is_refused() {
    let folder = Folder::with(&[]);
    for name in ["scratch", "Node", "a b", "node:20\nRUN x", "$BASE"] {
        let run = folder.run(&["images", "look-up", name]);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.err.contains("is no name of an image"), "{run:?}");
    }
}

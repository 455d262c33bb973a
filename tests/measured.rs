//! The layers of images that were really built, against what the engine itself says of them (`docker history`).
//!
//! BuildKit's layers weigh there what the files in their archives weigh. A layer that was unpacked from an archive
//! (imported, loaded or pulled) weighs the files on the disk, where a symbolic link has a length: the base of these tests.

mod client;
#[path = "engine/mod.rs"]
mod engine;
mod folder;

use std::fs;
use std::io::Read;
use std::path::Path;

use client::{Client, RECORDED, range, uri};
use engine::{Engine, engine};
use folder::{Folder, Run};
use serde_json::{Value, json};

/// Twelve instructions and more in the target, and the stages that it is made of.
const DOCKERFILE: &str = r#"# syntax=docker/dockerfile:1
FROM busybox AS build
WORKDIR /src
COPY seed.txt ./
RUN <<EOF
set -e
for i in 1 2 3 4 5 6 7 8; do cat seed.txt; done > out
cp out copy
EOF

FROM busybox AS base
ENV MODE=production
RUN head -c 50000 /dev/zero > /base.bin

FROM base
ARG REVISION=7
LABEL revision=$REVISION
WORKDIR /app/data
COPY --link --from=build /src/out /src/copy /app/
COPY <<one <<two /app/conf/
first
one
the second of two
two
RUN echo "revision $REVISION" > revision \
    # Nothing of this is in the history.
    && head -c 1234 /dev/zero > padding
RUN <<-SCRIPT
	cat /app/out > whole
	echo end >> whole
SCRIPT
RUN cat <<words > words && wc words
some words
words
COPY --chown=1:1 --chmod=644 assets ./assets
RUN ["cp", "words", "words copied"]
RUN rm /base.bin
RUN chmod 600 /app/out
USER 1
CMD ["cat", "/app/out"]
"#;

/// What of it made the image, in order: how each line begins.
const MADE: [&str; 16] = [
    "ENV MODE",
    "RUN head",
    "ARG",
    "LABEL",
    "WORKDIR /app",
    "COPY --link",
    "COPY <<one",
    "RUN echo",
    "RUN <<-SCRIPT",
    "RUN cat",
    "COPY --chown",
    "RUN [\"cp\"",
    "RUN rm",
    "RUN chmod",
    "USER",
    "CMD",
];

/// A line of a Dockerfile and its bytes.
type Figure = (u64, u64);

fn folder(dockerfile: &str) -> Folder {
    let seed = "0123456789abcdef".repeat(500);
    Folder::with(&[("Dockerfile", dockerfile), ("seed.txt", &seed), ("assets/a", "aaa"), ("assets/b/c", "some more")])
}

/// Runs `size` with this engine as the one that `DOCKER_HOST` names.
fn size(engine: &Engine, folder: &Folder, arguments: &[&str]) -> Run {
    let host = format!("unix://{}", engine.socket().display());
    let mut command = folder.command(&["size", "Dockerfile", "--format", "json"]);
    Run::of(&command.args(arguments).env("DOCKER_HOST", host).output().expect("the program runs"))
}

/// The same where nothing may be said beside the result.
fn measured(engine: &Engine, folder: &Folder, arguments: &[&str]) -> Value {
    let run = size(engine, folder, arguments);
    assert_eq!((run.code, &*run.err), (0, ""));
    run.json()
}

/// What the engine says of an image, from the lowest layer: who made it, and bytes.
fn history(engine: &Engine, image: &str) -> Vec<(String, u64)> {
    let lines = engine.docker(&["history", "--no-trunc", "--human=false", "--format", "{{json .}}", image]);
    let entry = |line: &str| {
        let entry: Value = serde_json::from_str(line).expect("JSON");
        let bytes = entry["Size"].as_str().and_then(|it| it.parse().ok()).expect("bytes");
        (entry["CreatedBy"].as_str().expect("a text").to_owned(), bytes)
    };
    let mut res: Vec<(String, u64)> = lines.lines().map(entry).collect();
    res.reverse();
    res
}

/// The lengths of all symbolic links in the test's busybox, which was imported from an archive.
fn lengths_of_links(engine: &Engine) -> u64 {
    let folder = tempfile::tempdir().expect("a folder");
    let saved = folder.path().join("image.tar");
    engine.docker(&["save", "-o", saved.to_str().expect("UTF-8"), "busybox"]);
    let mut archive = tar::Archive::new(fs::File::open(saved).expect("it was saved"));
    let layers = archive.entries().expect("an archive").map(|file| file.expect("a file"));
    let mut res = 0;
    for layer in layers.filter(|file| file.size() > 1_000_000) {
        for member in tar::Archive::new(layer).entries().expect("a layer") {
            let member = member.expect("a member");
            if member.header().entry_type().is_symlink() {
                res += member.link_name_bytes().expect("a target").len() as u64;
            }
        }
    }
    assert!(res > 0);
    res
}

fn line_of(dockerfile: &str, begin: &str) -> u64 {
    let at = dockerfile.lines().position(|line| line.starts_with(begin));
    at.unwrap_or_else(|| panic!("no line begins with {begin}")) as u64 + 1
}

/// All measured figures of some stages: of the base, and of each line that weighs something.
fn figures(json: &Value, stages: &[usize]) -> Vec<Figure> {
    let number = |value: &Value| value.as_u64().expect("a number");
    let mut res = Vec::new();
    for stage in stages {
        let stage = &json["files"][0]["stages"][stage];
        if !stage["base"]["image"].is_null() {
            assert_eq!(stage["base"]["basis"], "measured");
            res.push((number(&stage["line"]), number(&stage["base"]["unpacked"]["likely"])));
        }
        for layer in stage["layers"].as_array().expect("layers") {
            assert_eq!((&layer["basis"], &layer["measured"]), (&json!("measured"), &json!(true)), "{layer}");
            res.push((number(&layer["line"]), number(&layer["adds"]["likely"])));
        }
    }
    res.retain(|(_, bytes)| *bytes > 0);
    res
}

/// The same as the engine has it: what each line made on that line, all that is below on the FROM.
fn expected(engine: &Engine, image: &str, base: &str, dockerfile: &str, from: &str, made: &[&str]) -> Vec<Figure> {
    let all = history(engine, image);
    let (below, above) = all.split_at(all.len() - made.len());
    assert_eq!(below, history(engine, base), "what is below is the base's");
    let of_base = below.iter().map(|(_, bytes)| bytes).sum::<u64>() - lengths_of_links(engine);
    let mut res = vec![(line_of(dockerfile, from), of_base)];
    let lines = made.iter().map(|begin| line_of(dockerfile, begin));
    res.extend(lines.zip(above).map(|(line, (_, bytes))| (line, *bytes)).filter(|(_, bytes)| *bytes > 0));
    res
}

#[test]
fn every_byte_of_the_history_lies_on_the_instruction_that_made_it() {
    let Some(engine) = engine() else { return };
    let folder = folder(DOCKERFILE);
    engine.build(DOCKERFILE, &folder.path(""), "measured:one");
    let json = measured(engine, &folder, &["--image", "measured:one"]);
    let wanted = expected(engine, "measured:one", "busybox", DOCKERFILE, "FROM busybox AS base", &MADE);
    assert_eq!(figures(&json, &[1, 2]), wanted);
    assert!(wanted.len() >= 10, "{wanted:?}");
    // What is not of the image keeps its estimate.
    assert_ne!(json["files"][0]["stages"][0]["base"]["basis"], "measured");

    let image = &json["files"][0]["image"];
    let wasted = json!([
        {"path": "/app/out", "bytes": 64_000, "layers": [3, 11]},
        {"path": "/base.bin", "bytes": 50_000, "layers": [1, 10]},
    ]);
    assert_eq!((&image["wasted_files"], &image["wasted"]), (&wasted, &json!(114_000)));
    let total: u64 = wanted.iter().map(|(_, bytes)| bytes).sum();
    let efficiency = image["efficiency"].as_f64().expect("a number");
    assert!((efficiency - (total - 114_000) as f64 / total as f64).abs() < 1e-4, "{efficiency}");

    archives_say_the_same(engine, &folder, &wanted);
    only_what_was_changed_differs_after_a_rebuild(engine, &wanted);
    an_image_of_another_file_is_refused(engine);
}

/// Docker's store of new keeps layers packed, as they are pulled, and counts blocks on the disk.
#[test]
fn packed_layers_tell_also_what_is_pulled() {
    let Some(engine) = Engine::start("containerd") else { return };
    let folder = folder(DOCKERFILE);
    engine.build(DOCKERFILE, &folder.path(""), "measured:packed");
    let json = measured(&engine, &folder, &["--image", "measured:packed"]);
    let unpacked = figures(&json, &[1, 2]);
    let made = |begin: &str| {
        let line = line_of(DOCKERFILE, begin);
        unpacked.iter().find(|figure| figure.0 == line).map(|figure| figure.1)
    };
    assert_eq!(
        ["RUN head", "COPY --link", "RUN <<-SCRIPT", "RUN rm"].map(made),
        [Some(50_000), Some(128_000), Some(64_004), None]
    );

    let saved = folder.path("saved.tar");
    engine.docker(&["save", "-o", saved.to_str().expect("UTF-8"), "measured:packed"]);
    let output = |name: &str, options: &str| format!("type=oci,dest={}{options}", folder.path(name).display());
    for (name, options) in [("gzip.tar", ""), ("zstd.tar", ",compression=zstd,force-compression=true")] {
        let context = folder.path("");
        engine.build_with(DOCKERFILE, &context, "measured:exported", &["--output", &output(name, options)]);
    }
    for name in ["saved.tar", "gzip.tar", "zstd.tar"] {
        let json = measured(&engine, &folder, &["--archive", name]);
        assert_eq!(figures(&json, &[1, 2]), unpacked, "{name}");
        let mut pulled = 0;
        for stage in [1, 2] {
            let stage = &json["files"][0]["stages"][stage];
            let base = stage["base"]["image"].as_str().map(|_| &stage["base"]);
            for part in base.into_iter().chain(stage["layers"].as_array().expect("layers")) {
                assert_eq!(part["pull"]["basis"], "measured", "{name}: {part}");
                pulled += part["pull"]["likely"].as_u64().expect("bytes");
            }
        }
        // A WORKDIR makes an almost empty layer, which has no line.
        let packed = sizes_of_layers(&folder.path(name));
        assert!(pulled < packed && packed < pulled + 300, "{name}: {pulled} of {packed}");
    }
}

/// What the manifest in an OCI archive says that its layers weigh together.
fn sizes_of_layers(archive: &Path) -> u64 {
    let mut archive = tar::Archive::new(fs::File::open(archive).expect("it was written"));
    let mut texts = Vec::new();
    for file in archive.entries().expect("an archive") {
        let mut file = file.expect("a file");
        let mut text = String::new();
        if file.size() < 10_000 && file.read_to_string(&mut text).is_ok() {
            texts.extend(serde_json::from_str::<Value>(&text));
        }
    }
    let is_image = |text: &&Value| text["layers"].as_array().is_some_and(|layers| layers.len() > 3);
    let manifest = texts.iter().find(is_image).expect("a manifest");
    manifest["layers"].as_array().expect("layers").iter().map(|layer| layer["size"].as_u64().expect("bytes")).sum()
}

fn archives_say_the_same(engine: &Engine, folder: &Folder, wanted: &[Figure]) {
    let saved = folder.path("image.tar");
    engine.docker(&["save", "-o", saved.to_str().expect("UTF-8"), "measured:one"]);
    assert_eq!(figures(&measured(engine, folder, &["--archive", "image.tar"]), &[1, 2]), wanted);

    // Docker 28 saves an OCI layout that also has the manifest of old; without that it is the layout alone.
    let layout = folder.path("layout");
    tar::Archive::new(fs::File::open(&saved).expect("it was saved")).unpack(&layout).expect("it unpacks");
    fs::remove_file(layout.join("manifest.json")).expect("it was there");
    assert!(layout.join("index.json").exists() && layout.join("oci-layout").exists());
    assert_eq!(figures(&measured(engine, folder, &["--archive", "layout"]), &[1, 2]), wanted);

    let mut archive = tar::Builder::new(fs::File::create(folder.path("oci.tar")).expect("a file"));
    archive.append_dir_all(".", &layout).expect("it is written");
    archive.finish().expect("it is written");
    assert_eq!(figures(&measured(engine, folder, &["--archive", "oci.tar"]), &[1, 2]), wanted);
}

fn only_what_was_changed_differs_after_a_rebuild(engine: &Engine, before: &[Figure]) {
    let changed = DOCKERFILE.replace("head -c 1234", "head -c 4321");
    let folder = folder(&changed);
    let line = line_of(&changed, "RUN echo");
    // With the image of before, what was changed has its estimate again, and the others keep what was measured.
    let run = size(engine, &folder, &["--image", "measured:one"]);
    assert_eq!(
        (run.code, &*run.err),
        (0, &*format!("warning: line {line} is not what measured:one was built from: its weight is an estimate\n"))
    );
    for layer in run.json()["files"][0]["stages"][2]["layers"].as_array().expect("layers") {
        assert_eq!(layer["measured"], layer["line"] != line, "{layer}");
    }

    engine.build(&changed, &folder.path(""), "measured:two");
    let json = measured(engine, &folder, &["--image", "measured:two"]);
    let wanted = expected(engine, "measured:two", "busybox", &changed, "FROM busybox AS base", &MADE);
    assert_eq!(figures(&json, &[1, 2]), wanted);
    let differing: Vec<u64> = wanted.iter().zip(before).filter(|(now, old)| now != old).map(|(now, _)| now.0).collect();
    assert_eq!(differing, [line]);
}

fn an_image_of_another_file_is_refused(engine: &Engine) {
    let check = |dockerfile: &str, image: &str, wanted: &str| {
        let run = size(engine, &folder(dockerfile), &["--image", image]);
        assert!(run.code == 2 && run.err.contains(wanted), "{run:?}");
    };
    let other = "FROM busybox\nRUN echo something else\nCMD [\"sh\"]\n";
    check(other, "measured:one", "line 2 is `RUN echo something else`, its history has `USER 1`");
    check(other, "no-such-image", "No such image: no-such-image");
    // What the file lacks is not taken for the base's.
    check(
        "FROM busybox\nCMD [\"cat\", \"/app/out\"]\n",
        "measured:one",
        "before the first instruction it has `ENV MODE",
    );
}

#[test]
fn inherited_history_lies_on_the_from() {
    let Some(engine) = engine() else { return };
    let dockerfile = "FROM measured-base:1\nCOPY seed.txt /\nRUN cat /one > /three\nENTRYPOINT [\"sh\"]\n";
    let folder = folder(dockerfile);
    let base = "FROM busybox\nRUN head -c 70000 /dev/zero > /one\nENV A=b\nRUN head -c 900 /dev/zero > /two\n";
    engine.build(base, &folder.path(""), "measured-base:1");
    engine.build(dockerfile, &folder.path(""), "measured:inherited");
    let json = measured(engine, &folder, &["--image", "measured:inherited"]);
    let made = ["COPY", "RUN", "ENTRYPOINT"];
    let wanted = expected(engine, "measured:inherited", "measured-base:1", dockerfile, "FROM", &made);
    assert_eq!(figures(&json, &[0]), wanted);
    assert_eq!(wanted[1..], [(2, 8_000), (3, 70_000)]);
}

const SERVED: &str = "FROM busybox\nRUN head -c 3000000 /dev/zero > /a\nRUN head -c 4000000 /dev/zero > /b\n";

/// What the server says in a window, in which this stands.
fn window(client: &mut Client, wanted: &str) -> String {
    let is_wanted = |message: &Value| {
        let said = message["params"]["message"].as_str();
        message["method"] == "window/showMessage" && said.is_some_and(|said| said.contains(wanted))
    };
    client.wait(is_wanted)["params"]["message"].as_str().expect("a text").to_owned()
}

fn measure(client: &mut Client, arguments: &Value) {
    let params = json!({"command": "plimsoll.measure", "arguments": arguments});
    let answer = client.request("workspace/executeCommand", params);
    assert!(answer["result"].is_null() && answer.get("error").is_none(), "{answer}");
}

/// The labels of the hints, each with its line counting from 1.
fn hints(client: &mut Client, uri: &str) -> Vec<(u64, String)> {
    let range = json!({"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}});
    let answer = client.request("textDocument/inlayHint", json!({"textDocument": {"uri": uri}, "range": range}));
    let hints = answer["result"].as_array().unwrap_or_else(|| panic!("hints, not {answer}")).iter();
    let line = |hint: &Value| hint["position"]["line"].as_u64().expect("a line") + 1;
    hints.map(|hint| (line(hint), hint["label"].as_str().expect("a label").to_owned())).collect()
}

fn open(client: &mut Client, uri: &str, text: &str) {
    let document = json!({"uri": uri, "languageId": "dockerfile", "version": 1, "text": text});
    client.notify("textDocument/didOpen", json!({"textDocument": document}));
    client.wait(|message| message["method"] == "textDocument/publishDiagnostics");
}

#[test]
fn the_editor_measures_with_the_last_build() {
    let Some(engine) = engine() else { return };
    let context = folder(SERVED);
    engine.build(SERVED, &context.path(""), "measured:served");
    engine.build("FROM busybox\nRUN echo newer > /newer\n", &context.path(""), "measured:newer");
    for (recorded, by_name) in RECORDED.into_iter().zip([false, true, false]) {
        let home = tempfile::tempdir().expect("a folder");
        let options = json!({"engine": {"socket": engine.socket()}});
        let (mut client, server) = Client::greet(home.path(), recorded.capabilities(), options);
        assert_eq!(server["executeCommandProvider"]["commands"], json!(["plimsoll.measure"]));
        let uri = uri(&home.path().join("Dockerfile"));
        open(&mut client, &uri, SERVED);
        // Helix sends no arguments at all.
        measure(&mut client, &if by_name { json!([uri, "measured:served"]) } else { json!([]) });
        if recorded.capabilities()["window"]["workDoneProgress"] == true {
            client.wait(|message| message["method"] == "window/workDoneProgress/create");
            client.wait(|message| message["params"]["value"]["kind"] == "begin");
            client.wait(|message| message["params"]["value"]["kind"] == "end");
        }
        assert_eq!(window(&mut client, "easured"), "Measured with measured:served.", "{}", recorded.name);
        let shown = hints(&mut client, &uri);
        for figure in [(2, "+ 3.00 MB"), (3, "+ 4.00 MB")] {
            assert!(shown.contains(&(figure.0, figure.1.to_owned())), "{}: {shown:?}", recorded.name);
        }

        // A figure holds until its text changes.
        let at = range(SERVED, "/b", recorded.encoding);
        let document = json!({"uri": uri, "version": 2});
        let changes = json!([{"range": at, "text": "/c"}]);
        client.notify("textDocument/didChange", json!({"textDocument": document, "contentChanges": changes}));
        let shown = hints(&mut client, &uri);
        assert!(shown.contains(&(2, "+ 3.00 MB".to_owned())) && !shown.contains(&(3, "+ 4.00 MB".to_owned())));

        measure(&mut client, &json!([null, "measured:newer"]));
        let said = window(&mut client, "Nothing was measured");
        assert!(said.contains("nothing in its history is") || said.contains("its history has"), "{said}");
        assert_eq!(client.leave(), Some(0), "{}", recorded.name);
    }
}

#[test]
fn no_engine_is_asked_that_the_user_did_not_name() {
    let home = tempfile::tempdir().expect("a folder");
    fs::write(home.path().join("plimsoll.toml"), "[engine]\nsocket = \"/nowhere.sock\"\n").expect("a file");
    let (mut client, _) = Client::greet(home.path(), RECORDED[1].capabilities(), Value::Null);
    measure(&mut client, &json!([]));
    window(&mut client, "no open Dockerfile");
    open(&mut client, &uri(&home.path().join("Dockerfile")), SERVED);
    let answer = client.request("workspace/executeCommand", json!({"command": "plimsoll.measure"}));
    assert!(answer["result"].is_null() && answer.get("error").is_none(), "arguments may be missing: {answer}");
    window(&mut client, "set `engine.socket` in your own settings");
    let answer = client.request("workspace/executeCommand", json!({"command": "plimsoll.unknown", "arguments": []}));
    assert_eq!(answer["error"]["message"], "there is no command plimsoll.unknown");
    assert_eq!(client.leave(), Some(0));
}

#[test]
fn an_image_is_asked_of_the_engine_that_the_user_named() {
    let other = Folder::with(&[("Dockerfile", SERVED), ("sub/Dockerfile", SERVED)]);
    let check = |arguments: &[&str], host: Option<&str>, wanted: &str| {
        let mut command = other.command(&["size", "--image", "app"]);
        command.args(arguments).env_remove("XDG_RUNTIME_DIR").env_remove("DOCKER_HOST");
        let run = Run::of(&command.envs(host.map(|host| ("DOCKER_HOST", host))).output().expect("it runs"));
        assert!(run.code == 2 && run.err.contains(wanted), "{run:?}");
    };
    check(&[], None, "--image measures one Dockerfile, and there are 2: name it");
    check(&["Dockerfile"], Some("tcp://127.0.0.1:1"), "DOCKER_HOST is tcp://127.0.0.1:1, which is no Unix socket");
    check(&["Dockerfile"], Some("unix:///nowhere.sock"), "no engine answers at /nowhere.sock");
    // A file of the workspace is not the user.
    other.write("plimsoll.toml", b"[engine]\nsocket = \"/workspace.sock\"\n");
    check(&["Dockerfile"], Some("unix:///nowhere.sock"), "no engine answers at /nowhere.sock");
    other.write("../home/.config/plimsoll/plimsoll.toml", b"[engine]\nsocket = \"/mine.sock\"\n");
    check(&["Dockerfile"], Some("unix:///nowhere.sock"), "no engine answers at /mine.sock");
}

#[test]
fn what_is_no_image_is_refused_by_name() {
    let folder = folder(SERVED);
    let run = folder.run(&["size", "Dockerfile", "--archive", "seed.txt"]);
    assert!(run.code == 2 && run.err.contains("seed.txt: not a tar archive"), "{run:?}");
    let run = folder.run(&["size", "Dockerfile", "--archive", "assets"]);
    assert!(run.code == 2 && run.err.contains("neither manifest.json nor index.json"), "{run:?}");
    let run = folder.run(&["size", "Dockerfile", "--archive", "missing.tar"]);
    assert!(run.code == 2 && run.err.contains("missing.tar: No such file"), "{run:?}");
}

//! The command line as scripts see it (CLI.md): output, JSON, exit codes. `fix` has a file of its own.

mod folder;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use expect_test::expect;
use folder::{Folder, Run};
use serde_json::{Value, json};

/// The paths of a JSON report, in order.
fn paths(run: &Run) -> Vec<String> {
    let files = run.json()["files"].as_array().expect("files").clone();
    files.iter().map(|file| file["path"].as_str().expect("a path").to_owned()).collect()
}

/// The ids of all findings of a JSON report, in order.
fn ids(run: &Run) -> Vec<String> {
    let files = run.json()["files"].as_array().expect("files").clone();
    let findings = files.iter().flat_map(|file| file["findings"].as_array().expect("findings"));
    findings.map(|finding| finding["rule"].as_str().expect("an id").to_owned()).collect()
}

/// A folder of this repository.
fn repository(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    path.to_str().expect("UTF-8").to_owned()
}

const SOUND: &str = "FROM scratch\nCOPY app /app\nUSER 1000\nCMD [\"/app\"]\n";

const APT: &str = "FROM debian:trixie-slim\n\
    RUN apt-get update && apt-get install -y --no-install-recommends curl\n\
    USER nobody\n\
    CMD [\"curl\", \"--version\"]\n";

#[test]
fn a_folder_is_searched_for_dockerfiles_that_git_does_not_ignore() {
    let folder = Folder::with(&[
        ("Dockerfile", SOUND),
        ("Dockerfile.dev", SOUND),
        ("Dockerfile.dockerignore", "*"),
        ("a/web.dockerfile", SOUND),
        ("a/Containerfile", SOUND),
        ("a/README.md", "FORM x\n"),
        ("build/Dockerfile", "FORM x\n"),
        (".devcontainer/Dockerfile", SOUND),
        (".gitignore", "build/\n"),
    ]);
    let run = folder.run(&["check", "--format", "json"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let expected = [".devcontainer/Dockerfile", "Dockerfile", "Dockerfile.dev", "a/Containerfile", "a/web.dockerfile"];
    assert_eq!(paths(&run), expected);
    assert_eq!(run.json()["summary"]["files"], 5);

    let named = folder.run(&["check", "--format", "json", "build/Dockerfile", "a"]);
    assert_eq!(named.code, 1);
    assert_eq!(paths(&named), ["build/Dockerfile", "a/Containerfile", "a/web.dockerfile"]);
}

#[test]
fn files_stand_in_one_order_however_many_cores_there_are() {
    let files: Vec<String> = (0..60).map(|number| format!("{number:02}/Dockerfile")).collect();
    let texts: Vec<(&str, &str)> = files.iter().map(|file| (file.as_str(), SOUND)).collect();
    let run = Folder::with(&texts).run(&["check", "--format", "json"]);
    assert_eq!(paths(&run), files);
}

#[test]
fn a_fault_is_shown_with_its_line_and_fails_the_run() {
    let folder = Folder::of("FROM scratch\r\n\tFORM x # 日本\r\n");
    let run = folder.run(&["check"]);
    assert_eq!(run.code, 1);
    expect![[r#"
        error[fault]: unknown instruction: FORM (did you mean FROM?)
         --> Dockerfile:2:2
          |
        2 |     FORM x # 日本
          |     ^^^^

        Dockerfile: 0 B unpacked

        1 error in 1 file
    "#]]
    .assert_eq(&run.out);
}

#[test]
fn lines_and_columns_count_from_one_in_code_points_and_offsets_in_bytes() {
    let folder = Folder::of("FROM scratch\nCOPY --wü𝕏=1 a b\n");
    let run = folder.run(&["check", "--format", "json", "Dockerfile"]);
    assert_eq!(run.code, 1);
    assert_eq!(
        run.json(),
        json!({
            "version": 1,
            "tool": {"name": "plimsoll", "version": env!("CARGO_PKG_VERSION")},
            "files": [{"path": "Dockerfile", "error": null, "findings": [{
                "rule": "fault",
                "kind": "fault",
                "group": null,
                "severity": "error",
                "message": "unknown flag: --wü𝕏",
                "range": {
                    "start": {"line": 2, "column": 8, "offset": 20},
                    "end": {"line": 2, "column": 11, "offset": 27},
                },
                "saves": null,
                "related": [],
                "fix": null,
                "actions": [],
                "suppressed": false,
                "url": null,
            }]}],
            "summary": {"files": 1, "errors": 1, "warnings": 0, "information": 0, "hints": 0},
        })
    );
}

#[test]
fn a_finding_of_a_rule_has_its_page_its_saving_and_its_fix() {
    let run = Folder::of(APT).run(&["check", "--format", "json"]);
    assert_eq!(run.code, 1);
    let json = run.json();
    let finding = &json["files"][0]["findings"][0];
    assert_eq!(finding["rule"], "apt-lists-left");
    assert_eq!((&finding["kind"], &finding["group"]), (&json!("rule"), &json!("size")));
    assert_eq!(finding["severity"], "warning");
    assert_eq!(finding["range"]["start"], json!({"line": 2, "column": 5, "offset": 28}));
    let figure = |name: &str| finding["saves"][name].as_u64().expect("bytes");
    assert!(figure("low") <= figure("likely") && figure("likely") <= figure("high"), "{finding}");
    assert_eq!(finding["fix"]["safety"], "safe");
    assert!(finding["fix"]["edits"][0]["text"].as_str().expect("a text").contains("/var/lib/apt/lists"));
    assert!(finding["url"].as_str().expect("a page").ends_with("/docs/rules.md#apt-lists-left"));
    assert_eq!(json["summary"]["warnings"], 1);
}

#[test]
fn a_check_of_buildkit_is_one_and_has_dockers_page() {
    let folder = Folder::of("FROM debian:12-slim as base\nUSER app\nCMD [\"bash\"]\n");
    let json = folder.run(&["check", "--format", "json", "--select", "from-as-casing"]).json();
    let finding = &json["files"][0]["findings"][0];
    assert_eq!((&finding["rule"], &finding["kind"]), (&json!("FromAsCasing"), &json!("check")), "{json}");
    assert_eq!((&finding["group"], &finding["severity"]), (&json!("style"), &json!("hint")));
    assert_eq!(finding["url"], "https://docs.docker.com/reference/build-checks/from-as-casing/");
    let page = folder.run(&["explain", "DL3024"]);
    assert!(page.out.contains("# DuplicateStageName"), "{page:?}");
    assert!(page.out.contains("https://docs.docker.com/reference/build-checks/duplicate-stage-name/"), "{page:?}");
}

#[test]
fn the_text_of_a_finding_names_the_command_that_mends_it() {
    let folder = Folder::of(APT);
    let run = folder.run(&["check"]);
    assert!(run.out.contains("warning[apt-lists-left]: "), "{run:?}");
    assert!(run.out.contains("(plimsoll fix --rule apt-lists-left Dockerfile)"), "{run:?}");
    assert!(run.out.contains(" --> Dockerfile:2:5\n"), "{run:?}");
    assert!(run.out.contains("\n1 warning in 1 file; could save about "), "{run:?}");
    assert!(!run.out.contains("docs/rules.md"), "{run:?}");
    let verbose = folder.run(&["check", "-v"]);
    assert!(verbose.out.contains("/docs/rules.md#apt-lists-left"), "{verbose:?}");
    assert!(verbose.err.contains("note: Dockerfile: build context "), "{verbose:?}");
    let quiet = folder.run(&["check", "-q"]);
    assert!(!quiet.out.contains("1 warning in"), "{quiet:?}");
}

#[test]
fn severities_below_fail_on_do_not_fail_the_run() {
    let folder = Folder::of(APT);
    let code = |severity: &str| folder.run(&["check", "--fail-on", severity]).code;
    assert_eq!(code("error"), 0);
    assert_eq!(code("warning"), 1);
    assert_eq!(code("hint"), 1);
    assert_eq!(code("never"), 0);
    assert_eq!(Folder::of("FORM x\n").run(&["check", "--fail-on", "never"]).code, 0);
}

#[test]
fn rules_are_selected_and_ignored_by_id_other_name_and_group() {
    let folder = Folder::of(APT);
    let found = |arguments: &[&str]| {
        let run = folder.run(&[&["check", "--format", "json"], arguments].concat());
        assert_eq!(run.err, "");
        ids(&run)
    };
    assert_eq!(found(&["--select", "apt-lists-left"]), ["apt-lists-left"]);
    assert_eq!(found(&["--select", "DL3009"]), ["apt-lists-left"]);
    assert_eq!(found(&["--select", "size"]), ["apt-lists-left"]);
    assert_eq!(found(&["--select", "style"]), [""; 0]);
    assert_eq!(found(&["--ignore", "size"]), [""; 0]);
    assert_eq!(found(&["--ignore", "inline-comment,apt-lists-left"]), [""; 0]);
    folder.write("plimsoll.toml", b"[rules]\napt-lists-left = \"off\"\n");
    assert_eq!(found(&[]), [""; 0]);
    assert_eq!(found(&["--select", "apt-lists-left"]), ["apt-lists-left"]);
    assert_eq!(found(&["--no-config"]), ["apt-lists-left"]);

    let unknown = folder.run(&["check", "--select", "apt-list-left"]);
    assert_eq!(unknown.code, 2);
    assert_eq!(unknown.err, "error: unknown rule `apt-list-left`; did you mean `apt-lists-left`?\n");
}

#[test]
fn standard_input_is_a_file_too() {
    let folder = Folder::with(&[]);
    let run = folder.run_with_input(&["check", "--format", "json", "-"], b"FORM x\n");
    assert_eq!((run.code, paths(&run)), (1, vec!["-".to_owned()]));
    let named = folder.run_with_input(&["check", "-", "--stdin-filename", "app/Dockerfile"], b"FORM x\n");
    assert!(named.out.contains("--> app/Dockerfile:1:1"), "{named:?}");
    let sized = folder.run_with_input(&["size", "--format", "json", "-"], b"FROM scratch\n");
    assert_eq!((sized.code, paths(&sized)), (0, vec!["-".to_owned()]));
}

#[test]
fn what_cannot_be_read_does_not_stop_the_others() {
    let folder = Folder::with(&[("Dockerfile", SOUND), ("late/Dockerfile", SOUND)]);
    for verb in ["check", "size"] {
        let run = folder.run(&[verb, "--format", "json", "Dockerfile", "nowhere", "late"]);
        assert_eq!(run.code, 2, "{run:?}");
        assert_eq!(paths(&run), ["Dockerfile", "nowhere", "late/Dockerfile"]);
        assert!(run.json()["files"][1]["error"].as_str().expect("an error").starts_with("cannot read nowhere"));
        assert_eq!(run.json()["files"][2]["error"], Value::Null);
        assert!(run.err.starts_with("error: cannot read nowhere: "), "{run:?}");
    }
}

#[test]
fn a_file_that_is_not_utf8_is_checked_and_said_to_be_so() {
    let folder = Folder::with(&[]);
    folder.write("Dockerfile", b"FROM scratch\nLABEL name=\"M\xfcller\"\nFORM x\n");
    let run = folder.run(&["check", "--format", "json"]);
    assert_eq!((run.code, ids(&run)), (1, vec!["fault".to_owned()]));
    assert_eq!(run.err, "warning: Dockerfile is not UTF-8; what is no text in it was replaced\n");
}

#[test]
fn a_file_that_is_too_large_is_said_to_be_skipped() {
    let folder = Folder::of(SOUND);
    folder.write("Dockerfile.large", "RUN a\n".repeat(1 << 20).as_bytes());
    let run = folder.run(&["check"]);
    assert_eq!(run.code, 2);
    assert_eq!(run.err, "error: cannot read Dockerfile.large: it is larger than 4 MiB and is skipped\n");
    assert!(run.out.contains("in 1 file"), "{run:?}");
}

#[test]
fn wrong_arguments_are_said_and_end_with_2() {
    let folder = Folder::of(SOUND);
    for arguments in [
        &["check", "--sarif"][..],
        &["check", "--format", "sarif"],
        &["check", "--platform", "$X"],
        &["check", "--build-arg", "NAME"],
        &["check", "--context", "nowhere"],
        &["check", "--config", "nowhere.toml"],
        &["check", "--config", "a", "--no-config"],
        &["check", "--target", "nowhere"],
        &["size", "--image", "x"],
        &["explain", "no-such-rule"],
        &["debug", "bytes", "Dockerfile"],
        &["debug", "model", "nowhere"],
        &["weigh"],
        &[],
    ] {
        let run = folder.run(arguments);
        assert_eq!(run.code, 2, "{arguments:?} {run:?}");
        assert!(!run.err.is_empty(), "{arguments:?}");
    }
    let mut command = folder.command(&["check"]);
    let output = command.env("PLIMSOLL_TODAY", "soon").output().expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_mistake_in_the_settings_is_said_with_its_line_and_the_rest_counts() {
    let folder = Folder::with(&[
        ("Dockerfile", "FROM scratch AS one\nFROM scratch\n"),
        ("Dockerfile.two", SOUND),
        ("plimsoll.toml", "tarjet = \"one\"\n\n[rules]\napt-lists-left = \"loud\"\n"),
    ]);
    let run = folder.run(&["check", "--format", "json"]);
    assert_eq!(run.code, 2);
    let lines: Vec<&str> = run.err.lines().collect();
    assert_eq!(lines.len(), 2, "each mistake once: {run:?}");
    assert!(lines[0].starts_with("error: plimsoll.toml:1:1: "), "{run:?}");
    assert!(lines[1].starts_with("error: plimsoll.toml:4:"), "{run:?}");
    assert_eq!(run.json()["summary"]["files"], 2);
    assert_eq!(folder.run(&["check", "--no-config"]).code, 0);
}

#[test]
fn a_folder_without_dockerfiles_is_said_to_have_none() {
    let folder = Folder::with(&[("README.md", "")]);
    let run = folder.run(&["check"]);
    assert_eq!((run.code, run.out.as_str()), (0, ""));
    assert_eq!(run.err, "warning: no Dockerfile below .\n");
}

#[test]
fn a_reader_that_goes_away_ends_the_output_quietly() {
    let folder = Folder::of(&"FORM x\n".repeat(5_000));
    let mut command = folder.command(&["check"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut line = String::new();
    BufReader::with_capacity(16, child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    assert!(line.starts_with("error[fault]"), "{line:?}");
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(1));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let folder = Folder::of("FORM x\n");
    let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let output = folder.command(&["check"]).stdout(full).output().expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: cannot write to standard output: "));
}

#[test]
fn colours_come_when_they_are_asked_for() {
    let folder = Folder::of("FORM x\n");
    assert!(!folder.run(&["check"]).out.contains('\u{1b}'));
    assert!(folder.run(&["check", "--color", "always"]).out.contains('\u{1b}'));
    assert!(folder.run(&["size", "--color", "always"]).out.is_empty() || folder.run(&["size"]).code == 0);
}

#[test]
fn weights_are_a_table_of_stages_and_layers() {
    let folder = Folder::with(&[
        ("Dockerfile", "FROM scratch AS files\nCOPY data /data\nFROM scratch\nCOPY data/a \\\n  data/b /\n"),
        ("data/a", &"a".repeat(1_500_000)),
        ("data/b", &"b".repeat(500_000)),
    ]);
    let run = folder.run(&["size"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    expect![[r#"
        Dockerfile: 2.00 MB unpacked, pulled as about 700 kB

          stage 0 files, not shipped
           line  unpacked    pulled  basis
              1       0 B       0 B  table                           FROM scratch AS files
              2   2.00 MB  ≈ 700 kB  context   ████████████████████  COPY data /data  (2 files)
                  2.00 MB  ≈ 700 kB  together

          stage 1, the target
           line  unpacked    pulled  basis
              3       0 B       0 B  table                           FROM scratch
              4   2.00 MB  ≈ 700 kB  context   ████████████████████  COPY data/a …  (2 files)
                  2.00 MB  ≈ 700 kB  together
    "#]]
    .assert_eq(&run.out);
}

#[test]
fn weights_in_json_have_every_stage_with_its_base_and_layers() {
    let folder = Folder::with(&[
        (
            "Dockerfile",
            "ARG BASE=nowhere\nFROM ${BASE} AS build\nRUN make\nFROM scratch\nCOPY --from=build /a /a\nCOPY data /\n",
        ),
        ("data", "12345"),
    ]);
    let run =
        folder.run(&["size", "--format", "json", "--build-arg", "BASE=example.com/a/b:1", "--platform", "linux/arm64"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let json = run.json();
    assert_eq!((&json["version"], &json["tool"]["name"]), (&json!(1), &json!("plimsoll")));
    let file = &json["files"][0];
    assert_eq!((&file["path"], &file["error"], &file["target"]), (&json!("Dockerfile"), &Value::Null, &json!(1)));
    let build = &file["stages"][0];
    assert_eq!((&build["index"], &build["name"]), (&json!(0), &json!("build")));
    assert_eq!((&build["shipped"], &build["line"]), (&json!(false), &json!(2)));
    let base = &build["base"];
    assert_eq!((&base["text"], &base["image"]), (&json!("example.com/a/b:1"), &json!("example.com/a/b:1")));
    assert_eq!((&base["platform"], &base["basis"]), (&json!("linux/arm64"), &json!("unknown")));
    assert_eq!((&base["pull"], &base["unpacked"], &base["via"]), (&Value::Null, &Value::Null, &Value::Null));
    let target = &file["stages"][1];
    assert_eq!((&target["shipped"], &target["unpacked"]["incomplete"]), (&json!(true), &json!(true)));
    let layers = target["layers"].as_array().expect("layers");
    let last = layers.last().expect("a layer");
    assert_eq!((&last["line"], &last["instruction"]), (&json!(6), &json!("COPY")));
    assert_eq!((&last["text"], &last["basis"]), (&json!("COPY data /"), &json!("context")));
    assert_eq!((&last["adds"]["likely"], &last["measured"]), (&json!(5), &json!(false)));
    let target = folder.run(&["size", "--format", "json", "--target", "build"]);
    assert_eq!(target.json()["files"][0]["target"], 0);
}

#[test]
fn a_context_that_is_named_is_weighed() {
    let folder = Folder::with(&[("docker/Dockerfile", "FROM scratch\nCOPY . /\n"), ("src/a", "123")]);
    let run = folder.run(&["size", "--format", "json", "docker/Dockerfile", "--context", "src"]);
    assert_eq!(run.json()["files"][0]["stages"][0]["layers"][0]["adds"]["likely"], 3);
    let input =
        folder.run_with_input(&["size", "--format", "json", "-", "--context", "src"], b"FROM scratch\nCOPY a /\n");
    assert_eq!(input.json()["files"][0]["stages"][0]["layers"][0]["adds"]["likely"], 3);
    let unknown = folder.run_with_input(&["size", "--format", "json", "-"], b"FROM scratch\nCOPY src/a /\n");
    assert_eq!(unknown.json()["files"][0]["stages"][0]["layers"][0]["basis"], "unknown");
}

#[test]
fn a_rule_is_explained_by_its_id_and_by_other_names() {
    let folder = Folder::with(&[]);
    let list = folder.run(&["explain"]);
    assert_eq!(list.code, 0);
    assert!(list.out.lines().any(|line| line.starts_with("apt-lists-left ") && line.ends_with("(DL3009)")), "{list:?}");
    let page = folder.run(&["explain", "apt-lists-left"]);
    assert!(page.out.starts_with("# apt-lists-left\n\nsize · warning · also DL3009\n\n"), "{page:?}");
    let number = folder.run(&["explain", "dl3009"]).out;
    let first = "DL3009 of hadolint, apt lists that stay: it is apt-lists-left, cleanup-in-later-layer.\n\n";
    assert!(number.starts_with(&format!("{first}{}", page.out)), "{number}");
    assert!(number.contains("\n# cleanup-in-later-layer\n"), "{number}");
    let json = folder.run(&["explain", "DL3009", "--format", "json"]).json();
    let rule = &json["rules"][0];
    assert_eq!((&rule["name"], &rule["group"]), (&json!("apt-lists-left"), &json!("size")));
    assert_eq!(
        (&rule["severity"], &rule["default"], &rule["also"]),
        (&json!("warning"), &json!(true), &json!(["DL3009"]))
    );
    assert!(page.out.contains(rule["page"].as_str().expect("a page")));
}

#[test]
fn a_number_that_was_left_out_is_explained_with_the_reason() {
    let folder = Folder::with(&[]);
    let run = |name: &str| {
        let run = folder.run(&["explain", name]);
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{name}");
        run.out
    };
    let wget = "DL3047 of hadolint, wget without a progress option: left out: it is about the length of the log, not \
                about bytes.\n";
    assert_eq!(run("DL3047"), wget);
    assert!(run("SC2086").starts_with("SC2086 of hadolint, ShellCheck's findings: left out: run ShellCheck"));
    assert!(run("DL3021").contains("BuildKit rejects it, so it is an error of the file"));
    assert!(run("DL3003").contains("in part; only a cd whose effect is lost is reported"));
    assert!(run("unused-allow").starts_with("# unused-allow\n\na note on an allow comment · hint\n"));
    let json = folder.run(&["explain", "DL3047", "--format", "json"]).json();
    assert_eq!(json["rules"], json!([]));
    assert_eq!((&json["hadolint"]["number"], &json["hadolint"]["fault"]), (&json!("DL3047"), &json!(false)));
    assert_eq!(json["hadolint"]["left_out"], "it is about the length of the log, not about bytes");
    let selected = folder.run(&["check", "--select", "DL3047", "-"]);
    assert_eq!(selected.code, 2);
    assert!(selected.err.contains("no rule stands for DL3047: left out: it is about"), "{selected:?}");
    let ignored = folder.run_with_input(&["check", "--ignore", "DL3047,DL3009", "-"], APT.as_bytes());
    assert!(!ignored.out.contains("apt-lists-left"), "{ignored:?}");
}

#[test]
fn what_a_comment_allows_is_shown_when_asked_for_and_never_counted() {
    let allowed = APT.replace("RUN", "# plimsoll: allow DL3009 — curl is updated at night\nRUN");
    let folder = Folder::of(&allowed);
    let run =
        |more: &[&str]| folder.run(&[&["check", "--select", "apt-lists-left", "--format", "json"], more].concat());
    let hidden = run(&[]);
    assert_eq!((hidden.code, ids(&hidden)), (0, Vec::new()));
    let shown = run(&["--show-suppressed"]);
    assert_eq!((shown.code, ids(&shown)), (0, vec!["apt-lists-left".to_owned()]));
    let json = shown.json();
    assert_eq!(json["files"][0]["findings"][0]["suppressed"], true);
    assert_eq!(json["summary"]["warnings"], 0);
    let text = folder.run(&["check", "--select", "apt-lists-left", "--show-suppressed"]).out;
    assert!(text.contains("= note: a comment allows it"), "{text}");
    assert!(text.contains("no findings in 1 file"), "{text}");
    let fixed = folder.run(&["fix", "--rule", "apt-lists-left", "Dockerfile"]);
    assert_eq!((fixed.code, folder.read("Dockerfile").as_str()), (0, allowed.as_str()), "what is allowed stays");
}

#[test]
fn a_comment_that_names_nothing_is_a_finding_of_its_own_kind() {
    let folder = Folder::of(&APT.replace("RUN", "# plimsoll: allow apt-list-left\nRUN"));
    let run = folder.run(&["check", "--format", "json"]);
    let findings = run.json()["files"][0]["findings"].as_array().expect("findings").clone();
    let note = findings.iter().find(|it| it["kind"] == "note").expect("a note");
    assert_eq!((&note["rule"], &note["severity"]), (&json!("unknown-allow"), &json!("warning")));
    assert_eq!((&note["group"], &note["url"]), (&Value::Null, &Value::Null));
    assert_eq!(note["message"], "unknown rule `apt-list-left`; did you mean `apt-lists-left`?");
    assert_eq!(note["range"]["start"]["column"], 19);
}

#[test]
fn a_target_that_no_stage_has_is_told() {
    let folder = Folder::with(&[("Dockerfile", SOUND), ("plimsoll.toml", "target = \"nosuch\"\n")]);
    let run = folder.run(&["check"]);
    assert_eq!(run.code, 2);
    let expected = "error: Dockerfile: the settings say that `nosuch` is built, and no stage has this name\n";
    assert_eq!(run.err, expected);
    folder.write("plimsoll.toml", b"target = \"0\"\n");
    assert_eq!(folder.run(&["check"]).err, "");
}

#[test]
fn the_layers_can_be_looked_at() {
    let folder = Folder::of("# escape=`\nfrom a\nRUN b `\n  c\nCOPY <<EOF /x\ntext\nEOF\n");
    assert_eq!(folder.run(&["debug", "segments", "Dockerfile"]).out, "FROM 2 2\nRUN 3 4\nCOPY 5 7\n");
    let rejected = folder.run_with_input(&["debug", "segments", "-"], b"FROM a\nFORM b\n");
    assert_eq!(rejected.out, "FROM 1 1\nFORM 2 2\nerror 2 unknown instruction: FORM (did you mean FROM?)\n");
    let tree = folder.run(&["debug", "tree", "Dockerfile"]);
    assert!(tree.out.starts_with("(source_file) 0.."), "{tree:?}");
    let model = folder.run(&["debug", "model", "Dockerfile"]);
    assert!(model.out.contains("stage 0 11..52 on image a (docker.io/library/a)\n"), "{model:?}");
    assert_eq!(folder.run(&["debug", "model", "Dockerfile"]).out, model.out);
}

#[test]
fn the_server_starts_in_every_way_editors_start_it() {
    let folder = Folder::with(&[]);
    for arguments in [&["lsp"][..], &["--stdio"], &["lsp", "--stdio"], &["lsp", "--no-config"]] {
        // Standard input ends at once, without `shutdown`.
        let run = folder.run(arguments);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{arguments:?} {run:?}");
    }
}

#[test]
fn the_dockerfiles_of_this_repository_are_read_without_a_fault() {
    let folder = Folder::with(&[]);
    let run = folder.run(&["check", "--format", "json", &repository("tests/dockerfiles")]);
    assert_eq!((run.code, run.err.as_str()), (1, ""));
    assert_eq!(run.json()["summary"]["files"], 5);
    assert!(!ids(&run).iter().any(|id| id == "fault"), "{run:?}");
    let weights = folder.run(&["size", &repository("tests/dockerfiles/shop")]);
    assert_eq!((weights.code, weights.err.as_str()), (0, ""));
    assert!(weights.out.contains("FROM node:18"), "{weights:?}");
}

//! `plimsoll fix` as scripts see it: what is written, what is shown, and what is left alone.

mod folder;

use std::path::Path;

use expect_test::expect;
use folder::{Folder, Run};
use serde_json::json;

/// One safe fix, in the second line.
const APT: &str = "FROM debian:trixie-slim\n\
    RUN apt-get update && apt-get install -y --no-install-recommends curl\n\
    USER nobody\n\
    CMD [\"curl\", \"--version\"]\n";

/// Two runs that are one layer, and two that must stay apart.
const RUNS: &str = "FROM debian:trixie-slim\n\
    RUN mkdir /a\n\
    RUN mkdir /b\n\
    COPY x /x\n\
    RUN mkdir /c\n\
    RUN mkdir /d\n";

/// A run that leaves a process behind (X2 of SPEC-merge-run).
const REFUSED: &str = "FROM debian:trixie-slim\nRUN service postgresql start\nRUN mkdir /b\n";

fn merged(text: &str) -> bool {
    text.matches("RUN ").count() == 2 && text.matches("mkdir").count() == 4 && text.contains("COPY x /x")
}

#[test]
fn a_safe_fix_is_written_and_said() {
    let folder = Folder::of(APT);
    let run = folder.run(&["fix", "Dockerfile"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert!(run.out.starts_with("Dockerfile:2: "), "{run:?}");
    assert!(run.out.ends_with(" (apt-lists-left)\n"), "{run:?}");
    let text = folder.read("Dockerfile");
    let lines: Vec<&str> = text.lines().collect();
    assert!(text.contains("rm -rf /var/lib/apt/lists/*"), "{text}");
    assert_eq!(lines.first(), Some(&"FROM debian:trixie-slim"));
    assert_eq!(lines.last(), Some(&"CMD [\"curl\", \"--version\"]"));
    assert_eq!(folder.names(), ["Dockerfile"], "no temporary file stays");

    let again = folder.run(&["fix", "Dockerfile"]);
    assert_eq!((again.code, again.out.as_str()), (0, ""));
    assert_eq!(folder.read("Dockerfile"), text);
}

#[test]
fn nothing_is_written_while_the_settings_have_mistakes() {
    let folder = Folder::with(&[("Dockerfile", APT), ("plimsoll.toml", "target = \n")]);
    let run = folder.run(&["fix", "Dockerfile"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("plimsoll.toml") && run.err.contains("stays as it is"), "{run:?}");
    assert_eq!(folder.read("Dockerfile"), APT);
}

#[test]
fn a_diff_is_printed_and_nothing_is_written() {
    let folder = Folder::of(APT);
    let run = folder.run(&["fix", "--diff", "Dockerfile"]);
    assert_eq!(run.code, 0);
    assert!(run.out.starts_with("--- a/Dockerfile\n+++ b/Dockerfile\n@@ -1,4 +1,"), "{run:?}");
    assert!(run.out.contains("\n-RUN apt-get update"), "{run:?}");
    assert!(run.out.contains("\n FROM debian:trixie-slim\n"), "{run:?}");
    assert!(run.err.starts_with("note: Dockerfile:2: "), "{run:?}");
    assert_eq!(folder.read("Dockerfile"), APT);
    let nothing = Folder::of("FROM scratch\n").run(&["fix", "--diff", "Dockerfile"]);
    assert_eq!((nothing.code, nothing.out.as_str(), nothing.err.as_str()), (0, "", ""));
}

#[test]
fn the_new_text_is_printed_and_nothing_is_written() {
    let folder = Folder::of(APT);
    let run = folder.run(&["fix", "--stdout", "-q", "Dockerfile"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert_eq!(folder.read("Dockerfile"), APT);
    folder.run(&["fix", "Dockerfile"]);
    assert_eq!(folder.read("Dockerfile"), run.out);
    folder.write("Dockerfile.two", APT.as_bytes());
    let two = folder.run(&["fix", "--stdout", "."]);
    assert_eq!((two.code, two.out.as_str()), (2, ""));
    assert_eq!(two.err, "error: --stdout can be used with one file, and these are 2\n");
}

#[test]
fn standard_input_is_fixed_to_standard_output() {
    let folder = Folder::with(&[]);
    let run = folder.run_with_input(&["fix", "-"], APT.as_bytes());
    assert_eq!(run.code, 0);
    assert!(run.out.contains("rm -rf /var/lib/apt/lists/*"), "{run:?}");
    let same = folder.run_with_input(&["fix", "-"], b"FROM scratch");
    assert_eq!((same.code, same.out.as_str(), same.err.as_str()), (0, "FROM scratch", ""));
}

#[cfg(unix)]
#[test]
fn mode_and_line_ends_stay() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::of(&format!("\u{feff}{}", APT.replace('\n', "\r\n")));
    std::fs::set_permissions(folder.path("Dockerfile"), PermissionsExt::from_mode(0o640)).expect("the mode");
    assert_eq!(folder.run(&["fix", "Dockerfile"]).code, 0);
    let text = folder.read("Dockerfile");
    assert!(text.starts_with('\u{feff}') && text.contains("/var/lib/apt/lists"), "{text:?}");
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{text:?}");
    let mode = std::fs::metadata(folder.path("Dockerfile")).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_written_stays_and_the_others_are_fixed() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::with(&[("a.dockerfile", APT), ("b.dockerfile", APT)]);
    std::fs::set_permissions(folder.path("a.dockerfile"), PermissionsExt::from_mode(0o444)).expect("the mode");
    let run = folder.run(&["fix", "."]);
    assert_eq!(run.code, 2);
    assert!(run.err.starts_with("error: cannot write a.dockerfile: "), "{run:?}");
    assert_eq!(folder.read("a.dockerfile"), APT);
    assert_ne!(folder.read("b.dockerfile"), APT);
    assert_eq!(folder.names(), ["a.dockerfile", "b.dockerfile"]);
}

#[test]
fn a_file_that_is_not_utf8_is_not_written() {
    let folder = Folder::with(&[]);
    let bytes = [APT.as_bytes(), b"LABEL name=M\xfcller\n"].concat();
    folder.write("Dockerfile", &bytes);
    for arguments in [&["fix", "Dockerfile"][..], &["fix", "--stdout", "Dockerfile"], &["fix", "--diff", "Dockerfile"]]
    {
        let run = folder.run(arguments);
        assert_eq!((run.code, run.out.as_str()), (2, ""));
        assert_eq!(run.err, "error: Dockerfile is not UTF-8 and cannot be written\n");
        assert_eq!(folder.bytes("Dockerfile"), bytes);
    }
}

#[test]
fn json_tells_what_was_applied() {
    let folder = Folder::of(APT);
    let shown = folder.run(&["fix", "--diff", "--format", "json", "Dockerfile"]);
    assert_eq!(folder.read("Dockerfile"), APT);
    let written = folder.run(&["fix", "--format", "json", "Dockerfile"]);
    assert_eq!(written.out, shown.out);
    let json = written.json();
    let file = &json["files"][0];
    assert_eq!((&json["version"], &file["path"]), (&json!(1), &json!("Dockerfile")));
    assert_eq!((&file["changed"], &file["refused"]), (&json!(true), &json!([])));
    assert_eq!(file["text"], folder.read("Dockerfile"));
    assert_eq!((&file["applied"][0]["id"], &file["applied"][0]["line"]), (&json!("apt-lists-left"), &json!(2)));
}

#[test]
fn only_the_rules_and_lines_that_are_named_are_fixed() {
    let twice = APT
        .replace("USER nobody\n", "RUN apt-get update && apt-get install -y --no-install-recommends jq\nUSER nobody\n");
    let folder = Folder::of(&twice);
    let text = |arguments: &[&str]| {
        let run = folder.run(&[&["fix", "--stdout", "-q", "Dockerfile"], arguments].concat());
        assert_eq!(run.code, 0, "{run:?}");
        run.out
    };
    assert_eq!(text(&["--rule", "npm-cache-left"]), twice);
    let n_fixed = |text: &str| text.matches("rm -rf /var/lib/apt/lists").count();
    assert_eq!(n_fixed(&text(&["--rule", "DL3009"])), 2);
    assert_eq!(n_fixed(&text(&["--lines", "1-2"])), 1);
    let third = text(&["--at", "3"]);
    assert_eq!(n_fixed(&third), 1);
    assert_eq!(third.lines().nth(1), twice.lines().nth(1));
    assert_eq!(text(&["--at", "1:1"]), twice);
    let outside = folder.run(&["fix", "--stdout", "--at", "99", "Dockerfile"]);
    assert_eq!(outside.code, 2);
    assert!(outside.err.contains("there is no line 99"), "{outside:?}");
}

#[test]
fn a_place_without_a_fix_is_told() {
    let folder = Folder::of(APT);
    let said = |arguments: &[&str]| {
        let run = folder.run(&[&["fix", "--diff", "Dockerfile"], arguments].concat());
        assert_eq!((run.code, run.out.as_str()), (0, ""), "{arguments:?}");
        run.err
    };
    assert_eq!(said(&["--at", "3"]), "note: Dockerfile: no safe fix at this place\n");
    assert_eq!(said(&["--review", "--lines", "3-4"]), "note: Dockerfile: no fix at this place\n");
    assert_eq!(said(&["--action", "merge-runs", "--at", "1"]), "note: Dockerfile: no place for this action\n");
    let folder = Folder::of("FROM debian:trixie\nRUN true\nUSER 1\nCMD [\"curl\"]\n");
    let run = folder.run(&["fix", "--at", "1", "Dockerfile"]);
    let expected =
        "note: Dockerfile: no safe fix at this place; there is 1 fix that a person should look at (--review)\n";
    assert_eq!((run.code, run.err.as_str()), (0, expected));
}

#[test]
fn comments_that_allow_nothing_are_taken_away() {
    let clean = APT.replace("curl\n", "curl && rm -rf /var/lib/apt/lists/*\n");
    let text = clean.replace("RUN", "# plimsoll: allow apt-lists-left — once\nRUN");
    let folder = Folder::of(&text);
    assert_eq!(folder.run(&["fix", "--rule", "apt-lists-left", "Dockerfile"]).code, 0);
    assert_eq!(folder.read("Dockerfile"), text, "the fix of another rule");
    let run = folder.run(&["fix", "--rule", "unused-allow", "Dockerfile"]);
    assert_eq!((run.code, run.out.as_str()), (0, "Dockerfile:2: Take the comment away (unused-allow)\n"));
    assert_eq!(folder.read("Dockerfile"), clean);
}

#[test]
fn an_action_is_carried_out_wherever_it_is_possible() {
    let folder = Folder::with(&[("Dockerfile", RUNS), ("x", "")]);
    let run = folder.run(&["fix", "--action", "merge-runs", "Dockerfile"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert_eq!(run.out.matches("(merge-runs").count(), 2, "{run:?}");
    assert!(merged(&folder.read("Dockerfile")), "{}", folder.read("Dockerfile"));
    let again = folder.run(&["fix", "--action", "merge-runs", "Dockerfile"]);
    assert_eq!((again.code, again.out.as_str()), (0, ""));
}

#[test]
fn an_action_is_carried_out_at_the_place_that_is_named() {
    let folder = Folder::with(&[("Dockerfile", RUNS), ("x", "")]);
    let run = |arguments: &[&str]| {
        let run = folder.run(&[&["fix", "--stdout", "-q", "--action", "merge-runs", "Dockerfile"], arguments].concat());
        assert_eq!(run.code, 0, "{run:?}");
        run.out
    };
    let second = run(&["--at", "5"]);
    assert!(second.starts_with("FROM debian:trixie-slim\nRUN mkdir /a\nRUN mkdir /b\nCOPY x /x\nRUN mkdir /c"));
    assert_eq!(second.matches("RUN ").count(), 3, "{second}");
    assert_eq!(run(&["--at", "1"]), RUNS);
    let first = run(&["--lines", "2-3"]);
    assert!(first.ends_with("COPY x /x\nRUN mkdir /c\nRUN mkdir /d\n"), "{first}");
    assert_eq!(first.matches("RUN ").count(), 3, "{first}");
}

#[test]
fn a_refusal_is_said_with_its_code_and_fails_the_run() {
    let folder = Folder::of(REFUSED);
    let run = folder.run(&["fix", "--action", "merge-runs", "Dockerfile"]);
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(run.err.starts_with("refused: Dockerfile:2: merge-runs"), "{run:?}");
    assert!(run.err.contains(" is not possible: ") && run.err.ends_with(" (X2)\n"), "{run:?}");
    assert_eq!(folder.read("Dockerfile"), REFUSED);
    let json = folder.run(&["fix", "--format", "json", "--action", "merge-runs", "Dockerfile"]);
    assert_eq!(json.code, 1);
    let refused = &json.json()["files"][0]["refused"][0];
    assert_eq!((&refused["id"], &refused["code"]), (&json!("merge-runs"), &json!("X2")));
    folder.write("Dockerfile.runs", RUNS.as_bytes());
    let run = folder.run(&["fix", "--action", "merge-runs", "."]);
    assert_eq!(run.code, 0, "one file was changed: {run:?}");
    assert!(run.err.contains(" (X2)\n"), "{run:?}");
}

#[test]
fn a_group_that_is_refused_is_said_once() {
    let folder = Folder::of("FROM debian:12\nRUN a &\nRUN b &\nRUN c\nCOPY x /x\nRUN d &\nCOPY y /y\nRUN e\nRUN f\n");
    let run = folder.run(&["fix", "--action", "merge-runs", "Dockerfile"]);
    assert_eq!(run.code, 0);
    assert_eq!(run.err.matches("refused: ").count(), 1, "{run:?}");
    assert!(run.err.starts_with("refused: Dockerfile:2: ") && run.err.contains("(X1)"), "{run:?}");
}

#[test]
fn a_variant_is_carried_out_when_it_is_named() {
    let text = "# syntax=docker/dockerfile:1\nFROM debian:12\nRUN a\nRUN b\nARG LATER=1\nRUN c\n";
    let folder = Folder::of(text);
    let after = |action: &str| {
        let run = folder.run(&["fix", "--stdout", "-q", "--action", action, "Dockerfile"]);
        assert_eq!(run.code, 0, "{run:?}");
        run.out.split_once("FROM debian:12\n").expect("a stage").1.to_owned()
    };
    assert_eq!(after("merge-runs"), "RUN a \\\n    && b\nARG LATER=1\nRUN c\n");
    assert_eq!(after("merge-runs=heredoc"), "RUN <<EOF\nset -e\na\nb\nEOF\nARG LATER=1\nRUN c\n");
    assert_eq!(after("merge-runs=hoist"), "ARG LATER=1\nRUN a \\\n    && b \\\n    && c\n");
    let json = folder.run(&["fix", "--stdout", "--format", "json", "--action", "merge-runs=hoist", "Dockerfile"]);
    let applied = &json.json()["files"][0]["applied"][0];
    assert_eq!(applied["doubts"].as_array().map(Vec::len), Some(1), "{applied}");

    // Scripts can only become a script.
    folder.write("Dockerfile", b"FROM debian:12\nRUN <<EOF\nset -e\na\nEOF\nRUN b\n");
    assert_eq!(after("merge-runs"), "RUN <<EOF\nset -e\na\nb\nEOF\n");
}

#[test]
fn merging_with_cleaning_and_splitting_are_actions_of_their_own() {
    let folder = Folder::of("FROM debian:12\nRUN apt-get update\nRUN apt-get install -y curl\nCMD [\"curl\"]\n");
    let run = folder.run(&["fix", "--action", "merge-runs-clean", "Dockerfile"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let cleaned = "FROM debian:12\nRUN apt-get update \\\n    && apt-get install -y curl \\\n    \
                   && rm -rf /var/lib/apt/lists/*\nCMD [\"curl\"]\n";
    assert_eq!(folder.read("Dockerfile"), cleaned);
    let run = folder.run(&["fix", "--action", "split-run", "Dockerfile"]);
    assert!(run.err.contains("no place for this action"), "{run:?}");
    let run = folder.run(&["fix", "--action", "split-run", "--at", "3", "Dockerfile"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let split = "FROM debian:12\nRUN apt-get update\nRUN apt-get install -y curl \\\n    \
                 && rm -rf /var/lib/apt/lists/*\nCMD [\"curl\"]\n";
    assert_eq!(folder.read("Dockerfile"), split);
    folder.write("Dockerfile", b"FROM debian:12\nRUN cd /x && a\n");
    let run = folder.run(&["fix", "--action", "split-run", "--at", "2:14", "Dockerfile"]);
    assert_eq!(run.code, 1);
    assert!(run.err.ends_with(" (split-run/state)\n"), "{run:?}");
}

/// A worked conversion of tests/multi-stage, with its application.
fn conversion(name: &str) -> Folder {
    fn copy(from: &Path, name: &str, acc: &Folder) {
        for entry in std::fs::read_dir(from).expect("the example is there") {
            let path = entry.expect("an entry").path();
            let name = format!("{name}{}", path.file_name().and_then(|it| it.to_str()).expect("UTF-8"));
            if path.is_dir() {
                copy(&path, &format!("{name}/"), acc);
            } else {
                acc.write(&name, &std::fs::read(&path).expect("the file"));
            }
        }
    }
    let res = Folder::with(&[]);
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/multi-stage").join(name), "", &res);
    res
}

#[test]
fn a_conversion_is_the_worked_example_to_the_byte() {
    for name in ["01-node-typescript", "02-node-user", "03-node-plain"] {
        let folder = conversion(name);
        let run = folder.run(&["fix", "--action", "multi-stage", "before.Dockerfile"]);
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{name}");
        assert!(run.out.starts_with("before.Dockerfile:1: Split into build and runtime stages ("), "{run:?}");
        assert_eq!(folder.read("before.Dockerfile"), folder.read("after.Dockerfile"), "{name}");
        let again = folder.run(&["fix", "--action", "multi-stage", "before.Dockerfile"]);
        assert_eq!(again.out, "", "{name} once more: {again:?}");
    }
}

#[test]
fn a_conversion_in_json_has_the_sizes_before_and_after() {
    let folder = conversion("01-node-typescript");
    let run = folder.run(&["fix", "--diff", "--format", "json", "--action", "multi-stage", "before.Dockerfile"]);
    let json = run.json();
    let applied = &json["files"][0]["applied"][0];
    assert_eq!((&applied["id"], &applied["variant"]), (&json!("multi-stage"), &json!("tree")));
    let likely = |which: &str| applied[which]["likely"].as_u64().expect("bytes");
    assert!(likely("after") < likely("before"), "{applied}");
}

#[test]
fn a_conversion_that_is_refused_says_what_is_missing() {
    let folder = Folder::of("FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci && npm run build\n");
    let run = folder.run(&["fix", "--diff", "--action", "multi-stage", "Dockerfile"]);
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    let expected = "refused: Dockerfile:1: multi-stage is not possible: no CMD or ENTRYPOINT says what must run (R4)\n";
    assert_eq!(run.err, expected);
}

#[test]
fn an_action_that_finds_no_place_is_no_failure() {
    let folder = Folder::of("FROM scratch\nCOPY a /a\n");
    let run = folder.run(&["fix", "--action", "merge-runs", "Dockerfile"]);
    assert_eq!((run.code, run.out.as_str()), (0, ""));
    assert_eq!(run.err, "note: Dockerfile: no place for this action\n");
}

#[test]
fn wrong_arguments_are_said_and_end_with_2() {
    let folder = Folder::of(APT);
    let err = |arguments: &[&str]| {
        let Run { code, out, err } = folder.run(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        err
    };
    expect![[r#"
        error: invalid value 'merge-run' for '--action <ID[=VARIANT]>': unknown action `merge-run`; did you mean `merge-runs`?; there are merge-runs, merge-runs-clean, split-run, multi-stage, write-dockerignore

        For more information, try '--help'.
    "#]].assert_eq(&err(&["fix", "--action", "merge-run", "Dockerfile"]));
    err(&["fix"]);
    err(&["fix", "nowhere"]);
    err(&["fix", "--action", "merge-runs", "--rule", "apt-lists-left", "Dockerfile"]);
    err(&["fix", "--safe", "--review", "Dockerfile"]);
    err(&["fix", "--diff", "--stdout", "Dockerfile"]);
    err(&["fix", "--at", "0", "Dockerfile"]);
    err(&["fix", "--lines", "3", "Dockerfile"]);
    err(&["fix", "--rule", "no-such-rule", "Dockerfile"]);
    assert_eq!(folder.read("Dockerfile"), APT);
    let empty = Folder::with(&[("README.md", "")]);
    let run = empty.run(&["fix", "."]);
    assert_eq!((run.code, run.err.as_str()), (2, "error: no Dockerfile below .\n"));
}

/// A context of which nobody keeps anything out.
const WHOLE: &str = "FROM node:22-slim\nWORKDIR /app\nCOPY . .\nCMD [\"node\", \"server.js\"]\n";

fn whole(files: &[(&str, &str)]) -> Folder {
    let all = [("Dockerfile", WHOLE), ("server.js", "run()\n"), (".git/HEAD", "ref: a\n"), (".env", "KEY=1\n")];
    Folder::with(&[&all[..], files].concat())
}

#[test]
fn the_ignore_file_is_written_and_the_dockerfile_stays() {
    let folder = whole(&[]);
    let run = folder.run(&["fix", "--action", "write-dockerignore", "Dockerfile"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert_eq!(run.out, "Dockerfile:3: Write .dockerignore (keeps 13 B out) (write-dockerignore)\n");
    assert_eq!(folder.read(".dockerignore"), ".git\n.env\n");
    assert_eq!(folder.read("Dockerfile"), WHOLE);
    let again = folder.run(&["fix", "--action", "write-dockerignore", "Dockerfile"]);
    assert_eq!((again.code, again.err.as_str()), (0, "note: Dockerfile: no place for this action\n"));
}

#[test]
fn the_ignore_file_that_holds_is_extended() {
    let folder = whole(&[("Dockerfile.dockerignore", "# ours\r\n.git\r\n"), (".dockerignore", "x\n")]);
    let run = folder.run(&["fix", "--action", "write-dockerignore", "Dockerfile"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert_eq!(folder.read("Dockerfile.dockerignore"), "# ours\r\n.git\r\n.env\r\n");
    assert_eq!(folder.read(".dockerignore"), "x\n");
}

#[test]
fn an_ignore_file_is_an_entry_of_its_own_and_shown_without_being_written() {
    let folder = whole(&[]);
    let arguments = ["fix", "--diff", "--action", "write-dockerignore", "Dockerfile"];
    let run = folder.run(&arguments);
    assert_eq!(run.out, "--- /dev/null\n+++ b/.dockerignore\n@@ -0,0 +1,2 @@\n+.git\n+.env\n");
    let json = folder.run(&[&arguments[..], &["--format", "json"]].concat()).json();
    let paths: Vec<_> =
        json["files"].as_array().expect("files").iter().map(|it| (&it["path"], &it["changed"])).collect();
    assert_eq!(paths, [(&json!("Dockerfile"), &json!(false)), (&json!(".dockerignore"), &json!(true))]);
    let entry = &json["files"][1];
    assert_eq!((&entry["text"], &entry["applied"][0]["id"]), (&json!(".git\n.env\n"), &json!("write-dockerignore")));
    assert_eq!(folder.names(), [".env", ".git", "Dockerfile", "server.js"]);
}

#[test]
fn two_dockerfiles_of_one_context_write_one_ignore_file() {
    let folder = whole(&[("Dockerfile.two", WHOLE)]);
    let run = folder.run(&["fix", "--action", "write-dockerignore", "."]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert_eq!(folder.read(".dockerignore"), ".git\n.env\n");
}

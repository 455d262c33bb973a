//! The language server over its standard streams, as three recorded clients speak to it.

mod client;

use std::fs;
use std::path::Path;

use client::{Client, RECORDED, Recorded, edited, place, range, uri};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A base image, characters of several lengths and, in line 2, something that BuildKit rejects.
const FAULTY: &str = "FROM debian:bookworm\nLABEL title=\"ü𝕏\"\nRUNN echo \"ü𝕏\"\n";

/// A finding with a fix (`apt-lists-left`), two RUNs that can be merged, and characters of several lengths.
const WASTEFUL: &str = concat!(
    "FROM debian:bookworm\n",
    "LABEL title=\"ü𝕏\"\n",
    "RUN apt-get update && apt-get install -y curl\n",
    "RUN echo \"ü𝕏\" > /a\n",
    "CMD [\"curl\"]\n",
);

fn home() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn open(client: &mut Client, uri: &str, version: i64, text: &str) {
    let document = json!({"uri": uri, "languageId": "dockerfile", "version": version, "text": text});
    client.notify("textDocument/didOpen", json!({"textDocument": document}));
}

fn change(client: &mut Client, uri: &str, version: i64, changes: Value) {
    let document = json!({"uri": uri, "version": version});
    client.notify("textDocument/didChange", json!({"textDocument": document, "contentChanges": changes}));
}

fn codes(found: &[Value]) -> Vec<&str> {
    found.iter().filter_map(|it| it["code"].as_str()).collect()
}

fn has_fault(found: &[Value]) -> bool {
    codes(found).contains(&"fault")
}

/// The line of the only fault.
fn line_of_fault(found: &[Value]) -> &Value {
    let fault = found.iter().find(|it| it["code"] == "fault").expect("it was found");
    &fault["range"]["start"]["line"]
}

/// Runs a scenario under each recorded client, with `FAULTY` open as version 1 and its findings there.
fn for_each_client(scenario: impl Fn(Recorded, &mut Client, &str)) {
    for recorded in RECORDED {
        let home = home();
        let (mut client, server) = Client::greet(home.path(), recorded.capabilities(), Value::Null);
        assert_eq!(server["positionEncoding"], recorded.encoding, "{}", recorded.name);
        assert_eq!(server.get("diagnosticProvider"), None, "pushed and pulled would be shown twice");
        let uri = uri(&home.path().join("Dockerfile"));
        open(&mut client, &uri, 1, FAULTY);
        client.diagnostics(&uri, 1, has_fault);
        scenario(recorded, &mut client, &uri);
        assert_eq!(client.leave(), Some(0), "{}", recorded.name);
    }
}

#[test]
fn findings_are_shown_where_they_are_in_the_encoding_of_the_client() {
    for_each_client(|recorded, client, uri| {
        let encoding = recorded.encoding;
        let text = "FROM debian:bookworm\nLABEL title=\"ü𝕏\"\nRUN echo \"ü𝕏\"\nCOPY --fröm=\"𝕏\" a /\n";
        let name = range(FAULTY, "RUNN", encoding);
        let end = place(FAULTY, FAULTY.len(), encoding);
        let changes = json!([
            {"range": name, "text": "RUN"},
            // Each change is of the text that the one before left.
            {"range": {"start": end, "end": end}, "text": "COPY --frm=\"𝕏\" a /\n"},
            {"range": range(&text.replace("fröm", "frm"), "frm", encoding), "text": "fröm"},
        ]);
        change(client, uri, 2, changes);
        let found = client.diagnostics(uri, 2, has_fault);
        let fault = found.iter().find(|it| it["code"] == "fault").expect("it was found");
        let blamed = ["--fröm", "--fröm=\"𝕏\"", "fröm"].map(|piece| range(text, piece, encoding));
        assert!(blamed.contains(&fault["range"]), "{fault}");
        assert_eq!((&fault["source"], &fault["severity"]), (&json!("plimsoll"), &json!(1)));
    });
}

#[test]
fn findings_go_when_their_cause_goes_and_when_the_document_does() {
    for_each_client(|_, client, uri| {
        change(client, uri, 2, json!([{"text": "FROM scratch\n"}]));
        client.diagnostics(uri, 2, |found| !has_fault(found));
        change(client, uri, 3, json!([{"text": FAULTY}]));
        client.diagnostics(uri, 3, has_fault);
        client.notify("textDocument/didClose", json!({"textDocument": {"uri": uri}}));
        client.wait(|message| {
            let params = &message["params"];
            params["uri"] == uri && params["diagnostics"] == json!([]) && params.get("version").is_none()
        });
    });
}

#[test]
fn places_outside_the_text_and_missing_versions_are_survived() {
    for_each_client(|_, client, uri| {
        let nowhere = json!({"line": 4_000_000_000_u32, "character": 4_000_000_000_u32});
        let changes = json!([
            {"range": {"start": {"line": 0, "character": 4_000_000_000_u32}, "end": nowhere}, "text": "\n"},
            {"range": {"start": nowhere, "end": {"line": 7, "character": 7}}, "text": "COPI a /\n"},
        ]);
        change(client, uri, 40, changes);
        let found = client.diagnostics(uri, 40, has_fault);
        assert_eq!(line_of_fault(&found), 1);
        let at = json!({"textDocument": {"uri": uri}, "position": nowhere});
        assert_eq!(client.request("textDocument/hover", at).get("error"), None);
        let context = json!({"diagnostics": []});
        let range = json!({"start": nowhere, "end": nowhere});
        let at = json!({"textDocument": {"uri": uri}, "range": range, "context": context});
        assert_eq!(client.request("textDocument/codeAction", at).get("error"), None);
    });
}

#[test]
fn a_burst_of_changes_ends_in_the_findings_of_the_last() {
    for_each_client(|_, client, uri| {
        for version in 2..=60 {
            let at = json!({"line": 0, "character": 0});
            change(client, uri, version, json!([{"range": {"start": at, "end": at}, "text": "# x\n"}]));
        }
        let found = client.diagnostics(uri, 60, has_fault);
        assert_eq!(line_of_fault(&found), 2 + 59);
    });
}

#[test]
fn the_base_image_is_explained_on_hover() {
    for_each_client(|recorded, client, uri| {
        let at = place(FAULTY, FAULTY.find("debian").expect("it is there"), recorded.encoding);
        let answer = client.request("textDocument/hover", json!({"textDocument": {"uri": uri}, "position": at}));
        let hover = &answer["result"];
        assert_eq!(hover["contents"]["kind"], "markdown");
        assert!(hover["contents"]["value"].as_str().is_some_and(|it| it.contains("debian")), "{hover}");
    });
}

#[test]
fn instructions_of_several_lines_fold() {
    for_each_client(|_, client, uri| {
        change(client, uri, 2, json!([{"text": "# a\n# b\nFROM a\nRUN b \\\n && c\n"}]));
        let answer = client.request("textDocument/foldingRange", json!({"textDocument": {"uri": uri}}));
        let comment = json!({"startLine": 0, "endLine": 1, "kind": "comment"});
        assert_eq!(answer["result"], json!([comment, {"startLine": 3, "endLine": 4}]));
    });
}

#[test]
fn what_is_not_known_is_answered_as_the_protocol_says() {
    for_each_client(|_, client, uri| {
        let answer = client.request("textDocument/madeUp", json!({}));
        assert_eq!(answer["error"]["code"], -32601);
        client.notify("$/madeUp", json!({}));
        let answer = client.request("textDocument/hover", json!({"nothing": "right"}));
        assert_eq!(answer["error"]["code"], -32602);
        let elsewhere = json!({"textDocument": {"uri": "file:///not/open"}, "position": {"line": 0, "character": 0}});
        assert_eq!(client.request("textDocument/hover", elsewhere)["result"], Value::Null);
        change(client, "file:///not/open", 2, json!([{"text": "FROM a\n"}]));
        client.notify("textDocument/didClose", json!({"textDocument": {"uri": "file:///not/open"}}));
        change(client, uri, 2, json!([{"text": FAULTY}]));
        client.diagnostics(uri, 2, has_fault);
    });
}

#[test]
fn nothing_is_asked_of_a_client_that_did_not_declare_it() {
    let home = home();
    let (mut client, server) = Client::greet(home.path(), json!({}), Value::Null);
    assert_eq!(server["positionEncoding"], "utf-16");
    let uri = uri(&home.path().join("Dockerfile"));
    open(&mut client, &uri, 0, FAULTY);
    client.diagnostics(&uri, 0, has_fault);
    client.request("textDocument/foldingRange", json!({"textDocument": {"uri": uri}}));
    assert!(client.said.iter().all(|message| message.get("id").is_none()), "{:#?}", client.said);
    assert_eq!(client.leave(), Some(0));
}

#[test]
fn a_client_may_have_no_folder_open() {
    let home = home();
    let mut client = Client::start(home.path());
    let params = json!({"processId": null, "rootUri": null, "workspaceFolders": [], "capabilities": {}});
    assert_eq!(client.request("initialize", params)["result"]["serverInfo"]["name"], "plimsoll");
    client.notify("initialized", json!({}));
    open(&mut client, "untitled:Untitled-1", 1, FAULTY);
    client.diagnostics("untitled:Untitled-1", 1, has_fault);
    assert_eq!(client.leave(), Some(0));
}

#[test]
fn the_server_leaves_with_1_when_the_client_goes_without_a_word() {
    let home = home();
    let (client, _) = Client::greet(home.path(), json!({}), Value::Null);
    assert_eq!(client.exit(), Some(1));
    assert_eq!(Client::start(home.path()).exit(), Some(1));
    assert_eq!(Client::start(home.path()).hang_up(), Some(1));
}

#[test]
fn nothing_is_answered_before_the_greeting_and_after_the_farewell() {
    let home = home();
    let mut client = Client::start(home.path());
    let at = json!({"textDocument": {"uri": "file:///a"}, "position": {"line": 0, "character": 0}});
    assert_eq!(client.request("textDocument/hover", at.clone())["error"]["code"], -32002);
    let (mut client, _) = Client::greet(home.path(), json!({}), Value::Null);
    client.request("shutdown", Value::Null);
    assert_eq!(client.request("textDocument/hover", at)["error"]["code"], -32600);
    assert_eq!(client.exit(), Some(0));
}

#[test]
fn diagnostics_are_pulled_and_not_pushed_where_the_settings_say_so() {
    let by_option = json!({"diagnostics": {"mode": "pull"}});
    for (options, file) in [(by_option, None), (Value::Null, Some("diagnostics.mode = \"pull\"\n"))] {
        let home = home();
        if let Some(file) = file {
            fs::write(home.path().join("plimsoll.toml"), file).expect("the folder can be written");
        }
        let (mut client, server) = Client::greet(home.path(), json!({}), options);
        assert_eq!(server["diagnosticProvider"]["workspaceDiagnostics"], false);
        let uri = uri(&home.path().join("Dockerfile"));
        open(&mut client, &uri, 1, FAULTY);
        let answer = client.request("textDocument/diagnostic", json!({"textDocument": {"uri": uri}}));
        assert_eq!(answer["result"]["kind"], "full");
        assert!(has_fault(answer["result"]["items"].as_array().expect("a list")));
        client.request("textDocument/foldingRange", json!({"textDocument": {"uri": uri}}));
        let pushed = |message: &Value| message["method"] == "textDocument/publishDiagnostics";
        assert!(!client.said.iter().any(pushed), "{:#?}", client.said);
        assert_eq!(client.leave(), Some(0));
    }
}

#[test]
fn unknown_settings_are_told_once() {
    let home = home();
    let wrong = json!({"tarjet": "build"});
    let (mut client, _) = Client::greet(home.path(), json!({}), wrong.clone());
    let is_complaint = |message: &Value| {
        let text = message["params"]["message"].as_str();
        message["method"] == "window/showMessage" && text.is_some_and(|text| text.contains("tarjet"))
    };
    client.wait(is_complaint);
    client.notify("workspace/didChangeConfiguration", json!({"settings": wrong}));
    let uri = uri(&home.path().join("Dockerfile"));
    open(&mut client, &uri, 1, FAULTY);
    client.diagnostics(&uri, 1, has_fault);
    assert!(!client.said.iter().any(is_complaint), "{:#?}", client.said);
    assert_eq!(client.leave(), Some(0));
}

#[test]
fn a_client_with_dynamic_registration_is_asked_to_watch() {
    let home = home();
    let declared = json!({"workspace": {
        "didChangeConfiguration": {"dynamicRegistration": true},
        "didChangeWatchedFiles": {"dynamicRegistration": true},
    }});
    let (mut client, _) = Client::greet(home.path(), declared, Value::Null);
    let asked = client.wait(|message| message["method"] == "client/registerCapability");
    let registrations = asked["params"]["registrations"].as_array().expect("a list");
    let methods: Vec<&str> = registrations.iter().filter_map(|it| it["method"].as_str()).collect();
    assert_eq!(methods, ["workspace/didChangeConfiguration", "workspace/didChangeWatchedFiles"]);
    assert_eq!(registrations[1]["registerOptions"], json!({"watchers": [{"globPattern": "**/*"}]}));
    assert_eq!(client.leave(), Some(0));
}

fn has_lists(found: &[Value]) -> bool {
    codes(found).contains(&"apt-lists-left")
}

/// The action with this id among the answers to a request for a range, if it is offered.
fn action(client: &mut Client, uri: &str, range: &Value, context: Value, id: &str) -> Option<Value> {
    let params = json!({"textDocument": {"uri": uri}, "range": range, "context": context});
    let answer = client.request("textDocument/codeAction", params);
    let actions = answer["result"].as_array().expect("a list of actions");
    actions.iter().find(|it| it["data"]["id"] == id).cloned()
}

#[test]
fn adjacent_runs_are_merged_by_an_action_on_the_cursor_alone() {
    for_each_client(|recorded, client, uri| {
        change(client, uri, 2, json!([{"text": WASTEFUL}]));
        let cursor = range(WASTEFUL, "RUN echo", recorded.encoding)["start"].clone();
        let cursor = json!({"start": cursor, "end": cursor});
        let merge = action(client, uri, &cursor, json!({"diagnostics": []}), "merge-runs").expect("it is offered");
        assert_eq!(merge["kind"], "refactor.rewrite.merge-runs");
        let edit = &merge["edit"];
        assert_eq!(edit.get("documentChanges").is_some(), recorded.name != "Neovim", "{}", recorded.name);
        if let Some(documents) = edit["documentChanges"].as_array() {
            assert_eq!(documents[0]["textDocument"], json!({"uri": uri, "version": 2}));
        }
        let text = edited(WASTEFUL, edit, recorded.encoding);
        assert_eq!(text.matches("RUN ").count(), 1, "{text}");
        for only in [json!(["refactor"]), json!(["refactor.rewrite.merge-runs"])] {
            let context = json!({"diagnostics": [], "only": only});
            assert!(action(client, uri, &cursor, context, "merge-runs").is_some(), "{only}");
        }
        let context = json!({"diagnostics": [], "only": ["quickfix"]});
        assert_eq!(action(client, uri, &cursor, context, "merge-runs"), None);
    });
}

#[test]
fn the_fix_of_a_finding_mends_it_and_all_fixes_come_when_asked_for() {
    for_each_client(|recorded, client, uri| {
        change(client, uri, 2, json!([{"text": WASTEFUL}]));
        client.diagnostics(uri, 2, has_lists);
        let at = range(WASTEFUL, "apt-get update && apt-get install -y curl", recorded.encoding);
        let fix = action(client, uri, &at, json!({"diagnostics": []}), "apt-lists-left").expect("it is offered");
        assert_eq!(fix["kind"], "quickfix");
        assert_eq!(fix["diagnostics"][0]["code"], "apt-lists-left");
        let text = edited(WASTEFUL, &fix["edit"], recorded.encoding);
        assert!(text.contains("rm -rf /var/lib/apt/lists"), "{text}");
        assert_eq!(action(client, uri, &at, json!({"diagnostics": []}), "fix-all"), None);
        let context = json!({"diagnostics": [], "only": ["source.fixAll"]});
        let all = action(client, uri, &at, context, "fix-all").expect("it is offered");
        assert_eq!(all["kind"], "source.fixAll.plimsoll");
        change(client, uri, 3, json!([{"text": edited(WASTEFUL, &all["edit"], recorded.encoding)}]));
        client.diagnostics(uri, 3, |found| !has_lists(found));
    });
}

#[test]
fn a_finding_is_allowed_by_a_comment_where_it_is_or_for_the_file() {
    for_each_client(|recorded, client, uri| {
        let mut version = 2;
        for (id, line) in [("allow", "# plimsoll: allow "), ("allow-file", "# plimsoll: allow-file ")] {
            change(client, uri, version, json!([{"text": WASTEFUL}]));
            client.diagnostics(uri, version, has_lists);
            let at = range(WASTEFUL, "apt-get update", recorded.encoding);
            let allow = action(client, uri, &at, json!({"diagnostics": []}), id).expect("it is offered");
            assert_eq!(allow["kind"], "quickfix");
            let rule = allow["diagnostics"][0]["code"].as_str().expect("a rule").to_owned();
            let text = edited(WASTEFUL, &allow["edit"], recorded.encoding);
            assert!(text.contains(&format!("{line}{rule}\n")), "{text}");
            change(client, uri, version + 1, json!([{"text": text}]));
            client.diagnostics(uri, version + 1, |found| !codes(found).contains(&rule.as_str()));
            version += 2;
        }
    });
}

#[test]
fn the_ignore_file_is_made_or_extended_as_the_client_can() {
    const WHOLE: &str = "FROM node:22-slim\nWORKDIR /app\nCOPY . .\nCMD [\"node\", \"a.js\"]\n";
    for recorded in RECORDED {
        for before in [None, Some("# \u{1d54f}\n.git")] {
            let home = home();
            fs::write(home.path().join(".env"), "KEY=1\n").expect("a file");
            if let Some(before) = before {
                fs::write(home.path().join(".dockerignore"), before).expect("a file");
            }
            let (mut client, _) = Client::greet(home.path(), recorded.capabilities(), Value::Null);
            let uri = uri(&home.path().join("Dockerfile"));
            open(&mut client, &uri, 1, WHOLE);
            let id = if before.is_some() { "dockerignore-incomplete" } else { "missing-dockerignore" };
            client.diagnostics(&uri, 1, |found| codes(found).contains(&id));
            let at = range(WHOLE, "COPY . .", recorded.encoding);
            let action = action(&mut client, &uri, &at, json!({"diagnostics": []}), "write-dockerignore");
            let makes_files = recorded.name != "Neovim";
            assert_eq!(action.is_some(), before.is_some() || makes_files, "{}", recorded.name);
            let other = crate::uri(&home.path().join(".dockerignore"));
            let Some(action) = action else { continue };
            assert_eq!(action["kind"], "refactor.rewrite.write-dockerignore");
            let text = |character: u32, line: u32, text: &str| {
                let place = json!({"line": line, "character": character});
                json!([{"range": {"start": place, "end": place}, "newText": text}])
            };
            let document = json!({"uri": other, "version": null});
            let expected = match (before, makes_files) {
                (None, _) => json!({"documentChanges": [
                    {"kind": "create", "uri": other, "options": {"overwrite": false, "ignoreIfExists": false}},
                    {"textDocument": document, "edits": text(0, 0, ".env\n")},
                ]}),
                (Some(_), true) => json!({"documentChanges": [
                    {"textDocument": document, "edits": text(4, 1, "\n.env\n")},
                ]}),
                (Some(_), false) => json!({"changes": {other: text(4, 1, "\n.env\n")}}),
            };
            assert_eq!(action["edit"], expected, "{}", recorded.name);
            assert_eq!(client.leave(), Some(0));
        }
    }
}

/// Opens `WASTEFUL` with these settings and waits until `apt-lists-left` is silent.
fn check_silenced(home: &Path, client: &mut Client) {
    let uri = uri(&home.join("Dockerfile"));
    open(client, &uri, 1, WASTEFUL);
    client.diagnostics(&uri, 1, |found| !has_lists(found));
}

const SILENT: &str = "apt-lists-left";

#[test]
fn rules_are_silenced_by_the_start_options() {
    for options in [json!({"rules": {SILENT: "off"}}), json!({"plimsoll": {"rules": {SILENT: "off"}}})] {
        let home = home();
        let (mut client, _) = Client::greet(home.path(), json!({}), options);
        check_silenced(home.path(), &mut client);
        assert_eq!(client.leave(), Some(0));
    }
}

#[test]
fn rules_are_silenced_by_a_file_of_the_workspace_and_spoken_by_its_change() {
    let home = home();
    let file = home.path().join("plimsoll.toml");
    fs::write(&file, "[rules]\napt-lists-left = \"off\"\n").expect("the folder can be written");
    let (mut client, _) = Client::greet(home.path(), json!({}), Value::Null);
    check_silenced(home.path(), &mut client);
    fs::remove_file(&file).expect("it was there");
    let gone = json!({"changes": [{"uri": uri(&file), "type": 3}]});
    client.notify("workspace/didChangeWatchedFiles", gone);
    client.diagnostics(&uri(&home.path().join("Dockerfile")), 1, has_lists);
    assert_eq!(client.leave(), Some(0));
}

#[test]
fn rules_are_silenced_by_what_the_client_says_later() {
    let settings = json!({"rules": {SILENT: "off"}});
    for sent in [settings.clone(), json!({"plimsoll": settings})] {
        let home = home();
        let (mut client, _) = Client::greet(home.path(), json!({}), Value::Null);
        client.notify("workspace/didChangeConfiguration", json!({"settings": sent}));
        check_silenced(home.path(), &mut client);
        assert_eq!(client.leave(), Some(0));
    }
}

#[test]
fn rules_are_silenced_by_what_the_client_answers() {
    let home = home();
    let declared = json!({"workspace": {"configuration": true}});
    let mut client = Client::start(home.path());
    client.settings = json!({"rules": {SILENT: "off"}});
    let params = json!({"processId": null, "rootUri": uri(home.path()), "capabilities": declared});
    client.request("initialize", params);
    client.notify("initialized", json!({}));
    check_silenced(home.path(), &mut client);
    client.settings = json!({});
    client.notify("workspace/didChangeConfiguration", json!({"settings": null}));
    client.diagnostics(&uri(&home.path().join("Dockerfile")), 1, has_lists);
    assert_eq!(client.leave(), Some(0));
}

/// Two stages; what is copied is beside it as the test says.
const WEIGHED: &str = concat!(
    "FROM node:22-bookworm-slim AS web\n",
    "LABEL a=\"ü𝕏\"\n",
    "COPY [\"ü𝕏\", \\\n",
    "  \"/ü𝕏\"]\n",
    "FROM web\n",
    "RUN make\n",
);

/// A folder with two megabytes in the file that `WEIGHED` copies.
fn weighed_home() -> TempDir {
    let home = home();
    fs::write(home.path().join("ü𝕏"), vec![b'a'; 2_000_000]).expect("the folder can be written");
    home
}

/// The labels and places of the hints within these lines.
fn hints(client: &mut Client, uri: &str, first: usize, last: usize) -> Vec<(String, Value)> {
    let range = json!({"start": {"line": first, "character": 0}, "end": {"line": last, "character": 0}});
    let answer = client.request("textDocument/inlayHint", json!({"textDocument": {"uri": uri}, "range": range}));
    let hints = answer["result"].as_array().unwrap_or_else(|| panic!("hints, not {answer}")).clone();
    hints.iter().map(|hint| (hint["label"].as_str().expect("a label").to_owned(), hint["position"].clone())).collect()
}

/// The titles of the lenses, each with the line it stands above.
fn lenses(client: &mut Client, uri: &str) -> Vec<(String, Value)> {
    let answer = client.request("textDocument/codeLens", json!({"textDocument": {"uri": uri}}));
    let lenses = answer["result"].as_array().unwrap_or_else(|| panic!("lenses, not {answer}")).clone();
    let shown = lenses.iter().map(|lens| {
        assert_eq!(lens["command"]["command"], "", "a lens does nothing");
        let title = lens["command"]["title"].as_str().expect("a title").to_owned();
        (title, lens["range"]["start"]["line"].clone())
    });
    shown.collect()
}

/// Waits until the file that `WEIGHED` copies weighs this, as clients do: by asking anew when they are told to or, where
/// nobody tells them, after findings came.
fn wait_for_copied(client: &mut Client, uri: &str, label: &str) {
    while !hints(client, uri, 0, 6).iter().any(|(shown, _)| shown == label) {
        client.wait(|message| {
            let method = message["method"].as_str();
            matches!(method, Some("textDocument/publishDiagnostics" | "workspace/inlayHint/refresh"))
        });
    }
}

/// Opens `WEIGHED` and waits until its context is known.
fn open_weighed(client: &mut Client, uri: &str) {
    open(client, uri, 1, WEIGHED);
    wait_for_copied(client, uri, "+ 2.00 MB");
}

#[test]
fn instructions_show_their_weight_at_their_end_in_the_encoding_of_the_client() {
    for recorded in RECORDED {
        let home = weighed_home();
        let (mut client, server) = Client::greet(home.path(), recorded.capabilities(), Value::Null);
        assert_eq!(server["inlayHintProvider"], true, "{}", recorded.name);
        let uri = uri(&home.path().join("Dockerfile"));
        open_weighed(&mut client, &uri);
        let place = |piece: &str| {
            let end = WEIGHED.find(piece).expect("it is there") + piece.len();
            place(WEIGHED, end, recorded.encoding)
        };
        let shown = hints(&mut client, &uri, 0, 6);
        let expected = [place("AS web"), place("\"/ü𝕏\"]"), place("RUN make")];
        let is_shown = |at: &Value| shown.iter().any(|(_, place)| place == at);
        assert!(expected.iter().all(is_shown), "{}: {shown:?}", recorded.name);
        // Helix shows no lenses: the weight of a stage stands behind its FROM instead.
        let has_lenses = recorded.name != "Helix";
        let pulled = |from: &str| from.contains("pulled");
        assert_eq!(shown.iter().filter(|(label, _)| pulled(label)).count(), if has_lenses { 0 } else { 2 });
        let last = hints(&mut client, &uri, 5, 6);
        assert_eq!(last, [("?".to_owned(), place("RUN make"))], "{}", recorded.name);
        assert_eq!(client.leave(), Some(0), "{}", recorded.name);
    }
}

#[test]
fn stages_show_their_weight_above_their_from_where_the_client_has_lenses() {
    for recorded in RECORDED {
        let home = weighed_home();
        let (mut client, server) = Client::greet(home.path(), recorded.capabilities(), Value::Null);
        let declared = server.get("codeLensProvider").is_some();
        assert_eq!(declared, recorded.name != "Helix");
        if declared {
            let uri = uri(&home.path().join("Dockerfile"));
            open_weighed(&mut client, &uri);
            let shown = lenses(&mut client, &uri);
            let [(web, first), (last, second)] = &shown[..] else { panic!("two lenses, not {shown:?}") };
            assert_eq!((first, second), (&json!(0), &json!(4)));
            assert!(web.starts_with("web stage 229 MB, pulled "), "{web}");
            assert!(last.starts_with("final stage at least 229 MB, pulled at least "), "{last}");
        }
        assert_eq!(client.leave(), Some(0), "{}", recorded.name);
    }
}

#[test]
fn a_client_is_told_when_figures_change_without_the_text_if_it_wants_to_be() {
    for recorded in RECORDED {
        let home = weighed_home();
        let (mut client, _) = Client::greet(home.path(), recorded.capabilities(), Value::Null);
        let uri = uri(&home.path().join("Dockerfile"));
        open_weighed(&mut client, &uri);
        let wants = recorded.name != "Helix";
        if wants {
            lenses(&mut client, &uri);
        }
        client.said.clear();
        fs::write(home.path().join("ü𝕏"), vec![b'a'; 3_000_000]).expect("the folder can be written");
        client.notify("textDocument/didSave", json!({"textDocument": {"uri": uri}}));
        if wants {
            client.wait(|message| message["method"] == "workspace/inlayHint/refresh");
            client.wait(|message| message["method"] == "workspace/codeLens/refresh");
            assert!(hints(&mut client, &uri, 0, 6).iter().any(|(label, _)| label == "+ 3.00 MB"));
        } else {
            wait_for_copied(&mut client, &uri, "+ 3.00 MB");
            assert!(!client.said.iter().any(|it| it["method"].as_str().is_some_and(|it| it.ends_with("/refresh"))));
        }
        assert_eq!(client.leave(), Some(0), "{}", recorded.name);
    }
}

#[test]
fn a_copied_file_that_grows_on_the_disk_weighs_more() {
    let home = weighed_home();
    let (mut client, _) = Client::greet(home.path(), RECORDED[0].capabilities(), Value::Null);
    let dockerfile = uri(&home.path().join("Dockerfile"));
    open_weighed(&mut client, &dockerfile);
    let (copied, folder) = (home.path().join("ü𝕏"), uri(home.path()));
    fs::write(&copied, vec![b'a'; 3_000_000]).expect("the folder can be written");
    // A build writes many files, each of which is told.
    for _ in 0..50 {
        let changes = json!([{"uri": format!("{folder}/%C3%BC%F0%9D%95%8F"), "type": 2}]);
        client.notify("workspace/didChangeWatchedFiles", json!({"changes": changes}));
    }
    wait_for_copied(&mut client, &dockerfile, "+ 3.00 MB");
    assert_eq!(client.leave(), Some(0));
}

#[test]
fn hints_and_lenses_follow_the_settings() {
    let home = weighed_home();
    let file = home.path().join("plimsoll.toml");
    fs::write(&file, "lens = false\nhints.instructions = false\n").expect("the folder can be written");
    let (mut client, _) = Client::greet(home.path(), RECORDED[1].capabilities(), Value::Null);
    let uri = uri(&home.path().join("Dockerfile"));
    open(&mut client, &uri, 1, WEIGHED);
    client.diagnostics(&uri, 1, |_| true);
    assert_eq!((hints(&mut client, &uri, 0, 6), lenses(&mut client, &uri)), (Vec::new(), Vec::new()));
    fs::remove_file(&file).expect("it was there");
    client.notify("textDocument/didSave", json!({"textDocument": {"uri": uri}}));
    // The build context, which is read later, may have been told of before.
    while (hints(&mut client, &uri, 0, 6).len(), lenses(&mut client, &uri).len()) != (3, 2) {
        client.wait(|message| message["method"].as_str().is_some_and(|method| method.ends_with("/refresh")));
    }
    assert_eq!(client.leave(), Some(0));
}

#[test]
fn a_merge_that_saves_bytes_says_before_and_after_in_its_title() {
    for_each_client(|recorded, client, uri| {
        let text = "FROM debian:bookworm-slim\nRUN apt-get update\nRUN rm -rf /var/lib/apt/lists/*\n";
        change(client, uri, 2, json!([{"text": text}]));
        let cursor = range(text, "RUN rm", recorded.encoding);
        let merge = action(client, uri, &cursor, json!({"diagnostics": []}), "merge-runs").expect("it is offered");
        let title = merge["title"].as_str().expect("a title");
        assert!(title.starts_with("Merge 2 RUN layers (about 20 MB → "), "{title}");
    });
}

#[test]
fn other_ways_of_merging_and_splitting_are_actions_of_their_own() {
    for_each_client(|recorded, client, uri| {
        let text = "# syntax=docker/dockerfile:1\nFROM debian:12\nRUN apt-get update && a\nRUN b\nARG LATER=1\nRUN c\n\
                    CMD [\"a\"]\n";
        change(client, uri, 2, json!([{"text": text}]));
        let cursor = range(text, "&& a", recorded.encoding)["start"].clone();
        let cursor = json!({"start": cursor, "end": cursor});
        let parameters = json!({"textDocument": {"uri": uri}, "range": cursor, "context": {"diagnostics": []}});
        let answer = client.request("textDocument/codeAction", parameters);
        let offered: Vec<(&str, &str)> = answer["result"]
            .as_array()
            .expect("actions")
            .iter()
            .filter(|it| it.get("disabled").is_none())
            .filter_map(|it| Some((it["kind"].as_str()?, it["data"]["variant"].as_str().unwrap_or_default())))
            .filter(|(kind, _)| kind.contains("-run"))
            .collect();
        let expected = [
            ("refactor.rewrite.merge-runs", "plain"),
            ("refactor.rewrite.merge-runs", "heredoc"),
            ("refactor.rewrite.merge-runs", "hoist"),
            ("refactor.rewrite.merge-runs-clean", ""),
            ("refactor.rewrite.split-run", ""),
        ];
        assert_eq!(offered, expected, "{}", recorded.name);
        let split = action(client, uri, &cursor, json!({"diagnostics": []}), "split-run").expect("it is offered");
        assert!(edited(text, &split["edit"], recorded.encoding).contains("RUN apt-get update\nRUN a\nRUN b"));
    });
}

#[test]
fn a_client_without_hints_and_lenses_is_offered_none() {
    let home = home();
    let (client, server) = Client::greet(home.path(), json!({}), Value::Null);
    assert_eq!((server.get("inlayHintProvider"), server.get("codeLensProvider")), (None, None));
    assert_eq!(client.leave(), Some(0));
}

//! `plimsoll size` as scripts and people see it (CLI.md): suggestions, budgets, and the page.

mod folder;

use folder::{Folder, Run};
use html5ever::driver::ParseOpts;
use html5ever::tendril::TendrilSink;
use html5ever::tree_builder::TreeBuilderOpts;
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use serde_json::{Value, json};

/// A stage of 2 MB that copies a file which it then deletes, and a builder.
const WASTEFUL: &str = "FROM node:22 AS build\n\
    COPY big /tmp/big\n\
    FROM debian:bookworm-slim AS web\n\
    RUN apt-get update\n\
    RUN rm -rf /var/lib/apt/lists/*\n\
    COPY --from=build /a /a\n\
    CMD [\"/a\"]\n";

fn wasteful() -> Folder {
    Folder::with(&[("Dockerfile", WASTEFUL), ("big", &"a".repeat(2_000_000))])
}

#[test]
fn suggestions_come_only_when_asked_for_and_say_before_and_after() {
    let folder = wasteful();
    let plain = folder.run(&["size", "--format", "json"]);
    assert_eq!(plain.json()["files"][0].get("suggestions"), None);
    let run = folder.run(&["size", "--format", "json", "--suggest"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let json = run.json();
    let suggestions = json["files"][0]["suggestions"].as_array().expect("suggestions");
    let [merge] = &suggestions[..] else { panic!("one suggestion, not {suggestions:?}") };
    let keys: Vec<&String> = merge.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["after", "before", "id", "line", "title", "variant"]);
    assert_eq!((&merge["id"], &merge["variant"], &merge["line"]), (&json!("merge-runs"), &json!("plain"), &json!(4)));
    let bytes = |figure: &Value| figure["likely"].as_u64().expect("bytes");
    assert!(bytes(&merge["before"]) > bytes(&merge["after"]) + 15_000_000, "{merge}");
    assert!(merge["title"].as_str().is_some_and(|title| title.contains('→')), "{merge}");
}

#[test]
fn what_saves_bytes_is_suggested_in_the_terminal_with_its_command() {
    let folder = Folder::of(
        "FROM debian:bookworm-slim\n\
         RUN make\n\
         RUN make install\n\
         ENV A=1\n\
         RUN apt-get update\n\
         RUN rm -rf /var/lib/apt/lists/*\n",
    );
    let run = folder.run(&["size", "--suggest"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let (_, suggested) = run.out.split_once("\n  what would make it lighter\n").expect("suggestions");
    let lines: Vec<&str> = suggested.lines().map(str::trim).collect();
    let [lists, _] = lines[..] else { panic!("one suggestion, not {lines:?}: what saves a layer alone is left out") };
    assert!(lists.starts_with("5  Merge 2 RUN layers (about 20 MB → "), "{lists}");
    for line in suggested.lines().filter_map(|line| line.trim().strip_prefix("plimsoll ")) {
        let arguments: Vec<&str> = line.split(' ').chain(["--diff"]).collect();
        let done = folder.run(&arguments);
        assert!(done.code == 0 && done.out.contains("&&"), "{arguments:?} {done:?}");
    }
    let sound = Folder::of("FROM scratch\n");
    assert!(sound.run(&["size", "--suggest"]).out.ends_with("no action is offered that saves bytes\n"));
}

/// Runs `size` on 2 MB with these settings.
fn budgeted(settings: &str, arguments: &[&str]) -> Run {
    let folder = Folder::with(&[
        ("Dockerfile", "FROM scratch AS build\nCOPY big /\nFROM scratch AS web\nCOPY big /\n"),
        ("big", &"a".repeat(2_000_000)),
        ("plimsoll.toml", settings),
    ]);
    folder.run(&[&["size"], arguments].concat())
}

#[test]
fn above_the_budget_is_exit_code_1_in_every_format() {
    let text = budgeted("size.budget = \"1MB\"\n", &[]);
    assert_eq!((text.code, text.err.as_str()), (1, ""));
    let said = "the image weighs 2.00 MB unpacked, more than its budget of 1.00 MB";
    assert_eq!(text.out.lines().nth(1), Some(said));
    let json = budgeted("size.budget = \"1MB\"\n", &["--format", "json"]);
    assert_eq!((json.code, &json.err), (1, &format!("warning: Dockerfile: {said}\n")));
    let stage = &json.json()["files"][0]["stages"][1];
    assert_eq!(stage["budget"], json!({"bytes": 1_000_000, "exceeded": true}));
    let html = budgeted("size.budget = \"1MB\"\n", &["--format", "html"]);
    assert_eq!(html.code, 1);
    assert!(html.out.contains("more than its budget of 1.00 MB"));
}

#[test]
fn within_the_budget_is_exit_code_0() {
    for settings in ["", "size.budget = \"2MB\"\n", "size.budget = { build = \"1MB\" }\n"] {
        let run = budgeted(settings, &["--format", "json"]);
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{settings}");
    }
    // The setting is for what is shipped as well as for what is checked.
    assert_eq!(budgeted("size.budget = { web = \"1MB\", build = 1 }\n", &[]).code, 1);
    assert_eq!(budgeted("size.budget = 1\n[rules]\nimage-over-budget = \"off\"\n", &[]).code, 1);
}

#[test]
fn what_only_may_be_above_the_budget_does_not_fail() {
    let files = [("Dockerfile", "FROM debian:bookworm-slim\nCMD a\n")];
    let folder = Folder::with(&files);
    let json = folder.run(&["size", "--format", "json"]).json();
    let likely = json["files"][0]["stages"][0]["unpacked"]["likely"].as_u64().expect("bytes");
    folder.write("plimsoll.toml", format!("size.budget = {}\n", likely - 1).as_bytes());
    let run = folder.run(&["size"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.contains("the image may exceed its budget of "), "{run:?}");
}

/// An element: name, attributes, own text.
type Element = (String, Vec<(String, String)>, String);

/// The elements of a page in order. Fails where a browser would have to mend it.
fn elements(page: &str) -> Vec<Element> {
    let options = ParseOpts {
        tree_builder: TreeBuilderOpts { exact_errors: true, ..TreeBuilderOpts::default() },
        ..ParseOpts::default()
    };
    let dom = html5ever::parse_document(RcDom::default(), options).one(page);
    let errors = dom.errors.borrow();
    assert!(errors.is_empty(), "a browser would have to mend: {errors:?}");
    let mut res = Vec::new();
    walk(&dom.document, &mut res);
    res
}

fn walk(node: &Handle, acc: &mut Vec<Element>) {
    if let NodeData::Element { name, attrs, .. } = &node.data {
        let attributes = attrs.borrow();
        let attributes = attributes.iter().map(|it| (it.name.local.to_string(), it.value.to_string())).collect();
        let children = node.children.borrow();
        let text = children.iter().filter_map(|child| match &child.data {
            NodeData::Text { contents } => Some(contents.borrow().to_string()),
            _ => None,
        });
        acc.push((name.local.to_string(), attributes, text.collect()));
    }
    node.children.borrow().iter().for_each(|child| walk(child, acc));
}

#[test]
fn the_page_is_sound_and_loads_nothing() {
    let folder = wasteful();
    folder.write("other/Dockerfile", b"FROM scratch\nCOPY big /\n");
    let run = folder.run(&["size", "--format", "html", "Dockerfile", "other", "missing"]);
    assert_eq!(run.code, 2, "{}", run.err);
    let elements = elements(&run.out);
    let count = |wanted: &str| elements.iter().filter(|(name, ..)| name == wanted).count();
    assert_eq!((count("h1"), count("h2"), count("script"), count("link"), count("img")), (1, 3, 0, 0, 0));
    for (name, attributes, text) in &elements {
        for (attribute, value) in attributes {
            assert!(!attribute.starts_with("on") && attribute != "src", "{name} has {attribute}");
            assert!(attribute != "href" || value.starts_with('#'), "{name} leads to {value}");
            assert!(attribute != "style" || !value.contains("url"), "{name} has {value}");
        }
        assert!(name != "style" || (!text.contains("url(") && !text.contains("@import")), "{text}");
    }
    let policy = elements.iter().flat_map(|(_, attributes, _)| attributes);
    let mut policy = policy.filter(|(_, value)| value.starts_with("default-src 'none'"));
    assert!(policy.next().is_some());
    let ids: Vec<&String> = elements.iter().flat_map(|it| &it.1).filter(|it| it.0 == "id").map(|it| &it.1).collect();
    for (_, target) in elements.iter().flat_map(|it| &it.1).filter(|it| it.0 == "href" || it.0 == "aria-labelledby") {
        assert!(ids.iter().any(|id| **id == target.trim_start_matches('#')), "nothing is {target}");
    }
}

#[test]
fn the_page_has_every_layer_with_its_weight_in_words() {
    let page = wasteful().run(&["size", "--format", "html"]);
    assert_eq!((page.code, page.err.as_str()), (0, ""));
    let elements = elements(&page.out);
    let has = |name: &str, text: &str| elements.iter().any(|it| it.0 == name && it.2.contains(text));
    for instruction in ["FROM node:22 AS build", "COPY big /tmp/big", "RUN apt-get update", "COPY --from=build /a /a"] {
        assert!(has("code", instruction), "{instruction}");
    }
    assert!(has("td", "2.00 MB") && has("td", "≈ 20 MB") && has("td", "?"));
    assert!(has("span", "not shipped") && has("span", "the target"));
    assert!(has("dt", "before") && has("dt", "after"));
    let bar = elements.iter().find(|it| it.1.iter().any(|(name, value)| name == "role" && value == "img"));
    let (_, attributes, _) = bar.expect("the image as a bar");
    let label = attributes.iter().find(|(name, _)| name == "aria-label").map(|(_, value)| value.as_str());
    assert!(label.is_some_and(|label| label.contains("RUN about 20 MB") && label.contains("not known")), "{label:?}");
}

#[test]
fn nothing_of_a_file_becomes_markup() {
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    let folder = Folder::with(&[
        (
            "Dockerfile",
            &format!("FROM node:22 AS {evil}\nRUN echo {evil} \\\n  && {evil}\nCOPY </style>{evil} /\nRUN {evil}\n"),
        ),
        ("<b>x&y/Dockerfile", "FROM <i>x\n"),
    ]);
    for paths in [&["Dockerfile"][..], &["Dockerfile", "<b>x&y/Dockerfile"], &["<b>x&y", "</title><script>missing"]] {
        let run = folder.run(&[&["size", "--format", "html"], paths].concat());
        let elements = elements(&run.out);
        let foreign = ["script", "img", "b", "i"].map(|name| elements.iter().filter(|it| it.0 == name).count());
        // The legend of the page has two words in bold.
        assert_eq!(foreign, [0, 0, 2, 0], "{paths:?}");
        assert_eq!(elements.iter().filter(|it| it.0 == "style").count(), 1);
    }
}

//! What instructions weigh, shown in words: texts of Dockerfiles with what lies beside them.

use std::sync::Arc;

use crate::analysis::{Analysis, Inputs};
use crate::config::Config;
use crate::context::BuildContext;
use crate::images::ImageBook;

/// The weights of the layers of the last stage, in words.
fn layers(text: &str, files: &[(&str, &str)]) -> Vec<String> {
    let inputs = Inputs {
        text: text.into(),
        config: Arc::new(Config::default()),
        context: Arc::new(BuildContext::of_texts(files.iter().copied())),
        images: Arc::new(ImageBook::embedded()),
        today: None,
        ..Inputs::default()
    };
    let analysis = Analysis::of(inputs, None);
    let stage = analysis.size.stages.last().expect("a stage");
    let shown = |layer: &crate::size::LayerSize| match (&layer.adds, layer.incomplete) {
        (Some(adds), false) => format!("{} ({}, {})", adds.words(), adds.basis.name(), layer.why),
        (Some(adds), true) => format!("at least {} ({}, {})", adds.words(), adds.basis.name(), layer.why),
        (None, _) => format!("unknown: {}", layer.why),
    };
    stage.layers.iter().map(shown).collect()
}

/// The weight of the last layer, in words.
fn shown(text: &str) -> String {
    layers(text, &[("a/b.txt", "1234"), ("c.txt", "12")]).pop().expect("a layer")
}

#[test]
fn packages_weigh_what_they_need_with_them() {
    let install = "apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*";
    assert_eq!(
        shown(&format!("FROM debian:bookworm-slim\nRUN apt-get update && {install}")),
        "about 12 MB (recipe, 16 packages)"
    );
}

#[test]
fn lists_that_stay_weigh_too() {
    assert_eq!(shown("FROM debian:bookworm-slim\nRUN apt-get update"), "about 20 MB (recipe, package lists)");
}

#[test]
fn a_package_of_an_earlier_layer_weighs_nothing_again() {
    assert_eq!(
        shown(
            "FROM debian:bookworm-slim\nRUN apt-get install -y --no-install-recommends curl\nRUN apt-get install -y \
             --no-install-recommends curl"
        ),
        "about 1 kB (guess, a few small files)"
    );
}

#[test]
fn what_no_table_knows_is_unknown_and_not_zero() {
    assert_eq!(
        shown("FROM debian:bookworm-slim\nRUN apt-get install -y --no-install-recommends curl && make"),
        "at least about 12 MB (recipe, 16 packages; what make writes is not known)"
    );
    assert_eq!(
        shown("FROM debian:bookworm-slim\nRUN apt-get install -y my-own-package"),
        "unknown: the package my-own-package is not in the table"
    );
    assert_eq!(
        shown("FROM registry.example/base\nRUN apt-get install -y curl"),
        "unknown: which packages the base image has is not known"
    );
    assert_eq!(shown("FROM alpine\nRUN chown -R a /usr/lib"), "unknown: what lies in /usr/lib is not known");
    assert_eq!(shown("FROM alpine\nRUN apk add curl"), "unknown: what apk installs is in no table (and 1 more)");
    assert_eq!(shown("FROM alpine\nRUN $X"), "unknown: what a command writes is not known");
}

#[test]
fn copies_are_counted_in_the_build_context() {
    assert_eq!(shown("FROM scratch\nCOPY a /"), "4 B (context, 1 file)");
    assert_eq!(shown("FROM scratch\nCOPY . /"), "6 B (context, 2 files)");
    assert_eq!(shown("FROM scratch\nCOPY z /"), "unknown: z is not in the build context");
    assert_eq!(shown("FROM scratch\nCOPY a z /"), "at least 4 B (context, 1 file; z is not in the build context)");
    assert_eq!(shown("FROM scratch\nCOPY --exclude=*.txt . /"), "4 B (context, 1 file)");
    assert_eq!(shown("FROM scratch\nCOPY --exclude=**/*.txt . /"), "0 B (context, 0 files)");
    assert_eq!(shown("FROM scratch\nCOPY --exclude=a . /"), "2 B (context, 1 file)");
    assert_eq!(shown("FROM scratch\nCOPY <<E /x\n1234567\nE"), "8 B (context, 1 file)");
    assert_eq!(
        shown("FROM scratch\nADD https://example.org/a.tgz /"),
        "unknown: https://example.org/a.tgz is fetched when it is built"
    );
}

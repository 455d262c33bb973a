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
    assert_eq!(
        shown("FROM alpine\nRUN apk add curl"),
        "at least about 2.4 MB (guess, package index; what apk installs is in no table)"
    );
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

/// The last layer of a text with the things of a small Node.js project beside it.
fn of_node(text: &str) -> String {
    let lock = r#"{"lockfileVersion":3,"packages":{"":{},
        "node_modules/express":{"version":"4.21.0"},"node_modules/debug":{"version":"2.6.9"},
        "node_modules/typescript":{"version":"5.6.0","dev":true}}}"#;
    let files = [("package.json", "{}"), ("package-lock.json", lock), ("src/a.js", "12345")];
    layers(text, &files).pop().expect("a layer")
}

#[test]
fn modules_weigh_what_the_lock_file_lists() {
    let ready = "FROM node:22\nWORKDIR /app\nCOPY package*.json ./\n";
    let all = of_node(&format!("{ready}RUN npm ci && npm cache clean --force"));
    assert!(all.ends_with("(recipe, 3 npm packages)"), "{all}");
    let production = of_node(&format!("{ready}RUN npm ci --omit=dev && npm cache clean --force"));
    assert!(production.ends_with("(recipe, 2 npm packages)"), "{production}");
    let by_variable = of_node(&format!("{ready}ENV NODE_ENV=production\nRUN npm ci && npm cache clean --force"));
    assert_eq!(by_variable, production);
    let pruned = of_node(&format!("{ready}RUN npm ci && npm prune --omit=dev && npm cache clean --force"));
    assert_eq!(pruned.split(" (").next(), production.split(" (").next());
    let cached = of_node(&format!("{ready}RUN npm ci"));
    assert!(cached.ends_with("(relative, 3 npm packages, npm's cache of downloads)"), "{cached}");
    let mounted = of_node(&format!("{ready}RUN --mount=type=cache,target=/root/.npm npm ci"));
    assert_eq!(mounted, all);
    assert_eq!(of_node("FROM node:22\nRUN npm ci"), "unknown: what npm installs is not known: no lock file was read");
}

#[test]
fn what_another_stage_pruned_is_copied_pruned() {
    let build = "FROM node:22 AS b\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\nCOPY . .\n";
    let production =
        of_node(&format!("{build}RUN npm prune --omit=dev\nFROM node:22-slim\nCOPY --from=b /app/node_modules ./m"));
    let all = of_node(&format!("{build}FROM node:22-slim\nCOPY --from=b /app/node_modules ./m"));
    assert_ne!(production, all);
    assert!(all.ends_with("(recipe, /app/node_modules of b)"), "{all}");
    assert_eq!(
        of_node(&format!("{build}FROM node:22-slim\nCOPY --from=b /app/src /src")),
        "5 B (context, /app/src of b)"
    );
    assert_eq!(
        of_node(&format!("{build}RUN npm run build\nFROM node:22-slim\nCOPY --from=b /app/dist /dist")),
        "unknown: what npm run build writes is not known"
    );
}

#[test]
fn python_packages_weigh_what_they_need_with_them() {
    let of_pip =
        |text: &str| layers(text, &[("requirements.txt", "flask==3.0.3\nsome-own-thing\n")]).pop().expect("a layer");
    let named = of_pip("FROM python:3.12\nRUN pip install --no-cache-dir flask");
    assert!(named.contains("Python packages)"), "{named}");
    let listed =
        of_pip("FROM python:3.12\nCOPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt");
    assert!(listed.contains("Python packages)"), "{listed}");
    assert_eq!(
        of_pip("FROM python:3.12\nRUN pip install --no-cache-dir some-own-thing"),
        "unknown: what pip installs is in no table"
    );
    let project = of_pip("FROM python:3.12\nRUN pip install --no-cache-dir .");
    assert_eq!(project, "unknown: what . needs is not known");
}

#[test]
fn what_the_same_run_deletes_is_not_in_the_layer() {
    let debian = "FROM debian:bookworm-slim\n";
    let gone = format!("{debian}RUN curl -fsSLO https://example.org/a.tgz && rm a.tgz");
    assert_eq!(shown(&gone), "about 1 kB (guess, a few small files)");
    let kept = format!("{debian}RUN curl -fsSLo /usr/bin/a https://example.org/a");
    assert_eq!(shown(&kept), "unknown: what is fetched from example.org is not known");
    let piped = format!("{debian}RUN curl -fsSL https://example.org/a.tgz | tar -xz -C /opt");
    assert_eq!(shown(&piped), "unknown: what tar unpacks is not known");
    let script = format!("{debian}RUN curl -fsSL https://example.org/install.sh | sh");
    assert_eq!(shown(&script), "unknown: what the script that is fetched writes is not known");
    let built = format!("{debian}RUN git clone https://example.org/x.git /src && cd /src && make && rm -rf /src");
    assert_eq!(shown(&built), "about 1 kB (guess, a few small files)");
    let virtual_packages = "FROM alpine\nRUN apk add --no-cache -t .deps gcc && apk del .deps";
    assert_eq!(shown(virtual_packages), "about 1 kB (guess, a few small files)");
}

#[test]
fn packages_that_go_in_the_same_run_leave_databases_alone() {
    let install = "apt-get install -y --no-install-recommends";
    let run = |text: &str| shown(&format!("FROM debian:bookworm-slim\nRUN {install} {text}"));
    assert_eq!(run("curl gcc && apt-get purge -y --auto-remove gcc"), run("curl"));
    assert_eq!(run("gcc && apt-get purge -y --auto-remove gcc"), "about 940 kB (recipe, databases of dpkg)");
    let later = format!("FROM debian:bookworm-slim\nRUN {install} gcc\nRUN apt-get purge -y gcc");
    assert_eq!(shown(&later), "about 1 kB (guess, a few small files)");
}

#[test]
fn what_a_base_image_brings_is_not_installed_again() {
    let install = "RUN apt-get install -y --no-install-recommends curl git";
    assert_eq!(shown(&format!("FROM node:22-bookworm\n{install}")), "about 1 kB (guess, a few small files)");
    assert!(shown(&format!("FROM node:22-bookworm-slim\n{install}")).ends_with("(relative, 26 packages)"));
}

#[test]
fn files_of_an_earlier_layer_are_stored_again() {
    let copied = "FROM debian:bookworm-slim\nWORKDIR /x\nCOPY a ./a\n";
    for line in ["chown -R www-data /x", "chmod -R g+w /x", "mv /x /y", "cp -r /x /y", "chown -R a:a ."] {
        assert!(shown(&format!("{copied}RUN {line}")).starts_with("4 B (context, "), "{line}");
    }
    for line in ["chown a /x", "chmod 755 /x", "rm -rf /x"] {
        assert_eq!(shown(&format!("{copied}RUN {line}")), "about 1 kB (guess, a few small files)", "{line}");
    }
    // The copied file has another owner, and stays where it is.
    assert_eq!(
        shown("FROM debian:bookworm-slim\nCOPY --chown=1000 a /x\nRUN chown -R --from root:root b:b /x"),
        "unknown: which files belong to the owner of --from is not known"
    );
    assert_eq!(shown(&format!("{copied}RUN rm -rf /x\nRUN chown -R a /x")), "about 1 kB (guess, a few small files)");
}

#[test]
fn thousands_of_parts_are_summed() {
    let sources = "a ".repeat(2_000);
    assert_eq!(shown(&format!("FROM scratch\nCOPY {sources} /x/")).split(" (").next(), Some("4 B"));
    let commands = "make; rm -rf /tmp/x; ".repeat(1_000);
    assert!(shown(&format!("FROM debian\nRUN {commands}")).starts_with("unknown: "));
}

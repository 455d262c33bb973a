//! `unpinned-base-tag`: an image is named without a tag, or by `latest`.

use crate::model::{Base, ImageRef, InstructionKind, Placed, Source, Word};
use crate::rules::{Context, Finding, Group, Rule, Severity};
use crate::text::{Local, TextRange};

/// The rule.
pub static RULE: Rule = Rule {
    name: "unpinned-base-tag",
    group: Group::Security,
    severity: Severity::Warning,
    on: true,
    also: &["DL3006", "DL3007"],
    doc: r##"
An image is named without a tag, or by `latest`: what it is changes without a word in this file.

The next build may bring another version of the runtime or of the distribution, and another size. A tag with a version moves
within that version alone; a digest does not move at all.

```dockerfile
FROM node
CMD ["node", "server.js"]
```

With a version:

```dockerfile
FROM node:22-slim
CMD ["node", "server.js"]
```

Nothing is said of stages, of images that have no other tags (distroless, Chainguard), and of those that
`unpinned-base-tag.local-images` in the settings lists. With `unpinned-base-tag.require = "version"` tags that move between
versions (`lts`, `alpine`, `3`) are found too, with `"digest"` all tags without a digest.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (_, stage) in ctx.reaching() {
        if let (Base::Image(image), InstructionKind::From(from)) = (&stage.base, &stage.from.instruction.kind) {
            judge(ctx, image, &stage.from, &from.image, acc);
        }
        for (idx, source) in &stage.sources {
            let Source::Image(image) = source else { continue };
            let Some(placed) = stage.instructions.get(*idx) else { continue };
            let Some(word) = named(placed, image) else { continue };
            // A name without a slash may be a context that the build is given.
            let is_image = image.text.contains(['/', ':', '@']) || ctx.images.traits(image).is_some();
            if is_image && !ctx.config.options.named_contexts.contains(&image.text) {
                judge(ctx, image, placed, word, acc);
            }
        }
    }
}

/// The word of `--from=` or of a mount's `from=` that names an image.
fn named<'a>(placed: &'a Placed, image: &ImageRef) -> Option<&'a Word> {
    let instruction = &placed.instruction;
    if let Some(word) = instruction.flag("from").and_then(|flag| flag.value.as_ref()) {
        return Some(word);
    }
    let InstructionKind::Run(run) = &instruction.kind else { return None };
    run.mounts.iter().filter_map(|mount| mount.value(&["from"])).find(|word| word.text == image.text)
}

/// How a tag moves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moves {
    /// There is none, or it is `latest`.
    Everywhere,
    /// From one version to the next.
    Versions,
    /// Within a version.
    Within,
}

fn judge(ctx: &Context, image: &ImageRef, placed: &Placed, word: &Word, acc: &mut Vec<Finding>) {
    if image.digest.is_some() || has_no_versions(image) || is_listed(ctx, image) {
        return;
    }
    let tag = image.tag.as_deref();
    let required = ctx.config.options.base_tag_require.as_deref();
    let (severity, message) = match (moves(image), required, tag) {
        (Moves::Everywhere, _, None) => (Severity::Warning, format!("`{}` has no tag and means `latest`", image.text)),
        (Moves::Everywhere, _, Some(tag)) => (Severity::Warning, format!("`{tag}` is another image with each release")),
        (Moves::Versions, Some("version"), Some(tag)) => {
            (Severity::Warning, format!("`{tag}` moves from one version to the next"))
        }
        (_, Some("digest"), _) => (Severity::Information, format!("`{}` has no digest", image.text)),
        (Moves::Versions | Moves::Within, _, _) => return,
    };
    let whole = placed.range(word.range);
    let mut finding = Finding::new(&RULE, tag_range(placed, word, tag).unwrap_or(whole), message);
    finding.severity = severity;
    finding.cause = whole;
    finding.assists.push("pin-digest");
    acc.push(finding);
}

/// The place of the tag, where it is written out.
fn tag_range(placed: &Placed, word: &Word, tag: Option<&str>) -> Option<TextRange> {
    let start = word.text.strip_suffix(tag?)?.len();
    let is_plain = word.range.len() == word.text.len();
    is_plain.then(|| placed.range(Local::new(word.range.start as usize + start, word.range.end as usize)))
}

/// Images that are only published under tags that move.
fn has_no_versions(image: &ImageRef) -> bool {
    image.registry == "cgr.dev"
        || image.registry == "gcr.io"
            && ["distroless/", "oss-fuzz-base/", "cloud-builders/"].iter().any(|it| image.path.starts_with(it))
        || image.path == "chainguard/static"
        || image.path.starts_with("chainguard/") && image.registry == "docker.io"
}

/// Whether the settings list the image, as it is written or by its whole name; `*` at the end stands for anything.
fn is_listed(ctx: &Context, image: &ImageRef) -> bool {
    let tail = image.tag.as_ref().map_or(0, |tag| tag.len() + 1);
    let written = image.text.get(..image.text.len().saturating_sub(tail)).unwrap_or(&image.text);
    let whole = image.repository();
    ctx.config.options.local_images.iter().any(|listed| match listed.strip_suffix('*') {
        Some(stem) => written.starts_with(stem) || whole.starts_with(stem),
        None => listed == written || *listed == whole || *listed == image.text,
    })
}

/// Distributions whose versions are one number, or a code name.
const DISTRIBUTIONS: [&str; 9] =
    ["almalinux", "amazonlinux", "centos", "debian", "fedora", "opensuse/leap", "oraclelinux", "rockylinux", "ubuntu"];

fn moves(image: &ImageRef) -> Moves {
    let Some(tag) = image.tag.as_deref().filter(|tag| *tag != "latest") else { return Moves::Everywhere };
    let path = image.path.strip_prefix("library/").unwrap_or(&image.path);
    let rolling = ["stable", "oldstable", "testing", "unstable", "rolling", "devel", "edge", "rawhide"];
    if DISTRIBUTIONS.contains(&path) {
        let first = tag.split('-').next().unwrap_or(tag);
        return if rolling.contains(&first) { Moves::Versions } else { Moves::Within };
    }
    let first = tag.split('-').next().unwrap_or(tag).trim_start_matches('v');
    let is_number = first.starts_with(|it: char| it.is_ascii_digit());
    let is_exact = first.contains('.') || first.len() >= 6;
    if is_number && is_exact || !is_number && tag.bytes().filter(u8::is_ascii_digit).count() >= 2 {
        return Moves::Within;
    }
    Moves::Versions
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, findings, parse};
    use crate::rules::Severity;

    #[test]
    fn no_tag_means_latest() {
        check(
            &RULE,
            "FROM --platform=linux/amd64 node AS a\n\
             #                           ^^^^ `node` has no tag and means `latest`\n\
             FROM example.com:5000/x/y:latest\n\
             #                         ^^^^^^ `latest` is another image with each release\n\
             COPY --from=a /a /a\n\
             COPY --from=composer /usr/bin/composer /usr/bin/\n\
             #           ^^^^^^^^ `composer` has no tag\n\
             RUN --mount=from=alpine:latest,target=/x a\n\
             #                       ^^^^^^ `latest`\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn a_tag_or_a_digest_names_one_image() {
        check(&RULE, "FROM node:22\nCMD [\"a\"]\n");
        check(&RULE, "FROM node:lts-alpine\nCMD [\"a\"]\n");
        check(&RULE, &format!("FROM node@sha256:{}\nCMD [\"a\"]\n", "a".repeat(64)));
        check(&RULE, &format!("FROM node:latest@sha256:{}\nCMD [\"a\"]\n", "a".repeat(64)));
    }

    #[test]
    fn scratch_is_no_image() {
        check(&RULE, "FROM scratch\nCOPY a /\nCMD [\"/a\"]\n");
    }

    #[test]
    fn a_stage_is_no_image() {
        check(&RULE, "FROM node:22 AS base\nFROM base\nCOPY --from=base /a /b\nCMD [\"a\"]\n");
        check(&RULE, "FROM node:22 AS base-amd64\nARG TARGETARCH\nFROM base-${TARGETARCH}\nCMD [\"a\"]\n");
        check(&RULE, "FROM node:22 AS base-arm\nFROM base-$UNKNOWN\nCMD [\"a\"]\n");
    }

    #[test]
    fn a_default_that_holds_a_tag_is_one() {
        check(&RULE, "ARG V=22\nFROM node:${V}\nCMD [\"a\"]\n");
        check(&RULE, "ARG BASE=node:22\nFROM $BASE\nCMD [\"a\"]\n");
        check(&RULE, "ARG V\nFROM node:${V}\nCMD [\"a\"]\n");
    }

    #[test]
    fn images_with_no_other_tags_cannot_be_pinned_by_one() {
        check(&RULE, "FROM gcr.io/distroless/static-debian12:latest\nCMD [\"a\"]\n");
        check(&RULE, "FROM gcr.io/oss-fuzz-base/base-builder\nCMD [\"a\"]\n");
        check(&RULE, "FROM cgr.dev/chainguard/node\nCMD [\"a\"]\n");
    }

    #[test]
    fn a_name_alone_may_be_a_context_of_the_build() {
        check(&RULE, "FROM node:22\nCOPY --from=assets /a /a\nCMD [\"a\"]\n");
    }

    #[test]
    fn the_settings_list_images_of_ones_own() {
        let settings = "#- plimsoll.toml\n[unpinned-base-tag]\nlocal-images = [\"base\", \"example.com/*\"]\n";
        check(&RULE, &format!("FROM base AS a\nFROM example.com/x:latest\nCOPY --from=a /a /a\n{settings}"));
    }

    #[test]
    fn the_settings_demand_versions() {
        let settings = "#- plimsoll.toml\n[unpinned-base-tag]\nrequire = \"version\"\n";
        for tag in ["lts", "alpine", "3", "3-slim", "stable"] {
            let text = format!("FROM python:{tag}\nCMD [\"a\"]\n{settings}");
            assert_eq!(findings(&analyse(&parse(&text)), &RULE).len(), 1, "{tag}");
        }
        for image in ["python:3.12", "debian:12-slim", "ubuntu:noble", "alpine:3.20", "a/b:v1.2.3", "a/b:20240101"] {
            check(&RULE, &format!("FROM {image}\nCMD [\"a\"]\n{settings}"));
        }
    }

    #[test]
    fn the_settings_demand_digests() {
        let text = "FROM node:22\nCMD [\"a\"]\n#- plimsoll.toml\n[unpinned-base-tag]\nrequire = \"digest\"\n";
        let analysis = analyse(&parse(text));
        let found = findings(&analysis, &RULE);
        assert_eq!(found.iter().map(|it| it.severity).collect::<Vec<_>>(), [Severity::Information]);
    }
}

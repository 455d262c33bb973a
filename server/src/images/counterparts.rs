//! Slimmer images that can take the place of another: by the templates of the traits, where the tag exists.

use crate::images::repository::Repository;
use crate::images::tag::{Tag, Variant};
use crate::images::{Counterpart, OFFICIAL, at, figures, kinds};
use crate::model::{ImageRef, Platform};
use crate::table::Table;

const DISTRO: usize = at(OFFICIAL, "distro");

/// The images that are smaller, best first.
pub(super) fn of(table: Table, image: &ImageRef, platform: &Platform) -> Vec<Counterpart> {
    let Some(tag) = image.tag_or_latest() else { return Vec::new() };
    let Some(own) = figures::of(table, image, platform).and_then(|facts| facts.pull) else { return Vec::new() };
    let libc = kinds::of(table, image).map(|traits| traits.libc).unwrap_or_default();
    let repository = Repository::of(image);
    let mut res: Vec<(u8, Counterpart)> = Vec::new();
    for template in kinds::smaller(table, image) {
        let Some(text) = filled(table, image, repository, Tag::parse(tag), template) else { continue };
        let Some(other) = ImageRef::parse(&text) else { continue };
        let Some(facts) = figures::of(table, &other, platform) else { continue };
        if facts.pull.as_ref().is_none_or(|pull| pull.likely >= own.likely) {
            continue;
        }
        let traits = kinds::of(table, &other);
        let same_libc = traits.as_ref().is_some_and(|traits| traits.libc == libc);
        let same_repository = Repository::of(&other).pieces.concat() == repository.pieces.concat();
        let place = match (same_libc, same_repository) {
            (true, true) => 0,
            (true, false) => 1,
            (false, _) => 2,
        };
        res.push((place, Counterpart { image: other, facts, traits, same_repository }));
    }
    res.sort_by_key(|(place, _)| *place);
    res.into_iter().map(|(_, counterpart)| counterpart).collect()
}

/// The tag of the slim image of the same version and suite.
pub(super) fn slim_tag(table: Table, image: &ImageRef) -> Option<String> {
    let templates = || kinds::smaller(table, image).filter(|template| !template.contains('/'));
    templates().find(|template| template.ends_with("}-slim"))?;
    slim(table, Repository::of(image), Tag::parse(image.tag_or_latest()?))
}

fn slim(table: Table, repository: Repository, tag: Tag) -> Option<String> {
    if tag.variant != Variant::Full || tag.windows {
        return None;
    }
    if tag.text == "latest" {
        return known(table, repository, "slim".to_owned());
    }
    // node has `20-bookworm-slim`, python has `3.11-slim-bookworm`.
    let behind = || known(table, repository, format!("{}-slim", tag.text));
    let before = || {
        let distro = tag.distro?;
        let at = tag.range(distro)?.start;
        let (head, rest) = tag.text.split_at_checked(at)?;
        known(table, repository, format!("{head}slim-{rest}"))
    };
    behind().or_else(before)
}

/// The tag, if the table knows it. Of a patch level it knows the tags of its minor or major version only: the official
/// images publish the same variants for each patch level.
fn known(table: Table, repository: Repository, tag: String) -> Option<String> {
    let version = Tag::parse(&tag).version;
    let rest = tag.get(version.len()..)?;
    let short = |dots: usize| {
        let (end, _) = version.match_indices('.').nth(dots)?;
        Some(format!("{}{rest}", version.get(..end)?))
    };
    let exists = |candidate: Option<String>| candidate.is_some_and(|it| repository.has(table, &it));
    let third = version.split('.').count() > 2;
    (repository.has(table, &tag) || (third && (exists(short(1)) || exists(short(0))))).then_some(tag)
}

/// The image of a template, as the user would write it, if it exists.
fn filled(table: Table, image: &ImageRef, repository: Repository, tag: Tag, template: &str) -> Option<String> {
    if template == "scratch" {
        return None;
    }
    if matches!(template, "{v}-slim" | "{tag}-slim") {
        return slim(table, repository, tag).map(|tag| image.with_tag(&tag));
    }
    let own_name = repository.pieces.concat();
    let text = template.replace("{v}", &version_and_words(tag)).replace("{tag}", tag.text).replace("{repo}", &own_name);
    let text = put(text, "{major}", || tag.numbers[0].map(|major| major.to_string()))?;
    let text = put(text, "{jdk}", || jdk(tag).map(str::to_owned))?;
    let text = put(text, "{suite}", || suite(table, repository, tag).map(str::to_owned))?;
    if text.contains('{') {
        return None;
    }
    if !text.contains('/') {
        let text = known(table, repository, text.trim_matches('-').to_owned())?;
        return Some(image.with_tag(&text));
    }
    let other = ImageRef::parse(&text)?;
    known(table, Repository::of(&other), other.tag_or_latest()?.to_owned())?;
    if other.path == image.path && other.registry == image.registry {
        return Some(image.with_tag(other.tag_or_latest()?));
    }
    // An official image is written with the mirror that the user takes such images from.
    let bare = text.strip_prefix("docker.io/library/");
    let (written, _) = image.text.split_once('@').unwrap_or((&image.text, ""));
    let prefix = written.rfind('/').and_then(|slash| written.get(..=slash)).unwrap_or_default();
    Some(match bare {
        Some(bare) if repository.official().is_some() && repository.arch.is_none() => format!("{prefix}{bare}"),
        Some(bare) => bare.to_owned(),
        None => text,
    })
}

fn put(text: String, name: &str, value: impl Fn() -> Option<String>) -> Option<String> {
    if text.contains(name) { Some(text.replace(name, &value()?)) } else { Some(text) }
}

/// `8.2-fpm` of `8.2.1-fpm-bookworm`: all but variant and distribution.
fn version_and_words(tag: Tag) -> String {
    let words = std::iter::once(tag.version).chain(tag.words().iter().copied()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

/// The Java version behind `jdk17`, `openjdk-11`, `eclipse-temurin-21`.
fn jdk<'a>(tag: Tag<'a>) -> Option<&'a str> {
    let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |word: &&'a str| word.trim_start_matches(|it: char| it.is_ascii_alphabetic());
    tag.words().iter().map(number).rfind(is_number)
}

fn suite<'a>(table: Table<'a>, repository: Repository, tag: Tag<'a>) -> Option<&'a str> {
    let listed = || Some(table.text(DISTRO, repository.official_row(table, tag.text)?));
    tag.distro.or_else(listed).filter(|suite| !suite.is_empty() && !suite.starts_with("alpine"))
}

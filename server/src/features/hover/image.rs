//! A base image: what is pulled and what lies on disk, on which platform, and what the slimmer alternatives would save.

use crate::images::{Counterpart, EndOfLife, ImageFacts, LongSupport, Traits};
use crate::model::{Base, ImageRef, Placed, Platform, Source};
use crate::rules::Context;
use crate::weight::{Estimate, rounded};

/// What the stage of this index is built on.
pub(super) fn of_base(ctx: &Context, stage: usize) -> Option<String> {
    let stage = ctx.file.stages.get(stage)?;
    let platform = stage.platform.as_ref().unwrap_or(&ctx.config.platform);
    match &stage.base {
        Base::Image(image) => Some(of_image(ctx, image, platform)),
        Base::Stage(parent) => Some(of_stage(ctx, *parent)),
        Base::Scratch => {
            Some("`scratch`: the empty image. It weighs nothing, and has no shell and no certificates.".to_owned())
        }
        Base::Unknown(text) if text.contains('$') => {
            Some(format!("`{text}` has no value that is known here: the build gives it with `--build-arg`"))
        }
        Base::Unknown(_) => None,
    }
}

/// What a `--from=` names.
pub(super) fn of_source(ctx: &Context, placed: &Placed, text: &str) -> Option<String> {
    let stage = ctx.file.stages.iter().find(|stage| stage.range.contains_range(placed.whole()))?;
    let idx = stage.instructions.iter().position(|it| it.at == placed.at)?;
    let named = |source: &&Source| match source {
        Source::Stage(stage) => {
            let name = ctx.file.stages.get(*stage).and_then(|stage| stage.name.as_ref());
            name.is_some_and(|name| name.text.eq_ignore_ascii_case(text)) || text.parse() == Ok(*stage)
        }
        Source::Image(image) => image.text == text,
        Source::Unknown(unknown) => unknown == text,
    };
    match stage.sources.iter().filter(|(at, _)| *at == idx).map(|(_, source)| source).find(named)? {
        Source::Stage(stage) => Some(of_stage(ctx, *stage)),
        Source::Image(image) => Some(of_image(ctx, image, &ctx.config.platform)),
        Source::Unknown(_) => None,
    }
}

fn of_stage(ctx: &Context, idx: usize) -> String {
    let Some(stage) = ctx.file.stages.get(idx) else { return String::new() };
    let name = stage.name.as_ref().map_or_else(|| format!("number {idx}"), |name| format!("`{}`", name.text));
    let on = match &stage.base {
        Base::Image(image) => format!(" on `{image}`"),
        Base::Stage(parent) => format!(" on stage number {parent}"),
        Base::Scratch => " on `scratch`".to_owned(),
        Base::Unknown(text) => format!(" on `{text}`"),
    };
    let weight = ctx.size.stages.get(idx).and_then(|size| {
        let (unpacked, incomplete) = size.unpacked();
        let more = if incomplete { ", and what is not known" } else { "" };
        Some(format!("\n\nunpacked {}{more}", unpacked?.words()))
    });
    format!("Stage {name}, line {}{on}{}", stage.from.line + 1, weight.unwrap_or_default())
}

fn of_image(ctx: &Context, image: &ImageRef, platform: &Platform) -> String {
    let mut res = format!("`{image}`\n");
    let Some(facts) = ctx.images.look_up(image, platform) else {
        res.push_str("\nNothing is known about the size of this image offline.");
        return res + &about(ctx, image);
    };
    res.push('\n');
    let mut platforms = vec![platform.clone()];
    for arch in ["amd64", "arm64"] {
        let other = Platform { os: platform.os.clone(), arch: arch.to_owned(), variant: None };
        if !platforms.contains(&other) {
            platforms.push(other);
        }
    }
    for of in platforms {
        if let Some(facts) = ctx.images.look_up(image, &of).filter(|facts| facts.platform == of) {
            res.push_str(&format!("- {of}: {}\n", figures(&facts)));
        }
    }
    if facts.platform != *platform {
        res.push_str(&format!("- {platform}: not in the table; {} has {}\n", facts.platform, figures(&facts)));
    }
    let counterparts = ctx.images.counterparts(image, platform);
    if !counterparts.is_empty() {
        res.push('\n');
        res.push_str(&table(image, &facts, &counterparts));
    }
    res + &about(ctx, image)
}

/// `pull 395 MB, unpacked about 1.1 GB (table, 2025-01-14)`
fn figures(facts: &ImageFacts) -> String {
    let shown = |name: &str, estimate: &Option<Estimate>| match estimate {
        Some(estimate) => format!("{name} {}", estimate.words()),
        None => format!("{name} unknown"),
    };
    let source = facts.pull.as_ref().or(facts.unpacked.as_ref()).map_or("", |estimate| estimate.source.as_str());
    let source = if source.is_empty() { facts.date.clone() } else { source.to_owned() };
    format!("{}, {} ({source})", shown("pull", &facts.pull), shown("unpacked", &facts.unpacked))
}

fn table(image: &ImageRef, facts: &ImageFacts, counterparts: &[Counterpart]) -> String {
    let cell = |estimate: &Option<Estimate>| estimate.as_ref().map_or("unknown".to_owned(), Estimate::words);
    let mut rows = vec![["image", "pull", "unpacked", "saves", "figures of"].map(str::to_owned)];
    rows.push([image.text.clone(), cell(&facts.pull), cell(&facts.unpacked), String::new(), facts.date.clone()]);
    for other in counterparts {
        let saving = |of: Option<&Estimate>, other: Option<&Estimate>| Some(of?.minus(other?).likely);
        let pull = saving(facts.pull.as_ref(), other.facts.pull.as_ref());
        let unpacked = saving(facts.unpacked.as_ref(), other.facts.unpacked.as_ref());
        let saves = match (pull, unpacked) {
            (_, Some(unpacked)) => format!("about {}", rounded(unpacked)),
            (Some(pull), None) => format!("about {} pulled", rounded(pull)),
            (None, None) => "unknown".to_owned(),
        };
        let musl = other.traits.as_ref().is_some_and(|traits| traits.libc == "musl");
        let name = if musl { format!("{} (musl)", other.image) } else { other.image.text.clone() };
        rows.push([name, cell(&other.facts.pull), cell(&other.facts.unpacked), saves, other.facts.date.clone()]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut res = String::new();
    for (idx, row) in rows.iter().enumerate() {
        for (text, width) in row.iter().zip(widths) {
            res.push_str(&format!("| {text:width$} "));
        }
        res.push_str("|\n");
        if idx == 0 {
            res.push_str(&widths.map(|width| format!("|{}", "-".repeat(width + 2))).concat());
            res.push_str("|\n");
        }
    }
    res
}

/// Traits and end of life, a line each.
fn about(ctx: &Context, image: &ImageRef) -> String {
    let mut res = String::new();
    if let Some(traits) = ctx.images.traits(image) {
        res.push_str(&format!("\n{}\n", traits_line(&traits)));
    }
    if let Some(ended) = ctx.today.and_then(|today| ctx.images.ended(image, today)) {
        res.push_str(&format!("\n{}\n", ended_line(&ended)));
    }
    res
}

fn traits_line(traits: &Traits) -> String {
    let libc = if traits.libc == "none" { "no C library" } else { &traits.libc };
    let shell = if traits.has_shell { "" } else { ", no shell" };
    let manager = match traits.package_manager.as_str() {
        "none" => ", no package manager".to_owned(),
        manager => format!(", {manager}"),
    };
    let user = traits.default_user.as_ref().map_or(String::new(), |user| format!(", runs as {user}"));
    format!("{}, {libc}{manager}{shell}{user}", traits.distro)
}

fn ended_line(ended: &EndOfLife) -> String {
    let date = ended.date.map_or(String::new(), |date| format!(" on {date}"));
    let supported =
        ended.supported.as_ref().map_or(String::new(), |version| format!("; the oldest supported is {version}"));
    match ended.lts {
        LongSupport::GoesOn => {
            format!("The regular support of {} ended{date}, Debian LTS goes on{supported}", ended.name)
        }
        LongSupport::Over => {
            format!("The regular support of {} ended{date}, and Debian LTS is over too{supported}", ended.name)
        }
        LongSupport::None => format!("{} reached its end of life{date}{supported}", ended.name),
    }
}

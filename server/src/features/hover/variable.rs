//! A variable: what it is worth here and where that comes from.

use crate::model::{InstructionKind, Origin, Placed, Scope, Variable};
use crate::rules::Context;
use crate::text::{Local, TextSize};

/// The variable under the pointer: the name in an ARG or ENV, or a `$name` anywhere.
pub(super) fn at(ctx: &Context, placed: &Placed, at: u32) -> Option<(Local, String)> {
    let stage = ctx.file.stages.iter().find(|stage| stage.range.contains_range(placed.whole()));
    let is_from = placed.instruction.name == "FROM";
    let scope: &Scope = match stage {
        Some(stage) if !is_from => &stage.scope,
        _ => &ctx.file.globals,
    };
    if let Some(name) = declared(placed, at) {
        // What the instruction itself sets holds from behind it.
        let text = name.of(&placed.instruction.text);
        return Some((name, describe(ctx, scope, text, placed.whole().end() + TextSize::new(1))));
    }
    let name = reference(&placed.instruction.text, at)?;
    let text = name.of(&placed.instruction.text);
    if !is_from && scope.get_at(text, placed.at).is_none() && is_shell(placed) {
        // A variable of the shell itself, about which the Dockerfile says nothing.
        return None;
    }
    Some((name, describe(ctx, scope, text, placed.at)))
}

fn is_shell(placed: &Placed) -> bool {
    use InstructionKind::{Cmd, Entrypoint, Healthcheck, Onbuild, Run};
    matches!(placed.instruction.kind, Cmd(_) | Entrypoint(_) | Healthcheck(_) | Onbuild(_) | Run(_))
}

/// The name in an ARG or ENV that holds the offset.
fn declared(placed: &Placed, at: u32) -> Option<Local> {
    let (InstructionKind::Arg(pairs) | InstructionKind::Env(pairs)) = &placed.instruction.kind else { return None };
    let name = pairs.iter().map(|pair| pair.name.range).find(|range| range.start <= at && at <= range.end)?;
    (!name.is_empty()).then_some(name)
}

/// The name in `$name` or `${name…}` that holds the offset, the `$` and brace included.
fn reference(text: &str, at: u32) -> Option<Local> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = text.as_bytes();
    let mut start = (at as usize).min(bytes.len());
    if bytes.get(start) == Some(&b'$') {
        start += 1;
    }
    if bytes.get(start) == Some(&b'{') {
        start += 1;
    }
    while start > 0 && is_name(bytes[start - 1]) {
        start -= 1;
    }
    let end = start + bytes.get(start..)?.iter().take_while(|byte| is_name(**byte)).count();
    let dollar = match bytes.get(..start)? {
        [.., b'$', b'{'] => start - 2,
        [.., b'$'] => start - 1,
        _ => return None,
    };
    let escaped = dollar > 0 && bytes[dollar - 1] == b'\\';
    let digit = bytes.get(start).is_none_or(u8::is_ascii_digit);
    (end > start && !escaped && !digit).then(|| Local::new(start, end))
}

fn describe(ctx: &Context, scope: &Scope, name: &str, at: TextSize) -> String {
    let Some(variable) = scope.get_at(name, at) else {
        return format!("`{name}` is not set in this file; the base image may set it");
    };
    let value = match &variable.value {
        Some(value) if value.is_empty() => "empty".to_owned(),
        Some(value) => format!("`{}`", shortened(value)),
        None => "no known value".to_owned(),
    };
    format!("`{name}`: {value}\n\n{}", origin(ctx, variable))
}

/// At most 200 characters, line breaks and backquotes replaced: the value stands in Markdown.
fn shortened(value: &str) -> String {
    let mut res: String = value
        .chars()
        .take(200)
        .map(|char| match char {
            '`' => '\'',
            char if char.is_control() => ' ',
            char => char,
        })
        .collect();
    if value.chars().nth(200).is_some() {
        res.push('…');
    }
    res
}

fn origin(ctx: &Context, variable: &Variable) -> String {
    let line = variable.range.map(|range| {
        let before = ctx.file.text.get(..usize::from(range.start())).unwrap_or("");
        before.matches('\n').count() + 1
    });
    let place = line.map_or(String::new(), |line| format!(", line {line}"));
    match variable.origin {
        Origin::Env => format!("set by ENV{place}; stays in the image"),
        Origin::Arg if variable.value.is_none() => format!("ARG without a default{place}; given by `--build-arg`"),
        Origin::Arg => format!("default of ARG{place}; `--build-arg` may replace it"),
        Origin::GlobalArg if variable.value.is_none() => {
            format!("ARG without a default{place}; given by `--build-arg`")
        }
        Origin::GlobalArg => format!("ARG{place}, with the value of the ARG before the first FROM"),
        Origin::BuildArg => format!("ARG{place}, with the value that the settings give as build argument"),
        Origin::Predefined => "set by BuildKit".to_owned(),
    }
}

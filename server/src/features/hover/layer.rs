//! An instruction that adds files: how much, of what, and how sure that is.

use crate::features::words;
use crate::model::Placed;
use crate::rules::Context;

/// What the layer of an instruction adds, as Markdown; `None` where it adds no files.
pub(super) fn of(ctx: &Context, placed: &Placed) -> Option<String> {
    let idx = ctx.file.stages.iter().position(|stage| stage.range.contains_range(placed.whole()))?;
    let at = ctx.file.stages.get(idx)?.instructions.iter().position(|it| it.at == placed.at)?;
    let layer = ctx.size.stages.get(idx)?.layer(at)?;
    let lines = words::of_layer(layer, ctx.facts.is_final(idx));
    let (first, rest) = lines.split_first()?;
    let mut res = format!("{} {}\n", placed.instruction.name, plain(first));
    for line in rest {
        res.push_str(&format!("\n- {}", plain(line)));
    }
    Some(res)
}

/// The text as Markdown that shows it: a name from the file may look like a link or an image, which an editor would
/// fetch.
fn plain(text: &str) -> String {
    let mut res = String::with_capacity(text.len());
    for it in text.chars() {
        if matches!(it, '\\' | '`' | '[' | ']' | '<' | '>' | '&') {
            res.push('\\');
        }
        res.push(if it.is_control() { ' ' } else { it });
    }
    res
}

//! `multi-stage`: splits the shipping stage into one that builds and one that runs (SPEC-multi-stage).
//!
//! The plan is the ecosystem's; here it becomes text, the new text is checked against the promise, and what it saves
//! is shown. **Invariant:** a check that fails is a refusal, never output.

mod compose;
mod obligations;

use std::sync::Arc;

use crate::assists::{self, Assist, Offer, Refusal};
use crate::ecosystems::{self, Evidence, Plan, Refused};
use crate::lower::{self, Build};
use crate::model::File;
use crate::rules::Context;
use crate::text::TextRange;
use crate::weight::{self, Estimate};

/// The id of the action (CLI.md).
pub const ID: &str = "multi-stage";

/// Least saving worth a conversion, in bytes and in parts of a hundred (SPEC-multi-stage §3).
const LEAST_BYTES: u64 = 5_000_000;
const LEAST_PERCENT: u64 = 5;

/// What can be said about a place: offered anywhere in the shipping stage.
pub fn offer(ctx: &Context, range: TextRange) -> Vec<Offer> {
    let evidence = Evidence {
        file: ctx.file,
        facts: ctx.facts,
        config: ctx.config,
        context: ctx.context,
        images: ctx.images,
        reads_sources: true,
    };
    let Some(stage) = ctx.facts.target.and_then(|idx| ctx.file.stages.get(idx)) else { return Vec::new() };
    if stage.range.intersect(range).is_none() {
        return Vec::new();
    }
    let Some(planned) = ecosystems::plan(&evidence) else { return Vec::new() };
    let target = stage.from.whole();
    let res = planned.and_then(|plan| assist(ctx, plan, target));
    match res {
        Ok(assist) => vec![Offer::Assist(assist)],
        // Nothing is left to do: that is no news.
        Err(Refused { code: "R15", .. }) => Vec::new(),
        Err(Refused { code, reason }) => {
            vec![Offer::Refusal(Refusal { id: ID, variant: None, code, reason, target })]
        }
    }
}

fn assist(ctx: &Context, plan: Plan, target: TextRange) -> Result<Assist, Refused> {
    let Some((base_before, base_after)) = figures(ctx, &plan) else {
        return Refused::new("R9", format!("nothing is known about the size of {} and {}", plan.builder, plan.runtime));
    };
    if !gains(&base_before, &base_after) {
        return Refused::new("R2", "nothing in this image is only needed to build it");
    }
    let edit = compose::edit(ctx.file, &plan);
    let text = edit.apply(&ctx.file.text);
    let new = lowered(ctx, &text);
    obligations::check(ctx.file, &new, &plan)?;
    let weighed = assists::shipped(ctx, &ctx.file.text)
        .zip(assists::shipped(ctx, &text))
        .filter(|(before, after)| gains(before, after));
    let (before, after) = weighed.unwrap_or((base_before, base_after));
    let label = format!(
        "Split into build and runtime stages ({} → {}, {})",
        plan.builder,
        plan.runtime,
        weight::change(&before, &after)
    );
    Ok(Assist {
        id: ID,
        variant: Some(plan.variant),
        label,
        target,
        preferred: true,
        edit,
        other: None,
        doubts: plan.doubts,
        before: Some(before),
        after: Some(after),
    })
}

/// Both bases unpacked, or both as they are pulled where that is all that is known.
fn figures(ctx: &Context, plan: &Plan) -> Option<(Estimate, Estimate)> {
    let builder = ctx.images.look_up(&plan.builder, &ctx.config.platform)?;
    let runtime = ctx.images.look_up(&plan.runtime, &ctx.config.platform)?;
    builder.unpacked.zip(runtime.unpacked).or(builder.pull.zip(runtime.pull))
}

/// The gain test.
fn gains(before: &Estimate, after: &Estimate) -> bool {
    let saved = before.likely.0.saturating_sub(after.likely.0);
    saved >= LEAST_BYTES && saved.saturating_mul(100) >= before.likely.0.saturating_mul(LEAST_PERCENT)
}

fn lowered(ctx: &Context, text: &str) -> File {
    let build = Build { arguments: Some(&ctx.config.build_args), platform: ctx.config.platform.clone() };
    lower::file(Arc::from(text), &build, Some(ctx.file))
}

#[cfg(test)]
mod tests;

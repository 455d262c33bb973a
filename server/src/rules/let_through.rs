//! The finding on what comes along with a copied context: which names, how much, how bad.
//!
//! Shared by the two rules about ignore files, which differ in what they say of the file.

use crate::context::heavy::Heavy;
use crate::facts::whole_context::{Whole, is_secret};
use crate::rules::{Context, Finding, Rule, Severity};
use crate::weight::{Basis, Estimate};

/// The finding on the first copy that is shipped, else on the first; `None` where what comes through is not worth it.
pub fn finding(
    ctx: &Context,
    rule: &'static Rule,
    copies: &[Whole],
    found: &[&Heavy],
    told: &dyn Fn(&str, &str) -> String,
) -> Option<Finding> {
    let at = copies.iter().find(|it| it.shipped).or_else(|| copies.first())?;
    let bytes = found.iter().fold(0u64, |sum, it| sum.saturating_add(it.bytes));
    let has_secret = found.iter().any(|it| is_secret(ctx.context, it));
    if bytes < ctx.config.minimum_saving && !has_secret {
        return None;
    }
    let weight = Estimate::exact(bytes, Basis::Context, "build context");
    let mut shown: Vec<&&Heavy> = found.iter().collect();
    shown.sort_by_key(|it| (!is_secret(ctx.context, it), std::cmp::Reverse(it.bytes)));
    let mut message = told(&names(&shown), &weight.words());
    if !at.shipped {
        message.push_str("; all of it is sent to the builder, and each change of it builds this again");
    }
    let mut res = Finding::new(rule, at.range, message);
    // A secret matters whatever it weighs.
    let is_small = bytes < ctx.config.minimum_saving;
    res.saves = Some(weight).filter(|_| at.shipped && !is_small);
    if !at.shipped && !has_secret {
        res.severity = Severity::Information;
    }
    res.assists.push("write-dockerignore");
    Some(res)
}

/// `.git`, `node_modules` and 2 more.
fn names(found: &[&&Heavy]) -> String {
    let quoted: Vec<String> = found.iter().take(3).map(|it| format!("`{}`", it.path)).collect();
    let more = found.len().saturating_sub(quoted.len());
    match (&quoted[..], more) {
        ([], _) => String::new(),
        ([only], 0) => only.clone(),
        ([first @ .., last], 0) => format!("{} and {last}", first.join(", ")),
        (all, more) => format!("{} and {more} more", all.join(", ")),
    }
}

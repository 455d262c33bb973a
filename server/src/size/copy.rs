//! COPY and ADD: measured in the build context.

use crate::context::BuildContext;
use crate::model::{Copy, Placed};
use crate::weight::{Basis, Estimate};

/// What a COPY or ADD brings, and in words of what.
pub(super) fn adds(placed: &Placed, copy: &Copy, context: &BuildContext) -> (Option<Estimate>, String) {
    let instruction = &placed.instruction;
    if let Some(from) = instruction.flag("from").and_then(|flag| flag.value.as_ref()) {
        return (None, format!("what is copied from {} is not known before it is built", from.text));
    }
    let mut bytes = instruction.heredocs.iter().map(|heredoc| heredoc.body.len() as u64).sum::<u64>();
    let mut files = instruction.heredocs.len() as u64;
    if instruction.flag("exclude").is_some() {
        return (None, "some of the files are excluded".to_owned());
    }
    for source in &copy.sources {
        let text = &source.text;
        if text.contains("://") || text.starts_with("git@") {
            return (None, format!("{text} is fetched when it is built"));
        }
        if text.contains('$') {
            return (None, format!("{text} is not known here"));
        }
        if !context.known {
            return (None, "the build context is not known".to_owned());
        }
        let Some(brought) = context.brings(text) else {
            return (None, format!("{text} is not in the build context"));
        };
        if !brought.complete {
            return (None, "the build context is too large to be counted".to_owned());
        }
        bytes += brought.bytes;
        files += brought.files as u64;
    }
    let why = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
    (Some(Estimate::exact(bytes, Basis::Context, why.clone())), why)
}

//! The analysis of a Dockerfile together with what lies beside it: finds and walks its build context, and reads the
//! files that the analysis wants until it wants no more.

use std::path::Path;
use std::sync::Arc;

use crate::analysis::{Analysis, Inputs};
use crate::config::NamedFolder;
use crate::context::BuildContext;
use crate::disk::sources::context_sources;
use crate::disk::walk::{Limits, Stop};
use crate::disk::walks::Walks;
use crate::disk::{folder, texts, walk};

/// How often one text may ask for further files of its build context.
pub const MOST_ROUNDS: u32 = 5;

/// Analyses a text that was read from `dockerfile`, in the build context that the settings name or that is found by its
/// sources; `inputs.context` is replaced. A text without a place has a context only if the settings name one.
pub fn analyse(dockerfile: Option<&Path>, inputs: Inputs, walks: &Walks) -> Analysis {
    let named = inputs.config.context.clone();
    let analysis = Analysis::of(Inputs { context: Arc::default(), ..inputs }, None);
    let context = match (dockerfile, &named) {
        (Some(dockerfile), _) => {
            let sources = context_sources(&analysis.file);
            let root = folder::root_of(dockerfile);
            let folder = folder::context_folder(dockerfile, named.as_ref(), &root, &sources);
            folder.map(|folder| walks.context(&folder, Some(dockerfile))).unwrap_or_default()
        }
        (None, Some(named)) => named_context(named),
        (None, None) => BuildContext::default(),
    };
    if !context.known {
        return analysis;
    }
    let inputs = Inputs { context: Arc::new(context), ..analysis.inputs.clone() };
    in_rounds(inputs, Some(&analysis))
}

/// Analyses a text in the context it was given, which is read further as long as the analysis wants files of it and
/// gets some, five times at most. `before` is an analysis of an older text of the same file.
pub fn in_rounds(inputs: Inputs, before: Option<&Analysis>) -> Analysis {
    let mut res = Analysis::of(inputs, before);
    for _ in 0..MOST_ROUNDS {
        let wanted = res.wanted_files();
        let Some(folder) = res.inputs.context.folder.clone().filter(|_| !wanted.is_empty()) else { break };
        let mut context = BuildContext::clone(&res.inputs.context);
        if !texts::read_texts(Path::new(&folder), &wanted, &mut context) {
            break;
        }
        let inputs = Inputs { context: Arc::new(context), ..res.inputs.clone() };
        res = Analysis::of(inputs, Some(&res));
    }
    res
}

/// The build context of a Dockerfile: the folder that was named, else the one below `root` that holds most of the
/// sources of its COPY and ADD. It may take a second on a large tree, and `stop` ends it.
pub fn build_context(
    dockerfile: &Path,
    named: Option<&NamedFolder>,
    root: &Path,
    sources: &[String],
    stop: &Stop,
) -> BuildContext {
    let folder = folder::context_folder(dockerfile, named, root, sources);
    folder.map(|folder| walk::context(&folder, Some(dockerfile), Limits::default(), stop)).unwrap_or_default()
}

/// The context of a text that lies nowhere.
fn named_context(named: &NamedFolder) -> BuildContext {
    let Ok(root) = std::env::current_dir() else { return BuildContext::default() };
    let folder = folder::context_folder(&root.join("Dockerfile"), Some(named), &root, &[]);
    folder.map(|folder| walk::context(&folder, None, Limits::default(), &Stop::default())).unwrap_or_default()
}

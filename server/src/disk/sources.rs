//! What a Dockerfile takes from its build context: the names by which the folder is recognised.

use crate::lower::resolve;
use crate::model::{File, InstructionKind};

/// The sources of COPY and ADD that come from the build context, variables put in; those that hang on a variable of no
/// known value are left out, since they recognise nothing. For [`crate::disk::folder::context_folder`].
pub fn context_sources(file: &File) -> Vec<String> {
    let mut res = Vec::new();
    for stage in &file.stages {
        for placed in &stage.instructions {
            let (InstructionKind::Copy(copy) | InstructionKind::Add(copy)) = &placed.instruction.kind else { continue };
            if placed.instruction.flag("from").is_some() {
                continue;
            }
            let value = |text: &str| resolve(text, &stage.scope, Some(placed.at), false, file.directives.escape);
            res.extend(copy.sources.iter().filter_map(|word| value(&word.text)));
        }
    }
    res
}

#[cfg(test)]
mod tests {
    use super::context_sources;
    use crate::lower::{self, Build};

    fn check(text: &str, expected: &[&str]) {
        let file = lower::file(text.into(), &Build::default(), None);
        assert_eq!(context_sources(&file), expected);
    }

    #[test]
    fn copies_of_other_stages_take_nothing_from_the_context() {
        check(
            "FROM a AS b\nCOPY go.mod go.sum ./\nFROM c\nCOPY --from=b /out /out\nADD x.tar /\n",
            &["go.mod", "go.sum", "x.tar"],
        );
    }

    #[test]
    fn variables_are_put_in_where_they_are_known() {
        check("FROM a\nARG DIR=src UNKNOWN\nCOPY ${DIR}/main.c $UNKNOWN \"quoted\" /\n", &["src/main.c", "quoted"]);
    }
}

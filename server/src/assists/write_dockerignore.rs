//! `write-dockerignore`: writes or extends the ignore file, so that what the image does not need stays out of the build
//! (RULES.md, missing-dockerignore).
//!
//! **Invariant:** lines that are there stay, with their order and comments; nothing that an instruction names is kept out.

use crate::assists::{Assist, Offer, OtherFile};
use crate::context::BuildContext;
use crate::context::heavy::{Heavy, HeavyKind};
use crate::context::ignore::IgnoreFile;
use crate::facts::whole_context::{self, Whole};
use crate::rules::Context;
use crate::text::{TextEdit, TextRange};
use crate::weight::{Basis, Estimate};

/// Its id.
pub const ID: &str = "write-dockerignore";

/// Offers it on an instruction that takes the whole context.
pub fn offer(ctx: &Context, range: TextRange) -> Option<Offer> {
    let context = ctx.context;
    if !context.known || context.heavy.is_empty() || !context.ignore.rejected.is_empty() {
        return None;
    }
    let copies = whole_context::copies(ctx.file, ctx.facts);
    let at: &Whole = copies.iter().find(|it| it.placed.whole().intersect(range).is_some())?;
    let found = whole_context::let_through(ctx.file, ctx.facts, context, &copies);
    let lines = lines(ctx, &found);
    if lines.is_empty() {
        return None;
    }
    let path = context.ignore_file.clone().unwrap_or_else(|| ".dockerignore".to_owned());
    let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
    let before = context.ignore_file.is_some().then(|| context.ignore_text.clone());
    let after = extended(before.as_deref().unwrap_or_default(), &lines);
    let bytes = kept_out(&after, &found);
    let weight = Estimate::exact(bytes, Basis::Context, "build context").words();
    let label = match (&before, lines.len()) {
        (None, _) => format!("Write {name} (keeps {weight} out)"),
        (Some(_), 1) => format!("Add a line to {name} (keeps {weight} out)"),
        (Some(_), n) => format!("Add {n} lines to {name} (keeps {weight} out)"),
    };
    Some(Offer::Assist(Assist {
        id: ID,
        variant: None,
        label,
        target: at.placed.whole(),
        preferred: false,
        edit: TextEdit::default(),
        other: Some(Box::new(OtherFile { path, folder: context.folder.clone(), before, after })),
        doubts: Vec::new(),
        before: None,
        after: None,
    }))
}

/// The lines to write: what comes through, and in a new file what is never needed though it is not there yet.
fn lines(ctx: &Context, found: &[&Heavy]) -> Vec<String> {
    let mut res: Vec<String> = Vec::new();
    let mut add = |line: String| {
        if !res.contains(&line) {
            res.push(line);
        }
    };
    let has = |name: &str| ctx.context.entries.contains_key(name);
    if found.is_empty() {
        return Vec::new();
    }
    let is_new = ctx.context.ignore_file.is_none();
    if is_new && has(".git") && !whole_context::reads_history(ctx.file, ctx.facts, ctx.context) && is_free(ctx, ".git")
    {
        add(".git".to_owned());
    }
    found.iter().filter_map(|heavy| heavy.pattern()).for_each(&mut add);
    if is_new && has("package.json") && !has("node_modules") && is_free(ctx, "node_modules") {
        add("node_modules".to_owned());
    }
    res
}

/// Whether no instruction speaks of this name.
fn is_free(ctx: &Context, name: &str) -> bool {
    let kind = if name == ".git" { HeavyKind::History } else { HeavyKind::Modules };
    let copies = whole_context::copies(ctx.file, ctx.facts);
    let heavy = Heavy { path: name.to_owned(), kind, bytes: 1 };
    let context = BuildContext { known: true, heavy: vec![heavy], ..BuildContext::default() };
    !whole_context::let_through(ctx.file, ctx.facts, &context, &copies).is_empty()
}

/// The text with these lines at its end, where the last line that matches decides; line ends as they are.
fn extended(text: &str, lines: &[String]) -> String {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut res = text.to_owned();
    if !res.is_empty() && !res.ends_with('\n') {
        res.push_str(end);
    }
    for line in lines {
        res.push_str(line);
        res.push_str(end);
    }
    res
}

fn kept_out(text: &str, found: &[&Heavy]) -> u64 {
    let ignore = IgnoreFile::parse(text);
    found.iter().filter(|it| ignore.ignores(&it.path)).fold(0u64, |sum, it| sum.saturating_add(it.bytes))
}

#[cfg(test)]
mod tests {
    use crate::assists::{Assist, Offer};
    use crate::fixture::{analyse, parse};

    fn offered(text: &str) -> Option<Assist> {
        let fixture = parse(text);
        let analysis = analyse(&fixture);
        let offers = analysis.assists(fixture.cursor.expect("a cursor"));
        offers.into_iter().find_map(|offer| match offer {
            Offer::Assist(assist) if assist.id == super::ID => Some(assist),
            Offer::Assist(_) | Offer::Refusal(_) => None,
        })
    }

    /// The path and the new text of the ignore file, and the label.
    fn check(text: &str, path: &str, after: &str, label: &str) {
        let assist = offered(text).unwrap_or_else(|| panic!("nothing is offered in:\n{text}"));
        let other = assist.other.expect("it writes a file");
        assert_eq!((other.path.as_str(), other.after.as_str(), assist.label.as_str()), (path, after, label), "{text}");
        assert_eq!(assist.edit.range(), None, "the Dockerfile stays as it is");
    }

    const FILES: &str = "#- package.json\n{}\n#- .git/HEAD\nref: x\n#- web/node_modules/a.js\n1\n#- .env\nA=1\n";

    #[test]
    fn a_new_file_has_what_is_there_and_what_is_never_needed() {
        check(
            &format!("FROM node:22\nCOPY<|> . .\nCMD [\"a\"]\n{FILES}"),
            ".dockerignore",
            ".git\n.env\n**/node_modules\nnode_modules\n",
            "Write .dockerignore (keeps 13 B out)",
        );
    }

    #[test]
    fn a_file_that_is_there_keeps_its_lines_and_gets_those_that_lack() {
        check(
            &format!("FROM node:22\nCOPY . .<|>\nCMD [\"a\"]\n{FILES}#- .dockerignore\n# ours\n.git\n!.env\n"),
            ".dockerignore",
            "# ours\n.git\n!.env\n.env\n**/node_modules\n",
            "Add 2 lines to .dockerignore (keeps 6 B out)",
        );
        check(
            "FROM node:22\nCOPY . .<|>\nCMD [\"a\"]\n#- .git/a\n1\n#- .dockerignore\nx\r\ny",
            ".dockerignore",
            "x\r\ny\r\n.git\r\n",
            "Add a line to .dockerignore (keeps 2 B out)",
        );
    }

    #[test]
    fn the_dockerfiles_own_ignore_file_is_the_one_that_holds() {
        check(
            "FROM node:22\nCOPY . .<|>\nCMD [\"a\"]\n#- .git/a\n1\n#- Dockerfile.dockerignore\nx\n#- .dockerignore\ny\n",
            "Dockerfile.dockerignore",
            "x\n.git\n",
            "Add a line to Dockerfile.dockerignore (keeps 2 B out)",
        );
    }

    #[test]
    fn what_an_instruction_names_is_never_kept_out() {
        let text = "FROM node:22\nCOPY . .<|>\nCOPY .env node_modules/x /x/\nCMD [\"a\"]\n#- .git/a\n1\n#- .env\nA\n#- package.json\n{}\n";
        check(text, ".dockerignore", ".git\n", "Write .dockerignore (keeps 2 B out)");
    }

    #[test]
    fn it_is_offered_where_the_whole_context_is_taken_and_nothing_more_is_to_be_kept_out() {
        assert_eq!(offered(&format!("FROM<|> node:22\nCOPY . .\nCMD [\"a\"]\n{FILES}")), None);
        assert_eq!(offered(&format!("FROM node:22\nCOPY src<|> .\nCMD [\"a\"]\n{FILES}")), None);
        assert_eq!(offered("FROM node:22\nCOPY . .<|>\nCMD [\"a\"]\n"), None);
        assert_eq!(offered("FROM node:22\nCOPY . .<|>\nCMD [\"a\"]\n#- a.js\n1\n"), None);
    }
}

//! `git-history-kept`: a repository's whole history lies in a shipped layer.

use crate::context::cleaned;
use crate::facts::append::append;
use crate::facts::clones::{Clone, clone};
use crate::facts::removes::{Removal, covers, deletes, homely, removal};
use crate::facts::run::Command;
use crate::facts::stage::join;
use crate::facts::uses::file_name;
use crate::model::{InstructionKind, Placed};
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Safety, Severity};
use crate::text::{Indel, TextEdit};
use crate::weight::{Basis, Estimate};

/// The rule.
pub static RULE: Rule = Rule {
    name: "git-history-kept",
    group: Group::Size,
    severity: Severity::Information,
    on: true,
    also: &[],
    doc: r##"
The whole history of a repository stays in the layer, though the image needs one state of it.

`git clone` fetches every version of every file that ever was; that is often larger than the files themselves. `--depth 1`
fetches one state, and the `.git` folder is of no use to a program.

```dockerfile
FROM debian:bookworm
RUN git clone https://example.com/tool.git /opt/tool
CMD ["/opt/tool/run"]
```

One state, and no `.git`:

```dockerfile
FROM debian:bookworm
RUN git clone --depth 1 https://example.com/tool.git /opt/tool && rm -rf /opt/tool/.git
CMD ["/opt/tool/run"]
```

A state that no branch or tag names comes with `ADD https://example.com/tool.git#COMMIT /opt/tool`, which leaves `.git` out.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for at in ctx.final_runs() {
        for (idx, command) in at.facts.commands.iter().enumerate().filter(|(_, it)| it.program == "git") {
            acc.extend(cloned(ctx, &at, idx, command));
        }
    }
    for stage in ctx.facts.final_chain.iter().filter_map(|idx| ctx.file.stages.get(*idx)) {
        acc.extend(stage.instructions.iter().filter_map(|placed| copied(ctx, placed)));
    }
}

fn cloned(ctx: &Context, at: &RunAt, idx: usize, command: &Command) -> Option<Finding> {
    let clone = clone(command).filter(|clone| !clone.partial && command.certain)?;
    let start = at.facts.directories.get(idx).and_then(Option::as_deref);
    // The directory of the image is not known: what is told apart by it is silent below.
    let path = join(Some(start.unwrap_or("/")), &clone.directory)?;
    let git = homely(&format!("{path}/.git"));
    let mounted = at.facts.is_mounted(&path) || at.facts.is_mounted(&homely(&path));
    if mounted || removal(at.facts, &at.facts.directories, &git, idx) != Removal::No {
        return None;
    }
    let moved = at.facts.commands.iter().skip(idx + 1).any(|it| moves(it, &clone.directory));
    if moved || is_deleted_later(ctx, at, &git) || starts_git(ctx) {
        return None;
    }
    let message = "the whole history stays in this layer".to_owned();
    let mut finding = Finding::new(&RULE, at.range(command), message);
    if needs_history(ctx, at, idx) || updates_itself(&path) {
        finding.severity = Severity::Hint;
        return Some(finding);
    }
    finding.fix = fix(ctx, at, idx, &clone, &path);
    Some(finding)
}

fn fix(ctx: &Context, at: &RunAt, idx: usize, clone: &Clone, path: &str) -> Option<Fix> {
    let command = at.facts.commands.get(idx).filter(|command| at.is_plain(command))?;
    // A name that a variable makes may be another in the next build.
    if !command.range.of(&at.placed.instruction.text).contains(file_name(clone.directory.trim_end_matches('/'))) {
        return None;
    }
    let turns = at.facts.commands.iter().any(|it| matches!(it.program.as_str(), "cd" | "pushd" | "popd"));
    let known = at.facts.directories.get(idx).is_some_and(Option::is_some);
    let shown = match (turns, clone.directory.starts_with('/')) {
        (false, _) => clone.directory.trim_end_matches('/'),
        (true, true) => path,
        (true, false) if known => path,
        (true, false) => return None,
    };
    let plain = |it: char| it.is_ascii_alphanumeric() || "/._-+@".contains(it);
    if shown.is_empty() || !shown.chars().all(plain) {
        return None;
    }
    let removal = append(&ctx.file.text, at.placed, at.run, at.facts, &format!("rm -rf {shown}/.git"))?;
    let word = at.placed.range(clone.word);
    let depth = Indel { delete: crate::text::TextRange::empty(word.end()), insert: " --depth 1".to_owned() };
    let edit = TextEdit::new(std::iter::once(depth).chain(removal.indels().iter().cloned()).collect())?;
    let title = "Fetch one state and drop its `.git`".to_owned();
    Some(Fix { title, safety: Safety::Review, edit })
}

/// Whether a command takes the clone elsewhere, so that nobody can tell where its `.git` lies.
fn moves(command: &Command, directory: &str) -> bool {
    let name = file_name(directory.trim_end_matches('/'));
    let takes = matches!(command.program.as_str(), "mv" | "rsync") || command.program == "find";
    takes && command.values().any(|it| it.contains(name) || it.contains(".git"))
}

fn is_deleted_later(ctx: &Context, at: &RunAt, git: &str) -> bool {
    let later = ctx.final_runs().skip_while(|it| (it.stage_idx, it.idx) != (at.stage_idx, at.idx)).skip(1);
    { later }.any(|run| {
        run.facts.commands.iter().zip(&run.facts.directories).any(|(command, directory)| {
            let deletes = deletes(command, directory.as_deref());
            deletes.is_some_and(|it| it.paths.iter().any(|pattern| covers(pattern, git) != Removal::No))
        })
    })
}

/// Whether a later command reads the history: a state is checked out by its number, a version is made from it.
fn needs_history(ctx: &Context, at: &RunAt, idx: usize) -> bool {
    let reads = |command: &Command| {
        let git = command.program == "git" && !command.values().any(|it| matches!(it, "clone" | "config" | "init"));
        git || command.values().any(|it| it.contains("setuptools_scm") || it.contains("setuptools-scm"))
    };
    if at.facts.commands.iter().skip(idx + 1).any(reads) {
        return true;
    }
    let later = ctx.final_runs().skip_while(|it| (it.stage_idx, it.idx) != (at.stage_idx, at.idx)).skip(1);
    { later }.any(|run| run.facts.commands.iter().any(reads))
}

/// Managers of versions and plugins that fetch their own news when somebody asks them to.
fn updates_itself(path: &str) -> bool {
    let names = ["nvm", "rbenv", "pyenv", "asdf", "oh-my-zsh", "jenv", "nodenv", "goenv", "rvm", "ruby-build", "tfenv"];
    path.split('/').any(|part| {
        let name = part.trim_start_matches('.');
        names.contains(&name) || matches!(name, "fzf" | "tmux" | "vim" | "emacs.d" | "dotfiles" | "emsdk" | "vcpkg")
    })
}

fn starts_git(ctx: &Context) -> bool {
    ctx.facts.is_started() && ctx.start().runs("git")
}

/// `COPY .git …` and `ADD --keep-git-dir`.
fn copied(ctx: &Context, placed: &Placed) -> Option<Finding> {
    let (InstructionKind::Copy(copy) | InstructionKind::Add(copy)) = &placed.instruction.kind else { return None };
    if let Some(flag) = placed.instruction.flag("keep-git-dir") {
        let off = flag.value.as_ref().is_some_and(|it| matches!(it.text.as_str(), "false" | "0" | "f" | "F"));
        let message = "the whole history stays in this layer";
        return (!off).then(|| Finding::new(&RULE, placed.range(flag.range), message));
    }
    if placed.instruction.flag("from").is_some() {
        return None;
    }
    let source = copy.sources.iter().find(|it| file_name(&cleaned(&it.text)) == ".git")?;
    let saves = ctx.context.brings(&source.text).filter(|it| it.complete);
    let saves = saves.map(|it| Estimate::exact(it.bytes, Basis::Context, "build context"));
    let weight = saves.as_ref().map(|it| format!(" ({})", it.words())).unwrap_or_default();
    let mut finding =
        Finding::new(&RULE, placed.range(source.range), format!("the whole history is copied into the image{weight}"));
    finding.saves = saves;
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, check_fix, check_no_fix, findings, parse};
    use crate::rules::{Safety, Severity};

    fn check_silent(body: &str) {
        check(&RULE, &format!("FROM debian:12\nWORKDIR /w\n{body}\nCMD [\"a\"]\n"));
    }

    fn check_hint(body: &str) {
        let text = format!("FROM debian:12\nWORKDIR /w\n{body}\nCMD [\"a\"]\n");
        let analysis = analyse(&parse(&text));
        let found = findings(&analysis, &RULE);
        assert_eq!(found.iter().map(|it| it.severity).collect::<Vec<_>>(), [Severity::Hint], "{text}");
        assert!(found.iter().all(|it| it.fix.is_none()));
    }

    #[test]
    fn a_clone_keeps_its_history() {
        check(
            &RULE,
            "FROM debian:12\n\
             RUN git clone --branch v1 https://x.org/a/b.git && make -C b\n\
             #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the whole history stays in this layer\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn one_state_has_no_history() {
        check_silent("RUN git clone --depth 1 https://x.org/a.git && git clone --depth=1 https://x.org/b.git");
        check_silent("RUN git clone --shallow-since=2024-01-01 https://x.org/a.git");
        check_silent("RUN git clone --filter=blob:none https://x.org/a.git");
    }

    #[test]
    fn a_clone_that_is_deleted_in_the_same_run_is_gone() {
        check_silent("RUN git clone https://x.org/a.git && cd a && make install && cd .. && rm -rf a");
        check_silent("RUN git clone https://x.org/a.git /a && rm -rf /a/.git");
        check_silent("RUN git clone https://x.org/a.git /a && find / -name .git -exec rm -rf {} +");
        check_silent("RUN cd /tmp && git clone https://x.org/a.git && rm -rf /tmp/*");
    }

    #[test]
    fn a_clone_that_a_later_layer_deletes_is_another_matter() {
        check_silent("RUN git clone https://x.org/a.git /a\nRUN make -C /a && rm -rf /a");
    }

    #[test]
    fn a_mounted_clone_is_in_no_layer() {
        check_silent("RUN --mount=type=cache,target=/src git clone https://x.org/a.git /src/a && make -C /src/a");
    }

    #[test]
    fn a_clone_that_is_moved_is_not_followed() {
        check_silent("RUN git clone https://x.org/a.git /tmp/a && mv /tmp/a/x /opt");
    }

    #[test]
    fn who_reads_the_history_needs_it() {
        check_hint("RUN git clone https://x.org/a.git && cd a && git checkout 0a1b2c3");
        check_hint("RUN git clone https://x.org/a.git && cd a && V=$(git describe) make");
        check_hint("RUN git clone https://x.org/a.git /a\nRUN cd /a && git submodule update --init");
    }

    #[test]
    fn a_manager_that_updates_itself_needs_its_repository() {
        check_hint("RUN git clone https://github.com/nvm-sh/nvm.git /root/.nvm");
    }

    #[test]
    fn an_image_that_starts_git_works_with_repositories() {
        check(&RULE, "FROM debian:12\nRUN git clone https://x.org/a.git /a\nCMD [\"git\", \"pull\"]\n");
    }

    #[test]
    fn a_builder_is_not_shipped() {
        check(
            &RULE,
            "FROM debian:12 AS b\nRUN git clone https://x.org/a.git /a\nFROM debian:12\nCOPY --from=b /a /a\nCMD /a\n",
        );
    }

    #[test]
    fn a_copied_history_is_weighed_in_the_context() {
        check(
            &RULE,
            "FROM debian:12\n\
             COPY .git /app/.git\n\
             #    ^^^^ the whole history is copied into the image (9 B)\n\
             ADD --keep-git-dir=true https://x.org/a.git /a\n\
             #   ^^^^^^^^^^^^^^^^^^^ the whole history stays\n\
             CMD [\"a\"]\n\
             #- plimsoll.toml\nsize.minimum-saving = 1\n\
             #- .git/HEAD\nref: a/b\n",
        );
    }

    #[test]
    fn the_fix_fetches_one_state_and_drops_its_git_folder() {
        check_fix(
            &RULE,
            Safety::Review,
            "FROM debian:12\nWORKDIR /w\nRUN git clone -b v1 https://x.org/a.git \\\n    && make -C a\nCMD [\"a\"]\n",
            "FROM debian:12\nWORKDIR /w\nRUN git clone --depth 1 -b v1 https://x.org/a.git \\\n    && make -C a \\\n    && rm -rf a/.git\nCMD [\"a\"]\n",
        );
        check_fix(
            &RULE,
            Safety::Review,
            "FROM debian:12\nRUN cd /tmp && git clone https://x.org/a.git && cd a && make\nCMD [\"a\"]\n",
            "FROM debian:12\nRUN cd /tmp && git clone --depth 1 https://x.org/a.git && cd a && make && rm -rf /tmp/a/.git\nCMD [\"a\"]\n",
        );
        check_no_fix(&RULE, "FROM debian:12\nARG R=a\nRUN git clone https://x.org/$R.git\nCMD [\"a\"]\n");
        check_no_fix(&RULE, "FROM debian:12\nRUN sudo git clone https://x.org/a.git /a\nCMD [\"a\"]\n");
    }
}

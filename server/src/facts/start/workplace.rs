//! Whether an image is a place of work: it starts a shell, an editor or an agent, and people or jobs use in it what an
//! image that serves would not need.
//!
//! Names alone decide. What could not be followed is no place of work.

use crate::facts;
use crate::facts::builds::needs_tools;
use crate::facts::start::development::development;
use crate::facts::start::{Program, StartChain};
use crate::model::{File, Form, InstructionKind, Stage};

/// Programs in which people or jobs work with whatever the image has.
const WORKPLACES: [&str; 22] = [
    "code-server",
    "emacs",
    "gitlab-runner",
    "gotty",
    "ipython",
    "jenkins-agent",
    "jenkins-slave",
    "jupyter",
    "jupyter-lab",
    "jupyter-notebook",
    "jupyterhub",
    "jupyterhub-singleuser",
    "rserver",
    "rstudio-server",
    "screen",
    "shellinaboxd",
    "sshd",
    "start-notebook.sh",
    "tmux",
    "ttyd",
    "vim",
    "vncserver",
];

/// Programs that wait for somebody to come in when they are started without a file.
const PROMPTS: [&str; 20] = [
    "R", "ash", "bash", "dash", "erl", "fish", "ghci", "iex", "irb", "julia", "ksh", "node", "octave", "php", "python",
    "python2", "python3", "ruby", "sh", "zsh",
];

/// Whether the stage is a place of work: it is named as one for development or tests, is there to be built upon (ONBUILD),
/// or starts something to work in, a prompt, a program that only waits, or one that builds.
pub fn is_workplace(file: &File, stage: usize, chain: &StartChain) -> bool {
    let stages = || facts::chain(file, stage).into_iter().filter_map(|idx| file.stages.get(idx));
    let onbuild =
        |it: &Stage| it.instructions.iter().any(|it| matches!(it.instruction.kind, InstructionKind::Onbuild(_)));
    file.stages.get(stage).is_some_and(is_for_development)
        || stages().any(onbuild)
        || starts_work(chain)
        || stages().any(asks_nothing)
}

fn starts_work(chain: &StartChain) -> bool {
    let programs = || chain.programs.iter().filter(|it| !it.health);
    let is_job = |name: &str| matches!(name.trim_end_matches(".sh"), "build" | "ci" | "compile" | "test" | "tests");
    let place =
        |it: &Program| WORKPLACES.contains(&it.name.as_str()) || it.name.contains("jupyter") || is_job(&it.name);
    if programs().any(|it| place(it) || needs_tools(&it.name, &it.arguments) || development(it, None).is_some()) {
        return true;
    }
    let mut work = chain.work().peekable();
    if work.peek().is_none() {
        // A shell that is given nothing to do.
        return chain.open.is_empty() && programs().next().is_some();
    }
    chain.open.is_empty() && { work }.all(waits)
}

/// Whether CMD is a prompt, whatever an entry script makes of it.
fn asks_nothing(stage: &Stage) -> bool {
    let command = stage.instructions.iter().rev().find_map(|it| match &it.instruction.kind {
        InstructionKind::Cmd(form) => Some(form),
        _ => None,
    });
    let words: Vec<&str> = match command {
        Some(Form::Exec(words)) => words.iter().map(|it| it.text.as_str()).collect(),
        // `['ash']` is no JSON, and meant for a prompt all the same.
        Some(Form::Shell(text)) => {
            text.text.split(|it: char| "[]', ".contains(it)).filter(|it| !it.is_empty()).collect()
        }
        Some(Form::Heredoc { .. } | Form::Empty) | None => return false,
    };
    let Some((name, options)) = words.split_first() else { return false };
    let name = name.rsplit('/').next().unwrap_or(name);
    PROMPTS.contains(&name) && options.iter().all(|it| is_idle(it))
}

/// Options with which a prompt is still one, or a program only says what it is.
fn is_idle(option: &str) -> bool {
    matches!(option, "-a" | "-i" | "-l" | "--login" | "-v" | "-V" | "--version" | "--help")
}

fn waits(program: &Program) -> bool {
    let idle = program.arguments.iter().all(|it| it.as_deref().is_some_and(is_idle));
    match program.name.as_str() {
        "sleep" | "true" | "cat" | "pause" => true,
        "tail" => program.arguments.iter().flatten().any(|it| it == "/dev/null"),
        name => {
            let tells = |it: &Option<String>| matches!(it.as_deref(), Some("--version" | "--help"));
            idle && PROMPTS.contains(&name) || program.arguments.iter().any(tells)
        }
    }
}

/// Whether a stage is named as one for development, tests or debugging.
pub fn is_for_development(stage: &Stage) -> bool {
    stage.name.as_ref().is_some_and(|name| {
        let name = name.text.to_ascii_lowercase();
        name.split(['-', '_', '.']).any(|part| {
            let kinds = ["build", "builder", "ci", "dev", "devcontainer", "devel", "develop", "development", "lint"];
            kinds.contains(&part) || part.starts_with("debug") || part.starts_with("test")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{is_for_development, is_workplace};
    use crate::context::BuildContext;
    use crate::facts::start::chain;
    use crate::lower;

    fn check(text: &str, expected: bool) {
        let file = lower::file(format!("FROM a AS x\n{text}\n").into(), &lower::Build::default(), None);
        let chain = chain(&file, 0, &BuildContext::default(), "/", false);
        assert_eq!(is_workplace(&file, 0, &chain), expected, "{text}");
    }

    #[test]
    fn shells_prompts_and_idle_programs_wait_for_somebody() {
        check("CMD [\"bash\"]", true);
        check("CMD bash", true);
        check("ENTRYPOINT [\"/bin/bash\", \"-l\"]", true);
        check("CMD [\"python3\"]", true);
        check("CMD [\"sleep\", \"infinity\"]", true);
        check("CMD tail -f /dev/null", true);
        check("CMD jupyter notebook --ip=0.0.0.0", true);
        check("CMD [\"/usr/sbin/sshd\", \"-D\"]", true);
        check("CMD [\"ruby\", \"-v\"]", true);
        check("CMD ['ash']", true);
        check("ENTRYPOINT /src/test/ci.sh", true);
        check("ENTRYPOINT [\"/entry.sh\"]\nCMD [\"php\", \"-a\"]", true);
        check("CMD [\"start-jupyter-here\"]", true);
    }

    #[test]
    fn what_serves_or_is_not_known_is_no_place_of_work() {
        check("CMD [\"python3\", \"a.py\"]", false);
        check("CMD [\"bash\", \"-c\", \"nginx\"]", false);
        check("ENTRYPOINT [\"/entry.sh\"]", false);
        check("CMD tail -f /var/log/a.log", false);
    }

    #[test]
    fn what_builds_at_start_works_with_its_tools() {
        check("CMD [\"cargo\", \"run\"]", true);
        check("CMD [\"npm\", \"run\", \"build\"]", true);
    }

    #[test]
    fn stages_are_known_by_their_names() {
        let named = |name: &str| {
            let file = lower::file(format!("FROM a AS {name}\n").into(), &lower::Build::default(), None);
            is_for_development(&file.stages[0])
        };
        assert!(["dev", "devel", "app-test", "ci", "debugging"].iter().all(|it| named(it)));
        assert!(!["prod", "runtime", "latest", "device"].iter().any(|it| named(it)));
    }
}

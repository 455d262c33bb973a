//! Whether an image is a place of work: it starts a shell, an editor or an agent, and people or jobs use in it what an
//! image that serves would not need.
//!
//! Names alone decide. What could not be followed is no place of work.

use crate::facts::builds::needs_tools;
use crate::facts::start::development::development;
use crate::facts::start::{Program, StartChain};
use crate::model::Stage;

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
const PROMPTS: [&str; 16] = [
    "R", "bash", "erl", "fish", "ghci", "iex", "irb", "julia", "node", "octave", "php", "python", "python2", "python3",
    "sh", "zsh",
];

/// Whether a start is a place of work: something to work in, a prompt, a program that only waits, or one that builds.
pub fn is_workplace(chain: &StartChain) -> bool {
    let programs = || chain.programs.iter().filter(|it| !it.health);
    if programs().any(|it| WORKPLACES.contains(&it.name.as_str())) {
        return true;
    }
    if programs().any(|it| needs_tools(&it.name, &it.arguments) || development(it, None).is_some()) {
        return true;
    }
    let mut work = chain.work().peekable();
    if work.peek().is_none() {
        // A shell that is given nothing to do.
        return chain.open.is_empty() && programs().next().is_some();
    }
    chain.open.is_empty() && { work }.all(waits)
}

fn waits(program: &Program) -> bool {
    let first = program.arguments.first().map(|it| it.as_deref().unwrap_or("?"));
    let all_options =
        program.arguments.iter().all(|it| it.as_deref().is_some_and(|it| matches!(it, "-l" | "-i" | "--login")));
    match program.name.as_str() {
        "sleep" | "true" | "cat" | "pause" => true,
        "tail" => program.arguments.iter().flatten().any(|it| it == "/dev/null"),
        name => PROMPTS.contains(&name) && (first.is_none() || all_options),
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
        assert_eq!(is_workplace(&chain), expected, "{text}");
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

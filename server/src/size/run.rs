//! RUN: what its commands leave in the layer, as far as tables tell.

use crate::facts::RunFacts;
use crate::facts::run::Command;
use crate::model::Placed;
use crate::weight::{Basis, Estimate};

/// What a RUN adds, and in words of what.
pub(super) fn adds(run: &RunFacts, placed: &Placed) -> (Option<Estimate>, String) {
    let _ = placed;
    if run.commands.is_empty() {
        return (None, "what the command writes is not known".to_owned());
    }
    match run.commands.iter().find(|command| !writes_little(command)) {
        Some(command) => (None, format!("what {} writes is not known", command.program)),
        None => {
            let little = Estimate::between(0, 1_000, 100_000, Basis::Guess, "a few small files");
            (Some(little), "a few small files".to_owned())
        }
    }
}

/// Commands that write next to nothing. `chmod` and `chown` are not among them: they store what they touch again.
fn writes_little(command: &Command) -> bool {
    const LITTLE: [&str; 28] = [
        "", ":", "[", "a2enmod", "a2ensite", "addgroup", "adduser", "cd", "date", "echo", "exit", "export", "groupadd",
        "id", "ln", "ls", "mkdir", "printf", "pwd", "rm", "rmdir", "set", "sleep", "test", "touch", "true", "useradd",
        "usermod",
    ];
    LITTLE.binary_search(&command.program.as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::writes_little;
    use crate::facts::run::Command;

    #[test]
    fn small_commands_are_found() {
        let command = |program: &str| Command { program: program.to_owned(), ..Command::default() };
        assert!(["mkdir", "usermod", "", "true"].iter().all(|program| writes_little(&command(program))));
        assert!(["make", "chmod", "curl"].iter().all(|program| !writes_little(&command(program))));
    }
}

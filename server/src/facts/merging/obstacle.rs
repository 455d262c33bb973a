//! Why RUNs cannot be joined: codes and sentences of SPEC-merge-run.md §4.

/// A reason against joining.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// A `&`.
    Background,
    /// A program that goes on running.
    Daemon,
    /// `RUN ["…"]`
    ExecForm,
    /// PowerShell, cmd, or the escape character of Windows files.
    Windows,
    /// A SHELL that is no POSIX shell.
    ForeignShell,
    /// Nothing written, or text that is no shell.
    Unparsed,
    /// A heredoc, as script or as input.
    Heredoc,
    /// A script in a heredoc without `set -e`.
    LooseHeredoc,
    /// Nothing but effects on the shell that ends with the RUN.
    NoEffect,
    /// `set -e` on one side only, and a failure that counts on one side only.
    Errexit,
    /// The groups or the home of the account it runs as.
    Account,
    /// Another program at `/bin/sh`, or the working directory itself.
    Ground,
    /// `$!`, `$-`, `$_`, `$BASH…`
    Internals,
    /// Bytes that a joined text would read otherwise.
    OddText,
    /// Different flags.
    Flags,
    /// A mount whose content is thrown away after each RUN.
    PassingMount,
    /// Longer than the one argument that a shell can be given.
    TooLong,
}

impl Obstacle {
    /// The code: X of SPEC-merge-run.md §4, R of its §10 where §4 has none.
    pub fn code(self) -> &'static str {
        match self {
            Obstacle::Background => "X1",
            Obstacle::Daemon => "X2",
            Obstacle::ExecForm => "X3",
            Obstacle::Windows | Obstacle::ForeignShell => "X4",
            Obstacle::Unparsed => "X5",
            Obstacle::Heredoc | Obstacle::LooseHeredoc => "X6",
            Obstacle::NoEffect => "X7",
            Obstacle::Errexit => "X8",
            Obstacle::Account | Obstacle::Ground => "X9",
            Obstacle::Internals => "X10",
            Obstacle::OddText | Obstacle::TooLong => "X11",
            Obstacle::Flags | Obstacle::PassingMount => "R8",
        }
    }

    /// One clause that says what is so.
    pub fn reason(self) -> &'static str {
        match self {
            Obstacle::Background | Obstacle::Daemon => {
                "this RUN leaves a process running; merged it would still run during the next command"
            }
            Obstacle::ExecForm => "the exec form runs without a shell",
            Obstacle::Windows => "merging PowerShell and cmd commands is not supported",
            Obstacle::ForeignShell => "the SHELL in force is not a POSIX shell",
            Obstacle::Unparsed | Obstacle::OddText => "the command could not be parsed",
            Obstacle::Heredoc => "a RUN with a heredoc is left as it is",
            Obstacle::LooseHeredoc => "a heredoc without `set -e` ignores failures in the middle",
            Obstacle::NoEffect => {
                "this RUN has no effect on later instructions; say with WORKDIR or ENV what you mean first"
            }
            Obstacle::Errexit => "`set -e` would change how the other command fails",
            Obstacle::Account => "group and HOME changes only take effect in the next RUN",
            Obstacle::Ground => "only the next RUN starts with the new shell or directory",
            Obstacle::Internals => "depends on shell internals",
            Obstacle::Flags => "the flags differ, and a mount would become visible to the other command",
            Obstacle::PassingMount => {
                "what a command writes to this mount is gone before the next RUN, merged it is not"
            }
            Obstacle::TooLong => "the merged command would be longer than a shell can be given",
        }
    }
}

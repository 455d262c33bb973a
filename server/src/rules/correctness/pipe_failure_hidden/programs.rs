//! Which programs feed a pipe with what matters, and which end well on an empty stream.
//!
//! The exit codes were tried with GNU tools and with BusyBox.

use crate::facts::builds;
use crate::facts::run::Command;
use crate::rules::correctness::pipe_failure_hidden::has_letter;
use crate::shell::Call;

/// Whether a program fetches or produces what the pipe is about.
pub(super) fn produces(call: &Call) -> bool {
    if call.has_flag(&["--version", "-V", "--help"]) {
        return false;
    }
    match call.program.as_str() {
        "curl" | "wget" | "pg_dump" | "mysqldump" | "zcat" | "bzcat" | "xzcat" => true,
        "git" => call.is("git", &["archive"]),
        "openssl" => !call.is("openssl", &["version"]) && !call.is("openssl", &["rand"]),
        _ => false,
    }
}

/// Whether a command builds or tests the application, so that its failure should end the build.
pub(super) fn is_built_or_tested(command: &Command) -> bool {
    let first = command.subcommand().unwrap_or_default();
    builds::is_build_step(command)
        || matches!(command.program.as_str(), "pytest" | "tox" | "phpunit" | "rspec" | "ctest" | "jest")
        || matches!(command.program.as_str(), "go" | "cargo" | "npm" | "yarn" | "dotnet" | "mvn") && first == "test"
}

/// Whether the end of a pipe does something to the image, and ends well on an empty stream.
pub(super) fn acts_on_anything(call: &Call) -> bool {
    let operands = call.operands();
    let first = operands.first().and_then(|word| word.literal());
    let reads_input = || operands.is_empty() || first.as_deref() == Some("-");
    match call.program.as_str() {
        "sh" | "bash" | "ash" | "dash" => {
            let has_text = call.arguments.iter().any(|word| has_letter(word, 'c'));
            let asked = call.arguments.iter().any(|word| has_letter(word, 's'));
            !has_text && (reads_input() || asked)
        }
        "python" | "python2" | "python3" | "node" | "perl" | "ruby" => {
            reads_input() && !call.has_flag(&["-c", "-m", "-e", "--version", "-V", "-v"]) && {
                let is_option = |it: &crate::shell::Word| it.is_option() && it.literal().is_none_or(|it| it != "-u");
                call.program != "perl" && call.program != "ruby" || !call.arguments.iter().any(is_option)
            }
        }
        "php" => {
            call.arguments.is_empty() || call.arguments.first().and_then(|it| it.literal()).as_deref() == Some("--")
        }
        "tee" => operands.iter().any(|word| word.literal().is_none_or(|it| !it.starts_with("/dev/"))),
        "dd" => call.arguments.iter().any(|word| word.starts_with("of=") && !word.starts_with("of=/dev/")),
        "patch" => !call.has_flag(&["--dry-run", "-i", "--input"]),
        "cpio" => call.has_letter('i') || call.has_flag(&["--extract"]),
        "xargs" => operands.iter().filter_map(|word| word.literal()).next().is_some_and(|it| writes(&it)),
        _ => false,
    }
}

/// Programs that `xargs` runs to change something.
fn writes(program: &str) -> bool {
    const NAMES: [&str; 22] = [
        "apk", "apt", "apt-get", "chmod", "chown", "cp", "curl", "dnf", "gem", "git", "go", "install", "ln", "mkdir",
        "mv", "npm", "pip", "pip3", "tar", "touch", "wget", "yum",
    ];
    NAMES.contains(&program)
}

/// Whether a program turns an empty stream into an empty one, and is content.
pub(super) fn filters_anything(call: &Call) -> bool {
    match call.program.as_str() {
        "sed" => !call.has_flag(&["-i", "--in-place"]),
        "awk" | "gawk" | "mawk" | "cut" | "tr" | "sort" => true,
        "jq" => !call.has_flag(&["-e", "--exit-status"]) && !call.has_letter('e'),
        "grep" | "egrep" | "fgrep" => false,
        "base64" => call.has_flag(&["-d", "--decode", "-D"]),
        _ => false,
    }
}

/// Whether the output goes to a file.
pub(super) fn writes_file(call: &Call) -> bool {
    call.redirects.iter().any(|redirect| {
        let out = matches!(redirect.operator.as_str(), ">" | ">>" | ">|");
        let own = redirect.descriptor.as_deref().is_none_or(|it| it == "1");
        out && own && !redirect.target.starts_with("/dev/")
    })
}

/// Whether a variable holds what a download is named by.
pub(super) fn names_version(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    ["VERSION", "URL", "TAG", "RELEASE", "LATEST"].iter().any(|word| upper.contains(word)) || upper.ends_with("VER")
}

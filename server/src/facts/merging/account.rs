//! Commands that change the account a RUN runs as: its groups and its home reach the next RUN only (measured).

use crate::facts::stage::User;
use crate::shell::{Call, Part, Word};

/// Files the accounts stand in.
const FILES: &[&str] = &["/etc/passwd", "/etc/group"];

/// Options of `usermod` that touch neither groups nor home.
const HARMLESS: &[&str] = &[
    "--comment",
    "--expiredate",
    "--inactive",
    "--lock",
    "--password",
    "--shell",
    "--unlock",
    "-L",
    "-U",
    "-c",
    "-e",
    "-f",
    "-p",
    "-s",
];

/// Whether a call may change the account of `user`. Which one a default of the base image is, is not known; taken is
/// root, but for a call through `sudo`, which root has no use for. `look_up` knows variables of the build.
pub(super) fn changes(call: &Call, user: Option<&User>, look_up: &dyn Fn(&str) -> Option<String>) -> bool {
    let is_file = |word: &Word| word.resolve(look_up).is_some_and(|it| FILES.contains(&it.as_str()));
    let name = match user {
        Some(User::Named(text)) => Some(text.split(':').next().unwrap_or_default()),
        Some(User::OfImage) if call.wrapper.is_none() => Some("root"),
        Some(User::OfImage | User::Unknown) | None => None,
    };
    // An account that is known by its number alone may have any name.
    let name = match name {
        Some("0") => Some("root"),
        name => name.filter(|it| !it.bytes().all(|byte| byte.is_ascii_digit())),
    };
    if let Some(redirect) = call.redirects.iter().find(|it| it.operator.contains('>') && is_file(&it.target)) {
        let says = |name: &str| call.arguments.iter().any(|word| mentions(word, name));
        return redirect.operator != ">>" || name.is_none_or(says);
    }
    let last = call.arguments.last();
    let is_name = |word: &Word| word.resolve(look_up).is_none_or(|text| name.is_none_or(|name| text == name));
    let options = || call.arguments.iter().filter(|word| word.is_option());
    match call.program.as_str() {
        "tee" | "cp" | "mv" | "install" => last.is_some_and(is_file),
        "sed" => last.is_some_and(is_file) && (call.has_letter('i') || call.has_flag(&["--in-place"])),
        "usermod" => {
            let is_harmless = |word: &Word| word.literal().is_some_and(|it| HARMLESS.contains(&it.as_str()));
            let is_written = |word: &Word| word.resolve(look_up).is_some_and(|_| is_name(word));
            !options().all(is_harmless) && (last.is_some_and(is_name) || call.arguments.iter().any(is_written))
        }
        // With two names and nothing else the first, which exists, joins the second.
        "adduser" | "addgroup" | "deluser" | "delgroup" => {
            call.arguments.len() == 2 && options().count() == 0 && call.arguments.first().is_some_and(is_name)
        }
        "gpasswd" | "groupmod" | "groupmems" => call.arguments.iter().any(is_name),
        "vipw" | "vigr" => true,
        _ => false,
    }
}

/// Whether the name stands in what is written of a word.
fn mentions(word: &Word, name: &str) -> bool {
    word.parts.iter().any(|part| match part {
        Part::Bare(text) | Part::Quoted(text) => text.contains(name),
        Part::Variable { .. } => false,
        Part::Substitution(_) | Part::Other => true,
    })
}

//! Commands that change the account a RUN runs as: its groups and its home reach the next RUN only (measured).

use crate::facts::stage::User;
use crate::shell::{Call, Redirect};

/// Programs that change accounts and groups that exist.
const CHANGERS: &[&str] = &[
    "addgroup",
    "adduser",
    "chsh",
    "delgroup",
    "deluser",
    "gpasswd",
    "groupmod",
    "groupmems",
    "usermod",
    "vigr",
    "vipw",
];

/// Files the accounts stand in.
const FILES: &[&str] = &["/etc/passwd", "/etc/group"];

/// Whether a call may change the account of `user`. Which one a default of the base image is, is not known; taken is
/// root, but for a call through `sudo`, which root has no use for.
pub(super) fn changes(call: &Call, user: Option<&User>) -> bool {
    let is_file = |text: Option<String>| text.is_some_and(|it| FILES.contains(&it.as_str()));
    let writes = |it: &Redirect| it.operator.contains('>') && is_file(it.target.literal());
    if call.redirects.iter().any(writes) {
        return true;
    }
    if matches!(call.program.as_str(), "sed" | "tee" | "cp" | "mv" | "install") {
        return call.arguments.last().is_some_and(|it| is_file(it.literal()))
            && (call.program != "sed" || in_place(call));
    }
    if !CHANGERS.contains(&call.program.as_str()) {
        return false;
    }
    let name = match user {
        Some(User::Named(text)) => text.split(':').next().unwrap_or_default(),
        Some(User::OfImage) if call.wrapper.is_none() => "root",
        Some(User::OfImage | User::Unknown) | None => return true,
    };
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    let names: &[&str] = match name {
        "root" | "0" => &["root"],
        name => &[name],
    };
    if is_number && name != "0" {
        return true;
    }
    call.arguments.iter().any(|word| word.literal().is_none_or(|text| names.contains(&text.as_str())))
}

fn in_place(call: &Call) -> bool {
    let literal = |word: &crate::shell::Word| word.literal().unwrap_or_default();
    call.arguments
        .iter()
        .map(literal)
        .any(|it| it.starts_with("--in-place") || (it.starts_with('-') && !it.starts_with("--") && it.contains('i')))
}

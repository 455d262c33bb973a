//! The flags of a RUN in a form that can be compared.

use crate::model::{Instruction, Mount, Run};

/// What the flags of a RUN amount to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    /// Each mount with its options under one name each, sorted: their order means nothing.
    mounts: Vec<Vec<(String, String)>>,
    /// The other flags, sorted, the defaults left out.
    others: Vec<(String, String)>,
    /// Whether a mount is writable and its content does not outlive the RUN.
    pub(super) passing: bool,
}

impl Flags {
    pub(super) fn of(instruction: &Instruction, run: &Run) -> Flags {
        let mut mounts: Vec<_> = run.mounts.iter().map(mount).collect();
        mounts.sort();
        let value = |flag: &crate::model::Flag| flag.value.as_ref().map_or("", |word| word.text.as_str()).to_owned();
        let mut others: Vec<_> = instruction
            .flags
            .iter()
            .filter(|flag| flag.name != "mount")
            .map(|flag| (flag.name.clone(), value(flag)))
            .filter(|(name, value)| {
                !matches!((name.as_str(), value.as_str()), ("network", "default") | ("security", "sandbox"))
            })
            .collect();
        others.sort();
        Flags { mounts, others, passing: run.mounts.iter().any(is_passing) }
    }
}

/// The options of a mount with BuildKit's names (`instructions/commands_runmount.go`), the default type written out.
fn mount(mount: &Mount) -> Vec<(String, String)> {
    let mut res = vec![("type".to_owned(), mount.kind().to_owned())];
    for option in &mount.options {
        let value = option.value.as_ref().map_or("true", |word| word.text.as_str());
        let (key, value) = match option.key.as_str() {
            "type" => continue,
            "dst" | "destination" => ("target", value),
            "src" => ("source", value),
            "ro" | "readonly" => ("readonly", value),
            "rw" | "readwrite" => ("readwrite", value),
            key => (key, value),
        };
        res.push((key.to_owned(), value.to_owned()));
    }
    res.sort();
    res
}

/// Whether every RUN finds the mount as if none had written to it: a tmpfs, or a bind mount that may be written to.
fn is_passing(mount: &Mount) -> bool {
    let is_on = |option: &crate::model::MountOption| option.value.as_ref().is_none_or(|word| word.text != "false");
    let has = |keys: &[&str]| mount.options.iter().any(|option| keys.contains(&option.key.as_str()) && is_on(option));
    let turned_off = |keys: &[&str]| mount.options.iter().any(|it| keys.contains(&it.key.as_str()) && !is_on(it));
    match mount.kind() {
        "tmpfs" => true,
        "bind" => has(&["rw", "readwrite"]) || turned_off(&["ro", "readonly"]),
        _ => false,
    }
}

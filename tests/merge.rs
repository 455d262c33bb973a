//! A merged RUN does what its parts did: random shell programs, carried out one after another and merged.
//!
//! Every offered merge, with `&&` and as a script in a heredoc, is run under dash, bash and busybox ash in folders of its
//! own, with the text that BuildKit would give the shell; success and the tree of files must be the same.
//! `tests/shells/setup.sh` brings busybox. `PLIMSOLL_MERGE_GROUPS` sets how many groups are made (1,000) and
//! `PLIMSOLL_SEED` from where on: the same every time.

use std::cell::Cell;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use arbtest::arbitrary::{Result, Unstructured};
use plimsoll::assists::merge_runs;
use plimsoll::config::Config;
use plimsoll::facts::Facts;
use plimsoll::lower;
use plimsoll::model::{File, Form, Instruction, InstructionKind};

/// Commands of which programs are made: what they change or ask shows in the files.
const COMMANDS: &[&str] = &[
    "true",
    "true",
    "false",
    "false",
    "mkdir d2",
    "mkdir d1",
    "mkdir -p d1/d2",
    "touch f1",
    "touch f2",
    "rm f1",
    "rm -rf d1",
    "test -e f1",
    "test -d d1",
    "[ -e f2 ]",
    "echo a >> log",
    "echo b >> log",
    "echo \"v$V\" >> log",
    "echo \"w$W i$i\" >> log",
    "echo \"p$1$#\" >> log",
    "pwd | sed s,.*/,, >> log",
    "echo *1 >> log",
    "umask >> log",
    "cat f1",
    "touch f3 > f4",
];

/// Commands that change the shell itself.
const STATE: &[&str] = &[
    "cd d1",
    "cd d1",
    "cd ../d1",
    "export V=1",
    "V=2",
    "W=$(echo x)",
    "W=$(false)",
    "unset V",
    "read V < f1",
    ": ${W:=3}",
    "set -e",
    "set +e",
    "set -u",
    "set -x",
    "set -f",
    "set -eu",
    "set -- p q",
    "umask 077",
    "trap 'touch t1' EXIT",
    "trap 'echo t >> log' EXIT",
    "exit 0",
    "exit 1",
    "exit",
    "exec touch e1",
    "exec >> log",
    "eval 'cd d1; false; touch v1'",
    ". ./f1",
    "alias touch=mkdir",
    "hash -r",
    "echo $((i=i+1)) >> log",
];

fn command(u: &mut Unstructured<'_>) -> Result<String> {
    let pool = if u.ratio(1, 4)? { STATE } else { COMMANDS };
    Ok((*u.choose(pool)?).to_owned())
}

/// One command or a compound one, at most so deep.
fn compound(u: &mut Unstructured<'_>, depth: u32) -> Result<String> {
    if depth == 0 || u.ratio(2, 3)? {
        return command(u);
    }
    let inner = list(u, depth - 1)?;
    Ok(match u.int_in_range(0..=9)? {
        0 => format!("( {inner} )"),
        1 => format!("({inner})"),
        2 => format!("{{ {inner}; }}"),
        3 => format!("if {inner}; then {}; fi", list(u, depth - 1)?),
        4 => format!("if {}; then {inner}; else {}; fi", list(u, depth - 1)?, list(u, depth - 1)?),
        5 => format!("for i in 1 2; do {inner}; done"),
        6 => format!("while test \"$n\" != xx; do n=x$n; {inner}; done"),
        7 => format!("case x in x) {inner};; esac"),
        8 => format!("echo $({inner}) >> log"),
        // A name for each depth: none calls itself.
        _ => format!("f{depth}() {{ {inner}; }}; f{depth}"),
    })
}

fn pipeline(u: &mut Unstructured<'_>, depth: u32) -> Result<String> {
    let mut res = compound(u, depth)?;
    // One side alone writes, or the order would be chance.
    match u.int_in_range(0..=19)? {
        0 => res = format!("{res} | cat > /dev/null"),
        1 => res = format!("echo x | {res}"),
        _ => {}
    }
    if u.ratio(1, 12)? { Ok(format!("! {res}")) } else { Ok(res) }
}

fn list(u: &mut Unstructured<'_>, depth: u32) -> Result<String> {
    let mut res = pipeline(u, depth)?;
    for _ in 0..u.int_in_range(0..=2)? {
        let joint = *u.choose(&[" && ", " && ", "; ", "; ", " || "])?;
        res = res + joint + &pipeline(u, depth)?;
    }
    Ok(res)
}

fn element(u: &mut Unstructured<'_>) -> Result<String> {
    let start = *u.choose(&["", "", "", "", "set -e; ", "set -ex; ", "set -eu; ", "set -e && "])?;
    let end = if u.ratio(1, 20)? { " # why" } else { "" };
    Ok(format!("{start}{}{end}", list(u, 2)?))
}

fn lowered(text: &str) -> File {
    lower::file(Arc::from(text), &lower::Build::default(), None)
}

/// The shell texts of all RUNs.
fn scripts(file: &File) -> Vec<String> {
    let text = |instruction: &Instruction| match &instruction.kind {
        InstructionKind::Run(run) => match &run.form {
            Form::Shell(text) => Some(text.text.clone()),
            Form::Heredoc { .. } => Some(instruction.heredocs.first()?.body.of(&instruction.text).to_owned()),
            Form::Exec(_) | Form::Empty => None,
        },
        _ => None,
    };
    file.instructions().filter_map(|placed| text(&placed.instruction)).collect()
}

/// Runs texts one after another in a fresh folder until one fails: whether all succeeded, and what lies there then.
fn run(shell: &Shell, errexit: bool, texts: &[String]) -> (bool, Vec<String>) {
    // In memory where that is possible: a folder on a disk costs more than the shell.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.expect("a temporary folder");
    let start = folder.path().join("d1");
    fs::create_dir_all(start.join("d1")).expect("folders");
    let option = if errexit { "-ec" } else { "-c" };
    let runs = |text: &String| {
        let mut command = shell.command();
        command.args([option, text]).current_dir(&start).env_clear().env("PATH", "/usr/bin:/bin");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().expect("the shell runs").success()
    };
    let success = texts.iter().all(runs);
    let mut tree = Vec::new();
    read(folder.path(), folder.path(), &mut tree);
    tree.sort();
    (success, tree)
}

/// Path, mode and content of everything below a folder.
fn read(root: &Path, folder: &Path, acc: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let metadata = fs::symlink_metadata(&path).expect("its metadata");
        let content = if metadata.is_dir() { String::new() } else { fs::read_to_string(&path).expect("its text") };
        let name = path.strip_prefix(root).expect("below the root").display();
        acc.push(format!("{name} {:o} {content:?}", metadata.permissions().mode()));
        if metadata.is_dir() {
            read(root, &path, acc);
        }
    }
}

/// A shell and the words that start it.
#[derive(Debug)]
struct Shell {
    name: &'static str,
    program: PathBuf,
    argument: Option<&'static str>,
}

impl Shell {
    fn command(&self) -> Command {
        let mut res = Command::new(&self.program);
        res.args(self.argument);
        res
    }
}

fn shells() -> Vec<Shell> {
    let cache = std::env::var_os("PLIMSOLL_SHELLS").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").expect("a home folder")).join(".cache/plimsoll/shells");
    let busybox = cache.unwrap_or_else(home).join("bin/busybox");
    let all = [
        Shell { name: "dash", program: "dash".into(), argument: None },
        Shell { name: "bash", program: "bash".into(), argument: None },
        Shell { name: "busybox ash", program: busybox, argument: Some("ash") },
    ];
    let runs = |shell: &Shell| shell.command().args(["-c", "true"]).status().is_ok_and(|it| it.success());
    let (res, missing): (Vec<_>, Vec<_>) = all.into_iter().partition(runs);
    let missing: Vec<&str> = missing.iter().map(|shell| shell.name).collect();
    assert!(missing.is_empty() || std::env::var_os("CI").is_none(), "not found: {missing:?}");
    for name in missing {
        let _ = writeln!(std::io::stderr(), "NOT RUN with {name}: it was not found (tests/shells/setup.sh)");
    }
    res
}

#[test]
fn a_merged_run_does_what_its_parts_did() {
    let shells = shells();
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|it| it.parse().ok()).unwrap_or(default);
    let (n_wanted, seed) = (number("PLIMSOLL_MERGE_GROUPS", 1_000), number("PLIMSOLL_SEED", 1));
    let (n_groups, n_merges, n_again) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let n_scripts = Cell::new(0);
    let law = |u: &mut Unstructured<'_>| -> Result<()> {
        let errexit = u.ratio(1, 5)?;
        let head = if errexit { "FROM a\nSHELL [\"/bin/sh\", \"-ec\"]\n" } else { "FROM a\n" };
        let mut text = head.to_owned();
        for _ in 0..u.int_in_range(2..=3)? {
            text = format!("{text}RUN {}\n", element(u)?);
        }
        n_groups.set(n_groups.get() + 1);
        let before = lowered(&text);
        let mut after = text.clone();
        let mut rounds = 0;
        let file = loop {
            let file = lowered(&after);
            let assists = merge_runs::all(&file, &Facts::of(&file, &Config::default()));
            if assists.is_empty() {
                break file;
            }
            rounds += 1;
            n_merges.set(n_merges.get() + assists.len());
            after = assists.iter().rev().fold(after, |text, assist| assist.edit.apply(&text));
        };
        // A second round is rare; each joins RUNs, so that it ends.
        n_again.set(n_again.get() + u32::from(rounds > 1));
        let mut results = Vec::new();
        results.extend((rounds > 0).then_some((after, file)));
        let scripts_of = merge_runs::all_others(&before, &Facts::of(&before, &Config::default()));
        if !scripts_of.is_empty() {
            n_scripts.set(n_scripts.get() + scripts_of.len());
            let after = scripts_of.iter().rev().fold(text.clone(), |text, assist| assist.edit.apply(&text));
            let file = lowered(&after);
            results.push((after, file));
        }
        for shell in &shells {
            let apart = (!results.is_empty()).then(|| run(shell, errexit, &scripts(&before)));
            for (after, file) in &results {
                let Some(apart) = &apart else { continue };
                let together = run(shell, errexit, &scripts(file));
                assert_eq!(apart.0, together.0, "success under {}:\n{text}\n{after}", shell.name);
                if apart.0 {
                    assert_eq!(apart.1, together.1, "files under {}:\n{text}\n{after}", shell.name);
                }
            }
        }
        Ok(())
    };
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for _ in 0..n_wanted {
        let mut next = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random.to_le_bytes()
        };
        let bytes: Vec<u8> = (0..64).flat_map(|_| next()).collect();
        // An error means that the bytes did not suffice for a group.
        let _ = law(&mut Unstructured::new(&bytes));
    }
    let (n_groups, n_merges, n_again) = (n_groups.get(), n_merges.get(), n_again.get());
    let names: Vec<&str> = shells.iter().map(|shell| shell.name).collect();
    let _ = writeln!(
        std::io::stderr(),
        "{n_groups} groups, {n_merges} merges and {} scripts, each under {}; {n_again} groups in two rounds",
        n_scripts.get(),
        names.join(", ")
    );
    assert!(n_merges > 0, "nothing was merged");
    assert!(n_again * 100 <= n_groups, "merging again joins more");
}

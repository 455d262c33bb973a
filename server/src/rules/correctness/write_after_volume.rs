//! `write-after-volume`: what is written below a VOLUME after it was declared.

use crate::config::Builder;
use crate::facts::run::is_below;
use crate::facts::stage::{join, value};
use crate::model::{InstructionKind, Placed, Stage};
use crate::rules::{Context, Finding, Group, Related, Rule, Severity};
use crate::text::TextRange;

/// The rule.
pub static RULE: Rule = Rule {
    name: "write-after-volume",
    group: Group::Correctness,
    severity: Severity::Information,
    on: false,
    also: &[],
    doc: r##"
This is written below a path that was declared a `VOLUME` before.

Docker's classic builder throws such a change away; BuildKit keeps it.
With either, the files are copied into a new anonymous volume whenever a container starts without one of its own.
Off under BuildKit, an error with `builder = "classic"` in the settings.

```dockerfile
FROM debian:bookworm-slim
VOLUME /data
RUN touch /data/x
CMD ["ls", "/data"]
#- plimsoll.toml
builder = "classic"
```

Declared behind the last write:

```dockerfile
FROM debian:bookworm-slim
RUN touch /data/x
VOLUME /data
CMD ["ls", "/data"]
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let mut volumes: Vec<(String, TextRange)> = Vec::new();
    for stage_idx in ctx.facts.final_chain.iter().rev() {
        let Some(stage) = ctx.file.stages.get(*stage_idx) else { continue };
        for (idx, placed) in stage.instructions.iter().enumerate() {
            if let InstructionKind::Volume(words) = &placed.instruction.kind {
                let paths = words.iter().filter_map(|word| {
                    let path = value(stage, placed, &word.text, ctx.file.directives.escape)?;
                    Some((join(Some("/"), &path)?, placed.range(word.range)))
                });
                volumes.extend(paths);
                continue;
            }
            let Some((path, volume)) = written(ctx, *stage_idx, stage, idx, placed, &volumes) else { continue };
            let message = format!("`{path}` lies below a VOLUME that was declared before");
            let mut finding = Finding::new(&RULE, placed.whole(), message);
            if ctx.config.builder == Builder::Classic {
                finding.severity = Severity::Error;
            }
            finding.related.push(Related { range: volume, message: "declared here".to_owned() });
            acc.push(finding);
        }
    }
}

/// What an instruction writes below one of the volumes, as far as that is plain.
fn written(
    ctx: &Context,
    stage_idx: usize,
    stage: &Stage,
    idx: usize,
    placed: &Placed,
    volumes: &[(String, TextRange)],
) -> Option<(String, TextRange)> {
    if volumes.is_empty() {
        return None;
    }
    let facts = ctx.facts.stages.get(stage_idx)?;
    let directory = facts.directories.get(idx).and_then(Option::as_deref);
    let below = |path: &str| {
        let path = join(directory, path)?;
        let (_, range) = volumes.iter().find(|(volume, _)| is_below(&path, volume))?;
        Some((path, *range))
    };
    match &placed.instruction.kind {
        InstructionKind::Copy(copy) | InstructionKind::Add(copy) => {
            let word = copy.destination.as_ref()?;
            below(&value(stage, placed, &word.text, ctx.file.directives.escape)?)
        }
        InstructionKind::Run(_) => {
            let run = facts.run(idx)?;
            let writes = |program: &str| {
                matches!(program, "touch" | "mkdir" | "cp" | "mv" | "chown" | "chmod" | "tee" | "install" | "ln")
            };
            let mut commands = run.commands.iter().filter(|command| command.certain && writes(&command.program));
            commands.find_map(|command| {
                let any =
                    |n_skipped: usize| command.operands().skip(n_skipped).find_map(|it| below(it.value.as_deref()?));
                let res = match command.program.as_str() {
                    "touch" | "mkdir" | "tee" => any(0),
                    // The owner or the mode stands first.
                    "chown" | "chmod" => any(1),
                    _ => below(command.operands().last()?.value.as_deref()?),
                };
                res.filter(|(path, _)| !run.is_mounted(path))
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, findings, parse};
    use crate::rules::Severity;

    const CLASSIC: &str = "#- plimsoll.toml\nbuilder = \"classic\"\n";

    #[test]
    fn the_classic_builder_throws_it_away() {
        let text = format!(
            "FROM debian:12 AS a\nVOLUME [\"/data\", \"/log\"]\nFROM a\nWORKDIR /data\n\
             \u{20} RUN chown -R app /log\n# ^^^^^^^^^^^^^^^^^^^^^ `/log` lies below a VOLUME\n\
             \u{20} COPY x .\n# ^^^^^^^^ `/data` lies below\n\
             COPY x /database\nRUN cp /data/x /y\nVOLUME /y\n{CLASSIC}"
        );
        check(&RULE, &text);
        let analysis = analyse(&parse(&text));
        assert!(findings(&analysis, &RULE).iter().all(|finding| finding.severity == Severity::Error));
    }

    #[test]
    fn buildkit_keeps_it() {
        let text = "FROM debian:12\nVOLUME /data\nRUN touch /data/x\n";
        check(&RULE, text);
        let asked = format!("{text}#- plimsoll.toml\nrules.write-after-volume = \"information\"\n");
        assert_eq!(findings(&analyse(&parse(&asked)), &RULE).len(), 1);
    }

    #[test]
    fn a_volume_of_the_base_image_is_not_known() {
        check(&RULE, &format!("FROM postgres:17\nCOPY x /var/lib/postgresql/data/\n{CLASSIC}"));
    }

    #[test]
    fn a_write_before_is_kept() {
        check(&RULE, &format!("FROM debian:12\nRUN touch /data/x\nVOLUME /data\n{CLASSIC}"));
    }
}

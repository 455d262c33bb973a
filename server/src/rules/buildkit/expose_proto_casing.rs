//! `ExposeProtoCasing`: the protocol of EXPOSE in capital letters.

use crate::facts::stage::value;
use crate::model::InstructionKind;
use crate::rules::buildkit::edits::is_exact;
use crate::rules::buildkit::port::Port;
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::text::{Local, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "ExposeProtoCasing",
    group: Group::Style,
    severity: Severity::Hint,
    on: true,
    also: &["expose-proto-casing"],
    doc: r##"
EXPOSE writes the protocol in capital letters.

The image holds it in small letters whatever is written, and so does everything that shows it.

```dockerfile
FROM debian:12-slim
EXPOSE 53/UDP
CMD ["bash"]
```

In small letters:

```dockerfile
FROM debian:12-slim
EXPOSE 53/udp
CMD ["bash"]
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for stage in &ctx.file.stages {
        for placed in &stage.instructions {
            let instruction = &*placed.instruction;
            let InstructionKind::Expose(words) = &instruction.kind else { continue };
            for word in words {
                let Some(text) = value(stage, placed, &word.text, instruction.frame.escape) else { continue };
                let Some(protocol) = Port::parse(&text).and_then(|port| port.protocol) else { continue };
                let written = text.get(protocol.clone()).unwrap_or_default();
                let lower = written.to_ascii_lowercase();
                if lower == written {
                    continue;
                }
                let exact = text == word.text && is_exact(instruction, word.range, &text);
                let start = word.range.start as usize;
                let range = if exact { Local::new(start + protocol.start, start + protocol.end) } else { word.range };
                let message = format!("defined protocol '{text}' in EXPOSE instruction should be lowercase");
                let mut finding = Finding::new(&RULE, placed.range(range), message);
                finding.fix = exact.then(|| Fix {
                    title: format!("Write `{lower}`"),
                    safety: Safety::Safe,
                    edit: TextEdit::replace(placed.range(range), lower),
                });
                acc.push(finding);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    #[test]
    fn the_protocol_is_to_blame() {
        check(&RULE, "FROM a\nEXPOSE 80 53/UDP\n#            ^^^ defined protocol '53/UDP' in EXPOSE instruction\n");
        check(&RULE, "FROM a\nENV P=53/UDP\nEXPOSE $P\n#      ^^ '53/UDP'\n");
        check_no_fix(&RULE, "FROM a\nENV P=53/UDP\nEXPOSE $P\n");
    }

    #[test]
    fn small_letters_are_fine() {
        check(&RULE, "FROM a\nEXPOSE 80/tcp 53/udp 9 7-8/sctp\nARG P\nEXPOSE $P/UDP\n");
    }

    #[test]
    fn the_letters_become_small() {
        check_fix(&RULE, Safety::Safe, "FROM a\nEXPOSE 1/TCP 2/Udp\n", "FROM a\nEXPOSE 1/tcp 2/udp\n");
    }
}

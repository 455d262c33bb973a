//! `ExposeInvalidFormat`: EXPOSE names an address or a port of the host.

use crate::facts::stage::value;
use crate::model::InstructionKind;
use crate::rules::buildkit::edits::is_exact;
use crate::rules::buildkit::port::Port;
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::text::{Local, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "ExposeInvalidFormat",
    group: Group::Correctness,
    severity: Severity::Warning,
    on: true,
    also: &["expose-invalid-format"],
    doc: r##"
EXPOSE names an address or a port of the host, which it cannot bind.

Only the container's port is kept, the rest is thrown away; a later BuildKit will reject it. Ports of the host are given when
the container is started: `docker run --publish 8080:80`.

```dockerfile
FROM nginx:1.29-alpine
EXPOSE 8080:80
```

The container's port alone:

```dockerfile
FROM nginx:1.29-alpine
EXPOSE 80
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for stage in &ctx.file.stages {
        for placed in &stage.instructions {
            let instruction = &*placed.instruction;
            let InstructionKind::Expose(words) = &instruction.kind else { continue };
            for word in words.iter().filter(|word| word.text.contains([':', '$'])) {
                let Some(text) = value(stage, placed, &word.text, instruction.frame.escape) else { continue };
                let Some(port) = Port::parse(&text).filter(|port| port.has_host(&text)) else { continue };
                let message =
                    format!("EXPOSE instruction should not define an IP address or host-port mapping, found '{text}'");
                let mut finding = Finding::new(&RULE, placed.range(word.range), message);
                let start = word.range.start as usize;
                let host = Local::new(start + port.host.start, start + port.host.end);
                let exact = text == word.text && is_exact(instruction, word.range, &text);
                finding.fix = exact.then(|| Fix {
                    title: "Keep the container's port".to_owned(),
                    safety: Safety::Safe,
                    edit: TextEdit::replace(placed.range(host), ""),
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
    fn the_word_is_to_blame() {
        check(
            &RULE,
            "FROM a\nEXPOSE 1 8080:80/tcp\n\
             #        ^^^^^^^^^^^ should not define an IP address or host-port mapping, found '8080:80/tcp'\n",
        );
        check(&RULE, "FROM a\nENV P=1:2\nEXPOSE $P\n#      ^^ '1:2'\n");
        check_no_fix(&RULE, "FROM a\nENV P=1:2\nEXPOSE $P\n");
    }

    #[test]
    fn a_port_alone_is_fine() {
        check(&RULE, "FROM a\nEXPOSE 80 81-90/udp\nARG P\nEXPOSE $P:80\n");
    }

    #[test]
    fn the_containers_port_stays() {
        check_fix(&RULE, Safety::Safe, "FROM a\nEXPOSE 8080:80 127.0.0.1:1:2/udp\n", "FROM a\nEXPOSE 80 2/udp\n");
    }
}

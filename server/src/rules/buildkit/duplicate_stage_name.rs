//! `DuplicateStageName`: two stages of one name.

use std::collections::HashMap;

use crate::rules::{Context, Finding, Group, Related, Rule, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "DuplicateStageName",
    group: Group::Correctness,
    severity: Severity::Error,
    on: true,
    also: &["duplicate-stage-name", "DL3024"],
    doc: r##"
Two stages have the same name.

Whoever names the stage further down, in `COPY --from` or with `--target`, gets the last of them. Names are compared without
regard to letter case.

```dockerfile
FROM golang:1.25 AS build
RUN go build -o /app ./cmd/app
FROM node:22 AS build
RUN npm run build
FROM scratch
COPY --from=build /app /app
CMD ["/app"]
```

A name of its own for each:

```dockerfile
FROM golang:1.25 AS server
RUN go build -o /app ./cmd/app
FROM node:22 AS pages
RUN npm run build
FROM scratch
COPY --from=server /app /app
CMD ["/app"]
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let mut first: HashMap<String, _> = HashMap::new();
    for stage in &ctx.file.stages {
        let Some(name) = &stage.name else { continue };
        let lower = name.text.to_lowercase();
        let range = stage.from.range(name.range);
        let Some(before) = first.get(&lower) else {
            first.insert(lower, range);
            continue;
        };
        let message = format!("duplicate stage name \"{lower}\", stage names should be unique");
        let mut finding = Finding::new(&RULE, range, message);
        finding.related.push(Related { range: *before, message: "the first stage of this name".to_owned() });
        acc.push(finding);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_no_fix};

    #[test]
    fn the_later_ones_are_to_blame() {
        check(
            &RULE,
            "FROM a AS b\nFROM c AS B\n#         ^ duplicate stage name \"b\", stage names should be unique\n\
             FROM d AS b\n#         ^ duplicate\nFROM e AS f\n",
        );
        check_no_fix(&RULE, "FROM a AS b\nFROM c AS b\n");
    }

    #[test]
    fn stages_without_a_name_have_none_in_common() {
        check(&RULE, "FROM a\nFROM a\n");
    }
}

//! `pip-cache-left`: pip's cache of downloads stays in a shipped layer.

use crate::facts::caches::{Cache, Left};
use crate::facts::installs::deed;
use crate::facts::run::Command;
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Severity};
use crate::text::TextEdit;

/// The rule.
pub static RULE: Rule = Rule {
    name: "pip-cache-left",
    group: Group::Size,
    severity: Severity::Warning,
    on: true,
    also: &["DL3042"],
    doc: r##"
pip's cache of downloads stays in the layer, beside the packages that were installed from it.

pip keeps the wheels it fetched and built below `~/.cache/pip`, though nothing in the image will ever ask for them again:
100 MB for numpy, pandas, scikit-learn and matplotlib.

```dockerfile
FROM python:3.12-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install -r requirements.txt
CMD ["python", "app.py"]
```

Without the cache:

```dockerfile
FROM python:3.12-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
CMD ["python", "app.py"]
```

A cache mount keeps it out of the layer too, and the next build finds it; then without the flag, which would switch it off:
`RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt`.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for at in ctx.final_runs() {
        let mut left = at.facts.left.iter().filter(|left| left.cache == Cache::Pip).peekable();
        if left.peek().is_none() || is_configured(ctx, &at) {
            continue;
        }
        for left in left {
            let Some(install) = at.facts.commands.get(left.command) else { continue };
            let message = format!("{} in this layer", left.cache.stays());
            let mut finding = Finding::new(&RULE, at.range(install), message);
            finding.fix = fix(ctx, &at, install, left);
            finding.assists.push("add-cache-mount");
            acc.push(finding);
        }
    }
}

/// Whether an earlier instruction of the chain writes, copies or sets pip's configuration, which may switch the cache off.
fn is_configured(ctx: &Context, at: &RunAt) -> bool {
    let names = ["pip.conf", "pip.ini", "pip config", "pip3 config", "PIP_CONFIG_FILE"];
    let mentions = |text: &str| names.iter().any(|name| text.contains(name));
    ctx.facts.final_chain.iter().filter_map(|idx| ctx.file.stages.get(*idx)).any(|stage| {
        let earlier = stage.instructions.iter().take_while(|placed| placed.at <= at.placed.at);
        earlier.into_iter().any(|placed| mentions(&placed.instruction.text))
    })
}

fn fix(ctx: &Context, at: &RunAt, install: &Command, left: &Left) -> Option<Fix> {
    // With `--cache-dir` the author wants a cache; the flag would take it away.
    if !left.usual {
        return None;
    }
    let verb = deed(install)?.word_range;
    let range = at.placed.range(verb);
    let edit = TextEdit::insert(range.end(), " --no-cache-dir");
    Some(Fix { title: "Install without the cache".to_owned(), safety: ctx.safety(), edit })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    fn check_silent(run: &str) {
        check(&RULE, &format!("FROM python:3.12-slim\n{run}\nCMD [\"python\", \"a.py\"]\n"));
    }

    #[test]
    fn every_install_is_to_blame() {
        check(
            &RULE,
            "FROM python:3.12-slim\n\
             RUN pip3 install -U pip && python3 -m pip install -r requirements.txt\n\
             #   ^^^^^^^^^^^^^^^^^^^ pip's cache of downloads stays in this layer\n\
             #                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ pip's cache\n\
             CMD [\"python\", \"a.py\"]\n",
        );
    }

    #[test]
    fn the_flag_switches_the_cache_off() {
        check_silent("RUN pip install --no-cache-dir a");
        check_silent("RUN pip --no-cache-dir install a");
        check_silent("RUN pip install --no-cache a");
    }

    #[test]
    fn the_variable_switches_the_cache_off_with_any_value() {
        check_silent("ENV PIP_NO_CACHE_DIR=1\nRUN pip install a");
        check_silent("ENV PIP_NO_CACHE_DIR=off\nRUN pip install a");
        check_silent("ARG PIP_NO_CACHE_DIR=false\nRUN pip install a");
        check_silent("RUN PIP_NO_CACHE_DIR=1 pip install a");
        check_silent("RUN export PIP_NO_CACHE_DIR=1 && pip install a");
    }

    #[test]
    fn the_variable_of_a_parent_stage_holds_too() {
        check(
            &RULE,
            "FROM python:3.12-slim AS base\nENV PIP_NO_CACHE_DIR=1\nFROM base\nRUN pip install a\nCMD [\"python\"]\n",
        );
    }

    #[test]
    fn a_configuration_may_switch_it_off() {
        check_silent("COPY pip.conf /etc/pip.conf\nRUN pip install a");
        check_silent("RUN pip config set global.no-cache-dir true\nRUN pip install a");
    }

    #[test]
    fn a_cache_that_is_removed_in_the_same_layer_is_not_in_it() {
        check_silent("RUN pip install a && rm -rf ~/.cache/pip");
        check_silent("RUN pip install a && rm -rf /root/.cache");
        check_silent("RUN pip install a && pip cache purge");
        check_silent("RUN pip install a && rm -rf ~/.cache/*");
    }

    #[test]
    fn a_mount_keeps_it_out_of_the_layer() {
        check_silent("RUN --mount=type=cache,target=/root/.cache/pip pip install a");
        check_silent("RUN --mount=type=cache,target=/root/.cache pip install a");
        check_silent("RUN --mount=type=cache,target=/var/pip pip install --cache-dir /var/pip a");
    }

    #[test]
    fn other_tools_have_rules_of_their_own() {
        check_silent("RUN pipx install a && pipenv install && uv pip install b");
    }

    #[test]
    fn what_is_not_fetched_is_not_kept() {
        check_silent("RUN pip install --no-index --find-links=/wheels a");
        check_silent("RUN --network=none pip install ./a.whl");
    }

    #[test]
    fn a_builder_is_not_shipped() {
        check(
            &RULE,
            "FROM python:3.12 AS b\nRUN pip wheel -w /w a\nFROM python:3.12-slim\nCOPY --from=b /w /w\nCMD [\"python\"]\n",
        );
    }

    #[test]
    fn the_flag_stands_behind_the_verb() {
        check_fix(
            &RULE,
            Safety::Safe,
            "FROM python:3.12-slim\nRUN pip install \\\n    a && pip install b\nCMD [\"python\"]\n",
            "FROM python:3.12-slim\nRUN pip install --no-cache-dir \\\n    a && pip install --no-cache-dir b\nCMD [\"python\"]\n",
        );
        check_no_fix(&RULE, "FROM python:3.12-slim\nRUN pip install --cache-dir /c a\nCMD [\"python\"]\n");
    }
}

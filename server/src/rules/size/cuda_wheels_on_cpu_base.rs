//! `cuda-wheels-on-cpu-base`: Python packages that bring CUDA, in an image that nothing says is for a GPU.

use crate::facts::installs::{Deed, Manager, Verb, deed, requirements};
use crate::facts::landing::{self, Landed};
use crate::facts::run::Command;
use crate::facts::stage::join;
use crate::facts::walk;
use crate::model::{Base, InstructionKind, Source};
use crate::rules::{Context, Finding, Group, Rule, RunAt, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "cuda-wheels-on-cpu-base",
    group: Group::Size,
    severity: Severity::Information,
    on: true,
    also: &[],
    doc: r##"
A Python package brings the libraries of CUDA, and nothing in the file says that the image is for a GPU.

The wheels of `torch` on PyPI need gigabytes of CUDA libraries on Linux; those for the CPU, from an index of their own, are
several times smaller (not measured here).

```dockerfile
FROM python:3.13-slim
RUN pip install --no-cache-dir torch
CMD ["python", "app.py"]
```

From the index for the CPU:

```dockerfile
FROM python:3.13-slim
RUN pip install --no-cache-dir torch --index-url https://download.pytorch.org/whl/cpu
CMD ["python", "app.py"]
```

Nothing is said where the base or any stage brings CUDA or ROCm, where the file speaks of NVIDIA, where an index or a `+cpu`
version is given, and on arm64, whose wheels are for the CPU.
There is no fix: the address hangs on the package and its version.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let mut for_gpu = None;
    for at in ctx.final_runs() {
        for (idx, command) in at.facts.commands.iter().enumerate().filter(|(_, it)| it.certain) {
            let Some(deed) = deed(command).filter(|it| is_install(it)) else { continue };
            let Some(name) = brings_cuda(ctx, &at, idx, command, &deed) else { continue };
            if chooses_an_index(&at, command) || *for_gpu.get_or_insert_with(|| is_for_gpu(ctx)) {
                continue;
            }
            let word = deed.words.iter().find(|it| it.value.as_deref().is_some_and(|it| it == name));
            let range = word.map_or(at.range(command), |word| at.placed.range(word.range));
            let name = name.split(['=', '<', '>', '~', '!', ';']).next().unwrap_or_default().trim();
            let cure =
                if is_torch(name) { "; the wheels of `--index-url` for the CPU are" } else { "; without they are" };
            let mut finding = Finding::new(
                &RULE,
                range,
                format!(
                    "`{name}` brings the libraries of CUDA, and nothing here is for a GPU{cure} several times smaller"
                ),
            );
            finding.cause = at.range(command);
            acc.push(finding);
        }
    }
}

fn is_install(deed: &Deed) -> bool {
    deed.verb == Verb::Install && matches!(deed.manager, Manager::Pip | Manager::Uv)
}

fn is_torch(name: &str) -> bool {
    matches!(name, "torch" | "torchvision" | "torchaudio")
}

/// Whether a requirement brings CUDA on x86-64.
fn is_cuda(requirement: &str) -> bool {
    let requirement = requirement.trim();
    let bare = requirement.split(['=', '<', '>', '~', '!', ';', ' ', '@']).next().unwrap_or_default();
    let bare = bare.to_ascii_lowercase();
    let name = bare.split('[').next().unwrap_or_default();
    let extra = |start: &str| {
        bare.split_once('[')
            .is_some_and(|(_, extras)| extras.split(',').any(|it| it.trim_end_matches(']').starts_with(start)))
    };
    let is_known = is_torch(name)
        || name == "tensorflow" && extra("and-cuda")
        || name == "jax" && extra("cuda")
        || name.starts_with("cupy-cuda")
        || name == "onnxruntime-gpu";
    // A marker may leave it out; a local version or an address says which wheel is meant.
    is_known && !requirement.contains(['+', ';', '@', '/'])
}

/// The requirement of this install that brings CUDA.
fn brings_cuda<'a>(ctx: &'a Context, at: &RunAt, idx: usize, command: &'a Command, deed: &'a Deed) -> Option<&'a str> {
    let named = deed.words.iter().filter_map(|it| it.value.as_deref()).find(|it| is_cuda(it));
    if named.is_some() {
        return named;
    }
    let directory = at.facts.directories.get(idx)?.as_deref().or(Some("/"));
    for file in requirements(command).into_iter().flatten() {
        let path = join(directory, file)?;
        let states = walk::states(ctx.file, at.stage_idx, "/");
        let before = states.get(..at.idx)?;
        let Landed::File(found) = landing::landed(ctx.file, at.stage, before, ctx.context, &path) else { continue };
        let text = ctx.context.text(&found)?;
        if text
            .lines()
            .any(|line| line.trim_start().starts_with("--") && line.contains("index-url") || line.contains("+cpu"))
        {
            return None;
        }
        if let Some(line) =
            text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).find(|it| is_cuda(it))
        {
            return Some(line);
        }
    }
    None
}

/// Whether the command or the environment says where wheels come from.
fn chooses_an_index(at: &RunAt, command: &Command) -> bool {
    let options = [
        "--index-url",
        "-i",
        "--extra-index-url",
        "--find-links",
        "-f",
        "--index",
        "--default-index",
        "--no-index",
        "--torch-backend",
        "--no-deps",
    ];
    let names =
        ["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_INDEX", "UV_TORCH_BACKEND", "UV_INDEX_URL"];
    command.has(&options)
        || command.values().any(|it| it.contains("+cpu"))
        || names.iter().any(|name| at.placed.instruction.text.contains(name))
        || names.iter().any(|name| at.stage.scope.get_at(name, at.placed.at).is_some())
}

/// Whether anything in the file speaks of a GPU or chooses wheels, or the platform has none with CUDA.
fn is_for_gpu(ctx: &Context) -> bool {
    if ctx.config.platform.to_string().contains("arm") {
        return true;
    }
    let words = ["nvidia", "cuda", "rocm", "gpu", "tensorrt"];
    let speaks = |text: &str| {
        let text = text.to_ascii_lowercase();
        words.iter().any(|word| text.contains(word))
    };
    let image = |text: &str| speaks(text) || text.contains("pytorch");
    let known = |stage: &crate::model::Stage| match &stage.base {
        Base::Image(it) => image(&it.text) || ctx.images.traits(it).is_none(),
        Base::Unknown(_) => true,
        Base::Stage(_) | Base::Scratch => {
            stage.sources.iter().any(|(_, it)| matches!(it, Source::Image(it) if image(&it.text)))
        }
    };
    let own = |placed: &crate::model::Placed| match &placed.instruction.kind {
        // The package itself has such words in its name. A wheel for the CPU serves what is installed beside it too.
        InstructionKind::Run(_) => {
            let text = placed.instruction.text.to_ascii_lowercase();
            ["nvidia", "download.pytorch.org", "whl/cpu", "+cpu"].iter().any(|word| text.contains(word))
        }
        _ => speaks(&placed.instruction.text),
    };
    ctx.file.stages.iter().any(|stage| known(stage) || stage.instructions.iter().any(own)) || {
        ctx.file.comments.iter()
    }
    .any(|it| ctx.file.text.get(std::ops::Range::<usize>::from(*it)).is_some_and(speaks))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_no_fix};

    fn check_silent(image: &str, body: &str) {
        check(&RULE, &format!("FROM {image}\n{body}\nCMD [\"python\", \"a.py\"]\n"));
    }

    #[test]
    fn the_package_is_to_blame() {
        check(
            &RULE,
            "FROM python:3.13-slim\n\
             RUN pip install --no-cache-dir flask torch==2.5.1\n\
             #                                    ^^^^^^^^^^^^ `torch` brings the libraries of CUDA\n\
             RUN uv pip install 'jax[cuda12]'\n\
             #                  ^^^^^^^^^^^^^ `jax[cuda12]` brings\n\
             CMD [\"python\", \"a.py\"]\n",
        );
    }

    #[test]
    fn a_file_of_requirements_that_is_known_is_read() {
        let file = |requirements: &str| {
            format!(
                "FROM python:3.13-slim\nCOPY r.txt .\nRUN pip install -r r.txt\n{{}}CMD [\"python\", \"a.py\"]\n#- r.txt\n{requirements}\n"
            )
        };
        check(&RULE, &file("flask\ntorch>=2 # models").replace("{}", "#   ^^^^^^^^^^^^^^^^^^^^ `torch` brings\n"));
        check(&RULE, &file("flask").replace("{}", ""));
        check(&RULE, &file("--extra-index-url https://a.example/whl/cpu\ntorch").replace("{}", ""));
        check(&RULE, &file("torch==2.5.1+cpu").replace("{}", ""));
    }

    #[test]
    fn requirements_that_are_not_known_are_not_judged() {
        check_silent("python:3.13-slim", "RUN pip install -r requirements.txt");
    }

    #[test]
    fn who_chooses_an_index_or_a_wheel_has_thought_of_it() {
        check_silent("python:3.13-slim", "RUN pip install torch --index-url https://a.example/whl/cpu");
        check_silent("python:3.13-slim", "RUN pip install torch -f https://a.example/whl/cpu");
        check_silent("python:3.13-slim", "RUN pip install torch==2.5.1+cpu");
        check_silent("python:3.13-slim", "ENV PIP_EXTRA_INDEX_URL=https://a.example\nRUN pip install torch");
        check_silent(
            "python:3.13-slim",
            "RUN pip install https://download.pytorch.org/whl/cpu/torch-2.whl && pip install torchvision",
        );
        check_silent("python:3.13-slim", "RUN pip install tensorflow jax onnxruntime");
    }

    #[test]
    fn a_base_with_cuda_is_for_a_gpu() {
        check_silent("nvidia/cuda:12.4.1-runtime-ubuntu22.04", "RUN pip install torch");
        check_silent("pytorch/pytorch:2.5.1", "RUN pip install torch");
        check_silent("rocm/dev-ubuntu-22.04", "RUN pip install torch");
        check_silent("example.com/base", "RUN pip install torch");
    }

    #[test]
    fn who_speaks_of_a_gpu_has_one() {
        check_silent("python:3.13-slim", "ENV NVIDIA_VISIBLE_DEVICES=all\nRUN pip install torch");
        check_silent("python:3.13-slim", "LABEL usage=\"docker run --gpus all\"\nRUN pip install torch");
        check_silent("python:3.13-slim", "# Needs a GPU.\nRUN pip install torch");
    }

    #[test]
    fn wheels_for_arm_have_no_cuda() {
        check(
            &RULE,
            "FROM python:3.13-slim\nRUN pip install torch\nCMD [\"python\", \"a.py\"]\n#- plimsoll.toml\nplatform = \"linux/arm64\"\n",
        );
    }

    #[test]
    fn a_builder_is_not_shipped() {
        check(
            &RULE,
            "FROM python:3.13 AS b\nRUN pip install torch\nFROM python:3.13-slim\nCOPY --from=b /a /a\nCMD [\"python\", \"a.py\"]\n",
        );
    }

    #[test]
    fn the_address_of_the_index_is_for_a_person_to_choose() {
        check_no_fix(&RULE, "FROM python:3.13-slim\nRUN pip install torch\nCMD [\"python\", \"a.py\"]\n");
    }
}

//! `size --image` and `--archive`: the layers of a built image instead of estimates, and what the image wastes.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Error, Result, anyhow, bail};
use clap::Args;
use serde::Serialize;

use crate::analysis::{Analysis, Inputs};
use crate::cli::read::{Job, Opened};
use crate::engine;
use crate::measured::lay::{base_image, lay};
use crate::measured::waste::{Waste, WastedFile};
use crate::weight::Size;

/// How many wasted files are shown to people.
const SHOWN: usize = 10;

/// Where the image is.
#[derive(Debug, Args)]
pub(crate) struct Built {
    /// Measure the layers of this image, which was built from the Dockerfile, with a Docker Engine or Podman
    #[arg(long, value_name = "REF", conflicts_with = "archive")]
    image: Option<String>,
    /// Measure the layers of an image in a `docker save` or OCI archive, or in the folder of an OCI layout
    #[arg(long, value_name = "FILE")]
    archive: Option<PathBuf>,
}

impl Built {
    /// Fails if one image should be laid on several files.
    pub(super) fn check(&self, jobs: &[Result<Job, (String, Error)>]) -> Result<()> {
        let option = match (&self.image, &self.archive) {
            (Some(_), _) => "--image",
            (None, Some(_)) => "--archive",
            (None, None) => return Ok(()),
        };
        if jobs.len() > 1 {
            bail!("{option} measures one Dockerfile, and there are {}: name it", jobs.len());
        }
        Ok(())
    }
}

/// What came of measuring.
#[derive(Debug)]
pub(super) struct Taken {
    /// What the image wastes.
    pub(super) waste: Waste,
    /// What deserves a look.
    pub(super) warnings: Vec<String>,
}

/// Analyses a file again with the image's layers, if one was asked for.
pub(super) fn measure(options: &Built, opened: &mut Opened) -> Result<Option<Taken>> {
    let Analysis { inputs, file, facts, .. } = &opened.analysis;
    if options.image.is_none() && options.archive.is_none() {
        return Ok(None);
    }
    let Some(target) = facts.target else { bail!("there is no stage that could have made an image") };
    let (image, base) = match (&options.image, &options.archive) {
        (Some(name), _) => {
            let socket = socket(inputs.config.engine_socket.as_deref())?;
            let image = engine::export(&socket, name, &inputs.config.platform)?;
            // An engine that built on it mostly still has it.
            (image, base_image(file, target).and_then(|base| engine::history(&socket, base).ok()))
        }
        (None, Some(path)) => (engine::read(path, &inputs.config.platform)?, None),
        (None, None) => return Ok(None),
    };
    let name = &image.built.name;
    let measured = lay(&image.built, file, target, base.as_ref()).map_err(|misfit| anyhow!("{name}: {misfit}"))?;
    let warning = |line: &u32| format!("line {line} is not what {name} was built from: its weight is an estimate");
    let warnings = measured.changed.iter().map(warning).collect();
    let inputs = Inputs { measured: Some(Arc::new(measured)), ..inputs.clone() };
    opened.analysis = Analysis::of(inputs, Some(&opened.analysis));
    Ok(Some(Taken { waste: image.waste, warnings }))
}

/// The socket to ask: of the settings, else of `DOCKER_HOST`, else the first of the usual ones that is there.
fn socket(setting: Option<&str>) -> Result<String> {
    if let Some(socket) = setting {
        return Ok(socket.to_owned());
    }
    if let Ok(host) = std::env::var("DOCKER_HOST")
        && !host.is_empty()
    {
        let Some(socket) = host.strip_prefix("unix://") else {
            bail!("DOCKER_HOST is {host}, which is no Unix socket; `docker save` and --archive do without");
        };
        return Ok(socket.to_owned());
    }
    let mut usual = vec!["/var/run/docker.sock".to_owned()];
    usual.extend(std::env::var("XDG_RUNTIME_DIR").ok().map(|folder| format!("{folder}/podman/podman.sock")));
    usual.push("/run/podman/podman.sock".to_owned());
    let found = usual.iter().find(|socket| std::path::Path::new(socket).exists()).cloned();
    found.ok_or_else(|| {
        anyhow!("there is no engine at {}: set engine.socket or DOCKER_HOST, or use --archive", usual.join(", "))
    })
}

/// The waste, for scripts.
#[derive(Debug, Serialize)]
pub(super) struct JsonImage {
    efficiency: f64,
    wasted: u64,
    wasted_files: Vec<JsonWasted>,
}

#[derive(Debug, Serialize)]
struct JsonWasted {
    path: String,
    bytes: u64,
    layers: Vec<usize>,
}

impl JsonImage {
    pub(super) fn of(waste: &Waste) -> JsonImage {
        let file =
            |file: &WastedFile| JsonWasted { path: file.path.clone(), bytes: file.bytes, layers: file.layers.clone() };
        JsonImage {
            // Four digits behind the point are more than anyone needs, and the same everywhere.
            efficiency: (waste.efficiency * 10_000.0).round() / 10_000.0,
            wasted: waste.wasted,
            wasted_files: waste.files.iter().map(file).collect(),
        }
    }
}

/// The waste, for people.
pub(super) fn text(waste: &Waste) -> String {
    let mut res = String::new();
    let percent = (waste.efficiency * 1000.0).floor() / 10.0;
    if waste.wasted == 0 {
        let _ = writeln!(res, "\n  nothing is wasted: every file in the layers is seen in the image");
        return res;
    }
    let _ = writeln!(
        res,
        "\n  wasted {}, efficiency {percent} %: files that a later layer replaced or removed",
        Size(waste.wasted)
    );
    for file in waste.files.iter().take(SHOWN) {
        let layers: Vec<String> = file.layers.iter().map(usize::to_string).collect();
        let path: String = file.path.chars().map(|it| if it.is_control() { '?' } else { it }).collect();
        let _ = writeln!(res, "  {:>14}  {path}  (layers {})", Size(file.bytes).to_string(), layers.join(", "));
    }
    if let Some(more) = waste.files.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(res, "  {:>14}  and {more} more", "");
    }
    res
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::{Waste, WastedFile, text};

    fn file(path: &str, bytes: u64) -> WastedFile {
        WastedFile { path: path.to_owned(), bytes, layers: vec![2, 5] }
    }

    #[test]
    fn ten_wasted_files_are_shown() {
        let mut files = vec![file("/a\u{1b}b", 12_000_000)];
        files.extend((0..11).map(|number| file(&format!("/{number}"), 10)));
        let waste = Waste { efficiency: 0.98765, wasted: 12_000_110, files };
        let shown = |waste: &Waste| format!("the table{}", text(waste));
        expect![[r#"
            the table
              wasted 12.0 MB, efficiency 98.7 %: files that a later layer replaced or removed
                     12.0 MB  /a?b  (layers 2, 5)
                        10 B  /0  (layers 2, 5)
                        10 B  /1  (layers 2, 5)
                        10 B  /2  (layers 2, 5)
                        10 B  /3  (layers 2, 5)
                        10 B  /4  (layers 2, 5)
                        10 B  /5  (layers 2, 5)
                        10 B  /6  (layers 2, 5)
                        10 B  /7  (layers 2, 5)
                        10 B  /8  (layers 2, 5)
                              and 2 more
        "#]]
        .assert_eq(&shown(&waste));
        let nothing = Waste { efficiency: 1.0, wasted: 0, files: Vec::new() };
        expect![[r#"
            the table
              nothing is wasted: every file in the layers is seen in the image
        "#]]
        .assert_eq(&shown(&nothing));
    }
}

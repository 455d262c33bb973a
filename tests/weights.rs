//! Estimated against measured: Dockerfiles of `tests/weights` built by a real Docker Engine, every layer of theirs beside what
//! the estimator says of it.
//!
//! What Docker says of a layer (`docker history`) is the sum of its files' bytes. The bases are stand-ins that hold other
//! packages than the official images; which ones is given to the estimator as an install before the first instruction.

mod engine;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use engine::{Engine, engine};
use plimsoll::analysis::Inputs;
use plimsoll::disk::analyse;
use plimsoll::disk::walks::Walks;
use plimsoll::images::ImageBook;
use plimsoll::model::Base;
use plimsoll::packages::apt_closure;
use plimsoll::size::LayerSize;

/// The stand-in bases that the Dockerfiles are built on.
const BASES: [&str; 3] = ["debian", "node", "python"];

/// A layer of a stage.
struct Compared {
    folder: String,
    stage: usize,
    instruction: String,
    estimated: LayerSize,
    measured: u64,
}

impl Compared {
    /// Whether nothing but Debian packages is in it.
    fn is_apt(&self) -> bool {
        let words: Vec<&str> = self.estimated.why.split(' ').collect();
        !self.estimated.incomplete && matches!(words[..], [_, "package" | "packages"])
    }

    fn is_within(&self) -> Option<bool> {
        let adds = self.estimated.adds.as_ref().filter(|_| !self.estimated.incomplete)?;
        Some((adds.low.0..=adds.high.0).contains(&self.measured))
    }

    fn line(&self) -> String {
        let Compared { folder, stage, instruction, measured, estimated } = self;
        let mb = |bytes: u64| format!("{:.3}", bytes as f64 / 1e6);
        let figures = match &estimated.adds {
            Some(adds) => {
                let at_least = if estimated.incomplete { "at least " } else { "" };
                format!("{at_least}{} {} {}", mb(adds.low.0), mb(adds.likely.0), mb(adds.high.0))
            }
            None => "unknown".to_owned(),
        };
        format!("{folder} {stage} | {} | {figures} | {instruction} | {}", mb(*measured), estimated.why)
    }
}

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/weights");
    let mut res: Vec<PathBuf> =
        fs::read_dir(root).expect("the folder is there").map(|entry| entry.expect("an entry").path()).collect();
    res.sort();
    res
}

/// The Debian packages of the images that were asked, as far as the table has them.
#[derive(Default)]
struct Packages(Mutex<BTreeMap<String, String>>);

impl Packages {
    fn of(&self, engine: &Engine, image: &str) -> String {
        let mut known = self.0.lock().expect("no test has failed");
        let ask = || {
            let listed =
                engine.docker(&["run", "--rm", "--network", "none", image, "dpkg-query", "-W", "-f", "${Package} "]);
            let in_table = |name: &&str| apt_closure(&[name], false).unknown.is_empty();
            listed.split_whitespace().filter(in_table).collect::<Vec<_>>().join(" ")
        };
        known.entry(image.to_owned()).or_insert_with(ask).clone()
    }
}

/// What `docker history` says of the layers that an image has above its base, for the instructions that may bring files.
fn measured(engine: &Engine, image: &str, base: &str) -> Vec<(String, u64)> {
    let history = |image: &str| {
        let lines =
            engine.docker(&["history", "--no-trunc", "--human=false", "--format", "{{.Size}}\t{{.CreatedBy}}", image]);
        let lines: Vec<String> = lines.lines().rev().map(str::to_owned).collect();
        lines
    };
    let below = history(base).len();
    let all = history(image);
    let own = all.get(below..).expect("an image has more layers than its base");
    let brings = |line: &&String| {
        line.split('\t').nth(1).is_some_and(|text| ["RUN ", "COPY ", "ADD "].iter().any(|it| text.starts_with(it)))
    };
    own.iter()
        .filter(brings)
        .map(|line| {
            let (size, text) = line.split_once('\t').expect("two columns");
            (text.replace("/bin/sh -c ", "").chars().take(60).collect(), size.parse().expect("a size"))
        })
        .collect()
}

fn compared(engine: &Engine, folder: &Path, packages: &Packages) -> Vec<Compared> {
    let dockerfile = folder.join("Dockerfile");
    let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
    let text = fs::read_to_string(&dockerfile).expect("the Dockerfile");
    let mut told = String::new();
    let mut bases = Vec::new();
    for line in text.lines() {
        told.push_str(line);
        told.push('\n');
        if let Some(base) = line.strip_prefix("FROM ").and_then(|rest| rest.split(' ').next()) {
            bases.push(base.to_owned());
            let packages = packages.of(engine, base);
            told.push_str(&format!("RUN apt-get install -y --no-install-recommends {packages}\n"));
        }
    }
    let inputs = Inputs { text: told.into(), images: Arc::new(ImageBook::embedded()), ..Inputs::default() };
    let analysis = analyse::analyse(Some(&dockerfile), inputs, &Walks::default());
    let mut res = Vec::new();
    for (idx, stage) in analysis.file.stages.iter().enumerate() {
        assert!(matches!(stage.base, Base::Image(_)), "{name}: the stages stand on images");
        let tag = format!("weights/{name}:{idx}");
        let stage_name = stage.name.as_ref().map(|name| name.text.clone());
        let target: Vec<&str> = stage_name.iter().flat_map(|name| ["--target", name.as_str()]).collect();
        engine.build_with(&text, folder, &tag, &target);
        let measured = measured(engine, &tag, &bases[idx]);
        let size = &analysis.size.stages[idx];
        // The first one tells what the base has.
        let estimated: Vec<&LayerSize> = size.layers.iter().skip(1).collect();
        assert_eq!(measured.len(), estimated.len(), "{name}: every layer is estimated");
        for ((instruction, measured), estimated) in measured.into_iter().zip(estimated) {
            let (folder, estimated) = (name.clone(), estimated.clone());
            res.push(Compared { folder, stage: idx, instruction, estimated, measured });
        }
    }
    res
}

#[test]
fn what_layers_are_estimated_to_weigh_is_what_they_weigh() {
    let Some(engine) = engine() else { return };
    BASES.iter().for_each(|base| engine.base(base));
    let packages = Packages::default();
    let folders = folders();
    let next = AtomicUsize::new(0);
    // Two at a time: one unpacks while the other fetches.
    let work = || {
        let mut res = Vec::new();
        while let Some(folder) = folders.get(next.fetch_add(1, Ordering::Relaxed)) {
            res.extend(compared(engine, folder, &packages));
        }
        res
    };
    let mut all: Vec<Compared> = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let mut res = work();
        res.extend(other.join().expect("every Dockerfile builds"));
        res
    });
    all.sort_by(|one, other| one.folder.cmp(&other.folder));
    let mut said = String::from("MB: measured | low likely high\n");
    for layer in &all {
        said.push_str(&layer.line());
        said.push('\n');
    }
    let apt: Vec<&Compared> = all.iter().filter(|layer| layer.is_apt()).collect();
    let mut errors: Vec<f64> = apt
        .iter()
        .filter_map(|layer| {
            Some(layer.estimated.adds.as_ref()?.likely.0.abs_diff(layer.measured) as f64 / layer.measured as f64)
        })
        .collect();
    errors.sort_by(f64::total_cmp);
    let known: Vec<bool> = all.iter().filter_map(Compared::is_within).collect();
    let within = known.iter().filter(|it| **it).count();
    let median = errors.get(errors.len() / 2).copied().unwrap_or(1.0);
    said.push_str(&format!(
        "{} layers, {} with a figure, {within} of these between low and high; {} of apt, median error {:.1} %\n",
        all.len(),
        known.len(),
        errors.len(),
        median * 100.0
    ));
    let _ = std::io::stderr().write_all(said.as_bytes());
    assert!(errors.len() >= 8, "there are layers of packages: {said}");
    assert!(median <= 0.10, "{said}");
    for layer in apt {
        let adds = layer.estimated.adds.as_ref().expect("it is known");
        assert!(adds.high.0 <= adds.low.0 * 2, "the band is no wider than a factor of two: {}", layer.line());
    }
    assert!(within * 100 >= known.len() * 80, "{said}");
    assert!(known.len() * 100 >= all.len() * 80, "most layers have a figure: {said}");
}

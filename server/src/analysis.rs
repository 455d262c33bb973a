//! The only door to the core: text and data in, findings, actions, sizes and hovers out.

pub mod fixing;

use std::cell::OnceCell;
use std::sync::Arc;

use crate::assists::{self, Offer};
use crate::config::Config;
use crate::context::BuildContext;
use crate::date::Date;
use crate::ecosystems;
use crate::facts::Facts;
use crate::features::hover::{self, Hover};
use crate::features::inlay::{self, Inlay};
use crate::features::lens::{self, Lens};
use crate::images::ImageBook;
use crate::lower::{self, Build};
use crate::measured::Measured;
use crate::model::{Base, File, ImageRef, Platform};
use crate::rules::{self, Context, Finding};
use crate::size::budget::{self, Excess};
use crate::size::{self, BuildSize, Evidence};
use crate::text::{TextRange, TextSize};
use crate::weight::Size;

/// All that an analysis depends on.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The text of the Dockerfile.
    pub text: Arc<str>,
    /// The settings.
    pub config: Arc<Config>,
    /// What lies beside it.
    pub context: Arc<BuildContext>,
    /// What is known about images.
    pub images: Arc<ImageBook>,
    /// The day of the check.
    pub today: Option<Date>,
    /// What the layers of a built image weighed, if one was measured.
    pub measured: Option<Arc<Measured>>,
}

/// What the core makes of a Dockerfile.
#[derive(Debug)]
pub struct Analysis {
    /// What it was made from.
    pub inputs: Inputs,
    /// The typed model.
    pub file: File,
    /// Shared facts.
    pub facts: Facts,
    /// Weights.
    pub size: BuildSize,
    /// All findings in the order of the text; those that a stronger one replaces are marked.
    pub findings: Vec<Finding>,
}

impl Analysis {
    /// Analyses a text. Instructions that `before` holds with the same text and frame are taken from it.
    pub fn of(inputs: Inputs, before: Option<&Analysis>) -> Analysis {
        let config = &inputs.config;
        let build = Build { arguments: Some(&config.build_args), platform: config.platform.clone() };
        let file = lower::file(Arc::clone(&inputs.text), &build, before.map(|before| &before.file));
        let facts = Facts::of(&file, config);
        let size = size::estimate(&Evidence {
            file: &file,
            facts: &facts,
            context: &inputs.context,
            images: &inputs.images,
            platform: &config.platform,
            measured: inputs.measured.as_deref(),
        });
        let findings = rules::check(&Context {
            file: &file,
            facts: &facts,
            size: &size,
            config,
            context: &inputs.context,
            images: &inputs.images,
            today: inputs.today,
            start: OnceCell::new(),
        });
        Analysis { inputs, file, facts, size, findings }
    }

    /// The findings to show: those that no comment allows and no stronger one of the same cause replaces.
    pub fn shown(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.speaks())
    }

    /// What the assists say about a place (empty range: the cursor), by the order of CLI.md's list.
    pub fn assists(&self, range: TextRange) -> Vec<Offer> {
        assists::offers(&self.context(), range)
    }

    /// What the assist of this id says about a place.
    pub fn assists_of(&self, id: &str, range: TextRange) -> Vec<Offer> {
        assists::offers_of(&self.context(), id, range)
    }

    /// Markdown for the thing at this offset, and its range.
    pub fn hover(&self, offset: TextSize) -> Option<Hover> {
        hover::hover(&self.context(), offset)
    }

    /// What instructions weigh, as hints behind those that end in this range; with `stages` also what each stage weighs, for
    /// editors that show no lenses.
    pub fn inlays(&self, range: TextRange, stages: bool) -> Vec<Inlay> {
        inlay::inlays(&self.context(), range, stages)
    }

    /// What each stage weighs, as a line above its FROM.
    pub fn lenses(&self) -> Vec<Lens> {
        lens::lenses(&self.context())
    }

    /// The stages that weigh more than the settings allow.
    pub fn excesses(&self) -> Vec<Excess> {
        budget::excesses(&self.file, &self.facts, &self.size, &self.inputs.config)
    }

    /// What a stage may weigh by the settings, unpacked.
    pub fn budget(&self, stage: usize) -> Option<Size> {
        budget::of_stage(&self.file, &self.facts, &self.inputs.config, stage)
    }

    /// The stage that the settings name as target where the file has stages and none is that one; the last is taken then.
    pub fn unknown_target(&self) -> Option<&str> {
        let name = self.inputs.config.target.as_deref()?;
        let n_stages = self.file.stages.len();
        let is_number = || name.parse::<usize>().is_ok_and(|idx| idx < n_stages);
        let is_known = n_stages == 0 || self.file.stage_named(name).is_some() || is_number();
        (!is_known).then_some(name)
    }

    /// The images that stages are built on, each with its platform, none twice: the edge may ask registries for them and
    /// analyse again.
    pub fn base_images(&self) -> Vec<(&ImageRef, &Platform)> {
        let mut res = Vec::new();
        for stage in &self.file.stages {
            let Base::Image(image) = &stage.base else { continue };
            let platform = stage.platform.as_ref().unwrap_or(&self.inputs.config.platform);
            if !res.contains(&(image, platform)) {
                res.push((image, platform));
            }
        }
        res
    }

    fn context(&self) -> Context<'_> {
        Context {
            file: &self.file,
            facts: &self.facts,
            size: &self.size,
            config: &self.inputs.config,
            context: &self.inputs.context,
            images: &self.inputs.images,
            today: self.inputs.today,
            start: OnceCell::new(),
        }
    }

    /// Files of the build context whose text the analysis would use and does not have, relative to the context.
    pub fn wanted_files(&self) -> Vec<String> {
        let evidence = ecosystems::Evidence {
            file: &self.file,
            facts: &self.facts,
            config: &self.inputs.config,
            context: &self.inputs.context,
            images: &self.inputs.images,
            reads_sources: true,
        };
        let mut res = ecosystems::wanted_files(&evidence);
        let of_rules = rules::wanted::files(&self.context());
        res.extend(of_rules.into_iter().filter(|path| !res.contains(path)).collect::<Vec<_>>());
        res.retain(|path| !self.inputs.context.texts.contains_key(path));
        res
    }
}

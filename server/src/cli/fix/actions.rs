//! One action, carried out at a place or at every place where it is possible.

use std::sync::Arc;

use crate::analysis::fixing::MOST_ROUNDS;
use crate::analysis::{Analysis, Inputs};
use crate::assists::{Assist, Offer, OtherFile, Refusal};
use crate::cli::fix::{Applied, Fixed};
use crate::cli::names::nearest;
use crate::cli::render::places::Lines;
use crate::context::BuildContext;
use crate::disk::analyse;
use crate::text::{TextRange, TextSize};

/// An action of CLI.md.
#[derive(Debug)]
struct Action {
    id: &'static str,
    /// The first is taken if none is asked for; without any, the one that the action prefers.
    default: Option<&'static str>,
    variants: &'static [&'static str],
    scope: Scope,
}

/// Where an action is tried if no place is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// At every instruction.
    Instructions,
    /// On the stage that is built, once.
    Target,
}

static ACTIONS: &[Action] = &[
    Action {
        id: "merge-runs",
        default: Some("plain"),
        variants: &["plain", "heredoc", "hoist"],
        scope: Scope::Instructions,
    },
    Action { id: "merge-runs-clean", default: None, variants: &[], scope: Scope::Instructions },
    Action { id: "split-run", default: None, variants: &[], scope: Scope::Instructions },
    Action {
        id: "multi-stage",
        default: None,
        variants: &["tree", "venv", "artefact", "lean", "static", "scratch", "packages", "served"],
        scope: Scope::Target,
    },
    Action { id: "write-dockerignore", default: None, variants: &[], scope: Scope::Instructions },
];

/// Whether there is an action of this id: rules also name those that are still to come.
pub(crate) fn is_known(id: &str) -> bool {
    ACTIONS.iter().any(|action| action.id == id)
}

/// An action that was asked for by name.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    action: &'static Action,
    variant: Option<&'static str>,
}

impl Asked {
    /// Reads `ID[=VARIANT]`.
    pub(super) fn parse(text: &str) -> Result<Asked, String> {
        let (id, variant) = match text.split_once('=') {
            Some((id, variant)) => (id, Some(variant)),
            None => (text, None),
        };
        let ids: Vec<&str> = ACTIONS.iter().map(|action| action.id).collect();
        let Some(action) = ACTIONS.iter().find(|action| action.id == id) else {
            return Err(format!("unknown action `{id}`{}; there are {}", nearest(id, &ids), ids.join(", ")));
        };
        let Some(variant) = variant else { return Ok(Asked { action, variant: None }) };
        match action.variants.iter().find(|known| **known == variant) {
            Some(known) => Ok(Asked { action, variant: Some(known) }),
            None => Err(format!("{id} has no variant `{variant}`; there are {}", action.variants.join(", "))),
        }
    }

    /// The offer that is meant, of all that are made at a place.
    fn choose<'a>(&self, offers: &'a [Offer]) -> Option<&'a Assist> {
        let assists = || {
            offers.iter().filter_map(|offer| match offer {
                Offer::Assist(assist) => Some(assist).filter(|assist| assist.id == self.action.id),
                Offer::Refusal(_) => None,
            })
        };
        match (self.variant, self.action.default) {
            (Some(variant), _) => assists().find(|it| it.variant == Some(variant)),
            // Where the default is not possible, the one that is preferred there.
            (None, Some(default)) => assists()
                .find(|it| it.variant.is_none_or(|variant| variant == default))
                .or_else(|| assists().find(|it| it.preferred)),
            (None, None) => assists().find(|it| it.preferred).or_else(|| assists().next()),
        }
    }

    /// The refusals that answer what was asked.
    fn refusals<'a>(&self, offers: &'a [Offer]) -> impl Iterator<Item = &'a Refusal> {
        let wanted = self.variant.or(self.action.default);
        offers.iter().filter_map(move |offer| match offer {
            Offer::Assist(_) => None,
            Offer::Refusal(refusal) => {
                let is_meant = wanted.is_none() || refusal.variant.is_none() || refusal.variant == wanted;
                (refusal.id == self.action.id && is_meant).then_some(refusal)
            }
        })
    }
}

/// Carries it out from left to right, at each place once, until nothing changes; in `region` alone if there is one.
pub(super) fn carry_out(analysis: Analysis, asked: &Asked, region: Option<TextRange>) -> Fixed {
    with_offers(analysis, asked, region, &|analysis, place| analysis.assists_of(asked.action.id, place))
}

/// What the assists say about a place.
type Offers<'a> = &'a dyn Fn(&Analysis, TextRange) -> Vec<Offer>;

fn with_offers(analysis: Analysis, asked: &Asked, region: Option<TextRange>, offers: Offers<'_>) -> Fixed {
    let before = Arc::clone(&analysis.inputs.text);
    let mut analysis = analysis;
    let mut region = region;
    let mut applied = Vec::new();
    let mut others: Vec<(OtherFile, Applied)> = Vec::new();
    for _ in 0..MOST_ROUNDS {
        let mut from = TextSize::new(0);
        let n_before = applied.len() + others.len();
        // Each application takes something away; no file has more places than instructions.
        for _ in 0..analysis.file.instructions().count() {
            let Some(assist) = next(&analysis, asked, region, from, offers) else { break };
            if let Some(other) = &assist.other {
                others.push((OtherFile::clone(other), described(&assist, &analysis)));
                let context = BuildContext::clone(&analysis.inputs.context).with_ignore(&other.path, &other.after);
                let inputs = Inputs { context: Arc::new(context), ..analysis.inputs.clone() };
                analysis = analyse::in_rounds(inputs, Some(&analysis));
                continue;
            }
            applied.push(described(&assist, &analysis));
            if region.is_none() {
                let done = assist.edit.range().map_or(assist.target, |range| range.cover(assist.target));
                from = assist.edit.moved(done).end();
            }
            region = region.map(|region| assist.edit.moved(region));
            let text: Arc<str> = assist.edit.apply(&analysis.inputs.text).into();
            analysis = analyse::in_rounds(Inputs { text, ..analysis.inputs.clone() }, Some(&analysis));
            if asked.action.scope == Scope::Target {
                let text = analysis.inputs.text.to_string();
                return Fixed { text, applied, others, refused: Vec::new(), fault: None };
            }
        }
        if applied.len() + others.len() == n_before {
            let refused = refused(&analysis, asked, region, offers);
            return Fixed { text: analysis.inputs.text.to_string(), applied, others, refused, fault: None };
        }
    }
    let fault = format!(
        "{} does not come to an end after {MOST_ROUNDS} rounds; please report it. The file stays as it was",
        asked.action.id
    );
    let text = before.to_string();
    Fixed { text, applied: Vec::new(), others: Vec::new(), refused: Vec::new(), fault: Some(fault) }
}

/// The first place from an offset on where it is possible.
fn next(
    analysis: &Analysis,
    asked: &Asked,
    region: Option<TextRange>,
    from: TextSize,
    offers: Offers<'_>,
) -> Option<Assist> {
    places(analysis, asked, region).into_iter().filter(|place| place.end() >= from).find_map(|place| {
        let offers = offers(analysis, place);
        let assist = asked.choose(&offers)?;
        let is_new = assist.edit.range().is_some_and(|range| range.cover(assist.target).end() > from);
        let changes = is_new && assist.edit.apply(&analysis.inputs.text) != *analysis.inputs.text;
        (changes || assist.other.is_some()).then(|| assist.clone())
    })
}

/// Where it is asked for.
fn places(analysis: &Analysis, asked: &Asked, region: Option<TextRange>) -> Vec<TextRange> {
    if let Some(region) = region {
        return vec![region];
    }
    match asked.action.scope {
        Scope::Instructions => analysis.file.instructions().map(|placed| TextRange::empty(placed.at)).collect(),
        Scope::Target => {
            let stage = analysis.facts.target.and_then(|idx| analysis.file.stages.get(idx));
            stage.map(|stage| TextRange::empty(stage.from.at)).into_iter().collect()
        }
    }
}

/// What is refused where nothing can be done, each refusal once, with its line.
fn refused(analysis: &Analysis, asked: &Asked, region: Option<TextRange>, offers: Offers<'_>) -> Vec<(usize, Refusal)> {
    let lines = Lines::of(&analysis.inputs.text);
    let mut res: Vec<(usize, Refusal)> = Vec::new();
    // With all instructions of a stage selected, each group of them answers once.
    let stages = || analysis.file.stages.iter().map(|stage| stage.range).collect();
    let is_everywhere = region.is_none() && asked.action.scope == Scope::Instructions;
    for place in if is_everywhere { stages() } else { places(analysis, asked, region) } {
        let offers = offers(analysis, place);
        for refusal in asked.refusals(&offers) {
            if !res.iter().any(|(_, known)| known == refusal) {
                res.push((lines.line(refusal.target.start()), refusal.clone()));
            }
        }
    }
    res
}

fn described(assist: &Assist, analysis: &Analysis) -> Applied {
    Applied {
        id: assist.id,
        variant: assist.variant,
        title: assist.label.clone(),
        line: Lines::of(&analysis.inputs.text).line(assist.target.start()),
        doubts: assist.doubts.clone(),
        before: assist.before.clone(),
        after: assist.after.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Asked, with_offers};
    use crate::analysis::{Analysis, Inputs};
    use crate::assists::{Assist, Offer, Refusal};
    use crate::cli::fix::Fixed;
    use crate::config::Config;
    use crate::context::BuildContext;
    use crate::images::ImageBook;
    use crate::model::Placed;
    use crate::text::{TextEdit, TextRange, TextSize};

    fn analysis(text: &str) -> Analysis {
        let inputs = Inputs {
            text: text.into(),
            config: Arc::new(Config::default()),
            context: Arc::new(BuildContext::default()),
            images: Arc::new(ImageBook::default()),
            today: None,
            ..Inputs::default()
        };
        Analysis::of(inputs, None)
    }

    fn range(text: &str, piece: &str) -> TextRange {
        let at = text.find(piece).expect("it is there");
        TextRange::at(TextSize::new(at as u32), TextSize::of(piece))
    }

    fn assist(variant: &'static str, preferred: bool, target: TextRange, edit: TextEdit) -> Offer {
        Offer::Assist(Assist {
            id: "merge-runs",
            variant: Some(variant),
            label: "Merge".to_owned(),
            target,
            preferred,
            edit,
            other: None,
            doubts: Vec::new(),
            before: None,
            after: None,
        })
    }

    /// Offers to turn `x` into `y` in the instruction at the place, and refuses `z`.
    fn offers(analysis: &Analysis, place: TextRange) -> Vec<Offer> {
        let text = &analysis.inputs.text;
        let of_z = |it: &&Placed| place.contains_range(it.whole()) && text[it.whole()].contains('z');
        let selected = analysis.file.instructions().find(of_z);
        let Some(placed) = selected.or_else(|| analysis.file.instruction_at(place.start())) else { return Vec::new() };
        let own = &text[placed.whole()];
        let target = placed.whole();
        if own.contains('z') {
            let reason = "z stays".to_owned();
            return vec![Offer::Refusal(Refusal { id: "merge-runs", variant: None, code: "X1", reason, target })];
        }
        let Some(at) = own.find('x') else { return Vec::new() };
        let edit = |to: &str| TextEdit::replace(TextRange::at(placed.at + TextSize::new(at as u32), 1.into()), to);
        vec![assist("hoist", true, target, edit("h")), assist("plain", false, target, edit("y"))]
    }

    fn check(text: &str, asked: &str, region: Option<TextRange>) -> Fixed {
        let asked = Asked::parse(asked).expect("an action");
        with_offers(analysis(text), &asked, region, &offers)
    }

    #[test]
    fn every_place_has_its_turn_and_the_refusals_are_those_that_remain() {
        let res = check("FROM a\nRUN x\nRUN z\nRUN xx\n", "merge-runs", None);
        assert_eq!((res.text.as_str(), res.applied.len()), ("FROM a\nRUN y\nRUN z\nRUN yy\n", 3));
        let refused: Vec<_> = res.refused.iter().map(|(line, refusal)| (*line, refusal.code)).collect();
        assert_eq!(refused, [(3, "X1")]);
    }

    #[test]
    fn without_a_variant_the_default_of_the_action_is_taken() {
        assert_eq!(check("FROM a\nRUN x\n", "merge-runs", None).text, "FROM a\nRUN y\n");
        assert_eq!(check("FROM a\nRUN x\n", "merge-runs=hoist", None).text, "FROM a\nRUN h\n");
        assert_eq!(check("FROM a\nRUN x\n", "merge-runs=heredoc", None).text, "FROM a\nRUN x\n");
    }

    #[test]
    fn a_place_that_is_named_is_the_only_one() {
        let text = "FROM a\nRUN x1\nRUN xx2\nRUN x3\n";
        let res = check(text, "merge-runs", Some(range(text, "RUN xx2")));
        assert_eq!(res.text, "FROM a\nRUN x1\nRUN yy2\nRUN x3\n");
    }

    #[test]
    fn an_action_that_never_ends_leaves_the_file_as_it_was() {
        let text = "FROM a\nRUN x\n";
        let grow = |analysis: &Analysis, _: TextRange| {
            let at = range(&analysis.inputs.text, "x");
            vec![assist("plain", true, at, TextEdit::insert(at.start(), "x"))]
        };
        let asked = Asked::parse("merge-runs").expect("an action");
        let res = with_offers(analysis(text), &asked, None, &grow);
        assert_eq!((res.text.as_str(), res.applied.len()), (text, 0));
        assert!(res.fault.is_some_and(|fault| fault.contains("merge-runs does not come to an end")));
    }

    #[test]
    fn an_action_is_named_with_or_without_a_variant() {
        assert!(Asked::parse("merge-runs").is_ok_and(|asked| asked.variant.is_none()));
        assert!(Asked::parse("merge-runs=heredoc").is_ok_and(|asked| asked.variant == Some("heredoc")));
        let error = Asked::parse("merge-run").expect_err("no such action");
        assert_eq!(
            error,
            "unknown action `merge-run`; did you mean `merge-runs`?; there are merge-runs, merge-runs-clean, split-run, multi-stage, write-dockerignore"
        );
        assert!(Asked::parse("merge-runs=tree").is_err());
    }
}

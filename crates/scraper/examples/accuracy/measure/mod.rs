//! What the extraction finds on the labeled pages, against their labels.
//!
//! Nothing here prints and no threshold is here: `cargo xtask accuracy` shows the figures, and
//! `tests/accuracy.rs` holds them.

pub(crate) mod field;
mod found;
pub(crate) mod labels;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use trawl_domain::url_rules::PageUrl;
use trawl_scraper::extract::facts_of;

use field::Field;
use labels::{Labels, Part};

/// One page and how the extraction did on it.
pub(crate) struct PageScore {
    /// The name of its files.
    pub(crate) slug: String,
    /// The language that it is counted under.
    pub(crate) language: String,
    /// What it may be used for.
    pub(crate) part: Part,
    fields: BTreeMap<Field, FieldScore>,
}

/// One field of one page.
#[derive(Default)]
struct FieldScore {
    right: usize,
    recalled: usize,
    wrong: Vec<String>,
    missed: Vec<String>,
}

/// One field over many pages.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Values that the labels name.
    pub(crate) expected: usize,
    /// Those of them that were found.
    pub(crate) recalled: usize,
    /// Values found where the field is judged, without the neutral ones.
    pub(crate) found: usize,
    /// Those of them that the labels name.
    pub(crate) right: usize,
}

impl Tally {
    /// Sums a field up.
    pub(crate) fn of<'p>(pages: impl IntoIterator<Item = &'p PageScore>, field: Field) -> Self {
        let mut tally = Self::default();
        for score in pages.into_iter().filter_map(|p| p.fields.get(&field)) {
            tally.expected += score.recalled + score.missed.len();
            tally.recalled += score.recalled;
            tally.found += score.right + score.wrong.len();
            tally.right += score.right;
        }
        tally
    }

    /// The share of what was found that is right; none if nothing was found.
    pub(crate) fn precision(&self) -> Option<f64> {
        ratio(self.right, self.found)
    }

    /// The share of what there is that was found; none if there is nothing.
    pub(crate) fn recall(&self) -> Option<f64> {
        ratio(self.recalled, self.expected)
    }
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    let part = f64::from(u32::try_from(part).ok()?);
    let whole = f64::from(u32::try_from(whole).ok()?);
    (whole > 0.0).then_some(part / whole)
}

impl PageScore {
    /// A line for each value that was found wrongly or missed.
    pub(crate) fn errors(&self) -> String {
        let mut text = String::new();
        for (field, score) in &self.fields {
            let wrong = score.wrong.iter().map(|value| ("wrong", value));
            let missed = score.missed.iter().map(|value| ("missed", value));
            for (what, value) in wrong.chain(missed) {
                // Writing to a string does not fail.
                let _ = writeln!(
                    text,
                    "{} ({}): {what} {}: {value}",
                    self.slug,
                    self.language,
                    field.name()
                );
            }
        }
        text
    }
}

/// Extracts and scores all pages, in the order of their names.
pub(crate) fn score_pages() -> Result<Vec<PageScore>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("accuracy");
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(&directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    ensure!(!paths.is_empty(), "no page in {}", directory.display());
    let score = |path| score_page(path).with_context(|| format!("page {}", path.display()));
    paths.iter().map(|path| score(path)).collect()
}

fn score_page(path: &Path) -> Result<PageScore> {
    let labels = Labels::parse(&std::fs::read(path)?)?;
    let body = std::fs::read(path.with_extension("html"))?;
    let url = PageUrl::parse(&labels.url)?;
    let headers: Vec<(&str, &str)> = labels
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let facts = facts_of(&url, &headers, &body);
    let fields = labels.expected.iter().map(|(field, expected)| {
        let found = found::values_of(&facts, *field);
        let neutral = labels.neutral.get(field).map_or(&[][..], Vec::as_slice);
        (*field, score_field(*field, &found, expected, neutral))
    });
    Ok(PageScore {
        slug: path
            .with_extension("")
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        language: labels.language,
        part: labels.part,
        fields: fields.collect(),
    })
}

/// Each expected and each neutral value is a list of alternatives.
fn score_field(
    field: Field,
    found: &[String],
    expected: &[Vec<String>],
    neutral: &[Vec<String>],
) -> FieldScore {
    let is_among = |value: &str, list: &[Vec<String>]| {
        let mut alternatives = list.iter().flatten();
        alternatives.any(|alternative| field.is_same(alternative, value))
    };
    let mut score = FieldScore::default();
    for value in found {
        if is_among(value, expected) {
            score.right += 1;
        } else if !is_among(value, neutral) {
            score.wrong.push(value.clone());
        }
    }
    for alternatives in expected {
        let mut pairs = alternatives
            .iter()
            .flat_map(|alternative| found.iter().map(move |value| (alternative, value)));
        if pairs.any(|(alternative, value)| field.is_same(alternative, value)) {
            score.recalled += 1;
        } else {
            score.missed.push(alternatives.join(" or "));
        }
    }
    score
}

//! Takes the inputs of one page and tells what they show.
//!
//! One pass of one automaton over each input, whatever the number of rules. The result does not
//! depend on how a script was cut into pieces.

use super::{Kind, Rules};
use crate::facts::{TECHNOLOGIES_MAX, TechnologyFact};

/// Text of scripts searched at once, in bytes.
const WINDOW_BYTES: usize = 16 * 1024;

/// Bytes carried from one window into the next, so that nothing is cut in two. Longer than a
/// pattern with its gap and its version.
const CARRY_BYTES: usize = 512;

/// Most bytes of any other input that are looked at. Chosen: inline images are longer, URLs of
/// scripts are not.
const INPUT_MAX_BYTES: usize = 2048;

/// Least confidence of what is told, in percent.
const CONFIDENCE_MIN: u8 = 50;

/// What a page has shown so far.
#[derive(Debug)]
pub(crate) struct Detector {
    rules: &'static Rules,
    /// By index of the technology.
    found: Vec<Evidence>,
    script: String,
}

/// What speaks for a technology.
#[derive(Debug, Clone, Default)]
struct Evidence {
    /// In percent, zero while there is none.
    confidence: u8,
    /// With the kind of input that it is from: of two, that of the earlier kind counts.
    version: Option<(Kind, String)>,
    /// Weak patterns seen, as each speaks only once.
    weak_patterns: Vec<(Kind, usize)>,
}

impl Detector {
    pub(crate) fn new(rules: &'static Rules) -> Self {
        Self {
            rules,
            found: vec![Evidence::default(); rules.technologies.len()],
            script: String::new(),
        }
    }

    /// Whether an attribute of this name is of interest, besides `class`.
    pub(crate) fn watches_attribute(&self, name: &str) -> bool {
        self.rules.watches_attribute(name)
    }

    /// Takes an input that is there as a whole.
    pub(crate) fn see(&mut self, kind: Kind, input: &str) {
        let end = input.floor_char_boundary(INPUT_MAX_BYTES);
        let input = input.get(..end).unwrap_or_default();
        search(self.rules, &mut self.found, kind, input, input.len(), true);
    }

    /// Takes a URL that is not the site's own, which says nothing of what the site runs on by a
    /// path or a host that any site may have.
    pub(crate) fn see_foreign_url(&mut self, url: &str) {
        let end = url.floor_char_boundary(INPUT_MAX_BYTES);
        let url = url.get(..end).unwrap_or_default();
        search(
            self.rules,
            &mut self.found,
            Kind::Url,
            url,
            url.len(),
            false,
        );
    }

    /// Takes a response header; of cookies, the names alone.
    pub(crate) fn see_header(&mut self, name: &str, value: &str) {
        if name.eq_ignore_ascii_case("set-cookie") {
            let cookie = value.split(['=', ';']).next().unwrap_or_default();
            self.see(Kind::Cookie, cookie.trim());
        } else {
            self.see(Kind::Header, &format!("{name}: {value}"));
        }
    }

    /// Takes the next piece of the scripts within the page.
    pub(crate) fn see_script(&mut self, mut text: &str) {
        while !text.is_empty() {
            let room = WINDOW_BYTES.saturating_sub(self.script.len());
            let (fits, rest) = text.split_at(text.floor_char_boundary(room));
            self.script.push_str(fits);
            text = rest;
            if !rest.is_empty() {
                let kept = self
                    .script
                    .ceil_char_boundary(self.script.len().saturating_sub(CARRY_BYTES));
                // What begins in the carried part is looked at when its end has come.
                search(
                    self.rules,
                    &mut self.found,
                    Kind::Script,
                    &self.script,
                    kept,
                    true,
                );
                self.script.drain(..kept);
            }
        }
    }

    /// What was found and what it implies, the surest first.
    pub(crate) fn finish(&mut self) -> Vec<TechnologyFact> {
        let script = std::mem::take(&mut self.script);
        search(
            self.rules,
            &mut self.found,
            Kind::Script,
            &script,
            script.len(),
            true,
        );
        self.imply();
        let mut facts: Vec<TechnologyFact> = self
            .rules
            .technologies
            .iter()
            .zip(&mut self.found)
            .filter(|(_, evidence)| evidence.confidence >= CONFIDENCE_MIN)
            .map(|(technology, evidence)| TechnologyFact {
                name: technology.name.clone(),
                version: evidence.version.take().map(|(_, version)| version),
                confidence: evidence.confidence,
            })
            .collect();
        // The sort is stable: equals stay in the order of the rules.
        facts.sort_by_key(|fact| std::cmp::Reverse(fact.confidence));
        facts.truncate(TECHNOLOGIES_MAX);
        facts
    }

    /// What is implied is as sure as what implies it. Ends as confidence only grows.
    fn imply(&mut self) {
        let mut waiting: Vec<usize> = (0..self.found.len()).collect();
        while let Some(index) = waiting.pop() {
            let Some(confidence) = self.found.get(index).map(|evidence| evidence.confidence) else {
                continue;
            };
            let Some(technology) = self.rules.technologies.get(index) else {
                continue;
            };
            for implied in &technology.implies {
                if let Some(evidence) = self.found.get_mut(*implied)
                    && confidence >= CONFIDENCE_MIN
                    && evidence.confidence < confidence
                {
                    evidence.confidence = confidence;
                    waiting.push(*implied);
                }
            }
        }
    }
}

/// Takes the matches that begin before `limit`.
fn search(
    rules: &Rules,
    found: &mut [Evidence],
    kind: Kind,
    input: &str,
    limit: usize,
    is_own: bool,
) {
    let Some(matcher) = rules.matcher(kind) else {
        return;
    };
    for (index, start, end) in matcher.first_texts.find(input) {
        if start >= limit {
            continue;
        }
        let Some(pattern) = matcher.patterns.get(index) else {
            continue;
        };
        let Some(evidence) = found.get_mut(pattern.technology) else {
            continue;
        };
        if evidence.confidence >= 100 && !evidence.needs_version(kind) {
            continue;
        }
        if !is_own && pattern.begins_within() && rules.is_of_site(pattern.technology) {
            continue;
        }
        if let Some(version) = pattern.matches(kind, input, start, end) {
            if let Some(version) = version.filter(|_| evidence.needs_version(kind)) {
                evidence.version = Some((kind, version.to_owned()));
            }
            evidence.weigh(kind, index, pattern.confidence);
        }
    }
}

impl Evidence {
    fn needs_version(&self, kind: Kind) -> bool {
        self.version.as_ref().is_none_or(|(known, _)| kind < *known)
    }

    /// Independent signs add up: two of 50 % leave 25 % of doubt.
    fn weigh(&mut self, kind: Kind, pattern: usize, confidence: u8) {
        if confidence < 100 {
            if self.weak_patterns.contains(&(kind, pattern)) {
                return;
            }
            self.weak_patterns.push((kind, pattern));
        }
        let doubt = |confidence: u8| 100_u16.saturating_sub(u16::from(confidence));
        let left = doubt(self.confidence) * doubt(confidence) / 100;
        self.confidence = u8::try_from(100_u16.saturating_sub(left)).unwrap_or(100);
    }
}

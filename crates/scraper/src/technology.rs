//! What sites are built with: the rules, which are data, and their matching.
//!
//! The rules live in `rules/technologies.json`; `docs/technologies.md` describes their format.
//! Nothing here knows a technology by its name.

mod detector;
mod pattern;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

pub(crate) use detector::Detector;
use pattern::Pattern;

use crate::words::Words;

const RULES: &str = include_str!("../rules/technologies.json");

/// What a technology is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Content management system or site builder.
    Cms,
    /// Shop system.
    Shop,
    /// Builds pages within another system.
    PageBuilder,
    /// Extends another system: search engine optimization, forms, caches.
    Plugin,
    /// Framework or library of scripts, styles or servers.
    Framework,
    /// Measures visitors.
    Analytics,
    /// Loads other scripts.
    TagManager,
    /// Talks with visitors.
    Chat,
    /// Advertising, newsletters, customer relations.
    Marketing,
    /// Asks for consent to cookies.
    Consent,
    /// Takes payments.
    Payment,
    /// Maps, videos, bookings, captchas and the like.
    Widget,
    /// Delivers content for others.
    Cdn,
    /// Hosts the site.
    Hosting,
    /// Web server.
    Server,
    /// Programming language of the server.
    Language,
}

impl Category {
    /// Whether it is what a site runs on; libraries and services are loaded from elsewhere.
    fn is_of_site(self) -> bool {
        match self {
            Self::Cms
            | Self::Shop
            | Self::PageBuilder
            | Self::Plugin
            | Self::Cdn
            | Self::Hosting
            | Self::Server
            | Self::Language => true,
            Self::Framework
            | Self::Analytics
            | Self::TagManager
            | Self::Chat
            | Self::Marketing
            | Self::Consent
            | Self::Payment
            | Self::Widget => false,
        }
    }
}

/// Where a pattern is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// `name: content` of a `<meta>`.
    Meta,
    /// `name: value` of a response header.
    Header,
    /// The name of a cookie that is set.
    Cookie,
    /// The URL of a script, style sheet, image or frame.
    Url,
    /// The text of a script within the page.
    Script,
    /// The text of a comment.
    Comment,
    /// A class of an element.
    Class,
    /// `name=value` of another attribute.
    Attribute,
    /// The name of a custom element.
    Element,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Meta,
        Self::Header,
        Self::Cookie,
        Self::Url,
        Self::Script,
        Self::Comment,
        Self::Class,
        Self::Attribute,
        Self::Element,
    ];
}

/// Why the rules cannot be used; a test holds that they can.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RuleError {
    /// The file is no JSON of the format.
    #[error("the rules are not well-formed")]
    Format(#[source] serde_json::Error),
    /// A pattern breaks the format.
    #[error("the pattern {pattern:?} of {technology} does not begin with enough text")]
    Pattern { technology: String, pattern: String },
    /// A technology is implied that there is no rule for.
    #[error("{technology} implies {implied}, which has no rule")]
    Implied { technology: String, implied: String },
    /// The patterns of a kind make no automaton.
    #[error("the patterns for {kind:?} make no automaton")]
    Automaton {
        kind: Kind,
        source: aho_corasick::BuildError,
    },
}

/// One entry of the rule file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    category: Category,
    #[serde(default)]
    implies: Vec<String>,
    patterns: HashMap<Kind, Vec<Sign>>,
    #[cfg_attr(not(test), expect(dead_code, reason = "examples are for tests"))]
    examples: Vec<Example>,
}

/// A pattern, sure unless it says otherwise.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Sign {
    Sure(String),
    Weighted { pattern: String, confidence: u8 },
}

/// An input that a technology is known by.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(test), expect(dead_code, reason = "examples are for tests"))]
struct Example {
    kind: Kind,
    input: String,
    version: Option<String>,
}

/// A technology, as the rules know it.
#[derive(Debug)]
pub(crate) struct Technology {
    pub(crate) name: String,
    pub(crate) category: Category,
    /// Indexes of what it runs on.
    implies: Vec<usize>,
}

/// The rules, ready to match.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    technologies: Vec<Technology>,
    by_name: HashMap<String, usize>,
    /// By kind, as [`Kind::ALL`] has them.
    matchers: [Option<Matcher>; Kind::ALL.len()],
    /// Names of attributes that patterns ask for, by their length.
    attributes: Vec<Vec<String>>,
}

/// The patterns of one kind and their first texts, in the same order.
#[derive(Debug)]
struct Matcher {
    first_texts: Words,
    patterns: Vec<Pattern>,
}

/// The rules of this build.
pub(crate) fn rules() -> &'static Rules {
    static PARSED: LazyLock<Rules> = LazyLock::new(|| {
        Rules::parse(RULES).unwrap_or_else(|error| {
            tracing::error!(%error, "technologies are not detected");
            Rules::default()
        })
    });
    &PARSED
}

impl Rules {
    fn parse(json: &str) -> Result<Self, RuleError> {
        let entries: Vec<Entry> = serde_json::from_str(json).map_err(RuleError::Format)?;
        let by_name: HashMap<String, usize> = entries
            .iter()
            .enumerate()
            .map(|(index, entry)| (entry.name.clone(), index))
            .collect();
        let mut rules = Self::default();
        let mut patterns: HashMap<Kind, Vec<Pattern>> = HashMap::new();
        for (index, entry) in entries.into_iter().enumerate() {
            let mut implies = Vec::new();
            for implied in entry.implies {
                match by_name.get(&implied) {
                    Some(found) => implies.push(*found),
                    None => {
                        return Err(RuleError::Implied {
                            technology: entry.name,
                            implied,
                        });
                    }
                }
            }
            for (kind, signs) in entry.patterns {
                for sign in signs {
                    let (text, confidence) = match &sign {
                        Sign::Sure(text) => (text, 100),
                        Sign::Weighted {
                            pattern,
                            confidence,
                        } => (pattern, *confidence),
                    };
                    let Some(pattern) = Pattern::parse(kind, text, index, confidence) else {
                        return Err(RuleError::Pattern {
                            technology: entry.name,
                            pattern: text.clone(),
                        });
                    };
                    if kind == Kind::Attribute {
                        rules.watch_attribute(text);
                    }
                    patterns.entry(kind).or_default().push(pattern);
                }
            }
            rules.technologies.push(Technology {
                name: entry.name,
                category: entry.category,
                implies,
            });
        }
        rules.by_name = by_name;
        for (kind, matcher) in Kind::ALL.into_iter().zip(&mut rules.matchers) {
            if let Some(patterns) = patterns.remove(&kind) {
                *matcher = Some(Matcher::new(kind, patterns)?);
            }
        }
        Ok(rules)
    }

    /// The technology of a name, if the rules know it.
    pub(crate) fn technology(&self, name: &str) -> Option<&Technology> {
        self.technologies.get(*self.by_name.get(name)?)
    }

    /// The names of all technologies.
    #[cfg(test)]
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.technologies.iter().map(|t| t.name.as_str())
    }

    /// Whether a technology needs one of a category to run on.
    pub(crate) fn runs_on(&self, technology: &Technology, category: Category) -> bool {
        technology
            .implies
            .iter()
            .filter_map(|index| self.technologies.get(*index))
            .any(|implied| implied.category == category)
    }

    /// Whether a technology is what the site itself runs on, not what it loads from elsewhere.
    fn is_of_site(&self, technology: usize) -> bool {
        self.technologies.get(technology).is_some_and(|technology| {
            technology.category.is_of_site() || self.runs_on(technology, Category::Cms)
        })
    }

    fn matcher(&self, kind: Kind) -> Option<&Matcher> {
        self.matchers.get(kind as usize)?.as_ref()
    }

    /// Whether any pattern asks for an attribute of this name.
    pub(crate) fn watches_attribute(&self, name: &str) -> bool {
        self.attributes
            .get(name.len())
            .is_some_and(|names| names.iter().any(|known| known.eq_ignore_ascii_case(name)))
    }

    fn watch_attribute(&mut self, pattern: &str) {
        let name = pattern.split('=').next().unwrap_or_default();
        if self.attributes.len() <= name.len() {
            self.attributes.resize_with(name.len() + 1, Vec::new);
        }
        if let Some(names) = self.attributes.get_mut(name.len())
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
}

impl Matcher {
    fn new(kind: Kind, patterns: Vec<Pattern>) -> Result<Self, RuleError> {
        let first_texts = Words::build(patterns.iter().map(Pattern::first_text))
            .map_err(|source| RuleError::Automaton { kind, source })?;
        Ok(Self {
            first_texts,
            patterns,
        })
    }
}

#[cfg(test)]
mod tests;

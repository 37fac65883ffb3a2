//! The log of decisions: how many URLs were considered and not fetched, and why.
//!
//! Counts only, so that it stays small on any site. The counts of each page are stored with it, and
//! those of a crawl are their sum.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};
use trawl_domain::failure::FailureCode;

/// URLs remembered as decided, so that a menu shown by every page is counted once. Chosen: 64 Ki of
/// 8 bytes; what a crawl decides beyond that is counted each time it is named.
const DECIDED_MAX: usize = 64 * 1024;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// Why a URL that was considered is not fetched, or not kept.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Reason { $($(#[$doc])* #[serde(rename = $text)] $name,)+ }

        impl Reason {
            /// Every reason, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word used in answers and rows.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

reasons! {
    /// It belongs to another site.
    OutOfScope = "out_of_scope",
    /// The paths that the client asked for leave it out.
    Excluded = "excluded",
    /// It is more links away from the start page than the client asked for.
    TooDeep = "too_deep",
    /// Its path has more segments than pages have.
    TrapDepth = "trap_depth",
    /// Its path repeats itself.
    TrapRepeat = "trap_repeat",
    /// It is longer than URLs of pages are.
    TrapLength = "trap_length",
    /// One path was named with too many queries.
    TrapQueries = "trap_queries",
    /// A calendar without an end.
    TrapCalendar = "trap_calendar",
    /// The site has more hosts than sites have.
    TrapHosts = "trap_hosts",
    /// robots.txt disallows it.
    Robots = "robots",
    /// The page, or the link, asks not to follow.
    Nofollow = "nofollow",
    /// It is a page that was fetched under another URL.
    Duplicate = "duplicate",
    /// It is not HTML.
    Type = "type",
    /// The crawl ended, or its memory was full, before it was its turn.
    Budget = "budget",
}

impl Reason {
    /// Why a page that ended as skipped was not fetched, or not kept.
    pub(crate) fn of_skipped(code: FailureCode) -> Self {
        match code {
            FailureCode::RobotsDisallowed => Self::Robots,
            FailureCode::RedirectOffSite => Self::OutOfScope,
            FailureCode::Excluded => Self::Excluded,
            FailureCode::Duplicate => Self::Duplicate,
            _ => Self::Type,
        }
    }
}

/// URLs not fetched, by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NotFetched(BTreeMap<Reason, u32>);

impl NotFetched {
    /// Counts one URL.
    pub fn count(&mut self, reason: Reason) {
        self.add(reason, 1);
    }

    pub(crate) fn add(&mut self, reason: Reason, urls: u32) {
        if urls > 0 {
            let count = self.0.entry(reason).or_default();
            *count = count.saturating_add(urls);
        }
    }

    /// Adds the counts of a page.
    pub(crate) fn add_all(&mut self, page: &Self) {
        for (reason, urls) in &page.0 {
            self.add(*reason, *urls);
        }
    }

    /// How many URLs there are for a reason.
    pub fn of(&self, reason: Reason) -> u32 {
        self.0.get(&reason).copied().unwrap_or_default()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A URL that extraction turned down, by a hash that names it within one crawl.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) reason: Reason,
    url_hash: u64,
}

impl Refused {
    pub(crate) fn new(reason: Reason, url: &impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        url.hash(&mut hasher);
        Self {
            reason,
            url_hash: hasher.finish(),
        }
    }
}

/// What was decided in this process, to count each URL once.
#[derive(Debug, Default)]
pub(crate) struct Decided(HashSet<u64>);

impl Decided {
    /// Counts a URL unless it was counted before.
    pub(crate) fn count(&mut self, refused: Refused, page: &mut NotFetched) {
        let is_news = if self.0.len() < DECIDED_MAX {
            self.0.insert(refused.url_hash)
        } else {
            !self.0.contains(&refused.url_hash)
        };
        if is_news {
            page.count(refused.reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_come_back_from_their_text_by_the_words_of_the_reasons() {
        let mut counts = NotFetched::default();
        assert_eq!(serde_json::to_string(&counts).unwrap(), "{}");
        for reason in Reason::ALL {
            counts.count(*reason);
        }
        counts.add(Reason::Budget, 41);
        let text = serde_json::to_string(&counts).unwrap();
        assert!(text.contains(r#""budget":42"#), "{text}");
        for reason in Reason::ALL {
            assert!(
                text.contains(&format!("\"{}\":", reason.as_str())),
                "{text}"
            );
        }
        assert_eq!(serde_json::from_str::<NotFetched>(&text).unwrap(), counts);
        let mut sum = counts.clone();
        sum.add_all(&counts);
        assert_eq!(sum.of(Reason::Budget), 84);
    }

    #[test]
    fn a_url_is_counted_once_however_many_pages_name_it() {
        let (mut decided, mut counts) = (Decided::default(), NotFetched::default());
        for url in ["a", "b", "a"] {
            decided.count(Refused::new(Reason::OutOfScope, &url), &mut counts);
        }
        assert_eq!(counts.of(Reason::OutOfScope), 2);
    }
}

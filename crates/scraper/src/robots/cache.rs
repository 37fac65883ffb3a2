//! What robots.txt says, kept for all crawls of a process: a site of many batches is asked once a day.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::rules::RobotsRules;

/// Most bytes kept. Chosen: rules of 50,000 sites of the usual few hundred bytes.
const CACHE_MAX_BYTES: usize = 16 * 1024 * 1024;

/// Most bytes of one origin that are kept; what is larger is fetched again by each crawl.
const ORIGIN_MAX_BYTES: usize = 256 * 1024;

/// What one origin costs beside its rules: its name and the entry.
const ENTRY_BYTES: usize = 256;

/// The rules of many origins, until they expire.
#[derive(Debug, Default)]
pub(crate) struct RobotsCache(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    by_origin: HashMap<String, Known>,
    bytes: usize,
}

/// The rules of one origin and when to ask again.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) rules: Arc<RobotsRules>,
    pub(crate) expires_at: Instant,
}

impl RobotsCache {
    pub(crate) fn get(&self, origin: &str, now: Instant) -> Option<Known> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = entries.by_origin.get(origin)?;
        (known.expires_at > now).then(|| known.clone())
    }

    pub(crate) fn insert(&self, origin: &str, known: Known, now: Instant) {
        let bytes = weight(&known);
        if bytes > ORIGIN_MAX_BYTES {
            return;
        }
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.bytes + bytes > CACHE_MAX_BYTES {
            entries.by_origin.retain(|_, known| known.expires_at > now);
            entries.bytes = entries.by_origin.values().map(weight).sum();
        }
        if entries.bytes + bytes > CACHE_MAX_BYTES {
            // Nothing has expired: starting anew costs each origin one request.
            *entries = Entries::default();
        }
        let replaced = entries.by_origin.insert(origin.to_owned(), known);
        entries.bytes += bytes;
        entries.bytes -= replaced.as_ref().map_or(0, weight);
    }
}

fn weight(known: &Known) -> usize {
    ENTRY_BYTES + known.rules.bytes()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn known(rules: usize, expires_at: Instant) -> Known {
        let text = "disallow: /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n".repeat(rules);
        let rules = RobotsRules::parse(format!("user-agent: *\n{text}").as_bytes(), "Trawl");
        Known {
            rules: Arc::new(rules),
            expires_at,
        }
    }

    #[tokio::test]
    async fn rules_are_kept_until_they_expire() {
        let now = Instant::now();
        let cache = RobotsCache::default();
        cache.insert("http://a.test", known(1, now + Duration::from_secs(5)), now);
        let later = |seconds| now + Duration::from_secs(seconds);
        assert!(cache.get("http://a.test", later(4)).is_some());
        assert!(cache.get("http://a.test", later(5)).is_none());
        assert!(cache.get("https://a.test", now).is_none());
    }

    #[tokio::test]
    async fn memory_is_bounded_and_what_has_expired_goes_first() {
        let now = Instant::now();
        let cache = RobotsCache::default();
        let bytes = |cache: &RobotsCache| cache.0.lock().expect("lock").bytes;
        cache.insert("huge", known(10_000, now + Duration::from_secs(5)), now);
        assert_eq!(bytes(&cache), 0);
        cache.insert("lasting", known(1, now + Duration::from_secs(500)), now);
        for n in 0..400 {
            // The same origin again and again takes no more room than once.
            cache.insert("same", known(500, now + Duration::from_secs(500)), now);
            let brief = known(500, now + Duration::from_secs(5));
            cache.insert(&n.to_string(), brief, now + Duration::from_secs(n / 40));
            assert!(bytes(&cache) <= CACHE_MAX_BYTES);
        }
        assert!(cache.get("lasting", now).is_some());
        let entries = cache.0.lock().expect("lock");
        let sum: usize = entries.by_origin.values().map(weight).sum();
        assert_eq!(entries.bytes, sum);
    }
}

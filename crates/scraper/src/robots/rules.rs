//! The rules of one robots.txt that apply to one product.

use std::cmp::Reverse;
use std::time::Duration;

use trawl_domain::url_rules::{GivenUrl, normal_escapes};

/// Longest line that is read, in bytes. Chosen: eight times the longest URL; what is longer is
/// no rule but an attack or a mistake, and is skipped.
const LINE_MAX_BYTES: usize = 16 * 1024;

/// Most sitemaps that are kept of a file, and the longest of them in bytes. Chosen: large shops name
/// a dozen; the longest URL that is fetched is shorter.
const SITEMAPS_MAX: usize = 50;
const SITEMAP_MAX_BYTES: usize = 2048;

/// The rules of the groups that name a product, else of those for everyone. The default allows all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RobotsRules {
    /// The longest pattern first, `Allow` before `Disallow` of equal length: the first that
    /// matches decides (RFC 9309, 2.2.2).
    rules: Vec<Rule>,
    crawl_delay: Option<Duration>,
    sitemaps: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    allow: bool,
    pattern: Pattern,
}

/// A path prefix in which `*` stands for anything, and a final `$` for the end.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    text: String,
    is_anchored: bool,
}

impl RobotsRules {
    /// Reads the groups for `product`; everything that is not understood is skipped.
    pub(crate) fn parse(body: &[u8], product: &str) -> Self {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let mut ours = Self::default();
        let mut everyone = Self::default();
        let mut sitemaps = Vec::new();
        let mut is_named = false;
        let mut group = Group::default();
        for line in body.split(|byte| matches!(byte, b'\n' | b'\r' | 0)) {
            let Some((key, value)) = key_and_value(line) else {
                continue;
            };
            match Key::of(&key) {
                Key::UserAgent => {
                    if group.has_rules {
                        group = Group::default();
                    }
                    group.is_everyone |= value.starts_with('*');
                    let is_ours =
                        !product.is_empty() && product_token(value).eq_ignore_ascii_case(product);
                    group.is_ours |= is_ours;
                    is_named |= is_ours;
                }
                Key::Rule { allow } => {
                    group.has_rules = true;
                    if let Some(pattern) = Pattern::parse(value) {
                        group.add_to(&mut ours, &mut everyone, |rules| {
                            rules.rules.push(Rule {
                                allow,
                                pattern: pattern.clone(),
                            });
                        });
                    }
                }
                Key::CrawlDelay => {
                    // RFC 9309 does not know it; as it is honored, it is a rule like the others. Else
                    // a group that asks for a delay alone would be joined with the next one, which
                    // often closes the site to somebody else.
                    group.has_rules = true;
                    if let Some(delay) = seconds(value) {
                        group.add_to(&mut ours, &mut everyone, |rules| {
                            rules.crawl_delay = rules.crawl_delay.max(Some(delay));
                        });
                    }
                }
                // Belongs to no group, and ends none (RFC 9309, 2.2.4).
                Key::Sitemap => {
                    if sitemaps.len() < SITEMAPS_MAX && value.len() <= SITEMAP_MAX_BYTES {
                        sitemaps.push(value.to_owned());
                    }
                }
                Key::Other => {}
            }
        }
        let mut rules = if is_named { ours } else { everyone };
        rules.sitemaps = sitemaps;
        rules
            .rules
            .sort_by_key(|rule| (Reverse(rule.pattern.length()), Reverse(rule.allow)));
        rules
    }

    /// Whether a URL may be fetched.
    pub(crate) fn allows(&self, url: &GivenUrl) -> bool {
        let path = url.as_url().path();
        if path == "/robots.txt" {
            return true;
        }
        let target = match url.as_url().query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        };
        // The target of a redirect comes as the server spelled it (RFC 9309, 2.2.2).
        let target = normal_escapes(&target);
        let rule = self.rules.iter().find(|rule| rule.pattern.matches(&target));
        rule.is_none_or(|rule| rule.allow)
    }

    /// The values of the `Sitemap` lines, in their order, as written.
    pub(crate) fn sitemaps(&self) -> &[String] {
        &self.sitemaps
    }

    /// Memory that the rules take, about.
    pub(super) fn bytes(&self) -> usize {
        let rules: usize = self
            .rules
            .iter()
            .map(|rule| size_of::<Rule>() + rule.pattern.text.len())
            .sum();
        let sitemaps: usize = self
            .sitemaps
            .iter()
            .map(|url| size_of::<String>() + url.len())
            .sum();
        rules + sitemaps
    }

    /// The wait between fetches that the file asks for.
    pub(crate) fn crawl_delay(&self) -> Option<Duration> {
        self.crawl_delay
    }
}

/// The user-agent lines above the rules being read, and whether rules have begun.
#[derive(Debug, Default)]
struct Group {
    is_ours: bool,
    is_everyone: bool,
    has_rules: bool,
}

impl Group {
    fn add_to(
        &self,
        ours: &mut RobotsRules,
        everyone: &mut RobotsRules,
        add: impl Fn(&mut RobotsRules),
    ) {
        if self.is_ours {
            add(ours);
        }
        if self.is_everyone {
            add(everyone);
        }
    }
}

enum Key {
    UserAgent,
    Rule { allow: bool },
    CrawlDelay,
    Sitemap,
    Other,
}

impl Key {
    /// Knows the misspellings that Google's parser accepts.
    fn of(key: &str) -> Self {
        match key {
            "user-agent" | "useragent" | "user agent" => Self::UserAgent,
            "allow" => Self::Rule { allow: true },
            "disallow" | "dissallow" | "dissalow" | "disalow" | "diasllow" | "disallaw" => {
                Self::Rule { allow: false }
            }
            "crawl-delay" | "crawldelay" => Self::CrawlDelay,
            "sitemap" | "site-map" => Self::Sitemap,
            _ => Self::Other,
        }
    }
}

fn key_and_value(line: &[u8]) -> Option<(String, &str)> {
    if line.len() > LINE_MAX_BYTES {
        return None;
    }
    let line = line.split(|byte| *byte == b'#').next()?;
    // A line that is not UTF-8 holds no rule that a canonical URL could match.
    let (key, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
    Some((key.trim().to_ascii_lowercase(), value.trim()))
}

fn seconds(value: &str) -> Option<Duration> {
    let seconds: f64 = value.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

impl Pattern {
    /// An empty value is no rule; one that begins with neither `/` nor `*` matches nothing.
    fn parse(value: &str) -> Option<Self> {
        if !value.starts_with(['/', '*']) {
            return None;
        }
        let (text, is_anchored) = match value.strip_suffix('$') {
            Some(text) => (text, true),
            None => (value, false),
        };
        Some(Self {
            text: normal_escapes(&escape_non_ascii(text)),
            is_anchored,
        })
    }

    /// What decides between patterns: the octets of the pattern as written.
    fn length(&self) -> usize {
        self.text.len() + usize::from(self.is_anchored)
    }

    fn matches(&self, target: &str) -> bool {
        let mut pieces = self.text.split('*');
        let first = pieces.next().unwrap_or_default();
        let Some(mut rest) = target.strip_prefix(first) else {
            return false;
        };
        let mut pieces = pieces.peekable();
        if pieces.peek().is_none() {
            return !self.is_anchored || rest.is_empty();
        }
        while let Some(piece) = pieces.next() {
            if self.is_anchored && pieces.peek().is_none() {
                return rest.ends_with(piece);
            }
            // The leftmost match leaves most for the pieces that follow.
            match rest.split_once(piece) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        true
    }
}

fn escape_non_ascii(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            escaped.push(c);
        } else {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                escaped.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    escaped
}

/// The product name of a user agent, which is what `User-agent` lines name (RFC 9309, 2.2.1).
///
/// In `Mozilla/5.0 (compatible; Name/1.0; +url)` that is the compatible one.
pub(crate) fn product_token(user_agent: &str) -> &str {
    let start = match user_agent.split_once("compatible;") {
        Some((_, product)) => product.trim_start(),
        None => user_agent.trim_start(),
    };
    let end = start
        .find(|c: char| !(c.is_ascii_alphabetic() || matches!(c, '-' | '_')))
        .unwrap_or(start.len());
    start.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;

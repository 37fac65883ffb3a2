//! Which paths of a site a client wants, as globs.
//!
//! A glob is matched against the whole path of a canonical URL, without its query: `*` and `?`
//! stop at `/`, `**` does not, `[a-z]` and `{a,b}` are sets and alternatives. Letters may be written
//! as such or escaped, in the glob as in the URL. All globs of a list are one automaton, so matching
//! takes time in the length of the path, not in that of the list.

use std::borrow::Cow;
use std::fmt;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Most globs in one list. Chosen: with more, a list of pages was wanted.
pub const PATH_GLOBS_MAX: usize = 32;

/// Longest glob, in bytes. Chosen: longer than paths people write by hand.
pub const PATH_GLOB_MAX_BYTES: usize = 256;

/// A list of globs.
#[derive(Clone)]
pub struct PathGlobs {
    globs: Vec<String>,
    matcher: GlobSet,
}

/// A list of globs that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PathGlobError {
    /// More than [`PATH_GLOBS_MAX`].
    #[error("must hold at most {PATH_GLOBS_MAX} patterns, not {found}")]
    TooMany {
        /// How many there are.
        found: usize,
    },
    /// Longer than [`PATH_GLOB_MAX_BYTES`].
    #[error("must hold patterns of at most {PATH_GLOB_MAX_BYTES} bytes")]
    TooLong,
    /// A glob that can match no path.
    #[error("must hold patterns that begin with / or **, unlike {glob:?}")]
    NotAPath {
        /// The glob.
        glob: String,
    },
    /// Not a glob.
    #[error("must hold globs, unlike {glob:?}")]
    Invalid {
        /// The text.
        glob: String,
    },
    /// Globs that are too large together.
    #[error("must hold patterns that are simpler together")]
    TooComplex,
}

impl PathGlobs {
    /// Compiles a list.
    ///
    /// # Errors
    /// [`PathGlobError`] for the first glob that cannot be used.
    pub fn new(globs: Vec<String>) -> Result<Self, PathGlobError> {
        if globs.len() > PATH_GLOBS_MAX {
            return Err(PathGlobError::TooMany { found: globs.len() });
        }
        let mut builder = GlobSetBuilder::new();
        for glob in &globs {
            if glob.len() > PATH_GLOB_MAX_BYTES {
                return Err(PathGlobError::TooLong);
            }
            if !glob.starts_with('/') && !glob.starts_with("**") {
                return Err(PathGlobError::NotAPath { glob: glob.clone() });
            }
            let compiled = GlobBuilder::new(&with_wide_stars(&readable(glob)))
                .literal_separator(true)
                .backslash_escape(true)
                .build()
                .map_err(|_syntax| PathGlobError::Invalid { glob: glob.clone() })?;
            builder.add(compiled);
        }
        let matcher = builder
            .build()
            .map_err(|_too_large| PathGlobError::TooComplex)?;
        Ok(Self { globs, matcher })
    }

    /// Whether any glob matches the path of a URL.
    pub fn matches(&self, path: &str) -> bool {
        !self.is_empty() && self.matcher.is_match(readable(path).as_ref())
    }

    /// Whether the list is empty, so that nothing matches.
    pub fn is_empty(&self) -> bool {
        self.globs.is_empty()
    }
}

impl Default for PathGlobs {
    fn default() -> Self {
        Self {
            globs: Vec::new(),
            matcher: GlobSet::empty(),
        }
    }
}

impl PartialEq for PathGlobs {
    fn eq(&self, other: &Self) -> bool {
        self.globs == other.globs
    }
}

impl Eq for PathGlobs {}

impl fmt::Debug for PathGlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PathGlobs").field(&self.globs).finish()
    }
}

impl Serialize for PathGlobs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.globs.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PathGlobs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let globs = Vec::deserialize(deserializer)?;
        Self::new(globs).map_err(serde::de::Error::custom)
    }
}

/// A path or a glob with those of its escapes decoded that stand for what means nothing else there:
/// letters, digits, `-._~`, spaces, and all beyond ASCII where it is UTF-8.
fn readable(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let escaped = after.split_first_chunk().filter(|_| byte == b'%');
        let escaped = escaped.and_then(|(digits, after)| Some((hex(*digits)?, after)));
        match escaped {
            Some((byte, after)) => {
                rest = after;
                if byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"-._~ ".contains(&byte) {
                    decoded.push(byte);
                } else {
                    decoded.extend_from_slice(format!("%{byte:02X}").as_bytes());
                }
            }
            None => decoded.push(byte),
        }
    }
    String::from_utf8(decoded).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn hex(digits: [u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    u8::try_from(high? * 16 + low?).ok()
}

/// The library knows `**` as a whole segment alone; elsewhere it would stop at `/`.
fn with_wide_stars(glob: &str) -> String {
    let mut wide = String::with_capacity(glob.len());
    let mut rest = glob;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\\' => rest.chars().take(2).map(char::len_utf8).sum(),
            '[' => rest
                .get(2..)
                .and_then(|set| set.find(']'))
                .map_or(1, |end| end + 3),
            '*' => rest.len() - rest.trim_start_matches('*').len(),
            other => other.len_utf8(),
        };
        let (part, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        let is_segment = (wide.is_empty() || wide.ends_with('/'))
            && (after.is_empty() || after.starts_with('/'));
        match part.starts_with("**") && !is_segment {
            true => wide.push_str("{*,*/**/*}"),
            false => wide.push_str(part),
        }
        rest = after;
    }
    wide
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(list: &[&str]) -> Result<PathGlobs, PathGlobError> {
        PathGlobs::new(list.iter().map(|&glob| glob.to_owned()).collect())
    }

    #[test]
    fn globs_match_whole_paths() {
        for (glob, path, matches) in [
            ("/blog/*", "/blog/a", true),
            ("/blog/*", "/blog/", true),
            ("/blog/*", "/blog", false),
            ("/blog/*", "/blog/a/b", false),
            ("/blog/**", "/blog/a/b", true),
            ("**/team", "/de/about/team", true),
            ("**/team", "/team", true),
            ("/{de,en}/*", "/en/x", true),
            ("/{de,en}/*", "/fr/x", false),
            ("/p[0-9]", "/p7", true),
            ("/a", "/a/b", false),
            ("/a", "/A", false),
            ("/blog**", "/blog", true),
            ("/blog**", "/blogs/a/b", true),
            ("/blog**", "/blog/a", true),
            ("/blog**", "/a/blog", false),
            ("**.html", "/a.html", true),
            ("**.html", "/a/b/c.html", true),
            ("**.html", "/a.htm", false),
            ("/a**z", "/az", true),
            ("/a**z", "/a/b/z", true),
            ("/{a**,b}/x", "/a1/2/x", true),
            ("/{a**,b}/x", "/b/1/x", false),
            ("/[**]", "/*", true),
            ("/[**]", "/a/b", false),
            ("/\\**", "/*x", true),
            ("/\\**", "/x/y", false),
            ("/grüße/*", "/gr%C3%BC%C3%9Fe/x", true),
            ("/gr%c3%bc%c3%9fe", "/gr%C3%BC%C3%9Fe", true),
            ("/foo bar", "/foo%20bar", true),
            ("/%7Ejoe", "/~joe", true),
            ("/ü", "/%FC", false),
            ("/%FC", "/%FC", true),
            ("/a%2Fb", "/a%2fb", true),
            ("/a%2Fb", "/a/b", false),
            ("/100%", "/100%", true),
        ] {
            assert_eq!(
                globs(&[glob]).unwrap().matches(path),
                matches,
                "{glob} on {path}"
            );
        }
        let two = globs(&["/a", "/b"]).unwrap();
        assert!(two.matches("/b") && !two.matches("/c") && !two.is_empty());
        assert!(!PathGlobs::default().matches("/"));
    }

    #[test]
    fn a_list_that_cannot_be_used_is_refused() {
        let many: Vec<String> = (0..=PATH_GLOBS_MAX).map(|n| format!("/{n}")).collect();
        assert_eq!(
            PathGlobs::new(many).unwrap_err(),
            PathGlobError::TooMany { found: 33 }
        );
        let long = format!("/{}", "a".repeat(PATH_GLOB_MAX_BYTES));
        assert_eq!(globs(&[&long]).unwrap_err(), PathGlobError::TooLong);
        for (glob, is_path) in [
            ("blog/*", false),
            ("", false),
            ("*", false),
            ("/a[", true),
            ("/{a", true),
        ] {
            let glob = glob.to_owned();
            let expected = if is_path {
                PathGlobError::Invalid { glob: glob.clone() }
            } else {
                PathGlobError::NotAPath { glob: glob.clone() }
            };
            assert_eq!(globs(&[&glob]).unwrap_err(), expected);
        }
    }

    /// Backtracking would never end here.
    #[test]
    fn the_hardest_list_allowed_is_an_automaton_all_the_same() {
        let glob = format!("/{}z", "**/a*".repeat(50));
        let hard = globs(&vec![glob.as_str(); PATH_GLOBS_MAX]).unwrap();
        assert!(!hard.matches(&"/ab/c".repeat(400)));
        assert!(hard.matches(&format!("/{}z", "a/".repeat(49).as_str().to_owned() + "a")));
    }
}

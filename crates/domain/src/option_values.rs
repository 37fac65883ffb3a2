//! The values of options as clients write them.
//!
//! One rule and one sentence for each option, whether it stands in a request or on a command line.

use thiserror::Error;

use crate::crawl_options::{
    DELAY_MS_MAX, Formats, MAX_BYTES_MAX, MAX_DEPTH_MAX, MAX_DURATION_S_MAX, SitemapUse,
};

/// Largest `deadline_s`, a month: longer than any batch, and what has ended is kept no longer by
/// default.
pub const DEADLINE_S_MAX: u64 = 30 * 24 * 3600;

/// A value that an option does not allow. The text says what it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OptionError {
    /// Not a number, or one out of its range.
    #[error("must be a whole number from {min} to {max}")]
    Number {
        /// The least value allowed.
        min: u64,
        /// The largest value allowed.
        max: u64,
    },
    /// No use of sitemaps.
    #[error("must be one of {}", SitemapUse::ALL.map(SitemapUse::as_str).join(", "))]
    Sitemap,
    /// No list of formats.
    #[error("must be a list of {}", Formats::WORDS.join(", "))]
    Formats,
}

/// Reads `deadline_s`: seconds from acceptance after which what has not ended fails.
///
/// # Errors
/// [`OptionError::Number`].
pub fn deadline_s(text: &str) -> Result<u64, OptionError> {
    whole(text, 1, DEADLINE_S_MAX)
}

/// Reads `max_depth`: links from the start page at most.
///
/// # Errors
/// [`OptionError::Number`].
pub fn max_depth(text: &str) -> Result<u32, OptionError> {
    let depth = whole(text, 0, u64::from(MAX_DEPTH_MAX))?;
    Ok(u32::try_from(depth).unwrap_or(MAX_DEPTH_MAX))
}

/// Reads `delay_ms`: the least time between two fetches, in milliseconds.
///
/// # Errors
/// [`OptionError::Number`].
pub fn delay_ms(text: &str) -> Result<u64, OptionError> {
    whole(text, 0, DELAY_MS_MAX)
}

/// Reads `max_duration_s`: seconds after which no further page is fetched.
///
/// # Errors
/// [`OptionError::Number`].
pub fn max_duration_s(text: &str) -> Result<u64, OptionError> {
    whole(text, 1, MAX_DURATION_S_MAX)
}

/// Reads `max_bytes`: bytes after which no further page is fetched.
///
/// # Errors
/// [`OptionError::Number`].
pub fn max_bytes(text: &str) -> Result<u64, OptionError> {
    whole(text, 1, MAX_BYTES_MAX)
}

/// Reads `sitemap`: what sitemaps are for.
///
/// # Errors
/// [`OptionError::Sitemap`].
pub fn sitemap(word: &str) -> Result<SitemapUse, OptionError> {
    let found = SitemapUse::ALL
        .into_iter()
        .find(|usage| usage.as_str() == word);
    found.ok_or(OptionError::Sitemap)
}

/// Reads `formats`: what is kept of each page.
///
/// # Errors
/// [`OptionError::Formats`].
pub fn formats<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Formats, OptionError> {
    let mut formats = Formats::default();
    if words.into_iter().all(|word| formats.add(word)) {
        Ok(formats)
    } else {
        Err(OptionError::Formats)
    }
}

fn whole(text: &str, min: u64, max: u64) -> Result<u64, OptionError> {
    text.parse()
        .ok()
        .filter(|number| (min..=max).contains(number))
        .ok_or(OptionError::Number { min, max })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_of_each_range_are_in_and_their_neighbors_out() {
        fn check<T>(name: &str, read: fn(&str) -> Result<T, OptionError>, min: u64, max: u64) {
            for (number, is_in) in [
                (min, true),
                (max, true),
                (min.wrapping_sub(1), false),
                (max + 1, false),
            ] {
                let found = read(&number.to_string());
                assert_eq!(found.is_ok(), is_in, "{name} {number}");
            }
            for text in ["", "x", "-1", "1.5", "1e3", " 1"] {
                let refused = read(text).err();
                assert_eq!(
                    refused,
                    Some(OptionError::Number { min, max }),
                    "{name} {text:?}"
                );
            }
        }
        check("deadline_s", deadline_s, 1, 2_592_000);
        check("max_depth", max_depth, 0, 100);
        check("delay_ms", delay_ms, 0, 60_000);
        check("max_duration_s", max_duration_s, 1, 86_400);
        check("max_bytes", max_bytes, 1, 10_485_760_000);
    }

    #[test]
    fn words_are_known_and_others_are_told_which() {
        for usage in SitemapUse::ALL {
            assert_eq!(sitemap(usage.as_str()), Ok(usage));
        }
        assert_eq!(
            sitemap("Skip").unwrap_err().to_string(),
            "must be one of include, skip, only"
        );
        let links = Formats {
            links: true,
            ..Formats::default()
        };
        assert_eq!(formats(["metadata", "links"]), Ok(links));
        assert_eq!(
            formats(["links", "html"]).unwrap_err().to_string(),
            "must be a list of metadata, text, markdown, links"
        );
    }
}

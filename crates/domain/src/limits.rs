//! What one submission may ask for.

use thiserror::Error;

/// A number outside its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{name} must be from {min} to {max}, not {found}")]
pub struct LimitError {
    /// The name of the limit as clients write it.
    pub name: &'static str,
    /// The least value allowed.
    pub min: u32,
    /// The largest value allowed.
    pub max: u32,
    /// The value found.
    pub found: i64,
}

fn within(name: &'static str, min: u32, max: u32, found: i64) -> Result<u32, LimitError> {
    u32::try_from(found)
        .ok()
        .filter(|value| (min..=max).contains(value))
        .ok_or(LimitError {
            name,
            min,
            max,
            found,
        })
}

/// The most domains one batch may hold.
pub const DOMAINS_MAX: usize = 100_000;

/// The most bytes of metadata one batch may carry, as JSON text (chosen: it travels in one request
/// of at most 200 KB).
pub const METADATA_BYTES_MAX: usize = 64 * 1024;

/// The most pages to fetch of one site: 1 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxPages(u32);

impl MaxPages {
    /// What is used where a client says nothing.
    pub const DEFAULT: Self = Self(50);

    /// Checks the range.
    ///
    /// # Errors
    /// [`LimitError`] outside 1 to 10,000.
    pub fn new(pages: i64) -> Result<Self, LimitError> {
        within("max_pages", 1, 10_000, pages).map(Self)
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

/// The most sites of one batch crawled at once: 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxConcurrent(u32);

impl MaxConcurrent {
    /// What is used where a client says nothing.
    pub const DEFAULT: Self = Self(5);
    /// One site at a time.
    pub const ONE: Self = Self(1);

    /// Checks the range.
    ///
    /// # Errors
    /// [`LimitError`] outside 1 to 1,000.
    pub fn new(sites: i64) -> Result<Self, LimitError> {
        within("max_concurrent", 1, 1_000, sites).map(Self)
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_of_each_range_are_in_and_their_neighbors_out() {
        for (value, ok) in [
            (-1, false),
            (0, false),
            (1, true),
            (10_000, true),
            (10_001, false),
        ] {
            assert_eq!(MaxPages::new(value).is_ok(), ok, "max_pages {value}");
        }
        for (value, ok) in [(0, false), (1, true), (1_000, true), (1_001, false)] {
            assert_eq!(
                MaxConcurrent::new(value).is_ok(),
                ok,
                "max_concurrent {value}"
            );
        }
        assert_eq!(
            MaxPages::new(i64::MAX).unwrap_err().to_string(),
            "max_pages must be from 1 to 10000, not 9223372036854775807"
        );
    }
}

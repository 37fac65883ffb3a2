//! Which slice of a list a client asks for: `?after=…&limit=…`.

use std::collections::BTreeMap;

use actix_web::web::Query;

use super::error::RequestError;

/// Most entries of one answer. Chosen: at the largest a page may be it comes to 11 MiB.
const LIMIT_MAX: u32 = 100;

const LIMIT_DEFAULT: u32 = 25;

/// A slice of a list that is ordered by place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slice {
    /// The place after which it begins; `None` is the beginning.
    pub(crate) after: Option<u32>,
    /// Entries at most.
    pub(crate) limit: u32,
}

impl Slice {
    /// Reads the query of a URL.
    ///
    /// # Errors
    /// [`RequestError`] naming the parameter and the rule.
    pub(crate) fn read(query: &str) -> Result<Self, RequestError> {
        let parameters = Query::<BTreeMap<String, String>>::from_query(query)
            .map_err(|_malformed| RequestError::field("the query", "must be a URL query"))?;
        let mut slice = Self {
            after: None,
            limit: LIMIT_DEFAULT,
        };
        for (name, value) in parameters.into_inner() {
            match name.as_str() {
                "after" => slice.after = Some(whole("after", &value, 0, i32::MAX.unsigned_abs())?),
                "limit" => slice.limit = whole("limit", &value, 1, LIMIT_MAX)?,
                _ => {
                    return Err(RequestError::UnknownField {
                        field: super::fields::echo(&name),
                        known: &["after", "limit"],
                    });
                }
            }
        }
        Ok(slice)
    }
}

fn whole(name: &str, value: &str, min: u32, max: u32) -> Result<u32, RequestError> {
    value
        .parse()
        .ok()
        .filter(|number| (min..=max).contains(number))
        .ok_or_else(|| {
            RequestError::field(name, format!("must be a whole number from {min} to {max}"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_read_within_its_ranges() {
        let read = |query| {
            Slice::read(query)
                .map(|slice| (slice.after, slice.limit))
                .map_err(|error| error.to_string())
        };
        assert_eq!(read(""), Ok((None, 25)));
        assert_eq!(read("limit=100&after=0"), Ok((Some(0), 100)));
        for refused in [
            "limit=0",
            "limit=101",
            "limit=x",
            "limit=",
            "after=-1",
            "after=2147483648",
            "page=2",
        ] {
            assert!(read(refused).is_err(), "{refused}");
        }
    }
}

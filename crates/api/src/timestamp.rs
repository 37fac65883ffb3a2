//! Times as clients see them: RFC 3339, in UTC.

use serde::{Serialize, Serializer};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// A time that is written as RFC 3339 in UTC.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timestamp(pub(crate) OffsetDateTime);

impl Timestamp {
    /// This moment by the clock of this process.
    pub(crate) fn now() -> Self {
        Self(OffsetDateTime::now_utc())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0
            .to_offset(UtcOffset::UTC)
            .format(&Rfc3339)
            // Only years beyond 9999 have no such form, and no clock shows them.
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

//! What clients send: read with limits, checked field by field, and refused by name.
//!
//! Nothing here touches the database. [`Submission`] is what is left: checked, normalized, without
//! duplicates, and no longer borrowing from the body.

mod body;
mod domains;
mod error;
mod fields;
mod metadata;
mod options;
mod slice;
mod submission;

pub(crate) use body::{Body, BodyRoom, check_media_type, read_body};
pub(crate) use domains::InvalidDomain;
pub(crate) use error::RequestError;
pub(crate) use metadata::own_metadata;
pub(crate) use options::Options;
pub(crate) use slice::Slice;
pub(crate) use submission::{Submission, retry_id};

//! One request at a time: name, connection, answer, body.
//!
//! Every connection goes to an address that was vetted, every wait has a limit and every body a
//! cap. Redirects are answers here, not followed; following them is a decision of the crawl.

mod body;
mod client;
mod cookies;
mod error;
mod resolve;
mod retry_after;
mod tls;

pub(crate) use body::Rationed;
pub(crate) use client::{Answer, Fetcher};
pub(crate) use cookies::Cookies;
pub(crate) use error::FetchError;
pub(crate) use retry_after::WAIT_MAX;
pub(crate) use tls::TlsSetupError;

#[cfg(test)]
mod tests;

//! What a page has to say, for those who ask for more than its facts.

use serde::{Deserialize, Serialize};

/// Upper bound of the content of one page as JSON, in bytes: the sum of the limits below and of
/// the names of the fields.
pub const CONTENT_MAX_BYTES: usize = 64 * 1024;

/// Most bytes of the text as JSON. Chosen: three thousand words.
pub(crate) const TEXT_MAX_BYTES: usize = 20 * 1024;

/// Most bytes of the Markdown as JSON. Chosen: the same text with its links.
pub(crate) const MARKDOWN_MAX_BYTES: usize = 24 * 1024;

/// Most bytes of the links as JSON. Chosen: what remains.
pub(crate) const LINKS_MAX_BYTES: usize = 19 * 1024;

/// The content of a page, each part only where it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PageContent {
    /// The main content as plain text, a block to each line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The main content as Markdown (`CommonMark`, with tables).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub markdown: Option<String>,
    /// Where the page leads, each URL once, in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<Vec<PageLink>>,
    /// Something was left out because it did not fit.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
}

/// A link of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageLink {
    /// The canonical URL.
    pub url: String,
    /// What the link says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

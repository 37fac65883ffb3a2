//! Where an image is, also if it loads late and something else stands in its place.

use std::borrow::Cow;

use super::super::tag::Attributes;

/// The address of an image.
pub(super) fn source<'a>(attributes: &'a Attributes<'_>) -> Option<Cow<'a, str>> {
    let src = attributes.get("src").filter(|src| !is_data(src));
    if let Some(src) = src.as_ref().filter(|src| !is_placeholder(src)) {
        return Some(src.clone());
    }
    let late = ["data-src", "data-lazy-src", "data-original"]
        .into_iter()
        .filter_map(|name| attributes.get(name));
    let sets = ["data-srcset", "data-lazy-srcset", "srcset"]
        .into_iter()
        .filter_map(|name| attributes.get(name))
        .filter_map(|set| {
            let first = set.split_ascii_whitespace().next()?;
            Some(Cow::Owned(first.trim_end_matches(',').to_owned()))
        });
    late.chain(sets).find(|url| !is_data(url)).or(src)
}

fn is_data(url: &str) -> bool {
    let url = url.trim();
    url.is_empty() || url.starts_with("data:")
}

/// Files that stand where an image will be.
fn is_placeholder(url: &str) -> bool {
    let file = url.rsplit('/').next().unwrap_or_default();
    ["blank.", "placeholder.", "spacer.", "1x1.", "lazy."]
        .iter()
        .any(|name| file.starts_with(name))
}

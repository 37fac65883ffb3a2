//! What the references of a page are resolved against.

use trawl_domain::url_rules::{PageUrl, PageUrlError};
use url::Url;

/// Most bytes of a reference that is remembered. Chosen: longer than any that leads somewhere.
const REMEMBERED_MAX_BYTES: usize = 8 * 1024;

/// The base of a page: its own URL, or what `<base>` says.
///
/// Remembers what it has resolved last, as several ask where a link leads, and the next link often
/// leads there too: a picture and the title under it.
#[derive(Debug)]
pub(super) struct Base {
    url: Url,
    last: Option<String>,
    resolved: Result<PageUrl, PageUrlError>,
}

impl Base {
    pub(super) fn new(url: Url) -> Self {
        Self {
            url,
            last: None,
            resolved: Err(PageUrlError::Invalid),
        }
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Where a reference leads, without the white space around it.
    ///
    /// # Errors
    ///
    /// See [`PageUrlError`].
    pub(super) fn resolve(&mut self, reference: &str) -> Result<&PageUrl, PageUrlError> {
        let reference = reference.trim();
        if self.last.as_deref() != Some(reference) {
            self.resolved = PageUrl::resolve(&self.url, reference);
            let last = self.last.get_or_insert_default();
            last.clear();
            if reference.len() <= REMEMBERED_MAX_BYTES {
                last.push_str(reference);
            } else {
                self.last = None;
            }
        }
        self.resolved.as_ref().map_err(|error| *error)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_remembered_is_what_would_be_resolved(
            references in proptest::collection::vec("( ?/?[ab]|#c|mailto:x|//|\\PC{0,4})", 0..20),
        ) {
            let url = Url::parse("https://a.test/b/c").expect("a URL");
            let mut base = Base::new(url.clone());
            for reference in references {
                let expected = PageUrl::resolve(&url, reference.trim());
                prop_assert_eq!(base.resolve(&reference).cloned(), expected, "{}", reference);
            }
        }
    }

    #[test]
    fn a_reference_that_is_too_long_to_remember_is_resolved_too() {
        let mut base = Base::new(Url::parse("https://a.test/b").expect("a URL"));
        let long = format!("c#{}", "x".repeat(REMEMBERED_MAX_BYTES));
        for reference in ["d", &long, "d", &long, ""] {
            let expected = PageUrl::resolve(&base.url.clone(), reference);
            assert_eq!(
                base.resolve(reference).cloned(),
                expected,
                "{}",
                reference.len()
            );
        }
    }
}

//! Every crate begins by saying what it is.

use super::workspace::File;

/// Crates that do not.
pub(super) fn check(roots: &[File]) -> Vec<String> {
    let silent = roots
        .iter()
        .filter(|root| !root.text.trim_start().starts_with("//! "));
    silent
        .map(|root| format!("{}: the crate does not begin with a `//!` doc", root.path))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_without_a_doc_is_found() {
        let file = |text: &str| File {
            path: "src/lib.rs".into(),
            text: text.into(),
        };
        assert_eq!(
            check(&[file("//! Says what it is.\n")]),
            Vec::<String>::new()
        );
        for bad in ["", "use std::fs;\n//! Late.\n", "// No doc.\n", "//!\n"] {
            assert_eq!(check(&[file(bad)]).len(), 1, "{bad:?}");
        }
    }
}

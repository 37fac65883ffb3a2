//! Every crate takes its lints from the workspace.

use super::workspace::File;

/// Manifests that do not.
pub(super) fn check(manifests: &[File]) -> Vec<String> {
    let without = manifests
        .iter()
        .filter(|manifest| !inherits_lints(&manifest.text));
    without
        .map(|manifest| format!("{}: no `[lints] workspace = true`", manifest.path))
        .collect()
}

fn inherits_lints(manifest: &str) -> bool {
    let mut in_lints = false;
    for line in manifest
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
    {
        if line.starts_with('[') {
            in_lints = line == "[lints]";
        } else if in_lints && line.replace(' ', "") == "workspace=true" {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_with_lints_of_its_own_is_found() {
        for (text, expected) in [
            ("[lints]\nworkspace = true\n", true),
            ("[package]\n\n[lints] # shared\n\nworkspace=true", true),
            ("[package]\nname = \"x\"\n", false),
            ("[lints]\n[dependencies]\nworkspace = true\n", false),
            ("[lints.rust]\nunsafe_code = \"allow\"\n", false),
        ] {
            assert_eq!(inherits_lints(text), expected, "{text}");
        }
        let manifest = File {
            path: "crates/x/Cargo.toml".into(),
            text: String::new(),
        };
        assert_eq!(
            check(&[manifest]),
            ["crates/x/Cargo.toml: no `[lints] workspace = true`"]
        );
    }
}

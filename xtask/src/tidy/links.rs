//! Every relative link in a Markdown file leads somewhere.
//!
//! Only what the repository holds is checked: addresses of other sites are nobody's promise.

use super::workspace::File;

/// Links that lead nowhere; `exists` answers for a path relative to the root.
pub(super) fn check(files: &[File], exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        for (line, target) in targets(&file.text) {
            let path = target.split(['#', '?']).next().unwrap_or_default();
            if is_elsewhere(&target) || path.is_empty() {
                continue;
            }
            match resolve(&file.path, path) {
                Some(resolved) if exists(&resolved) => {}
                _ => findings.push(format!("{}:{line}: {target} leads nowhere", file.path)),
            }
        }
    }
    findings
}

/// The targets of inline links and link definitions, with their lines; code is no text.
fn targets(markdown: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    for (index, line) in markdown.lines().enumerate() {
        let start = line.trim_start();
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (Some(_), _) => {}
            (None, None) => {
                let text = without_code(line);
                found.extend(inline_targets(&text).map(|target| (index + 1, target.to_owned())));
                if let Some(target) = definition_target(&text) {
                    found.push((index + 1, target.to_owned()));
                }
            }
        }
    }
    found
}

/// A line without what stands between backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join(" ")
}

fn inline_targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split(')').next()?.trim();
        // A title may follow: `](path "title")`.
        target
            .split_whitespace()
            .next()
            .map(|path| path.trim_matches(['<', '>']))
    })
}

/// `[name]: path`
fn definition_target(line: &str) -> Option<&str> {
    let (name, target) = line.trim_start().strip_prefix('[')?.split_once("]:")?;
    if name.contains(']') {
        None
    } else {
        target.split_whitespace().next()
    }
}

fn is_elsewhere(target: &str) -> bool {
    target.contains("://") || target.starts_with("mailto:")
}

/// The path from the root, or nothing for one that leaves the repository.
fn resolve(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = match target.strip_prefix('/') {
        Some(_from_the_root) => Vec::new(),
        None => from
            .rsplit_once('/')
            .map_or(Vec::new(), |(folder, _)| folder.split('/').collect()),
    };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<String> {
        let file = File {
            path: "docs/page.md".into(),
            text: text.into(),
        };
        let exists = |path: &str| ["README.md", "docs/other.md", "docs"].contains(&path);
        check(&[file], exists)
    }

    #[test]
    fn links_that_lead_somewhere_are_fine() {
        for text in [
            "[a](other.md) and [b](../README.md#part \"title\")",
            "[c](/docs/other.md) [d](#here) [e](https://example.com/x) [f](mailto:a@example.com)",
            "`[code](nowhere.md)`\n```\n[code](nowhere.md)\n```\n",
            "[name]: other.md\n[folder]: ../docs/",
        ] {
            assert_eq!(findings(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        for (text, expected) in [
            ("see\n[x](gone.md)", "docs/page.md:2: gone.md leads nowhere"),
            (
                "[x](other.md) [y](../gone.md#part)",
                "docs/page.md:1: ../gone.md#part leads nowhere",
            ),
            ("[x]: gone.md", "docs/page.md:1: gone.md leads nowhere"),
            (
                "[x](../../outside.md)",
                "docs/page.md:1: ../../outside.md leads nowhere",
            ),
        ] {
            assert_eq!(findings(text), [expected], "{text}");
        }
    }
}

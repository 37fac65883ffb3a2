//! No source file longer than one can keep in mind.

use super::workspace::File;

/// The house's limit ("split above 500 lines, or when the module doc needs 'and'"), with a margin
/// for a last test.
const MOST_LINES: usize = 520;

/// Files above the limit.
pub(super) fn check(files: &[File]) -> Vec<String> {
    let counted = files.iter().map(|file| (file, file.text.lines().count()));
    let long = counted.filter(|(_file, lines)| *lines > MOST_LINES);
    long.map(|(file, lines)| format!("{}: {lines} lines, of at most {MOST_LINES}", file.path))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_above_the_limit_is_found() {
        let file = |lines| File {
            path: "src/god.rs".into(),
            text: "x\n".repeat(lines),
        };
        assert_eq!(check(&[file(MOST_LINES)]), Vec::<String>::new());
        assert_eq!(
            check(&[file(521)]),
            ["src/god.rs: 521 lines, of at most 520"]
        );
    }
}

//! The extraction holds its figures on the labeled pages; see `docs/accuracy.md`.

#[path = "../examples/accuracy/measure/mod.rs"]
mod measure;

use measure::field::Field;
use measure::{Tally, score_pages};

/// Least precision and recall.
const LEAST: [(Field, f64, f64); 1] = [(Field::Title, 0.98, 0.95)];

#[test]
fn precision_and_recall_hold() {
    let pages = score_pages().unwrap();
    let errors: String = pages.iter().map(|page| page.errors()).collect();
    for (field, precision, recall) in LEAST {
        let tally = Tally::of(&pages, field);
        let is_held = tally.precision() >= Some(precision) && tally.recall() >= Some(recall);
        let name = field.name();
        assert!(is_held, "{name}: {tally:?}, all errors:\n{errors}");
    }
}

#[test]
fn each_page_has_its_labels_and_each_label_its_page() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/accuracy");
    let mut slugs = [vec![], vec![]];
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let slug = path.file_stem().unwrap().to_owned();
        match path.extension().unwrap().to_str().unwrap() {
            "html" => slugs[0].push(slug),
            "json" => slugs[1].push(slug),
            _ => panic!("{} is neither page nor labels", path.display()),
        }
    }
    slugs.iter_mut().for_each(|slugs| slugs.sort());
    assert_eq!(slugs[0], slugs[1]);
}

//! The extraction holds its figures on the labeled pages; see `docs/accuracy.md`.

#[path = "../examples/accuracy/measure/mod.rs"]
mod measure;

use std::collections::BTreeSet;

use measure::field::Field;
use measure::labels::Part;
use measure::{PageScore, Tally, score_pages};

/// Least precision and recall: what was reached, a little rounded down, so that it does not fall.
const LEAST: [(Field, f64, f64); 10] = [
    (Field::Title, 1.0, 1.0),
    (Field::Emails, 0.99, 0.99),
    (Field::Phones, 0.99, 0.99),
    (Field::Social, 0.98, 0.98),
    (Field::CompanyName, 0.97, 0.93),
    (Field::Addresses, 0.98, 0.91),
    (Field::VatIds, 0.99, 0.99),
    (Field::RegistrationNumbers, 0.99, 0.99),
    (Field::OpeningHours, 0.99, 0.95),
    (Field::Technologies, 0.98, 0.95),
];

/// The same of the pages that nobody tunes on: what they gave when they were first run, less one
/// value, so that no better rule must be given up for a single page that none may look at.
const LEAST_UNSEEN: [(Field, f64, f64); 8] = [
    (Field::Title, 1.0, 1.0),
    (Field::Emails, 0.98, 0.95),
    (Field::Phones, 0.96, 0.94),
    (Field::Social, 0.97, 0.97),
    (Field::Addresses, 0.90, 0.76),
    (Field::VatIds, 0.88, 0.80),
    (Field::OpeningHours, 0.97, 0.85),
    (Field::Technologies, 0.98, 0.94),
];

/// Least pages and languages of the set.
const PAGES_LEAST: usize = 100;
/// See [`PAGES_LEAST`].
const LANGUAGES_LEAST: usize = 20;

#[test]
fn precision_and_recall_hold() {
    let pages = score_pages().unwrap();
    let tuned = || pages.iter().filter(|page| page.part != Part::Unseen);
    let errors: String = tuned().map(|page| page.errors()).collect();
    hold(&LEAST, tuned, &format!("all errors:\n{errors}"));
}

#[test]
fn precision_and_recall_hold_on_pages_that_nobody_tunes_on() {
    let pages = score_pages().unwrap();
    let unseen = || pages.iter().filter(|page| page.part == Part::Unseen);
    hold(
        &LEAST_UNSEEN,
        unseen,
        "its errors are not for those who tune",
    );
}

fn hold<'p, P: Iterator<Item = &'p PageScore>>(
    least: &[(Field, f64, f64)],
    pages: impl Fn() -> P,
    note: &str,
) {
    for (field, precision, recall) in least {
        let tally = Tally::of(pages(), *field);
        let is_held = tally.precision() >= Some(*precision) && tally.recall() >= Some(*recall);
        assert!(is_held, "{}: {tally:?}, {note}", field.name());
    }
}

#[test]
fn the_set_is_large_and_speaks_many_languages() {
    let pages = score_pages().unwrap();
    let primary = |page: &PageScore| page.language.split('-').next().map(str::to_owned);
    let languages: BTreeSet<_> = pages.iter().filter_map(primary).collect();
    assert!(pages.len() >= PAGES_LEAST, "{} pages", pages.len());
    assert!(languages.len() >= LANGUAGES_LEAST, "{languages:?}");
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

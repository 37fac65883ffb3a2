//! Prints how well the extraction does on the labeled pages; see `docs/accuracy.md`.
//!
//! `--errors` adds each value that was found wrongly or missed, but for the unseen pages, which
//! stay so. What is measured, and how, is in `measure`, which a test shares.

#![expect(clippy::print_stdout, reason = "what is printed is the result")]

mod measure;

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use measure::field::Field;
use measure::labels::Part;
use measure::{PageScore, Tally};

fn main() -> Result<()> {
    let shows_errors = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--errors") => true,
        Some(other) => bail!("unknown argument {other}"),
    };
    let pages = measure::score_pages()?;
    let languages: BTreeSet<&str> = pages.iter().map(|page| page.language.as_str()).collect();
    println!("{} pages in {} languages", pages.len(), languages.len());
    for part in Part::ALL {
        let of_part = || pages.iter().filter(move |page| page.part == part);
        print_fields(part.name(), of_part().count(), of_part);
    }
    print_fields("all", pages.len(), || pages.iter());
    print_languages("precision", &pages, &languages, Tally::precision);
    print_languages("recall", &pages, &languages, Tally::recall);
    if shows_errors {
        for page in pages.iter().filter(|page| page.part != Part::Unseen) {
            print!("{}", page.errors());
        }
    }
    Ok(())
}

fn print_fields<'p, P: Iterator<Item = &'p PageScore>>(
    title: &str,
    count: usize,
    pages: impl Fn() -> P,
) {
    if count == 0 {
        return;
    }
    println!("\n{title}: {count} pages");
    println!(
        "{:<22}{:>9}{:>8}{:>8}{:>8}{:>11}{:>8}",
        "field", "expected", "found", "wrong", "missed", "precision", "recall"
    );
    for field in Field::ALL {
        let tally = Tally::of(pages(), field);
        println!(
            "{:<22}{:>9}{:>8}{:>8}{:>8}{:>11}{:>8}",
            field.name(),
            tally.expected,
            tally.found,
            tally.found - tally.right,
            tally.expected - tally.recalled,
            share(tally.precision()),
            share(tally.recall()),
        );
    }
}

fn print_languages(
    title: &str,
    pages: &[PageScore],
    languages: &BTreeSet<&str>,
    figure: fn(&Tally) -> Option<f64>,
) {
    print!("\n{title:<22}");
    for language in languages {
        print!("{language:>8}");
    }
    println!();
    for field in Field::ALL {
        print!("{:<22}", field.name());
        for language in languages {
            let pages = pages.iter().filter(|page| page.language == *language);
            print!("{:>8}", share(figure(&Tally::of(pages, field))));
        }
        println!();
    }
}

/// Three digits, cut and not rounded: 0.9799 is not 0.980.
fn share(figure: Option<f64>) -> String {
    figure.map_or_else(
        || "–".to_owned(),
        |figure| format!("{:.3}", (figure * 1000.0).floor() / 1000.0),
    )
}

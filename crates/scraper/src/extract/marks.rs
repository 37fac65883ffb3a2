//! The words by which contacts are known in a text, looked for all at once.

use std::sync::LazyLock;

use super::{company_name, email_text, others, region, registers};
use crate::words::Words;

/// Where a word is: its index in its list, its first byte and the byte after it.
pub(super) type Place = (usize, usize, usize);

/// The words in a text, of each list in the order of their ends.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Signs of e-mail addresses.
    pub(super) at_signs: Vec<Place>,
    /// Legal forms of companies.
    pub(super) legal_forms: Vec<Place>,
    /// Words before the numbers of companies.
    pub(super) labels: Vec<Place>,
    /// Names of countries.
    pub(super) countries: Vec<Place>,
    /// Words for others, whose contacts are none of the site's own.
    pub(super) others: Vec<Place>,
}

#[derive(Debug, Clone, Copy)]
enum List {
    AtSigns,
    LegalForms,
    Labels,
    Countries,
    Others,
}

/// All lists in one automaton.
struct All {
    words: Words,
    /// For each word, its list and its index there.
    origins: Vec<(List, usize)>,
}

static ALL: LazyLock<All> = LazyLock::new(|| {
    let mut words = Vec::new();
    let mut origins = Vec::new();
    let mut add = |list: List, index: usize, word: &'static str| {
        words.push(word);
        origins.push((list, index));
    };
    let at_signs = email_text::at_signs().enumerate();
    at_signs.for_each(|(index, word)| add(List::AtSigns, index, word));
    let legal_forms = company_name::legal_forms().enumerate();
    legal_forms.for_each(|(index, word)| add(List::LegalForms, index, word));
    let labels = registers::labels().enumerate();
    labels.for_each(|(index, word)| add(List::Labels, index, word));
    let countries = region::country_names().enumerate();
    countries.for_each(|(index, word)| add(List::Countries, index, word));
    let others = others::words().enumerate();
    others.for_each(|(index, word)| add(List::Others, index, word));
    All {
        words: Words::new(words),
        origins,
    }
});

impl Marks {
    /// The words in a text.
    pub(super) fn of(text: &str) -> Self {
        let mut marks = Self::default();
        for (word, start, end) in ALL.words.find(text) {
            let Some((list, index)) = ALL.origins.get(word) else {
                continue;
            };
            let list = match list {
                List::AtSigns => &mut marks.at_signs,
                List::LegalForms => &mut marks.legal_forms,
                List::Labels => &mut marks.labels,
                List::Countries => &mut marks.countries,
                List::Others => &mut marks.others,
            };
            list.push((*index, start, end));
        }
        marks
    }
}

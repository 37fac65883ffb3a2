//! Who else a page names: authorities and chambers, insurers, hosts, services and the makers of the
//! site, whose contacts are none of its own.
//!
//! Known by words before a contact, in its sentence, or in the few lines above it. Never told of
//! what is at the site's own domain, nor by words of the site's own name.

mod words;

use std::ops::Range;

use super::marks::{Marks, Place};
use crate::registrable::registrable_domain;
pub(super) use words::ADDRESSES;
use words::{CONTACTS, ENDS, HEADINGS, SERVICES};

/// Most bytes of a line that speaks of the lines below it: a heading, or a name.
const HEADING_MAX_BYTES: usize = 120;

/// Most bytes of a line that is nothing but a heading, which speaks of the paragraph below it,
/// however long.
const TITLE_MAX_BYTES: usize = 40;

/// How many lines below such a line are of the same: an address, a phone number, a mail.
const LINES_MAX: usize = 5;

/// Fewest letters of a word before a full stop that ends a sentence.
const SENTENCE_WORD_MIN: usize = 4;

/// The words, in either case.
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    CONTACTS.iter().copied()
}

/// Whether a domain is that of a service that many sites name, or of a state.
pub(super) fn is_service(domain: &str) -> bool {
    let registrable = registrable_domain(domain).unwrap_or(domain);
    SERVICES
        .iter()
        .any(|known| *known == registrable || *known == domain)
}

/// Tells where others are named on the pages of a site.
#[derive(Debug, Default)]
pub(super) struct Others {
    domain: String,
    /// Names of the site, in lower case: its domain and the title of the page.
    names: String,
}

impl Others {
    pub(super) fn new(host: &str) -> Self {
        let domain = registrable_domain(host).unwrap_or(host).to_lowercase();
        Self {
            names: domain.clone(),
            domain,
        }
    }

    /// Takes a name that the site goes by.
    pub(super) fn see_name(&mut self, name: &str) {
        if self.names.len() < HEADING_MAX_BYTES {
            self.names.push('\n');
            self.names.push_str(&name.to_lowercase());
        }
    }

    /// Cuts a text into pieces, each with whether it is where others are named.
    pub(super) fn pieces<'t>(
        &self,
        text: &'t str,
        marks: &[Place],
        mut take: impl FnMut(&'t str, bool),
    ) {
        let mut from = 0;
        for passage in self.passages(text, marks) {
            if passage.start > from {
                take(text.get(from..passage.start).unwrap_or_default(), false);
            }
            from = passage.end;
            take(text.get(passage).unwrap_or_default(), true);
        }
        if from < text.len() || from == 0 {
            take(text.get(from..).unwrap_or_default(), false);
        }
    }

    /// Leaves out the legal forms in the names of others.
    pub(super) fn leave_out(&self, text: &str, marks: &mut Marks) {
        if marks.others.is_empty() || marks.legal_forms.is_empty() {
            return;
        }
        let passages = self.passages(text, &marks.others);
        let is_own = |at: &usize| !passages.iter().any(|passage| passage.contains(at));
        marks.legal_forms.retain(|(_, start, _)| is_own(start));
    }

    /// Whether what comes after a text, on its last line, is where others are named.
    pub(super) fn are_named_at_end(&self, text: &str) -> bool {
        let passages = self.passages(text, &Marks::of(text).others);
        passages.last().is_some_and(|last| last.end >= text.len())
    }

    /// Where others are named, in the order of the text.
    fn passages(&self, text: &str, marks: &[Place]) -> Vec<Range<usize>> {
        let mut passages: Vec<Range<usize>> = Vec::new();
        for &(word, start, end) in marks {
            let is_own = CONTACTS
                .get(word)
                .is_none_or(|word| self.names.contains(word.trim_end_matches([' ', ':'])));
            if is_own {
                continue;
            }
            let before = text.get(..start).unwrap_or_default();
            let first = before
                .rfind(|c: char| !c.is_alphanumeric())
                .map_or(0, |at| text.ceil_char_boundary(at + 1));
            // Short words are taken as they stand, long ones also at the end of others.
            let word_bytes = end.saturating_sub(start);
            if word_bytes < SENTENCE_WORD_MIN && first != start {
                continue;
            }
            let is_line = |text: &str| text.is_empty() || text.starts_with('\n');
            let is_whole = (before.is_empty() || before.ends_with('\n'))
                && is_line(text.get(end..).unwrap_or_default());
            if HEADINGS
                .iter()
                .any(|heading| CONTACTS.get(word) == Some(heading))
                && !is_whole
            {
                continue;
            }
            let last = self.end(text, first, end);
            match passages.last_mut() {
                Some(known) if first <= known.end => known.end = known.end.max(last),
                _ => passages.push(first..last),
            }
        }
        passages
    }

    /// Where what a word begins ends: with its sentence, or some lines below if its line is short.
    fn end(&self, text: &str, first: usize, word_end: usize) -> usize {
        let line_start = text
            .get(..first)
            .and_then(|before| before.rfind('\n'))
            .map_or(0, |at| at + 1);
        let rest = text.get(word_end..).unwrap_or_default();
        let line_end = rest.find('\n').map_or(text.len(), |at| word_end + at);
        let line = text.get(word_end..line_end).unwrap_or_default();
        if let Some(at) = sentence_end(line) {
            return word_end + at;
        }
        if line_end - line_start > HEADING_MAX_BYTES {
            return line_end;
        }
        let is_title = line_end - line_start <= TITLE_MAX_BYTES;
        // The break behind the line is of what it speaks of, even if nothing has come yet.
        let mut end = text.len().min(line_end + 1);
        let below = text.get(end..).unwrap_or_default();
        let lines = below.split_inclusive('\n').take(LINES_MAX);
        for (number, line) in lines.enumerate() {
            let lower = line.trim().to_lowercase();
            let is_end = lower.len() > HEADING_MAX_BYTES && !(is_title && number == 0)
                || (!self.domain.is_empty() && lower.contains(&self.domain))
                || ENDS.iter().any(|word| lower.starts_with(word));
            if is_end {
                break;
            }
            end += line.len();
        }
        end
    }
}

/// The byte after the full stop of the first sentence, if another follows.
fn sentence_end(line: &str) -> Option<usize> {
    let mut stops = line.match_indices(". ");
    stops.find_map(|(at, stop)| {
        let word = line.get(..at)?.rsplit([' ', '(']).next()?;
        let is_word = word.chars().count() >= SENTENCE_WORD_MIN;
        let next = line.get(at + stop.len()..)?.chars().next()?;
        (is_word && next.is_uppercase()).then_some(at + 1)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of_others(host: &str, text: &str) -> String {
        let mut found = String::new();
        Others::new(host).pieces(text, &Marks::of(text).others, |piece, is_of_others| {
            if is_of_others {
                found.push_str(piece);
            }
        });
        found
    }

    #[test]
    fn others_are_named_from_a_word_to_the_end_of_its_passage() {
        for (text, expected) in [
            ("Tel. 1\nWebdesign: Pixel a@b.de", "Webdesign: Pixel a@b.de"),
            ("Tel. 1 Site by North a@b.io", "Site by North a@b.io"),
            (
                "BBB of Denver, phone 3037582100. Call us: 1",
                "BBB of Denver, phone 3037582100.",
            ),
            (
                "Hébergeur : o2 – 04 44 – a@o2.fr\nContact : 1",
                "Hébergeur : o2 – 04 44 – a@o2.fr",
            ),
            (
                "Handwerkskammer Ulm\nWeg 1\nTel. 2\nKontakt\nTel. 3",
                "Handwerkskammer Ulm\nWeg 1\nTel. 2\n",
            ),
            (
                "Aufsichtsbehörde\nTel. 2\nMail a@firma.de\nTel. 3",
                "Aufsichtsbehörde\nTel. 2\n",
            ),
            (
                "Hosting\nWir sind bei A. Die A GmbH, a@b.de",
                "Hosting\nWir sind bei A. Die A GmbH, a@b.de",
            ),
            ("Unser Hosting ist gut\nTel. 1", ""),
            ("Wir über uns\nTelefon 1", ""),
            ("Die besten Gerichte\nTelefon 1", ""),
        ] {
            assert_eq!(
                of_others("www.firma.de", text).trim_end(),
                expected.trim_end()
            );
        }
    }

    #[test]
    fn the_words_of_its_own_name_say_nothing_of_a_site() {
        let text = "Handwerkskammer Ulm\nTel. 2";
        assert_eq!(of_others("handwerkskammer-ulm.de", text), "");
        let mut others = Others::new("hwk.de");
        assert!(others.are_named_at_end(text));
        others.see_name("Impressum | Handwerkskammer Ulm");
        assert!(!others.are_named_at_end(text));
    }

    #[test]
    fn links_stand_where_their_text_does() {
        let others = Others::new("firma.de");
        for (before, expected) in [
            ("© 2024 Firma\nWebdesign: Pixelwerk ", true),
            ("Site by Studio North · ", true),
            ("Webdesign: Pixelwerk\nKontakt\n", false),
            ("Telefon: ", false),
        ] {
            assert_eq!(others.are_named_at_end(before), expected, "{before}");
        }
        assert!(is_service("google.com") && is_service("lfdi.bwl.de"));
        assert!(!is_service("firma.de"));
    }

    proptest! {
        #[test]
        fn pieces_together_are_the_text(
            text in "(\\PC|\\n|webdesign: |aufsichtsbehörde|Médiateur|Site by |\\. |firma.de){0,40}",
        ) {
            let mut all = String::new();
            let others = Others::new("firma.de");
            others.pieces(&text, &Marks::of(&text).others, |piece, _| all.push_str(piece));
            prop_assert_eq!(&all, &text);
            others.are_named_at_end(&text);
        }
    }
}

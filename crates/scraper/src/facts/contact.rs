//! How to reach the business behind a page and what it is, each with what speaks for it.

use serde::{Deserialize, Serialize};

use super::structured::PostalAddress;

/// Most confidence there is, in percent: nothing that a page says is certain.
const CONFIDENCE_MAX: u8 = 99;

/// Points for a second way in which a value was found.
const SECOND_METHOD_POINTS: u8 = 4;

/// Points for an address at the site's own domain.
const OWN_DOMAIN_POINTS: u8 = 5;

/// Most points for further pages that show a value, one each.
const FURTHER_PAGES_POINTS_MAX: u8 = 5;

/// Confidence in a value that stands only where others are named, in percent.
const OF_OTHERS_CONFIDENCE: u8 = 30;

/// Least confidence in a value that is shown as the site's own, in percent: between that of what
/// stands where others are named, on any number of pages, and that of the least sure method.
pub const OWN_CONFIDENCE_MIN: u8 = 50;

/// How a value was found, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactMethod {
    /// A `mailto:` or `tel:` link, or a link to a profile.
    Link,
    /// What the page states for machines as JSON-LD.
    JsonLd,
    /// What the page states for machines in the attributes of microdata.
    Microdata,
    /// An address that Cloudflare hides from crawlers and shows to people.
    Cloudflare,
    /// An address that a script of the site's own system shows to people: of TYPO3 or Joomla.
    Script,
    /// What the head of the page states in `meta` and `link`.
    Head,
    /// The visible text.
    Text,
    /// The visible text, in words that are meant to keep crawlers off: `info [at] firma.de`.
    Spelled,
}

impl ContactMethod {
    /// How sure a value is that was found in this way alone, in percent. Chosen by how often each
    /// way is wrong: a link cannot be, a text may name others.
    fn confidence(self) -> u8 {
        match self {
            Self::Link | Self::JsonLd | Self::Microdata | Self::Cloudflare | Self::Script => 90,
            Self::Head => 80,
            Self::Text => 75,
            Self::Spelled => 65,
        }
    }
}

/// What speaks for a value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// How the value was found, the surest way first, each once.
    pub methods: Vec<ContactMethod>,
    /// How often it was found.
    pub count: u32,
    /// How sure it is, in percent: by the surest method, with points for a second one, for the
    /// site's own domain and, in the profile of a site, for further pages.
    pub confidence: u8,
    /// Whether all that speaks for it stands where others are named; the confidence says so
    /// beyond the page.
    #[serde(skip)]
    pub(crate) is_of_others: bool,
}

impl Evidence {
    pub(crate) fn of(method: ContactMethod) -> Self {
        Self {
            methods: vec![method],
            count: 1,
            confidence: method.confidence(),
            is_of_others: false,
        }
    }

    /// Adds what speaks for the same value elsewhere.
    pub(crate) fn merge(&mut self, other: &Self) {
        for method in &other.methods {
            if let Err(at) = self.methods.binary_search(method) {
                self.methods.insert(at, *method);
            }
        }
        self.count = self.count.saturating_add(other.count);
        self.confidence = self.confidence.max(other.confidence);
        self.is_of_others &= other.is_of_others;
    }

    /// Judges a value of one page, all of whose evidence is there.
    pub(crate) fn judge(&mut self, is_of_own_domain: bool) {
        let Some(surest) = self.methods.first() else {
            return;
        };
        let second = SECOND_METHOD_POINTS * u8::from(self.methods.len() > 1);
        let own = OWN_DOMAIN_POINTS * u8::from(is_of_own_domain);
        self.confidence = if self.is_of_others && !is_of_own_domain {
            OF_OTHERS_CONFIDENCE
        } else {
            (surest.confidence() + second + own).min(CONFIDENCE_MAX)
        };
    }

    /// Whether it may be shown as the site's own.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.confidence >= OWN_CONFIDENCE_MIN
    }

    /// The confidence in a value that so many pages show.
    pub(crate) fn confidence_of_pages(&self, pages: u32) -> u8 {
        let further = u8::try_from(pages.saturating_sub(1)).unwrap_or(u8::MAX);
        let points = further.min(FURTHER_PAGES_POINTS_MAX);
        self.confidence.saturating_add(points).min(CONFIDENCE_MAX)
    }
}

/// Something that is found more than once and kept once.
pub(crate) trait Found {
    fn is_same(&self, other: &Self) -> bool;
    fn evidence(&self) -> &Evidence;
    fn evidence_mut(&mut self) -> &mut Evidence;
}

/// Adds what was found to a list of at most `max`, or to the evidence of what is there.
pub(crate) fn add_found<T: Found>(list: &mut Vec<T>, item: T, max: usize) {
    if let Some(known) = list.iter_mut().find(|known| known.is_same(&item)) {
        known.evidence_mut().merge(item.evidence());
    } else if list.len() < max {
        list.push(item);
    }
}

/// An e-mail address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Email {
    /// The address in lower case, its domain in ASCII.
    pub value: String,
    /// What speaks for it.
    #[serde(flatten)]
    pub evidence: Evidence,
}

/// A phone number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Phone {
    /// The number by E.164: `+493012345678`.
    pub value: String,
    /// The number as it is written in its country: `030 12345678`.
    pub national: String,
    /// What speaks for it.
    #[serde(flatten)]
    pub evidence: Evidence,
}

/// A profile at a social network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SocialLink {
    /// The network, in lower case: `facebook`, `x`, `linkedin` …
    pub network: String,
    /// The canonical URL of the profile.
    pub url: String,
    /// What speaks for it.
    #[serde(flatten)]
    pub evidence: Evidence,
}

/// A postal address that the page states for machines or has in its text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Location {
    /// The address.
    #[serde(flatten)]
    pub address: PostalAddress,
    /// What speaks for it.
    #[serde(flatten)]
    pub evidence: Evidence,
}

/// Something that is known of the business itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompanyFact {
    /// What it is.
    pub kind: CompanyFactKind,
    /// The value in its normal form: `DE136695976`, `HRB 12345`, `Mo-Fr 08:00-18:00`.
    pub value: String,
    /// Of a registration number, whose it is: `DE-HRB`, `FR-SIREN`, `GB-CRN` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// The court that keeps the register, where the page names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub court: Option<String>,
    /// What speaks for it.
    #[serde(flatten, default)]
    pub evidence: Evidence,
}

impl CompanyFact {
    /// The country that a number is of, by its code.
    pub(crate) fn country(&self) -> Option<&str> {
        match self.kind {
            CompanyFactKind::VatNumber => self.value.get(..2),
            _ => self.scheme.as_ref()?.get(..2),
        }
    }
}

/// What is known of a business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompanyFactKind {
    /// The name that it is registered under.
    LegalName,
    /// The name that it goes by.
    Name,
    /// Its VAT number with the country before it.
    VatNumber,
    /// Its number in a register of companies, or for taxes that are no VAT.
    RegistrationNumber,
    /// When it is open.
    OpeningHours,
}

impl Found for Email {
    fn is_same(&self, other: &Self) -> bool {
        self.value == other.value
    }
    fn evidence(&self) -> &Evidence {
        &self.evidence
    }
    fn evidence_mut(&mut self) -> &mut Evidence {
        &mut self.evidence
    }
}

impl Found for Phone {
    fn is_same(&self, other: &Self) -> bool {
        self.value == other.value
    }
    fn evidence(&self) -> &Evidence {
        &self.evidence
    }
    fn evidence_mut(&mut self) -> &mut Evidence {
        &mut self.evidence
    }
}

impl Found for SocialLink {
    /// Networks know no difference of case in names, and authors spell theirs in many ways.
    fn is_same(&self, other: &Self) -> bool {
        self.network == other.network && self.url.eq_ignore_ascii_case(&other.url)
    }
    fn evidence(&self) -> &Evidence {
        &self.evidence
    }
    fn evidence_mut(&mut self) -> &mut Evidence {
        &mut self.evidence
    }
}

impl Found for Location {
    fn is_same(&self, other: &Self) -> bool {
        self.address == other.address
    }
    fn evidence(&self) -> &Evidence {
        &self.evidence
    }
    fn evidence_mut(&mut self) -> &mut Evidence {
        &mut self.evidence
    }
}

impl Found for CompanyFact {
    fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind && self.scheme == other.scheme && self.value == other.value
    }
    fn evidence(&self) -> &Evidence {
        &self.evidence
    }
    fn evidence_mut(&mut self) -> &mut Evidence {
        &mut self.evidence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_adds_up() {
        let mut evidence = Evidence::of(ContactMethod::Text);
        evidence.merge(&Evidence::of(ContactMethod::Link));
        evidence.merge(&Evidence::of(ContactMethod::Text));
        assert_eq!(evidence.methods, [ContactMethod::Link, ContactMethod::Text]);
        assert_eq!(evidence.count, 3);
        evidence.judge(false);
        assert_eq!(evidence.confidence, 94);
        evidence.judge(true);
        assert_eq!(evidence.confidence, 99);
    }

    #[test]
    fn confidence_is_by_method_domain_and_pages() {
        for (method, is_own, pages, expected) in [
            (ContactMethod::Link, false, 1, 90),
            (ContactMethod::Link, true, 1, 95),
            (ContactMethod::Link, true, 1000, 99),
            (ContactMethod::Head, false, 1, 80),
            (ContactMethod::Text, false, 1, 75),
            (ContactMethod::Text, true, 3, 82),
            (ContactMethod::Text, false, u32::MAX, 80),
            (ContactMethod::Spelled, false, 1, 65),
        ] {
            let mut evidence = Evidence::of(method);
            evidence.judge(is_own);
            let found = evidence.confidence_of_pages(pages);
            assert_eq!(found, expected, "{method:?} {is_own} {pages}");
        }
    }

    #[test]
    fn a_list_keeps_each_value_once_and_no_more_than_fit() {
        let email = |value: &str| Email {
            value: value.to_owned(),
            evidence: Evidence::of(ContactMethod::Text),
        };
        let mut list = Vec::new();
        for value in ["a", "b", "a", "c", "a"] {
            add_found(&mut list, email(value), 2);
        }
        let counts: Vec<_> = list
            .iter()
            .map(|e| (e.value.as_str(), e.evidence.count))
            .collect();
        assert_eq!(counts, [("a", 3), ("b", 1)]);
    }
}

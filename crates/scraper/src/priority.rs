//! Which pages matter first: those that say who is behind a site and how to reach them.
//!
//! Known by the words of their URL, in the languages that sites are written in; a pure function of
//! the URL, so that a resumed crawl decides as the first did.

use percent_encoding::percent_decode_str;
use trawl_domain::url_rules::PageUrl;

/// What a page is likely to say, what matters most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Topic {
    Contact,
    About,
    Imprint,
    Team,
    Legal,
}

impl Topic {
    pub(crate) const COUNT: usize = 5;

    /// The topic's place among all.
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Contact => 0,
            Self::About => 1,
            Self::Imprint => 2,
            Self::Team => 3,
            Self::Legal => 4,
        }
    }
}

/// Most segments of a path that is looked at: what matters lies near the root, articles deeper.
const SEGMENTS_MAX: usize = 3;

/// Most words of the last segment. Chosen: `/how-to-contact-a-lawyer-in-time` is an article.
const WORDS_MAX: usize = 3;

/// Most parameters of a query that are looked at. Chosen: the page, its language and two more.
const PARAMETERS_MAX: usize = 4;

/// Words, and joined words, of each topic, in lower case and without hyphens. Languages: English,
/// German, French, Spanish, Portuguese, Italian, Dutch, Danish, Swedish, Norwegian, Finnish, Polish,
/// Czech, Slovak, Hungarian, Romanian, Croatian, Slovenian, Greek, Turkish, Russian, Ukrainian,
/// Bulgarian, Japanese, Chinese, Korean, Indonesian, Vietnamese, Arabic, Hebrew.
const WORDS: &[(Topic, &[&str])] = &[
    (
        Topic::Contact,
        &[
            "contact",
            "contacts",
            "contactus",
            "contactos",
            "contactanos",
            "contacto",
            "contactez",
            "contacter",
            "contato",
            "contatos",
            "contatti",
            "contattaci",
            "contacteer",
            "kontakt",
            "kontakte",
            "kontaktdaten",
            "kontaktformular",
            "kontakta",
            "kontakty",
            "kontaktuj",
            "kapcsolat",
            "elerhetoseg",
            "elerhetosegek",
            "yhteystiedot",
            "yhteys",
            "iletisim",
            "bizeulasin",
            "epikoinonia",
            "επικοινωνια",
            "επικοινωνία",
            "контакты",
            "контакти",
            "контакт",
            "kontakti",
            "kontaktai",
            "lienhe",
            "hubungi",
            "hubungikami",
            "anfahrt",
            "standort",
            "standorte",
            "getintouch",
            "reachus",
            "findus",
            "locations",
            "お問い合わせ",
            "联系我们",
            "聯絡我們",
            "문의",
            "اتصل",
            "צורקשר",
        ],
    ),
    (
        Topic::About,
        &[
            "about",
            "aboutus",
            "aboutme",
            "ueberuns",
            "uberuns",
            "überuns",
            "ueber",
            "wirueberuns",
            "unternehmen",
            "firma",
            "apropos",
            "quisommesnous",
            "entreprise",
            "sobre",
            "sobrenos",
            "sobrenosotros",
            "quienessomos",
            "nosotros",
            "acerca",
            "acercade",
            "empresa",
            "quemsomos",
            "chisiamo",
            "azienda",
            "overons",
            "omos",
            "omoss",
            "meista",
            "yritys",
            "onas",
            "rolunk",
            "cegunk",
            "desprenoi",
            "onama",
            "onás",
            "hakkimizda",
            "kurumsal",
            "sxetikamas",
            "онас",
            "окомпании",
            "пронас",
            "zanas",
            "company",
            "profile",
            "whoweare",
            "ourstory",
            "会社概要",
            "会社案内",
            "关于我们",
            "關於我們",
            "회사소개",
            "tentangkami",
            "gioithieu",
            "vechungtoi",
            "מיאנחנו",
            "אודות",
        ],
    ),
    (
        Topic::Imprint,
        &[
            "impressum",
            "imprint",
            "mentionslegales",
            "mentions",
            "avisolegal",
            "notelegali",
            "colofon",
            "colophon",
            "impresum",
            "impresszum",
            "legalnotice",
            "anbieterkennzeichnung",
            "datisocietari",
            "avisolegal",
            "danefirmy",
            "特定商取引法",
        ],
    ),
    (
        Topic::Team,
        &[
            "team",
            "ourteam",
            "unserteam",
            "dasteam",
            "people",
            "staff",
            "mitarbeiter",
            "ansprechpartner",
            "equipe",
            "équipe",
            "notreequipe",
            "equipo",
            "nuestroequipo",
            "equipa",
            "ilteam",
            "lostaff",
            "medewerkers",
            "onsteam",
            "medarbejdere",
            "medarbetare",
            "ansatte",
            "henkilosto",
            "henkilökunta",
            "zespol",
            "tym",
            "csapat",
            "csapatunk",
            "echipa",
            "ekip",
            "ekibimiz",
            "команда",
            "management",
            "leadership",
            "praxisteam",
            "aerzte",
        ],
    ),
    (
        Topic::Legal,
        &[
            "legal",
            "privacy",
            "privacypolicy",
            "datenschutz",
            "datenschutzerklaerung",
            "datenschutzerklärung",
            "confidentialite",
            "politiquedeconfidentialite",
            "privacidad",
            "politicadeprivacidad",
            "privacidade",
            "politicadeprivacidade",
            "informativaprivacy",
            "privacyverklaring",
            "privatlivspolitik",
            "integritetspolicy",
            "personvern",
            "tietosuoja",
            "tietosuojaseloste",
            "politykaprywatnosci",
            "prywatnosc",
            "soukromi",
            "adatvedelem",
            "adatkezeles",
            "adatkezelesitajekoztato",
            "confidentialitate",
            "gizlilik",
            "kvkk",
            "agb",
            "terms",
            "termsandconditions",
            "termsofservice",
            "cgv",
            "cgu",
            "rechtliches",
            "gdpr",
            "プライバシーポリシー",
            "隐私政策",
        ],
    ),
];

/// The topic that a page is named by: the last segment of its path, or a value of its query, as in
/// `/index.php?page=contact`.
pub(crate) fn topic_of(url: &PageUrl) -> Option<Topic> {
    let path = percent_decode_str(url.as_url().path()).decode_utf8().ok()?;
    let path = path.trim_matches('/');
    if path.split('/').count() > SEGMENTS_MAX {
        return None;
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    topic_of_segment(last).or_else(|| {
        let parameters = url.as_url().query_pairs().take(PARAMETERS_MAX);
        let mut values = parameters.map(|(_, value)| value);
        // What people search for and sort by has such words as well, among others.
        values.find_map(|value| topic_of_word(&words_of(&stem_of(&value)).concat()))
    })
}

fn topic_of_segment(segment: &str) -> Option<Topic> {
    let stem = stem_of(segment);
    let words = words_of(&stem);
    // The whole name says most; a word of a short name is enough.
    topic_of_word(&words.concat()).or_else(|| {
        (words.len() <= WORDS_MAX)
            .then(|| words.iter().find_map(|word| topic_of_word(word)))
            .flatten()
    })
}

/// A name without its ending, in lower case.
fn stem_of(name: &str) -> String {
    name.split('.').next().unwrap_or_default().to_lowercase()
}

fn words_of(stem: &str) -> Vec<&str> {
    stem.split(['-', '_', ' ', '+'])
        .filter(|word| !word.is_empty())
        .collect()
}

fn topic_of_word(word: &str) -> Option<Topic> {
    WORDS
        .iter()
        .find(|(_, words)| words.contains(&word))
        .map(|(topic, _)| *topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_known_by_their_words() {
        for (path, topic) in [
            ("/contact", Some(Topic::Contact)),
            ("/Kontakt.html", Some(Topic::Contact)),
            ("/de/kontakt-anfahrt/", Some(Topic::Contact)),
            ("/contact-us.php?x=1", Some(Topic::Contact)),
            (
                "/%D0%BA%D0%BE%D0%BD%D1%82%D0%B0%D0%BA%D1%82%D1%8B",
                Some(Topic::Contact),
            ),
            ("/yhteystiedot", Some(Topic::Contact)),
            ("/about_us", Some(Topic::About)),
            ("/ueber-uns", Some(Topic::About)),
            ("/qui-sommes-nous", Some(Topic::About)),
            ("/o-nas", Some(Topic::About)),
            ("/hakkimizda", Some(Topic::About)),
            ("/impressum", Some(Topic::Imprint)),
            ("/mentions-legales", Some(Topic::Imprint)),
            ("/aviso-legal", Some(Topic::Imprint)),
            ("/unser-team", Some(Topic::Team)),
            ("/datenschutz", Some(Topic::Legal)),
            ("/politica-de-privacidad", Some(Topic::Legal)),
            ("/index.php?page=kontakt", Some(Topic::Contact)),
            ("/?lang=de&site=%C3%9Cber-uns.html", Some(Topic::About)),
            ("/?title=about+people", None),
            ("/?a=1&b=2&c=3&d=4&page=kontakt", None),
            ("/?contact=1", None),
            ("/?page", None),
            ("/a/b/c/d?page=kontakt", None),
            ("/", None),
            ("/blog/2020/05/about-us", None),
            ("/how-to-contact-a-lawyer-in-time", None),
            ("/page-1", None),
            ("/steam", None),
            ("/%ff", None),
        ] {
            let url = PageUrl::parse(&format!("http://a.test{path}")).expect(path);
            assert_eq!(topic_of(&url), topic, "{path}");
        }
    }
}

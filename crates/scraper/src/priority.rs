//! Which pages matter first: those that say who is behind a site and how to reach them.
//!
//! Known by the words of their URL, or of a link to them, in the languages that sites are written
//! in. What the URL says is a pure function of it, so that a resumed crawl decides as the first did;
//! what a link says is recorded with the page that has it.

mod words;

use std::collections::HashMap;
use std::sync::LazyLock;

use foldhash::fast::RandomState;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use trawl_domain::url_rules::PageUrl;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use words::WORDS;

/// What a page is likely to say, what matters most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// How to reach whoever is behind the site.
    Contact,
    /// Who that is.
    About,
    /// Who that is before the law.
    Imprint,
    /// Who works there.
    Team,
    /// What is agreed on by using the site.
    Legal,
}

impl Topic {
    /// How many there are.
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

/// Longest name of a link that is looked at, in bytes. Chosen: the longest names of such pages have
/// half of it, in any script.
pub(crate) const LABEL_MAX_BYTES: usize = 128;

/// The topic of each word, by the word's bare form.
static TOPICS: LazyLock<HashMap<String, Topic, RandomState>> = LazyLock::new(|| {
    let mut topics = HashMap::default();
    for (topic, lines) in WORDS {
        for word in lines.iter().flat_map(|line| line.split_ascii_whitespace()) {
            topics.entry(bare(word)).or_insert(*topic);
        }
    }
    topics
});

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

/// The topic that a link is named by: what it says, or its title.
pub(crate) fn topic_of_label(label: &str) -> Option<Topic> {
    if label.len() > LABEL_MAX_BYTES {
        return None;
    }
    let label = bare(label);
    let words = label.split(|c: char| !c.is_alphanumeric());
    topic_of_words(&words.filter(|word| !word.is_empty()).collect::<Vec<_>>())
}

fn topic_of_segment(segment: &str) -> Option<Topic> {
    topic_of_words(&words_of(&stem_of(segment)))
}

/// The whole name says most; a word of a short name is enough.
fn topic_of_words(words: &[&str]) -> Option<Topic> {
    if let [word] = words {
        return topic_of_word(word);
    }
    topic_of_word(&words.concat()).or_else(|| {
        (words.len() <= WORDS_MAX)
            .then(|| words.iter().find_map(|word| topic_of_word(word)))
            .flatten()
    })
}

/// The bare form of a name without its ending.
fn stem_of(name: &str) -> String {
    bare(name.split('.').next().unwrap_or_default())
}

fn words_of(stem: &str) -> Vec<&str> {
    stem.split(['-', '_', ' ', '+'])
        .filter(|word| !word.is_empty())
        .collect()
}

fn topic_of_word(bare_word: &str) -> Option<Topic> {
    TOPICS.get(bare_word).copied()
}

/// A text in lower case, and without what is written above and below letters and often left out.
fn bare(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut bare = String::with_capacity(text.len());
    let letters = text.nfkd().filter(|c| !is_combining_mark(*c));
    for letter in letters.flat_map(char::to_lowercase) {
        match letter {
            'ß' => bare.push_str("ss"),
            'æ' => bare.push_str("ae"),
            'œ' => bare.push_str("oe"),
            'ø' => bare.push('o'),
            'đ' => bare.push('d'),
            'ł' => bare.push('l'),
            'ı' => bare.push('i'),
            'ς' => bare.push('σ'),
            other => bare.push(other),
        }
    }
    bare
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

    #[test]
    fn links_are_known_by_what_they_say_in_thirty_languages() {
        use Topic::{About, Contact, Imprint, Legal, Team};
        for (topic, labels) in [
            (
                Contact,
                "Contact us|CONTACT|» Kontakt|Kontakt & Anfahrt|Nous contacter|Contáctanos|\
                 Fale conosco|Contattaci|Neem contact op|Kontakta oss|Ota yhteyttä|Yhteystiedot|\
                 Toimipisteet|Kontaktid|Võta ühendust|ติดต่อ|ติดต่อเรา|Contactpagina|\
                 Skontaktuj się z nami|Kontaktujte nás|Kapcsolat|Elérhetőség|Contactați|Kontakti|\
                 Επικοινωνία|ΕΠΙΚΟΙΝΩΝΙΑ|İletişim|ILETISIM|Контакты|Контакти|Связаться с нами|\
                 お問い合わせ|联系我们|聯絡我們|문의하기|오시는 길|Hubungi kami|Liên hệ|اتصل بنا|צור קשר",
            ),
            (
                About,
                "About us|Who we are|Über uns|Ueber uns|À propos|À propos de nous|\
                 Qui sommes-nous ?|L’entreprise|Quiénes somos|Sobre nosotros|Quem somos|\
                 Chi siamo|L'azienda|Over ons|Om os|Om oss|Meistä|O nas|O firmie|O nás|\
                 O společnosti|Rólunk|Despre noi|O nama|Σχετικά με εμάς|Hakkımızda|О нас|\
                 О компании|Про нас|За нас|会社概要|关于我们|關於我們|회사 소개|Tentang kami|\
                 Giới thiệu|Về chúng tôi|من نحن|אודות",
            ),
            (
                Imprint,
                "Impressum|Imprint|Legal notice|Mentions légales|Aviso legal|Note legali|Colofon|\
                 Dane firmy|Impresszum|Obchodní údaje|Реквизиты|Künye|特定商取引法に基づく表記|사업자 정보",
            ),
            (
                Team,
                "Our team|Meet the team|Unser Team|Notre équipe|Nuestro equipo|A nossa equipa|\
                 Medewerkers|Ansatte|Henkilökunta|Zespół|Náš tým|Csapatunk|Echipa|Ομάδα|Ekibimiz|\
                 Команда|スタッフ紹介|团队|צוות",
            ),
            (
                Legal,
                "Privacy policy|Datenschutzerklärung|AGB|Politique de confidentialité|\
                 Política de privacidad|Política de privacidade|Informativa sulla privacy|\
                 Privacyverklaring|Privatlivspolitik|Personvern|Tietosuojaseloste|\
                 Polityka prywatności|Ochrana osobních údajů|Adatvédelmi tájékoztató|\
                 Politika privatnosti|Πολιτική απορρήτου|Gizlilik politikası|\
                 Политика конфиденциальности|Політика конфіденційності|プライバシーポリシー|隐私政策|\
                 개인정보처리방침|Kebijakan privasi|Chính sách bảo mật|سياسة الخصوصية|\
                 מדיניות פרטיות",
            ),
        ] {
            for label in labels.split('|') {
                assert_eq!(topic_of_label(label), Some(topic), "{label}");
            }
        }
    }

    #[test]
    fn other_links_are_not_taken_for_them() {
        let long = format!("Kontakt{}", " ".repeat(LABEL_MAX_BYTES));
        for label in [
            "",
            "›",
            "Home",
            "Read more",
            "How we contact suppliers in time",
            "The minister is about to go",
            "Kontaktlinsen",
            "Steam",
            "新着情報",
            &long,
        ] {
            assert_eq!(topic_of_label(label), None, "{label}");
        }
    }
}

//! The language of a text, for pages that do not state theirs.

/// Least letters that tell a language. Chosen: below, two languages share too many words.
const LETTERS_MIN: usize = 60;

/// The tag of the language that a text is written in, if that is beyond doubt.
pub(super) fn detect(text: &str) -> Option<&'static str> {
    if text.chars().filter(|sign| sign.is_alphabetic()).count() < LETTERS_MIN {
        return None;
    }
    let found = whatlang::detect(text).filter(whatlang::Info::is_reliable)?;
    let code = found.lang().code();
    TAGS.iter()
        .find(|(known, _)| *known == code)
        .map(|(_, tag)| *tag)
}

/// Codes of ISO 639-3 and the tags of RFC 5646 for the same languages.
const TAGS: &[(&str, &str)] = &[
    ("afr", "af"),
    ("aka", "ak"),
    ("amh", "am"),
    ("ara", "ar"),
    ("aze", "az"),
    ("bel", "be"),
    ("ben", "bn"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("cmn", "zh"),
    ("cym", "cy"),
    ("dan", "da"),
    ("deu", "de"),
    ("ell", "el"),
    ("eng", "en"),
    ("epo", "eo"),
    ("est", "et"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("guj", "gu"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("ind", "id"),
    ("ita", "it"),
    ("jav", "jv"),
    ("jpn", "ja"),
    ("kan", "kn"),
    ("kat", "ka"),
    ("khm", "km"),
    ("kor", "ko"),
    ("lat", "la"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("mal", "ml"),
    ("mar", "mr"),
    ("mkd", "mk"),
    ("mya", "my"),
    ("nep", "ne"),
    ("nld", "nl"),
    ("nob", "nb"),
    ("ori", "or"),
    ("pan", "pa"),
    ("pes", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rus", "ru"),
    ("sin", "si"),
    ("slk", "sk"),
    ("slv", "sl"),
    ("sna", "sn"),
    ("spa", "es"),
    ("srp", "sr"),
    ("swe", "sv"),
    ("tam", "ta"),
    ("tel", "te"),
    ("tgl", "tl"),
    ("tha", "th"),
    ("tuk", "tk"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("urd", "ur"),
    ("uzb", "uz"),
    ("vie", "vi"),
    ("yid", "yi"),
    ("zul", "zu"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_that_is_told_apart_has_a_tag() {
        for lang in whatlang::Lang::all() {
            let has_tag = TAGS.iter().any(|(code, _)| *code == lang.code());
            assert!(has_tag, "{}", lang.code());
        }
    }

    #[test]
    fn languages_of_long_texts_are_told() {
        for (text, tag) in [
            (
                "Unsere Werkstatt liegt mitten in der Altstadt. Wir reparieren Fahrräder aller \
                 Marken und beraten Sie gern beim Kauf eines neuen Rades.",
                "de",
            ),
            (
                "Our workshop is in the middle of the old town. We repair bicycles of every make \
                 and are happy to advise you on buying a new one.",
                "en",
            ),
            (
                "Notre atelier se trouve au cœur de la vieille ville. Nous réparons les vélos de \
                 toutes les marques et vous conseillons volontiers lors de l'achat.",
                "fr",
            ),
            (
                "Nuestro taller está en el centro de la ciudad. Reparamos bicicletas de todas las \
                 marcas y le asesoramos con mucho gusto en la compra de una nueva.",
                "es",
            ),
            (
                "Nasz warsztat znajduje się w samym centrum starego miasta. Naprawiamy rowery \
                 wszystkich marek i chętnie doradzamy przy zakupie nowego roweru.",
                "pl",
            ),
            (
                "Наша мастерская находится в самом центре старого города. Мы ремонтируем \
                 велосипеды всех марок и охотно поможем вам выбрать новый.",
                "ru",
            ),
            (
                "当店は旧市街の中心にあります。あらゆるメーカーの自転車を修理し、新しい自転車の\
                 ご購入についても喜んでご相談に応じます。どうぞお気軽にお立ち寄りください。",
                "ja",
            ),
        ] {
            assert_eq!(detect(text), Some(tag), "{text}");
        }
    }

    #[test]
    fn what_tells_no_language_is_not_guessed_at() {
        for text in [
            "",
            "Hotel Restaurant Bar",
            "Kontakt",
            "1234567890 ".repeat(50).as_str(),
            "Lenovo IdeaPad HP EliteBook Dell XPS Asus ZenBook Acer Aspire MacBook Pro Sony Vaio",
        ] {
            assert_eq!(detect(text), None, "{text}");
        }
    }
}

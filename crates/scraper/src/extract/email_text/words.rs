//! The words that are looked for around addresses.

use std::collections::HashSet;
use std::sync::LazyLock;

use foldhash::fast::RandomState;

use crate::words::lower;

/// Words for the at sign within brackets, in lower case.
pub(super) const BRACKETED_AT: &[&str] = &[
    "@",
    "@t",
    "a",
    "affe",
    "alfa",
    "apenstaartje",
    "arobas",
    "arobase",
    "arroba",
    "afna",
    "arond",
    "arondi",
    "arrobas",
    "arobaz",
    "at",
    "at sign",
    "at-sign",
    "at-zeichen",
    "atsign",
    "att",
    "bei",
    "chez",
    "eta",
    "alfakrøll",
    "krollalfa",
    "majmun",
    "snabel",
    "æt",
    "ätt",
    "σε",
    "маймунско",
    "圈a",
    "chiocciola",
    "chiocciolina",
    "klammeraffe",
    "krullalfa",
    "krøllalfa",
    "kukac",
    "malpa",
    "małpa",
    "miukumauku",
    "papaki",
    "snabel-a",
    "snabela",
    "sobaka",
    "zavinac",
    "zavináč",
    "ät",
    "παπάκι",
    "собака",
    "собачка",
    "アット",
    "アットマーク",
    "골뱅이",
];

/// Words for the dot within brackets, in lower case.
pub(super) const BRACKETED_DOT: &[&str] = &[
    ".",
    "bod",
    "dot",
    "dott",
    "kropka",
    "nokta",
    "pkt",
    "punkts",
    "taškas",
    "točka",
    "tocka",
    "点",
    "крапка",
    "piste",
    "point",
    "pont",
    "ponto",
    "prick",
    "prik",
    "punct",
    "punkt",
    "punktum",
    "punt",
    "punto",
    "tecka",
    "tečka",
    "τελεία",
    "тачка",
    "точка",
    "ドット",
];

/// Bare words for the at sign with what sets them off.
pub(super) const BARE_AT: &[&str] = &[
    " at ",
    " @ ",
    " chez ",
    "-at-",
    "~at~",
    " -at- ",
    " _at_ ",
    " *at* ",
    " /at/ ",
    " apenstaartje ",
    " arobase ",
    " arroba ",
    " chiocciola ",
    " alfakrøll ",
    " arond ",
    " klammeraffe ",
    " krøllalfa ",
    " papaki ",
    " snabela ",
    " παπάκι ",
    " kukac ",
    " małpa ",
    " snabel-a ",
    " zavináč ",
    " ät ",
    " собака ",
    "*at*",
    "_at_",
    "|at|",
];

/// Those that mean other things as well, and want a spelled dot after them.
pub(super) const COMMON_BARE_AT: &[&str] = &[" at ", " chez "];

/// Bare words that occur within other names, too.
pub(super) const DOUBTFUL_AT: &[&str] = &["-at-", "~at~"];

/// Bare words for the dot with what sets them off.
pub(super) const BARE_DOT: &[&str] = &[
    " . ",
    " dot ",
    " kropka ",
    " piste ",
    " point ",
    " ponto ",
    " nokta ",
    " pont ",
    " prick ",
    " prik ",
    " punct ",
    " punktum ",
    " τελεία ",
    " punkt ",
    " punto ",
    " punt ",
    " tečka ",
    " точка ",
    "*dot*",
    "_dot_",
    "|dot|",
];

/// Endings of words before an address that announce it, in lower case.
pub(super) const LABELS: &[&str] = &[
    "mail",
    "courriel",
    "correo",
    "posta",
    "poczta",
    "posti",
    "epost",
    "e-post",
    "pošta",
    "почта",
    "adres",
    "address",
    "kontakt",
    "contact",
];

/// Signs at which an address may be, besides the bare words.
pub(super) const SIGNS: &[&str] = &[
    "@", "＠", "[", "(", "{", "<", "（", "【", "★", "☆", "●", "◎", "■", "◆",
];

/// What Japanese pages say where another sign stands for the at sign: "put @ in place of ★".
pub(super) const REPLACED: &[&str] = &["を@", "を半角", "をアット", "→@", "=@"];

/// Brackets, each with the one that closes it.
pub(super) const BRACKETS: &[(char, char)] = &[
    ('[', ']'),
    ('(', ')'),
    ('{', '}'),
    ('<', '>'),
    ('（', '）'),
    ('【', '】'),
];

/// Pieces of words before addresses of which a page warns, in lower case.
pub(super) const WARNINGS: &[&str] = &[
    "beware",
    "scam",
    "fake",
    "fraud",
    "phish",
    "spoof",
    "impersonat",
    "desconfi",
    "golpe",
    "falso",
    "falsa",
    "suplant",
    "estafa",
    "betrug",
    "betrüg",
    "fälsch",
    "warnen vor",
    "arnaque",
    "usurp",
    "méfie",
    "truff",
    "diffidare",
    "oszust",
    "fałszyw",
    "podszyw",
    "oplicht",
    "nepmail",
    "bedräg",
    "svindel",
    "falsk",
    "huijau",
    "podvod",
    "falešn",
    "sahte",
    "dolandır",
    "απάτη",
    "мошен",
    "поддел",
    "詐欺",
];

/// Words right before an address that is an example, in lower case.
pub(super) const EXAMPLES: &[&str] = &[
    "e.g.",
    "e. g.",
    "for example",
    "for instance",
    "such as",
    "z.b.",
    "z. b.",
    "zum beispiel",
    "beispielsweise",
    "par exemple",
    "p. ex.",
    "por ejemplo",
    "p. ej.",
    "por exemplo",
    "ad esempio",
    "per esempio",
    "bijvoorbeeld",
    "bijv.",
    "na przykład",
    "np.",
    "for eksempel",
    "f.eks.",
    "t.ex.",
    "till exempel",
    "esimerkiksi",
    "esim.",
    "például",
    "například",
    "napr.",
    "örneğin",
    "de exemplu",
    "например",
    "π.χ.",
];

/// Words that are a sign wherever they stand apart, asked of every inline element.
static SIGNS_APART: LazyLock<HashSet<&str, RandomState>> = LazyLock::new(|| {
    let words = BRACKETED_AT.iter().chain(BRACKETED_DOT).copied();
    let is_sure =
        |word: &&str| word.len() > 1 && !["bei", "chez", "eta", "alfa", "affe"].contains(word);
    words.filter(is_sure).collect()
});

/// Longer than any of these, in bytes.
const SIGN_APART_MAX_BYTES: usize = 24;

/// Whether a text is the at sign or the dot in words, so that it can be nothing else where it
/// stands apart from what is around it.
pub(in super::super) fn is_spelled_sign(text: &str) -> bool {
    let text = text.trim_matches([' ', '_', '-', '*']);
    lower(text, &mut [0; SIGN_APART_MAX_BYTES]).is_some_and(|sign| SIGNS_APART.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_in_words_are_known_in_either_case() {
        assert!(SIGNS_APART.contains("arroba"));
        for sign in SIGNS_APART.iter() {
            let sign = sign.to_ascii_uppercase();
            assert!(is_spelled_sign(&format!(" *{sign}_")), "{sign}");
        }
        assert!(!is_spelled_sign(&"x".repeat(SIGN_APART_MAX_BYTES + 1)));
        assert!(!is_spelled_sign("a"));
    }
}

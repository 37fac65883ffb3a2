//! Every word of the lists has a case that no other word of them decides: what nobody writes
//! before a number is no word of the lists.

use super::Label;
use super::words::{
    CONTACT_WORDS, FAX_PIECES, FREE_PHONES, NOT_PHONE_STEMS, OTHER_PIECES, OTHER_STEMS,
    OTHER_WORDS, PHONE_PIECES, PHONE_STEMS, PHONE_WORDS, WEAK_ENDINGS, WEAK_STEMS, WEAK_WORDS,
};

/// What pages write before a phone number.
const PHONE: &str = "Biuro Büro Centrala Dispečink Dyżur Døgnvagt Emergencias Emergency Empfang \
    Guardia Infolinka Iroda Kancelář Kontor Linka Notdienst Notfall Oficina Ordinace Pohotovost \
    Recepce Recepcja Recepción Recepção Receptie Reception Rezeption Réception Secretaría \
    Secrétariat Segreteria Sekretariat Spoed Toimisto Ufficio Urgence Urgences Urgencias Vagt \
    Centralino Durchwahl Fijo Fisso Fixe Freecall Freephone Hívjon Landline SMS Sunați SĐT Telp ĐT \
    Appel Appelez Bel Call Cel Cell Cep Dzwoń Fon Fone Fones Helpline Infoline Infolinia Kom Ligue \
    Llama Llámanos M Mob P Ph Phone Phones Puh Ring Ruf T Tel Telf Telm Tfn Tfno Tlf Tél Viber \
    Whats WhatsApp Zadzwoń Zentrale Κιν Τηλ Моб Тел تلفن फोन मोबाइल \
    Gratisnummer Notrufnummer Servicenummer Celular Cellulare Chiamaci GSM Handynummer Hotline \
    Komórka Mobil Móvil Portable Puhelinnumero Rufnummer Telefon Teléfono Téléphone Дзвоніть \
    Звоните Κινητό Τηλέφωνο Мобильный Телефон \
    電話番号 电话 手机 携帯 フリーダイヤル 直通 热线 座机 جوال تلفون 전화 대표 문의 상담 고객센터 콜센터 접수 연락처 هاتف טלפון";

/// What begins like words for a phone and is none.
const NOT_PHONE: &str = "Telegram Telecopy Télécopieur Telefax Telekommunikation Telematik";

/// What pages write before a fax number.
const FAX: &str = "Fax Faks Факс Φαξ Télécopie ファックス ファクス 传真 傳真 팩스 فاكس فکس फैक्स";

/// What pages write before a number that is none of a phone.
const OTHER: &str = "ABN Account Agencia Agência Banco BCE BIC BLZ BTW CEIDG CF CHE CIF CLABE CNPJ \
    Compte Conta Contribuinte CRN Cuenta CUI CUIT CVR DIC DIČ DUNS EAN EIK F FINESS GLN GTIN HRB HRA IBAN \
    ICO IČO IČ ISBN ISSN IVA KBO Konto KRS KvK MERSIS NIF NIP NIPC OGRN OIB OrgNr ORCID OVT PIVA \
    Plusgiro PZN Rachunek RCS REA REGON RFC RPM RPPS RPR SIREN SIRET SKU Tax TVA Tunnus UID USt VAT VKN ИНН \
    КПП ОГРН Р Счет ΑΦΜ ΓΕΜΗ \
    Bankverbindung Handelsregister Kontonummer Licence Lizenz Partita Registration Steuernummer \
    Umsatzsteuer Ytunnus Organisationsnummer Organisasjonsnummer Fiskalnummer Fiscal \
    등록번호 법인번호 계좌 登録番号 口座番号 信用代码 账号 許可";

/// What pages write before a number of any kind, which a country code outweighs.
const WEAK: &str = "Art Code ID Kod Lot Mod No Nr Num Nº Ref Réf Serial Model N º Kl Org PLZ ZIP \
    Artikel Articles Bestellung Invoice Kunden Order Rechnung Produkt \
    Sachnummer Lotnumber Numer Numero Número Numéro";

/// A list and how a word is known by an entry of it.
type List<'a> = (&'a [&'a str], fn(&str, &str) -> bool);

/// The words of a text whose label is decided by one entry of some lists alone.
fn decided<'a>(text: &str, matches: &[List<'a>]) -> Vec<&'a str> {
    let mut deciding = Vec::new();
    for word in text.split_whitespace().map(str::to_lowercase) {
        let known = |(list, is_match): &List<'a>| {
            let is_match = *is_match;
            let word = word.clone();
            let entries = list.iter().copied();
            entries
                .filter(move |entry| is_match(&word, entry))
                .collect::<Vec<_>>()
        };
        let entries: Vec<&str> = matches.iter().flat_map(known).collect();
        if let [entry] = entries.as_slice() {
            deciding.push(*entry);
        }
    }
    deciding
}

fn is(word: &str, entry: &str) -> bool {
    word == entry
}

fn begins(word: &str, entry: &str) -> bool {
    word.starts_with(entry)
}

fn ends(word: &str, entry: &str) -> bool {
    word.ends_with(entry)
}

fn has(word: &str, entry: &str) -> bool {
    word.contains(entry)
}

fn check(text: &str, label: Label, lists: &[List<'_>]) {
    for word in text.split_whitespace() {
        assert_eq!(Label::of(&format!("{word}: "), ""), label, "{word}");
    }
    let decided = decided(text, lists);
    let entries = lists.iter().flat_map(|(list, _)| list.iter());
    let unneeded: Vec<_> = entries.filter(|entry| !decided.contains(entry)).collect();
    assert!(unneeded.is_empty(), "nothing needs {unneeded:?}");
}

#[test]
fn every_word_for_a_phone_is_needed() {
    let lists: &[List<'_>] = &[
        (PHONE_WORDS, is),
        (PHONE_STEMS, begins),
        (PHONE_PIECES, has),
    ];
    check(PHONE, Label::Phone, lists);
    for free in [
        "Linha verde",
        "N verde",
        "n. verde",
        "N° verde",
        "Numero verde",
        "Numéro vert",
        "Número verde",
    ] {
        assert_eq!(Label::of(&format!("{free}: "), ""), Label::Phone, "{free}");
    }
    assert_eq!(FREE_PHONES.len(), 7);
}

#[test]
fn every_word_for_another_number_is_needed() {
    check(FAX, Label::Other, &[(FAX_PIECES, has)]);
    let lists: &[List<'_>] = &[
        (OTHER_WORDS, is),
        (OTHER_STEMS, begins),
        (OTHER_PIECES, has),
    ];
    check(OTHER, Label::Other, lists);
    let lists: &[List<'_>] = &[(WEAK_WORDS, is), (WEAK_STEMS, begins), (WEAK_ENDINGS, ends)];
    check(WEAK, Label::Weak, lists);
}

#[test]
fn every_beginning_that_is_none_of_a_phone_is_needed() {
    for word in NOT_PHONE.split_whitespace() {
        assert_ne!(Label::of(&format!("{word}: "), ""), Label::Phone, "{word}");
    }
    let decided = decided(NOT_PHONE, &[(NOT_PHONE_STEMS, begins)]);
    for entry in NOT_PHONE_STEMS {
        assert!(decided.contains(entry), "nothing needs {entry}");
    }
}

#[test]
fn every_word_that_makes_a_number_one_of_a_phone_is_needed() {
    let words = [
        "Booking",
        "Bookings",
        "Contact",
        "Contacto",
        "Contato",
        "Contatto",
        "Kontakt",
        "Office",
        "Reservas",
        "Reservation",
        "Reservations",
    ];
    for word in words {
        assert_eq!(
            Label::of(&format!("{word} number: "), ""),
            Label::Phone,
            "{word}"
        );
    }
    assert_eq!(CONTACT_WORDS.len(), words.len());
}

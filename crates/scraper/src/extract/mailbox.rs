//! Which addresses can be those of people, and how they are written here.

use url::Host;

use super::email_text::is_local_char;
use crate::registrable::{
    has_public_suffix, is_same_site, is_suffix_with_mailboxes, registrable_domain,
};

/// Longest address and longest local part (RFC 5321, 4.5.3.1).
pub(super) const ADDRESS_MAX_BYTES: usize = 254;
const LOCAL_MAX_BYTES: usize = 64;

/// Domains of placeholders, of error reports and of machines, with all below them.
const FOREIGN_DOMAINS: &[&str] = &[
    "address.com",
    "calendar.google.com",
    "company.com",
    "domain.com",
    "email.com",
    "gserviceaccount.com",
    "mysite.com",
    "reallygreatsite.com",
    "sentry.io",
    "users.noreply.github.com",
    "website.com",
    "wixpress.com",
];

/// Registered names of placeholders under any suffix.
const PLACEHOLDER_NAMES: &[&str] = &[
    "alanadi",
    "bar",
    "beispielfirma",
    "cegneve",
    "deinefirma",
    "domein",
    "domena",
    "firmaadi",
    "firmaniz",
    "foo",
    "foobar",
    "ihrefirma",
    "meinefirma",
    "minhaempresa",
    "mojadomena",
    "muster",
    "musterdomain",
    "mustershop",
    "siteniz",
    "sirketiniz",
    "suaempresa",
    "suempresa",
    "test",
    "tvojefirma",
    "twojadomena",
    "twojafirma",
    "uwbedrijf",
    "uwdomein",
    "vasedomena",
    "votreentreprise",
    "beispiel",
    "beispieldomain",
    "deine-domain",
    "deinedomain",
    "domaine",
    "dominio",
    "ejemplo",
    "eksempel",
    "esempio",
    "example",
    "exemple",
    "exemplo",
    "ihre-domain",
    "ihredomain",
    "meine-domain",
    "minfirma",
    "mojafirma",
    "mustermann",
    "musterfirma",
    "mydomain",
    "ornek",
    "mycompany",
    "priklad",
    "przyklad",
    "seudominio",
    "sualoja",
    "tu-dominio",
    "tudominio",
    "tuodominio",
    "tuaempresa",
    "tuempresa",
    "voorbeeld",
    "votre-domaine",
    "votredomaine",
    "votresite",
    "votre-site",
    "your-company",
    "your-domain",
    "yourcompany",
    "yourdomain",
    "yoursite",
    "yourwebsite",
];

/// Names of persons that stand for any, and are real at the site's own domain.
const PLACEHOLDER_PERSONS: &[&str] = &["jan.kowalski", "jane.doe", "john.doe"];

/// Addresses that templates and forms show, unless of the site's own domain.
const PLACEHOLDER_ADDRESSES: &[&str] = &[
    "abc@xyz.com",
    "admin@admin.com",
    "demo@demo.com",
    "filler@godaddy.com",
    "jane@doe.com",
    "john@doe.com",
    "sample@sample.com",
];

/// Names of domains that sound like anybody's, of which some have mailboxes, and local parts that
/// make an address there an example.
const ANYBODYS_NAMES: &[&str] = &["email", "mail"];
const ANYBODYS_LOCALS: &[&str] = &[
    "abc", "dein", "deine", "demo", "din", "email", "ihr", "ihre", "il-tuo", "jouw", "mail", "min",
    "mio", "moj", "sample", "sua", "test", "tu", "tua", "tuo", "twoj", "uw", "votre", "x",
];

/// Local parts that ask the reader to put in their own.
const PLACEHOLDER_LOCALS: &[&str] = &[
    "ad.soyad",
    "beispiel",
    "correo.ejemplo",
    "deine.email",
    "deinname",
    "deine-email",
    "dein.name",
    "ejemplo",
    "emailaddress",
    "email.address",
    "eksempel",
    "esempio",
    "example",
    "exemple",
    "exemplo",
    "ad.soyadi",
    "adiniz",
    "etunimi.sukunimi",
    "exempel",
    "first.lastname",
    "firstname.surname",
    "firstname_lastname",
    "fornamn.efternamn",
    "fornavn.efternavn",
    "förnamn.efternamn",
    "fname.lname",
    "ime.prezime",
    "ime.priimek",
    "imie_nazwisko",
    "initial.lastname",
    "jmeno.prijmeni",
    "keresztnev.vezeteknev",
    "meno.priezvisko",
    "name.surname",
    "nachname",
    "nombre.apellido",
    "nome.apelido",
    "nume.prenume",
    "onoma.eponymo",
    "prenume.nume",
    "priimek",
    "v.nachname",
    "vardas.pavarde",
    "vezeteknev.keresztnev",
    "vorname_nachname",
    "vorname-nachname",
    "vornamenachname",
    "votre.adresse",
    "votreadresse",
    "vous",
    "tu.correo",
    "tu.email",
    "deine.mail",
    "deine-mail",
    "ihre-mail",
    "ihre.mail",
    "twoj.email",
    "twoj-email",
    "uw.email",
    "uw-naam",
    "your.mail",
    "yourmail",
    "firstname.lastname",
    "first.last",
    "fornavn.etternavn",
    "ihre-email",
    "ihre.email",
    "ihrname",
    "ihr.name",
    "imie.nazwisko",
    "imię.nazwisko",
    "jmeno",
    "jméno",
    "johndoe",
    "max.mustermann",
    "maxmustermann",
    "mustermann",
    "myname",
    "naam",
    "name",
    "navn",
    "nazwa",
    "nom",
    "nombre",
    "nome",
    "nome.cognome",
    "nome.sobrenome",
    "prenom.nom",
    "przyklad",
    "seuemail",
    "seunome",
    "someone",
    "tu-email",
    "tucorreo",
    "tuemail",
    "tunombre",
    "tuo.nome",
    "tuonome",
    "twojemail",
    "uw-email",
    "uw.naam",
    "uwnaam",
    "user",
    "username",
    "voornaam.achternaam",
    "vorname.nachname",
    "votre-email",
    "votre.email",
    "votre.nom",
    "votreemail",
    "votrenom",
    "xxx",
    "xxxx",
    "xyz",
    "you",
    "your",
    "your-email",
    "your-name",
    "your.email",
    "your.name",
    "your_email",
    "your_name",
    "youremail",
    "yourname",
];

/// Local parts of mailboxes that nobody reads.
const UNREAD_LOCALS: &[&str] = &[
    "do-not-reply",
    "do_not_reply",
    "donotreply",
    "mailer-daemon",
    "nao-responda",
    "naoresponda",
    "ne-pas-repondre",
    "nicht-antworten",
    "no-reply",
    "no-responder",
    "no.reply",
    "no_reply",
    "noreply",
    "noresponder",
];

/// Local parts longer than this that are hexadecimal are keys of trackers.
const HEX_LOCAL_MIN_BYTES: usize = 20;

/// The address in lower case with its domain in ASCII; `None` if it is no address of a person.
pub(super) fn normal_address(address: &str, host: &str) -> Option<String> {
    let address = address.trim();
    if address.len() > ADDRESS_MAX_BYTES {
        return None;
    }
    let (local, domain) = address.rsplit_once('@')?;
    let local = local.trim_end_matches('.').to_ascii_lowercase();
    let is_local = !local.is_empty()
        && local.len() <= LOCAL_MAX_BYTES
        && local.chars().all(is_local_char)
        && !local.starts_with('.')
        && !local.contains("..");
    if !is_local || is_placeholder_local(&local) {
        return None;
    }
    let domain = ascii_domain(domain)?;
    let is_own = is_same_site(&domain, host);
    let is_public = (has_public_suffix(&domain) || is_suffix_with_mailboxes(&domain))
        && !is_placeholder_domain(&domain);
    let address = format!("{local}@{domain}");
    let is_anybodys = PLACEHOLDER_PERSONS.contains(&&*local)
        || PLACEHOLDER_ADDRESSES.contains(&&*address)
        || (ANYBODYS_LOCALS.contains(&&*local)
            && domain
                .split('.')
                .next()
                .is_some_and(|name| ANYBODYS_NAMES.contains(&name)));
    (is_own || (is_public && !is_anybodys)).then_some(address)
}

fn ascii_domain(domain: &str) -> Option<String> {
    let domain = match Host::parse(domain.trim_end_matches('.')).ok()? {
        Host::Domain(domain) => domain,
        Host::Ipv4(_) | Host::Ipv6(_) => return None,
    };
    let is_name = domain.contains('.')
        && domain.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        });
    // The first label of `logo@2x.mov` and its like is a scale, not a name.
    let first = domain.split('.').next()?;
    let is_scale = first
        .strip_suffix('x')
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    (is_name && !is_scale).then_some(domain)
}

/// What asks for the reader's own, what nobody reads, and the keys of trackers.
fn is_placeholder_local(local: &str) -> bool {
    let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    PLACEHOLDER_LOCALS.contains(&local)
        || UNREAD_LOCALS.contains(&local)
        || (local.len() >= HEX_LOCAL_MIN_BYTES && is_hex(local))
}

fn is_placeholder_domain(domain: &str) -> bool {
    let is_foreign = FOREIGN_DOMAINS.iter().any(|foreign| {
        domain
            .strip_suffix(foreign)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    let registered = registrable_domain(domain).unwrap_or_default();
    let name = registered.split('.').next().unwrap_or_default();
    is_foreign || PLACEHOLDER_NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_templates_show_is_no_address() {
        for (address, is_real) in [
            ("email@address.com", false),
            ("john@doe.com", false),
            ("jane@doe.com", false),
            ("demo@demo.com", false),
            ("admin@admin.com", false),
            ("sample@sample.com", false),
            ("abc@xyz.com", false),
            ("hello@reallygreatsite.com", false),
            ("filler@godaddy.com", false),
            ("ihre@email.de", false),
            ("tua@email.it", false),
            ("x@mail.com", false),
            ("email@email.nl", false),
            ("petra.kraus@email.de", true),
            ("novak@email.cz", true),
            ("anna.ott@mail.de", true),
            ("firma@firma.de", true),
            ("help@godaddy.com", true),
        ] {
            let found = normal_address(address, "www.shop.test");
            assert_eq!(found.is_some(), is_real, "{address}");
        }
        let own = normal_address("demo@demo.com", "www.demo.com");
        assert_eq!(own.as_deref(), Some("demo@demo.com"));
    }
}

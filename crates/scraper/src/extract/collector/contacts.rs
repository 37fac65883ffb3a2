//! What a page says of how to reach people, in links, pictures, scripts and statements for
//! machines.

use trawl_domain::url_rules::PageUrl;

use super::super::company::Company;
use super::super::element::Element;
use super::super::email_text::is_spelled_sign;
use super::super::emails::Emails;
use super::super::json_ld::Reachable;
use super::super::marks::Marks;
use super::super::others::Others;
use super::super::phones::Phones;
use super::super::social::chat_number;
use super::super::tag::{Attributes, Tag};
use super::super::text::attribute_text;
use super::super::tokenizer::{TextKind, Token, tokens};
use super::Collector;
use crate::facts::contact::ContactMethod;
use crate::words::strip_word;

/// Schemes of links that call a number.
const CALL_SCHEMES: &[&str] = &["tel:", "callto:", "sms:"];

impl Collector {
    /// Takes what the page states for machines of how to reach those that it describes.
    pub(super) fn reach(&mut self, reachable: &Reachable, method: ContactMethod) {
        for email in &reachable.emails {
            self.emails.add_stated(email, method);
        }
        for phone in &reachable.phones {
            self.phones.add_stated(phone, method);
        }
        for profile in &reachable.profiles {
            if let Ok(url) = PageUrl::parse(profile) {
                self.social.see(&url, method);
            }
        }
        for address in &reachable.addresses {
            if let Some(country) = &address.country {
                self.phones.hint(country);
            }
            self.company.see_address(address, method);
        }
        for organization in &reachable.organizations {
            self.company.see_organization(organization, method);
        }
    }

    /// Text that contacts are looked for in.
    pub(super) fn contact_text(&mut self, text: &str) {
        let Self {
            window,
            emails,
            phones,
            company,
            others,
            ..
        } = self;
        window.push(text, |text| search(text, others, emails, phones, company));
    }

    /// Looks whether the contact that comes next stands where others are named.
    pub(super) fn see_others(&mut self) {
        let is_of_others = self
            .others
            .are_named_at_end(&attribute_text(self.window.tail()));
        self.emails.stand_with_others(is_of_others);
        self.phones.stand_with_others(is_of_others);
    }

    /// What comes next has a place of its own again.
    pub(super) fn leave_others(&mut self) {
        self.emails.stand_with_others(false);
        self.phones.stand_with_others(false);
    }

    /// Reads what the page shows where scripts do not run: often an address that one hides.
    pub(super) fn end_noscript(&mut self) {
        let noscript = std::mem::take(&mut self.noscript);
        tokens(noscript.as_str(), |token| match token {
            Token::Text(TextKind::Data, text) => self.contact_text(text),
            Token::Tag(Tag::Start {
                element: Element::A,
                attributes,
                ..
            }) => {
                if let Some(href) = attributes.get("href")
                    && let Some(rest) = mail_target(&href)
                {
                    self.emails.add_mailto(rest);
                }
            }
            _ => {}
        });
        self.separate();
    }

    /// An address that is shown as an image, or its at sign.
    pub(super) fn see_pictured_text(&mut self, attributes: &Attributes<'_>, sign: Option<&str>) {
        if let Some(sign) = sign {
            self.contact_text(sign);
        } else if let Some(alt) = attributes.raw("alt").filter(|alt| alt.contains('@')) {
            self.contact_text(alt);
        }
    }

    /// A picture that is named after a logo, or stands in what is.
    pub(super) fn see_logo(&mut self, attributes: &Attributes<'_>, class: &str) {
        let is_logo = |text: &str| text.contains("logo") || text.contains("Logo");
        let src = attributes.raw("src").unwrap_or_default();
        let file = src.rsplit('/').next().unwrap_or_default();
        if let Some(alt) = attributes.get("alt").filter(|alt| !alt.is_empty())
            && (is_logo(&alt) || is_logo(class) || is_logo(file))
        {
            self.company.see_logo(&alt);
        }
    }

    /// A link out of the site, which may lead to a profile.
    fn see_outward(&mut self, url: &PageUrl, attributes: &Attributes<'_>) {
        if let Some(number) = chat_number(url) {
            self.phones.add_chat(&number);
        }
        if attributes.has_word("rel", "me") {
            self.social.see_me(url, ContactMethod::Link);
        } else {
            self.social.see(url, ContactMethod::Link);
        }
    }

    /// A profile that the head of the page states, by its URL or its name at X.
    pub(super) fn see_profile(&mut self, profile: &str) {
        match PageUrl::parse(profile) {
            Ok(url) if profile.starts_with("http") => self.social.see(&url, ContactMethod::Head),
            _ => self.social.see_x_name(profile),
        }
    }

    /// Sets the text of a link that reaches people apart from the text around it, which markup
    /// alone may divide.
    pub(super) fn set_apart(&mut self) {
        self.contact_text(" ");
    }

    /// What the open link is called, by itself or by a picture in it.
    pub(super) fn see_link_titles(&mut self, attributes: &Attributes<'_>) {
        if let Some(links) = &mut self.link_list {
            links.see_titles(attributes);
        }
        if !self.links.is_open() {
            return;
        }
        for name in ["aria-label", "title", "alt"] {
            if let Some(title) = attributes.get(name) {
                self.links.title(&title);
            }
        }
    }

    pub(super) fn see_anchor(&mut self, attributes: &Attributes<'_>) {
        let Some(href) = attributes.get("href") else {
            return;
        };
        let href = href.trim();
        if let Some(links) = &mut self.link_list {
            links.enter(&mut self.base, href);
        }
        if self.mask.is_hidden() {
            // Nobody follows it but crawlers.
        } else if let Some(rest) = mail_target(href) {
            self.see_others();
            self.emails.add_mailto(rest);
            self.leave_others();
            self.set_apart();
        } else if let Some(rest) = CALL_SCHEMES
            .iter()
            .find_map(|scheme| strip_word(href, scheme))
        {
            self.see_others();
            self.phones.add_tel(rest, self.window.tail());
            self.leave_others();
            self.set_apart();
        } else if strip_word(href, "javascript:").is_some() {
            self.emails.see_script_link(href, attributes);
        } else if let Some((path, hex)) = href.split_once('#')
            && path.ends_with("/cdn-cgi/l/email-protection")
        {
            self.see_others();
            self.emails.add_cloudflare(hex);
            self.leave_others();
        } else {
            let rel = attributes.get("rel").unwrap_or_default();
            if let Some(url) = self.links.enter(&mut self.base, href, &rel) {
                self.see_outward(&url, attributes);
            }
            self.see_link_titles(attributes);
        }
    }
}

/// The recipients of a link that writes a mail, also where the scheme was forgotten.
fn mail_target(href: &str) -> Option<&str> {
    let href = href.trim();
    strip_word(href, "mailto:").or_else(|| {
        let is_address = href.contains('@') && !href.contains(['/', ':', '?', '#', ' ']);
        is_address.then_some(href)
    })
}

/// The at sign or the dot that a picture shows, in brackets.
pub(super) fn pictured_sign(attributes: &Attributes<'_>) -> Option<&'static str> {
    let alt = attributes.raw("alt").unwrap_or_default().trim();
    let name = if alt.is_empty() {
        let src = attributes.raw("src")?;
        let name = src.rsplit('/').next().unwrap_or_default();
        name.split('.').next().unwrap_or_default()
    } else {
        alt.trim_matches(['(', ')', '[', ']'])
    };
    let is_dot = || [".", "dot", "punkt", "point", "punto"].contains(&name);
    if alt == "@" || is_spelled_sign(name) && !is_dot() {
        Some("(at)")
    } else if !alt.is_empty() && is_dot() {
        Some("(dot)")
    } else {
        None
    }
}

pub(super) fn search(
    text: &str,
    others: &Others,
    emails: &mut Emails,
    phones: &mut Phones,
    company: &mut Company,
) {
    let mut marks = Marks::of(text);
    others.leave_out(text, &mut marks);
    company.add_text(text, &marks);
    if marks.others.is_empty() {
        emails.add_text(text, &marks);
        phones.add_text(text, &marks);
        return;
    }
    others.pieces(text, &marks.others, |piece, is_of_others| {
        emails.stand_with_others(is_of_others);
        phones.stand_with_others(is_of_others);
        let marks = Marks::of(piece);
        emails.add_text(piece, &marks);
        phones.add_text(piece, &marks);
    });
    emails.stand_with_others(false);
    phones.stand_with_others(false);
}

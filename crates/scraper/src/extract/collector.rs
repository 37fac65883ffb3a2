//! Takes the events of the parser and hands each to whom it concerns.

use serde_json::Value;
use trawl_domain::crawl_options::Formats;
use trawl_domain::url_rules::{PageUrl, SiteScope};
use url::Url;

use super::Extracted;
use super::announced::Announced;
use super::company::Company;
use super::content::{Content, MainContent};
use super::element::Element;
use super::emails::Emails;
use super::head::Head;
use super::json_ld::{JsonLd, Reachable};
use super::language::detect;
use super::link_list::LinkList;
use super::links::{Links, refresh_target};
use super::logo::Logo;
use super::microdata::Microdata;
use super::open_elements::OpenElements;
use super::phone_label::sign_of;
use super::phones::Phones;
use super::script_kind::ScriptKind;
use super::social::{SocialLinks, chat_number};
use super::tag::{Attributes, Tag};
use super::text::{BoundedText, TextWindow, attribute_text};
use super::wordpress::Theme;
use super::words::strip_word;
use crate::facts::contact::{CompanyFact, ContactMethod};
use crate::facts::content::PageContent;
use crate::facts::{LanguageSource, PageFacts};
use crate::technology::{Detector, Kind, rules};

/// Elements in which logos stand and which authors close; the class of `body` says nothing.
const BOX_ELEMENTS: &[&str] = &["a", "div", "figure", "h1", "header", "picture", "span"];

/// Most bytes of a script that are looked at for an address: those that hide one are short.
const SCRIPT_HEAD_MAX_BYTES: usize = 2048;

/// What has been found on one page so far.
#[derive(Debug)]
pub(super) struct Collector {
    page: Url,
    /// What references are resolved against: the page, or what `<base>` says.
    base: Url,
    has_base: bool,
    head: Head,
    announced: Announced,
    open: OpenElements,
    microdata: Microdata,
    content: MainContent,
    /// Where links are asked for.
    link_list: Option<LinkList>,
    formats: Formats,
    json_ld: JsonLd,
    script: ScriptKind,
    /// The beginning of the open script, if it is code.
    script_head: BoundedText,
    logo: Logo,
    links: Links,
    emails: Emails,
    phones: Phones,
    social: SocialLinks,
    company: Company,
    technologies: Detector,
    theme: Theme,
    window: TextWindow,
}

impl Collector {
    pub(super) fn new(url: &PageUrl, scope: SiteScope, formats: Formats) -> Self {
        let page = url.as_url().clone();
        let host = page.host_str().unwrap_or_default();
        Self {
            base: page.clone(),
            has_base: false,
            head: Head::default(),
            announced: Announced::default(),
            open: OpenElements::default(),
            microdata: Microdata::default(),
            content: MainContent::new(formats),
            link_list: formats.links.then(LinkList::default),
            formats,
            json_ld: JsonLd::default(),
            script: ScriptKind::Code,
            logo: Logo::default(),
            links: Links::new(scope),
            emails: Emails::new(host),
            phones: Phones::default(),
            social: SocialLinks::default(),
            company: Company::default(),
            script_head: BoundedText::default(),
            technologies: Detector::new(rules()),
            theme: Theme::default(),
            window: TextWindow::default(),
            page,
        }
    }

    /// A header of the answer.
    pub(super) fn header(&mut self, name: &str, value: &str) {
        self.technologies.see_header(name, value);
        self.announced.see_header(name, value);
        self.head.see_header(name, value);
    }

    /// A start or an end tag.
    pub(super) fn tag(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Start(name, attributes) => self.start_tag(name, attributes),
            Tag::End(name) => self.end_tag(name),
        }
    }

    fn start_tag(&mut self, name: &str, attributes: &Attributes<'_>) {
        let element = Element::of(name);
        if !element.is_inline() {
            self.separate();
        }
        if element.ends_block() {
            self.content.end_block();
        }
        self.open.before(element);
        self.leave_closed();
        let depth = self.open.open(element);
        self.microdata.enter(element, depth, attributes);
        self.head.leave_title();
        let class = attributes.get("class").unwrap_or_default();
        let id = attributes.get("id").unwrap_or_default();
        let names = (&*class, &*id);
        self.content
            .enter(element, depth, attributes, names, &self.base);
        if name.contains('-') {
            self.technologies.see(Kind::Element, name);
        }
        self.see_marks(attributes, &class);
        match name {
            "html" => self.head.see_html(attributes),
            "base" => self.see_base(attributes),
            "title" => self.head.enter_title(),
            "meta" => self.see_meta(attributes),
            "link" => self.see_link(attributes),
            "a" | "area" => self.see_anchor(attributes),
            "img" => {
                self.see_source(attributes);
                self.logo.see_image(attributes, &class, &id, &self.base);
                self.see_pictured_text(attributes);
            }
            "h1" => self.announced.enter_heading(1),
            "h2" => self.announced.enter_heading(2),
            "h3" => self.announced.enter_heading(3),
            "iframe" => self.see_source(attributes),
            "script" => {
                self.see_source(attributes);
                self.script = ScriptKind::of(attributes.raw("type").unwrap_or_default());
            }
            _ => {}
        }
        if BOX_ELEMENTS.contains(&name) {
            self.logo.enter_box(name, &class, &id);
        }
    }

    fn end_tag(&mut self, name: &str) {
        let element = Element::of(name);
        if !element.is_inline() {
            self.separate();
        }
        if element.ends_block() {
            self.content.end_block();
        }
        self.open.end(element);
        self.leave_closed();
        self.logo.leave_box(name);
        match name {
            "a" => {
                if let Some(links) = &mut self.link_list {
                    links.leave();
                }
            }
            "h1" | "h2" | "h3" => self.announced.leave_heading(),
            "script" => self.end_script(),
            _ => {}
        }
    }

    /// Ends what belongs to elements that are no longer open.
    fn leave_closed(&mut self) {
        self.content.leave(self.open.depth());
        while let Some(item) = self.microdata.leave(self.open.depth()) {
            self.end_item(&item);
        }
    }

    /// Reads an item of microdata.
    fn end_item(&mut self, item: &Value) {
        let reachable = self.json_ld.read(item, &self.base);
        self.reach(&reachable, ContactMethod::Microdata);
    }

    fn end_script(&mut self) {
        let code = std::mem::take(&mut self.script_head);
        self.emails.see_script(code.as_str());
        if self.script == ScriptKind::JsonLd {
            let reachable = self.json_ld.close(&self.base);
            self.reach(&reachable, ContactMethod::JsonLd);
        }
        self.script = ScriptKind::Code;
    }

    /// Takes what the page states for machines of how to reach those that it describes.
    fn reach(&mut self, reachable: &Reachable, method: ContactMethod) {
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

    /// Visible text, with entities.
    pub(super) fn text(&mut self, text: &str) {
        self.announced.heading_text(text);
        self.microdata.text(text);
        self.content.text(text);
        if let Some(links) = &mut self.link_list {
            links.text(text);
        }
        self.contact_text(text);
    }

    /// Text that contacts are looked for in.
    fn contact_text(&mut self, text: &str) {
        let Self {
            window,
            emails,
            phones,
            company,
            ..
        } = self;
        window.push(text, |text| search(text, emails, phones, company));
    }

    /// Text of `<title>` or `<textarea>`, with entities.
    pub(super) fn rcdata(&mut self, text: &str) {
        self.head.title_text(text);
    }

    /// Text of `<script>`.
    pub(super) fn script(&mut self, text: &str) {
        match self.script {
            ScriptKind::Code => {
                self.technologies.see_script(text);
                self.script_head.push(text, SCRIPT_HEAD_MAX_BYTES);
            }
            ScriptKind::JsonLd => self.json_ld.push(text),
            ScriptKind::Data => {}
        }
    }

    pub(super) fn comment(&mut self, text: &str) {
        self.technologies.see(Kind::Comment, text);
    }

    /// Everything that was found.
    pub(super) fn finish(&mut self) -> Extracted {
        let Self {
            window,
            emails,
            phones,
            company,
            ..
        } = self;
        window.finish(|text| search(text, emails, phones, company));
        while let Some(item) = self.microdata.leave(0) {
            self.end_item(&item);
        }
        let head = self.head.finish();
        let content = self.content.finish();
        let (language, language_source) = head
            .language
            .or_else(|| Some((detect(&content.text)?.to_owned(), LanguageSource::Text)))
            .unzip();
        let (locations, company) = self.company.take();
        for country in company.iter().filter_map(CompanyFact::country) {
            self.phones.hint(country);
        }
        let host = self.page.host_str().unwrap_or_default();
        let phones = self.phones.resolve(host, language.as_deref());
        let technologies = self.technologies.finish();
        self.announced.leave_heading();
        let announced = std::mem::take(&mut self.announced);
        let (internal_links, external_links) = self.links.counts();
        let mut facts = PageFacts {
            title: head.title,
            description: head.description,
            language,
            language_source,
            word_count: content.words,
            canonical_url: head.canonical_url,
            favicon_url: head.favicon_url,
            logo_url: self.logo.best(),
            emails: self.emails.take(),
            phones,
            social_links: self.social.take(),
            locations,
            company,
            wordpress: self.theme.facts(&technologies),
            technologies,
            robots: announced.robots,
            headings: announced.headings,
            icons: head.icons,
            internal_links,
            external_links,
            open_graph: announced.open_graph,
            twitter_card: announced.twitter_card,
            feeds: announced.feeds,
            alternates: announced.alternates,
            structured: self.json_ld.take(),
        };
        facts.fit();
        let (links, refused) = self.links.take(!facts.robots.nofollow);
        Extracted {
            facts,
            links,
            refused,
            content: self.page_content(content),
        }
    }

    /// What was asked for of the content.
    fn page_content(&mut self, content: Content) -> Option<PageContent> {
        if self.formats == Formats::default() {
            return None;
        }
        let (links, is_cut) = self.link_list.take().map(|mut links| links.take()).unzip();
        Some(PageContent {
            text: self.formats.text.then_some(content.text),
            markdown: self.formats.markdown.then_some(content.markdown),
            links,
            is_cut: content.is_cut || is_cut.unwrap_or_default(),
        })
    }

    fn separate(&mut self) {
        self.announced.heading_text(" ");
        self.microdata.text(" ");
        let Self {
            window,
            emails,
            phones,
            company,
            ..
        } = self;
        window.separate(|text| search(text, emails, phones, company));
    }

    /// Classes and other attributes by which technologies and contacts are known.
    fn see_marks(&mut self, attributes: &Attributes<'_>, class: &str) {
        if !class.is_empty() {
            self.technologies.see(Kind::Class, class);
            if let Some(sign) = sign_of(class) {
                self.contact_text(sign.encode_utf8(&mut [0; 4]));
            }
        }
        for (name, value) in attributes.iter() {
            if name.starts_with("data-") {
                self.emails.see_data(name, value);
            }
            if self.technologies.watches_attribute(name) {
                let line = format!("{name}={}", attribute_text(value));
                self.technologies.see(Kind::Attribute, &line);
            }
        }
    }

    fn see_source(&mut self, attributes: &Attributes<'_>) {
        if let Some(src) = attributes.get("src") {
            self.see_url(&src);
        }
    }

    /// The URL of something that the page loads.
    fn see_url(&mut self, url: &str) {
        if !url.starts_with("data:") {
            self.technologies.see(Kind::Url, url);
            self.theme.see_url(url);
        }
    }

    fn see_base(&mut self, attributes: &Attributes<'_>) {
        let href = attributes.get("href").filter(|_| !self.has_base);
        if let Some(base) = href.and_then(|href| self.page.join(&href).ok()) {
            self.has_base = true;
            self.base = base;
        }
    }

    fn see_meta(&mut self, attributes: &Attributes<'_>) {
        let Some(content) = attributes.get("content") else {
            return;
        };
        let name = attributes
            .get("name")
            .or_else(|| attributes.get("property"))
            .or_else(|| attributes.get("http-equiv"))
            .unwrap_or_default()
            .to_ascii_lowercase();
        let line = format!("{name}: {}", content.trim_start());
        self.technologies.see(Kind::Meta, &line);
        match name.as_str() {
            "refresh" => {
                if let Some(target) = refresh_target(&content) {
                    self.links.add(&self.base, target, "");
                }
            }
            _ => {
                if matches!(name.as_str(), "article:publisher" | "twitter:site") {
                    self.see_profile(&content);
                }
                self.head.see_meta(&name, &content);
                self.announced.see_meta(&name, &content, &self.base);
                if name == "og:site_name" {
                    self.company.see_site_name(&content);
                }
            }
        }
    }

    fn see_link(&mut self, attributes: &Attributes<'_>) {
        let Some(href) = attributes.get("href") else {
            return;
        };
        self.see_url(&href);
        let rel = attributes.get("rel").unwrap_or_default();
        if attributes.has_word("rel", "me")
            && let Ok(url) = PageUrl::resolve(&self.base, &href)
        {
            self.social.see_me(&url, ContactMethod::Head);
        }
        self.head.see_link(&rel, &href, attributes, &self.base);
        self.announced.see_link(&rel, &href, attributes, &self.base);
    }

    /// An address that is shown as an image, or its at sign.
    fn see_pictured_text(&mut self, attributes: &Attributes<'_>) {
        match attributes.raw("alt").unwrap_or_default() {
            "at" | "At" | "AT" => self.contact_text("(at)"),
            alt if alt.contains('@') => self.contact_text(alt),
            _ => {}
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
    fn see_profile(&mut self, profile: &str) {
        match PageUrl::parse(profile) {
            Ok(url) if profile.starts_with("http") => self.social.see(&url, ContactMethod::Head),
            _ => self.social.see_x_name(profile),
        }
    }

    fn see_anchor(&mut self, attributes: &Attributes<'_>) {
        let Some(href) = attributes.get("href") else {
            return;
        };
        let href = href.trim();
        if let Some(links) = &mut self.link_list {
            links.enter(&self.base, href);
        }
        if let Some(rest) = strip_word(href, "mailto:") {
            self.emails.add_mailto(rest);
        } else if let Some(rest) = strip_word(href, "tel:") {
            self.phones.add_tel(rest, self.window.tail());
        } else if strip_word(href, "javascript:").is_some() {
            self.emails.see_script_link(href);
        } else if let Some((path, hex)) = href.split_once('#')
            && path.ends_with("/cdn-cgi/l/email-protection")
        {
            self.emails.add_cloudflare(hex);
        } else {
            let rel = attributes.get("rel").unwrap_or_default();
            if let Some(url) = self.links.add(&self.base, href, &rel) {
                self.see_outward(&url, attributes);
            }
        }
    }
}

fn search(text: &str, emails: &mut Emails, phones: &mut Phones, company: &mut Company) {
    emails.add_text(text);
    phones.add_text(text);
    company.add_text(text);
}

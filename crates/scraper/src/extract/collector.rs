//! Takes the tokens of a page and hands each to whom it concerns.

mod contacts;
mod head;

use serde_json::Value;
use trawl_domain::crawl_options::Formats;
use trawl_domain::url_rules::{GivenUrl, SiteScope};
use url::Url;

use super::Extracted;
use super::announced::Announced;
use super::base::Base;
use super::company::Company;
use super::content::{Content, MainContent};
use super::element::Element;
use super::email_text::is_spelled_sign;
use super::emails::Emails;
use super::head::Head;
use super::json_ld::JsonLd;
use super::language::detect;
use super::link_list::LinkList;
use super::links::Links;
use super::logo::Logo;
use super::mask::Mask;
use super::microdata::Microdata;
use super::open_elements::OpenElements;
use super::others::Others;
use super::phone_label::{is_note_number, sign_of};
use super::phones::Phones;
use super::script_kind::ScriptKind;
use super::social::SocialLinks;
use super::tag::{Attributes, Tag};
use super::text::{BoundedText, TextWindow, attribute_text};
use super::tokenizer::{TextKind, Token};
use super::wordpress::Theme;
use crate::facts::contact::{CompanyFact, ContactMethod};
use crate::facts::content::PageContent;
use crate::facts::{LanguageSource, PageFacts};
use crate::registrable::is_own_url;
use crate::technology::{Detector, Kind, rules};
use contacts::{pictured_sign, search};

/// Elements in which logos stand and which authors close; the class of `body` says nothing.
const BOX_ELEMENTS: &[Element] = &[
    Element::A,
    Element::DIV,
    Element::FIGURE,
    Element::H1,
    Element::HEADER,
    Element::PICTURE,
    Element::SPAN,
];

/// Most bytes of a script that are looked at for an address: those that hide one are short.
const SCRIPT_HEAD_MAX_BYTES: usize = 2048;

/// Most bytes of what a page shows instead of a script.
const NOSCRIPT_MAX_BYTES: usize = 2048;

/// What has been found on one page so far.
#[derive(Debug)]
pub(super) struct Collector {
    page: Url,
    /// What references are resolved against: the page, or what `<base>` says.
    base: Base,
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
    mask: Mask,
    is_in_noscript: bool,
    noscript: BoundedText,
    logo: Logo,
    links: Links,
    emails: Emails,
    phones: Phones,
    social: SocialLinks,
    company: Company,
    others: Others,
    technologies: Detector,
    theme: Theme,
    window: TextWindow,
}

impl Collector {
    pub(super) fn new(url: &GivenUrl, scope: SiteScope, formats: Formats) -> Self {
        let page = url.as_url().clone();
        let host = page.host_str().unwrap_or_default();
        Self {
            base: Base::new(page.clone()),
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
            mask: Mask::default(),
            is_in_noscript: false,
            noscript: BoundedText::default(),
            logo: Logo::default(),
            links: Links::new(scope),
            emails: Emails::new(host),
            phones: Phones::new(host),
            social: SocialLinks::default(),
            company: Company::new(host),
            others: Others::new(host),
            script_head: BoundedText::default(),
            technologies: Detector::new(rules()),
            theme: Theme::default(),
            window: TextWindow::default(),
            page,
        }
    }

    /// Takes what is asked of this product as asked of us.
    pub(super) fn crawl_as(&mut self, product: &str) {
        self.announced.crawl_as(product);
    }

    /// A header of the answer.
    pub(super) fn header(&mut self, name: &str, value: &str) {
        self.technologies.see_header(name, value);
        self.announced.see_header(name, value);
        self.head.see_header(name, value);
        if name.eq_ignore_ascii_case("date") {
            self.json_ld.see_date(value);
        }
    }

    /// The next token of the page.
    pub(super) fn token(&mut self, token: Token<'_>) {
        match token {
            Token::Tag(Tag::Start {
                element,
                name,
                attributes,
            }) => self.start_tag(element, name, &attributes),
            Token::Tag(Tag::End { element }) => self.end_tag(element),
            Token::Text(TextKind::Data, text) => self.text(text),
            Token::Text(TextKind::Rcdata, text) => {
                self.head.title_text(text);
                self.others.see_name(text);
            }
            Token::Text(TextKind::Script, text) => self.script(text),
            Token::Text(TextKind::Raw, text) => self.raw_text(text),
            Token::Comment(text) => self.technologies.see(Kind::Comment, text),
        }
    }

    fn start_tag(&mut self, element: Element, name: &str, attributes: &Attributes<'_>) {
        let pictured = (element == Element::IMG)
            .then(|| pictured_sign(attributes))
            .flatten();
        if !element.is_inline() && pictured.is_none() {
            self.separate();
        }
        if element.ends_block() {
            self.content.end_block();
        }
        if self.open.before(element) {
            self.leave_closed();
        }
        let depth = self.open.open(element);
        self.microdata.enter(element, depth, attributes);
        self.head.leave_title();
        let class = attributes.get("class").unwrap_or_default();
        let id = attributes.get("id").unwrap_or_default();
        let names = (&*class, &*id);
        self.content
            .enter(element, depth, attributes, names, &mut self.base);
        self.mask.enter(element, depth, attributes, &class);
        if !matches!(element, Element::HTML | Element::BODY)
            && let Some(depth) = depth.filter(|_| !element.is_inline())
        {
            self.logo.enter(depth, &class, &id);
        }
        self.window.mark(element.is_inline());
        if element.is_inline() && element != Element::WBR {
            self.window.seam();
        }
        self.is_in_noscript = element == Element::NOSCRIPT;
        if name.contains('-') {
            self.technologies.see(Kind::Element, name);
            self.emails.see_element(name, attributes);
        }
        self.see_marks(attributes, &class);
        match element {
            Element::HTML => self.head.see_html(attributes),
            Element::BASE => self.see_base(attributes),
            Element::TITLE => self.head.enter_title(),
            Element::META => self.see_meta(attributes),
            Element::LINK => self.see_link(attributes),
            Element::A => self.see_anchor(attributes),
            Element::AREA => {
                self.see_anchor(attributes);
                self.links.leave();
            }
            Element::IMG => {
                self.see_link_titles(attributes);
                self.see_source(attributes);
                self.logo
                    .see_image(attributes, &class, &id, self.base.url());
                self.see_pictured_text(attributes, pictured);
                self.see_logo(attributes, &class);
            }
            Element::H1 => self.announced.enter_heading(1),
            Element::H2 => self.announced.enter_heading(2),
            Element::H3 => self.announced.enter_heading(3),
            Element::IFRAME => self.see_source(attributes),
            Element::SCRIPT => {
                self.see_source(attributes);
                self.script = ScriptKind::of(attributes.raw("type").unwrap_or_default());
            }
            _ => {}
        }
        if BOX_ELEMENTS.contains(&element) {
            self.logo.enter_box(element, &class, &id);
        }
    }

    fn end_tag(&mut self, element: Element) {
        if element.is_inline() {
            self.window.seam();
            let is_note = |text: &str| element == Element::SUP && is_note_number(text);
            self.window
                .bracket(|text| is_note(text) || is_spelled_sign(text));
        } else {
            self.separate();
        }
        if element.ends_block() {
            self.content.end_block();
        }
        if self.open.end(element) {
            self.leave_closed();
        }
        self.logo.leave_box(element);
        match element {
            Element::A => {
                self.links.leave();
                if let Some(links) = &mut self.link_list {
                    links.leave();
                }
            }
            Element::H1 | Element::H2 | Element::H3 => self.announced.leave_heading(),
            Element::NOSCRIPT => self.end_noscript(),
            Element::SCRIPT => self.end_script(),
            _ => {}
        }
    }

    /// Ends what belongs to elements that are no longer open.
    fn leave_closed(&mut self) {
        self.content.leave(self.open.depth());
        self.logo.leave(self.open.depth());
        if let Some(text) = self.mask.leave(self.open.depth()) {
            self.contact_text(&text);
        }
        while let Some(item) = self.microdata.leave(self.open.depth()) {
            self.end_item(&item);
        }
    }

    /// Reads an item of microdata.
    fn end_item(&mut self, item: &Value) {
        let reachable = self.json_ld.read(item, self.base.url());
        self.reach(&reachable, ContactMethod::Microdata);
    }

    fn end_script(&mut self) {
        let code = std::mem::take(&mut self.script_head);
        self.emails.see_script(code.as_str());
        if self.script == ScriptKind::JsonLd {
            let reachable = self.json_ld.close(self.base.url());
            self.reach(&reachable, ContactMethod::JsonLd);
        }
        self.script = ScriptKind::Code;
    }

    /// Visible text, with entities.
    fn text(&mut self, text: &str) {
        self.announced.heading_text(text);
        self.microdata.text(text);
        self.content.text(text);
        self.links.text(text);
        if let Some(links) = &mut self.link_list {
            links.text(text);
        }
        if !self.mask.text(text) {
            self.contact_text(text);
        }
    }

    /// Text of elements whose content is no markup to browsers that run scripts.
    fn raw_text(&mut self, text: &str) {
        if self.is_in_noscript {
            self.noscript.push(text, NOSCRIPT_MAX_BYTES);
        }
    }

    /// Text of `<script>`.
    fn script(&mut self, text: &str) {
        match self.script {
            ScriptKind::Code => {
                self.technologies.see_script(text);
                self.script_head.push(text, SCRIPT_HEAD_MAX_BYTES);
            }
            ScriptKind::JsonLd => self.json_ld.push(text),
            ScriptKind::Data => {}
        }
    }

    /// Everything that was found.
    pub(super) fn finish(mut self) -> Extracted {
        let Self {
            window,
            emails,
            phones,
            company,
            others,
            ..
        } = &mut self;
        window.finish(|text| search(text, others, emails, phones, company));
        while let Some(item) = self.microdata.leave(0) {
            self.end_item(&item);
        }
        let head = self.head.finish();
        let content = self.content.finish();
        let (language, language_source) = head
            .language
            .or_else(|| Some((detect(&content.text)?.to_owned(), LanguageSource::Text)))
            .unzip();
        let (locations, company) = self
            .company
            .take(head.title.as_deref(), language.as_deref());
        for country in company.iter().filter_map(CompanyFact::country) {
            self.phones.hint(country);
        }
        // Templates say "en" whatever the language.
        let may_err = language_source == Some(LanguageSource::Attribute)
            && language.as_deref().is_some_and(|tag| tag.starts_with("en"));
        if may_err
            && self.phones.asks_for_language()
            && let Some(spoken) = detect(&content.text)
        {
            self.phones.hear(spoken);
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
            is_cut: false,
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
        self.links.text(" ");
        self.microdata.text(" ");
        let Self {
            window,
            emails,
            phones,
            company,
            others,
            ..
        } = self;
        window.separate(|text| search(text, others, emails, phones, company));
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
            if name.starts_with("data-") || name.starts_with("on") {
                if name == "data-cfemail" {
                    self.see_others();
                }
                self.emails.see_attribute(name, value, attributes);
                self.leave_others();
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
        if url.starts_with("data:") {
            return;
        }
        if is_own_url(url, self.page.host_str().unwrap_or_default()) {
            self.technologies.see(Kind::Url, url);
            self.theme.see_url(url);
        } else {
            self.technologies.see_foreign_url(url);
        }
    }
}

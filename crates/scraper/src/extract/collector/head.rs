//! What the elements of a page's head say: `base`, `meta` and `link`, wherever they stand.

use super::super::base::Base;
use super::super::links::refresh_target;
use super::super::tag::Attributes;
use super::Collector;
use crate::facts::contact::ContactMethod;
use crate::technology::Kind;

impl Collector {
    pub(super) fn see_base(&mut self, attributes: &Attributes<'_>) {
        let href = attributes.get("href").filter(|_| !self.has_base);
        if let Some(base) = href.and_then(|href| self.page.join(&href).ok()) {
            self.has_base = true;
            self.base = Base::new(base);
        }
    }

    pub(super) fn see_meta(&mut self, attributes: &Attributes<'_>) {
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
                    self.links.enter(&mut self.base, target, "");
                    self.links.leave();
                }
            }
            _ => {
                if matches!(name.as_str(), "article:publisher" | "twitter:site") {
                    self.see_profile(&content);
                }
                self.head.see_meta(&name, &content);
                self.announced.see_meta(&name, &content, self.base.url());
                if name == "og:site_name" {
                    self.company.see_site_name(&content);
                    self.others.see_name(&content);
                }
            }
        }
    }

    pub(super) fn see_link(&mut self, attributes: &Attributes<'_>) {
        let Some(href) = attributes.get("href") else {
            return;
        };
        self.see_url(&href);
        let rel = attributes.get("rel").unwrap_or_default();
        if attributes.has_word("rel", "me")
            && let Ok(url) = self.base.resolve(&href)
        {
            self.social.see_me(url, ContactMethod::Head);
        }
        self.head.see_link(&rel, &href, attributes, self.base.url());
        self.announced
            .see_link(&rel, &href, attributes, self.base.url());
    }
}

//! Microdata: what a page states in `itemscope`, `itemtype` and `itemprop` (HTML standard, 5).
//!
//! Items become the objects that the same statement would be as JSON-LD, and are read as those.
//! `itemref` is not followed: what it names may stand anywhere, and hardly any page uses it.

use serde_json::{Map, Value};

use super::element::Element;
use super::tag::Attributes;
use super::text::BoundedText;

/// Most bytes of all items of a page, in memory.
const PAGE_MAX_BYTES: usize = 128 * 1024;

/// What a value takes in memory beside its text.
const VALUE_OVERHEAD_BYTES: usize = 128;

/// Most bytes of one value, and of the name of a property.
const VALUE_MAX_BYTES: usize = 1024;
const NAME_MAX_BYTES: usize = 64;

/// Most names of one property, most types of an item, most values of a property.
const NAMES_MAX: usize = 4;
const VALUES_MAX: usize = 64;

/// Most properties whose text is being read at the same time.
const OPEN_TEXTS_MAX: usize = 16;

/// Properties that are URLs: of these a link states where it leads, of others what it says.
const URL_PROPERTIES: &[&str] = &[
    "availability",
    "contentUrl",
    "image",
    "item",
    "itemCondition",
    "logo",
    "mainEntityOfPage",
    "sameAs",
    "url",
];

/// Collects items.
#[derive(Debug, Default)]
pub(super) struct Microdata {
    /// Items whose elements are open, the innermost last.
    items: Vec<OpenItem>,
    /// Properties whose elements are open and whose value is their text.
    texts: Vec<OpenText>,
    page_bytes: usize,
}

#[derive(Debug)]
struct OpenItem {
    depth: usize,
    /// The properties of the item around it that it is the value of.
    names: Vec<String>,
    object: Map<String, Value>,
}

#[derive(Debug)]
struct OpenText {
    depth: usize,
    names: Vec<String>,
    text: BoundedText,
}

/// What the value of a property is.
#[derive(Debug, PartialEq, Eq)]
enum Stated {
    Attribute(String),
    Text,
    Nothing,
}

impl Microdata {
    /// An element begins, at a depth unless it has no content.
    pub(super) fn enter(
        &mut self,
        element: Element,
        depth: Option<usize>,
        attributes: &Attributes<'_>,
    ) {
        let names = if self.items.is_empty() {
            Vec::new()
        } else {
            words(attributes, "itemprop")
        };
        if let Some(depth) = depth
            && attributes.raw("itemscope").is_some()
        {
            self.items.push(OpenItem {
                depth,
                names,
                object: typed(attributes),
            });
        } else if !names.is_empty() {
            match stated(element, attributes, &names) {
                Stated::Attribute(value) => self.add_text(&names, &value),
                Stated::Text => {
                    if let Some(depth) = depth
                        && self.texts.len() < OPEN_TEXTS_MAX
                    {
                        self.texts.push(OpenText {
                            depth,
                            names,
                            text: BoundedText::default(),
                        });
                    }
                }
                Stated::Nothing => {}
            }
        }
    }

    /// Visible text, with entities.
    pub(super) fn text(&mut self, text: &str) {
        for open in &mut self.texts {
            open.text.push(text, VALUE_MAX_BYTES);
        }
    }

    /// Only so many elements are open any more; gives back an item that has come to its end and
    /// is no part of another. Ask until there is none.
    pub(super) fn leave(&mut self, depth: usize) -> Option<Value> {
        loop {
            let text = self.texts.last().map(|open| open.depth);
            let item = self.items.last().map(|open| open.depth);
            if text.is_some_and(|at| at >= depth) && text > item {
                if let Some(open) = self.texts.pop() {
                    self.add_text(&open.names, open.text.as_str());
                }
            } else if item.is_some_and(|at| at >= depth) {
                let open = self.items.pop()?;
                let value = Value::Object(open.object);
                // Once, however many names it has: its own values are counted once.
                match open.names.first() {
                    Some(name) => self.add(name, value, 0),
                    None => return Some(value),
                }
            } else {
                return None;
            }
        }
    }

    /// Gives the innermost item a text under each of some names.
    fn add_text(&mut self, names: &[String], text: &str) {
        for name in names {
            self.add(name, Value::from(text), text.len());
        }
    }

    /// Gives the innermost item a value of so many bytes.
    fn add(&mut self, name: &str, value: Value, bytes: usize) {
        let Some(item) = self.items.last_mut() else {
            return;
        };
        self.page_bytes += VALUE_OVERHEAD_BYTES + name.len() + bytes;
        if self.page_bytes > PAGE_MAX_BYTES {
            return;
        }
        match item.object.get_mut(name) {
            None => {
                item.object.insert(name.to_owned(), value);
            }
            Some(Value::Array(values)) => {
                if values.len() < VALUES_MAX {
                    values.push(value);
                }
            }
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
}

/// An item of which nothing but its types is known.
fn typed(attributes: &Attributes<'_>) -> Map<String, Value> {
    let types = words(attributes, "itemtype");
    Map::from_iter([("@type".to_owned(), Value::from(types))])
}

/// The words of an attribute, as far as they are names.
fn words(attributes: &Attributes<'_>, name: &str) -> Vec<String> {
    let words = attributes.get(name).unwrap_or_default();
    let words = words.split_ascii_whitespace();
    words
        .filter(|word| word.len() <= NAME_MAX_BYTES)
        .take(NAMES_MAX)
        .map(str::to_owned)
        .collect()
}

/// Where the value of a property stands. Other than the standard, `content` counts on every
/// element, and the text of a link does where a text is meant: authors write it so, and search
/// engines read it so.
fn stated(element: Element, attributes: &Attributes<'_>, names: &[String]) -> Stated {
    let attribute = |name: &str| {
        let value = attributes.get(name)?;
        let end = value.floor_char_boundary(VALUE_MAX_BYTES);
        value.get(..end).map(|value| value.trim().to_owned())
    };
    if let Some(content) = attribute("content") {
        return Stated::Attribute(content);
    }
    let value = match element {
        Element::A | Element::AREA | Element::LINK => attribute("href").filter(|href| {
            let is_url = |name: &String| URL_PROPERTIES.contains(&name.as_str());
            let is_number = |scheme: &str| {
                let start = href.get(..scheme.len());
                start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            };
            element != Element::A
                || names.iter().any(is_url)
                || is_number("tel:")
                || is_number("mailto:")
        }),
        Element::AUDIO
        | Element::EMBED
        | Element::IFRAME
        | Element::IMG
        | Element::SOURCE
        | Element::TRACK
        | Element::VIDEO => ["src", "data-src", "data-lazy-src"]
            .into_iter()
            .filter_map(attribute)
            .find(|src| !src.starts_with("data:")),
        Element::OBJECT => attribute("data"),
        Element::DATA | Element::METER | Element::INPUT => attribute("value"),
        Element::TIME => attribute("datetime"),
        _ => None,
    };
    match value {
        Some(value) => Stated::Attribute(value),
        None if element.is_void() => Stated::Nothing,
        None => Stated::Text,
    }
}

#[cfg(test)]
mod tests;

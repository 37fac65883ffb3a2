//! The quotes and lists around a block of Markdown: what stands before it and before its lines.

use std::borrow::Cow;

use super::super::element::Element;
use super::super::tag::Attributes;

/// Most quotes, lists and items that are open at the same time.
const CONTAINERS_MAX: usize = 16;

/// The open quotes, lists and items, the innermost last.
#[derive(Debug, Default)]
pub(super) struct Containers {
    open: Vec<Container>,
    /// Those around the block before.
    before: Vec<Around>,
    opened: u64,
}

#[derive(Debug)]
pub(super) struct Container {
    depth: usize,
    around: Around,
    kind: Kind,
}

/// A container as the next block sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Around {
    number: u64,
    list: Option<Marks>,
    is_item: bool,
}

/// The marks of a list: two lists in a row that have the same would be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marks {
    Bullet(&'static str),
    Number(&'static str),
}

#[derive(Debug)]
enum Kind {
    Quote,
    List {
        /// Of its next item, if those are numbered.
        number: u64,
        has_items: bool,
    },
    /// An item, with what stands before its first line, until that is written.
    Item {
        marker: String,
        is_written: bool,
    },
}

impl Containers {
    /// An element begins.
    pub(super) fn enter(&mut self, element: Element, depth: usize, attributes: &Attributes<'_>) {
        let (kind, list) = match element {
            Element::BLOCKQUOTE => (Kind::Quote, None),
            Element::UL | Element::MENU => (new_list(1), Some(self.marks(["- ", "* "], false))),
            Element::OL => {
                let start = attributes.get("start");
                let number = start.and_then(|n| n.trim().parse().ok()).unwrap_or(1);
                (new_list(number), Some(self.marks([". ", ") "], true)))
            }
            Element::LI => {
                let marker = self.next_marker();
                let is_written = false;
                (Kind::Item { marker, is_written }, None)
            }
            _ => return,
        };
        if self.open.len() < CONTAINERS_MAX {
            self.opened += 1;
            let around = Around {
                number: self.opened,
                list,
                is_item: element == Element::LI,
            };
            self.open.push(Container {
                depth,
                around,
                kind,
            });
        }
    }

    /// Only so many elements are open any more.
    pub(super) fn leave(&mut self, depth: usize) {
        while self.open.pop_if(|open| open.depth >= depth).is_some() {}
    }

    /// Takes those that opened at a depth or deeper, for what stands before them.
    pub(super) fn take_within(&mut self, depth: usize) -> Vec<Container> {
        let outer = self.open.partition_point(|open| open.depth < depth);
        self.open.split_off(outer)
    }

    /// Opens again what was taken.
    pub(super) fn restore(&mut self, inner: Vec<Container>) {
        self.open.extend(inner);
    }

    /// Writes before each line of a block what its quotes and lists ask for; gives back what
    /// divides it from the block before.
    pub(super) fn write(&mut self, markdown: &mut String) -> Cow<'static, str> {
        if self.open.is_empty() && self.before.is_empty() {
            return Cow::Borrowed("\n\n");
        }
        let shared = self.shared();
        let has_list = |around: &[Around]| around.iter().any(|around| around.list.is_some());
        let is_shared_list = has_list(self.before.get(..shared).unwrap_or_default());
        // A second paragraph of an item is one only behind an empty line.
        let is_tight = is_shared_list && !self.continues_item(shared);
        let mut gap = String::new();
        let mut first = String::new();
        let mut others = String::new();
        let mut is_in_list = None;
        for (at, open) in self.open.iter_mut().enumerate() {
            let outer_list = is_in_list.take();
            match &mut open.kind {
                Kind::Quote => {
                    first.push_str("> ");
                    others.push_str("> ");
                }
                Kind::List { has_items, .. } => {
                    // A list among the items of another belongs to the item before.
                    if let Some((marks, true)) = outer_list {
                        let indent = " ".repeat(width(marks));
                        first.push_str(&indent);
                        others.push_str(&indent);
                    }
                    is_in_list = open.around.list.map(|marks| (marks, *has_items));
                }
                Kind::Item { marker, is_written } => {
                    let indent = " ".repeat(marker.len());
                    first.push_str(if *is_written { &indent } else { marker });
                    others.push_str(&indent);
                    *is_written = true;
                }
            }
            if at + 1 == shared {
                gap.clone_from(&others);
            }
        }
        self.before.clear();
        self.before.extend(self.open.iter().map(|open| open.around));
        if !self.open.is_empty() {
            first.push_str(&markdown.replace('\n', &format!("\n{others}")));
            *markdown = first;
        }
        let quotes = gap.trim_end();
        match (is_tight, quotes.is_empty()) {
            (true, _) => Cow::Borrowed("\n"),
            (false, true) => Cow::Borrowed("\n\n"),
            (false, false) => Cow::Owned(format!("\n{quotes}\n")),
        }
    }

    /// How many containers are around both the block before and the next one.
    fn shared(&self) -> usize {
        let open = self.open.iter().map(|open| open.around);
        let both = open.zip(&self.before);
        both.take_while(|(open, before)| open == *before).count()
    }

    /// The next block stands right in the item in which the block before stood.
    fn continues_item(&self, shared: usize) -> bool {
        shared == self.open.len()
            && shared == self.before.len()
            && self.before.last().is_some_and(|around| around.is_item)
    }

    /// The marks of a list that opens, other than those of a list that has just ended.
    fn marks(&self, [usual, other]: [&'static str; 2], is_numbered: bool) -> Marks {
        let shared = self.shared();
        let ended = self.before.get(shared).and_then(|before| before.list);
        let make = if is_numbered {
            Marks::Number
        } else {
            Marks::Bullet
        };
        if shared == self.open.len() && ended == Some(make(usual)) {
            return make(other);
        }
        make(usual)
    }

    /// What stands before the next item of the innermost list.
    fn next_marker(&mut self) -> String {
        for open in self.open.iter_mut().rev() {
            if let (Kind::List { number, has_items }, Some(marks)) =
                (&mut open.kind, open.around.list)
            {
                *has_items = true;
                let this = *number;
                *number = number.saturating_add(1);
                return match marks {
                    Marks::Bullet(mark) => mark.to_owned(),
                    Marks::Number(mark) => format!("{this}{mark}"),
                };
            }
        }
        "- ".to_owned()
    }
}

fn new_list(number: u64) -> Kind {
    Kind::List {
        number,
        has_items: false,
    }
}

/// How far what belongs to an item is indented.
fn width(marks: Marks) -> usize {
    match marks {
        Marks::Bullet(_) => 2,
        Marks::Number(_) => 3,
    }
}

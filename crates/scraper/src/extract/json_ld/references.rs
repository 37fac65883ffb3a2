//! What a script says once and refers to elsewhere by its `@id`, as Yoast and Rank Math write it.
//!
//! References are followed for one step and within one script, so that none leads in a circle.

use std::collections::HashMap;

use serde_json::Value;

use super::{DEPTH_MAX, OBJECTS_MAX};

/// The objects of a script by their `@id`.
#[derive(Debug, Default)]
pub(super) struct References<'v> {
    by_id: HashMap<&'v str, &'v Value>,
}

impl<'v> References<'v> {
    pub(super) fn of(script: &'v Value) -> Self {
        let mut references = Self::default();
        let mut objects = 0;
        references.add(script, 0, &mut objects);
        references
    }

    fn add(&mut self, value: &'v Value, depth: usize, objects: &mut usize) {
        if depth > DEPTH_MAX || *objects >= OBJECTS_MAX {
            return;
        }
        match value {
            Value::Array(values) => {
                for value in values {
                    self.add(value, depth + 1, objects);
                }
            }
            Value::Object(object) => {
                *objects += 1;
                if let Some(id) = id(value)
                    && !is_reference(value)
                {
                    self.by_id.entry(id).or_insert(value);
                }
                for value in object.values() {
                    self.add(value, depth + 1, objects);
                }
            }
            _ => {}
        }
    }

    /// The object that a value refers to, or the value itself.
    pub(super) fn resolve(&self, value: &'v Value) -> &'v Value {
        let referred = id(value)
            .filter(|_| is_reference(value))
            .and_then(|id| self.by_id.get(id).copied());
        referred.unwrap_or(value)
    }
}

fn id(value: &Value) -> Option<&str> {
    value.get("@id")?.as_str()
}

/// Whether an object says nothing but which one it is.
fn is_reference(value: &Value) -> bool {
    let names = value.as_object().map(|object| object.keys());
    names.is_some_and(|mut names| names.all(|name| name == "@id" || name == "@type"))
}

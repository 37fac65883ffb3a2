//! JSON as people and templates break it, made into what they meant: comments, commas too many and
//! too few, brackets that are not closed or closed twice, quotes of the other kind or escaped as in
//! a program, several values in a row, and quotes written as entities.

use std::borrow::Cow;

/// Rewrites a script that is no JSON. It may still be none afterwards; no more than twice as long.
pub(super) fn repaired(script: &str) -> String {
    let script = match script.contains('"') {
        false if script.contains("&quot;") => htmlize::unescape(script),
        _ => Cow::Borrowed(script),
    };
    let mut repair = Repair {
        out: String::with_capacity(script.len() + 2),
        open: Vec::new(),
        comma: false,
        after_value: false,
        values: 0,
    };
    repair.read(&script);
    repair.end()
}

struct Repair {
    out: String,
    /// What closes the open brackets, the innermost last.
    open: Vec<char>,
    /// A comma that is written once something follows it.
    comma: bool,
    /// What was written last ends a value, or is a key.
    after_value: bool,
    /// Values beside each other, outside of all brackets.
    values: usize,
}

impl Repair {
    fn read(&mut self, script: &str) {
        let mut rest = script;
        while let Some(next) = rest.chars().next() {
            let after = rest.get(next.len_utf8()..).unwrap_or_default();
            rest = match next {
                '"' | '\'' => self.text(next, after),
                '/' if after.starts_with('/') => behind(after, "\n"),
                '/' if after.starts_with('*') => behind(after, "*/"),
                '{' | '[' => {
                    self.begin();
                    self.open.push(if next == '{' { '}' } else { ']' });
                    self.out.push(next);
                    self.after_value = false;
                    after
                }
                '}' | ']' => {
                    self.close(next);
                    after
                }
                ',' => {
                    self.comma = self.after_value;
                    after
                }
                ':' => {
                    self.out.push(':');
                    self.after_value = false;
                    after
                }
                other if is_of_word(other) => {
                    let end = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
                    let (word, behind) = rest.split_at(end);
                    self.begin();
                    self.out.push_str(word);
                    self.after_value = true;
                    behind
                }
                // White space, and what can stand nowhere.
                _ => after,
            };
        }
    }

    /// A value begins.
    fn begin(&mut self) {
        let is_outside = self.open.is_empty();
        self.values += usize::from(is_outside);
        if self.comma || self.after_value {
            self.out.push(',');
        }
        self.comma = false;
    }

    /// Takes a text whose quote was read; gives back what is behind it.
    fn text<'s>(&mut self, quote: char, rest: &'s str) -> &'s str {
        self.begin();
        self.out.push('"');
        let mut chars = rest.char_indices();
        let mut behind = "";
        while let Some((at, next)) = chars.next() {
            match next {
                '\\' => match chars.next() {
                    Some((_, '\'')) => self.out.push('\''),
                    Some((_, escaped)) => self.out.extend(['\\', escaped]),
                    None => {}
                },
                end if end == quote => {
                    behind = rest.get(at + 1..).unwrap_or_default();
                    break;
                }
                '"' => self.out.push_str("\\\""),
                control if control.is_ascii_control() => self.out.push(' '),
                other => self.out.push(other),
            }
        }
        self.out.push('"');
        self.after_value = true;
        behind
    }

    /// Closes a bracket, and those within it that were left open. One that closes nothing is dropped.
    fn close(&mut self, bracket: char) {
        if self.open.contains(&bracket) {
            while let Some(open) = self.open.pop() {
                self.out.push(open);
                if open == bracket {
                    break;
                }
            }
            self.comma = false;
            self.after_value = true;
        }
    }

    fn end(mut self) -> String {
        self.out.extend(self.open.iter().rev());
        if self.values > 1 {
            self.out.insert(0, '[');
            self.out.push(']');
        }
        self.out
    }
}

/// What stands behind an end; nothing, if there is none.
fn behind<'s>(text: &'s str, end: &str) -> &'s str {
    text.split_once(end).map_or("", |(_, behind)| behind)
}

/// Whether a character is one of a number, `true`, `false` or `null`.
fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_often_broken_is_read_as_it_was_meant() {
        let meant = json!({"a": "x", "b": [1, 2]});
        for script in [
            r#"{"a": "x", "b": [1, 2],}"#,
            r#"{"a": "x", "b": [1, 2,],}"#,
            r#"{"a": "x",, "b": [1, 2]}"#,
            r#"{"a": "x" "b": [1, 2]}"#,
            "{\"a\": \"x\", // the name: \"y\"\n \"b\": [1, 2]}",
            r#"{"a": "x", /* , */ "b": [1, 2]}"#,
            r#"{"a": "x", "b": [1, 2]"#,
            r#"{"a": "x", "b": [1, 2"#,
            r#"{"a": "x", "b": [1, 2}"#,
            r#"{"a": "x", "b": [1, 2]}}"#,
            r#"{"a": "x", "b": [1, 2]}]"#,
            r#"{'a': 'x', 'b': [1, 2]}"#,
            "{&quot;a&quot;: &quot;x&quot;, &quot;b&quot;: [1, 2]}",
        ] {
            let value: Option<Value> = serde_json::from_str(&repaired(script)).ok();
            assert_eq!(
                value.as_ref(),
                Some(&meant),
                "{script}: {}",
                repaired(script)
            );
        }
        for (script, meant) in [
            (r#"{"a": "it\'s"}"#, json!({"a": "it's"})),
            (r#"{'a': 'say "x"'}"#, json!({"a": "say \"x\""})),
            ("{\"a\": \"x\ny\"}", json!({"a": "x y"})),
            (r#"{"a": "http://b//c",}"#, json!({"a": "http://b//c"})),
            (
                r#"{"a": -1.5e3 "b": true,}"#,
                json!({"a": -1500.0, "b": true}),
            ),
            (r#"{"a": 1} {"b": 2}"#, json!([{"a": 1}, {"b": 2}])),
            (r#"{"a": 1}, {"b": 2},"#, json!([{"a": 1}, {"b": 2}])),
        ] {
            let value: Option<Value> = serde_json::from_str(&repaired(script)).ok();
            assert_eq!(
                value.as_ref(),
                Some(&meant),
                "{script}: {}",
                repaired(script)
            );
        }
    }

    proptest! {
        #[test]
        fn any_script_is_rewritten_within_its_bounds(script in "[{}\\[\\],:\"'/*\\\\a1 \nü&;]{0,200}") {
            prop_assert!(repaired(&script).len() <= script.len() * 2 + 2);
        }
    }
}

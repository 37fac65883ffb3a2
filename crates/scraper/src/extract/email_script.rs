//! What a short script writes into the page, as far as it only puts texts together.
//!
//! No interpreter: it knows variables, sums and lists of texts and the few calls by which pages
//! hide an address. All else is unknown, and an unknown part makes no address. Never runs longer
//! than the script has bytes, times a constant.

mod tokens;

use percent_encoding::percent_decode_str;

use super::email_cipher::base64;
use tokens::{Token, tokens};

/// Most bytes of a script that are read, and of one text that it makes.
const SCRIPT_MAX_BYTES: usize = 2048;
const TEXT_MAX_BYTES: usize = 1024;

/// Most variables, most parts of a list and deepest brackets.
const VARIABLES_MAX: usize = 32;
const PARTS_MAX: usize = 256;
const DEPTH_MAX: u8 = 8;

/// Most tokens of a call that is given an address.
const CALL_TOKENS_MAX: usize = 16;

/// Stands for what is not known: no part of an address.
const UNKNOWN: char = '\u{fffd}';

/// What shows a text that is assigned to it, or given to it as the last argument.
const SHOWING_MEMBERS: &[&str] = &[
    "href",
    "innerHTML",
    "innerText",
    "location",
    "outerHTML",
    "textContent",
];
const SHOWING_CALLS: &[&str] = &[
    "after",
    "append",
    "appendChild",
    "assign",
    "attr",
    "before",
    "createTextNode",
    "html",
    "insertAdjacentHTML",
    "open",
    "prepend",
    "replaceWith",
    "setAttribute",
    "text",
    "write",
    "writeln",
];

/// Endings of functions that are given an address in parts.
const MAIL_CALLS: &[&str] = &["ail(", "ailTo(", "ailto("];

/// Signs of which one is in every script that makes an address.
const MARKS: &[&str] = &[
    "@",
    "&#",
    "&commat",
    "\\x40",
    "\\u0040",
    "%40",
    "fromCharCode",
    "atob",
    "mail",
    "Mail",
];

/// Whether a script may make an address: a cheap question before [`shown`].
pub(super) fn may_show(script: &str) -> bool {
    let has = |words: &[&str]| words.iter().any(|word| script.contains(word));
    has(MARKS) && (has(SHOWING_MEMBERS) || has(SHOWING_CALLS) || has(MAIL_CALLS))
}

/// The texts that a script shows; `data` gives the `data-` attributes of its element by their
/// names in scripts.
pub(super) fn shown(script: &str, data: &dyn Fn(&str) -> Option<String>) -> String {
    let script = script.get(..script.floor_char_boundary(SCRIPT_MAX_BYTES));
    let tokens = tokens(script.unwrap_or_default());
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
        variables: Vec::new(),
        data,
    };
    reader.run()
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    variables: Vec<(&'a str, Value)>,
    data: &'a dyn Fn(&str) -> Option<String>,
}

#[derive(Debug, Clone)]
enum Value {
    Text(String),
    List(Vec<String>),
}

fn unknown() -> Value {
    Value::Text(UNKNOWN.to_string())
}

impl Value {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::List(list) => list.join(","),
        }
    }
}

impl<'a> Reader<'a> {
    fn run(&mut self) -> String {
        let mut shown = String::new();
        while let Some(token) = self.tokens.get(self.at) {
            let is_member = self.at > 0 && self.is_sign_at(self.at - 1, '.');
            self.at += 1;
            let Token::Word(name) = *token else {
                continue;
            };
            if self.is_sign('=') || (self.is_sign('+') && self.is_sign_at(self.at + 1, '=')) {
                let adds = self.is_sign('+');
                self.at += 1 + usize::from(adds);
                // A comparison is none of it.
                if self.is_sign('=') {
                    continue;
                }
                let value = self.sum(0);
                if SHOWING_MEMBERS.contains(&name) {
                    show(&mut shown, &value.clone().text(), true);
                }
                if !is_member {
                    self.assign(name, value, adds);
                }
            } else if self.is_sign('(') {
                if SHOWING_CALLS.contains(&name) {
                    let arguments = self.list(0, ')');
                    let text = arguments.last().map(String::as_str).unwrap_or_default();
                    show(&mut shown, text, !name.starts_with("write"));
                } else if name.to_ascii_lowercase().contains("mail") && self.closes_soon() {
                    let arguments = self.list(0, ')');
                    show(&mut shown, &mailed(&arguments), true);
                }
            }
        }
        shown
    }

    fn assign(&mut self, name: &'a str, value: Value, adds: bool) {
        let known = self.variables.iter_mut().find(|(known, _)| *known == name);
        if let Some((_, known)) = known {
            *known = if adds {
                let mut text = known.clone().text() + &value.text();
                text.truncate(text.floor_char_boundary(TEXT_MAX_BYTES));
                Value::Text(text)
            } else {
                value
            };
        } else if self.variables.len() < VARIABLES_MAX {
            self.variables.push((name, value));
        }
    }

    /// Reads `a + b + c`.
    fn sum(&mut self, depth: u8) -> Value {
        let mut value = self.term(depth);
        while self.is_sign('+') {
            self.at += 1;
            let mut text = value.text();
            text.push_str(&self.term(depth).text());
            text.truncate(text.floor_char_boundary(TEXT_MAX_BYTES));
            value = Value::Text(text);
        }
        value
    }

    fn term(&mut self, depth: u8) -> Value {
        let Some(token) = self.tokens.get(self.at).filter(|_| depth < DEPTH_MAX) else {
            return unknown();
        };
        // What ends an expression is left for its reader.
        if matches!(token, Token::Sign(')' | ']' | '}' | ';' | ',')) {
            return unknown();
        }
        self.at += 1;
        let value = match token {
            Token::Text(text) => Value::Text(text.clone()),
            Token::Number(number) => Value::Text(number.to_string()),
            Token::Sign('(') => {
                let value = self.sum(depth + 1);
                self.skip_sign(')');
                value
            }
            Token::Sign('[') => {
                self.at -= 1;
                Value::List(self.list(depth + 1, ']'))
            }
            Token::Sign(_) => unknown(),
            Token::Word(name) => self.named(name, depth),
        };
        self.calls(value, depth)
    }

    /// Reads what a name stands for, or what it gives as a function.
    fn named(&mut self, name: &str, depth: u8) -> Value {
        match name {
            "String" if self.is_sign('.') && self.is_word_at(self.at + 1, "fromCharCode") => {
                self.at += 2;
                Value::Text(self.codes())
            }
            "unescape" | "decodeURIComponent" | "decodeURI" | "atob" if self.is_sign('(') => {
                let text = self.list(depth + 1, ')').concat();
                Value::Text(if name == "atob" {
                    base64(&text).unwrap_or_else(|| UNKNOWN.to_string())
                } else {
                    percent_decode_str(&text).decode_utf8_lossy().into_owned()
                })
            }
            "dataset" if self.is_sign('.') => {
                self.at += 1;
                let key = self.tokens.get(self.at).and_then(Token::word);
                self.at += 1;
                Value::Text(
                    key.and_then(self.data)
                        .unwrap_or_else(|| UNKNOWN.to_string()),
                )
            }
            // The text is that of the last name: `this.dataset.name`.
            "this" | "window" | "document" | "event" | "currentTarget" | "target"
                if self.is_sign('.') =>
            {
                self.at += 1;
                match self.tokens.get(self.at).and_then(Token::word) {
                    Some(member) if depth < DEPTH_MAX => {
                        self.at += 1;
                        self.named(member, depth + 1)
                    }
                    _ => Value::Text(UNKNOWN.to_string()),
                }
            }
            name => {
                let known = self.variables.iter().find(|(known, _)| *known == name);
                known.map_or_else(unknown, |(_, value)| value.clone())
            }
        }
    }

    /// Reads the calls after a value: `.join('@')`, `.split('').reverse().join('')`.
    fn calls(&mut self, mut value: Value, depth: u8) -> Value {
        loop {
            if let Value::List(list) = &value
                && self.is_sign('[')
                && let Some(Token::Number(index)) = self.tokens.get(self.at + 1)
                && self.is_sign_at(self.at + 2, ']')
            {
                self.at += 3;
                let part = usize::try_from(*index)
                    .ok()
                    .and_then(|index| list.get(index));
                value = part.map_or_else(unknown, |part| Value::Text(part.clone()));
            } else if self.is_sign('(') || self.is_sign('[') {
                let close = if self.is_sign('(') { ')' } else { ']' };
                self.list(depth + 1, close);
                value = Value::Text(UNKNOWN.to_string());
            } else if self.is_sign('.') {
                let name = self.tokens.get(self.at + 1).and_then(Token::word);
                self.at += 2;
                let arguments = if self.is_sign('(') {
                    self.list(depth + 1, ')')
                } else {
                    Vec::new()
                };
                value = called(value, name.unwrap_or_default(), &arguments);
                if let Value::Text(text) = &mut value {
                    text.truncate(text.floor_char_boundary(TEXT_MAX_BYTES));
                }
            } else {
                return value;
            }
        }
    }

    /// Reads what is between two brackets, of which the first is next.
    fn list(&mut self, depth: u8, close: char) -> Vec<String> {
        self.at += 1;
        let mut parts = Vec::new();
        while let Some(token) = self.tokens.get(self.at) {
            match token {
                Token::Sign(sign) if *sign == close => {
                    self.at += 1;
                    break;
                }
                Token::Sign(',') => self.at += 1,
                // Statements are no list.
                Token::Sign(';' | '{' | '}') => break,
                _ => {
                    let begins = self.at;
                    let text = self.sum(depth + 1).text();
                    if parts.len() < PARTS_MAX {
                        parts.push(text);
                    }
                    if self.at == begins {
                        self.at += 1;
                    }
                }
            }
        }
        parts
    }

    /// Reads the codes up to the end of a call, in whatever lists they stand.
    fn codes(&mut self) -> String {
        let mut text = String::new();
        while let Some(token) = self.tokens.get(self.at) {
            self.at += 1;
            match token {
                Token::Number(code) if text.len() < TEXT_MAX_BYTES => {
                    text.push(char::from_u32(*code).unwrap_or(UNKNOWN));
                }
                Token::Sign(')' | ';') => break,
                _ => {}
            }
        }
        text
    }

    fn is_sign(&self, sign: char) -> bool {
        self.is_sign_at(self.at, sign)
    }

    fn is_sign_at(&self, at: usize, sign: char) -> bool {
        matches!(self.tokens.get(at), Some(Token::Sign(known)) if *known == sign)
    }

    fn is_word_at(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).and_then(Token::word) == Some(word)
    }

    /// Whether the bracket that is next has few parts.
    fn closes_soon(&self) -> bool {
        let near = self.tokens.iter().skip(self.at).take(CALL_TOKENS_MAX);
        near.into_iter().any(|token| *token == Token::Sign(')'))
    }

    fn skip_sign(&mut self, sign: char) {
        self.at += usize::from(self.is_sign(sign));
    }
}

/// What a method gives of a value.
fn called(value: Value, name: &str, arguments: &[String]) -> Value {
    let first = arguments.first().map(String::as_str);
    match (value, name) {
        (Value::List(list), "join") => {
            let sign = first.unwrap_or(",");
            if list.len().saturating_mul(sign.len()) > TEXT_MAX_BYTES {
                return Value::Text(UNKNOWN.to_string());
            }
            Value::Text(list.join(sign))
        }
        (Value::List(mut list), "reverse") => {
            list.reverse();
            Value::List(list)
        }
        (Value::Text(text), "split") => Value::List(match first {
            Some("") | None => text.chars().take(PARTS_MAX).map(String::from).collect(),
            Some(sign) => text
                .split(sign)
                .take(PARTS_MAX)
                .map(str::to_owned)
                .collect(),
        }),
        (Value::Text(text), "concat") => Value::Text(text + &arguments.concat()),
        (Value::Text(text), "replace" | "replaceAll") => match arguments {
            [from, to] if !from.contains(UNKNOWN) && !from.is_empty() && to.len() < 16 => {
                Value::Text(text.replace(from.as_str(), to))
            }
            _ => Value::Text(UNKNOWN.to_string()),
        },
        (value, "trim" | "toString" | "toLowerCase") => value,
        _ => Value::Text(UNKNOWN.to_string()),
    }
}

/// The address that a function for mails is given in parts: `mail('info', 'firma', 'de')`.
fn mailed(arguments: &[String]) -> String {
    match arguments {
        [address, ..] if address.contains('@') => address.clone(),
        [local, domain, ..] if domain.contains('.') => format!("{local}@{domain}"),
        [local, domain, suffix, ..] => format!("{local}@{domain}.{suffix}"),
        _ => String::new(),
    }
}

/// What is written is one text; all else is by itself.
fn show(shown: &mut String, text: &str, is_apart: bool) {
    if shown.len() + text.len() > 4 * TEXT_MAX_BYTES {
        return;
    }
    if is_apart {
        shown.push('\n');
    }
    shown.push_str(text);
    if is_apart {
        shown.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(script: &str, expected: &str) {
        let data = |name: &str| (name == "name").then(|| "info".to_owned());
        let shown = shown(script, &data);
        assert!(shown.contains(expected), "{script}: {shown:?}");
    }

    #[test]
    fn texts_are_put_together_as_scripts_do() {
        let address = "info@firma.de";
        for script in [
            "document.write('<a href=\"mai'+'lto:'+'info'+'@'+\"firma.de\"+'\">')",
            "var a='info';let b = 'firma.de'; document.write(a + '\\x40' + b);",
            "var a = 'info'; a += '@'; a = a + 'firma'; x.innerHTML = a + '.' + 'de'",
            "<!--\nfunction Show(){ var a=\"info\"; document.write(a+'@'+'firma.de'); }\n//-->",
            "document.write('info'); document.write('@'); document.writeln('firma.de');",
            "this.href='mailto:'+['info','firma.de'].join('@')",
            "location.href = `mailto:${'info'}@firma.de`",
            "$('#m').attr('href', 'mailto:' + 'info' + '@' + 'firma.de');",
            "$('#m').html('ed.amrif@ofni'.split('').reverse().join(''))",
            "document.write(String.fromCharCode(105,110,102,111,64) + 'firma.de')",
            "var m=['info','firma.de']; document.write(m[0]+'@'+m[1])",
            "var m=['info','firma.de']; document.write(m.join('@'))",
            "x.innerHTML = String.fromCharCode.apply(null,[105,110,102,111,64]) + 'firma.de'",
            "document.write(unescape('info%40firma.de'))",
            "el.textContent = atob('aW5mb0BmaXJtYS5kZQ==')",
            "mail('info', 'firma', 'de')",
            "sendMail('info','firma.de')",
            "window.location.href='mailto:' + this.dataset.name + '@firma.de'",
            "var p = ('in') + ('fo'); e.setAttribute('href', 'mailto:' + p.concat('@firma.de'))",
            "var s = 'info#firma.de'; d.append(s.replace('#', '@'))",
        ] {
            check(script, address);
        }
        check(
            "var a='&#105;nfo' + '&#64;'; a = a + 'firma' + '&#46;' + 'de'; x.innerHTML += a;",
            "&#105;nfo&#64;firma&#46;de",
        );
    }

    #[test]
    fn what_is_not_shown_or_not_known_makes_no_address() {
        for script in [
            "var a = 'info@firma.de';",
            "track({mail: 'info@firma.de'})",
            "document.write(user + '@firma.de')",
            "if (location.href == 'info@firma.de') {}",
            "document.write(f('info') + '@firma.de')",
            "// document.write('info@firma.de')",
        ] {
            let shown = shown(script, &|_| None);
            assert!(!shown.contains("info@firma.de"), "{script}: {shown:?}");
        }
        assert!(!may_show("var a = 'info@firma.de'"));
        assert!(!may_show("document.write('x')"));
        assert!(may_show("document.write('info&#64;firma.de')"));
    }

    proptest! {
        #[test]
        fn any_script_is_read_within_bounds(
            script in "(write\\(|mail\\(|a=|\\+=|'|\"|`|\\$\\{|[\\[\\]().;,+{}]|\\PC){0,60}",
        ) {
            let shown = shown(&script, &|_| Some("x".to_owned()));
            prop_assert!(shown.len() <= 4 * TEXT_MAX_BYTES + 4 * script.len() + 2);
        }
    }
}

//! The words, numbers, texts and signs of a script.

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Word(&'a str),
    Number(u32),
    /// A literal, its escapes decoded.
    Text(String),
    Sign(char),
}

impl<'a> Token<'a> {
    pub(super) fn word(&self) -> Option<&'a str> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }
}

/// All tokens of a script. A template becomes the sum of its parts in brackets.
pub(super) fn tokens(script: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer {
        rest: script,
        found: Vec::new(),
    };
    while lexer.next().is_some() {}
    lexer.found
}

struct Lexer<'a> {
    rest: &'a str,
    found: Vec<Token<'a>>,
}

impl<'a> Lexer<'a> {
    /// Takes the next token; `None` at the end.
    fn next(&mut self) -> Option<()> {
        self.rest = self.rest.trim_start();
        for (open, close) in [("//", "\n"), ("<!--", "\n"), ("/*", "*/")] {
            if let Some(comment) = self.rest.strip_prefix(open) {
                let end = comment.find(close)? + close.len();
                self.rest = comment.get(end..)?;
                return Some(());
            }
        }
        let first = self.rest.chars().next()?;
        match first {
            '\'' | '"' => {
                self.skip(first);
                let (text, _) = self.literal(first)?;
                self.found.push(Token::Text(text));
            }
            '`' => self.template()?,
            first if is_word_char(first) => {
                let end = self.rest.find(|c| !is_word_char(c));
                let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
                self.rest = rest;
                self.found.push(match word.parse() {
                    Ok(number) => Token::Number(number),
                    Err(_) => Token::Word(word),
                });
            }
            sign => {
                self.skip(sign);
                self.found.push(Token::Sign(sign));
            }
        }
        Some(())
    }

    fn skip(&mut self, c: char) {
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
    }

    /// Reads a text up to its quote, or in a template up to `${`; says whether that came.
    fn literal(&mut self, quote: char) -> Option<(String, bool)> {
        let mut text = String::new();
        loop {
            let c = self.rest.chars().next()?;
            self.skip(c);
            match c {
                c if c == quote => return Some((text, false)),
                '\\' => text.push(self.escaped()?),
                '$' if quote == '`' && self.rest.starts_with('{') => {
                    self.skip('{');
                    return Some((text, true));
                }
                c => text.push(c),
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.skip(c);
        let digits = match c {
            'x' => 2,
            'u' => 4,
            'n' => return Some('\n'),
            other => return Some(other),
        };
        let code = self.rest.get(..digits)?;
        let code = u32::from_str_radix(code, 16).ok()?;
        self.rest = self.rest.get(digits..)?;
        char::from_u32(code)
    }

    /// Reads `` `a${b}c` `` as `("a" + (b) + "c")`.
    fn template(&mut self) -> Option<()> {
        self.skip('`');
        self.found.push(Token::Sign('('));
        loop {
            let (text, goes_on) = self.literal('`')?;
            self.found.push(Token::Text(text));
            if !goes_on {
                break;
            }
            self.found.extend([Token::Sign('+'), Token::Sign('(')]);
            let (inner, rest) = self.rest.split_once('}')?;
            self.found.extend(plain_tokens(inner));
            self.rest = rest;
            self.found.extend([Token::Sign(')'), Token::Sign('+')]);
        }
        self.found.push(Token::Sign(')'));
        Some(())
    }
}

/// The tokens of what stands within a template, which holds no other.
fn plain_tokens(script: &str) -> Vec<Token<'_>> {
    if script.contains('`') {
        return Vec::new();
    }
    tokens(script)
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_cut_into_its_tokens() {
        assert_eq!(
            tokens("var a1='x\\'\\u0040\\x41'; // c\n f(12) /* d */"),
            [
                Token::Word("var"),
                Token::Word("a1"),
                Token::Sign('='),
                Token::Text("x'@A".into()),
                Token::Sign(';'),
                Token::Word("f"),
                Token::Sign('('),
                Token::Number(12),
                Token::Sign(')'),
            ]
        );
        assert_eq!(
            tokens("`a${b}`"),
            [
                Token::Sign('('),
                Token::Text("a".into()),
                Token::Sign('+'),
                Token::Sign('('),
                Token::Word("b"),
                Token::Sign(')'),
                Token::Sign('+'),
                Token::Text(String::new()),
                Token::Sign(')'),
            ]
        );
        assert_eq!(tokens("'open"), [""; 0].map(Token::Word));
        assert_eq!(tokens("/* open"), [""; 0].map(Token::Word));
    }
}

//! Against the tokenizer of Cloudflare's rewriter, on the labeled pages and on random markup.

use std::cell::RefCell;
use std::rc::Rc;

use lol_html::html_content::{Comment, TextChunk, TextType};
use lol_html::{DocumentContentHandlers, HtmlRewriter, Settings, element};

use super::*;

/// The tokens by the rewriter, without end tags, each text whole.
fn expected(page: &str) -> Vec<String> {
    let told = Rc::new(RefCell::new(Vec::new()));
    let [of_elements, of_texts, of_comments] = std::array::from_fn(|_| Rc::clone(&told));
    let settings = Settings::new()
        .with_strict(false)
        .append_element_content_handler(element!("*", move |element| {
            let attributes = element.attributes().iter();
            let attributes = attributes.map(|a| format!(" {}={}", a.name(), a.value()));
            let attributes: String = attributes.collect();
            let name = element.tag_name();
            of_elements
                .borrow_mut()
                .push(format!("<{name}{attributes}>"));
            Ok(())
        }))
        .append_document_content_handler(
            DocumentContentHandlers::default()
                .text(move |chunk: &mut TextChunk<'_>| {
                    let kind = match chunk.text_type() {
                        TextType::Data => TextKind::Data,
                        TextType::RCData => TextKind::Rcdata,
                        TextType::ScriptData => TextKind::Script,
                        TextType::RawText => TextKind::Raw,
                        TextType::PlainText | TextType::CDataSection => return Ok(()),
                    };
                    let text = format!("{}:{}", letter(kind), chunk.as_str());
                    of_texts.borrow_mut().push(text);
                    Ok(())
                })
                .comments(move |comment: &mut Comment<'_>| {
                    of_comments
                        .borrow_mut()
                        .push(format!("!{}", comment.text()));
                    Ok(())
                }),
        );
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    rewriter.write(page.as_bytes()).unwrap();
    rewriter.end().unwrap();
    with_whole_texts(told.take())
}

/// The same by ours, the names of attributes in lower case.
fn found(page: &str) -> Vec<String> {
    let mut told = Vec::new();
    tokens(page, |token| match token {
        Token::Tag(Tag::Start {
            name, attributes, ..
        }) => {
            let attributes = attributes.iter();
            let attributes = attributes.map(|(n, v)| format!(" {}={v}", n.to_ascii_lowercase()));
            told.push(format!("<{name}{}>", attributes.collect::<String>()));
        }
        Token::Tag(Tag::End { .. }) => {}
        other => told.push(spelled(other)),
    });
    with_whole_texts(told)
}

fn with_whole_texts(tokens: Vec<String>) -> Vec<String> {
    let mut whole: Vec<String> = Vec::new();
    for token in tokens {
        let is_text = !token.starts_with(['<', '!']);
        match whole.last_mut() {
            Some(last) if is_text && last.get(..2) == token.get(..2) => last.push_str(&token[2..]),
            _ if is_text && token.len() == 2 => {}
            _ => whole.push(token),
        }
    }
    whole
}

#[test]
fn labeled_pages_have_the_same_tokens() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/accuracy");
    let mut pages = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "html")
        {
            let page = std::fs::read(&path).unwrap();
            let page = String::from_utf8_lossy(&page);
            assert_eq!(found(&page), expected(&page), "{}", path.display());
            pages += 1;
        }
    }
    assert!(pages >= 100, "{pages} pages");
}

proptest! {
    #[test]
    fn random_markup_has_the_same_tokens(
        pieces in proptest::collection::vec(
            prop::sample::select(vec![
                "<", ">", "/", "!", "-", "--", "?", "'", "\"", "=", " ", "a", "ü", "<a", "<a b='", "</a>",
                "<p>", "<br/>", "<!--", "-->", "--!>", "<!doctype", "<title>", "</title>", "<script>",
                "</script>", "<script", "</script", "<style>", "</style>", "<textarea>", "</TEXTAREA ",
                "<noscript>", "</noscript>",
            ]),
            0..40,
        ),
    ) {
        let page = pieces.concat();
        prop_assert_eq!(found(&page), expected(&page));
    }
}

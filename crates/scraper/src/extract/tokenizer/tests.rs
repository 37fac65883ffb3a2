mod differential;

use proptest::prelude::*;

use super::*;

/// The tokens of a page that arrives in pieces, each text whole.
fn told(pieces: &[&str], is_xhtml: bool) -> Vec<String> {
    let mut tokenizer = Tokenizer {
        is_xhtml,
        ..Tokenizer::default()
    };
    let mut told: Vec<String> = Vec::new();
    let mut last = None;
    let mut see = |token: Token<'_>| {
        let kind = match &token {
            Token::Text(kind, _) => Some(*kind),
            _ => None,
        };
        let before = std::mem::replace(&mut last, kind);
        let is_more = kind.is_some() && kind == before;
        let spelled = spelled(token);
        match told.last_mut().filter(|_| is_more) {
            Some(text) => text.push_str(&spelled[2..]),
            None => told.push(spelled),
        }
    };
    for piece in pieces {
        tokenizer.write(piece, &mut see);
    }
    tokenizer.finish(&mut see);
    told
}

/// `<a b=c>`, `</a>`, or `</?>` where no such element is known; `!comment`; and texts behind a letter
/// for their kind.
fn spelled(token: Token<'_>) -> String {
    match token {
        Token::Tag(Tag::Start {
            name, attributes, ..
        }) => {
            let attributes = attributes.iter().map(|(n, v)| format!(" {n}={v}"));
            format!("<{name}{}>", attributes.collect::<String>())
        }
        Token::Tag(Tag::End { element }) => format!("</{}>", element.name()),
        Token::Text(kind, text) => format!("{}:{text}", letter(kind)),
        Token::Comment(text) => format!("!{text}"),
    }
}

fn letter(kind: TextKind) -> char {
    match kind {
        TextKind::Data => 'd',
        TextKind::Rcdata => 'c',
        TextKind::Script => 's',
        TextKind::Raw => 'r',
    }
}

fn check_as(markup: &str, is_xhtml: bool, expected: &[&str]) {
    assert_eq!(told(&[markup], is_xhtml), expected, "{markup}");
    let signs: Vec<&str> = markup.split("").collect();
    assert_eq!(told(&signs, is_xhtml), expected, "{markup}: cut into signs");
}

fn check(markup: &str, expected: &[&str]) {
    check_as(markup, false, expected);
}

#[test]
fn markup_is_told_from_text() {
    check("a<b>c</B >d", &["d:a", "<b>", "d:c", "</b>", "d:d"]);
    check("a < b <1 <", &["d:a < b <1 <"]);
    check("a</", &["d:a</"]);
    check("a</>b</1>c", &["d:ab", "!1", "d:c"]);
    check("<a b='>' c=\">\" d>", &["<a b=> c=> d=>"]);
    check("a<b", &["d:a"]);
    check("a<b c='", &["d:a"]);
    check("<br/><ü>", &["<br>", "d:<ü>"]);
}

#[test]
fn comments_end_where_browsers_end_them() {
    check("<!--a-->b", &["!a", "d:b"]);
    check("<!-->b", &["!", "d:b"]);
    check("<!--->b", &["!", "d:b"]);
    check("<!---->b", &["!", "d:b"]);
    check("<!--a--!>b", &["!a", "d:b"]);
    check("<!--a->b->-- >-->c", &["!a->b->-- >", "d:c"]);
    check("<!---!>-->", &["!-!>"]);
    check("<!--!>-->", &["!!>"]);
    check("<!--<!--a-->b-->", &["!<!--a", "d:b-->"]);
    check("<!--a--", &["!a"]);
    check("<!--a--!", &["!a"]);
    check("<!--a", &["!a"]);
    check("<!-a>b<?php x ?>c", &["!-a", "d:b", "!?php x ?", "d:c"]);
    check("<!-", &["!-"]);
    check("<!doctype html SYSTEM 'a>b", &["d:b"]);
    check("<!DOCTYP>b<!>", &["!DOCTYP", "d:b", "!"]);
}

#[test]
fn raw_text_ends_with_its_own_end_tag_alone() {
    check(
        "<title>a<b>&amp;</titles></title\n>b",
        &["<title>", "c:a<b>&amp;</titles>", "</title>", "d:b"],
    );
    check(
        "<STYLE><!--</style>b",
        &["<style>", "r:<!--", "</style>", "d:b"],
    );
    check(
        "<textarea></p></TextArea x=y>",
        &["<textarea>", "c:</p>", "</textarea>"],
    );
    check(
        "<noscript><a></noscript>",
        &["<noscript>", "r:<a>", "</noscript>"],
    );
    check("<xmp></xmp/>", &["<xmp>", "</xmp>"]);
    check("<title>a</titl", &["<title>", "c:a</titl"]);
    check("<title>a</title", &["<title>", "c:a</title"]);
    check("<title>a</title ", &["<title>", "c:a"]);
    check("<plaintext>a</plaintext><b>", &["<plaintext>"]);
    check("<script/>a</script>", &["<script>", "s:a", "</script>"]);
}

#[test]
fn scripts_hide_scripts_in_comments() {
    for text in [
        "if (a < b && c--> d) '</scrip'",
        "<!-- a <b> -",
        "<!-- <script> </script> -->",
        "<!-- <script </script>",
        "<!-- <SCRIPT/ x </Script\n x",
        "<!-- <scripts>",
        "<!--> <script>",
        "<!-- --> <script>",
        "<!---><script>",
        "<!-- <script> --> <script>",
        "<!-- <script> --- <b ---->",
    ] {
        check(
            &format!("<script>{text}</script>b"),
            &["<script>", &format!("s:{text}"), "</script>", "d:b"],
        );
    }
    check(
        "<script><!-- <script></script></b>",
        &["<script>", "s:<!-- <script></script></b>"],
    );
}

#[test]
fn names_mean_nothing_in_other_namespaces() {
    check(
        "<svg><style>a<a></style><title>b</title></svg><title>c<b>",
        &[
            "<svg>", "<style>", "d:a", "<a>", "</style>", "<title>", "d:b", "</title>", "</svg>",
            "<title>", "c:c<b>",
        ],
    );
    check(
        "<svg><g><![CDATA[<a>]]>b</g><style></svg><style><a>",
        &[
            "<svg>", "<g>", "d:b", "</?>", "<style>", "</svg>", "<style>", "r:<a>",
        ],
    );
    check("<![CDATA[a]]>", &["![CDATA[a]]"]);
    check("<svg/><style><a>", &["<svg>", "<style>", "r:<a>"]);
    check(
        "<svg><foreignObject><style><a></style></foreignObject><style><b>",
        &[
            "<svg>",
            "<foreignobject>",
            "<style>",
            "r:<a>",
            "</style>",
            "</foreignobject>",
            "<style>",
            "<b>",
        ],
    );
    check(
        "<math><mi><xmp><a></xmp></mi><xmp><b>",
        &[
            "<math>", "<mi>", "<xmp>", "r:<a>", "</xmp>", "</mi>", "<xmp>", "<b>",
        ],
    );
    check(
        "<math><annotation-xml encoding='text/HTML'><xmp><a>",
        &[
            "<math>",
            "<annotation-xml encoding=text/HTML>",
            "<xmp>",
            "r:<a>",
        ],
    );
    check(
        "<math><annotation-xml><xmp><a>",
        &["<math>", "<annotation-xml>", "<xmp>", "<a>"],
    );
}

#[test]
fn an_element_of_html_ends_other_namespaces() {
    for ends in ["<p>", "</p>", "</br>", "<font color=red>", "<h6>"] {
        let markup = format!("<svg><svg>{ends}<xmp><a>");
        assert_eq!(told(&[&markup], false).last().unwrap(), "r:<a>", "{ends}");
    }
    for goes_on in [
        "<a>",
        "</div>",
        "<font>",
        "<svg></svg>",
        "</math>",
        "</title>",
    ] {
        let markup = format!("<svg>{goes_on}<xmp><a>");
        assert_eq!(told(&[&markup], false).last().unwrap(), "<a>", "{goes_on}");
    }
}

#[test]
fn any_element_of_xhtml_closes_itself() {
    check_as(
        "<title/>a<SCRIPT src='/a/>b' /><p/>",
        true,
        &[
            "<title>",
            "</title>",
            "d:a",
            "<script src=/a/>b>",
            "</script>",
            "<p>",
        ],
    );
    check_as("<title >a<p/>", true, &["<title>", "c:a<p/>"]);
    check("<title/>a<p/>", &["<title>", "c:a<p/>"]);
}

#[test]
fn a_token_without_end_ends_the_page() {
    for (before, after) in [
        ("<a b='", "'>"),
        ("<!--", "-->"),
        ("<!", ">"),
        ("<svg><![CDATA[", "]]>"),
    ] {
        for (bytes, is_read) in [(TOKEN_MAX_BYTES - 100, true), (TOKEN_MAX_BYTES, false)] {
            let page = format!("{before}{}{after}<p>", "x".repeat(bytes));
            let (head, tail) = page.split_at(bytes / 3);
            let told = told(&[head, tail], false);
            assert_eq!(
                told.last().is_some_and(|last| last == "<p>"),
                is_read,
                "{before}"
            );
        }
    }
}

#[test]
fn a_token_in_many_pieces_is_not_read_again_for_each() {
    let mut tokenizer = Tokenizer::default();
    let mut count = 0;
    tokenizer.write("<a b='", |_| count += 1);
    // Quadratic, this would take minutes.
    for _ in 0..TOKEN_MAX_BYTES - 100 {
        tokenizer.write("x", |_| count += 1);
    }
    tokenizer.write("'>", |_| count += 1);
    tokenizer.finish(|_| count += 1);
    assert_eq!(count, 1);
}

fn markup() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "<",
        ">",
        "/",
        "!",
        "-",
        "--",
        "?",
        "'",
        "\"",
        "=",
        " ",
        "a",
        "ü",
        "<a",
        "<a b='",
        "</a>",
        "<p>",
        "<br/>",
        "<!--",
        "-->",
        "--!>",
        "<!doctype",
        "<![CDATA[",
        "]]>",
        "<title>",
        "</title>",
        "<script>",
        "</script>",
        "<script",
        "</script",
        "<style>",
        "</style>",
        "<textarea>",
        "</TEXTAREA ",
        "<svg>",
        "</svg>",
        "<svg/>",
        "<math>",
        "</math>",
        "<mi>",
        "</mi>",
        "<desc>",
        "</desc>",
        "<plaintext>",
    ]);
    proptest::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn pieces_do_not_matter(
        markup in markup(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
        is_xhtml in any::<bool>(),
    ) {
        let mut cuts: Vec<usize> = cuts
            .iter()
            .map(|cut| markup.floor_char_boundary(cut.index(markup.len() + 1)))
            .collect();
        cuts.extend([0, markup.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&str> = cuts.windows(2).map(|pair| &markup[pair[0]..pair[1]]).collect();
        prop_assert_eq!(told(&pieces, is_xhtml), told(&[&markup], is_xhtml));
    }
}

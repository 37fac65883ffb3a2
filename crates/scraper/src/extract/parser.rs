//! The streaming HTML parser, feeding a [`Collector`].
//!
//! The parser is a rewriter that changes nothing and has handlers for text and comments alone;
//! what it writes between two of those is tags, which are read there. Handlers of elements would
//! do the same at several times the price: the parser would match selectors, keep a stack of open
//! elements and box a closure for every end tag (measured in November 2026). After its first error
//! (a tag longer than its memory) the parser must not be used again, and the rest is ignored.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lol_html::html_content::{Comment, TextChunk, TextType};
use lol_html::send::{DocumentContentHandlers, HtmlRewriter, Settings};
use lol_html::{HandlerResult, MemorySettings, OutputSink};

use super::Extracted;
use super::collector::Collector;
use super::self_closing::SelfClosing;
use super::tag::tags;

/// Most memory of the parser. It buffers a tag or a comment that is cut by the end of a piece,
/// so this bounds their length as well; inline images reach some 100 KB.
const PARSER_MAX_BYTES: usize = 2 * 1024 * 1024;

/// The parser of one page.
pub(super) struct Parser {
    state: Arc<Mutex<State>>,
    /// `None` after an error.
    rewriter: Option<HtmlRewriter<'static, TagSink>>,
    /// Where the page is XHTML.
    self_closing: Option<SelfClosing>,
}

/// What handlers and sink share.
struct State {
    collector: Collector,
    /// The parser is about to write what a handler has just seen.
    skips_next: bool,
}

/// Takes what the parser writes.
struct TagSink(Arc<Mutex<State>>);

impl OutputSink for TagSink {
    fn handle_chunk(&mut self, chunk: &[u8]) {
        let mut state = lock(&self.0);
        if std::mem::take(&mut state.skips_next) || chunk.is_empty() {
            return;
        }
        // Attributes may hold what is not valid; it is replaced, as it is in text.
        let markup = match std::str::from_utf8(chunk) {
            Ok(markup) => Cow::Borrowed(markup),
            Err(_) => String::from_utf8_lossy(chunk),
        };
        let mut tags = tags(&markup);
        while let Some(tag) = tags.next_tag() {
            state.collector.tag(&tag);
        }
    }
}

impl Parser {
    pub(super) fn new(collector: Collector) -> Self {
        let state = Arc::new(Mutex::new(State {
            collector,
            skips_next: false,
        }));
        let settings = Settings::new_send()
            // Ambiguous markup is guessed at, as browsers do, rather than refused.
            .with_strict(false)
            .with_memory_settings(
                MemorySettings::new().with_max_allowed_memory_usage(PARSER_MAX_BYTES),
            )
            .append_document_content_handler(
                DocumentContentHandlers::default()
                    .text(on_text(&state))
                    .comments(on_comment(&state)),
            );
        let rewriter = HtmlRewriter::new(settings, TagSink(Arc::clone(&state)));
        Self {
            state,
            rewriter: Some(rewriter),
            self_closing: None,
        }
    }

    /// Takes the page for XHTML; before its first byte.
    pub(super) fn expect_xhtml(&mut self) {
        self.self_closing = Some(SelfClosing::default());
    }

    pub(super) fn crawl_as(&mut self, product: &str) {
        lock(&self.state).collector.crawl_as(product);
    }

    pub(super) fn header(&mut self, name: &str, value: &str) {
        lock(&self.state).collector.header(name, value);
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        let bytes = match &mut self.self_closing {
            Some(filter) => &filter.pass(bytes),
            None => bytes,
        };
        if let Some(rewriter) = &mut self.rewriter
            && let Err(error) = rewriter.write(bytes)
        {
            tracing::debug!(%error, "the rest of a page is ignored");
            self.rewriter = None;
        }
    }

    pub(super) fn finish(mut self) -> Extracted {
        if let Some(rewriter) = self.rewriter.take()
            && let Err(error) = rewriter.end()
        {
            tracing::debug!(%error, "the end of a page is ignored");
        }
        lock(&self.state).collector.finish()
    }
}

impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parser")
            .field("is_alive", &self.rewriter.is_some())
            .finish_non_exhaustive()
    }
}

/// Nobody else holds the lock: parsing is sequential, and the lock only shows that it is.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn on_text(
    state: &Arc<Mutex<State>>,
) -> impl FnMut(&mut TextChunk<'_>) -> HandlerResult + Send + 'static {
    let state = Arc::clone(state);
    move |chunk| {
        let text = chunk.as_str();
        if text.is_empty() {
            // It only marks the end of a text, and nothing is written of it.
            return Ok(());
        }
        let mut state = lock(&state);
        state.skips_next = true;
        match chunk.text_type() {
            TextType::Data => state.collector.text(text),
            TextType::RCData => state.collector.rcdata(text),
            TextType::ScriptData => state.collector.script(text),
            TextType::RawText => state.collector.raw_text(text),
            TextType::PlainText | TextType::CDataSection => {}
        }
        Ok(())
    }
}

fn on_comment(
    state: &Arc<Mutex<State>>,
) -> impl FnMut(&mut Comment<'_>) -> HandlerResult + Send + 'static {
    let state = Arc::clone(state);
    move |comment| {
        let mut state = lock(&state);
        state.skips_next = true;
        state.collector.comment(&comment.text());
        Ok(())
    }
}

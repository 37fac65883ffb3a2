//! The streaming HTML parser, feeding a [`Collector`].
//!
//! The parser is a rewriter whose output is thrown away. After its first error (a tag longer
//! than its memory) it must not be used again, and the rest of the page is ignored.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lol_html::html_content::{Comment, TextChunk, TextType};
use lol_html::send::{
    DocumentContentHandlers, Element, ElementContentHandlers, HtmlRewriter, Settings,
};
use lol_html::{HandlerResult, MemorySettings, OutputSink, Selector};

use super::Extracted;
use super::collector::Collector;

/// Most memory of the parser. It buffers a tag or a comment that is cut by the end of a piece,
/// so this bounds their length as well; inline images reach some 100 KB.
const PARSER_MAX_BYTES: usize = 2 * 1024 * 1024;

/// The parser of one page.
pub(super) struct Parser {
    collector: Arc<Mutex<Collector>>,
    /// `None` after an error.
    rewriter: Option<HtmlRewriter<'static, NoOutput>>,
}

struct NoOutput;

impl OutputSink for NoOutput {
    fn handle_chunk(&mut self, _chunk: &[u8]) {}
}

impl Parser {
    pub(super) fn new(collector: Collector) -> Self {
        let collector = Arc::new(Mutex::new(collector));
        let rewriter = every_element().map(|selector| {
            let settings = Settings::new_send()
                // Ambiguous markup is guessed at, as browsers do, rather than refused.
                .with_strict(false)
                .with_memory_settings(
                    MemorySettings::new().with_max_allowed_memory_usage(PARSER_MAX_BYTES),
                )
                .append_element_content_handler((
                    Cow::Owned(selector),
                    ElementContentHandlers::default().element(on_element(&collector)),
                ))
                .append_document_content_handler(
                    DocumentContentHandlers::default()
                        .text(on_text(&collector))
                        .comments(on_comment(&collector)),
                );
            HtmlRewriter::new(settings, NoOutput)
        });
        Self {
            collector,
            rewriter,
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
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
        lock(&self.collector).finish()
    }
}

impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parser")
            .field("is_alive", &self.rewriter.is_some())
            .finish_non_exhaustive()
    }
}

/// The selector `*`; it always parses, and a page without it would merely have no facts.
fn every_element() -> Option<Selector> {
    "*".parse().ok()
}

/// Nobody else holds the lock: parsing is sequential, and the lock only shows that it is.
fn lock(collector: &Mutex<Collector>) -> MutexGuard<'_, Collector> {
    collector.lock().unwrap_or_else(PoisonError::into_inner)
}

fn on_element(
    collector: &Arc<Mutex<Collector>>,
) -> impl FnMut(&mut Element<'_, '_>) -> HandlerResult + Send + 'static {
    let collector = Arc::clone(collector);
    move |element| {
        let wants_end = lock(&collector).start_element(element);
        if let Some(name) = wants_end
            && let Some(handlers) = element.end_tag_handlers()
        {
            let collector = Arc::clone(&collector);
            handlers.push(Box::new(move |_end| {
                lock(&collector).end_element(name);
                Ok(())
            }));
        }
        Ok(())
    }
}

fn on_text(
    collector: &Arc<Mutex<Collector>>,
) -> impl FnMut(&mut TextChunk<'_>) -> HandlerResult + Send + 'static {
    let collector = Arc::clone(collector);
    move |chunk| {
        match chunk.text_type() {
            TextType::Data => lock(&collector).text(chunk.as_str()),
            TextType::RCData => lock(&collector).rcdata(chunk.as_str()),
            TextType::PlainText
            | TextType::RawText
            | TextType::ScriptData
            | TextType::CDataSection => {}
        }
        Ok(())
    }
}

fn on_comment(
    collector: &Arc<Mutex<Collector>>,
) -> impl FnMut(&mut Comment<'_>) -> HandlerResult + Send + 'static {
    let collector = Arc::clone(collector);
    move |comment| {
        lock(&collector).comment(&comment.text());
        Ok(())
    }
}

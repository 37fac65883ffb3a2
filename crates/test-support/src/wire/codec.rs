//! Framing of the PostgreSQL protocol, version 3, in both directions.
//!
//! Finds where messages begin and end, however TCP has cut them, and nothing else: what a message
//! says is [`super::message`]'s to read. See "Message Formats" in the PostgreSQL manual.

use bytes::{Buf as _, Bytes, BytesMut};

/// No message is longer: PostgreSQL itself refuses larger ones.
const FRAME_LIMIT_BYTES: usize = 1 << 30;

/// Length fields count themselves.
const LENGTH_BYTES: usize = 4;

/// One message as it was on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The type byte; `None` for the messages that open a connection, which have none.
    pub(crate) tag: Option<u8>,
    /// The whole message with tag and length, ready to be forwarded.
    pub(crate) bytes: Bytes,
}

impl Frame {
    /// What follows tag and length.
    pub(crate) fn body(&self) -> &[u8] {
        &self.bytes[LENGTH_BYTES + usize::from(self.tag.is_some())..]
    }

    /// A message of this tag and body.
    pub(crate) fn new(tag: u8, body: &[u8]) -> Self {
        let mut bytes = vec![tag];
        let length = u32::try_from(body.len() + LENGTH_BYTES).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(body);
        Self {
            tag: Some(tag),
            bytes: bytes.into(),
        }
    }
}

/// A length that no message has: the stream is not this protocol, or was cut wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadLength(u32);

impl std::fmt::Display for BadLength {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a message claims a length of {} bytes", self.0)
    }
}

impl std::error::Error for BadLength {}

/// Cuts a stream of bytes into frames.
#[derive(Debug)]
pub(crate) struct FrameDecoder {
    received: BytesMut,
    is_tagged: bool,
}

impl FrameDecoder {
    /// For what a server sends.
    pub(crate) fn of_server() -> Self {
        Self {
            received: BytesMut::new(),
            is_tagged: true,
        }
    }

    /// For what a client sends: untagged messages until [`Self::start`] is called.
    pub(crate) fn of_client() -> Self {
        Self {
            received: BytesMut::new(),
            is_tagged: false,
        }
    }

    /// The startup message has been seen: messages have tags from now on.
    pub(crate) fn start(&mut self) {
        self.is_tagged = true;
    }

    /// Takes in what was received.
    pub(crate) fn feed(&mut self, received: &[u8]) {
        self.received.extend_from_slice(received);
    }

    /// The tag of the next message, as soon as its first byte is there.
    pub(crate) fn next_tag(&self) -> Option<u8> {
        self.received.first().copied().filter(|_tag| self.is_tagged)
    }

    /// The next complete message, or `None` if more bytes are needed.
    ///
    /// # Errors
    ///
    /// When the length field is nonsense; there is no way to go on then.
    pub(crate) fn next_frame(&mut self) -> Result<Option<Frame>, BadLength> {
        let tag_bytes = usize::from(self.is_tagged);
        let Some(mut field) = self.received.get(tag_bytes..tag_bytes + LENGTH_BYTES) else {
            return Ok(None);
        };
        let length = field.get_u32();
        let frame_bytes = usize::try_from(length)
            .ok()
            .filter(|bytes| (LENGTH_BYTES..=FRAME_LIMIT_BYTES).contains(bytes))
            .ok_or(BadLength(length))?
            + tag_bytes;
        if self.received.len() < frame_bytes {
            // Once, so that a long message is not copied again and again while it arrives.
            self.received.reserve(frame_bytes - self.received.len());
            return Ok(None);
        }
        Ok(Some(Frame {
            tag: self.next_tag(),
            bytes: self.received.split_to(frame_bytes).freeze(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn startup(body: &[u8]) -> Frame {
        let tagged = Frame::new(b'?', body);
        Frame {
            tag: None,
            bytes: tagged.bytes.slice(1..),
        }
    }

    /// Feeds the stream in pieces of the given sizes, repeated, and collects what comes out.
    fn decode(stream: &[u8], cuts: &[usize]) -> Result<Vec<Frame>, BadLength> {
        let mut decoder = FrameDecoder::of_client();
        let mut frames = Vec::new();
        let mut rest = stream;
        for cut in cuts.iter().cycle() {
            let (piece, later) = rest.split_at(rest.len().min(*cut));
            decoder.feed(piece);
            while let Some(frame) = decoder.next_frame()? {
                if frame.tag.is_none() && frame.body() != b"ssl" {
                    decoder.start();
                }
                frames.push(frame);
            }
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        assert!(decoder.received.is_empty());
        Ok(frames)
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in_however_they_are_cut(
            messages in vec((any::<u8>(), vec(any::<u8>(), 0..300)), 0..20),
            cuts in vec(1..200_usize, 1..10),
        ) {
            let mut frames = vec![startup(b"ssl"), startup(b"user")];
            frames.extend(messages.iter().map(|(tag, body)| Frame::new(*tag, body)));
            let stream: Vec<u8> =
                frames.iter().flat_map(|frame| frame.bytes.iter().copied()).collect();
            prop_assert_eq!(decode(&stream, &cuts).unwrap(), frames);
        }
    }

    #[test]
    fn the_tag_is_known_before_the_message_is_complete() {
        let mut decoder = FrameDecoder::of_server();
        decoder.feed(b"Z");
        assert_eq!(decoder.next_tag(), Some(b'Z'));
        assert_eq!(decoder.next_frame(), Ok(None));
    }

    #[test]
    fn lengths_that_cannot_be_are_refused() {
        for length in [0_u32, 3, 0x4000_0001, u32::MAX] {
            let mut decoder = FrameDecoder::of_server();
            decoder.feed(b"Q");
            decoder.feed(&length.to_be_bytes());
            assert_eq!(decoder.next_frame(), Err(BadLength(length)));
        }
    }
}

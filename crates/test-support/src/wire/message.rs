//! What the messages say that matter to a transaction-mode pooler.
//!
//! Reads names, SQL and states; does not judge them. See "Message Formats" in the PostgreSQL
//! manual for the layouts.

use super::codec::Frame;

/// Codes in place of a protocol version.
const CANCEL_REQUEST: u32 = 80_877_102;
const SSL_REQUEST: u32 = 80_877_103;
const GSS_ENCRYPTION_REQUEST: u32 = 80_877_104;

/// A message that opens a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Asks for TLS or GSSAPI encryption; the connection goes on after the answer.
    Encryption,
    /// Asks for another connection's statement to be cancelled.
    Cancel,
    /// Begins a session, with these parameters.
    Startup(Vec<(String, String)>),
}

/// What a client asks of a server. Borrowed from its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frontend<'a> {
    /// SQL without parameters, answered as a whole.
    Query { sql: &'a str },
    /// SQL to prepare, under a name unless that is empty.
    Parse { name: &'a str, sql: &'a str },
    /// Parameters for a statement.
    Bind { portal: &'a str, statement: &'a str },
    /// A question for the shape of a statement or portal.
    Describe { name: &'a str },
    /// Frees a statement or portal.
    Close { name: &'a str },
    /// The end of a request.
    Sync,
    /// Asks for what there is of the answer, without ending the request.
    Flush,
    /// The end of the session.
    Terminate,
    /// Data of a COPY, its end or its failure.
    Copy,
    /// A part of the authentication.
    Authentication,
    /// Part of a request, of no interest here: Execute, a function call.
    Other,
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    /// The request has ended; the state of the transaction.
    Ready(TransactionStatus),
    /// An error, fatal or not.
    Error(ServerError),
    /// Part of an answer, of no interest here.
    Other,
}

/// The state of a session's transaction at the end of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionStatus {
    /// Outside a transaction.
    Idle,
    /// Inside a transaction.
    Open,
    /// Inside a transaction that can only be rolled back.
    Failed,
}

/// An error as the client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerError {
    /// `ERROR`, `FATAL` or `PANIC`.
    pub severity: String,
    /// Five characters.
    pub sqlstate: String,
    /// One line for people.
    pub message: String,
}

/// A message that breaks the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Opening {
    pub(crate) fn parse(frame: &Frame) -> Result<Self, Malformed> {
        let mut body = Body(frame.body());
        match body.u32()? {
            CANCEL_REQUEST => Ok(Self::Cancel),
            SSL_REQUEST | GSS_ENCRYPTION_REQUEST => Ok(Self::Encryption),
            _version => {
                let mut parameters = Vec::new();
                loop {
                    let name = body.text()?;
                    if name.is_empty() {
                        return Ok(Self::Startup(parameters));
                    }
                    parameters.push((name.to_owned(), body.text()?.to_owned()));
                }
            }
        }
    }
}

impl<'a> Frontend<'a> {
    pub(crate) fn parse(frame: &'a Frame) -> Result<Self, Malformed> {
        let mut body = Body(frame.body());
        Ok(match frame.tag {
            Some(b'Q') => Self::Query { sql: body.text()? },
            Some(b'P') => Self::Parse {
                name: body.text()?,
                sql: body.text()?,
            },
            Some(b'B') => Self::Bind {
                portal: body.text()?,
                statement: body.text()?,
            },
            Some(b'D') => Self::Describe {
                name: body.named()?,
            },
            Some(b'C') => Self::Close {
                name: body.named()?,
            },
            Some(b'S') => Self::Sync,
            Some(b'H') => Self::Flush,
            Some(b'X') => Self::Terminate,
            Some(b'd' | b'c' | b'f') => Self::Copy,
            Some(b'p') => Self::Authentication,
            Some(b'E' | b'F') => Self::Other,
            Some(_) | None => return Err(Malformed),
        })
    }
}

impl Backend {
    pub(crate) fn parse(frame: &Frame) -> Result<Self, Malformed> {
        Ok(match frame.tag {
            Some(b'Z') => Self::Ready(match frame.body() {
                b"I" => TransactionStatus::Idle,
                b"T" => TransactionStatus::Open,
                b"E" => TransactionStatus::Failed,
                _ => return Err(Malformed),
            }),
            Some(b'E') => Self::Error(ServerError::parse(Body(frame.body()))?),
            Some(_) | None => Self::Other,
        })
    }
}

impl ServerError {
    fn parse(mut body: Body<'_>) -> Result<Self, Malformed> {
        let mut error = Self {
            severity: String::new(),
            sqlstate: String::new(),
            message: String::new(),
        };
        loop {
            let field = body.u8()?;
            if field == 0 {
                return Ok(error);
            }
            let text = body.text()?.to_owned();
            match field {
                b'S' => error.severity = text,
                b'C' => error.sqlstate = text,
                b'M' => error.message = text,
                _ => {}
            }
        }
    }

    /// The message that reports this error.
    pub(crate) fn frame(&self) -> Frame {
        let mut body = Vec::new();
        for (field, text) in [
            (b'S', &self.severity),
            // Never translated, unlike `S`; drivers prefer it.
            (b'V', &self.severity),
            (b'C', &self.sqlstate),
            (b'M', &self.message),
        ] {
            body.push(field);
            body.extend_from_slice(text.as_bytes());
            body.push(0);
        }
        body.push(0);
        Frame::new(b'E', &body)
    }
}

/// What is left of a message.
struct Body<'a>(&'a [u8]);

impl<'a> Body<'a> {
    fn u8(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.0.split_first().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*first)
    }

    fn u32(&mut self) -> Result<u32, Malformed> {
        let (field, rest) = self.0.split_first_chunk::<4>().ok_or(Malformed)?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*field))
    }

    /// A text that ends with a zero byte.
    fn text(&mut self) -> Result<&'a str, Malformed> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or(Malformed)?;
        let (text, rest) = self.0.split_at(end);
        self.0 = &rest[1..];
        str::from_utf8(text).map_err(|_not_utf8| Malformed)
    }

    /// The name of a statement or portal, after the byte that tells which of the two.
    fn named(&mut self) -> Result<&'a str, Malformed> {
        match self.u8()? {
            b'S' | b'P' => self.text(),
            _ => Err(Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_sql_are_read() {
        for (frame, expected) in [
            (
                Frame::new(b'Q', b"COMMIT\0"),
                Frontend::Query { sql: "COMMIT" },
            ),
            (
                Frame::new(b'P', b"s1\0SELECT 1\0\0\0"),
                Frontend::Parse {
                    name: "s1",
                    sql: "SELECT 1",
                },
            ),
            (
                Frame::new(b'B', b"\0s1\0\0\0\0\0"),
                Frontend::Bind {
                    portal: "",
                    statement: "s1",
                },
            ),
            (
                Frame::new(b'D', b"Ss1\0"),
                Frontend::Describe { name: "s1" },
            ),
            (Frame::new(b'C', b"Pp1\0"), Frontend::Close { name: "p1" }),
            (Frame::new(b'S', b""), Frontend::Sync),
        ] {
            assert_eq!(Frontend::parse(&frame), Ok(expected));
        }
    }

    #[test]
    fn broken_messages_are_malformed() {
        for frame in [
            Frame::new(b'Q', b"no zero byte"),
            Frame::new(b'P', b"only a name\0"),
            Frame::new(b'D', b"Xname\0"),
            Frame::new(b'Q', b"\xff\0"),
            Frame::new(b'~', b""),
        ] {
            assert_eq!(Frontend::parse(&frame), Err(Malformed), "{frame:?}");
        }
        assert_eq!(Backend::parse(&Frame::new(b'Z', b"?")), Err(Malformed));
    }

    #[test]
    fn errors_survive_the_wire() {
        let error = ServerError {
            severity: "FATAL".to_owned(),
            sqlstate: "XX000".to_owned(),
            message: "(EMAXCONN) max client connections reached, limit: 10".to_owned(),
        };
        assert_eq!(Backend::parse(&error.frame()), Ok(Backend::Error(error)));
    }
}

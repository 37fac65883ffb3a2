//! What a client may do and when, told message by message.

use super::*;
use crate::wire::message::ServerError;

fn query(sql: &str) -> Frame {
    Frame::new(b'Q', format!("{sql}\0").as_bytes())
}

fn ready(status: &[u8]) -> Frame {
    Frame::new(b'Z', status)
}

fn error() -> Frame {
    ServerError {
        severity: "ERROR".to_owned(),
        sqlstate: "23505".to_owned(),
        message: "duplicate".to_owned(),
    }
    .frame()
}

/// A conversation told of whole messages.
struct Talk {
    recorder: Arc<Recorder>,
    conversation: Conversation,
}

impl Talk {
    fn start() -> Self {
        let recorder = Arc::<Recorder>::default();
        let conversation = Conversation::start(Arc::clone(&recorder), 1, &[]);
        let mut talk = Self {
            recorder,
            conversation,
        };
        talk.server(&ready(b"I"));
        talk
    }

    fn client(&mut self, frame: &Frame) {
        self.conversation.message_begins(frame.tag.unwrap());
        self.conversation.client_frame(frame).unwrap();
    }

    fn server(&mut self, frame: &Frame) {
        if let ServerStep::Hold { .. } = self.conversation.server_frame(frame).unwrap() {
            self.conversation.release();
        }
    }

    fn rules(&self) -> Vec<Rule> {
        self.recorder
            .report()
            .violations
            .iter()
            .map(|violation| violation.rule)
            .collect()
    }
}

#[test]
fn a_request_may_follow_ready_for_query_and_nothing_earlier() {
    let mut talk = Talk::start();
    talk.client(&query("COMMIT"));
    talk.server(&Frame::new(b'C', b"COMMIT\0"));
    talk.conversation.message_begins(b'P');
    talk.conversation.message_begins(b'P');
    assert_eq!(talk.rules(), [Rule::EarlyBytes]);
    talk.server(&ready(b"I"));
    talk.client(&Frame::new(b'P', b"\0SELECT\0\0\0"));
    talk.client(&Frame::new(b'S', b""));
    assert_eq!(talk.rules(), [Rule::EarlyBytes]);
    talk.server(&ready(b"I"));
    talk.client(&query("COMMIT"));
    assert_eq!(talk.rules(), [Rule::EarlyBytes]);
}

#[test]
fn a_session_may_end_at_any_time_and_only_once() {
    let mut talk = Talk::start();
    talk.client(&query("COMMIT"));
    talk.client(&Frame::new(b'X', b""));
    assert_eq!(talk.rules(), []);
    talk.server(&ready(b"I"));
    talk.client(&query("COMMIT"));
    assert_eq!(talk.rules(), [Rule::AfterTerminate]);
}

#[test]
fn only_rollback_may_follow_an_error_at_once_and_only_in_a_transaction() {
    const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
    for (begin, failing, next, expected) in [
        (BEGIN, "SELECT", "ROLLBACK", vec![Rule::SimpleQuery]),
        (
            BEGIN,
            "SELECT",
            "COMMIT",
            vec![Rule::SimpleQuery, Rule::EarlyBytes],
        ),
        (BEGIN, "COMMIT", "ROLLBACK", vec![Rule::EarlyBytes]),
        (
            "ROLLBACK",
            "SELECT",
            "ROLLBACK",
            vec![Rule::SimpleQuery, Rule::EarlyBytes],
        ),
    ] {
        let mut talk = Talk::start();
        talk.client(&query(begin));
        talk.server(&ready(if begin == BEGIN { b"T" } else { b"I" }));
        talk.client(&query(failing));
        talk.server(&error());
        talk.client(&query(next));
        assert_eq!(talk.rules(), expected, "{begin} {failing} {next}");
        let allowed = usize::from(!expected.contains(&Rule::EarlyBytes));
        assert_eq!(talk.recorder.report().early_rollbacks, allowed);
    }
}

#[test]
fn sessions_that_end_with_work_open_are_counted() {
    let talk = Talk::start();
    let recorder = Arc::clone(&talk.recorder);
    drop(talk);
    assert_eq!(recorder.report().abandoned, 0);
    let mut talk = Talk::start();
    let recorder = Arc::clone(&talk.recorder);
    talk.client(&query("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"));
    talk.server(&ready(b"T"));
    drop(talk);
    assert_eq!(
        (recorder.report().abandoned, recorder.report().transactions),
        (1, 1)
    );
}

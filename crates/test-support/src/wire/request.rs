//! A request: what a client sends between two `ReadyForQuery`, a simple query or all messages up to
//! and including a Sync. The unit of pipelining, of round trips and of faults.

/// A request that was sent completely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) kind: RequestKind,
    /// How its first statement is called in reports; empty if it prepared none.
    pub(super) label: String,
    /// All its messages, with their tags and lengths.
    pub(super) total_bytes: usize,
}

/// What a request does to the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RequestKind {
    /// Begins one.
    Begin,
    /// Commits it.
    Commit,
    /// Rolls it back.
    Rollback,
    /// Runs within it, or alone.
    Statement,
}

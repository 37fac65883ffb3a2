//! What a proxy does wrong on purpose, and when.
//!
//! A fault happens at a [`Moment`], has an [`Effect`], and is counted. The moments are requests
//! as the client sends them, so that "during COMMIT" is a place and not a matter of timing.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::message::ServerError;
use super::request::{Request, RequestKind};

/// When a fault happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A client begins a session.
    Connect,
    /// A client has sent a request of this kind.
    Request(RequestKind),
    /// A client has sent a request whose label contains this text.
    Labeled(String),
    /// A client has sent any request.
    AnyRequest,
}

/// What happens instead of the ordinary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Both connections are closed; the server never sees the request.
    CutBefore,
    /// The server gets the request, and both connections are closed at once: the outcome is
    /// anybody's guess.
    CutDuring,
    /// The server has completed the request, its answer is swallowed, both connections are
    /// closed. At [`Moment::Connect`] the same as [`Self::CutBefore`].
    CutAfter,
    /// Not a byte passes any more, in either direction, and nothing is closed, whatever the
    /// client does; the server never sees the request.
    SilenceBefore,
    /// The server has completed the request, its answer is swallowed, and then as
    /// [`Self::SilenceBefore`]. At [`Moment::Connect`] the same as that.
    SilenceAfter,
    /// The client is told this in place of an answer and both connections are closed, as poolers
    /// and a server that shuts down do.
    Fatal {
        /// Five characters.
        sqlstate: &'static str,
        /// For Supavisor with its code in parentheses in front.
        message: String,
    },
    /// The server gets a statement that fails like this in place of the request, so that the
    /// transaction is left as an error leaves it. At [`Moment::Connect`] the same as
    /// [`Self::Fatal`].
    Error {
        /// Five characters.
        sqlstate: &'static str,
        /// One line.
        message: String,
    },
    /// The server gets the request after this time.
    Delay(Duration),
}

impl Effect {
    /// Supavisor's answer when no backend gets free in time.
    pub fn checkout_timeout() -> Self {
        Self::Fatal {
            sqlstate: "XX000",
            message: "(ECHECKOUTTIMEOUT) unable to check out connection from the pool after \
                      60000ms in Transaction mode"
                .to_owned(),
        }
    }

    /// Supavisor's answer when a tenant has too many clients.
    pub fn too_many_clients() -> Self {
        Self::Fatal {
            sqlstate: "XX000",
            message: "(EMAXCONN) max client connections reached, limit: 200".to_owned(),
        }
    }

    /// Supavisor's answer to what it does not support of named statements.
    pub fn no_named_statements() -> Self {
        Self::Fatal {
            sqlstate: "XX000",
            message: "(EPSSIMPLEQUERY) prepared statements are not supported in transaction mode"
                .to_owned(),
        }
    }

    /// A server's last word when it is shut down.
    pub fn admin_shutdown() -> Self {
        Self::Fatal {
            sqlstate: "57P01",
            message: "terminating connection due to administrator command".to_owned(),
        }
    }

    /// The error as the client sees it, if the effect is one.
    pub(crate) fn fatal(&self) -> Option<ServerError> {
        match self {
            Self::Fatal { sqlstate, message } | Self::Error { sqlstate, message } => {
                Some(ServerError {
                    severity: "FATAL".to_owned(),
                    sqlstate: (*sqlstate).to_owned(),
                    message: message.clone(),
                })
            }
            Self::CutBefore
            | Self::CutDuring
            | Self::CutAfter
            | Self::SilenceBefore
            | Self::SilenceAfter
            | Self::Delay(_) => None,
        }
    }
}

/// A fault to be committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    moment: Moment,
    effect: Effect,
    skipped: usize,
    times: usize,
}

impl Fault {
    /// A fault that happens once, the first time the moment comes.
    pub fn new(moment: Moment, effect: Effect) -> Self {
        Self {
            moment,
            effect,
            skipped: 0,
            times: 1,
        }
    }

    /// Lets the moment pass this often first.
    #[must_use]
    pub fn after(mut self, skipped: usize) -> Self {
        self.skipped = skipped;
        self
    }

    /// Happens this often.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Happens whenever the moment comes, until it is disarmed.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(usize::MAX)
    }
}

/// A fault that a proxy has been told to commit. Dropping this does not disarm it.
#[derive(Clone, Debug)]
pub struct ArmedFault {
    plan: FaultPlan,
    armed: Arc<Armed>,
}

impl ArmedFault {
    /// How often it has happened.
    pub fn count(&self) -> usize {
        self.armed.committed.load(Ordering::SeqCst)
    }

    /// Lets it happen no more.
    pub fn disarm(&self) {
        self.plan
            .lock()
            .retain(|armed| !Arc::ptr_eq(armed, &self.armed));
    }
}

/// The faults of a proxy, in the order in which they were armed.
#[derive(Clone, Debug, Default)]
pub(super) struct FaultPlan {
    faults: Arc<Mutex<Vec<Arc<Armed>>>>,
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    /// How often the moment has come.
    seen: AtomicUsize,
    committed: AtomicUsize,
}

impl FaultPlan {
    pub(super) fn arm(&self, fault: Fault) -> ArmedFault {
        let armed = Arc::new(Armed {
            fault,
            seen: AtomicUsize::new(0),
            committed: AtomicUsize::new(0),
        });
        self.lock().push(Arc::clone(&armed));
        ArmedFault {
            plan: self.clone(),
            armed,
        }
    }

    /// The effect of the first fault whose moment a new session is.
    pub(super) fn at_connect(&self) -> Option<Effect> {
        self.decide(|moment| *moment == Moment::Connect)
    }

    /// The effect of the first fault whose moment this request is.
    pub(super) fn at_request(&self, request: &Request) -> Option<Effect> {
        self.decide(|moment| match moment {
            Moment::Connect => false,
            Moment::Request(kind) => *kind == request.kind,
            Moment::Labeled(text) => request.label.contains(text),
            Moment::AnyRequest => true,
        })
    }

    /// Every fault whose moment has come counts it, also those that another one forestalls.
    fn decide(&self, has_come: impl Fn(&Moment) -> bool) -> Option<Effect> {
        let faults = self.lock();
        let mut committed = None;
        for armed in faults.iter().filter(|armed| has_come(&armed.fault.moment)) {
            let before = armed.seen.fetch_add(1, Ordering::SeqCst);
            let is_due = before >= armed.fault.skipped
                && armed.committed.load(Ordering::SeqCst) < armed.fault.times;
            if is_due && committed.is_none() {
                armed.committed.fetch_add(1, Ordering::SeqCst);
                committed = Some(armed.fault.effect.clone());
            }
        }
        committed
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Armed>>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutBefore => f.write_str("cut before the request"),
            Self::CutDuring => f.write_str("cut during the request"),
            Self::CutAfter => f.write_str("cut after the request, answer swallowed"),
            Self::SilenceBefore => f.write_str("silence before the request"),
            Self::SilenceAfter => f.write_str("silence after the request, answer swallowed"),
            Self::Fatal { sqlstate, message } => write!(f, "FATAL {sqlstate} {message}"),
            Self::Error { sqlstate, message } => write!(f, "ERROR {sqlstate} {message}"),
            Self::Delay(time) => write!(f, "delay of {time:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(kind: RequestKind, label: &str) -> Request {
        Request {
            kind,
            label: label.to_owned(),
            total_bytes: 1,
        }
    }

    #[test]
    fn a_fault_happens_as_often_as_told_and_is_counted() {
        let plan = FaultPlan::default();
        let commit = Moment::Request(RequestKind::Commit);
        let armed = plan.arm(Fault::new(commit, Effect::CutBefore).after(1).times(2));
        let outcomes: Vec<_> = (0..5)
            .map(|_| {
                assert_eq!(plan.at_connect(), None);
                assert_eq!(plan.at_request(&request(RequestKind::Begin, "BEGIN")), None);
                plan.at_request(&request(RequestKind::Commit, "COMMIT"))
                    .is_some()
            })
            .collect();
        assert_eq!(outcomes, [false, true, true, false, false]);
        assert_eq!(armed.count(), 2);
    }

    #[test]
    fn a_disarmed_fault_makes_way_for_the_next() {
        let plan = FaultPlan::default();
        let claim = request(RequestKind::Statement, "job_claim");
        let first = plan.arm(Fault::new(Moment::AnyRequest, Effect::CutDuring).always());
        let second = plan.arm(Fault::new(
            Moment::Labeled("claim".into()),
            Effect::CutAfter,
        ));
        assert_eq!(plan.at_request(&claim), Some(Effect::CutDuring));
        first.disarm();
        assert_eq!(plan.at_request(&claim), Some(Effect::CutAfter));
        assert_eq!(plan.at_request(&claim), None);
        assert_eq!((first.count(), second.count()), (1, 1));
    }
}

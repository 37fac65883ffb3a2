//! One user's stay with the server of a data directory, from its arrival to its end.
//!
//! However a stay ends, by a stop, a drop or a start that fails half-way, the last user out has the
//! server stopped. The decision and the signal are one step under the gate: otherwise a user who
//! arrives between the two would lose the server that it has just joined.

use crate::error::LocalPostgresError;
use crate::launch::request_shut_down;
use crate::layout::Layout;
use crate::locks::{Gate, Membership};
use crate::wait::Deadline;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// For another process to finish what it does with the server: at worst a whole first start.
const GATE_LIMIT: Duration = Duration::from_secs(240);

/// How long a drop blocks its thread for the gate. A user on its way out has it for milliseconds;
/// one on its way in may have it for longer, and takes the server over. Chosen, not measured.
const DROP_GATE_LIMIT: Duration = Duration::from_millis(500);

/// The use of a data directory's server.
#[derive(Debug)]
pub(crate) struct Stay {
    gate_path: PathBuf,
    /// Held until the server is ready to be used.
    gate: Option<Gate>,
    membership: Option<Membership>,
    /// Whose server to stop at the end; none while there is no cluster.
    cluster: Option<PathBuf>,
}

impl Stay {
    /// Arrives, and keeps everybody else from coming and going until [`Stay::settle`].
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::TimedOut`] when another process keeps the gate, and
    /// [`LocalPostgresError::Files`].
    pub(crate) async fn begin(layout: &Layout) -> Result<Self, LocalPostgresError> {
        let gate_path = layout.gate();
        let gate = Gate::enter(&gate_path, Deadline::after(GATE_LIMIT)).await?;
        let membership = Membership::join(&layout.users(), &gate)?;
        Ok(Self {
            gate_path,
            gate: Some(gate),
            membership: Some(membership),
            cluster: None,
        })
    }

    /// Names the cluster whose server this is a stay with.
    pub(crate) fn at(&mut self, cluster: &Path) {
        self.cluster = Some(cluster.to_path_buf());
    }

    /// Whether nobody else is a user; only to be asked before [`Stay::settle`].
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::Files`].
    pub(crate) fn is_alone(&self) -> Result<bool, LocalPostgresError> {
        match (&self.membership, &self.gate) {
            (Some(membership), Some(gate)) => membership.is_alone(gate),
            _ => Ok(false),
        }
    }

    /// Lets others come and go.
    pub(crate) fn settle(&mut self) {
        self.gate = None;
    }

    /// Leaves. The last one out is given the gate, under which it stops the server.
    ///
    /// # Errors
    ///
    /// As [`Stay::begin`].
    pub(crate) async fn end(mut self) -> Result<Option<Gate>, LocalPostgresError> {
        let gate = match self.gate.take() {
            Some(gate) => gate,
            None => Gate::enter(&self.gate_path, Deadline::after(GATE_LIMIT)).await?,
        };
        let last = match self.membership.take() {
            Some(membership) => membership.leave(&gate)?,
            None => false,
        };
        Ok(last.then_some(gate))
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        let Some(membership) = self.membership.take() else {
            return;
        };
        let gate = match self.gate.take() {
            Some(gate) => Some(gate),
            None => Gate::enter_blocking(&self.gate_path, DROP_GATE_LIMIT)
                .ok()
                .flatten(),
        };
        // Whoever has kept the gate for so long is starting, and so uses the server from now on.
        if let Some(gate) = gate
            && membership.leave(&gate).unwrap_or(false)
            && let Some(cluster) = &self.cluster
        {
            request_shut_down(cluster);
        }
    }
}

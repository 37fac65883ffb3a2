//! The service as its users run it: processes, signals, a pooler, a farm of sites.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod control;
mod crash;
mod house;
mod share;
mod wire;

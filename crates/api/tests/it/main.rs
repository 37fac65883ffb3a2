//! The API and the commands, as their users meet them: the real binary against a real database.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod backpressure;
mod bad_input;
mod configuration;
mod crawl;
mod doctor;
mod health;
mod hostile;
mod house;
mod large;
mod private;
mod relay;
mod scan;
mod shapes;
mod shutdown;

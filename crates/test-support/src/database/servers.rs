//! Which servers the tests use.

use std::env;

use url::Url;

/// Names the PostgreSQL server, as a role that may create databases.
pub const DIRECT_URL_VARIABLE: &str = "TRAWL_TEST_DATABASE_URL";

/// Names the transaction-mode pooler before that server.
pub const POOLED_URL_VARIABLE: &str = "TRAWL_TEST_POOLED_URL";

/// The PostgreSQL server of a test run and the pooler before it.
#[derive(Clone, Debug)]
pub struct Servers {
    direct: Url,
    pooled: Url,
}

impl Servers {
    /// Reads both URLs from the environment.
    ///
    /// # Panics
    ///
    /// When one is unset or is not a URL, with a message that says what to do: a test that cannot
    /// run has failed.
    pub fn from_environment() -> Self {
        Self {
            direct: required_url(DIRECT_URL_VARIABLE, "PostgreSQL"),
            pooled: required_url(POOLED_URL_VARIABLE, "a transaction-mode pooler"),
        }
    }

    /// The server itself; the path names the maintenance database.
    pub fn direct(&self) -> &Url {
        &self.direct
    }

    /// The pooler.
    pub fn pooled(&self) -> &Url {
        &self.pooled
    }
}

fn required_url(variable: &str, server: &str) -> Url {
    let Ok(text) = env::var(variable) else {
        panic!(
            "{variable} is not set: this test needs {server}. Run it with `cargo xtask test`, \
             which starts private servers, or set the variable to a server of your own"
        );
    };
    match Url::parse(&text) {
        Ok(url) => url,
        Err(error) => panic!("{variable} is not a URL: {error}"),
    }
}

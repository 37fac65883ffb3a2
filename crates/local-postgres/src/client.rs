//! Short conversations with a server that may not be there yet.
//!
//! Connection attempts are the only readiness test used: a server is up when it answers a
//! statement, whatever its log or pid file say.

use crate::error::LocalPostgresError;
use std::fmt;
use std::time::Duration;
use tokio_postgres::{Config, NoTls, SimpleQueryMessage};

/// For one attempt to connect and ask. A loopback server that needs longer is not ready.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(5);

/// Where a server listens and whom to log in as.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerAddress {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Role.
    pub user: String,
    /// Its password.
    pub password: String,
}

impl fmt::Debug for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            host,
            port,
            user,
            password: _,
        } = self;
        write!(f, "ServerAddress({user}@{host}:{port})")
    }
}

impl ServerAddress {
    /// The connection URL of a database, password included.
    pub fn url(&self, database: &str) -> String {
        let Self {
            host,
            port,
            user,
            password,
        } = self;
        let (user, password) = (escape(user), escape(password));
        format!(
            "postgres://{user}:{password}@{host}:{port}/{}",
            escape(database)
        )
    }

    fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config
            .host(&self.host)
            .port(self.port)
            .user(&self.user)
            .password(&self.password)
            .dbname(database)
            .connect_timeout(ATTEMPT_LIMIT);
        config
    }
}

/// Why an attempt gave no answer.
#[derive(Debug)]
pub(crate) enum AttemptError {
    /// The server, or the way to it, said no.
    Refused(tokio_postgres::Error),
    /// Nothing was heard within the limit of one attempt.
    Silent,
}

impl AttemptError {
    /// The driver's error, where there is one.
    pub(crate) fn into_source(self) -> Option<tokio_postgres::Error> {
        match self {
            Self::Refused(source) => Some(source),
            Self::Silent => None,
        }
    }

    /// As the error of a named operation.
    pub(crate) fn during(self, action: &'static str) -> LocalPostgresError {
        match self {
            Self::Refused(source) => LocalPostgresError::Database { action, source },
            Self::Silent => LocalPostgresError::TimedOut {
                what: format!("the answer to an attempt to {action}"),
                limit: ATTEMPT_LIMIT,
                source: None,
            },
        }
    }
}

/// Connects, runs one simple query and disconnects; the answer is the first column of each row.
///
/// # Errors
///
/// [`AttemptError`].
pub(crate) async fn ask(
    server: &ServerAddress,
    database: &str,
    sql: &str,
) -> Result<Vec<String>, AttemptError> {
    let conversation = async {
        let (client, connection) = server.config(database).connect(NoTls).await?;
        let question = client.simple_query(sql);
        // The connection only moves while it is polled, and ends with this future.
        tokio::pin!(question, connection);
        let mut connected = true;
        loop {
            tokio::select! {
                answer = &mut question => return answer,
                _end = &mut connection, if connected => connected = false,
            }
        }
    };
    let messages = match tokio::time::timeout(ATTEMPT_LIMIT, conversation).await {
        Ok(Ok(messages)) => messages,
        Ok(Err(source)) => return Err(AttemptError::Refused(source)),
        Err(_elapsed) => return Err(AttemptError::Silent),
    };
    Ok(messages.iter().filter_map(first_column).collect())
}

fn first_column(message: &SimpleQueryMessage) -> Option<String> {
    if let SimpleQueryMessage::Row(row) = message {
        row.get(0).map(str::to_owned)
    } else {
        None
    }
}

/// Percent-encodes everything outside the unreserved characters of RFC 3986, section 2.3.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_survive_awkward_passwords() {
        let server = ServerAddress {
            host: "127.0.0.1".into(),
            port: 5432,
            user: "trawl".into(),
            password: "p@ss/w:rd%".into(),
        };
        let config: Config = server.url("data base").parse().expect("a valid URL");
        assert_eq!(config.get_password(), Some("p@ss/w:rd%".as_bytes()));
        assert_eq!(config.get_dbname(), Some("data base"));
    }

    #[test]
    fn debug_output_hides_the_password() {
        let server = ServerAddress {
            host: "127.0.0.1".into(),
            port: 5432,
            user: "trawl".into(),
            password: "secret".into(),
        };
        assert!(!format!("{server:?}").contains("secret"));
    }
}

//! A database of its own, the binary before it, and a client that reads answers whole.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use trawl_persistence::migrate;
use trawl_persistence::pool::{Pool, PoolOptions};
use trawl_test_support::database::{Route, Template, TestDatabase};
use trawl_test_support::process::{TrawlCommand, TrawlProcess};
use trawl_test_support::wait::wait_for;

/// Generous: it only bounds a failing test, on a machine with better things to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const PREFIX: &str = "/api/v3/batch_page_scraper";

/// A migrated database behind the pooler.
pub(crate) async fn migrated() -> TestDatabase {
    let template = Template::new(&migrate::fingerprint());
    TestDatabase::create_from(&template, Route::Pooled, async |url| {
        let pool = Pool::new(url, PoolOptions::with_size(1))?;
        migrate::up(&pool).await?;
        pool.close();
        Ok(())
    })
    .await
    .unwrap()
}

/// The binary with this database, on a free port, allowed to crawl what listens on loopback.
pub(crate) fn trawl(arguments: &[&str], database_url: &str) -> TrawlCommand {
    TrawlCommand::new(arguments)
        .unwrap()
        .env("DATABASE_URL", database_url)
        .env("TRAWL_BIND", "127.0.0.1:0")
        .env("TRAWL_RESOLVE", "*.test=127.0.0.1")
        .env("TRAWL_ALLOW_NETWORKS", "127.0.0.0/8")
        .env("TRAWL_POLITENESS_DELAY", "0ms")
}

/// A running API.
pub(crate) struct Api {
    pub(crate) process: TrawlProcess,
    pub(crate) url: String,
    http: Client,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Api {
    /// Starts the binary and waits until it listens; its database may not be there yet.
    pub(crate) async fn start(command: &TrawlCommand) -> Self {
        let (process, url) = command.start(PATIENCE).await.unwrap();
        // Only plain HTTP to loopback is spoken; the provider is needed all the same.
        let _installed_before = rustls::crypto::ring::default_provider().install_default();
        Self {
            process,
            url,
            http: Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// Starts an API without a worker and waits until it is ready: nothing moves by itself.
    pub(crate) async fn quiet(database: &TestDatabase) -> Self {
        let api = Self::start(&trawl(&["serve", "--no-worker"], &database.url())).await;
        api.ready().await;
        api
    }

    /// Waits until the service says that it is ready.
    pub(crate) async fn ready(&self) {
        self.health_status(200).await;
    }

    /// Waits until the health answer has this status, and answers it.
    pub(crate) async fn health_status(&self, status: u16) -> Value {
        wait_for("the health answer", PATIENCE, async || {
            let answer = self.get("/health").await;
            anyhow::ensure!(answer.status == status, "{answer:?}");
            Ok(answer.json())
        })
        .await
        .unwrap_or_else(|error| panic!("{error:#}\n{}", self.process.stderr()))
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self
            .request(Method::POST, &format!("{PREFIX}{path}"))
            .header("content-type", "application/json")
            .body(body);
        send(request).await
    }

    /// Submits a batch that is accepted, and answers its id.
    pub(crate) async fn accepted(&self, body: &Value) -> String {
        let answer = self.post("/batch", body.to_string()).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.json()["batch_id"].as_str().unwrap().to_owned()
    }

    /// The status of a batch.
    pub(crate) async fn batch(&self, id: &str) -> Value {
        let answer = self.get(&format!("{PREFIX}/batch/{id}/status")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    /// Checks that this is a problem document of this kind, with everything one must have.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem:#}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("urn:trawl:problem:{code}"));
        assert_eq!(problem["correlation_id"], self.header("x-request-id"));
        for member in ["title", "detail"] {
            assert!(!problem[member].as_str().unwrap().is_empty());
        }
        problem
    }
}

/// The document with ids, times and durations replaced by words, so that it can be compared whole.
pub(crate) fn anonymous(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| {
                let value = match value {
                    Value::Number(_) if name == "processing_time" => "SECONDS".into(),
                    value => anonymous(value),
                };
                (name, value)
            })
            .collect(),
        Value::Array(values) => values.into_iter().map(anonymous).collect(),
        Value::String(text) => without_ids(&text).into(),
        value => value,
    }
}

fn without_ids(text: &str) -> String {
    if is_rfc3339_utc(text) {
        return "TIME".to_owned();
    }
    text.split('/')
        .map(|part| match uuid::Uuid::try_parse(part) {
            Ok(_) => "ID",
            Err(_) => part,
        })
        .collect::<Vec<_>>()
        .join("/")
}

fn is_rfc3339_utc(text: &str) -> bool {
    use time::format_description::well_known::Rfc3339;
    text.ends_with('Z') && time::OffsetDateTime::parse(text, &Rfc3339).is_ok()
}

/// A request whose body has yet to come, and which the server has read: it said so by asking for the
/// body. An answer on another connection would not show it, since that has another thread.
pub(crate) async fn request_under_way(api: &Api, body_bytes: usize) -> (String, TcpStream) {
    let address = api.url.strip_prefix("http://").unwrap().to_owned();
    let mut connection = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST {PREFIX}/batch HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Expect: 100-continue\r\nContent-Length: {body_bytes}\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut told = Vec::new();
    while !told.ends_with(b"\r\n\r\n") {
        told.push(connection.read_u8().await.unwrap());
    }
    assert!(
        told.starts_with(b"HTTP/1.1 100"),
        "{}",
        String::from_utf8_lossy(&told)
    );
    (address, connection)
}

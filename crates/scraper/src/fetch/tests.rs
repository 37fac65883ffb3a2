//! Fetches over TLS, of compressed bodies, and of names: what the farm of plain sites lacks.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{StreamExt as _, stream};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use trawl_domain::failure::FailureCode;
use trawl_domain::fetch_settings::FetchSettings;
use trawl_domain::url_rules::PageUrl;

use super::body::{Body, Coding};
use super::*;

fn settings() -> FetchSettings {
    FetchSettings {
        user_agent: "Trawl/0.0-test".to_owned(),
        politeness_delay: Duration::ZERO,
        connect_timeout: Duration::from_secs(2),
        first_byte_timeout: Duration::from_secs(5),
        fetch_timeout: Duration::from_secs(5),
        max_body_bytes: 1024,
        addresses: "127.0.0.0/8".parse().expect("networks"),
        static_names: "*.test=127.0.0.1".parse().expect("names"),
    }
}

/// Answers every connection's first request with these bytes, and closes it.
async fn answer(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), reply: &[u8]) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_closed) => return,
        }
    }
    // The client may have seen enough and closed; that is its right.
    let _ = stream.write_all(reply).await;
    let _ = stream.shutdown().await;
}

async fn serve(reply: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let port = listener.local_addr().expect("address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            answer(&mut stream, &reply).await;
        }
    });
    port
}

/// A server with this certificate, and the roots that trust it.
fn tls_server(certified: &rcgen::CertifiedKey<rcgen::KeyPair>) -> (ServerConfig, RootCertStore) {
    let mut roots = RootCertStore::empty();
    roots.add(certified.cert.der().clone()).expect("root");
    let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key.into())
        .expect("key");
    (config, roots)
}

/// A server with a certificate for `secure.test`, and the roots that trust it.
async fn serve_tls(reply: Vec<u8>) -> (u16, RootCertStore) {
    let certified =
        rcgen::generate_simple_self_signed(vec!["secure.test".to_owned()]).expect("certificate");
    let (config, roots) = tls_server(&certified);
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let port = listener.local_addr().expect("address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that refuses the certificate ends the handshake.
            if let Ok(mut stream) = acceptor.accept(stream).await {
                answer(&mut stream, &reply).await;
            }
        }
    });
    (port, roots)
}

fn http(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).expect("in memory");
    encoder.finish().expect("in memory")
}

/// The most bytes of a body in these tests.
const MAX_BYTES: usize = 256 * 1024;

async fn get(fetcher: &Fetcher, url: &str) -> Result<(u64, Vec<u8>), FetchError> {
    let url = PageUrl::parse(url).expect(url);
    let mut answer = fetcher.get(&url, MAX_BYTES).await?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        body.extend_from_slice(&chunk);
    }
    Ok((answer.body_bytes(), body))
}

async fn get_plain(reply: Vec<u8>) -> Result<(u64, Vec<u8>), FetchError> {
    let fetcher = Fetcher::new(&settings()).expect("fetcher");
    let port = serve(reply).await;
    get(&fetcher, &format!("http://plain.test:{port}/")).await
}

#[tokio::test]
async fn a_site_with_a_valid_certificate_is_fetched_over_tls() {
    let (port, roots) = serve_tls(http("", b"hello")).await;
    let tls = tls::trusting(roots).expect("tls");
    let fetcher = Fetcher::with_tls(&settings(), tls).expect("fetcher");
    let (_, body) = get(&fetcher, &format!("https://secure.test:{port}/"))
        .await
        .expect("answer");
    assert_eq!(body, b"hello");
    let other = get(&fetcher, &format!("https://other.test:{port}/"))
        .await
        .expect_err("name");
    assert_eq!(other.code(), FailureCode::TlsFailed);
    assert!(
        other.to_string().ends_with("its certificate is not valid"),
        "{other}"
    );
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let (port, _roots) = serve_tls(http("", b"hello")).await;
    let fetcher = Fetcher::new(&settings()).expect("fetcher");
    let error = get(&fetcher, &format!("https://secure.test:{port}/"))
        .await
        .expect_err("trust");
    assert_eq!(error.code(), FailureCode::TlsFailed);
    assert!(
        error.to_string().ends_with("its certificate is not valid"),
        "{error}"
    );
}

#[tokio::test]
async fn what_answers_without_tls_is_known_as_that() {
    let port = serve(http("", b"plain")).await;
    let fetcher = Fetcher::new(&settings()).expect("fetcher");
    // The server reads the handshake as a request that never ends, unless it is cut.
    let error = get(&fetcher, &format!("https://plain.test:{port}/"))
        .await
        .expect_err("plain");
    assert!(
        matches!(
            error.code(),
            FailureCode::TlsFailed | FailureCode::ConnectTimeout
        ),
        "{error}"
    );
}

#[tokio::test]
async fn bytes_are_counted_after_decompression() {
    let body = vec![b'x'; 100_000];
    let zipped = gzip(&body);
    assert!(zipped.len() < 1000);
    let (body_bytes, read) = get_plain(http("content-encoding: gzip\r\n", &zipped))
        .await
        .expect("answer");
    assert_eq!(body_bytes, 100_000);
    assert_eq!(read, body);
}

#[tokio::test]
async fn a_body_that_does_not_decompress_is_told_apart() {
    let error = get_plain(http("content-encoding: gzip\r\n", b"not gzip at all")).await;
    assert_eq!(
        error.expect_err("nonsense").code(),
        FailureCode::DecodeFailed
    );
}

/// By coding, how code begins and what may follow it for ever without giving a byte.
const NOTHING: [(&str, &[u8], &[u8]); 4] = [
    // The name of the file (RFC 1952, 2.3).
    ("gzip", b"\x1f\x8b\x08\x08\0\0\0\0\0\x03", b"a"),
    // Stored blocks of no bytes (RFC 1951, 3.2.4).
    ("deflate", b"\x78\x9c", b"\0\0\0\xff\xff"),
    // Metadata blocks of no bytes (RFC 7932, 9.2).
    ("br", b"\x0c", b"\x06"),
    // Skippable frames of no bytes (RFC 8878, 3.1.2).
    ("zstd", b"", b"\x50\x2a\x4d\x18\0\0\0\0"),
];

#[tokio::test]
async fn code_that_gives_nothing_is_read_up_to_the_limit_and_no_further() {
    for (coding, begin, rest) in NOTHING {
        let headers = format!("content-encoding: {coding}\r\n");
        let body = [begin, &rest.repeat(4 * MAX_BYTES / rest.len())].concat();
        let error = get_plain(http(&headers, &body)).await.expect_err(coding);
        assert_eq!(error.code(), FailureCode::BodyTooLarge, "{coding}");
        // Little of it is no body, or one that is not all there.
        let body = [begin, rest].concat();
        let length = get_plain(http(&headers, &body))
            .await
            .map(|(bytes, _)| bytes);
        assert_ne!(
            length.map_err(|error| error.code()),
            Err(FailureCode::BodyTooLarge),
            "{coding}"
        );
    }
}

#[tokio::test]
async fn code_that_gives_nothing_and_never_ends_leaves_the_clock_a_turn() {
    for (coding, begin, rest) in NOTHING {
        let parsed = Coding::parse(coding).ok().flatten().expect(coding);
        let endless = stream::iter([begin.to_vec()])
            .chain(stream::repeat(rest.repeat(1_000)))
            .map(|bytes| Ok(Bytes::from(bytes)));
        let mut body = Body::coded(parsed, endless.boxed(), usize::MAX);
        let limit = Duration::from_millis(20);
        let piece = tokio::time::timeout(limit, body.chunk()).await;
        assert!(piece.is_err(), "{coding}: {piece:?}");
    }
}

#[tokio::test]
async fn an_empty_body_is_no_code() {
    for (coding, _, _) in NOTHING {
        let reply = http(&format!("content-encoding: {coding}\r\n"), b"");
        let (bytes, body) = get_plain(reply).await.expect(coding);
        assert_eq!((bytes, body), (0, Vec::new()), "{coding}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_told_apart() {
    let mut reply = http("", b"hello");
    reply.truncate(reply.len() - 2);
    let error = get_plain(reply).await.expect_err("cut");
    assert_eq!(error.code(), FailureCode::ConnectFailed);
    assert!(error.to_string().starts_with("broke off"), "{error}");
}

#[tokio::test]
async fn a_user_agent_that_no_header_can_carry_is_refused() {
    let settings = FetchSettings {
        user_agent: "a\nb".to_owned(),
        ..settings()
    };
    assert!(Fetcher::new(&settings).is_err());
}

#[test]
fn a_failure_reads_as_one_sentence_without_library_text() {
    let error = FetchError::Refused {
        peer: "127.0.0.1".to_owned(),
    };
    let failure = error.failure("http://x.test/");
    assert_eq!(
        failure.sentence,
        "GET http://x.test/ was refused by 127.0.0.1"
    );
    assert_eq!(failure.code, FailureCode::ConnectRefused);
}

/// A server that speaks HTTP/2 alone, offers it by ALPN, and answers everything with its URL.
async fn serve_h2() -> (u16, RootCertStore) {
    let certified =
        rcgen::generate_simple_self_signed(vec!["secure.test".to_owned()]).expect("certificate");
    let (mut config, roots) = tls_server(&certified);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let port = listener.local_addr().expect("address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let stream = acceptor.accept(stream).await.expect("handshake");
            let mut connection = h2::server::handshake(stream).await.expect("HTTP/2");
            while let Some(Ok((request, mut respond))) = connection.accept().await {
                let url = request.uri().to_string();
                let mut send = respond
                    .send_response(http::Response::new(()), false)
                    .expect("head");
                send.send_data(url.into(), true).expect("body");
            }
        }
    });
    (port, roots)
}

#[tokio::test]
async fn a_server_that_offers_http_2_is_asked_by_it() {
    let (port, roots) = serve_h2().await;
    let tls = tls::trusting(roots).expect("tls");
    let fetcher = Fetcher::with_tls(&settings(), tls).expect("fetcher");
    for path in ["/a", "/b?c"] {
        let url = format!("https://secure.test:{port}{path}");
        let (_, body) = get(&fetcher, &url).await.expect("answer");
        assert_eq!(String::from_utf8_lossy(&body), url);
    }
}

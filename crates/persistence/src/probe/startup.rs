//! Opens a raw connection: TCP or socket, TLS as the URL asks for it, login by password.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::{AuthenticationSaslBody, Message};
use postgres_protocol::message::frontend;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_postgres::config::{Host, SslMode};
use tokio_rustls::TlsConnector;

use super::error::ProbeError;
use super::facts::OwnLeg;
use super::wire::{Transport, Wire, refused};
use crate::endpoint::Endpoint;
use crate::tls::{self, TlsFault, TlsRefusal};

const LOGIN: &str = "the login";

/// Where PostgreSQL listens unless the URL says otherwise.
const PORT: u16 = 5432;

/// What a connection asks for beside what the URL says.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wishes<'a> {
    /// Another database than the URL's.
    pub(super) database: Option<&'a str>,
    /// A startup parameter of one's own.
    pub(super) parameter: Option<(&'a str, &'a str)>,
}

impl Wire {
    /// Connects to the first host of the URL that can be reached, and logs in there.
    ///
    /// A refusal is final: another host is tried where nobody answered, never another password.
    pub(super) async fn open(
        endpoint: &Endpoint,
        wishes: Wishes<'_>,
        limit: Duration,
    ) -> Result<Self, ProbeError> {
        let places = places(endpoint);
        let mut failure = None;
        for place in &places {
            let opening = open_at(endpoint, place, wishes, limit);
            let opened =
                tokio::time::timeout(limit, opening)
                    .await
                    .unwrap_or(Err(ProbeError::Silent {
                        request: LOGIN,
                        limit,
                    }));
            match opened {
                Err(error @ (ProbeError::Unreachable { .. } | ProbeError::Silent { .. })) => {
                    failure = Some(error);
                }
                opened => return opened,
            }
        }
        Err(failure.unwrap_or_else(|| ProbeError::Unreachable {
            address: "the host of the URL, which names none".to_owned(),
            source: io::ErrorKind::InvalidInput.into(),
        }))
    }
}

/// One place where the server may be.
struct Place {
    /// The name that its certificate must have; none for a socket.
    name: String,
    target: Target,
}

enum Target {
    Name(String, u16),
    Address(SocketAddr),
    #[cfg(unix)]
    Socket(std::path::PathBuf),
}

impl Place {
    fn address(&self) -> String {
        match &self.target {
            Target::Name(name, port) => format!("{name}:{port}"),
            Target::Address(address) => address.to_string(),
            #[cfg(unix)]
            Target::Socket(path) => path.display().to_string(),
        }
    }
}

/// The hosts of the URL with their ports and, where it gives them, addresses.
fn places(endpoint: &Endpoint) -> Vec<Place> {
    let config = &endpoint.config;
    let (hosts, addresses, ports) = (
        config.get_hosts(),
        config.get_hostaddrs(),
        config.get_ports(),
    );
    (0..hosts.len().max(addresses.len()))
        .filter_map(|index| {
            let port = ports.get(index).or(ports.first()).copied().unwrap_or(PORT);
            let address = addresses.get(index).copied();
            let at = |address: IpAddr| Target::Address(SocketAddr::new(address, port));
            Some(match (hosts.get(index), address) {
                (Some(Host::Tcp(name)), Some(address)) => Place {
                    name: name.clone(),
                    target: at(address),
                },
                (Some(Host::Tcp(name)), None) => Place {
                    name: name.clone(),
                    target: Target::Name(name.clone(), port),
                },
                #[cfg(unix)]
                (Some(Host::Unix(directory)), _) => Place {
                    name: String::new(),
                    target: Target::Socket(directory.join(format!(".s.PGSQL.{port}"))),
                },
                (None, Some(address)) => Place {
                    name: address.to_string(),
                    target: at(address),
                },
                (None, None) => return None,
            })
        })
        .collect()
}

async fn open_at(
    endpoint: &Endpoint,
    place: &Place,
    wishes: Wishes<'_>,
    limit: Duration,
) -> Result<Wire, ProbeError> {
    let (stream, own_leg) = connect(endpoint, place).await?;
    let mut wire = Wire {
        stream,
        received: BytesMut::new(),
        address: place.address(),
        limit,
        own_leg,
        key_process: 0,
        is_spent: false,
    };
    wire.log_in(endpoint, wishes).await?;
    Ok(wire)
}

async fn connect(
    endpoint: &Endpoint,
    place: &Place,
) -> Result<(Box<dyn Transport>, OwnLeg), ProbeError> {
    let unreachable = |source| ProbeError::Unreachable {
        address: place.address(),
        source,
    };
    let stream = match &place.target {
        Target::Name(name, port) => TcpStream::connect((name.as_str(), *port)).await,
        Target::Address(address) => TcpStream::connect(address).await,
        #[cfg(unix)]
        Target::Socket(path) => {
            let stream = tokio::net::UnixStream::connect(path)
                .await
                .map_err(unreachable)?;
            return Ok((Box::new(stream), OwnLeg::Plain));
        }
    }
    .map_err(unreachable)?;
    encrypt(endpoint, place, stream).await
}

/// Encrypts the connection where the URL asks for it, and never goes on in the clear after that.
async fn encrypt(
    endpoint: &Endpoint,
    place: &Place,
    mut stream: TcpStream,
) -> Result<(Box<dyn Transport>, OwnLeg), ProbeError> {
    let Some(tls) = &endpoint.tls else {
        return Ok((Box::new(stream), OwnLeg::Plain));
    };
    let refused = |refusal| ProbeError::Tls {
        address: place.address(),
        refusal,
    };
    let lost = |source| ProbeError::Lost {
        request: "the TLS handshake",
        source,
    };
    let mut request = BytesMut::new();
    frontend::ssl_request(&mut request);
    stream.write_all(&request).await.map_err(lost)?;
    if stream.read_u8().await.map_err(lost)? != b'S' {
        return match endpoint.config.get_ssl_mode() {
            SslMode::Require => Err(refused(TlsRefusal::of(TlsFault::NotOffered))),
            _ => Ok((Box::new(stream), OwnLeg::Plain)),
        };
    }
    let name = ServerName::try_from(place.name.clone())
        .map_err(|_name| refused(TlsRefusal::of(TlsFault::WrongName)))?;
    let connector = TlsConnector::from(Arc::new(tls.clone()));
    match connector.connect(name, stream).await {
        Ok(stream) => {
            let (_, session) = stream.get_ref();
            let certificate_ends = session
                .peer_certificates()
                .and_then(|chain| tls::end_of(chain.first()?));
            Ok((Box::new(stream), OwnLeg::Encrypted { certificate_ends }))
        }
        Err(error) => Err(match TlsRefusal::find_in(&error) {
            Some(refusal) => refused(refusal),
            None => lost(error),
        }),
    }
}

impl Wire {
    async fn log_in(&mut self, endpoint: &Endpoint, wishes: Wishes<'_>) -> Result<(), ProbeError> {
        let config = &endpoint.config;
        let user = config.get_user().unwrap_or_default();
        let mut parameters = vec![
            ("client_encoding", "UTF8"),
            ("user", user),
            ("application_name", "trawl doctor"),
        ];
        if let Some(database) = wishes.database.or_else(|| config.get_dbname()) {
            parameters.push(("database", database));
        }
        parameters.extend(wishes.parameter);
        self.post(|out| frontend::startup_message(parameters, out))
            .await?;
        self.authenticate(user, config.get_password()).await?;
        loop {
            match self.expect().await? {
                Message::BackendKeyData(key) => self.key_process = key.process_id(),
                Message::ReadyForQuery(_) => return Ok(()),
                // Parameters and notices.
                _ => {}
            }
        }
    }

    async fn authenticate(
        &mut self,
        user: &str,
        password: Option<&[u8]>,
    ) -> Result<(), ProbeError> {
        let needed = || password.ok_or(ProbeError::PasswordMissing);
        match self.expect().await? {
            Message::AuthenticationOk => return Ok(()),
            Message::AuthenticationCleartextPassword => {
                let password = needed()?;
                self.post(|out| frontend::password_message(password, out))
                    .await?;
            }
            Message::AuthenticationMd5Password(body) => {
                let answer = md5_hash(user.as_bytes(), needed()?, body.salt());
                self.post(|out| frontend::password_message(answer.as_bytes(), out))
                    .await?;
            }
            Message::AuthenticationSasl(body) => self.scram(&body, needed()?).await?,
            _ => return Err(ProbeError::UnsupportedLogin),
        }
        match self.expect().await? {
            Message::AuthenticationOk => Ok(()),
            _ => Err(ProbeError::UnsupportedLogin),
        }
    }

    /// SCRAM-SHA-256 without channel binding, which every pooler can speak (RFC 5802, RFC 7677).
    async fn scram(
        &mut self,
        offer: &AuthenticationSaslBody,
        password: &[u8],
    ) -> Result<(), ProbeError> {
        let is_offered = offer
            .mechanisms()
            .any(|mechanism| Ok(mechanism == SCRAM_SHA_256))
            .map_err(lost)?;
        if !is_offered {
            return Err(ProbeError::UnsupportedLogin);
        }
        let mut scram = ScramSha256::new(password, ChannelBinding::unsupported());
        self.post(|out| frontend::sasl_initial_response(SCRAM_SHA_256, scram.message(), out))
            .await?;
        let Message::AuthenticationSaslContinue(body) = self.expect().await? else {
            return Err(ProbeError::UnsupportedLogin);
        };
        scram.update(body.data()).map_err(lost)?;
        self.post(|out| frontend::sasl_response(scram.message(), out))
            .await?;
        let Message::AuthenticationSaslFinal(body) = self.expect().await? else {
            return Err(ProbeError::UnsupportedLogin);
        };
        scram.finish(body.data()).map_err(lost)
    }

    async fn post(
        &mut self,
        write: impl FnOnce(&mut BytesMut) -> io::Result<()>,
    ) -> Result<(), ProbeError> {
        let mut out = BytesMut::new();
        write(&mut out).map_err(lost)?;
        self.send(&out).await.map_err(lost)
    }

    /// The next message of the login, unless it is a refusal.
    async fn expect(&mut self) -> Result<Message, ProbeError> {
        match self.next().await.map_err(lost)? {
            Message::ErrorResponse(body) => Err(refused(body.fields())),
            message => Ok(message),
        }
    }
}

fn lost(source: io::Error) -> ProbeError {
    ProbeError::Lost {
        request: LOGIN,
        source,
    }
}

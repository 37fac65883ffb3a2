//! The HTTP server: bound at once, so that the process is live before its database is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::{App, HttpServer, web};
use anyhow::Context as _;

use crate::request_id::correlate;
use crate::routes;
use crate::service::Service;

/// Binds the address and prepares the server; it runs while it is awaited, and ends when its handle
/// stops it: then it takes no more connections, and has `shutdown` to finish requests.
///
/// # Errors
/// When the address cannot be had.
pub(crate) fn listen(
    address: SocketAddr,
    service: &Arc<Service>,
    shutdown: Duration,
) -> anyhow::Result<Server> {
    let service = Arc::clone(service);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::from(Arc::clone(&service)))
            .wrap(from_fn(correlate))
            .wrap(
                DefaultHeaders::new()
                    .add((X_CONTENT_TYPE_OPTIONS, "nosniff"))
                    .add((CACHE_CONTROL, "no-store")),
            )
            .configure(routes::configure)
    })
    .disable_signals()
    .shutdown_timeout(shutdown.as_secs().max(1))
    .bind(address)
    .with_context(|| format!("cannot listen on {address} (TRAWL_BIND)"))?;
    for address in server.addrs() {
        if !address.ip().is_loopback() {
            tracing::warn!(
                %address,
                "the API has no authentication: whoever reaches this address can use it"
            );
        }
        tracing::info!("listening on http://{address}");
    }
    Ok(server.run())
}

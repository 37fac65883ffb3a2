//! The routes, one file each. Handlers check, ask and answer; they decide nothing about states.

mod batch_cancel;
mod batch_create;
mod batch_pause;
mod batch_retry;
mod batch_status;
mod health;
mod index;
mod job_cancel;
pub(crate) mod job_pages;
pub(crate) mod job_status;
mod scan_create;
mod submit;

use std::future::{Ready, ready};

use actix_web::{HttpResponse, Resource, web};
use uuid::Uuid;

use crate::error::{self, ApiError};

/// The prefix that clients of this service already know.
const PREFIX: &str = "/api/v3/batch_page_scraper";

const GET: &str = "GET, HEAD";
const POST: &str = "POST";
const DELETE: &str = "DELETE";

/// Adds every route.
pub(crate) fn configure(config: &mut web::ServiceConfig) {
    config
        .service(
            read("/")
                .route(web::get().to(index::index))
                .route(web::head().to(index::index)),
        )
        .service(
            read("/health")
                .route(web::get().to(health::health))
                .route(web::head().to(health::health)),
        )
        .service(
            read("/health/ready")
                .route(web::get().to(health::health))
                .route(web::head().to(health::health)),
        )
        .service(
            read("/health/live")
                .route(web::get().to(health::live))
                .route(web::head().to(health::live)),
        )
        .service(
            web::scope(PREFIX)
                .service(write("/batch").route(web::post().to(batch_create::batch_create)))
                .service(
                    read("/batch/{batch_id}/status")
                        .route(web::get().to(batch_status::batch_status))
                        .route(web::head().to(batch_status::batch_status)),
                )
                .service(
                    web::resource("/batch/{batch_id}")
                        .route(web::delete().to(batch_cancel::batch_cancel))
                        .default_service(web::to(|| method_not_allowed(DELETE))),
                )
                .service(
                    write("/batch/{batch_id}/cancel")
                        .route(web::post().to(batch_cancel::batch_cancel)),
                )
                .service(
                    write("/batch/{batch_id}/pause")
                        .route(web::post().to(batch_pause::batch_pause)),
                )
                .service(
                    write("/batch/{batch_id}/resume")
                        .route(web::post().to(batch_pause::batch_resume)),
                )
                .service(
                    write("/batch/{batch_id}/retry")
                        .route(web::post().to(batch_retry::batch_retry)),
                )
                .service(
                    write("/status/{job_id}/cancel").route(web::post().to(job_cancel::job_cancel)),
                )
                .service(write("/scan").route(web::post().to(scan_create::scan_create)))
                .service(
                    read("/status/{job_id}")
                        .route(web::get().to(job_status::job_status))
                        .route(web::head().to(job_status::job_status)),
                )
                .service(
                    read("/status/{job_id}/pages")
                        .route(web::get().to(job_pages::job_pages))
                        .route(web::head().to(job_pages::job_pages)),
                )
                .service(
                    read("/health")
                        .route(web::get().to(health::health))
                        .route(web::head().to(health::health)),
                ),
        )
        .default_service(web::to(route_not_found));
}

fn read(path: &str) -> Resource {
    web::resource(path).default_service(web::to(|| method_not_allowed(GET)))
}

fn write(path: &str) -> Resource {
    web::resource(path).default_service(web::to(|| method_not_allowed(POST)))
}

fn route_not_found() -> Ready<Result<HttpResponse, ApiError>> {
    ready(Err(ApiError::RouteNotFound))
}

fn method_not_allowed(allow: &'static str) -> Ready<Result<HttpResponse, ApiError>> {
    ready(Err(ApiError::MethodNotAllowed { allow }))
}

/// The id in a path.
fn parse_id(resource: error::Resource, text: &str) -> Result<Uuid, ApiError> {
    Uuid::try_parse(text).map_err(|_malformed| ApiError::MalformedId { resource })
}

/// Where the status of a batch is.
fn batch_status_url(batch: Uuid) -> String {
    format!("{PREFIX}/batch/{batch}/status")
}

/// Where the status of a job is.
fn job_status_url(job: Uuid) -> String {
    format!("{PREFIX}/status/{job}")
}

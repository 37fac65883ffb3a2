//! `GET /`: says what this is to whoever opens it in a browser.

use std::future::{Ready, ready};

use actix_web::HttpResponse;

const PAGE: &str = include_str!("index.html");

pub(super) fn index() -> Ready<HttpResponse> {
    ready(
        HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .body(PAGE),
    )
}

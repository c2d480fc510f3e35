//! The embedded page: three files, no reference to another host, nothing inline, so that the
//! content security policy can forbid both.

use axum::http::{HeaderName, header};

type File = ([(HeaderName, &'static str); 2], &'static str);

const fn file(kind: &'static str, text: &'static str) -> File {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], text)
}

pub(crate) async fn html() -> File {
    file("text/html; charset=utf-8", include_str!("page/index.html"))
}

pub(crate) async fn script() -> File {
    file("text/javascript; charset=utf-8", include_str!("page/app.js"))
}

pub(crate) async fn style() -> File {
    file("text/css; charset=utf-8", include_str!("page/style.css"))
}

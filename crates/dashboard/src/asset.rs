//! The packed page, embedded by the build.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;

struct Asset {
    path: &'static str,
    content_type: &'static str,
    etag: &'static str,
    bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The names carry a hash of the content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

pub(crate) async fn index(headers: HeaderMap) -> Result<Response, ApiError> {
    serve("/", ASK_AGAIN, &headers)
}

pub(crate) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, ApiError> {
    serve(&format!("/assets/{name}"), FOR_EVER, &headers)
}

fn serve(path: &str, caching: &'static str, headers: &HeaderMap) -> Result<Response, ApiError> {
    let asset = FILES
        .iter()
        .find(|asset| asset.path == path)
        .ok_or_else(|| ApiError::not_found(format!("there is nothing at {path}")))?;
    let about = [(ETAG, asset.etag), (CACHE_CONTROL, caching)];
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known == asset.etag) {
        return Ok((StatusCode::NOT_MODIFIED, about).into_response());
    }
    Ok((about, [(CONTENT_TYPE, asset.content_type)], asset.bytes).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_only_files_that_are_there() {
        let index = FILES.iter().find(|asset| asset.path == "/").unwrap();
        let html = std::str::from_utf8(index.bytes).unwrap();
        let named: Vec<_> = html.split('"').filter(|part| part.starts_with("/assets/")).collect();
        assert!(named.len() >= 3, "{named:?}");
        for path in named {
            assert!(FILES.iter().any(|asset| asset.path == path), "{path} is named but not packed");
        }
        assert!(!html.contains("{{"));
    }
}

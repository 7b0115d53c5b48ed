//! What every request must pass, and what every answer carries.
//!
//! The door asks for no password, so a web page elsewhere must not be able to use it through a visitor's
//! browser: neither by a name that its owner points at this machine (DNS rebinding: the `Host` header would
//! show that name) nor by posting to us directly (the `Origin` header would).

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::door::Door;
use crate::error::{ApiError, ErrorKind};

/// Everything comes from here, nothing runs inline, and nobody may frame the page.
const POLICY: &str =
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const ALWAYS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

pub(crate) async fn check(State(door): State<Door>, request: Request, next: Next) -> Response {
    let mut response = match allowed(&door.config.allowed_hosts, request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    };
    for (name, value) in ALWAYS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn allowed(names: &[String], method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !known(names, host) {
        return Err(forbidden(format!(
            "the host {host:?} is not one of this server's names; use localhost or an IP address, \
             or add the name to the allowed hosts in the configuration"
        )));
    }
    if method.is_safe() {
        return Ok(());
    }
    match headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default()) {
        Some(origin) if origin.split_once("://").is_none_or(|(_, of)| of != host) => {
            Err(forbidden(format!("a page of {origin:?} may not change anything here")))
        }
        _ => Ok(()),
    }
}

fn forbidden(message: String) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, ErrorKind::Invalid, message)
}

/// A literal address cannot be rebound, and `localhost` is always this machine.
fn known(names: &[String], host: &str) -> bool {
    let name = without_port(host);
    let literal = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    literal
        || name.eq_ignore_ascii_case("localhost")
        || names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

pub(crate) async fn not_found(uri: Uri) -> ApiError {
    ApiError::not_found(format!("there is nothing at {}", uri.path()))
}

pub(crate) async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        ErrorKind::Invalid,
        format!("{} does not take {method}", uri.path()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_our_own_names_are_answered() {
        let names = ["pelton.lan".to_owned()];
        for host in
            ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:80", "[::1]", "10.0.0.7", "Pelton.lan:8080"]
        {
            assert!(allowed(&names, &Method::GET, &headers(host, None)).is_ok(), "{host}");
        }
        for host in
            ["evil.example", "localhost.evil.example:8080", "127.0.0.1.evil.example", "pelton.lan.evil", ""]
        {
            assert!(allowed(&names, &Method::GET, &headers(host, None)).is_err(), "{host}");
        }
        assert!(allowed(&names, &Method::GET, &HeaderMap::new()).is_err());
    }

    #[test]
    fn only_our_own_page_changes_anything() {
        let check = |method, origin| allowed(&[], &method, &headers("localhost:80", origin)).is_ok();
        assert!(check(Method::POST, None), "a program sends no origin");
        assert!(check(Method::POST, Some("http://localhost:80")));
        assert!(!check(Method::POST, Some("http://localhost:81")));
        assert!(!check(Method::POST, Some("http://evil.example")));
        assert!(!check(Method::POST, Some("null")));
        assert!(check(Method::GET, Some("http://evil.example")), "it cannot read the answer");
    }
}

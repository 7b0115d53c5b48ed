//! The page and its files.

use crate::house::{House, plain};

#[tokio::test]
async fn the_page_and_everything_it_names_is_served() {
    let house = House::new();
    let open = house.open(plain()).await;
    let client = open.client();
    let index = client.get("/").await;
    assert_eq!(index.status, 200);
    assert_eq!(index.header("content-type").as_deref(), Some("text/html; charset=utf-8"));
    let policy = index.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
    let html = index.text();
    assert!(!html.contains("http://") && !html.contains("https://"), "the page asks nobody else");
    for path in html.split('"').filter(|part| part.starts_with("/assets/")) {
        let asset = client.get(path).await;
        assert_eq!(asset.status, 200, "{path}");
        assert!(asset.header("cache-control").unwrap().contains("immutable"), "{path}");
        assert!(!asset.body.is_empty(), "{path}");
    }
    open.close().await;
}

#[tokio::test]
async fn a_page_the_browser_has_is_not_sent_again() {
    let house = House::new();
    let open = house.open(plain()).await;
    let client = open.client();
    let etag = client.get("/").await.header("etag").unwrap();
    let again = client.send("GET", "/", &[("if-none-match", &etag)], b"").await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let other = client.send("GET", "/", &[("if-none-match", "\"other\"")], b"").await;
    assert_eq!(other.status, 200);
    open.close().await;
}

#[tokio::test]
async fn what_is_not_there_is_said_in_json() {
    let house = House::new();
    let open = house.open(plain()).await;
    let client = open.client();
    for path in ["/nothing", "/assets/nothing.js", "/assets/../Cargo.toml", "/api/models/nobody/history"] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        answer.error();
    }
    let answer = client.get("/api/sql").await;
    assert_eq!((answer.status, answer.error().contains("does not take GET")), (405, true));
    open.close().await;
}

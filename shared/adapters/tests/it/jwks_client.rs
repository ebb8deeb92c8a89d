//! Key sets over HTTP: conditional requests with entity tags, and freshness as the provider says.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_adapters::JwksClient;
use fundhook_domain::{Feed, Provider};
use fundhook_ports::{Disposition, FetchKeySet, FetchedKeySet, PortError, chain};

use crate::support::server::{Answer, Server};

const JWKS: &str = r#"{"keys":[{"kty":"RSA","kid":"é"}]}"#;
const ETAG: &str = r#"W/"33a64df5""#;

fn feed() -> Feed {
    Provider::Connect.into()
}

/// The result of fetching the feed's key set from `server`, with the entity tag `etag`.
async fn fetched(server: &Server, etag: Option<&str>) -> Result<FetchedKeySet, PortError> {
    let urls = BTreeMap::from([(feed(), format!("{}/.well-known/jwks.json", server.url))]);
    JwksClient::new(urls).fetch(&feed(), etag).await
}

fn served(etag: Option<&str>, seconds: Option<u64>) -> FetchedKeySet {
    let (etag, fresh_for) = (etag.map(str::to_owned), seconds.map(Duration::from_secs));
    FetchedKeySet::Served { jwks: JWKS.to_owned(), etag, fresh_for }
}

#[tokio::test]
async fn a_key_set_is_returned_with_its_entity_tag_and_freshness() {
    let bare = || Answer::json(200, JWKS);
    for (answer, expected) in [
        (bare(), served(None, None)),
        (bare().with("etag", ETAG), served(Some(ETAG), None)),
        (bare().with("ETag", r#""a""#).with("Cache-Control", "public, max-age=600"), served(Some(r#""a""#), Some(600))),
        (bare().with("cache-control", "max-age=600").with("age", "100"), served(None, Some(500))),
        (bare().with("cache-control", "no-store"), served(None, Some(0))),
    ] {
        let server = Server::always(answer.clone()).await;
        assert_eq!(fetched(&server, None).await.expect("a key set"), expected, "{answer:?}");
        let asked = server.asked_once();
        assert_eq!(asked.line(), "GET /.well-known/jwks.json");
        assert_eq!(asked.header("if-none-match"), None, "there is no entity tag");
        assert_eq!(asked.header("user-agent"), Some(concat!("fundhook/", env!("CARGO_PKG_VERSION"))));
    }
}

#[tokio::test]
async fn a_known_key_set_is_requested_with_its_entity_tag() {
    let unchanged = || Answer::new(304, "application/json", "");
    let confirmed = |seconds: Option<u64>| FetchedKeySet::NotModified { fresh_for: seconds.map(Duration::from_secs) };
    for (answer, expected) in [
        (unchanged(), confirmed(None)),
        (unchanged().with("cache-control", "max-age=600").with("age", "1"), confirmed(Some(599))),
        (unchanged().with("etag", ETAG).with("cache-control", "no-cache"), confirmed(Some(0))),
        // The key set has changed, or the server does not support entity tags.
        (Answer::json(200, JWKS).with("etag", r#""new""#), served(Some(r#""new""#), None)),
        (Answer::json(200, JWKS), served(None, None)),
    ] {
        let server = Server::always(answer.clone()).await;
        assert_eq!(fetched(&server, Some(ETAG)).await.expect("an answer"), expected, "{answer:?}");
        assert_eq!(server.asked_once().header("if-none-match"), Some(ETAG));
    }
}

#[tokio::test]
async fn an_unusable_response_is_an_error_to_be_retried_later() {
    let unchanged = Answer::new(304, "application/json", "");
    for (what, answer, etag) in [
        ("a 304 without a conditional request", unchanged, None),
        ("an error of its own", Answer::json(500, "{}"), None),
        ("an error of a conditional request", Answer::json(503, "{}"), Some(ETAG)),
        ("a missing page", Answer::new(404, "text/html", "<html></html>"), None),
        ("a redirect", Answer::json(302, "").with("location", "/elsewhere"), None),
        ("another success", Answer::json(202, JWKS), None),
        ("half a body", Answer::json(200, JWKS).broken_off(), None),
        ("far more than a key set", Answer::json(200, " ".repeat(128 * 1024 + 1)), None),
    ] {
        let server = Server::always(answer).await;
        let error = fetched(&server, etag).await.map(|_| ()).expect_err(what);
        assert_eq!(error.disposition(), Disposition::Retry, "{what}");
        assert!(chain(&error).contains("/.well-known/jwks.json"), "{what}: {}", chain(&error));
        assert_eq!(server.asked().len(), 1, "{what}: the caller decides when to try again");
    }
}

#[tokio::test]
async fn a_retry_after_is_reported() {
    let refused = |status| Answer::json(status, "{}").with("date", "Tue, 07 Oct 2025 19:44:50 GMT");
    for (answer, seconds) in [
        (refused(429).with("retry-after", "3600"), Some(3600)),
        (refused(503).with("Retry-After", "Tue, 07 Oct 2025 19:45:30 GMT"), Some(40)),
        (refused(403).with("retry-after", "0"), Some(0)),
        (refused(429).with("retry-after", "soon"), None),
        (refused(429), None),
    ] {
        let server = Server::always(answer.clone()).await;
        let error = fetched(&server, None).await.map(|_| ()).expect_err("no key set");
        assert_eq!(error.retry_after(), seconds.map(Duration::from_secs), "{answer:?}");
    }
}

#[tokio::test]
async fn the_largest_key_set_is_accepted() {
    let large = " ".repeat(128 * 1024);
    let server = Server::always(Answer::json(200, large.clone())).await;
    let expected = FetchedKeySet::Served { jwks: large, etag: None, fresh_for: None };
    assert_eq!(fetched(&server, None).await.expect("an answer"), expected);
}

#[tokio::test]
async fn a_feed_without_a_url_is_named_and_nothing_is_requested() {
    let server = Server::always(Answer::json(200, JWKS)).await;
    let client = JwksClient::new(BTreeMap::from([(feed(), server.url.clone())]));
    let tenant: Feed = "connect/acme".parse().expect("a feed");
    assert_eq!((client.url(&feed()), client.url(&tenant)), (Some(server.url.clone()), None));
    let error = client.fetch(&tenant, None).await.map(|_| ()).expect_err("no URL is set");
    assert!(chain(&error).contains("connect/acme"), "{}", chain(&error));
    assert!(server.asked().is_empty());
}

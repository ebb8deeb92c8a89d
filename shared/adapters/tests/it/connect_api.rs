//! Connect's API for the organizations with stored credentials: access tokens and lists of transactions.

use fundhook_adapters::{ConnectApi, ConnectApiConfig};
use fundhook_domain::{Feed, ListId, ListKind, Provider};
use fundhook_ports::{
    Disposition, GrantedToken, ListError, ListPage, ListQuery, ListWithToken, PortError, RequestToken, chain,
};
use fundhook_reconciliation::PageKey;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::at;
use crate::support::server::{Answer, Server};
use crate::support::vault::{SECRET_ID, Vault};

const CREDENTIALS: &str = r#"{
    "default":{"client_id":"id-1","client_secret":"canary-secret-1","organization_id":"org-1"},
    "acme":{"client_id":"id-2","client_secret":"canary-secret-2","organization_id":"org-2"}}"#;

const GRANTED: &str = r#"{"access_token":"canary-token","token_type":"Bearer","expires_in":86400,"new":1}"#;

fn feed() -> Feed {
    Provider::Connect.into()
}

fn tenant(name: &str) -> Feed {
    format!("connect/{name}").parse().expect("a feed")
}

fn config(provider: &Server) -> ConnectApiConfig {
    ConnectApiConfig {
        base_url: provider.url.clone(),
        path_prefix: String::new(),
        options: "{}".to_owned(),
        credentials_secret_id: SECRET_ID.to_owned(),
    }
}

/// Connect's API, and the server that plays the provider.
struct World {
    vault: Vault,
    provider: Server,
    api: ConnectApi,
}

impl World {
    /// A provider that always sends `answer`, with this path prefix.
    async fn with_prefix(path_prefix: &str, answer: Answer) -> Self {
        let (vault, provider) = (Vault::holding(CREDENTIALS).await, Server::always(answer).await);
        let config = ConnectApiConfig { path_prefix: path_prefix.to_owned(), ..config(&provider) };
        let api = ConnectApi::new(&vault.aws, config).expect("valid settings");
        Self { vault, provider, api }
    }

    async fn answering(answer: Answer) -> Self {
        Self::with_prefix("", answer).await
    }

    async fn request(&self, feed: &Feed) -> Result<GrantedToken, PortError> {
        self.api.request(feed).await
    }

    async fn list(&self, feed: &Feed, query: &ListQuery) -> Result<ListPage, ListError> {
        self.api.list(&transactions(feed), &SecretString::from("canary-token"), query).await
    }
}

fn transactions(feed: &Feed) -> ListId {
    ListId::new(feed, ListKind::ConnectTransactions)
}

fn dated(page: u32) -> ListQuery {
    ListQuery::Dated { from: at(0), before: at(900), page: PageKey::Number(page) }
}

fn page_of(rows: &str, page: u32) -> Answer {
    Answer::json(200, format!(r#"{{"message":{rows},"page":{page},"page_size":50,"total_pages":3}}"#))
}

/// Asserts that neither the error's messages nor its `Debug` shows a secret.
fn assert_shows_no_secret(error: &(dyn std::error::Error + 'static)) {
    for text in [chain(error), format!("{error:?}")] {
        assert!(!text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn a_token_is_requested_with_the_credentials_of_the_organization() {
    for (feed, number, prefix) in [(feed(), 1, ""), (tenant("acme"), 2, "/api/v1")] {
        let world = World::with_prefix(prefix, Answer::json(200, GRANTED)).await;
        let granted = world.request(&feed).await.expect("granted");
        assert_eq!(granted.access_token.expose_secret(), "canary-token");
        assert_eq!(granted.expires_in.as_secs(), 86_400, "the response's field");
        let asked = world.provider.asked_once();
        assert_eq!(asked.line(), format!("POST {prefix}/oauth/token"));
        let sent = json!({
            "client_id": format!("id-{number}"),
            "client_secret": format!("canary-secret-{number}"),
            "organization_id": format!("org-{number}"),
        });
        assert_eq!(asked.json(), sent, "{feed}");
        assert!(!format!("{granted:?} {:?}", world.api).contains("canary"), "Debug does not show it");
    }
}

#[tokio::test]
async fn rotated_credentials_are_used_for_the_next_token() {
    let world = World::answering(Answer::json(200, GRANTED)).await;
    assert_eq!(world.api.feeds().await.expect("the secret is read"), [feed(), tenant("acme")]);
    world.request(&feed()).await.expect("granted");
    let rotated = CREDENTIALS.replace("canary-secret-1", "canary-rotated").replace("acme", "bolt");
    world.vault.hold(rotated);
    world.request(&feed()).await.expect("granted");
    let secrets = world.provider.asked().iter().map(|asked| asked.json()["client_secret"].clone()).collect::<Vec<_>>();
    assert_eq!(secrets, ["canary-secret-1", "canary-rotated"]);
    assert_eq!(world.api.feeds().await.expect("the secret is read"), [feed(), tenant("bolt")]);
}

#[tokio::test]
async fn a_page_is_requested_by_dates_and_number_for_the_organization() {
    let row = r#"{"fund_id" : "a",  "rate":1.000000000000000000001,"n":119078888888888888887.10}"#;
    for (feed, organization, prefix) in [(feed(), "org-1", ""), (tenant("acme"), "org-2", "/api/v1")] {
        let world = World::with_prefix(prefix, page_of(&format!("[{row}, null]"), 2)).await;
        let page = world.list(&feed, &dated(2)).await.expect("a page");
        let url = format!("{}{prefix}/transactions", world.provider.url);
        let expected = ListPage { rows: vec![row.to_owned(), "null".to_owned()], next: Some(PageKey::Number(3)), url };
        assert_eq!(page, expected, "each row is verbatim");

        let asked = world.provider.asked_once();
        let line = format!(
            "GET {prefix}/transactions?page=2&page_size=50&deposit_timestamp_gte=1759866290000&deposit_timestamp_lt=1759867190000"
        );
        assert_eq!(asked.line(), line);
        assert_eq!(asked.header("authorization"), Some("Bearer canary-token"));
        assert_eq!(asked.header("client-id"), Some(organization));
    }
}

#[tokio::test]
async fn one_transaction_is_requested_only_by_its_id() {
    let world = World::answering(page_of("[]", 1)).await;
    let page = world.list(&feed(), &ListQuery::Id("c55481bf&page=7 #626b".to_owned())).await.expect("a page");
    assert_eq!((page.rows.len(), page.next), (0, Some(PageKey::Number(2))));
    let asked = world.provider.asked_once();
    assert_eq!(asked.line(), "GET /transactions?page=1&page_size=50&fund_id=c55481bf%26page%3D7+%23626b");
}

#[tokio::test]
async fn an_unknown_id_is_not_listed_whatever_the_status() {
    for (status, is_unlisted) in [(400, true), (404, true), (422, true), (403, false)] {
        let world = World::answering(Answer::new(status, "application/json", r#"{"message":"no such fund"}"#)).await;
        let listed = world.list(&feed(), &ListQuery::Id("c55481bf".to_owned())).await;
        assert_eq!(listed.ok(), is_unlisted.then(ListPage::default), "{status}");
        // For a page this status is an error.
        assert!(world.list(&feed(), &dated(1)).await.is_err(), "{status}");
    }
}

#[tokio::test]
async fn the_organizations_are_read_once_for_all_pages() {
    let world = World::answering(page_of("[]", 1)).await;
    for feed in [feed(), tenant("acme"), feed()] {
        world.list(&feed, &dated(1)).await.expect("a page");
    }
    assert_eq!(world.vault.asked(), ["GetSecretValue"]);
    // An organization that was added later is read when it is needed.
    world.vault.hold(CREDENTIALS.replace("acme", "bolt"));
    world.list(&tenant("bolt"), &dated(1)).await.expect("a page");
    assert_eq!(world.vault.asked().len(), 2);
}

#[tokio::test]
async fn a_page_with_another_number_than_requested_is_an_error() {
    // A provider with another name for the parameter always returns the first page.
    for (asked, came) in [(dated(2), 1), (dated(1), 2), (ListQuery::Id("a".to_owned()), 2)] {
        let world = World::answering(page_of(r#"[{"fund_id":"canary"}]"#, came)).await;
        let error = world.list(&feed(), &asked).await.expect_err("another page");
        assert!(chain(&error).contains(&format!("received page {came}")), "{}", chain(&error));
        assert!(matches!(&error, ListError::Port(error) if error.disposition() == Disposition::DeadLetter));
        assert_shows_no_secret(&error);
    }
}

#[tokio::test]
async fn a_rejected_token_is_distinguished_from_other_errors() {
    for (status, is_unauthorized) in [(401, true), (403, false), (404, false)] {
        let world = World::answering(Answer::json(status, r#"{"message":"no"}"#)).await;
        let error = world.list(&feed(), &dated(1)).await.expect_err("rejected");
        assert_eq!(matches!(error, ListError::Unauthorized(_)), is_unauthorized, "{status}: {error:?}");
        assert_shows_no_secret(&error);
        // Rejected credentials need an operator, not a retry.
        let error = world.request(&feed()).await.map(|_| ()).expect_err("rejected");
        assert_eq!(error.disposition(), Disposition::DeadLetter);
        assert_shows_no_secret(&error);
        assert_eq!(world.provider.asked().len(), 2, "{status}: no request is repeated");
    }
}

#[tokio::test]
async fn the_providers_message_about_a_rejected_token_is_reported_and_shortened() {
    let description = format!("canary-token: {}", "x".repeat(1000));
    let body = json!({ "error": "invalid_token", "error_description": description });
    let world = World::answering(Answer::json(401, body.to_string())).await;
    let error = world.list(&feed(), &dated(1)).await.expect_err("rejected");
    let message = chain(&error);
    assert!(message.starts_with("the provider rejected the access token: could not read the list of"), "{message}");
    assert!(message.contains("status 401: invalid_token: [hidden]: xxx") && message.len() < 600, "{message}");
    assert_shows_no_secret(&error);
}

#[tokio::test]
async fn a_retry_after_is_reported() {
    for (status, retry_after, told) in [
        (429, Some("3600"), Some(3600)),
        (503, Some("120"), Some(120)),
        (403, Some("60"), Some(60)),
        (403, None, None),
        (403, Some("soon"), None),
    ] {
        let answer = Answer::json(status, "{}");
        let answer = retry_after.into_iter().fold(answer, |answer, value| answer.with("retry-after", value));
        let world = World::answering(answer).await;
        let told = told.map(std::time::Duration::from_secs);
        let error = world.request(&feed()).await.map(|_| ()).expect_err("rejected");
        assert_eq!(error.retry_after(), told, "{status} {retry_after:?}");
        let ListError::Port(error) = world.list(&feed(), &dated(1)).await.expect_err("rejected") else {
            unreachable!("{status} is not 401")
        };
        assert_eq!(error.retry_after(), told, "{status} {retry_after:?}");
    }
}

#[tokio::test]
async fn an_organization_without_credentials_is_named_and_nothing_is_requested() {
    let world = World::answering(Answer::json(200, GRANTED)).await;
    let unknown = tenant("unknown");
    let requested = world.request(&unknown).await.map(|_| ()).expect_err("there is no entry");
    let listed = world.list(&unknown, &dated(1)).await.expect_err("there is no entry");
    let ListError::Port(listed) = listed else { unreachable!("{listed:?}") };
    for error in [requested, listed] {
        assert!(chain(&error).contains("no entry for connect/unknown"), "{}", chain(&error));
        assert_eq!(error.disposition(), Disposition::DeadLetter);
    }
    assert!(world.provider.asked().is_empty());
}

#[tokio::test]
async fn unreadable_credentials_are_an_error_that_does_not_repeat_them() {
    let world = World::answering(Answer::json(200, GRANTED)).await;
    for text in ["", "canary", "[]", r#"["canary"]"#] {
        world.vault.hold(text);
        let unlisted = world.api.feeds().await.map(|_| ()).expect_err("no credentials");
        let unrequested = world.request(&feed()).await.map(|_| ()).expect_err("no credentials");
        for error in [unlisted, unrequested] {
            assert_eq!(error.disposition(), Disposition::DeadLetter, "{text}");
            assert_shows_no_secret(&error);
        }
    }
    let config = ConnectApiConfig { credentials_secret_id: "another".to_owned(), ..config(&world.provider) };
    let elsewhere = ConnectApi::new(&world.vault.aws, config).expect("valid settings");
    let missing = elsewhere.request(&feed()).await.map(|_| ()).expect_err("there is no such secret");
    assert_eq!(missing.disposition(), Disposition::Retry);
    assert!(chain(&missing).contains("ResourceNotFoundException"), "{}", chain(&missing));
    assert!(world.provider.asked().is_empty());
}

/// Unusable responses, the disposition of each, and the number of requests.
fn unusable_responses() -> Vec<(&'static str, Answer, Disposition, usize)> {
    use Disposition::{DeadLetter, Retry};

    let page = || format!(r#"{{"message":[],"access_token":"canary-{}"}}"#, "x".repeat(200));
    vec![
        ("HTML", Answer::new(200, "text/html", "<html>canary</html>"), DeadLetter, 1),
        ("a gateway's page", Answer::new(502, "text/html", "<html>bad gateway</html>"), Retry, 3),
        ("an error of its own", Answer::json(500, r#"{"message":"oops"}"#), Retry, 3),
        ("half a body", Answer::json(200, page()).broken_off(), Retry, 3),
        ("half of the JSON", Answer::json(200, page().split_at(100).0), Retry, 3),
        ("an empty response", Answer::json(200, ""), DeadLetter, 1),
        ("JSON of another shape", Answer::json(200, r#"{"message":"canary","access_token":5}"#), DeadLetter, 1),
        ("a redirect", Answer::json(307, "{}").with("location", "http://127.0.0.1:9/"), DeadLetter, 1),
        ("a Retry-After beyond the maximum wait", Answer::json(429, "{}").with("retry-after", "3600"), Retry, 1),
    ]
}

#[tokio::test]
async fn an_unusable_response_is_an_error_with_a_disposition_and_without_secrets() {
    let mut cases = JoinSet::new();
    for (what, answer, disposition, attempts) in unusable_responses() {
        cases.spawn(async move {
            let world = World::answering(answer).await;
            let error = world.request(&feed()).await.map(|_| ()).expect_err(what);
            assert_eq!((error.disposition(), world.provider.asked().len()), (disposition, attempts), "{what}");
            assert_shows_no_secret(&error);

            let error = world.list(&feed(), &dated(1)).await.expect_err(what);
            assert_shows_no_secret(&error);
            let ListError::Port(error) = error else { unreachable!("{what}: {error:?}") };
            assert_eq!((error.disposition(), world.provider.asked().len()), (disposition, 2 * attempts), "{what}");
        });
    }
    cases.join_all().await;
}

#[tokio::test]
async fn a_request_is_repeated_after_a_transient_failure() {
    let (vault, mut answers) = (Vault::holding(CREDENTIALS).await, [500, 503, 200].into_iter());
    let provider = Server::answering(move |_| match answers.next() {
        Some(200) | None => page_of("[]", 1),
        Some(status) => Answer::json(status, "{}"),
    });
    let provider = provider.await;
    let api = ConnectApi::new(&vault.aws, config(&provider)).expect("valid settings");
    let page = api.list(&transactions(&feed()), &SecretString::from("canary-token"), &dated(1)).await.expect("a page");
    assert_eq!((page.next, provider.asked().len()), (Some(PageKey::Number(2)), 3));
}

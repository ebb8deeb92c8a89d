//! Connect's API as the organizations whose credentials are stored: their tokens, and their lists of transactions.

use fundhook_adapters::{ConnectApi, ConnectApiConfig};
use fundhook_domain::{Feed, Provider};
use fundhook_ports::{
    Disposition, GrantedToken, ListError, ListPage, ListQuery, ListTransactions, PortError, RequestToken, chain,
};
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
    /// A provider that always answers so, below this prefix.
    async fn below(path_prefix: &str, answer: Answer) -> Self {
        let (vault, provider) = (Vault::holding(CREDENTIALS).await, Server::always(answer).await);
        let config = ConnectApiConfig { path_prefix: path_prefix.to_owned(), ..config(&provider) };
        let api = ConnectApi::new(&vault.aws, config).expect("valid settings");
        Self { vault, provider, api }
    }

    async fn answering(answer: Answer) -> Self {
        Self::below("", answer).await
    }

    async fn request(&self, feed: &Feed) -> Result<GrantedToken, PortError> {
        self.api.request(feed).await
    }

    async fn list(&self, feed: &Feed, query: &ListQuery) -> Result<ListPage, ListError> {
        self.api.list(feed, &SecretString::from("canary-token"), query).await
    }
}

fn dated(page: u32) -> ListQuery {
    ListQuery::Dated { from: at(0), before: at(900), page }
}

fn page_of(rows: &str, page: u32) -> Answer {
    Answer::json(200, format!(r#"{{"message":{rows},"page":{page},"page_size":50,"total_pages":3}}"#))
}

/// Asserts that neither what an error says, nor what it is made of, shows a secret.
fn assert_shows_no_secret(error: &(dyn std::error::Error + 'static)) {
    for told in [chain(error), format!("{error:?}")] {
        assert!(!told.contains("canary"), "{told}");
    }
}

#[tokio::test]
async fn a_token_is_granted_for_the_credentials_of_the_organization_that_is_asked_for() {
    for (feed, number, prefix) in [(feed(), 1, ""), (tenant("acme"), 2, "/api/v1")] {
        let world = World::below(prefix, Answer::json(200, GRANTED)).await;
        let granted = world.request(&feed).await.expect("granted");
        assert_eq!(granted.access_token.expose_secret(), "canary-token");
        assert_eq!(granted.expires_in.as_secs(), 86_400, "the field, and not what the prose says");
        let asked = world.provider.asked_once();
        assert_eq!(asked.line(), format!("POST {prefix}/oauth/token"));
        let sent = json!({
            "client_id": format!("id-{number}"),
            "client_secret": format!("canary-secret-{number}"),
            "organization_id": format!("org-{number}"),
        });
        assert_eq!(asked.json(), sent, "{feed}");
        assert!(!format!("{granted:?} {:?}", world.api).contains("canary"), "nothing prints it");
    }
}

#[tokio::test]
async fn credentials_that_were_rotated_are_used_from_the_next_token_on() {
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
async fn a_page_is_asked_for_by_its_dates_and_its_number_as_the_organization() {
    let row = r#"{"fund_id" : "a",  "rate":1.000000000000000000001,"n":119078888888888888887.10}"#;
    for (feed, organization, prefix) in [(feed(), "org-1", ""), (tenant("acme"), "org-2", "/api/v1")] {
        let world = World::below(prefix, page_of(&format!("[{row}, null]"), 2)).await;
        let page = world.list(&feed, &dated(2)).await.expect("a page");
        let url = format!("{}{prefix}/transactions", world.provider.url);
        let expected = ListPage { rows: vec![row.to_owned(), "null".to_owned()], pages: 3, url };
        assert_eq!(page, expected, "each row as it came");

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
async fn one_transaction_is_asked_for_by_its_id_and_nothing_else() {
    let world = World::answering(page_of("[]", 1)).await;
    let page = world.list(&feed(), &ListQuery::Id("c55481bf&page=7 #626b".to_owned())).await.expect("a page");
    assert_eq!((page.rows.len(), page.pages), (0, 3));
    let asked = world.provider.asked_once();
    assert_eq!(asked.line(), "GET /transactions?page=1&page_size=50&fund_id=c55481bf%26page%3D7+%23626b");
}

#[tokio::test]
async fn an_id_that_the_provider_does_not_know_is_not_listed_however_it_says_so() {
    for (status, is_said_so) in [(400, true), (404, true), (422, true), (403, false)] {
        let world = World::answering(Answer::new(status, "application/json", r#"{"message":"no such fund"}"#)).await;
        let listed = world.list(&feed(), &ListQuery::Id("c55481bf".to_owned())).await;
        assert_eq!(listed.ok(), is_said_so.then(ListPage::default), "{status}");
        // Of a page it is an error.
        assert!(world.list(&feed(), &dated(1)).await.is_err(), "{status}");
    }
}

#[tokio::test]
async fn who_the_organizations_are_is_read_once_for_all_pages() {
    let world = World::answering(page_of("[]", 1)).await;
    for feed in [feed(), tenant("acme"), feed()] {
        world.list(&feed, &dated(1)).await.expect("a page");
    }
    assert_eq!(world.vault.asked(), ["GetSecretValue"]);
    // One that has come since is read when it is asked for.
    world.vault.hold(CREDENTIALS.replace("acme", "bolt"));
    world.list(&tenant("bolt"), &dated(1)).await.expect("a page");
    assert_eq!(world.vault.asked().len(), 2);
}

#[tokio::test]
async fn a_page_whose_number_is_not_the_one_that_was_asked_for_is_an_error() {
    // A provider that calls the parameter otherwise answers each time with the first page.
    for (asked, came) in [(dated(2), 1), (dated(1), 2), (ListQuery::Id("a".to_owned()), 2)] {
        let world = World::answering(page_of(r#"[{"fund_id":"canary"}]"#, came)).await;
        let error = world.list(&feed(), &asked).await.expect_err("another page");
        assert!(chain(&error).contains(&format!("received page {came}")), "{}", chain(&error));
        assert!(matches!(&error, ListError::Port(error) if error.disposition() == Disposition::DeadLetter));
        assert_shows_no_secret(&error);
    }
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_told_from_every_other_refusal() {
    for (status, is_unauthorized) in [(401, true), (403, false), (404, false)] {
        let world = World::answering(Answer::json(status, r#"{"message":"no"}"#)).await;
        let error = world.list(&feed(), &dated(1)).await.expect_err("refused");
        assert_eq!(matches!(error, ListError::Unauthorized(_)), is_unauthorized, "{status}: {error:?}");
        assert_shows_no_secret(&error);
        // Credentials that are not accepted are for a person to mend.
        let error = world.request(&feed()).await.map(|_| ()).expect_err("refused");
        assert_eq!(error.disposition(), Disposition::DeadLetter);
        assert_shows_no_secret(&error);
        assert_eq!(world.provider.asked().len(), 2, "{status}: nothing is asked again");
    }
}

#[tokio::test]
async fn what_the_provider_says_of_a_token_that_it_does_not_accept_is_told_and_bounded() {
    let description = format!("canary-token: {}", "x".repeat(1000));
    let said = json!({ "error": "invalid_token", "error_description": description });
    let world = World::answering(Answer::json(401, said.to_string())).await;
    let error = world.list(&feed(), &dated(1)).await.expect_err("refused");
    let told = chain(&error);
    assert!(told.starts_with("the provider does not accept the access token: could not read the list of"), "{told}");
    assert!(told.contains("status 401: invalid_token: [hidden]: xxx") && told.len() < 600, "{told}");
    assert_shows_no_secret(&error);
}

#[tokio::test]
async fn how_long_the_provider_asks_to_be_left_alone_is_told() {
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
        let error = world.request(&feed()).await.map(|_| ()).expect_err("refused");
        assert_eq!(error.retry_after(), told, "{status} {retry_after:?}");
        let ListError::Port(error) = world.list(&feed(), &dated(1)).await.expect_err("refused") else {
            unreachable!("{status} is not 401")
        };
        assert_eq!(error.retry_after(), told, "{status} {retry_after:?}");
    }
}

#[tokio::test]
async fn an_organization_without_an_entry_is_named_and_the_provider_is_not_asked() {
    let world = World::answering(Answer::json(200, GRANTED)).await;
    let nobody = tenant("nobody");
    let requested = world.request(&nobody).await.map(|_| ()).expect_err("there is no entry");
    let listed = world.list(&nobody, &dated(1)).await.expect_err("there is no entry");
    let ListError::Port(listed) = listed else { unreachable!("{listed:?}") };
    for error in [requested, listed] {
        assert!(chain(&error).contains("no entry for connect/nobody"), "{}", chain(&error));
        assert_eq!(error.disposition(), Disposition::DeadLetter);
    }
    assert!(world.provider.asked().is_empty());
}

#[tokio::test]
async fn credentials_that_cannot_be_read_are_an_error_that_repeats_nothing_of_them() {
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

/// Answers that are none, what is to be done about each, and how often it is asked for.
fn odd_answers() -> Vec<(&'static str, Answer, Disposition, usize)> {
    use Disposition::{DeadLetter, Retry};

    let page = || format!(r#"{{"message":[],"access_token":"canary-{}"}}"#, "x".repeat(200));
    vec![
        ("HTML", Answer::new(200, "text/html", "<html>canary</html>"), DeadLetter, 1),
        ("a gateway's page", Answer::new(502, "text/html", "<html>bad gateway</html>"), Retry, 3),
        ("an error of its own", Answer::json(500, r#"{"message":"oops"}"#), Retry, 3),
        ("half a body", Answer::json(200, page()).broken_off(), Retry, 3),
        ("half of the JSON", Answer::json(200, page().split_at(100).0), Retry, 3),
        ("nothing", Answer::json(200, ""), DeadLetter, 1),
        ("JSON of another shape", Answer::json(200, r#"{"message":"canary","access_token":5}"#), DeadLetter, 1),
        ("a redirect", Answer::json(307, "{}").with("location", "http://127.0.0.1:9/"), DeadLetter, 1),
        ("a wait beyond patience", Answer::json(429, "{}").with("retry-after", "3600"), Retry, 1),
    ]
}

#[tokio::test]
async fn an_odd_answer_is_an_error_that_says_what_to_do_and_shows_no_secret() {
    let mut cases = JoinSet::new();
    for (what, answer, disposition, attempts) in odd_answers() {
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
async fn a_provider_that_fails_for_a_moment_is_asked_again() {
    let (vault, mut answers) = (Vault::holding(CREDENTIALS).await, [500, 503, 200].into_iter());
    let provider = Server::answering(move |_| match answers.next() {
        Some(200) | None => page_of("[]", 1),
        Some(status) => Answer::json(status, "{}"),
    });
    let provider = provider.await;
    let api = ConnectApi::new(&vault.aws, config(&provider)).expect("valid settings");
    let page = api.list(&feed(), &SecretString::from("canary-token"), &dated(1)).await.expect("a page");
    assert_eq!((page.pages, provider.asked().len()), (3, 3));
}

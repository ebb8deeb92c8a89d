//! Whether zerohash's API accepts calls: what a refused address, refused credentials, an invalid secret and an outage are
//! told apart by.

use fundhook_adapters::{InvalidZerohashApiSettings, ZerohashAccess, ZerohashApi, ZerohashApiConfig};
use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::{ApiAccessError, CheckApiAccess, ListSigned, chain};

use crate::support::at;
use crate::support::server::{Answer, Server};
use crate::support::vault::{SECRET_ID, Vault};

/// The secret of the documented test vectors: the bytes 0 to 31.
const ENTRY: &str =
    r#"{"api_key":"canary-key","passphrase":"canary-phrase","secret":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}"#;

const TIME: &str = r#"{"message":{"epoch":1760484866500,"epoch_units":"ms","iso_8601":"2025-10-14T23:34:26.5Z"}}"#;

/// What Cloudflare answers a stranger's address.
const BLOCKED: &str = "<html><title>Access denied</title>error code: 1020</html>";

const UNKNOWN_KEY: &str = r#"{"error":true,"message":"Invalid API key"}"#;

fn now() -> Timestamp {
    at(0)
}

fn feed(name: &str) -> Feed {
    name.parse().expect("a feed")
}

struct World {
    vault: Vault,
    provider: Server,
    access: ZerohashAccess,
}

impl World {
    async fn new(secret: &str, options: &str, answer: Answer) -> Self {
        let (vault, provider) = (Vault::holding(secret).await, Server::always(answer).await);
        let access = ZerohashAccess::new(&vault.aws, config(&provider, options)).expect("valid settings");
        Self { vault, provider, access }
    }

    async fn answering(answer: Answer) -> Self {
        Self::new(&format!(r#"{{"default":{ENTRY}}}"#), "{}", answer).await
    }

    async fn read(&self) -> Result<(), ApiAccessError> {
        self.access.feeds().await?;
        self.access.read(&feed("zerohash")).await
    }
}

fn config(provider: &Server, options: &str) -> ZerohashApiConfig {
    let (base_url, options) = (provider.url.clone(), options.to_owned());
    ZerohashApiConfig { base_url, options, credentials_secret_id: SECRET_ID.to_owned(), clock: now }
}

#[tokio::test]
async fn the_provider_tells_its_clock_without_credentials() {
    let world = World::answering(Answer::json(200, TIME)).await;
    let clock = world.access.provider_clock().await.expect("it answers");
    assert_eq!(
        (clock.time, clock.tolerance.as_secs()),
        (Timestamp::from_unix_digits("1760484866500").expect("a time"), 60)
    );
    let asked = world.provider.asked_once();
    assert_eq!((asked.line(), asked.header("x-scx-api-key")), ("GET /time", None));
    assert_eq!(world.vault.asked(), Vec::<String>::new(), "the secret is not read");
}

#[tokio::test]
async fn whatever_refuses_a_call_without_credentials_refuses_the_address() {
    for answer in [
        Answer::new(403, "text/html", BLOCKED),
        Answer::json(403, r#"{"error":true,"message":"IP not allowed"}"#),
        Answer::json(401, r#"{"error":"no"}"#),
    ] {
        let world = World::answering(answer.clone()).await;
        let refused = world.access.provider_clock().await.expect_err("refused");
        assert!(matches!(refused, ApiAccessError::Address(_)), "{answer:?}: {refused:?}");
        assert_eq!(world.provider.asked().len(), 1, "a refusal is not asked again");
    }
}

#[tokio::test]
async fn an_outage_is_no_refusal_and_is_asked_once() {
    let world = World::answering(Answer::json(503, r#"{"error":"maintenance"}"#)).await;
    let failed = world.access.provider_clock().await.expect_err("it is down");
    assert!(matches!(failed, ApiAccessError::Port(_)), "{failed:?}");
    let failed = world.read().await.expect_err("it is down");
    assert!(matches!(failed, ApiAccessError::Port(_)), "{failed:?}");
    assert_eq!(world.provider.asked().len(), 2, "each call once: the next run asks again");
}

#[tokio::test]
async fn one_row_of_the_first_list_is_read_with_a_signature() {
    let empty = r#"{"message":[],"page":1,"page_size":1,"total_pages":1}"#;
    for (options, line) in [
        ("{}", "GET /fund/transactions?page=1&page_size=1"),
        (r#"{"lists":["bank_payments","payments"],"payments_page_size":50}"#, "GET /payments?page=1&size=1"),
        (r#"{"lists":["bank_payments"],"path_prefix":"/v2"}"#, "GET /v2/payments/status?page=1&size=1"),
    ] {
        let world = World::new(&format!(r#"{{"default":{ENTRY}}}"#), options, Answer::json(200, empty)).await;
        world.read().await.expect(options);
        let asked = world.provider.asked_once();
        assert_eq!(asked.line(), line);
        assert_eq!(asked.header("x-scx-api-key"), Some("canary-key"));
        assert_eq!(asked.header("x-scx-timestamp"), Some(now().unix_seconds().to_string().as_str()));
    }
}

#[tokio::test]
async fn refused_credentials_and_a_refused_address_are_told_apart() {
    let world = World::answering(Answer::json(403, UNKNOWN_KEY)).await;
    let refused = world.read().await.expect_err("refused");
    assert!(matches!(refused, ApiAccessError::Credentials(_)), "{refused:?}");
    let message = chain(&refused);
    assert!(message.contains("Invalid API key") && !message.contains("canary"), "{message}");

    let world = World::answering(Answer::new(403, "text/html", BLOCKED)).await;
    let refused = world.read().await.expect_err("refused");
    assert!(matches!(refused, ApiAccessError::Address(_)), "{refused:?}");
}

#[tokio::test]
async fn an_empty_or_invalid_secret_is_about_the_credentials_and_an_invalid_entry_costs_no_other() {
    for secret in ["{}", "", "[]", "not JSON", r#"{"Acme Inc":{}}"#] {
        let world = World::new(secret, "{}", Answer::json(200, TIME)).await;
        let invalid = world.access.feeds().await.expect_err(secret);
        assert!(matches!(invalid, ApiAccessError::Credentials(_)), "{secret}: {invalid:?}");
        assert!(chain(&invalid).contains(r#"{"default":{"api_key""#), "{invalid:?}");
    }
    let secret = format!(r#"{{"default":{{"api_key":"canary-key"}},"acme":{ENTRY}}}"#);
    let page = r#"{"message":[],"page":1,"page_size":1,"total_pages":1}"#;
    let world = World::new(&secret, "{}", Answer::json(200, page)).await;
    assert_eq!(world.access.feeds().await.expect("read"), ["zerohash", "zerohash/acme"].map(feed));
    let invalid = world.access.read(&feed("zerohash")).await.expect_err("its entry is incomplete");
    assert!(matches!(invalid, ApiAccessError::Credentials(_)), "{invalid:?}");
    assert!(chain(&invalid).contains("the entry is invalid") && !chain(&invalid).contains("canary"), "{invalid:?}");
    world.access.read(&feed("zerohash/acme")).await.expect("its entry is valid");
    assert_eq!(world.provider.asked().len(), 1);
}

#[tokio::test]
async fn a_secret_that_changes_is_used_from_the_next_check_on() {
    let world = World::answering(Answer::json(200, r#"{"message":[],"total_pages":1}"#)).await;
    world.read().await.expect("accepted");
    world.vault.hold(format!(r#"{{"default":{}}}"#, ENTRY.replace("canary-key", "canary-rotated")));
    world.read().await.expect("accepted");
    let keys: Vec<_> =
        world.provider.asked().iter().map(|asked| asked.header("x-scx-api-key").map(str::to_owned)).collect();
    assert_eq!(keys, [Some("canary-key".to_owned()), Some("canary-rotated".to_owned())]);
}

#[tokio::test]
async fn an_unreadable_secret_says_nothing_about_the_credentials() {
    let world = World::answering(Answer::json(200, TIME)).await;
    let other = ZerohashApiConfig { credentials_secret_id: "another".to_owned(), ..config(&world.provider, "{}") };
    let access = ZerohashAccess::new(&world.vault.aws, other).expect("valid settings");
    let failed = access.feeds().await.expect_err("there is no such secret");
    assert!(matches!(failed, ApiAccessError::Port(_)), "{failed:?}");
}

#[tokio::test]
async fn options_are_checked_as_for_the_lists() {
    let world = World::answering(Answer::json(200, TIME)).await;
    let invalid = ZerohashAccess::new(&world.vault.aws, config(&world.provider, r#"{"lists":[]}"#));
    assert!(matches!(invalid, Err(InvalidZerohashApiSettings::NoLists)), "{invalid:?}");
}

#[tokio::test]
async fn the_lists_of_the_same_secret_are_those_of_its_valid_entries() {
    let secret = format!(r#"{{"default":{{"api_key":"canary-key"}},"acme":{ENTRY},"Acme Inc":{ENTRY}}}"#);
    let world = World::new(&secret, "{}", Answer::json(200, TIME)).await;
    let config = config(&world.provider, r#"{"lists":["payments","fund_transactions"]}"#);
    let api = ZerohashApi::new(&world.vault.aws, config).expect("valid settings");
    let lists: Vec<String> =
        api.lists().await.expect("read").iter().map(|list| format!("{} {}", list.feed(), list.kind())).collect();
    assert_eq!(lists, ["zerohash/acme fund_transactions", "zerohash/acme payments"]);
}

//! Which settings are valid, and what the error says about invalid ones.

use std::time::Duration;

use fundhook_connect_api::{ConnectClient, PRODUCTION_URL, SANDBOX_URL, Settings, SignedPart};

fn rejected(change: impl FnOnce(&mut Settings)) -> Option<String> {
    let mut settings = Settings::new(PRODUCTION_URL);
    change(&mut settings);
    ConnectClient::new(settings).err().map(|invalid| invalid.to_string())
}

#[test]
fn the_providers_hosts_and_the_loopback_interface_are_valid() {
    for url in [
        PRODUCTION_URL,
        SANDBOX_URL,
        "https://api.connect.xyz/",
        "https://10.0.0.1:8443",
        "http://127.0.0.1:4566",
        "http://localhost:80",
        "http://[::1]:9000",
    ] {
        assert_eq!(rejected(|settings| settings.base_url = url.to_owned()), None, "{url}");
    }
}

#[test]
fn a_base_url_other_than_scheme_and_host_is_rejected_and_not_repeated() {
    for (url, problem) in [
        ("", "is not a URL"),
        ("api.connect.xyz", "is not a URL"),
        ("http://api.connect.xyz", "is neither https"),
        ("http://127.0.0.1.connect.xyz", "is neither https"),
        ("http://localhost@connect.xyz", "is neither https"),
        ("ftp://localhost", "is neither https"),
        ("https://canary:canary@api.connect.xyz", "has a user name"),
        ("https://api.connect.xyz?canary", "has a query"),
        ("https://api.connect.xyz#canary", "has a query or a fragment"),
        ("https://api.connect.xyz/api/v1", "has a path, which belongs into path_prefix"),
    ] {
        let message = rejected(|settings| settings.base_url = url.to_owned()).expect(url);
        assert!(message.starts_with(&format!("base_url {problem}")), "{url}: {message}");
        assert!(message.contains(PRODUCTION_URL) && !message.contains("canary"), "{message}");
    }
}

#[test]
fn a_path_starts_with_a_slash_and_has_no_query_or_fragment() {
    for path in ["sessions", "/", "", "/a/", "/a//b", "/../a", "/a?b", "/a#b", "/a b", "/%61", "//evil", "/ä"] {
        for (name, message) in [
            ("paths.sessions", rejected(|settings| settings.paths.sessions = path.to_owned())),
            ("paths.withdrawal_sessions", rejected(|settings| settings.paths.withdrawal_sessions = path.to_owned())),
            ("paths.token", rejected(|settings| settings.paths.token = path.to_owned())),
            ("paths.users", rejected(|settings| settings.paths.users = path.to_owned())),
            ("paths.transactions", rejected(|settings| settings.paths.transactions = path.to_owned())),
        ] {
            let message = message.expect(path);
            assert!(message.starts_with(&format!("{name} is {path:?}; expected")), "{message}");
        }
    }
    assert_eq!(rejected(|settings| settings.path_prefix = "/api/v1".to_owned()), None);
    assert!(rejected(|settings| settings.path_prefix = "api/v1".to_owned()).expect("none").starts_with("path_prefix"));
}

#[test]
fn every_other_invalid_setting_is_reported_with_the_expected_value() {
    type Change = fn(&mut Settings);
    let cases: [(Change, &str); 17] = [
        (|settings| settings.headers.client_id = "client id".to_owned(), "headers.client_id is \"client id\""),
        (|settings| settings.headers.signature = String::new(), "headers.signature is \"\""),
        (
            |settings| settings.headers.timestamp = "Signature".to_owned(),
            "headers.timestamp is \"signature\", which is",
        ),
        (
            |settings| settings.headers.client_id = "Authorization".to_owned(),
            "headers.client_id is \"authorization\", which",
        ),
        (|settings| settings.parameters.page = String::new(), "parameters.page is \"\""),
        (|settings| settings.parameters.fund_id = "a&b".to_owned(), "parameters.fund_id is \"a&b\""),
        (|settings| settings.parameters.page_size = "page".to_owned(), "parameters.page_size is \"page\""),
        (|settings| settings.parameters.deposited_from = Some(String::new()), "parameters.deposited_from is \"\""),
        (
            |settings| drop(settings.token_fields.insert("client_id".to_owned(), "x".to_owned())),
            "token_fields contains \"client_id\"",
        ),
        (|settings| settings.string_to_sign = vec![SignedPart::Body], "string_to_sign lacks Timestamp"),
        (|settings| settings.string_to_sign = vec![SignedPart::Timestamp], "string_to_sign lacks Body"),
        (|settings| settings.string_to_sign.push(SignedPart::Url), "string_to_sign has Url twice"),
        (|settings| settings.timeouts.connect = Duration::ZERO, "timeouts.connect is 0 ms"),
        (|settings| settings.timeouts.attempt = Duration::from_secs(1), "timeouts.connect is 2000 ms"),
        (|settings| settings.retries.attempts_max = 0, "retries.attempts_max is 0"),
        (|settings| settings.retries.attempts_max = 11, "retries.attempts_max is 11"),
        (|settings| settings.retries.pause_max = Duration::from_millis(1), "retries.first_pause is 200 ms"),
    ];
    for (change, start) in cases {
        let message = rejected(change).expect(start);
        assert!(message.starts_with(start) && message.contains("; expected "), "{message}");
    }
    assert_eq!(rejected(|settings| settings.parameters.deposited_from = None), None);
    assert_eq!(rejected(|settings| settings.retries.wait_max = Duration::ZERO), None);
}

#[test]
fn a_url_consists_of_host_prefix_and_path() {
    for base_url in ["https://api.connect.xyz", "https://api.connect.xyz/"] {
        let mut settings = Settings::new(base_url);
        assert_eq!(
            ConnectClient::new(settings.clone()).expect("valid settings").transactions_url(),
            "https://api.connect.xyz/transactions"
        );
        settings.path_prefix = "/api/v1".to_owned();
        settings.paths.transactions = "/fund/transactions".to_owned();
        let client = ConnectClient::new(settings).expect("valid settings");
        assert_eq!(client.transactions_url(), "https://api.connect.xyz/api/v1/fund/transactions");
    }
}

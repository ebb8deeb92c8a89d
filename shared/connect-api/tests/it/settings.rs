//! Which settings a client is made of, and what is said about the others.

use std::time::Duration;

use fundhook_connect_api::{ConnectClient, PRODUCTION_URL, SANDBOX_URL, Settings, SignedPart};

fn refused(change: impl FnOnce(&mut Settings)) -> Option<String> {
    let mut settings = Settings::new(PRODUCTION_URL);
    change(&mut settings);
    ConnectClient::new(settings).err().map(|invalid| invalid.to_string())
}

#[test]
fn the_providers_own_hosts_and_this_computer_are_fit() {
    for url in [
        PRODUCTION_URL,
        SANDBOX_URL,
        "https://api.connect.xyz/",
        "https://10.0.0.1:8443",
        "http://127.0.0.1:4566",
        "http://localhost:80",
        "http://[::1]:9000",
    ] {
        assert_eq!(refused(|settings| settings.base_url = url.to_owned()), None, "{url}");
    }
}

#[test]
fn a_base_url_that_is_not_scheme_and_host_is_refused_and_not_repeated() {
    for (url, problem) in [
        ("", "is no URL"),
        ("api.connect.xyz", "is no URL"),
        ("http://api.connect.xyz", "is neither https"),
        ("http://127.0.0.1.connect.xyz", "is neither https"),
        ("http://localhost@connect.xyz", "is neither https"),
        ("ftp://localhost", "is neither https"),
        ("https://canary:canary@api.connect.xyz", "has a user name"),
        ("https://api.connect.xyz?canary", "has a query"),
        ("https://api.connect.xyz#canary", "has a query or a fragment"),
        ("https://api.connect.xyz/api/v1", "has a path, which belongs in path_prefix"),
    ] {
        let message = refused(|settings| settings.base_url = url.to_owned()).expect(url);
        assert!(message.starts_with(&format!("base_url {problem}")), "{url}: {message}");
        assert!(message.contains(PRODUCTION_URL) && !message.contains("canary"), "{message}");
    }
}

#[test]
fn a_path_begins_with_a_slash_and_is_nothing_but_a_path() {
    for path in ["sessions", "/", "", "/a/", "/a//b", "/../a", "/a?b", "/a#b", "/a b", "/%61", "//evil", "/ä"] {
        for (name, message) in [
            ("paths.sessions", refused(|settings| settings.paths.sessions = path.to_owned())),
            ("paths.withdrawal_sessions", refused(|settings| settings.paths.withdrawal_sessions = path.to_owned())),
            ("paths.token", refused(|settings| settings.paths.token = path.to_owned())),
            ("paths.users", refused(|settings| settings.paths.users = path.to_owned())),
            ("paths.transactions", refused(|settings| settings.paths.transactions = path.to_owned())),
        ] {
            let message = message.expect(path);
            assert!(message.starts_with(&format!("{name} is {path:?}; right is")), "{message}");
        }
    }
    assert_eq!(refused(|settings| settings.path_prefix = "/api/v1".to_owned()), None);
    assert!(refused(|settings| settings.path_prefix = "api/v1".to_owned()).expect("none").starts_with("path_prefix"));
}

#[test]
fn every_other_slip_is_named_with_what_would_be_right() {
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
            "token_fields has \"client_id\"",
        ),
        (|settings| settings.string_to_sign = vec![SignedPart::Body], "string_to_sign has no Timestamp"),
        (|settings| settings.string_to_sign = vec![SignedPart::Timestamp], "string_to_sign has no Body"),
        (|settings| settings.string_to_sign.push(SignedPart::Url), "string_to_sign has Url twice"),
        (|settings| settings.timeouts.connect = Duration::ZERO, "timeouts.connect is 0 ms"),
        (|settings| settings.timeouts.attempt = Duration::from_secs(1), "timeouts.connect is 2000 ms"),
        (|settings| settings.retries.attempts_max = 0, "retries.attempts_max is 0"),
        (|settings| settings.retries.attempts_max = 11, "retries.attempts_max is 11"),
        (|settings| settings.retries.pause_max = Duration::from_millis(1), "retries.first_pause is 200 ms"),
    ];
    for (change, start) in cases {
        let message = refused(change).expect(start);
        assert!(message.starts_with(start) && message.contains("; right is "), "{message}");
    }
    assert_eq!(refused(|settings| settings.parameters.deposited_from = None), None);
    assert_eq!(refused(|settings| settings.retries.wait_max = Duration::ZERO), None);
}

#[test]
fn the_urls_are_put_together_of_host_prefix_and_path() {
    for base_url in ["https://api.connect.xyz", "https://api.connect.xyz/"] {
        let mut settings = Settings::new(base_url);
        assert_eq!(
            ConnectClient::new(settings.clone()).expect("fit").transactions_url(),
            "https://api.connect.xyz/transactions"
        );
        settings.path_prefix = "/api/v1".to_owned();
        settings.paths.transactions = "/fund/transactions".to_owned();
        let client = ConnectClient::new(settings).expect("fit");
        assert_eq!(client.transactions_url(), "https://api.connect.xyz/api/v1/fund/transactions");
    }
}

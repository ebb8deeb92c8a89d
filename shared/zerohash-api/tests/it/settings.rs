//! Which settings are valid, and what the error says about invalid ones.

use std::time::Duration;

use fundhook_zerohash_api::{EU_CERT_URL, EU_PRODUCTION_URL, Settings, US_CERT_URL, US_PRODUCTION_URL, ZerohashClient};

fn rejected(change: impl FnOnce(&mut Settings)) -> Option<String> {
    let mut settings = Settings::new(US_PRODUCTION_URL);
    change(&mut settings);
    ZerohashClient::new(settings).err().map(|invalid| invalid.to_string())
}

#[test]
fn the_providers_hosts_and_the_loopback_interface_are_valid() {
    for url in [US_PRODUCTION_URL, US_CERT_URL, EU_PRODUCTION_URL, EU_CERT_URL, "http://127.0.0.1:4566"] {
        assert_eq!(rejected(|settings| settings.base_url = url.to_owned()), None, "{url}");
    }
}

#[test]
fn an_invalid_setting_is_reported_with_its_name_its_value_and_the_expected_value() {
    type Change = fn(&mut Settings);
    let cases: [(Change, &str); 19] = [
        (|settings| settings.base_url = "http://api.zerohash.com".to_owned(), "base_url is neither https"),
        (|settings| settings.path_prefix = "v1".to_owned(), "path_prefix is \"v1\""),
        (|settings| settings.paths.time = "time".to_owned(), "paths.time is \"time\""),
        (|settings| settings.paths.client_auth_token = "/".to_owned(), "paths.client_auth_token is \"/\""),
        (|settings| settings.paths.revoke_auth_token = String::new(), "paths.revoke_auth_token is \"\""),
        (|settings| settings.paths.fund_rfq = "/a?b".to_owned(), "paths.fund_rfq is \"/a?b\""),
        (|settings| settings.paths.deposits = "/a/../b".to_owned(), "paths.deposits is \"/a/../b\""),
        (|settings| settings.headers.api_key = "api key".to_owned(), "headers.api_key is \"api key\""),
        (|settings| settings.headers.signature = "Host".to_owned(), "headers.signature is \"host\", which is"),
        (
            |settings| settings.headers.request_id = "X-SCX-SIGNED".to_owned(),
            "headers.request_id is \"x-scx-signed\", which is",
        ),
        (|settings| settings.page_sizes.fund_transactions = 51, "page_sizes.fund_transactions is 51; expected 1 to 50"),
        (|settings| settings.page_sizes.movements = 0, "page_sizes.movements is 0; expected 1 to 100"),
        (
            |settings| settings.page_sizes.crypto_deposits = 1000,
            "page_sizes.crypto_deposits is 1000; expected 1 to 999",
        ),
        (|settings| settings.page_sizes.deposits = Some(0), "page_sizes.deposits is 0"),
        (|settings| settings.page_sizes.payments = 0, "page_sizes.payments is 0"),
        (|settings| settings.page_sizes.payment_statuses = 0, "page_sizes.payment_statuses is 0"),
        (|settings| settings.timeouts.connect = Duration::ZERO, "timeouts.connect is 0 ms"),
        (|settings| settings.retries.attempts_max = 0, "retries.attempts_max is 0"),
        (|settings| settings.retries.pause_max = Duration::from_millis(1), "retries.first_pause is 200 ms"),
    ];
    for (change, start) in cases {
        let message = rejected(change).expect(start);
        assert!(message.starts_with(start) && message.contains("expected"), "{message}");
    }
}

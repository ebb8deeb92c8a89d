//! Users: what is sent, which responses are accepted, and what no message shows.

use fundhook_connect_api::{ApiError, NewUser, SignedAgreement, Users, UsersQuery};
use fundhook_domain::Timestamp;
use serde_json::json;

use crate::support::{Answer, Provider, assert_shows_no_secret, caller};

fn at(digits: &str) -> Timestamp {
    Timestamp::from_unix_digits(digits).expect("a UNIX time")
}

fn user() -> NewUser {
    let agreement = SignedAgreement {
        kind: "connect_user_agreement".to_owned(),
        region: "us".to_owned(),
        signed_timestamp: at("1712008721000"),
    };
    NewUser {
        first_name: Some("Canary".to_owned()),
        email: Some("canary@example.com".to_owned()),
        state: Some("IL".to_owned()),
        tax_id: Some("123456789".to_owned()),
        kyc: Some("pass".to_owned()),
        kyc_timestamp: Some(at("1630623005123")),
        signed_agreements: vec![agreement],
        ..NewUser::default()
    }
    .with("employment", "canary-employed")
}

#[tokio::test]
async fn a_user_is_sent_with_its_fields_and_further_fields() {
    let provider = Provider::saying(r#"{"participant_code":"USER01","status":"submitted"}"#).await;
    let created = provider.client().create_user(&caller(), &user()).await.expect("a user");
    assert_eq!(created.participant_code, "USER01");
    let asked = provider.asked_once();
    assert_eq!((asked.method.as_str(), asked.path_and_query.as_str()), ("POST", "/users"));
    assert_eq!(asked.header("client-id"), caller().organization_id);
    assert_eq!(asked.header("authorization"), format!("Bearer {}", crate::support::TOKEN));
    let sent = json!({
        "first_name": "Canary",
        "email": "canary@example.com",
        "state": "IL",
        "tax_id": "123456789",
        "kyc": "pass",
        "kyc_timestamp": 1_630_623_005_123_u64,
        "metadata": {},
        "signed_agreements":
            [{"type": "connect_user_agreement", "region": "us", "signed_timestamp": 1_712_008_721_000_u64}],
        "employment": "canary-employed",
    });
    assert_eq!(asked.json(), sent);
}

#[tokio::test]
async fn a_further_field_cannot_replace_a_named_field() {
    let all = serde_json::to_value(NewUser {
        first_name: Some(String::new()),
        last_name: Some(String::new()),
        email: Some(String::new()),
        phone_number: Some(String::new()),
        address_one: Some(String::new()),
        address_two: Some(String::new()),
        city: Some(String::new()),
        state: Some(String::new()),
        zip: Some(String::new()),
        country: Some(String::new()),
        date_of_birth: Some(String::new()),
        citizenship: Some(String::new()),
        tax_id: Some(String::new()),
        risk_rating: Some(String::new()),
        kyc: Some(String::new()),
        kyc_timestamp: Some(crate::support::now()),
        sanction_screening: Some(String::new()),
        sanction_screening_timestamp: Some(crate::support::now()),
        idv: Some(String::new()),
        liveness_check: Some(String::new()),
        signed_timestamp: Some(crate::support::now()),
        ..user()
    });
    let all = all.expect("JSON");
    let provider = Provider::saying(r#"{"participant_code":"USER01"}"#).await;
    let names = all.as_object().expect("an object").keys();
    assert_eq!(names.len(), 23, "each field of [connect-guide §2]");
    for name in names {
        let user = NewUser::default().with(name, 1);
        let error = provider.client().create_user(&caller(), &user).await.map(|_| ()).expect_err(name);
        assert!(matches!(error, ApiError::InvalidRequest(_)) && error.to_string().contains(name), "{error}");
    }
    assert!(provider.asked().is_empty());
}

#[tokio::test]
async fn a_participant_code_is_accepted_at_the_top_level_and_under_message() {
    for (answer, code) in [
        (r#"{"participant_code":"USER01"}"#, "USER01"),
        (r#"{"message":{"participant_code":"USER02","x":1}}"#, "USER02"),
        (r#"{"message":"created","participant_code":17}"#, "17"),
    ] {
        let provider = Provider::saying(answer).await;
        let created = provider.client().create_user(&caller(), &user()).await.expect(answer);
        assert_eq!(created.participant_code, code);
    }
    for answer in [r#"{"participant_code":""}"#, r#"{"message":"canary"}"#, "[]"] {
        let provider = Provider::saying(answer).await;
        let error = provider.client().create_user(&caller(), &user()).await.map(|_| ()).expect_err(answer);
        assert!(matches!(error, ApiError::UnexpectedShape { .. }), "{error}");
        assert_shows_no_secret(&error);
    }
}

#[tokio::test]
async fn neither_debug_nor_an_error_shows_a_users_data() {
    assert_eq!(format!("{:?}", user()), "NewUser { .. }");
    let body = json!({"error": "invalid", "message": "CANARY of IL with 123456789, canary-employed: FAILED"});
    let provider = Provider::answering([Answer::json(422, body.to_string())]).await;
    let error = provider.client().create_user(&caller(), &user()).await.map(|_| ()).expect_err("422");
    let expected = "status 422, expected 2xx: invalid: [hidden] of [hidden] with [hidden], [hidden]: FAILED";
    assert!(error.to_string().ends_with(expected), "{error}");
    assert_shows_no_secret(&error);
}

async fn listed(answer: &str) -> Result<Users, ApiError> {
    Provider::saying(answer).await.client().users(&caller(), &UsersQuery::default()).await
}

#[tokio::test]
async fn users_are_accepted_as_one_user_as_a_list_and_as_a_page() {
    let user = r#"{"participant_code":"USER01","status":"approved","updated_at":"1630623005000","first_name":"Canary","score":1.50}"#;
    for (answer, paged) in [
        (user.to_owned(), None),
        (format!("[{user}]"), None),
        (format!(r#"{{"message":[{user}],"page":2,"page_size":50,"total_pages":"3"}}"#), Some((2, 3))),
    ] {
        let users = listed(&answer).await.expect(&answer);
        assert_eq!(users.page.zip(users.total_pages), paged);
        assert_eq!(users.users.len(), 1);
        let user = &users.users[0];
        assert_eq!((user.participant_code.as_str(), user.status.as_deref()), ("USER01", Some("approved")));
        assert_eq!(user.updated_at, Some(at("1630623005000")));
        assert_eq!(user.others["score"].to_string(), "1.50");
        assert_eq!(user.others["first_name"], "Canary");
        let shown = format!("{users:?}");
        assert!(shown.contains("first_name") && !shown.contains("Canary"), "{shown}");
    }
    assert!(listed(r#"{"message":null}"#).await.is_ok_and(|users| users.users.is_empty()));
    for answer in ["{}", "[1]", r#"{"message":{}}"#, "null", r#"[{"participant_code":null}]"#] {
        assert!(matches!(listed(answer).await, Err(ApiError::UnexpectedShape { .. })), "{answer}");
    }
}

#[tokio::test]
async fn a_query_for_users_is_sent_unchanged_and_no_error_shows_it() {
    let provider =
        Provider::answering([Answer::json(404, r#"{"message":"nothing found for canary@example.com but A&B"}"#)]).await;
    let query = UsersQuery {
        page: Some(2),
        participant_code: Some("A&B".to_owned()),
        others: [("email".to_owned(), "canary@example.com".to_owned())].into(),
        ..UsersQuery::default()
    };
    let error = provider.client().users(&caller(), &query).await.map(|_| ()).expect_err("404");
    assert!(
        error.to_string().ends_with("/users: status 404, expected 2xx: nothing found for [hidden] but [hidden]"),
        "{error}"
    );
    assert_shows_no_secret(&error);
    let asked = provider.asked_once();
    assert_eq!(asked.path_and_query, "/users?page=2&participant_code=A%26B&email=canary%40example.com");
    assert_eq!((asked.method.as_str(), asked.header("client-id")), ("GET", caller().organization_id.as_str()));
}

//! A refused address and refused credentials are told apart.

use fundhook_zerohash_api::{AccountsQuery, Refusal};

use crate::support::{Answer, Provider, credentials, now};

async fn refused(answer: Answer) -> Option<Refusal> {
    let provider = Provider::answering([answer]).await;
    let client = provider.client();
    let error = client.accounts(&credentials(), &AccountsQuery::default(), now()).await.expect_err("refused");
    client.refusal(&error)
}

#[tokio::test]
async fn a_403_of_the_api_and_a_401_refuse_the_credentials_and_any_other_403_the_address() {
    let problem = r#"{"type":"about:blank","title":"Error 1020: Access denied","status":403,"error_code":1020}"#;
    for (answer, expected) in [
        (Answer::json(401, r#"{"error":"unauthorized"}"#), Some(Refusal::Credentials)),
        (Answer::json(401, ""), Some(Refusal::Credentials)),
        (Answer::json(403, r#"{"error":true,"message":"Invalid signature"}"#), Some(Refusal::Credentials)),
        (Answer::json(403, r#"{"errors":["no permission"]}"#), Some(Refusal::Credentials)),
        (Answer::new(403, "text/html", "<html>Error 1020: Access denied</html>"), Some(Refusal::Address)),
        (Answer::new(403, "text/plain", "error code: 1020"), Some(Refusal::Address)),
        (Answer::json(403, problem), Some(Refusal::Address)),
        (Answer::json(403, ""), Some(Refusal::Address)),
        (Answer::json(404, r#"{"error":"not found"}"#), None),
        (Answer::json(200, "[]"), None),
    ] {
        assert_eq!(refused(answer).await, expected);
    }
}

#[tokio::test]
async fn a_403_of_the_clock_which_needs_no_credentials_refuses_the_address() {
    let answer = Answer::json(403, r#"{"error":true,"message":"forbidden"}"#);
    let provider = Provider::answering([answer]).await;
    let client = provider.client();
    let error = client.time().await.expect_err("403");
    assert_eq!(client.refusal(&error), Some(Refusal::Address));
}

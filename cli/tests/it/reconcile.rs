//! `reconcile`: what it asks the reconciler for, what it makes of the answer, and how it ends.

use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use fundhook_domain::ResourceId;
use fundhook_local_stack::Deployment;
use fundhook_local_stack::reconciler;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const DEPOSIT: &str = "deposit#connect#c55481bf-626b-4410-8997-4cee83e1385f";
const TABLE: &str = "the-table";

/// Serves `router` on loopback for as long as the test runs; where.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// The answer of a reconciler that answers with `payload`, or fails with it, to a deposit's being accepted; and what it was
/// asked.
async fn accepted(payload: Value, fails: bool) -> (Result<String, String>, Value) {
    let asked = Arc::new(Mutex::new(Value::Null));
    let heard = Arc::clone(&asked);
    let answer = async move |body: String| {
        *heard.lock().expect("nobody panics with it") = serde_json::from_str(&body).expect("an event is JSON");
        let mut headers = HeaderMap::new();
        if fails {
            headers.insert("x-amz-function-error", "Unhandled".parse().expect("ASCII"));
        }
        (StatusCode::OK, headers, payload.to_string())
    };
    let url = serve(Router::new().route("/2015-03-31/functions/the-reconciler/invocations", post(answer))).await;
    let stack = json!({
        "endpoint": url,
        "account": "123456789012",
        "outputs": { "ReconcilerFunctionName": "the-reconciler" },
    });
    let stack: Deployment = serde_json::from_value(stack).expect("a deployment as it is kept");
    let deposit: ResourceId = DEPOSIT.parse().expect("a resource's id");
    let accepted = reconciler::accept(&stack, &deposit).await;
    let asked = asked.lock().expect("nobody panics with it").clone();
    (accepted.map(|told| told.to_string()).map_err(|error| error.to_string()), asked)
}

#[tokio::test]
async fn what_is_accepted_is_asked_for_by_its_id_and_told_with_what_still_protects_it() {
    let (told, asked) = accepted(json!({ "accepted": DEPOSIT, "queued": 1 }), false).await;
    assert_eq!(asked, json!({ "accept": DEPOSIT }));
    let told = told.expect("it was queued");
    assert!(told.starts_with(&format!("Queued: 1 of the listed rows, about {DEPOSIT}.")), "{told}");
    assert!(told.contains("still protects against a second credit"), "{told}");
}

#[tokio::test]
async fn what_was_not_queued_is_an_error_that_says_why() {
    let unlisted = "the provider does not list deposit#connect#c55481bf-626b-4410-8997-4cee83e1385f";
    for (payload, fails, why) in [
        (json!({ "errorType": "NotOnTheList", "errorMessage": unlisted }), true, unlisted),
        (json!({ "errorType": "Runtime.ExitError" }), true, "it gave no reason"),
        (json!({ "accepted": DEPOSIT, "queued": 0 }), false, "no row about deposit#connect#c55481bf"),
        // One that does not know of the request makes a run of it.
        (json!({ "rows": 3, "queued": 1, "complete": true }), false, "does not fit the request"),
    ] {
        let (told, _) = accepted(payload.clone(), fails).await;
        let error = told.expect_err("nothing was queued");
        assert!(error.contains(why), "{payload}: {error}");
    }
}

fn fundhook(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fundhook"));
    command.arg("reconcile").args(arguments).envs(variables.iter().copied());
    command.output().expect("the program was built with this test")
}

#[test]
fn a_command_line_that_cannot_be_meant_is_refused() {
    for (arguments, why) in [
        (&["--accept", "c55481bf"][..], "does not have the form kind#feed#id, such as deposit#connect#c55481bf-"),
        (&["--accept", "gift#connect#1"], "gift"),
        (&["--accept", DEPOSIT, "--report"], "cannot be used with"),
        (&["--accept", DEPOSIT, "--stack", "mine"], "cannot be used with"),
        (&["--day", "2026-11-21"], "--report"),
    ] {
        let ended = fundhook(arguments, &[]);
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(why), "{arguments:?}: {said}");
    }
    let help = fundhook(&["--help"], &[]);
    assert!(String::from_utf8_lossy(&help.stdout).contains("Exit code:"));
}

/// AWS, of a stack that has stored `reports`.
async fn aws_with(reports: &[Value]) -> String {
    let items = reports.iter().map(|report| json!({ "pk": { "S": "report" }, "content": { "S": report.to_string() } }));
    let items = json!({ "Responses": { TABLE: items.collect::<Vec<_>>() }, "UnprocessedKeys": {} }).to_string();
    let stack = format!(
        "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>mine</StackName><Outputs><member>\
         <OutputKey>TableName</OutputKey><OutputValue>{TABLE}</OutputValue></member></Outputs></member></Stacks>\
         </DescribeStacksResult></DescribeStacksResponse>"
    );
    let answer = async move |headers: HeaderMap| {
        if headers.contains_key("x-amz-target") {
            ([(header::CONTENT_TYPE, "application/x-amz-json-1.0")], items)
        } else {
            ([(header::CONTENT_TYPE, "text/xml")], stack)
        }
    };
    serve(Router::new().route("/", post(answer))).await
}

/// The stored report of an hour of 2025-10-07 in which nothing came in.
fn quiet(hour: u32) -> Value {
    let begins = |hour: u32| format!("2025-10-{:02}T{:02}:00:00Z", 7 + hour / 24, hour % 24);
    json!({
        "feed": "connect",
        "from": begins(hour),
        "before": begins(hour + 1),
        "made_at": begins(hour + 3),
        "lines": [],
        "discrepancies": [],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_report_ends_well_only_where_nothing_is_left_to_a_person() {
    let all: Vec<Value> = (0..24).map(quiet).collect();
    let with = |name: &str, value: Value| {
        let mut changed = all.clone();
        changed[7][name] = value;
        changed
    };
    let total = |deposits: u64| json!({ "deposits": deposits, "total": "5" });
    let line = json!({ "asset": "USDC", "provider": total(1), "ours": total(1), "published": total(0) });
    for (reports, code, said) in [
        (all.clone(), 0, "24 of 24 hours are added up."),
        (all[2..].to_vec(), 1, "not added up: from 2025-10-07T00:00:00Z to 2025-10-07T02:00:00Z"),
        (with("lines", json!([line])), 1, "✗ USDC"),
        (with("discrepancies", json!(["this deposit differs"])), 1, "✗ this deposit differs"),
        (with("not_understood", json!(2)), 1, "in no total: 2 of the listed rows"),
    ] {
        let url = aws_with(&reports).await;
        let variables = [
            ("AWS_ENDPOINT_URL", url.as_str()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "123456789012"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
        ];
        let ended = fundhook(&["--report", "--stack", "mine", "--day", "2025-10-07"], &variables);
        let (told, error) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        assert_eq!(ended.status.code(), Some(code), "{said}: {told}{error}");
        assert!(told.contains(said), "{said}: {told}");
    }
}

//! The complete local stack, with a short program instead of the functions.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    Account, Binaries, Deployment, Detached, Emulator, Function, STACK, StackTemplate, Stopped, Workspace, connect,
    deploy, emulator::process::started, package,
};

/// The functions' program: it returns the event and its own process id.
const PROGRAM: &str = r#"
import json, os, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as asked:
        event, request = json.load(asked), asked.headers["Lambda-Runtime-Aws-Request-Id"]
    answer = {"statusCode": 202, "body": json.dumps({"event": event, "pid": os.getpid()})}
    urllib.request.urlopen(api + request + "/response", json.dumps(answer).encode()).close()
"#;

/// The prefixes of the deployments and of the broken template's error on standard output.
const DEPLOYED: &str = "deployed: ";
const REFUSED: &str = "refused: ";

/// Far longer than any step takes, except installing.
const TIMEOUT: Duration = Duration::from_secs(30);

fn template() -> String {
    let function = |function: Function| {
        let (id, program) = (function.logical_id(), function.package());
        let metadata = format!("    Metadata:\n      BuildProperties:\n        Binary: {program}\n");
        format!("  {id}:\n    Type: AWS::Serverless::Function\n{metadata}    Properties:\n      CodeUri: ../\n")
    };
    let output = |function: Function| {
        let id = function.logical_id();
        format!("  {id}Name:\n    Value: !Ref {id}\n")
    };
    format!(
        r"
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: provided.al2023
    Handler: bootstrap
Resources:
{functions}  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties:
      Name: webhooks
      ProtocolType: HTTP
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !GetAtt ReceiverFunction.Arn
      PayloadFormatVersion: '2.0'
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: POST /webhooks/{{provider}}
      Target: !Sub integrations/${{Integration}}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties:
      ApiId: !Ref Api
      StageName: $default
      AutoDeploy: true
Outputs:
  ApiEndpoint:
    Value: !Sub https://${{Api}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}
{outputs}",
        functions = Function::ALL.map(function).concat(),
        outputs = Function::ALL.map(output).concat(),
    )
}

/// Writes the program, with the interpreter's full path because the functions' PATH is short.
fn program(directory: &Path) -> PathBuf {
    let asked = Command::new("python3").args(["-c", "import sys; print(sys.executable, end='')"]).output();
    let python = String::from_utf8(asked.expect("the emulator needs Python too").stdout).expect("a path");
    let path = directory.join("program");
    fs::write(&path, format!("#!/bin/sh\nexec '{python}' -c '{PROGRAM}'\n")).expect("writable");
    path
}

/// Run by the next test in a separate process.
#[tokio::test]
#[ignore = "the next test runs and kills it"]
async fn a_process_with_a_stack() {
    let workspace = Workspace::find().expect("the tests run inside the workspace");
    let emulator = Emulator::start(&workspace, &|_| {}).await.expect("it starts");
    let directory = std::env::temp_dir().join(format!("fundhook-stack-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("writable");
    let program = program(&directory);
    let binaries = Binaries::from_fn(&Function::programs(), |_| program.clone());
    let packages = package(&workspace, &binaries, &|_| {}).await.expect("writable");
    fs::remove_dir_all(&directory).expect("removable");

    for account in [Account::default(), Account::unique()] {
        let clients = connect(emulator.endpoint(), &account);
        let deployment = deploy(&clients, &StackTemplate { name: STACK, text: &template() }, &packages, &[].into())
            .await
            .expect("it deploys");
        println!("{DEPLOYED}{}", serde_json::to_string(&deployment).expect("plain data"));
    }
    let clients = connect(emulator.endpoint(), &Account::unique());
    let broken = template().replace("ReceiverFunction.Arn", "ReceiverFunction.Nonsense");
    let broken = StackTemplate { name: STACK, text: &broken };
    let error = deploy(&clients, &broken, &packages, &[].into()).await.expect_err("it does not deploy");
    println!("{REFUSED}{}", json!(error.to_string()));
    tokio::time::sleep(TIMEOUT).await;
}

#[tokio::test]
async fn stacks_run_side_by_side_and_end_with_the_process_that_started_them() {
    let (_, module) = module_path!().split_once("::").expect("a module of this crate");
    let other_half = format!("{module}::a_process_with_a_stack");
    let mut process = Command::new(std::env::current_exe().expect("this program"))
        .args(["--ignored", "--exact", &other_half, "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut output = BufReader::new(process.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let mut next = |prefix: &str| -> String {
        let line = output.find_map(|line| Some(line.split_once(prefix)?.1.to_owned()));
        line.expect("the process prints this line; its errors are above")
    };

    let mut functions = Vec::new();
    for _ in 0..2 {
        let deployment: Deployment = serde_json::from_str(&next(DEPLOYED)).expect("a deployment");
        let answer = deployment.post("/webhooks/connect", &[("x-test", "yes")], "{}").await.expect("it answers");
        assert_eq!(answer.status().as_u16(), 202);
        let answer: Value = answer.json().await.expect("what the program sends");
        assert_eq!(answer["event"]["headers"]["x-test"], "yes");
        assert_eq!(answer["event"]["requestContext"]["accountId"], deployment.account().as_str());

        let invocation = deployment.invoke(Function::Publisher, &json!({"Records": []})).await.expect("it runs");
        assert!(!invocation.failed);
        let body = invocation.payload["body"].as_str().expect("the program's answer");
        let body: Value = serde_json::from_str(body).expect("what the program sends");
        assert_eq!(body["event"], json!({"Records": []}));
        for pid in [&answer["pid"], &body["pid"]] {
            functions.push(pid.as_u64().and_then(|pid| u32::try_from(pid).ok()).expect("a process id"));
        }
    }
    assert_eq!(
        serde_json::from_str::<String>(&next(REFUSED)).expect("a text"),
        "the stack ended as ROLLBACK_COMPLETE\n  Integration (AWS::ApiGatewayV2::Integration): \
         Requested attribute Nonsense does not exist in schema for AWS::Lambda::Function"
    );

    let alive = || functions.iter().filter(|pid| started(**pid).is_some()).count();
    assert_eq!(alive(), 4, "each account has its own processes");
    // SIGKILL: the process cannot clean up.
    process.kill().and_then(|()| process.wait()).expect("it can be killed");
    let deadline = Instant::now() + TIMEOUT;
    while alive() > 0 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(alive(), 0, "every function ended with the process that started the emulator");
}

#[tokio::test]
async fn a_detached_emulator_runs_until_it_is_stopped() {
    let workspace = Workspace::find().expect("the tests run inside the workspace");
    let emulator = Detached::start(&workspace, &|_| {}).await.expect("it starts");
    let kept = serde_json::to_value(&emulator).expect("plain data");
    let found: Detached = serde_json::from_value(kept.clone()).expect("what was kept");
    assert!(found.is_running());

    // The same process id, but another process: it is not killed.
    let mut other = kept;
    other["started"] = json!("at another time");
    let other: Detached = serde_json::from_value(other).expect("the same fields");
    assert_eq!(other.stop().await.expect("nothing to do"), Stopped::Before);
    assert!(found.is_running());

    assert_eq!(found.stop().await.expect("it ends"), Stopped::Now);
    assert!(!emulator.is_running());
    assert_eq!(found.stop().await.expect("nothing to do"), Stopped::Before);
}

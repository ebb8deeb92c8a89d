//! The local stack as a whole, with a program of a few lines in place of the functions.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    Account, Binaries, DeployError, Deployment, Detached, Emulator, Function, Stopped, Workspace, connect, deploy,
    package,
};

/// What the functions run: it answers with the event and its own process id.
const PROGRAM: &str = r#"
import json, os, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as asked:
        event, request = json.load(asked), asked.headers["Lambda-Runtime-Aws-Request-Id"]
    answer = {"statusCode": 202, "body": json.dumps({"event": event, "pid": os.getpid()})}
    urllib.request.urlopen(api + request + "/response", json.dumps(answer).encode()).close()
"#;

/// Precedes the child's deployment on its standard output.
const DEPLOYED: &str = "deployed: ";

fn template() -> String {
    let function = |function: Function| {
        let id = function.logical_id();
        format!("  {id}:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: ../\n")
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

/// Writes the program, with the interpreter's own path because functions have a short PATH.
fn program(directory: &Path) -> PathBuf {
    let asked = Command::new("python3").args(["-c", "import sys; print(sys.executable, end='')"]).output();
    let python = String::from_utf8(asked.expect("the emulator needs it too").stdout).expect("a path");
    let path = directory.join("program");
    fs::write(&path, format!("#!/bin/sh\nexec '{python}' -c '{PROGRAM}'\n")).expect("writable");
    path
}

/// The other half of the test below, run by it in a process of its own.
#[tokio::test]
#[ignore = "a stack that waits to be killed"]
async fn a_stack_that_waits_to_be_killed() {
    let workspace = Workspace::find().expect("the tests run inside the workspace");
    let emulator = Emulator::start(&workspace, &|_| {}).await.expect("it starts");
    let directory = std::env::temp_dir().join(format!("fundhook-stack-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("writable");
    let program = program(&directory);
    let packages = package(&workspace, &Binaries::from_fn(|_| program.clone()), &|_| {}).await.expect("writable");
    fs::remove_dir_all(&directory).expect("removable");

    let clients = connect(emulator.endpoint(), &Account::unique());
    let deployment = deploy(&clients, &template(), &packages, &[].into()).await.expect("it deploys");
    println!("{DEPLOYED}{}", serde_json::to_string(&deployment).expect("plain data"));

    // In another account the same template is a stack of its own; a broken one says what is wrong with it.
    let clients = connect(emulator.endpoint(), &Account::unique());
    let broken = template().replace("!GetAtt ReceiverFunction.Arn", "!GetAtt ReceiverFunction.Nonsense");
    let error = deploy(&clients, &broken, &packages, &[].into()).await.expect_err("it does not deploy");
    println!("broken: {error}");
    tokio::time::sleep(Duration::from_secs(30)).await;
}

#[tokio::test]
async fn temp() {
    let workspace = Workspace::find().expect("the tests run inside the workspace");
    let emulator = Emulator::start(&workspace, &|_| {}).await.expect("it starts");
    let program = program(Path::new("/tmp/stk"));
    let packages = package(&workspace, &Binaries::from_fn(|_| program.clone()), &|_| {}).await.expect("writable");
    let t = template();
    let cases = [
        ("getatt", t.replace("!GetAtt ReceiverFunction.Arn", "!GetAtt ReceiverFunction.Nonsense")),
        ("missing ref", t.replace("!GetAtt ReceiverFunction.Arn", "!Ref Nonsense")),
        ("type", t.replace("AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Rout")),
        ("prop", t.replace("RouteKey:", "RoutKey:")),
        ("sam", t.replace("Handler: bootstrap", "Handlr: bootstrap")),
        ("yaml", t.replace("Handler: bootstrap", "Handler: : bootstrap")),
        ("proto", t.replace("ProtocolType: HTTP", "ProtocolType: NONE")),
        ("route", t.replace("RouteKey: POST", "RouteKey: PO ST")),
        ("secret", t.replace("Outputs:\n", "  X:\n    Type: AWS::SQS::Queue\n    Properties:\n      VisibilityTimeout: 99999999\n  Y:\n    Type: AWS::CloudWatch::Alarm\n    Properties:\n      Metrics: 5\nOutputs:\n")),
        ("fine", t.clone()),
    ];
    for (name, t) in cases {
        let clients = connect(emulator.endpoint(), &Account::unique());
        let d = deploy(&clients, &t, &packages, &[].into()).await;
        println!(
            "{name}: {}",
            match d {
                Ok(_) => "ok".to_owned(),
                Err(e) => e.to_string(),
            }
        );
        if name == "fine" {
            let d = deploy(&clients, &t, &packages, &[].into()).await;
            println!(
                "again: {}",
                match d {
                    Ok(_) => "ok".to_owned(),
                    Err(e) => e.to_string(),
                }
            );
            let clients = connect(emulator.endpoint(), &Account::unique());
            let d = deploy(&clients, &t, &packages, &[("Nope".to_owned(), "x".to_owned())].into()).await;
            println!(
                "param: {}",
                match d {
                    Ok(_) => "ok".to_owned(),
                    Err(e) => e.to_string(),
                }
            );
            let clients = connect("http://127.0.0.1:9", &Account::unique());
            let d = deploy(&clients, &t, &packages, &[("Nope".to_owned(), "x".to_owned())].into()).await;
            println!(
                "down: {}",
                match d {
                    Ok(_) => "ok".to_owned(),
                    Err(e) => e.to_string(),
                }
            );
        }
    }
}

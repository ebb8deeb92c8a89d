//! What infra/template.yaml must hold that no linter knows: its metrics, its alarms and what the runbook says about them.

use std::collections::BTreeSet;

use fundhook_local_stack::Workspace;
use fundhook_runtime::metrics::{Metric, NAMESPACE};
use serde_json::{Value, json};

/// The metric that the stack makes of the API's access log.
const OF_THE_ACCESS_LOG: &str = "ThrottledRequests";

fn file(path: &str) -> String {
    let root = Workspace::find().expect("the tests run inside the workspace").root().to_owned();
    std::fs::read_to_string(root.join(path)).expect("it is there")
}

/// The template. A tag such as `!Ref` is skipped, and its text is kept.
fn template() -> Value {
    serde_saphyr::from_str(&file("infra/template.yaml")).expect("YAML")
}

/// The resources of a type, by logical id.
fn resources(template: &Value, of_type: &str) -> Vec<(String, Value)> {
    let all = template["Resources"].as_object().expect("resources").clone();
    all.into_iter().filter(|(_, resource)| resource["Type"] == of_type).collect()
}

fn texts(values: &Value) -> Vec<&str> {
    values.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The names of all metrics in the namespace of Fundhook.
fn known() -> BTreeSet<&'static str> {
    Metric::ALL.iter().map(|metric| metric.name()).chain([OF_THE_ACCESS_LOG]).collect()
}

#[test]
fn every_alarm_watches_this_stack_alone() {
    let template = template();
    let ids: BTreeSet<&str> =
        template["Resources"].as_object().expect("resources").keys().map(String::as_str).collect();
    let alarms = resources(&template, "AWS::CloudWatch::Alarm");
    assert!(alarms.len() > 20);
    for (id, alarm) in &alarms {
        let properties = &alarm["Properties"];
        let dimensions = properties["Dimensions"].as_array().ok_or(id).expect("every alarm has dimensions");
        let (name, value) = (dimensions[0]["Name"].as_str(), dimensions[0]["Value"].as_str().unwrap_or_default());
        if properties["Namespace"] == NAMESPACE {
            assert_eq!((name, value), (Some("stack"), "AWS::StackName"), "{id}");
            let metric = properties["MetricName"].as_str().expect("a name");
            assert!(known().contains(metric), "{id} watches {metric}, which nothing emits");
        } else {
            // The name of a queue, a function or an API of the stack.
            assert!(ids.contains(value.split('.').next().unwrap_or_default()), "{id} watches {value}");
        }
        assert!(properties["TreatMissingData"].is_string(), "{id} does not say what no data means");
        // Only CodeDeploy reads the alarms of a gradual deployment.
        assert_eq!(properties["AlarmActions"].is_array(), !id.starts_with("Deployment"), "{id}");
    }
}

#[test]
fn the_metric_of_the_access_log_has_the_stack_which_the_log_has() {
    let template = template();
    let filters = resources(&template, "AWS::Logs::MetricFilter");
    assert_eq!(filters.len(), 1);
    for (id, filter) in filters {
        let made = &filter["Properties"]["MetricTransformations"][0];
        assert_eq!((&made["MetricNamespace"], &made["MetricName"]), (&NAMESPACE.into(), &OF_THE_ACCESS_LOG.into()));
        let dimension = &made["Dimensions"][0];
        assert_eq!((&dimension["Key"], &dimension["Value"]), (&"stack".into(), &"$.stack".into()), "{id}");
    }
    let format = &template["Resources"]["HttpApiStage"]["Properties"]["AccessLogSettings"]["Format"];
    let format: Value = serde_json::from_str(format.as_str().expect("a text")).expect("JSON");
    assert_eq!(format["stack"], "${AWS::StackName}");
    assert_eq!(format["status"], "$context.status");
}

#[test]
fn the_dashboard_shows_metrics_that_exist_of_this_stack() {
    let template = template();
    let body = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"].as_str().expect("a text");
    let dashboard: Value = serde_json::from_str(body).expect("JSON");
    let mut shown = BTreeSet::new();
    for widget in dashboard["widgets"].as_array().expect("widgets") {
        for metric in widget["properties"]["metrics"].as_array().into_iter().flatten() {
            if let Some(search) = metric[0]["expression"].as_str() {
                assert!(search.contains("stack=\"${AWS::StackName}\""), "{search}");
                let named = known().into_iter().find(|name| search.contains(&format!("MetricName=\"{name}\"")));
                shown.insert(named.ok_or(search).expect("it names a known metric").to_owned());
                continue;
            }
            let texts = texts(metric);
            if texts[0] == NAMESPACE {
                assert!(known().contains(texts[1]), "{texts:?}");
                assert_eq!(texts[2..4], ["stack", "${AWS::StackName}"], "{texts:?}");
                shown.insert(texts[1].to_owned());
            } else {
                assert!(texts[3].starts_with("${"), "{texts:?} is not of this stack");
            }
        }
    }
    for needed in ["AcceptedWebhooks", "RefusedWebhooks", "PublishedEvents", "UnrecognizedWebhooks", "KeySetAgeSeconds"]
    {
        assert!(shown.contains(needed), "{needed} is not on the dashboard");
    }
}

#[test]
fn the_runbook_has_every_alarm_and_every_metric() {
    let (template, runbook) = (template(), file("docs/operate/alarms.md"));
    for (id, _) in resources(&template, "AWS::CloudWatch::Alarm") {
        assert!(runbook.contains(&format!("`{id}`")), "docs/operate/alarms.md does not mention {id}");
    }
    for metric in known() {
        assert!(runbook.contains(&format!("`{metric}`")), "docs/operate/alarms.md does not mention {metric}");
    }
}

#[test]
fn every_function_has_its_stack_and_logs_as_json() {
    let template = template();
    let globals = &template["Globals"]["Function"];
    assert_eq!(globals["Environment"]["Variables"]["FUNDHOOK_STACK"], "AWS::StackName");
    let logging = &globals["LoggingConfig"];
    assert_eq!((&logging["LogFormat"], &logging["SystemLogLevel"]), (&"JSON".into(), &"WARN".into()));
    let functions = resources(&template, "AWS::Serverless::Function");
    // The publisher is there a second time, for an event bus.
    assert_eq!(functions.len(), 7);
    for (id, function) in functions {
        assert!(function["Properties"]["LoggingConfig"]["LogGroup"].is_string(), "{id} has no log group of its own");
    }
}

#[test]
fn every_function_may_send_traces_if_tracing_is_on() {
    let template = template();
    for (id, role) in resources(&template, "AWS::IAM::Role") {
        let statements = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].to_string();
        let of_a_function = id != "DeploymentRole";
        assert_eq!(statements.contains("xray:PutTraceSegments"), of_a_function, "{id}");
    }
}

#[test]
fn what_calls_an_api_that_lists_addresses_runs_in_the_subnets_and_only_its_role_may_connect_to_them() {
    let template = template();
    for (id, function) in resources(&template, "AWS::Serverless::Function") {
        let properties = &function["Properties"];
        let calls = properties["Environment"]["Variables"]["FUNDHOOK_ZEROHASH_API"].is_array();
        let role = properties["Role"].as_str().expect("a role").trim_end_matches(".Arn");
        let policies = &template["Resources"][role]["Properties"]["ManagedPolicyArns"];
        if calls {
            assert_eq!(properties["VpcConfig"][0], "HasSubnets", "{id}");
            // With a VPC and no subnets any more, Lambda still deletes the interfaces that it made.
            assert_eq!(*policies, json!(["HasVpc", ["NetworkPolicy"], "AWS::NoValue"]), "{id}");
        } else {
            assert_eq!((&properties["VpcConfig"], policies), (&Value::Null, &Value::Null), "{id}");
        }
    }
    for id in ["RefresherFunction", "ReconcilerFunction"] {
        let variables = &template["Resources"][id]["Properties"]["Environment"]["Variables"];
        assert_eq!(variables["FUNDHOOK_ZEROHASH_API"], json!(["ZerohashApiIsOn", "on", "off"]), "{id}");
    }
}

#[test]
fn each_provider_has_routes_and_limits_of_its_own() {
    let template = template();
    let settings = template["Resources"]["HttpApiStage"]["Properties"]["RouteSettings"].clone();
    let settings = settings.as_object().expect("settings by route").clone();
    let needed = texts(&template["Resources"]["HttpApiStage"]["DependsOn"]);
    let routes = resources(&template, "AWS::ApiGatewayV2::Route");
    let keys: BTreeSet<String> =
        routes.iter().map(|(_, route)| route["Properties"]["RouteKey"].as_str().expect("a key").to_owned()).collect();
    assert_eq!(settings.keys().cloned().collect::<BTreeSet<_>>(), keys);
    for (id, route) in &routes {
        let key = route["Properties"]["RouteKey"].as_str().expect("a key");
        // Always: the settings of a route that is removed stay, and the next update fails.
        assert_eq!(route["Condition"], Value::Null, "{id}");
        let provider = id.trim_end_matches("Route").trim_end_matches("Proxy");
        let setting = &settings[key];
        assert_eq!(setting["ThrottlingRateLimit"], format!("{provider}ThrottleRate"), "{id}");
        assert_eq!(setting["ThrottlingBurstLimit"], format!("{provider}ThrottleBurst"), "{id}");
        assert!(needed.contains(&id.as_str()), "the stage does not wait for {id}");
    }
    assert_eq!(routes.len(), 6);
}

#[test]
fn a_gradual_deployment_needs_a_name_and_is_stopped_by_alarms_that_exist() {
    let template = template();
    let all = template["Resources"].as_object().expect("resources");
    let alarms: BTreeSet<String> =
        resources(&template, "AWS::CloudWatch::Alarm").into_iter().map(|(id, _)| id).collect();
    let gradual = ["Receiver", "FanOut", "StateUpdater", "Publisher"];
    for function in gradual {
        let [version, alias, group] =
            ["Version", "Alias", "DeploymentGroup"].map(|part| &all[&format!("{function}{part}")]);
        for part in [version, alias, group] {
            assert_eq!(part["Condition"], "DeploysGradually", "{function}");
        }
        assert_eq!(version["Properties"]["Description"], "Deployment", "{function}");
        assert_eq!(version["Properties"]["FunctionName"], format!("{function}Function"));
        assert_eq!(alias["Properties"]["FunctionVersion"], format!("{function}Version.Version"));
        let moved_by = &alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"];
        assert_eq!(moved_by, &format!("{function}DeploymentGroup"));
        let gates = group["Properties"]["AlarmConfiguration"]["Alarms"].as_array().expect("alarms");
        assert!(gates.len() >= 2, "{function}");
        for gate in gates {
            // An alarm that exists under a condition is named under the same one.
            let name = gate["Name"].as_str().or(gate[1]["Name"].as_str()).expect("a name");
            assert!(alarms.contains(name), "{function}: {name}");
            let exists = &all[name]["Condition"];
            let of_provider = gate[0].as_str().map(|on| format!("Deploys{}Gradually", on.trim_end_matches("IsOn")));
            let is_there =
                *exists == gate[0] || exists == "DeploysGradually" || of_provider.is_some_and(|of| *exists == of);
            assert!(is_there, "{function}: {name}");
        }
    }
    // Whatever calls one of them calls the alias if there is one.
    for (id, mapping) in resources(&template, "AWS::Lambda::EventSourceMapping") {
        if id == "BusPublisherFunctionChanges" {
            continue;
        }
        let called = texts(&mapping["Properties"]["FunctionName"]).join(" ");
        let is_expected = |function: &&str| called == format!("DeploysGradually {function}Alias {function}Function");
        assert!(gradual.iter().any(is_expected), "{id}: {called}");
    }
    let integration = &all["ReceiverIntegration"]["Properties"]["IntegrationUri"];
    assert_eq!(texts(integration), ["DeploysGradually", "ReceiverAlias", "ReceiverFunction.Arn"]);
}

#[test]
fn no_condition_compares_with_a_number() {
    fn numbers(value: &Value) -> usize {
        match value {
            Value::Number(_) => 1,
            Value::Array(values) => values.iter().map(numbers).sum(),
            Value::Object(members) => members.values().map(numbers).sum(),
            Value::Null | Value::Bool(_) | Value::String(_) => 0,
        }
    }
    // The language extensions may find that the text "0" of a parameter and the number 0 differ.
    assert_eq!(numbers(&template()["Conditions"]), 0);
}

/// What Lambda allows for the names and values of all environment variables of a function.
const ENVIRONMENT_BYTES_MAX: usize = 4096;

/// No name, URL or ARN of a resource of the stack is longer: a queue's URL has up to 134 characters.
const RESOURCE_BYTES_MAX: usize = 140;

/// The longest stack name, as the template says where it names the queues.
const STACK_NAME_BYTES_MAX: usize = 70;

/// The longest value that the text of a variable can become.
fn longest(text: &str, parameters: &Value) -> usize {
    let parameter = &parameters[text];
    let allowed = texts(&parameter["AllowedValues"]).into_iter().map(str::len).max();
    let number = parameter["MaxValue"].as_u64().map(|most| most.to_string().len());
    let length = parameter["MaxLength"].as_u64().and_then(|most| usize::try_from(most).ok());
    match text {
        "AWS::StackName" => STACK_NAME_BYTES_MAX,
        // One of the texts of a condition, or a resource of the stack.
        "on" | "off" | "" => text.len(),
        _ if parameter.is_null() => RESOURCE_BYTES_MAX,
        // Their patterns limit these.
        _ => allowed.or(number).or(length).unwrap_or(match text {
            "LogLevel" => 128,
            "Deployment" | "ConnectJwtHeader" => 64,
            "ConnectOrganizationId" => 36,
            "EventBusArn" => 340,
            _ => usize::MAX,
        }),
    }
}

#[test]
fn no_parameters_can_make_an_environment_too_large() {
    let template = template();
    let parameters = &template["Parameters"];
    let shared = template["Globals"]["Function"]["Environment"]["Variables"].as_object().expect("variables");
    for (id, function) in resources(&template, "AWS::Serverless::Function") {
        let own = function["Properties"]["Environment"]["Variables"].as_object().expect("variables");
        let bytes = shared.iter().chain(own).map(|(name, value)| {
            // Of a condition, the longer of both values.
            let choices =
                if value.is_array() { texts(value)[1..].to_vec() } else { vec![value.as_str().unwrap_or("on")] };
            let value = choices.into_iter().map(|text| longest(text, parameters)).max().unwrap_or_default();
            assert!(value < ENVIRONMENT_BYTES_MAX, "{id}: nothing limits the length of {name}");
            name.len() + value
        });
        let bytes: usize = bytes.sum();
        assert!(bytes <= ENVIRONMENT_BYTES_MAX, "{id}: {bytes} bytes");
    }
}

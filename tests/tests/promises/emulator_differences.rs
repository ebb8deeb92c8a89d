//! Differences between the emulator and AWS that the project depends on or works around.
//!
//! If one of these tests fails, the emulator has changed. Then remove the workaround and its entry in
//! docs/start/local-stack.md.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use aws_lambda_events::dynamodb::Event as StreamEvent;
use aws_lambda_events::streams::DynamoDbEventResponse;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValue, TransactWriteItem};
use fundhook_domain::{Event, Fact, Kind, ResourceId};
use fundhook_local_stack::{Account, Workspace, connect};
use fundhook_ports::{Disposition, FactPages, PortError, PublishEvents, Receipts};
use fundhook_reconciliation::Receipt;
use fundhook_runtime::metrics::Metrics;
use fundhook_sandbox::loopback_client;
use fundhook_tests::{Platform, Stream, about, eventually, log, run, unique};
use publisher::Publisher;
use serde_json::{Value, json};

use crate::subscribed_elsewhere::subscribe;
use crate::workbench;

/// On AWS the stream contains each write. For this reason the parameter TableWrites is `puts` for local stacks.
#[test]
fn a_put_creates_a_stream_record_and_a_partiql_statement_does_not() {
    run(async {
        let platform = workbench().await;
        let mut stream = Stream::open(platform).await;
        let table = platform.output("TableName");
        let dynamodb = &platform.clients().dynamodb;
        let [by_statement, put] = ["statement", "put"].map(|name| format!("probe#{name}#{:x}", fastrand::u64(..)));
        let statement = dynamodb.execute_statement().statement(format!(r#"INSERT INTO "{table}" VALUE {{'pk': ?}}"#));
        statement.parameters(AttributeValue::S(by_statement.clone())).send().await.expect("the statement is executed");
        let item = dynamodb.put_item().table_name(table).item("pk", AttributeValue::S(put.clone()));
        item.send().await.expect("the item is put");

        let mut keys: Vec<Value> = Vec::new();
        let look = async || {
            keys.extend(stream.next().await.into_iter().map(|record| record["dynamodb"]["Keys"]["pk"]["S"].clone()));
            keys.clone()
        };
        let keys = eventually("the put is in the stream", look, |keys| keys.contains(&json!(put))).await;
        assert!(!keys.contains(&json!(by_statement)), "the stream now contains the earlier statement too");
    });
}

/// AWS does the same. A transaction writes a deposit and the claim on its coin, whatever the value of the parameter
/// TableWrites.
#[test]
fn a_transaction_creates_a_stream_record_for_each_item() {
    run(async {
        let platform = workbench().await;
        let mut stream = Stream::open(platform).await;
        let keys = ["deposit", "claim"].map(|name| format!("probe#{name}#{:x}", fastrand::u64(..)));
        let put = |key: &String| {
            let put =
                Put::builder().table_name(platform.output("TableName")).item("pk", AttributeValue::S(key.clone()));
            TransactWriteItem::builder().put(put.build().expect("a table and an item")).build()
        };
        let transaction = platform.clients().dynamodb.transact_write_items();
        let transaction = transaction.set_transact_items(Some(keys.iter().map(put).collect()));
        transaction.send().await.expect("the items are written");

        let mut seen: Vec<Value> = Vec::new();
        let look = async || {
            seen.extend(stream.next().await.into_iter().map(|record| record["dynamodb"]["Keys"]["pk"]["S"].clone()));
            seen.clone()
        };
        let both = |seen: &Vec<Value>| keys.iter().all(|key| seen.contains(&json!(key)));
        eventually("both items are in the stream", look, both).await;
    });
}

/// On AWS a sum of up to 38 digits is exact, and a longer sum is rejected. For this reason the test of the example
/// subscriber uses amounts of at most 12 digits, and the subscriber has tests on another engine. Fundhook itself does
/// not add numbers in DynamoDB.
#[test]
fn a_sum_of_more_than_28_digits_is_rounded() {
    run(async {
        let platform = workbench().await;
        let sum = async |numbers: [&str; 2]| {
            let key = AttributeValue::S(format!("probe#sum#{:x}", fastrand::u64(..)));
            let mut total = None;
            for number in numbers {
                let update = platform.clients().dynamodb.update_item().table_name(platform.output("TableName"));
                let update = update.key("pk", key.clone()).update_expression("ADD amount :number");
                let update = update.expression_attribute_values(":number", AttributeValue::N(number.to_owned()));
                let updated = update.return_values(ReturnValue::UpdatedNew).send().await.expect("the number is added");
                total = updated.attributes.and_then(|mut attributes| attributes.remove("amount"));
            }
            total.and_then(|total| total.as_n().ok().cloned()).expect("a number")
        };
        let digits = "1234567890123456789012345678";
        assert_eq!(sum([&digits[1..], "0.1"]).await, format!("{}.1", &digits[1..]), "28 digits");
        assert_eq!(sum([digits, "0.1"]).await, digits, "29 digits");
    });
}

/// On AWS the reference is the secret's ARN, as the names of the outputs and of the function's variables say. A call
/// accepts the name or the ARN, so no workaround is necessary.
#[test]
fn a_reference_to_a_conditional_secret_is_its_name() {
    run(async {
        let platform = workbench().await;
        for output in ["ZerohashSecretArn", "StrigaSecretArn"] {
            let named = platform.output(output);
            let described = platform.clients().secrets.describe_secret().secret_id(named).send().await;
            let described = described.expect("the secret exists");
            assert_eq!(described.name(), Some(named), "{output}");
            assert_ne!(described.arn(), Some(named), "{output}");
        }
    });
}

/// AWS delivers the stream again from the record whose sequence number the function returned. For this reason the tests
/// below call the publisher's handler, and no end-to-end test covers an unavailable topic.
#[test]
fn the_stream_source_ignores_a_partial_failure() {
    run(async {
        let platform = workbench().await;
        let (lost, received) = (unique(Kind::Deposit), unique(Kind::Deposit));
        let topic = platform.output("TopicArn");
        let name = topic.rsplit(':').next().expect("an ARN ends with the name");
        let sns = &platform.clients().sns;
        sns.delete_topic().topic_arn(topic).send().await.expect("the topic is deleted");
        platform.send(&about("deposits.pending.json", lost.native())).await;
        // The publisher's log messages appear after it has answered.
        let failure = |line: &str| line.contains("could not be published") && line.contains(&lost.to_string());
        let look = async || log().await.lines().filter(|line| failure(line)).count();
        eventually("the publisher fails to publish", look, |failures| *failures > 0).await;

        let made = sns.create_topic().name(name).send().await.expect("the topic is created again");
        assert_eq!(made.topic_arn(), Some(topic));
        let mut listener = platform.listen().await;
        platform.send(&about("deposits.pending.json", received.native())).await;
        listener.receive([format!("{received}#1")]).await;
        assert!(listener.ids_about(&lost).is_empty(), "the emulator now delivers the earlier failed record again");
    });
}

/// On AWS each API has its own host name. For this reason Deployment::post adds a query with the account.
#[test]
fn a_request_without_an_account_does_not_reach_an_api_outside_the_default_account() {
    run(async {
        let platform = workbench().await;
        let endpoint = platform.deployment().endpoint();
        let api = platform.output("ApiEndpoint").trim_start_matches("https://").split('.').next().expect("a name");
        let port = endpoint.rsplit(':').next().expect("a port");
        let ask = async |query: String| {
            let request = loopback_client().post(format!("{endpoint}/webhooks/connect{query}"));
            let request = request.header("host", format!("{api}.execute-api.localhost:{port}")).body("{}");
            let answer = request.send().await.expect("the emulator answers");
            (answer.status().as_u16(), answer.text().await.expect("a body"))
        };
        let (status, text) = ask(String::new()).await;
        assert!(status == 404 && !text.contains("unknown_provider"), "without an account: {status} {text}");
        let (status, text) = ask(format!("?AWSAccessKeyId={}", platform.deployment().account())).await;
        assert!(status == 400 && text.contains("header_missing"), "with the account: {status} {text}");
    });
}

/// On AWS, CloudFormation subscribes to it. For this reason the test of a subscriber in another account calls SNS itself.
#[test]
fn cloudformation_does_not_subscribe_to_a_topic_of_another_account() {
    run(async {
        let platform = Platform::shared().await;
        let topic = platform.output("TopicArn");
        let other = connect(platform.deployment().endpoint(), &Account::unique());
        subscribe(&other, "queue.yaml", &[("TopicArn", topic)]).await;
        let listed = platform.clients().sns.list_subscriptions_by_topic().topic_arn(topic).send().await;
        let of_other = format!(":{}:", other.account);
        let listed = listed.expect("the topic answers").subscriptions.unwrap_or_default();
        let is_of_other = |endpoint: Option<&str>| endpoint.is_some_and(|endpoint| endpoint.contains(&of_other));
        assert!(!listed.iter().any(|subscription| is_of_other(subscription.endpoint())), "{listed:?}");
    });
}

/// On AWS such an API has the routes of its functions' events. For this reason the template declares each part of the
/// API.
#[test]
fn a_serverless_http_api_has_no_routes_and_the_template_does_not_use_one() {
    let template = Workspace::find().expect("a workspace").template().expect("the template");
    let types: Vec<&str> = template.lines().filter_map(|line| line.trim().strip_prefix("Type: AWS::")).collect();
    assert!(types.contains(&"ApiGatewayV2::Route") && !types.contains(&"Serverless::HttpApi"), "{types:?}");

    run(async {
        let platform = workbench().await;
        let cloudformation = &platform.clients().cloudformation;
        let create = cloudformation.create_stack().stack_name("http-api").template_body(HTTP_API);
        let create = create.capabilities(aws_sdk_cloudformation::types::Capability::CapabilityAutoExpand);
        let create = create.capabilities(aws_sdk_cloudformation::types::Capability::CapabilityIam);
        create.send().await.expect("the stack is created");
        let look = async || {
            let described = cloudformation.describe_stacks().stack_name("http-api").send().await;
            let stack = described.expect("CloudFormation answers").stacks.unwrap_or_default().remove(0);
            let api = stack.outputs().iter().filter_map(|output| output.output_value()).collect::<String>();
            (stack.stack_status.expect("a status").as_str().to_owned(), api)
        };
        let (_, api) = eventually("the stack is complete", look, |(status, _)| status == "CREATE_COMPLETE").await;

        let endpoint = platform.deployment().endpoint();
        let port = endpoint.rsplit(':').next().expect("a port");
        let request = loopback_client().get(format!("{endpoint}/hello?AWSAccessKeyId={}", platform.clients().account));
        let request = request.header("host", format!("{api}.execute-api.localhost:{port}"));
        let answer = request.send().await.expect("the emulator answers");
        assert_eq!(answer.status().as_u16(), 404, "{}", answer.text().await.unwrap_or_default());
    });
}

const HTTP_API: &str = r"
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: |
        def handler(event, context):
            return {'statusCode': 200, 'body': 'hello'}
      Events:
        Get:
          Type: HttpApi
          Properties: { ApiId: !Ref Api, Method: GET, Path: /hello }
Outputs:
  Api:
    Value: !Ref Api
";

/// A topic that rejects some events and records the events that it accepts.
#[derive(Default)]
struct Topic {
    refuses: BTreeSet<String>,
    took: Mutex<Vec<Event>>,
}

impl PublishEvents for &Topic {
    async fn publish(&self, events: &[Event]) -> Vec<Result<(), PortError>> {
        let take = |event: &Event| {
            if self.refuses.contains(&event.id) {
                return Err(PortError::new(
                    "publish an event to the topic",
                    Disposition::Retry,
                    "the topic is unavailable",
                ));
            }
            self.took.lock().expect("no panic while locked").push(event.clone());
            Ok(())
        };
        events.iter().map(take).collect()
    }
}

impl Topic {
    fn took(&self) -> Vec<Event> {
        self.took.lock().expect("no panic while locked").clone()
    }
}

/// Writes deposits to the table and returns their stream records. Each deposit has two records, one for each fact.
async fn records(platform: &Platform, deposits: &[ResourceId]) -> Vec<Value> {
    let mut stream = Stream::open(platform).await;
    for (turn, file) in ["deposits.pending.json", "deposits.confirmed.json"].into_iter().enumerate() {
        for deposit in deposits {
            platform.send(&about(file, deposit.native())).await;
            platform.recorded(deposit, turn as u64 + 1).await;
        }
    }
    let keys: Vec<Value> = deposits.iter().map(|deposit| json!(deposit.to_string())).collect();
    let mut records = Vec::new();
    let look = async || {
        let own = |record: &Value| keys.contains(&record["dynamodb"]["Keys"]["pk"]["S"]);
        records.extend(stream.next().await.into_iter().filter(own));
        records.clone()
    };
    eventually("the stream has two records of each deposit", look, |seen| seen.len() == 2 * deposits.len()).await
}

/// A store that keeps no receipts.
struct NoReceipts;

impl Receipts for NoReceipts {
    async fn note(&self, _: &[Receipt]) -> Result<(), PortError> {
        Ok(())
    }

    async fn receipts(&self, _: &[ResourceId]) -> Result<Vec<Receipt>, PortError> {
        Ok(Vec::new())
    }
}

/// Resources with few facts.
struct NoPages;

impl FactPages for NoPages {
    async fn paged_facts(&self, _: &ResourceId, _: u32) -> Result<Vec<Fact>, PortError> {
        Ok(Vec::new())
    }
}

async fn publish(topic: &Topic, records: &[Value]) -> Vec<Option<String>> {
    let event: StreamEvent =
        serde_json::from_value(json!({ "Records": records })).expect("a stream event as Lambda sends it");
    let DynamoDbEventResponse { batch_item_failures, .. } =
        Publisher::to_topic(topic, NoReceipts, NoPages, Metrics::recorded(false))
            .handle(event, fundhook_runtime::now())
            .await;
    batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

fn sequence_number(record: &Value) -> Option<String> {
    record["dynamodb"]["SequenceNumber"].as_str().map(str::to_owned)
}

fn ids(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.id.as_str()).collect()
}

#[test]
fn a_publisher_requests_redelivery_from_the_first_record_it_could_not_publish() {
    run(async {
        let deposits: Vec<ResourceId> = (0..3).map(|_| unique(Kind::Deposit)).collect();
        let records = records(workbench().await, &deposits).await;
        // The stream is in the order of the writes: all first facts, then all second facts.
        let published: Vec<String> =
            [1, 2].into_iter().flat_map(|sequence| deposits.iter().map(move |id| format!("{id}#{sequence}"))).collect();

        let refusing =
            Topic { refuses: BTreeSet::from([published[2].clone(), published[4].clone()]), ..Topic::default() };
        let failed = publish(&refusing, &records).await;
        assert_eq!(failed, [sequence_number(&records[2])], "only the first unfinished record");
        let first = refusing.took();
        assert_eq!(ids(&first), [&published[0], &published[1], &published[3], &published[5]].map(String::as_str));

        // Lambda delivers the stream again from that record.
        let recovered = Topic::default();
        assert_eq!(publish(&recovered, &records[2..]).await, [], "all records are finished");
        let second = recovered.took();
        assert_eq!(ids(&second), published[2..].iter().map(String::as_str).collect::<Vec<_>>());
        let again: BTreeMap<&str, &Event> = second.iter().map(|event| (event.id.as_str(), event)).collect();
        for event in &first {
            assert!(
                again.get(event.id.as_str()).is_none_or(|same| *same == event),
                "{} was published with different content",
                event.id
            );
        }
    });
}

#[test]
fn an_unreadable_record_blocks_the_later_records_and_not_the_earlier_ones() {
    run(async {
        let deposits: Vec<ResourceId> = (0..2).map(|_| unique(Kind::Deposit)).collect();
        let mut records = records(workbench().await, &deposits).await;
        records[2]["dynamodb"]["NewImage"]["facts"] = json!({ "S": "not a list" });
        let topic = Topic::default();
        assert_eq!(publish(&topic, &records).await, [sequence_number(&records[2])]);
        assert_eq!(ids(&topic.took()), deposits.iter().map(|id| format!("{id}#1")).collect::<Vec<_>>());
    });
}

//! Events also reach an EventBridge bus, and queues by the templates of infra/subscriptions; other accounts may subscribe.

use std::collections::BTreeMap;

use fundhook::republish::{Destination, Republisher, StackPublishers};
use fundhook::target::Target;
use fundhook_local_stack::{Account, Binaries, Clients, StackTemplate, Workspace, connect, deploy, package};
use fundhook_tests::{Platform, eventually, run};
use serde_json::{Value, json};

/// A webhook of a deposit that is confirmed, with this id.
fn confirmed(id: &str) -> Vec<u8> {
    let sample = include_str!("../../../events/connect/deposits.confirmed.json");
    sample.replace("6e735627-f8d1-49ae-93cc-3b7923519c56", id).into_bytes()
}

/// Deploys a template without functions to an account. Returns the URL of its queue.
pub(crate) async fn subscribe(clients: &Clients, file: &str, parameters: &[(&str, &str)]) -> String {
    let workspace = Workspace::find().expect("the tests run inside the workspace");
    let text = std::fs::read_to_string(workspace.root().join("infra/subscriptions").join(file)).expect("it is there");
    let none = package(&workspace, &Binaries::from_fn(&[], |_| unreachable!("no program")), &|_| {}).await;
    let parameters: BTreeMap<String, String> =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let template = StackTemplate { name: "subscriber", text: &text };
    let deployed = deploy(clients, &template, &none.expect("nothing to package"), &parameters).await;
    let deployed = deployed.map_err(|error| fundhook_ports::chain(&error)).expect("it is deployed");
    deployed.output("QueueUrl").expect("the template has it").to_owned()
}

/// The message that arrives in a queue.
async fn arrived(clients: &Clients, queue: &str) -> Value {
    let receive = async || {
        let received = clients.sqs.receive_message().queue_url(queue).wait_time_seconds(1).send().await;
        received.expect("the queue answers").messages.unwrap_or_default().pop()?.body
    };
    let received = eventually("an event arrives in the queue", receive, Option::is_some).await;
    serde_json::from_str(&received.unwrap_or_default()).expect("an event is JSON")
}

#[test]
fn an_event_bus_gets_the_same_cloud_event_as_the_topic() {
    run(async {
        let account = Account::unique();
        let bus = format!("arn:aws:events:us-east-1:{account}:event-bus/default");
        let platform = Platform::deploy_to(account, &[("EventBusArn", &bus)]).await;
        let queue = subscribe(platform.clients(), "event-bus-rule.yaml", &[]).await;
        let mut listener = platform.listen().await;
        let id = "0b0e8b1c-7d0f-4f4b-8f77-1f9cb3d2a001";
        platform.send_all([confirmed(id).as_slice()]).await;

        let published = listener.event(&format!("deposit#connect#{id}#1")).await;
        let on_the_bus = arrived(platform.clients(), &queue).await;
        assert_eq!(on_the_bus, published.event, "the detail is the whole CloudEvent");

        // Published again, it is the same event on the bus too.
        let target = Target::of(platform.deployment()).expect("the emulator has no TLS to set up");
        let destinations = StackPublishers::of(&target).destinations();
        assert_eq!(destinations, [Destination::Topic, Destination::Bus]);
        let republisher = Republisher::of(&target, vec![Destination::Bus], false).expect("the outputs");
        let id = format!("deposit#connect#{id}").parse().expect("an id");
        let again = republisher.resources(&[id]).await.expect("the table answers");
        assert_eq!((again.events(), again.failed().count()), (1, 0), "{again:?}");
        assert_eq!(arrived(platform.clients(), &queue).await, published.event);
    });
}

#[test]
fn a_queue_receives_what_it_asked_for() {
    run(async {
        let platform = Platform::shared().await;
        let queue = subscribe(platform.clients(), "queue.yaml", &[("TopicArn", platform.output("TopicArn"))]).await;
        let id = "0b0e8b1c-7d0f-4f4b-8f77-1f9cb3d2a002";
        platform.send_all([confirmed(id).as_slice()]).await;
        let is_own = |event: &Value| event["subject"] == json!(format!("deposit#connect#{id}"));
        let mut event = arrived(platform.clients(), &queue).await;
        while !is_own(&event) {
            event = arrived(platform.clients(), &queue).await;
        }
        assert_eq!(event["type"], json!("fundhook.deposit.confirmed"));
    });
}

#[test]
fn an_account_that_is_named_may_subscribe_and_receives_events() {
    run(async {
        let subscriber = Account::unique();
        let platform = Platform::deploy(&[("SubscriberPrincipals", subscriber.as_str())]).await;
        let topic = platform.output("TopicArn");
        let clients = connect(platform.deployment().endpoint(), &subscriber);
        let queue = clients.sqs.create_queue().queue_name("events").send().await.expect("created");
        let queue = queue.queue_url.unwrap_or_default();
        let arn = format!("arn:aws:sqs:us-east-1:{subscriber}:events");
        let subscribe = clients.sns.subscribe().topic_arn(topic).protocol("sqs").endpoint(arn);
        subscribe.attributes("RawMessageDelivery", "true").send().await.expect("subscribed");
        let id = "0b0e8b1c-7d0f-4f4b-8f77-1f9cb3d2a003";
        platform.send_all([confirmed(id).as_slice()]).await;
        assert_eq!(arrived(&clients, &queue).await["id"], json!(format!("deposit#connect#{id}#1")));

        // The emulator enforces no policy.
        let attributes = platform.clients().sns.get_topic_attributes().topic_arn(topic).send().await;
        let attributes = attributes.expect("the topic answers").attributes.unwrap_or_default();
        let policy: Value = serde_json::from_str(&attributes["Policy"]).expect("JSON");
        let statements = policy["Statement"].as_array().expect("statements");
        let allowed = statements.iter().find(|statement| statement["Effect"] == "Allow").expect("one allows");
        assert_eq!(allowed["Principal"]["AWS"], json!([subscriber.as_str()]));
        assert_eq!(allowed["Action"], "sns:Subscribe");
        assert_eq!(allowed["Condition"]["StringEquals"]["sns:Protocol"], json!(["https", "lambda", "sqs"]));
    });
}

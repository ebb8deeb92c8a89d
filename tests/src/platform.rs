//! A deployed stack, its provider, and what is in its table.

use aws_sdk_dynamodb::types::AttributeValue;
use fundhook::evidence::{Archive, ArchiveLocation};
use fundhook_adapters::{Aws, ResourceTable};
use fundhook_domain::{EvidencePointer, Feed, Provider, Resource, ResourceId, Statement, Timestamp};
use fundhook_local_stack::sending::{self, Authenticity, SendOutcome, WebhookResponse, post, send, send_or_drop};
use fundhook_local_stack::{Account, Clients, Deployment, Function, connect};
use fundhook_ports::Resources as _;
use fundhook_providers::{Envelope, ReadingSettings, Webhook, normalise};
use fundhook_sandbox::{SandboxClient, SignRequest, SignedHeaders};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::{Listener, Queue, eventually, session};

/// How many webhooks are sent concurrently. Each needs its own receiver process.
const AT_A_TIME: usize = 4;

/// A function takes less than a second, several on a machine that is busy with other things.
const REDELIVERY_SECONDS: u32 = 5;

/// A stack in its own account, with its own sandbox provider.
pub struct Platform {
    stack: fundhook_local_stack::session::Platform,
    clients: Clients,
    aws: Aws,
    resources: ResourceTable,
}

impl Platform {
    /// Deploys the template, with `changes` to its parameters, and runs the refresher once.
    ///
    /// Unfinished messages become visible again after seconds; with the template's value it would be a minute.
    pub async fn deploy(changes: &[(&str, &str)]) -> Self {
        Self::deploy_to(Account::unique(), changes).await
    }

    /// The same, in this account, which has no stack yet.
    pub async fn deploy_to(account: Account, changes: &[(&str, &str)]) -> Self {
        let platform = Self::in_account(account, changes).await;
        platform.redeliver_after(REDELIVERY_SECONDS).await;
        platform.refresh_keys().await;
        platform
    }

    /// Deploys the template and leaves the table empty.
    pub async fn deploy_without_keys(changes: &[(&str, &str)]) -> Self {
        Self::in_account(Account::unique(), changes).await
    }

    async fn in_account(account: Account, changes: &[(&str, &str)]) -> Self {
        let session = session().await;
        let deployed = session.platform(account, changes).await;
        let stack = deployed.map_err(|error| fundhook_ports::chain(&error)).expect("the stack is deployed");
        let clients = connect(stack.deployment.endpoint(), stack.deployment.account());
        let aws = Aws::local(&clients.endpoint, clients.account.as_str()).expect("the emulator has no TLS to set up");
        let table = stack.deployment.output("TableName").expect("the template names its table");
        let resources = ResourceTable::new(&aws, table.to_owned());
        Self { stack, clients, aws, resources }
    }

    /// The stack of all tests that use only their own resources and do not change the stack.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Platform> = OnceCell::const_new();
        SHARED.get_or_init(|| Self::deploy(&[])).await
    }

    /// The stack.
    pub fn deployment(&self) -> &Deployment {
        &self.stack.deployment
    }

    /// The provider.
    pub fn provider(&self) -> &SandboxClient {
        &self.stack.sandbox
    }

    /// AWS clients in the stack's account.
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// The connection of the adapters in the stack's account.
    pub(crate) fn aws(&self) -> &Aws {
        &self.aws
    }

    /// An output of the template.
    pub fn output(&self, name: &str) -> &str {
        self.deployment().output(name).expect("the template has this output")
    }

    /// Runs the refresher once.
    pub async fn refresh_keys(&self) {
        let refreshed = self.deployment().invoke(Function::Refresher, &Value::Null).await.expect("Lambda answers");
        assert!(!refreshed.failed, "{}", refreshed.payload);
    }

    /// The archive and the history of keys, as an operator verifies facts with them.
    pub fn archive_of_evidence(&self) -> Archive {
        let (bucket, table) = (self.output("EvidenceBucketName"), self.output("TableName"));
        Archive::new(&self.aws, ArchiveLocation { bucket, table })
    }

    /// Runs the reconciler once with this event and returns its answer.
    pub async fn reconcile(&self, event: &Value) -> Value {
        let ran = self.deployment().invoke(Function::Reconciler, event).await.expect("Lambda answers");
        assert!(!ran.failed, "{}", ran.payload);
        ran.payload
    }

    /// Sends a webhook as its provider does. Returns false if the provider dropped it.
    pub async fn send_or_lose(&self, webhook: &sending::Webhook) -> bool {
        let now = fundhook_runtime::now();
        let sent = send_or_drop(self.deployment(), self.provider(), webhook, Authenticity::Genuine, now).await;
        match sent.expect("the stack answers") {
            SendOutcome::Answered(answered) => {
                assert_eq!(answered.status, 200, "a genuine webhook is accepted: {}", answered.body);
                true
            }
            SendOutcome::Dropped => false,
        }
    }

    /// Sends a webhook of any provider.
    pub async fn send_webhook(&self, authenticity: Authenticity, webhook: &sending::Webhook) -> WebhookResponse {
        let sent = send(self.deployment(), self.provider(), webhook, authenticity, fundhook_runtime::now()).await;
        sent.expect("the stack answers")
    }

    /// Sends a webhook as its provider does, signed at `at`; it must be accepted.
    async fn deliver_one(&self, webhook: &sending::Webhook, at: Timestamp) {
        let sent = send(self.deployment(), self.provider(), webhook, Authenticity::Genuine, at).await;
        let answered = sent.expect("the stack answers");
        assert_eq!(answered.status, 200, "a genuine webhook is accepted: {}", answered.body);
    }

    /// Sends webhooks as their providers do, several concurrently; each must be accepted.
    pub async fn deliver(&self, webhooks: &[sending::Webhook]) {
        let now = fundhook_runtime::now();
        stream::iter(webhooks).for_each_concurrent(AT_A_TIME, |webhook| self.deliver_one(webhook, now)).await;
    }

    /// Sends several series of webhooks concurrently, each in order. All are signed at the same time, which is the time of
    /// those without a date.
    pub async fn deliver_series<'a>(&self, series: impl IntoIterator<Item = &'a [sending::Webhook]>) {
        let now = fundhook_runtime::now();
        let deliver = async |webhooks: &[sending::Webhook]| {
            for webhook in webhooks {
                self.deliver_one(webhook, now).await;
            }
        };
        stream::iter(series).for_each_concurrent(AT_A_TIME, deliver).await;
    }

    /// Sends a webhook of Connect.
    pub async fn send_as(&self, authenticity: Authenticity, body: &[u8]) -> WebhookResponse {
        self.send_webhook(authenticity, &sending::Webhook::new(Provider::Connect, body.to_vec())).await
    }

    /// Sends a webhook as Connect does, which must be accepted.
    pub async fn send(&self, body: &[u8]) {
        let answered = self.send_as(Authenticity::Genuine, body).await;
        assert_eq!(answered.status, 200, "a genuine webhook is accepted: {}", answered.body);
    }

    /// Sends webhooks as Connect does, several concurrently.
    pub async fn send_all<'a>(&self, bodies: impl IntoIterator<Item = &'a [u8]>) {
        stream::iter(bodies).for_each_concurrent(AT_A_TIME, |body| self.send(body)).await;
    }

    /// The headers of `body`, signed by Connect now and sent later.
    pub async fn signed(&self, body: &[u8]) -> SignedHeaders {
        self.headers(&sending::Webhook::new(Provider::Connect, body.to_vec())).await
    }

    /// The headers that the provider sends with `webhook` now.
    pub async fn headers(&self, webhook: &sending::Webhook) -> SignedHeaders {
        let url = webhook.url(self.deployment()).expect("the stack has an API");
        let request = SignRequest::new(webhook.feed.clone(), fundhook_runtime::now().unix_seconds(), &webhook.body);
        self.provider().sign(&request.to(&url).by(webhook.zerohash)).await.expect("the provider signs")
    }

    /// The envelope of a webhook of Connect, as the receiver queues it.
    pub async fn envelope(&self, body: &[u8]) -> Envelope {
        self.sealed(&sending::Webhook::new(Provider::Connect, body.to_vec())).await
    }

    /// The envelope of a webhook, as the receiver queues it.
    pub async fn sealed(&self, webhook: &sending::Webhook) -> Envelope {
        let now = fundhook_runtime::now();
        let headers = self.headers(webhook).await.into_iter().collect();
        let url = webhook.url(self.deployment()).expect("the stack has an API");
        let received = Webhook { path: format!("/webhooks/{}", webhook.feed), headers, body: webhook.body.clone() };
        let verified = self.verify(received, &webhook.feed, &url, now).await;
        Envelope::seal(verified.expect("it is genuine"), now, None)
    }

    /// The statements of a webhook, as fan-out derives them.
    pub async fn statements(&self, webhook: &sending::Webhook) -> Vec<Statement> {
        let archived = EvidencePointer { object: "evidence/v1/none.ndjson.gz".to_owned(), line: 0 };
        normalise(&self.sealed(webhook).await, archived, &ReadingSettings::default())
    }

    /// Posts `body` with these headers to the path of `feed`.
    pub async fn post(&self, feed: impl Into<Feed>, headers: &SignedHeaders, body: &[u8]) -> WebhookResponse {
        post(self.deployment(), &feed.into(), headers, body.to_vec()).await.expect("the stack answers")
    }

    /// The URL that the provider signs for.
    pub fn webhook_url(&self) -> &str {
        self.output("ConnectWebhookUrls")
    }

    /// Changes parameters of the stack, as an operator does, and returns the stack as it is then. This value keeps the outputs
    /// of before.
    pub async fn update(&self, changes: &[(&str, &str)]) -> Deployment {
        let updated = fundhook_local_stack::update(&self.clients, changes).await;
        updated.map_err(|error| fundhook_ports::chain(&error)).expect("the stack is updated")
    }

    /// Subscribes to the topic.
    pub async fn listen(&self) -> Listener<'_> {
        Listener::subscribe(self, &self.aws, self.output("TopicArn")).await
    }

    /// The resource's current state in the table.
    pub async fn resource(&self, id: &ResourceId) -> Resource {
        let read = self.resources.read(std::slice::from_ref(id)).await.expect("the table answers");
        read.into_iter().next().expect("one resource for one id")
    }

    /// The current states of these resources in the table.
    pub async fn resources(&self, ids: &[ResourceId]) -> Vec<Resource> {
        self.resources.read(ids).await.expect("the table answers")
    }

    /// The resource after `facts` facts were recorded.
    pub async fn recorded(&self, id: &ResourceId, facts: u64) -> Resource {
        let look = async || self.resource(id).await;
        let claim = format!("{facts} facts of {id} are recorded");
        eventually(&claim, look, |resource| resource.version() >= facts).await
    }

    /// The keys of all resources in the table, without key sets, claims and reconciliation's items.
    pub async fn stored_resources(&self) -> Vec<String> {
        let scan = self.clients.dynamodb.scan().table_name(self.output("TableName")).projection_expression("pk");
        let items = scan.send().await.expect("the table answers").items.unwrap_or_default();
        let keys = items.iter().map(|item| item["pk"].as_s().expect("a text").clone());
        keys.filter(|key| key.parse::<ResourceId>().is_ok()).collect()
    }

    /// The resources that an index of the table finds under `value`.
    pub async fn found_by(&self, index: &str, attribute: &str, value: &str) -> Vec<ResourceId> {
        let query = self.clients.dynamodb.query().table_name(self.output("TableName")).index_name(index);
        let query = query.key_condition_expression("#attribute = :value");
        let query = query.expression_attribute_names("#attribute", attribute);
        let query = query.expression_attribute_values(":value", AttributeValue::S(value.to_owned()));
        let items = query.send().await.expect("the index answers").items.unwrap_or_default();
        items.iter().map(|item| item["pk"].as_s().expect("a text").parse().expect("a resource's id")).collect()
    }

    /// The state of queues and table, for the message of a failed test.
    pub async fn whereabouts(&self) -> String {
        let mut text = String::new();
        for queue in Queue::ALL {
            let (depth, dead) = (self.depth(queue).await, self.dead_letters(queue).await);
            text.push_str(&format!("{queue:?} queue: {depth} messages, {dead} dead letters\n"));
        }
        text.push_str(&format!("resources in the table: {}\n", self.stored_resources().await.len()));
        text.push_str(&format!("the functions' logs are in {}", session().await.emulator().log().display()));
        text
    }
}

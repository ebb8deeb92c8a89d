//! A deployed stack, its provider, and what is in its table.

use fundhook::sandbox::SandboxClient;
use fundhook::sending::{Answered, Manner, post, send};
use fundhook::stack::{Account, Clients, Deployment, Function, connect};
use fundhook_adapters::{Aws, ResourceTable};
use fundhook_domain::port::Resources as _;
use fundhook_domain::{Resource, ResourceId};
use fundhook_providers::{Envelope, Webhook, connect};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::{Listener, Queue, eventually, session, settings};

/// How many webhooks are under way at a time. Each of them has a receiver of its own, which is a process that starts.
const AT_A_TIME: usize = 4;

/// A function takes less than a second, several on a machine that is busy with other things.
const REDELIVERY_SECONDS: u32 = 5;

/// A stack in an account of its own, and the provider that sends to it.
pub struct Platform {
    stack: fundhook::session::Platform,
    clients: Clients,
    aws: Aws,
    resources: ResourceTable,
}

impl Platform {
    /// Deploys the template, with `changes` to its parameters, and has the key set fetched as the schedule does.
    ///
    /// What a function does not finish is given back after seconds, where the template says a minute.
    pub async fn deploy(changes: &[(&str, &str)]) -> Self {
        let platform = Self::deploy_without_keys(changes).await;
        platform.redeliver_after(REDELIVERY_SECONDS).await;
        platform.refresh_keys().await;
        platform
    }

    /// Deploys the template and leaves the table empty.
    pub async fn deploy_without_keys(changes: &[(&str, &str)]) -> Self {
        let session = session().await;
        let deployed = session.platform(Account::unique(), changes).await;
        let stack = deployed.map_err(|error| fundhook_domain::port::chain(&error)).expect("the stack is deployed");
        let clients = connect(stack.deployment.endpoint(), stack.deployment.account());
        let aws = Aws::local(&clients.endpoint, clients.account.as_str()).expect("the emulator has no TLS to set up");
        let table = stack.deployment.output("TableName").expect("the template names its table");
        let resources = ResourceTable::new(&aws, table.to_owned());
        Self { stack, clients, aws, resources }
    }

    /// The stack of all tests that speak about resources of their own and leave the stack itself as it is.
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

    /// An output of the template.
    pub fn output(&self, name: &str) -> &str {
        self.deployment().output(name).expect("the template has this output")
    }

    /// Runs the refresher once.
    pub async fn refresh_keys(&self) {
        let refreshed = self.deployment().invoke(Function::Refresher, &Value::Null).await.expect("Lambda answers");
        assert!(!refreshed.failed, "{}", refreshed.payload);
    }

    /// Sends a webhook in some manner.
    pub async fn send_as(&self, manner: Manner, body: &[u8]) -> Answered {
        let sent = send(self.deployment(), self.provider(), body, manner, fundhook_runtime::now()).await;
        sent.expect("the stack answers")
    }

    /// Sends a webhook as the provider does, which must be accepted.
    pub async fn send(&self, body: &[u8]) {
        let answered = self.send_as(Manner::Genuine, body).await;
        assert_eq!(answered.status, 200, "a genuine webhook is accepted: {}", answered.body);
    }

    /// Sends webhooks as the provider does, some at a time.
    pub async fn send_all<'a>(&self, bodies: impl IntoIterator<Item = &'a [u8]>) {
        stream::iter(bodies).for_each_concurrent(AT_A_TIME, |body| self.send(body)).await;
    }

    /// Has the provider sign `body` now, to be posted later.
    pub async fn signed(&self, body: &[u8]) -> Vec<(String, String)> {
        let now = fundhook_runtime::now().unix_seconds();
        self.provider().sign(self.webhook_url(), now, body, false).await.expect("the provider signs")
    }

    /// A webhook with `body` as the receiver would have queued it.
    pub async fn envelope(&self, body: &[u8]) -> Envelope {
        let webhook = Webhook { headers: self.signed(body).await.into_iter().collect(), body: body.to_vec() };
        let now = fundhook_runtime::now();
        let verified = connect::verify(webhook, &settings(self.webhook_url()), &self.published_keys().await, now);
        Envelope::seal(verified.map_err(|(_, why)| why).expect("it is genuine"), now, None)
    }

    /// Posts `body` with these headers.
    pub async fn post(&self, headers: &[(String, String)], body: &[u8]) -> Answered {
        post(self.deployment(), &headers.to_vec(), body.to_vec()).await.expect("the stack answers")
    }

    /// The URL that the provider signs for.
    pub fn webhook_url(&self) -> &str {
        self.output("ConnectWebhookUrls")
    }

    /// Subscribes to the topic.
    pub async fn listen(&self) -> Listener<'_> {
        Listener::subscribe(self, &self.aws, self.output("TopicArn")).await
    }

    /// The resource as it is in the table now.
    pub async fn resource(&self, id: &ResourceId) -> Resource {
        let read = self.resources.read(std::slice::from_ref(id)).await.expect("the table answers");
        read.into_iter().next().expect("one resource for one id")
    }

    /// The resource, once `facts` facts are recorded of it.
    pub async fn recorded(&self, id: &ResourceId, facts: u64) -> Resource {
        let look = async || self.resource(id).await;
        let claim = format!("{facts} facts of {id} are recorded");
        eventually(&claim, look, |resource| resource.version() >= facts).await
    }

    /// The keys of all resources in the table. Key sets lie beside them.
    pub async fn stored_resources(&self) -> Vec<String> {
        let scan = self.clients.dynamodb.scan().table_name(self.output("TableName")).projection_expression("pk");
        let items = scan.send().await.expect("the table answers").items.unwrap_or_default();
        let keys = items.iter().map(|item| item["pk"].as_s().expect("a text").clone());
        keys.filter(|key| !key.starts_with("keys#")).collect()
    }

    /// Where its webhooks are, for a failed test to say.
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

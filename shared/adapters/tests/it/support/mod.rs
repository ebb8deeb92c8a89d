//! A separate DynamoDB with Fundhook's table for each test.
//!
//! It is dynoxide, an embedded engine that follows recordings of DynamoDB, behind its HTTP interface, so the tests make real
//! SDK calls. It has no capacity limits, so it never throttles and leaves nothing unprocessed.
pub(crate) mod coins;
pub(crate) mod server;
pub(crate) mod vault;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use dynoxide::Database;
use fundhook_adapters::{Aws, ResourceTable, WriteMethod};
use fundhook_domain::{
    AccountDetails, Attestation, BalanceDetails, CorrelationId, Details, Evidence, EvidenceClass, EvidencePointer,
    FactContent, FactId, Feed, Kind, Network, Provider, Quantity, Reading, Resource, ResourceId, Scheme, Statement,
    StatementContent, Status, Timestamp, Transaction, TransferDetails, Units, fold,
};
use fundhook_ports::{Resources, Write, WriteOutcome};
use tokio::net::TcpListener;

/// The table's name in every test.
pub(crate) const TABLE: &str = "fundhook";

/// The table's indexes as in `infra/template.yaml`: name, partition key, sort key. All are keys only.
const INDEXES: [(&str, &str, Option<&str>); 5] = [
    ("by-account", "account", Some("updated_at")),
    ("by-reference", "reference_id", Some("updated_at")),
    ("by-transaction", "tx", None),
    ("open", "open", Some("open_since")),
    ("settled", "settled", Some("settled_at")),
];

/// A DynamoDB that lives as long as the test's runtime.
pub(crate) struct Local {
    pub(crate) aws: Aws,
    client: Client,
}

impl Local {
    /// A DynamoDB with Fundhook's empty table.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let database = Database::memory().expect("an empty database");
        tokio::spawn(dynoxide::server::serve_on(listener, database));
        let aws = Aws::local(&endpoint, "test").expect("a local connection");
        let client = Client::new(aws.sdk_config());
        create_table(&client).await;
        Self { aws, client }
    }

    /// The stored item with the key `pk`.
    pub(crate) async fn item(&self, pk: &str) -> Option<HashMap<String, AttributeValue>> {
        let get = self.client.get_item().table_name(TABLE).key("pk", AttributeValue::S(pk.to_owned()));
        get.consistent_read(true).send().await.expect("the table answers").item
    }

    /// Puts an item with the key `pk` and these attributes into the table, replacing any other.
    pub(crate) async fn put(&self, pk: &str, attributes: &[(&str, AttributeValue)]) {
        let put = self.client.put_item().table_name(TABLE).item("pk", AttributeValue::S(pk.to_owned()));
        let put = attributes.iter().fold(put, |put, (name, value)| put.item(*name, value.clone()));
        put.send().await.expect("the item is stored");
    }

    /// Deletes the item with the key `pk`.
    pub(crate) async fn delete(&self, pk: &str) {
        let delete = self.client.delete_item().table_name(TABLE).key("pk", AttributeValue::S(pk.to_owned()));
        delete.send().await.expect("the item is deleted");
    }

    /// The keys in `index` under `value`, in the index's order.
    pub(crate) async fn keys_in(&self, index: &str, value: &str) -> Vec<String> {
        let (_, key, _) = INDEXES.into_iter().find(|(name, ..)| *name == index).expect("an index of the table");
        let query = self.client.query().table_name(TABLE).index_name(index);
        let query = query.key_condition_expression("#key = :value").expression_attribute_names("#key", key);
        let query = query.expression_attribute_values(":value", AttributeValue::S(value.to_owned()));
        let items = query.send().await.expect("the index answers").items.unwrap_or_default();
        items.iter().map(|item| text(item, "pk").expect("a key").to_owned()).collect()
    }
}

/// The text `name` of an item.
pub(crate) fn text<'a>(item: &'a HashMap<String, AttributeValue>, name: &str) -> Option<&'a str> {
    item.get(name).map(|value| value.as_s().expect("a text").as_str())
}

async fn create_table(client: &Client) {
    let key = |name: &str, key_type| {
        KeySchemaElement::builder().attribute_name(name).key_type(key_type).build().expect("a key")
    };
    let mut names = vec!["pk"];
    let mut create = client.create_table().table_name(TABLE).billing_mode(BillingMode::PayPerRequest);
    create = create.key_schema(key("pk", KeyType::Hash));
    for (index, partition, sort) in INDEXES {
        names.extend([Some(partition), sort].into_iter().flatten());
        let keys = [Some(key(partition, KeyType::Hash)), sort.map(|name| key(name, KeyType::Range))];
        let index = GlobalSecondaryIndex::builder()
            .index_name(index)
            .set_key_schema(Some(keys.into_iter().flatten().collect()))
            .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build());
        create = create.global_secondary_indexes(index.build().expect("an index"));
    }
    names.sort_unstable();
    names.dedup();
    for name in names {
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
        create = create.attribute_definitions(attribute.build().expect("an attribute"));
    }
    create.send().await.expect("the table is created");
}

/// The time this many seconds after 2025-10-07T19:44:50Z.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_759_866_290 + seconds).expect("in range")
}

/// The resource of `kind` with the feed's id `native`.
pub(crate) fn id_of(kind: Kind, feed: impl Into<Feed>, native: &str) -> ResourceId {
    ResourceId::new(kind, feed, native).expect("a valid id")
}

/// The deposit with the id `native`.
pub(crate) fn deposit(native: &str) -> ResourceId {
    id_of(Kind::Deposit, Provider::Connect, native)
}

/// A statement that `resource` reached the status `name` at this time. Each `body` makes another fact.
pub(crate) fn statement(resource: &ResourceId, name: &str, seconds: i64, body: &str) -> Statement {
    let status = Status::named(resource.kind(), name).expect("a status of the kind");
    let event_type = format!("connect.deposits.{name}");
    let details = match resource.kind() {
        Kind::Participant | Kind::ExternalAccount => Details::Account(Box::<AccountDetails>::default()),
        Kind::Balance => Details::Balance(Box::<BalanceDetails>::default()),
        Kind::Deposit | Kind::Withdrawal | Kind::Fee | Kind::Exchange | Kind::Recovery | Kind::Unrecognized => {
            Details::Transfer(Box::default())
        }
    };
    let attestation = Attestation {
        scheme: Scheme::ConnectRsaSha256,
        class: EvidenceClass::Asymmetric,
        key: "fXlqkMIEzdQ0gSZ8F5RkRhbTzjxnrkSVRlHuAVm3FyA".to_owned(),
        signed_at: Some(at(seconds)),
        token_verified: false,
    };
    let archived = EvidencePointer { object: "evidence/v1/2025/10/07/x.ndjson.gz".to_owned(), line: 3 };
    let content = StatementContent {
        id: FactId::of(resource, &event_type, body.as_bytes()),
        event_type,
        status: Some(status),
        occurred_at: at(seconds),
        undated: false,
        details,
        evidence: Evidence {
            received_at: at(seconds),
            attestation,
            archived,
            correlation_id: CorrelationId::of([seconds.to_string().as_bytes()]),
            backfilled: None,
        },
        reading: Reading { at: at(seconds), revision: 1, settings: String::new() },
    };
    Statement { resource: resource.clone(), content }
}

/// `statement`, with more details of the transfer.
pub(crate) fn with(mut statement: Statement, say: impl FnOnce(&mut TransferDetails)) -> Statement {
    if let Details::Transfer(details) = &mut statement.content.details {
        say(details);
    }
    statement
}

/// `resource` after `statements`, one after the other.
pub(crate) fn folded(resource: Resource, statements: impl IntoIterator<Item = Statement>) -> Resource {
    statements.into_iter().fold(resource, |resource, statement| fold(resource, statement).into_resource())
}

/// A deposit whose facts arrived out of order and have values that a table could change.
pub(crate) fn whole_life() -> Resource {
    let id = deposit("c55481bf#626b");
    let said = |name, seconds, amount: &str| {
        with(statement(&id, name, seconds, amount), |details| {
            details.quantity = Some(Quantity { value: amount.parse().expect("a decimal"), units: Units::Major });
            details.asset = Some("BTC".to_owned());
            details.network = Some(Network::named("Polygon Testnet Amoy"));
            details.account = Some("konto-ä".to_owned());
            details.reference_id = Some("order-1".to_owned());
            details.transaction = Transaction { hash: Some("0xc9d43618".to_owned()), ..Default::default() };
            details.session.metadata = serde_json::from_str(r#"{"":[],"n":119078888888888888887.10,"é":null}"#).ok();
        })
    };
    let facts = [
        said("confirmed", 40, "119078888888888888887.000000000000000000000000000000000000000000001"),
        said("pending", 0, "-0.013"),
        said("failed", 50, "0"),
        said("held", 20, "1"),
    ];
    folded(Resource::unknown(id.clone()), facts)
}

/// A separate DynamoDB, and Fundhook's table in it.
pub(crate) async fn table(writes: WriteMethod) -> (Local, ResourceTable) {
    let local = Local::start().await;
    let table = ResourceTable::new(&local.aws, TABLE.to_owned()).writing_by(writes);
    (local, table)
}

/// A write of `resource` with one more fact than it was read with.
pub(crate) fn write(resource: &Resource, fact: impl Into<FactContent>) -> Write {
    let read_version = resource.version();
    Write::of(fold(resource.clone(), fact).into_resource(), read_version)
}

/// The first write of the resource of `statement`.
pub(crate) fn first_write(statement: Statement) -> Write {
    write(&Resource::unknown(statement.resource.clone()), statement)
}

/// The resource of a write of nothing else.
pub(crate) fn only(write: &Write) -> &Resource {
    &write.only_resource().expect("one resource and no claim").item
}

pub(crate) async fn write_one(table: &ResourceTable, write: Write) -> WriteOutcome {
    let mut outcomes = table.write(vec![write], at(0)).await;
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0)
}

pub(crate) async fn read_one(table: &ResourceTable, id: &ResourceId) -> Resource {
    let mut resources = table.read(std::slice::from_ref(id)).await.expect("the table answers");
    assert_eq!(resources.len(), 1);
    resources.remove(0)
}

/// Makes a test of each of these functions for each write method.
macro_rules! by_statements_and_by_puts {
    ($($claim:ident,)*) => {
        mod by_statements {
            $(#[tokio::test] async fn $claim() { super::$claim(super::WriteMethod::Statements).await; })*
        }
        mod by_puts {
            $(#[tokio::test] async fn $claim() { super::$claim(super::WriteMethod::Puts).await; })*
        }
    };
}
pub(crate) use by_statements_and_by_puts;

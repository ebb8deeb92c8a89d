//! A resource and its second names are written together or not at all.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use dynoxide::Database;
use fundhook_adapters::{Aws, ResourceTable, WriteMethod};
use fundhook_domain::{
    Attestation, Details, Evidence, EvidenceClass, EvidencePointer, FactContent, FactId, Kind, NewFact, Provider,
    Reading, Resource, ResourceId, Scheme, StatementContent, Status, Timestamp, TransferDetails, United, fold, unite,
};
use fundhook_ports::{Resources as _, Write, WriteOutcome};
use tokio::net::TcpListener;

const TABLE: &str = "fundhook";

/// A separate DynamoDB with Fundhook's table, of which it has the key and the index `open`.
struct Local {
    client: Client,
    table: ResourceTable,
}

impl Local {
    async fn start(writes: WriteMethod) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let database = Database::memory().expect("an empty database");
        tokio::spawn(dynoxide::server::serve_on(listener, database));
        let aws = Aws::local(&endpoint, "test").expect("a local connection");
        let client = Client::new(aws.sdk_config());
        let key = |name: &str, key_type| {
            KeySchemaElement::builder().attribute_name(name).key_type(key_type).build().expect("a key")
        };
        let open = GlobalSecondaryIndex::builder()
            .index_name("open")
            .key_schema(key("open", KeyType::Hash))
            .key_schema(key("open_since", KeyType::Range))
            .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build());
        let mut create = client.create_table().table_name(TABLE).billing_mode(BillingMode::PayPerRequest);
        create = create.key_schema(key("pk", KeyType::Hash));
        create = create.global_secondary_indexes(open.build().expect("an index"));
        for name in ["pk", "open", "open_since"] {
            let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
            create = create.attribute_definitions(attribute.build().expect("an attribute"));
        }
        create.send().await.expect("the table is created");
        let table = ResourceTable::new(&aws, TABLE.to_owned()).writing_by(writes);
        Self { client, table }
    }

    async fn read(&self, id: &ResourceId) -> Resource {
        self.table.read(std::slice::from_ref(id)).await.expect("the table answers").remove(0)
    }

    async fn write(&self, write: Write) -> WriteOutcome {
        self.table.write(vec![write], at(0)).await.remove(0)
    }

    async fn record(&self, fact: NewFact) {
        let resource = self.read(&fact.resource).await;
        let outcome = self.write(plain(resource, fact)).await;
        assert!(matches!(outcome, WriteOutcome::Written), "{outcome:?}");
    }

    /// The names of the item's attributes, and the text of `second_name_of`.
    async fn item(&self, id: &ResourceId) -> (Vec<String>, Option<String>) {
        let get = self.client.get_item().table_name(TABLE).key("pk", AttributeValue::S(id.to_string()));
        let item = get.consistent_read(true).send().await.expect("the table answers").item.unwrap_or_default();
        let second_name_of = item.get("second_name_of").and_then(|owner| owner.as_s().ok()).cloned();
        let mut names: Vec<String> = item.into_keys().collect();
        names.sort_unstable();
        (names, second_name_of)
    }

    /// The withdrawals in the index `open`.
    async fn open(&self) -> Vec<String> {
        let query = self.client.query().table_name(TABLE).index_name("open");
        let query = query.key_condition_expression("#open = :kind").expression_attribute_names("#open", "open");
        let query = query.expression_attribute_values(":kind", AttributeValue::S("withdrawal".to_owned()));
        let items = query.send().await.expect("the index answers").items.unwrap_or_default();
        items.iter().map(|item| item["pk"].as_s().expect("a key").clone()).collect()
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_759_866_290 + seconds).expect("in range")
}

fn withdrawal(native: &str) -> ResourceId {
    ResourceId::new(Kind::Withdrawal, Provider::Zerohash, native).expect("a valid id")
}

fn payment() -> ResourceId {
    withdrawal("payment")
}

fn request() -> ResourceId {
    withdrawal("request")
}

/// `resource`, which has these names too, reached the status `name`.
fn said(resource: ResourceId, names: &[ResourceId], name: &str, seconds: i64) -> NewFact {
    let attestation = Attestation {
        scheme: Scheme::ZerohashRsaPssSha256,
        class: EvidenceClass::Asymmetric,
        key: "fXlqkMIEzdQ0gSZ8F5RkRhbTzjxnrkSVRlHuAVm3FyA".to_owned(),
        signed_at: Some(at(seconds)),
        token_verified: false,
    };
    let archived = EvidencePointer { object: "evidence/v1/2025/10/07/x.ndjson.gz".to_owned(), line: 0 };
    let details = TransferDetails { names: names.iter().cloned().collect(), ..Default::default() };
    let content = StatementContent {
        id: FactId::of(&resource, "payment_status_changed", seconds.to_string().as_bytes()),
        event_type: "payment_status_changed".to_owned(),
        status: Some(Status::named(resource.kind(), name).expect("a status of the kind")),
        occurred_at: at(seconds),
        details: Details::Transfer(Box::new(details)),
        evidence: Evidence { received_at: at(seconds), attestation, archived },
        reading: Reading { at: at(seconds), revision: 1, settings: String::new() },
    };
    NewFact { resource, content: FactContent::Statement(content) }
}

fn by_both(name: &str, seconds: i64) -> NewFact {
    said(payment(), &[payment(), request()], name, seconds)
}

/// The write of `resource` with one more fact.
fn plain(resource: Resource, fact: NewFact) -> Write {
    let read_version = resource.version();
    Write::of(fold(resource, fact).into_resource(), read_version)
}

/// The write that records `fact` under one name of the resources that were read, and makes the others second names.
fn joining(resources: [Resource; 2], fact: NewFact) -> Write {
    let united = unite(resources, std::slice::from_ref(&fact)).expect("an owner");
    let United { owner, inherited, second_names } = united;
    let read_version = owner.version();
    let facts = inherited.into_iter().chain([fact.content]);
    let resource = facts.fold(owner, |owner, fact| fold(owner, fact).into_resource());
    assert_eq!(second_names.len(), 1);
    Write { second_names, ..Write::of(resource, read_version) }
}

async fn a_payment_and_its_second_name_are_written_together(writes: WriteMethod) {
    let local = Local::start(writes).await;
    let resources = [local.read(&payment()).await, local.read(&request()).await];
    let write = joining(resources, by_both("submitted", 0));
    let outcome = local.write(write.clone()).await;
    assert!(matches!(outcome, WriteOutcome::Written), "{outcome:?}");
    assert_eq!(
        [local.read(&payment()).await, local.read(&request()).await],
        [write.resource, write.second_names[0].clone()]
    );
    assert_eq!(local.read(&request()).await.second_name_of(), Some(&payment()));

    let (names, owner) = local.item(&request()).await;
    assert_eq!(names, ["facts", "kind", "pk", "second_name_of", "updated_at", "version"]);
    assert_eq!(owner, Some(payment().to_string()));
    assert_eq!(local.open().await, [payment().to_string()]);
}

async fn a_payment_that_was_recorded_twice_is_awaited_once(writes: WriteMethod) {
    let local = Local::start(writes).await;
    local.record(said(request(), &[], "submitted", 0)).await;
    local.record(said(payment(), &[], "submitted", 10)).await;
    assert_eq!(local.open().await.len(), 2);

    let resources = [local.read(&payment()).await, local.read(&request()).await];
    let outcome = local.write(joining(resources, by_both("broadcast", 20))).await;
    assert!(matches!(outcome, WriteOutcome::Written), "{outcome:?}");
    assert_eq!(local.open().await, [payment().to_string()], "the second name is no longer awaited");
    assert_eq!((local.read(&payment()).await.version(), local.read(&request()).await.version()), (3, 2));
    assert_eq!(local.item(&request()).await.1, Some(payment().to_string()));
}

async fn nothing_is_written_when_one_of_the_names_has_changed(writes: WriteMethod) {
    // What is recorded before both are read, and what another writer records after that.
    for (known, meanwhile, is_owner) in [
        (vec![], said(request(), &[], "submitted", 0), false),
        (vec![], said(payment(), &[], "submitted", 0), true),
        (vec![said(request(), &[], "submitted", 0)], said(request(), &[], "broadcast", 10), true),
        (vec![said(request(), &[], "submitted", 0)], said(payment(), &[], "broadcast", 10), false),
        (
            vec![said(request(), &[], "submitted", 0), said(payment(), &[], "submitted", 1)],
            said(request(), &[], "broadcast", 10),
            false,
        ),
    ] {
        let local = Local::start(writes).await;
        for fact in known {
            local.record(fact).await;
        }
        let resources = [local.read(&payment()).await, local.read(&request()).await];
        local.record(meanwhile.clone()).await;
        let before = [local.read(&payment()).await, local.read(&request()).await];
        let outcome = local.write(joining(resources, by_both("confirmed", 20))).await;
        match (is_owner, &outcome) {
            (true, WriteOutcome::Lost(Some(current))) => {
                assert_eq!(current.version(), local.read(current.id()).await.version())
            }
            (false, WriteOutcome::Lost(None)) => {}
            _ => unreachable!("{}: {outcome:?}", meanwhile.resource),
        }
        assert_eq!([local.read(&payment()).await, local.read(&request()).await], before);

        // On what is stored by now, it succeeds.
        let outcome = local.write(joining(before, by_both("confirmed", 20))).await;
        assert!(matches!(outcome, WriteOutcome::Written), "{outcome:?}");
    }
}

async fn a_first_write_under_a_second_name_loses(writes: WriteMethod) {
    let local = Local::start(writes).await;
    let free = local.read(&request()).await;
    let resources = [local.read(&payment()).await, free.clone()];
    let outcome = local.write(joining(resources, by_both("submitted", 0))).await;
    assert!(matches!(outcome, WriteOutcome::Written), "{outcome:?}");
    let outcome = local.write(plain(free, said(request(), &[], "broadcast", 10))).await;
    assert!(matches!(outcome, WriteOutcome::Lost(_)), "{outcome:?}");
    assert_eq!(local.read(&request()).await.second_name_of(), Some(&payment()));
}

async fn of_a_join_and_a_first_write_at_once_exactly_one_wins(writes: WriteMethod) {
    let local = Local::start(writes).await;
    for number in 0..20 {
        let (payment, request) = (withdrawal(&format!("p-{number}")), withdrawal(&format!("r-{number}")));
        let both = said(payment.clone(), &[payment.clone(), request.clone()], "submitted", 0);
        let join = joining([Resource::unknown(payment.clone()), Resource::unknown(request.clone())], both);
        let alone = plain(Resource::unknown(request.clone()), said(request.clone(), &[], "submitted", 0));
        let (joined, written) = tokio::join!(local.write(join), local.write(alone));
        let is_joined = local.read(&request).await.second_name_of() == Some(&payment);
        assert_eq!(matches!(joined, WriteOutcome::Written), is_joined, "{joined:?}");
        assert_eq!(local.read(&payment).await.version() > 0, is_joined);
        // Two that collide may both lose, and try again.
        assert!(!is_joined || matches!(written, WriteOutcome::Lost(_)), "{written:?}");
    }
}

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

by_statements_and_by_puts! {
    a_payment_and_its_second_name_are_written_together,
    a_payment_that_was_recorded_twice_is_awaited_once,
    nothing_is_written_when_one_of_the_names_has_changed,
    a_first_write_under_a_second_name_loses,
    of_a_join_and_a_first_write_at_once_exactly_one_wins,
}

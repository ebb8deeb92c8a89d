//! A resource and its second names are written together or not at all.

use fundhook_adapters::{ResourceTable, WriteMethod};
use fundhook_domain::{Kind, NewFact, Provider, Resource, ResourceId, Stored};
use fundhook_ports::{Write, WriteOutcome};

use crate::support::{Local, id_of, read_one, statement, table, text, with, write, write_one};

/// A DynamoDB for one test, with the resources in it.
struct World {
    local: Local,
    resources: ResourceTable,
}

impl World {
    async fn new(writes: WriteMethod) -> Self {
        let (local, resources) = table(writes).await;
        Self { local, resources }
    }

    async fn read(&self, id: &ResourceId) -> Resource {
        read_one(&self.resources, id).await
    }

    async fn write(&self, write: Write) -> WriteOutcome {
        write_one(&self.resources, write).await
    }

    async fn record(&self, fact: NewFact) {
        let resource = self.read(&fact.resource).await;
        let outcome = self.write(write(&resource, fact.content)).await;
        assert!(matches!(outcome, WriteOutcome::Written), "{outcome:?}");
    }

    /// The names of the item's attributes, and the text of `second_name_of`.
    async fn item(&self, id: &ResourceId) -> (Vec<String>, Option<String>) {
        let item = self.local.item(&id.to_string()).await.unwrap_or_default();
        let second_name_of = text(&item, "second_name_of").map(str::to_owned);
        let mut names: Vec<String> = item.into_keys().collect();
        names.sort_unstable();
        (names, second_name_of)
    }

    /// The withdrawals in the index `open`.
    async fn open(&self) -> Vec<String> {
        self.local.keys_in("open", "withdrawal").await
    }
}

fn withdrawal(native: &str) -> ResourceId {
    id_of(Kind::Withdrawal, Provider::Zerohash, native)
}

fn payment() -> ResourceId {
    withdrawal("payment")
}

fn request() -> ResourceId {
    withdrawal("request")
}

/// `resource`, which has these names too, reached the status `name`.
fn said(resource: ResourceId, names: &[ResourceId], name: &str, seconds: i64) -> NewFact {
    let statement = statement(&resource, name, seconds, &seconds.to_string());
    with(statement, |details| details.names = names.iter().cloned().collect()).into()
}

fn by_both(name: &str, seconds: i64) -> NewFact {
    said(payment(), &[payment(), request()], name, seconds)
}

/// The write that records `fact` under one name of the resources that were read, and makes the other a second name.
fn joining(resources: [Resource; 2], fact: NewFact) -> Write {
    let mut stored = Stored::default();
    resources.into_iter().for_each(|resource| stored.know(resource));
    let write = stored.record(&[fact]).expect("an owner").expect("something new");
    assert_eq!((write.resources.len(), write.claims.len()), (2, 0));
    write
}

async fn a_payment_and_its_second_name_are_written_together(writes: WriteMethod) {
    let world = World::new(writes).await;
    let resources = [world.read(&payment()).await, world.read(&request()).await];
    let write = joining(resources, by_both("submitted", 0));
    let outcome = world.write(write.clone()).await;
    assert!(matches!(outcome, WriteOutcome::Written), "{outcome:?}");
    for written in write.resources {
        assert_eq!(world.read(written.item.id()).await, written.item);
    }
    assert_eq!(world.read(&request()).await.second_name_of(), Some(&payment()));

    let (names, owner) = world.item(&request()).await;
    assert_eq!(names, ["facts", "kind", "pk", "second_name_of", "updated_at", "version"]);
    assert_eq!(owner, Some(payment().to_string()));
    assert_eq!(world.open().await, [payment().to_string()]);
}

async fn a_payment_that_was_recorded_twice_is_awaited_once(writes: WriteMethod) {
    let world = World::new(writes).await;
    world.record(said(request(), &[], "submitted", 0)).await;
    world.record(said(payment(), &[], "submitted", 10)).await;
    assert_eq!(world.open().await.len(), 2);

    let resources = [world.read(&payment()).await, world.read(&request()).await];
    let outcome = world.write(joining(resources, by_both("broadcast", 20))).await;
    assert!(matches!(outcome, WriteOutcome::Written), "{outcome:?}");
    assert_eq!(world.open().await, [payment().to_string()], "the second name is no longer awaited");
    assert_eq!((world.read(&payment()).await.version(), world.read(&request()).await.version()), (3, 2));
    assert_eq!(world.item(&request()).await.1, Some(payment().to_string()));
}

async fn nothing_is_written_when_one_of_the_names_has_changed(writes: WriteMethod) {
    // What is recorded before both are read, and what another writer records after that.
    for (known, meanwhile) in [
        (vec![], said(request(), &[], "submitted", 0)),
        (vec![], said(payment(), &[], "submitted", 0)),
        (vec![said(request(), &[], "submitted", 0)], said(request(), &[], "broadcast", 10)),
        (vec![said(request(), &[], "submitted", 0)], said(payment(), &[], "broadcast", 10)),
        (
            vec![said(request(), &[], "submitted", 0), said(payment(), &[], "submitted", 1)],
            said(request(), &[], "broadcast", 10),
        ),
    ] {
        let world = World::new(writes).await;
        for fact in known {
            world.record(fact).await;
        }
        let resources = [world.read(&payment()).await, world.read(&request()).await];
        world.record(meanwhile.clone()).await;
        let before = [world.read(&payment()).await, world.read(&request()).await];
        let outcome = world.write(joining(resources, by_both("confirmed", 20))).await;
        let changed = world.read(&meanwhile.resource).await;
        assert!(matches!(&outcome, WriteOutcome::Lost(Some(current)) if *current == changed), "{outcome:?}");
        assert_eq!([world.read(&payment()).await, world.read(&request()).await], before);

        // On what is stored by now, it succeeds.
        let outcome = world.write(joining(before, by_both("confirmed", 20))).await;
        assert!(matches!(outcome, WriteOutcome::Written), "{outcome:?}");
    }
}

async fn a_first_write_under_a_second_name_loses(writes: WriteMethod) {
    let world = World::new(writes).await;
    let free = world.read(&request()).await;
    let resources = [world.read(&payment()).await, free.clone()];
    let outcome = world.write(joining(resources, by_both("submitted", 0))).await;
    assert!(matches!(outcome, WriteOutcome::Written), "{outcome:?}");
    let outcome = world.write(write(&free, said(request(), &[], "broadcast", 10).content)).await;
    assert!(matches!(outcome, WriteOutcome::Lost(_)), "{outcome:?}");
    assert_eq!(world.read(&request()).await.second_name_of(), Some(&payment()));
}

async fn of_a_join_and_a_first_write_at_once_exactly_one_wins(writes: WriteMethod) {
    let world = World::new(writes).await;
    for number in 0..20 {
        let (payment, request) = (withdrawal(&format!("p-{number}")), withdrawal(&format!("r-{number}")));
        let both = said(payment.clone(), &[payment.clone(), request.clone()], "submitted", 0);
        let join = joining([Resource::unknown(payment.clone()), Resource::unknown(request.clone())], both);
        let alone = write(&Resource::unknown(request.clone()), said(request.clone(), &[], "submitted", 0).content);
        let (joined, written) = tokio::join!(world.write(join), world.write(alone));
        let is_joined = world.read(&request).await.second_name_of() == Some(&payment);
        assert_eq!(matches!(joined, WriteOutcome::Written), is_joined, "{joined:?}");
        assert_eq!(world.read(&payment).await.version() > 0, is_joined);
        // Two that collide may both lose, and try again.
        assert!(!is_joined || matches!(written, WriteOutcome::Lost(_)), "{written:?}");
    }
}

crate::support::by_statements_and_by_puts! {
    a_payment_and_its_second_name_are_written_together,
    a_payment_that_was_recorded_twice_is_awaited_once,
    nothing_is_written_when_one_of_the_names_has_changed,
    a_first_write_under_a_second_name_loses,
    of_a_join_and_a_first_write_at_once_exactly_one_wins,
}

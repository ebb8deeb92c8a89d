//! Queues, the evidence bucket, secrets, and slow answers.

use fundhook_domain::Provider;
use fundhook_ports::fakes::{EvidenceBucket, Fail, Fake, Latency, Queue, SecretVault};
use fundhook_ports::{Archive, ReadSecret, SendMessage, SendMessages};

#[tokio::test]
async fn a_queue_takes_what_it_does_not_refuse_and_shows_both() {
    let queue = Fake::<Queue>::refusing("bad");
    let outcomes = queue.send_all(["one", "bad", "two"].map(|body| body.to_owned().into()).to_vec()).await;
    assert_eq!(outcomes.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    queue.now().on_send = Fail::Next(1);
    let outcomes = queue.send_all(["three", "four"].map(|body| body.to_owned().into()).to_vec()).await;
    assert!(outcomes.len() == 2 && outcomes.iter().all(Result::is_err));
    queue.send("five".to_owned().into()).await.expect("only the next call failed");
    assert_eq!(queue.sent(), ["one", "two", "five"]);
    assert_eq!(queue.offered(), ["one", "bad", "two", "three", "four", "five"]);
    assert_eq!(queue.calls(), 3);
}

#[tokio::test]
async fn a_bucket_that_is_down_stores_nothing_and_counts_the_call() {
    let bucket = Fake::<EvidenceBucket>::default();
    bucket.now().on_put = Fail::Next(1);
    bucket.put("key", vec![1]).await.expect_err("it is down");
    bucket.put("key", vec![2]).await.expect("it is up");
    let bucket = bucket.now();
    assert_eq!((bucket.puts, &bucket.objects[..]), (2, &[("key".to_owned(), vec![2])][..]));
}

#[tokio::test]
async fn calls_that_wait_for_a_slow_answer_are_counted_together() {
    let latency = Fake::new(Latency { turns: 3, ..Latency::default() });
    let vaults: [Fake<SecretVault>; 2] = Default::default();
    for vault in &vaults {
        vault.store(&"{}");
        vault.now().latency = latency.clone();
    }
    let (first, second) = tokio::join!(vaults[0].read(Provider::Striga), vaults[1].read(Provider::Striga));
    assert!(first.is_ok() && second.is_ok());
    let latency = latency.now();
    assert_eq!((latency.waiting, latency.waiting_max), (0, 2));
    assert_eq!(vaults.map(|vault| vault.reads()), [1, 1]);
}

//! The evidence bucket, against an endpoint that sends the responses of a test.

use fundhook_adapters::{Aws, Bucket};
use fundhook_ports::ReadArchive;

use crate::support::server::{Answer, Server};

fn page(keys: &[&str], next: Option<&str>) -> Answer {
    let contents: String = keys.iter().map(|key| format!("<Contents><Key>{key}</Key></Contents>")).collect();
    let more = next.map(|token| format!("<NextContinuationToken>{token}</NextContinuationToken>")).unwrap_or_default();
    let is_truncated = next.is_some();
    let xml = format!("<ListBucketResult><IsTruncated>{is_truncated}</IsTruncated>{more}{contents}</ListBucketResult>");
    Answer::new(200, "application/xml", xml)
}

#[tokio::test]
async fn an_empty_page_of_objects_does_not_end_the_archive() {
    let server = Server::answering(|asked| match asked.line().contains("continuation-token") {
        false => page(&[], Some("t1")),
        true => page(&["evidence/v1/2026/11/20/a"], Some("t2")),
    })
    .await;
    let aws = Aws::local(&server.url, "test").expect("a local connection");
    let listed = Bucket::new(&aws, "evidence".to_owned()).objects("evidence/v1/2026/11/19").await.expect("keys");
    assert_eq!(listed, ["evidence/v1/2026/11/20/a"], "the caller asks for what follows the last key");
    let asked: Vec<String> = server.asked().iter().map(|asked| asked.line().to_owned()).collect();
    assert_eq!(asked.len(), 2);
    assert!(!asked[0].contains("continuation-token"), "{asked:?}");
    assert!(asked[1].contains("continuation-token=t1"), "{asked:?}");

    let server = Server::always(page(&[], None)).await;
    let aws = Aws::local(&server.url, "test").expect("a local connection");
    assert!(Bucket::new(&aws, "evidence".to_owned()).objects("").await.expect("no keys").is_empty());
}

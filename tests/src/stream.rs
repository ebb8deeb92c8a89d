//! Reads the table's stream as Lambda does.

use fundhook_local_stack::REGION;
use fundhook_sandbox::loopback_client;
use serde_json::{Value, json};

use crate::Platform;

/// A reader of the stream and its position.
pub struct Stream<'a> {
    platform: &'a Platform,
    http: reqwest::Client,
    iterator: String,
}

impl<'a> Stream<'a> {
    /// Reads from the current end of the stream.
    pub async fn open(platform: &'a Platform) -> Self {
        let mut stream = Self { platform, http: loopback_client(), iterator: String::new() };
        let table = platform.clients().dynamodb.describe_table().table_name(platform.output("TableName"));
        let table = table.send().await.expect("the table answers").table.expect("a description");
        let arn = table.latest_stream_arn.expect("the table has a stream");
        let described = stream.ask("DescribeStream", &json!({ "StreamArn": arn })).await;
        let shard = &described["StreamDescription"]["Shards"][0]["ShardId"];
        let start = json!({ "StreamArn": arn, "ShardId": shard, "ShardIteratorType": "LATEST" });
        let start = stream.ask("GetShardIterator", &start).await;
        start["ShardIterator"].as_str().expect("an iterator").clone_into(&mut stream.iterator);
        stream
    }

    /// The records since the last call, oldest first, in Lambda's form.
    pub async fn next(&mut self) -> Vec<Value> {
        let mut answer = self.ask("GetRecords", &json!({ "ShardIterator": self.iterator })).await;
        answer["NextShardIterator"].as_str().expect("the shard goes on").clone_into(&mut self.iterator);
        serde_json::from_value(answer["Records"].take()).expect("a list of records")
    }

    async fn ask(&self, operation: &str, request: &Value) -> Value {
        let account = self.platform.clients().account.as_str();
        // The emulator reads the account from this header and verifies no signature.
        let credential = format!("Credential={account}/20260101/{REGION}/dynamodb/aws4_request");
        let request = self
            .http
            .post(&self.platform.clients().endpoint)
            .header("x-amz-target", format!("DynamoDBStreams_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .header("authorization", format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"))
            .body(request.to_string());
        let answer = request.send().await.expect("the emulator answers");
        let (status, body) = (answer.status(), answer.text().await.expect("a body"));
        assert!(status.is_success(), "{operation}: {status} {body}");
        serde_json::from_str(&body).expect("JSON")
    }
}

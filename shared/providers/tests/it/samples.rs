//! The statements of each sample in `events`, with a reviewed snapshot for each.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use fundhook_domain::{Details, Provider, Statement, StatementContent};
use serde_json::{Map, Value, json};

use crate::support::samples::Sample;
use crate::support::statements::{archived, assert_can_be_stored, dropped};

impl Sample {
    /// The name of the sample's snapshot.
    fn snapshot(&self) -> String {
        format!("{}__{}", self.provider, self.name)
    }
}

/// `statement` as in its snapshot: without the evidence, which is the same for all samples of a provider.
fn without_evidence(statement: &Statement) -> Value {
    let StatementContent { id, event_type, status, occurred_at, undated: _, details, evidence: _, reading: _ } =
        &statement.content;
    json!({
        "resource": statement.resource,
        "id": id,
        "event_type": event_type,
        "status": status,
        "occurred_at": occurred_at,
        "details": details,
    })
}

#[test]
fn each_sample_has_the_statements_of_its_snapshot() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for sample in Sample::all() {
            let statements: Vec<Value> = sample.statements().iter().map(without_evidence).collect();
            insta::assert_snapshot!(sample.snapshot(), serde_json::to_string_pretty(&statements).expect("JSON"));
        }
    });
}

#[test]
fn each_sample_has_a_snapshot_and_each_snapshot_a_sample() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/snapshots");
    let entries = fs::read_dir(folder).expect("the folder of snapshots").map(|entry| entry.expect("an entry"));
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let snapshots: BTreeSet<String> = names.filter(|name| name.ends_with(".snap")).collect();
    let samples = Sample::all().iter().map(|sample| format!("{}.snap", sample.snapshot())).collect();
    assert_eq!(snapshots, samples);
}

#[test]
fn every_provider_has_samples_of_each_kind_that_it_reports() {
    for (provider, kinds) in [
        (Provider::Connect, &["deposit", "participant", "recovery", "unrecognized", "withdrawal"][..]),
        (
            Provider::Zerohash,
            &["balance", "deposit", "external_account", "participant", "recovery", "unrecognized", "withdrawal"],
        ),
        (
            Provider::Striga,
            &["deposit", "exchange", "external_account", "fee", "participant", "unrecognized", "withdrawal"],
        ),
    ] {
        let statements = Sample::of(provider).iter().flat_map(Sample::statements).collect::<Vec<_>>();
        let found: BTreeSet<&str> = statements.iter().map(|statement| statement.resource.kind().as_str()).collect();
        assert_eq!(Vec::from_iter(found), kinds, "{provider}");
    }
}

#[test]
fn nothing_in_a_recognized_sample_is_dropped() {
    let mut recognized = 0;
    for sample in Sample::all() {
        let statements = sample.statements();
        if statements.iter().all(|statement| !matches!(statement.content.details, Details::Unrecognized(_))) {
            // A body that strict parsers do not read (with a byte order mark) is in the tests of odd members.
            let Ok(body) = serde_json::from_slice::<Map<String, Value>>(&sample.body) else { continue };
            assert_eq!(dropped(&json!(body), &statements), Vec::<String>::new(), "{}", sample.snapshot());
            recognized += 1;
        }
    }
    assert!(recognized >= 45, "{recognized} samples are recognized");
}

#[test]
fn every_statement_of_a_sample_can_be_stored_and_names_its_evidence() {
    for sample in Sample::all() {
        for statement in sample.statements() {
            assert_can_be_stored(&statement, &sample.snapshot());
            assert_eq!(statement.content.evidence.archived, archived());
            let status = statement.content.status;
            assert!(status.is_none_or(|status| status.kind() == statement.resource.kind()), "{}", sample.snapshot());
        }
    }
}

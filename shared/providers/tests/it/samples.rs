//! What each sample in `events` becomes, one reviewed snapshot for each.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use fundhook_domain::{Details, Provider, Statement};
use serde_json::{Map, Value, json};

use crate::support::said::{archived, assert_can_be_stored, dropped};
use crate::support::samples::Sample;

impl Sample {
    /// The name of its snapshot.
    fn snapshot(&self) -> String {
        format!("{}__{}", self.provider, self.name)
    }
}

/// `signal` as its snapshot has it: without the evidence, which is the same for all of a provider's.
fn without_evidence(statement: &Statement) -> Value {
    let mut json = serde_json::to_value(statement).expect("JSON");
    json.as_object_mut().and_then(|members| members.remove("evidence")).expect("every signal has evidence");
    json
}

#[test]
fn each_sample_becomes_these_statements() {
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
fn every_provider_has_samples_whose_signals_are_about_each_thing_that_it_tells_of() {
    for (provider, kinds) in [
        (Provider::Connect, &["deposit", "recovery", "unrecognized", "withdrawal"][..]),
        (
            Provider::Zerohash,
            &["balance", "deposit", "external_account", "participant", "recovery", "unrecognized", "withdrawal"],
        ),
        (Provider::Striga, &["deposit", "fee", "unrecognized", "withdrawal"]),
    ] {
        let statements = Sample::of(provider).iter().flat_map(Sample::statements).collect::<Vec<_>>();
        let found: BTreeSet<&str> = statements.iter().map(|statement| statement.resource.kind().as_str()).collect();
        assert_eq!(Vec::from_iter(found), kinds, "{provider}");
    }
}

#[test]
fn nothing_that_an_understood_sample_says_is_dropped() {
    let mut understood = 0;
    for sample in Sample::all() {
        let statements = sample.statements();
        if statements.iter().all(|statement| !matches!(statement.details, Details::Unrecognized(_))) {
            let body: Map<String, Value> = serde_json::from_slice(&sample.body).expect("understood, so an object");
            assert_eq!(dropped(&json!(body), &statements), Vec::<String>::new(), "{}", sample.snapshot());
            understood += 1;
        }
    }
    assert!(understood >= 45, "{understood} samples are understood");
}

#[test]
fn every_signal_of_a_sample_can_be_stored_and_names_the_evidence_for_it() {
    for sample in Sample::all() {
        for statement in sample.statements() {
            assert_can_be_stored(&statement, &sample.snapshot());
            assert_eq!(statement.evidence.archived, archived());
            assert_eq!(statement.resource.kind(), statement.status.kind(), "{}", sample.snapshot());
        }
    }
}

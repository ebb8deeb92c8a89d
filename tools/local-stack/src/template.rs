//! Replaces each `CodeUri` in the template with the uploaded code, as `sam package` does.

use std::fmt::Write;

use thiserror::Error;

use super::package::Package;

/// The property that names a function's code, and the one that names its program, in the metadata before it.
const CODE: &str = "CodeUri:";
const BINARY: &str = "Binary:";

/// Why the template does not match the functions.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TemplateError {
    #[error("line {line} of the template: {resource} has a CodeUri, but its metadata names no program that is built")]
    Unknown {
        /// Counted from 1.
        line: usize,
        /// The logical id.
        resource: String,
    },
    #[error("no function of the template runs the program {0}")]
    Missing(&'static str),
    #[error("the template is not JSON: {0}")]
    Json(String),
}

/// Replaces the `CodeUri` of each function by the `uri` of the program that its metadata names. Two functions may run the same
/// program.
///
/// Works on lines, so that comments, order and short forms such as `!Ref` are unchanged. A key indented by two spaces is a
/// logical id.
///
/// # Errors
/// When no function runs a package's program, or a function runs another one.
pub(super) fn with_code(
    template: &str,
    packages: &[Package],
    uri: impl Fn(&Package) -> String,
) -> Result<String, TemplateError> {
    let mut rewritten = String::with_capacity(template.len());
    let (mut resource, mut binary) = ("", "");
    let mut missing: Vec<&'static str> = packages.iter().map(|package| package.program.package).collect();
    for (index, line) in template.lines().enumerate() {
        if let Some(id) = logical_id(line) {
            (resource, binary) = (id, "");
        }
        let content = line.trim_start();
        if let Some(name) = content.strip_prefix(BINARY) {
            binary = name.trim();
        }
        if content.starts_with(CODE) {
            let package = packages.iter().find(|package| package.program.package == binary);
            let package =
                package.ok_or_else(|| TemplateError::Unknown { line: index + 1, resource: resource.to_owned() })?;
            missing.retain(|other| *other != binary);
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

    /// A function with this logical id that runs `program`.
    fn function((id, program): (&str, &str)) -> String {
        format!(
            "  {id}:\n    Type: AWS::Serverless::Function\n    Metadata:\n      BuildProperties:\n        Binary: {program}\n    \
             Properties:\n      CodeUri: ../\n      Timeout: 5\n"
        )
    }

    fn template<'a>(functions: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
        let functions: String = functions.into_iter().map(function).collect();
        format!("# The stack.\nResources:\n{functions}  Topic:\n    Type: AWS::SNS::Topic\n")
    }

    fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
        Function::ALL.into_iter().map(|function| (function.logical_id(), function.package()))
    }

    #[test]
    fn each_function_gets_the_code_of_its_program_and_nothing_else_changes() {
        let before = template(all().chain([("Second", "fan-out")]));
        let uri = |package: &Package| format!("s3://code/{}.zip", package.program.package);
        let after = with_code(&before, &packages(), uri).expect("complete");
        assert!(!after.contains("CodeUri: ../"));
        for (old, new) in before.lines().zip(after.lines()) {
            assert!(old == new || old == "      CodeUri: ../", "{old:?} was changed to {new:?}");
        }
        for id in ["FanOutFunction", "Second"] {
            let function = after.split(&format!("  {id}:")).nth(1).expect("it is there");
            assert!(function.contains("\n      CodeUri: s3://code/fan-out.zip\n      Timeout: 5\n"), "{id}");
        }
    }

    #[test]
    fn a_program_that_no_function_runs_is_an_error_that_names_it() {
        let some = all().filter(|(_, program)| *program != "publisher");
        let missing = with_code(&template(some), &packages(), |_| String::new());
        assert_eq!(missing, Err(TemplateError::Missing("publisher")));
    }

    #[test]
    fn a_function_that_runs_no_program_of_ours_is_an_error_with_its_line() {
        let with_another = template(all().chain([("ReporterFunction", "reporter")]));
        let line = with_another.lines().count() - 3;
        assert_eq!(
            with_code(&with_another, &packages(), |_| String::new()),
            Err(TemplateError::Unknown { line, resource: "ReporterFunction".to_owned() })
        );
    }
}

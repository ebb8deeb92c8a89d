//! The template of a release: `infra/template.yaml`, with the zips of the release as the code of the functions.

use std::fmt::Write as _;

use fundhook_local_stack::Function;
use thiserror::Error;

use super::Architecture;

/// Why the template of a release was not made.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum TemplateError {
    #[error(
        "line {line} of infra/template.yaml: {resource} has a CodeUri, and the Metadata before it names no `Binary` \
         of a release"
    )]
    UnknownProgram {
        /// Counted from 1.
        line: usize,
        /// The logical id.
        resource: String,
    },
    #[error(
        "line {line} of infra/template.yaml: a release removes the Metadata of functions, and `{key}` of {resource} is \
         not about building; teach `cargo xtask release` to keep it"
    )]
    Metadata {
        /// Counted from 1.
        line: usize,
        /// The logical id.
        resource: String,
        key: String,
    },
    #[error("no function of infra/template.yaml runs {0}")]
    MissingProgram(&'static str),
    #[error("infra/template.yaml has no `{0}` of the parameter Architecture, which a release replaces")]
    MissingProperty(&'static str),
}

/// The properties of the parameter Architecture that a release replaces.
const OF_ARCHITECTURE: [&str; 4] = ["Description", "Default", "AllowedValues", "ConstraintDescription"];

/// What the metadata of a function may have, because it is about building alone.
const ABOUT_BUILDING: [&str; 3] = ["BuildMethod", "BuildProperties", "Binary"];

/// Where a line of the template is.
#[derive(Default)]
struct Place<'a> {
    /// The key without indentation, such as `Resources`.
    section: &'a str,
    /// The parameter or the resource.
    owner: &'a str,
    is_function: bool,
    /// The program that the function runs, as its metadata says.
    program: Option<&'a str>,
}

/// What happens to a property and the lines below it that are indented more.
enum Change {
    Keep,
    Remove,
    /// The new value, on the line of the key.
    Replace(String),
}

/// The template in which each function's code is `functions/<program>.zip`, nothing has to be built, and the architecture
/// is the one of the release.
///
/// Works on lines, so that comments, order and short forms such as `!Ref` are unchanged.
pub(super) fn of_release(template: &str, architecture: Architecture) -> Result<String, TemplateError> {
    let mut released = String::with_capacity(template.len());
    let mut programs = Function::ALL.map(Function::package).to_vec();
    let mut properties = OF_ARCHITECTURE.to_vec();
    let mut place = Place::default();
    // The indentation and the key of a removed or replaced property, while the lines below it are skipped.
    let mut skipped: Option<(usize, &str)> = None;
    for (line, text) in (1..).zip(template.lines()) {
        let content = text.trim_start();
        let indentation = text.len() - content.len();
        if let Some((outer, property)) = skipped {
            if !content.is_empty() && indentation > outer {
                if property == "Metadata" {
                    place.read_metadata(line, content)?;
                }
                continue;
            }
            skipped = None;
        }
        let Some((key, value)) = entry(content) else {
            push_line(&mut released, text);
            continue;
        };
        place.enter(indentation, key, value);
        match place.change(line, indentation, key, architecture)? {
            Change::Keep => {
                push_line(&mut released, text);
                continue;
            }
            Change::Remove => {}
            Change::Replace(value) => {
                push_line(&mut released, &format!("{}{key}: {value}", &text[..indentation]));
            }
        }
        skipped = Some((indentation, key));
        if key == "CodeUri" {
            programs.retain(|program| Some(*program) != place.program);
        } else {
            properties.retain(|property| *property != key);
        }
    }
    match (programs.first(), properties.first()) {
        (Some(program), _) => Err(TemplateError::MissingProgram(program)),
        (None, Some(property)) => Err(TemplateError::MissingProperty(property)),
        (None, None) => Ok(released),
    }
}

impl<'a> Place<'a> {
    fn enter(&mut self, indentation: usize, key: &'a str, value: &str) {
        match indentation {
            0 => *self = Self { section: key, ..Self::default() },
            2 => *self = Self { section: self.section, owner: key, ..Self::default() },
            4 if key == "Type" => self.is_function = value == "AWS::Serverless::Function",
            _ => {}
        }
    }

    /// A line of the metadata of a function, all of which a release removes.
    fn read_metadata(&mut self, line: usize, content: &'a str) -> Result<(), TemplateError> {
        match entry(content) {
            Some(("Binary", program)) => self.program = Some(program),
            Some((key, _)) if !ABOUT_BUILDING.contains(&key) => {
                return Err(TemplateError::Metadata { line, resource: self.owner.to_owned(), key: key.to_owned() });
            }
            _ => {}
        }
        Ok(())
    }

    fn change(
        &self,
        line: usize,
        indentation: usize,
        key: &str,
        architecture: Architecture,
    ) -> Result<Change, TemplateError> {
        let name = architecture.as_str();
        Ok(match (self.section, indentation, key) {
            ("Resources", 4, "Metadata") if self.is_function => Change::Remove,
            ("Resources", 6, "CodeUri") => {
                let known = |program: &&str| Function::ALL.iter().any(|function| function.package() == *program);
                let program = self.program.filter(known);
                let program =
                    program.ok_or_else(|| TemplateError::UnknownProgram { line, resource: self.owner.to_owned() })?;
                Change::Replace(format!("functions/{program}.zip"))
            }
            ("Parameters", 4, _) if self.owner == "Architecture" => match key {
                "Description" => {
                    Change::Replace("The processor architecture of the functions in this release.".to_owned())
                }
                "Default" => Change::Replace(name.to_owned()),
                "AllowedValues" => Change::Replace(format!("[{name}]")),
                "ConstraintDescription" => {
                    Change::Replace(format!("Must be {name}, the architecture of this release."))
                }
                _ => Change::Keep,
            },
            _ => Change::Keep,
        })
    }
}

/// The key and the value of a line such as `Timeout: 5`.
fn entry(content: &str) -> Option<(&str, &str)> {
    let (key, value) = content.split_once(':')?;
    let is_name = !key.is_empty() && key.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    (is_name && (value.is_empty() || value.starts_with(' '))).then_some((key, value.trim()))
}

fn push_line(text: &mut String, line: &str) {
    // Writing to a string cannot fail.
    writeln!(text, "{line}").ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMETER: &str = "\
# The stack.
Parameters:
  Architecture:
    Description: >-
      Of the functions,
      all six.
    Type: String
    Default: arm64
    AllowedValues: [arm64, x86_64]
    ConstraintDescription: Must be one of both.

";

    fn function(id: &str, program: &str) -> String {
        format!(
            "  {id}:
    Type: AWS::Serverless::Function
    Metadata:
      BuildMethod: rust-cargolambda
      BuildProperties:
        Binary: {program}
    Properties:
      # Here.
      CodeUri: ../
      Timeout: 5

"
        )
    }

    fn template() -> String {
        let functions = Function::ALL.map(|one| function(one.logical_id(), one.package())).concat();
        format!("{PARAMETER}Resources:\n{functions}")
    }

    fn released(template: &str) -> Result<String, TemplateError> {
        of_release(template, Architecture::X86_64)
    }

    #[test]
    fn a_property_on_several_lines_is_replaced_as_a_whole() {
        let released = released(&template()).expect("complete");
        let parameter = released.split("Resources:").next().expect("the first part");
        let expected = "\
# The stack.
Parameters:
  Architecture:
    Description: The processor architecture of the functions in this release.
    Type: String
    Default: x86_64
    AllowedValues: [x86_64]
    ConstraintDescription: Must be x86_64, the architecture of this release.

";
        assert_eq!(parameter, expected);
    }

    #[test]
    fn two_functions_can_run_one_program() {
        let template = format!("{}{}", template(), function("SecondPublisherFunction", "publisher"));
        let released = released(&template).expect("complete");
        let second = released.split("  SecondPublisherFunction:\n").nth(1).expect("it is there");
        let expected = "    Type: AWS::Serverless::Function
    Properties:
      # Here.
      CodeUri: functions/publisher.zip
      Timeout: 5

";
        assert_eq!(second, expected);
    }

    #[test]
    fn metadata_that_is_not_about_building_is_an_error_with_its_line() {
        let template = template().replacen("    Properties:\n", "      cfn-lint: {}\n    Properties:\n", 1);
        let (resource, key) = ("ReceiverFunction".to_owned(), "cfn-lint".to_owned());
        assert_eq!(released(&template), Err(TemplateError::Metadata { line: 19, resource, key }));
    }

    #[test]
    fn the_code_of_an_unknown_program_is_an_error_with_its_line() {
        let template = template().replace("Binary: fan-out", "Binary: reporter");
        let resource = "FanOutFunction".to_owned();
        assert_eq!(released(&template), Err(TemplateError::UnknownProgram { line: 32, resource }));
    }

    #[test]
    fn a_program_that_no_function_runs_is_an_error_that_names_it() {
        let template = template().replace(&function("ReconcilerFunction", "reconciler"), "");
        assert_eq!(released(&template), Err(TemplateError::MissingProgram("reconciler")));
    }

    #[test]
    fn what_a_release_replaces_must_be_there() {
        let template = template().replace("    Default: arm64\n", "");
        assert_eq!(released(&template), Err(TemplateError::MissingProperty("Default")));
    }
}

//! The tables of the template's parameters, one for each of its groups.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::marked_part::MarkedPart;
use super::{GenerateError, cell_text, table_head, table_row};

const TEMPLATE: &str = "infra/template.yaml";

/// The parts of the template that are read. The others have tags such as `!Ref`, which are skipped.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Template {
    metadata: Metadata,
    parameters: BTreeMap<String, Parameter>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "AWS::CloudFormation::Interface")]
    interface: Interface,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Interface {
    parameter_groups: Vec<ParameterGroup>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ParameterGroup {
    label: Label,
    parameters: Vec<String>,
}

#[derive(Deserialize)]
struct Label {
    default: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    #[serde(default)]
    default: Scalar,
    description: String,
    #[serde(default)]
    allowed_values: Vec<Scalar>,
    min_value: Option<Scalar>,
    max_value: Option<Scalar>,
}

/// A text or a number of the template.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Number(i64),
    Text(String),
}

impl Default for Scalar {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl Scalar {
    fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

pub(super) fn tables(template: &str) -> Result<MarkedPart, GenerateError> {
    let invalid = |why: String| GenerateError::Invalid { file: TEMPLATE, why };
    let template: Template = serde_saphyr::from_str(template).map_err(|error| invalid(error.to_string()))?;
    let mut markdown = String::new();
    for ParameterGroup { label, parameters } in &template.metadata.interface.parameter_groups {
        markdown.push_str(&format!("## {}\n\n", label.default));
        markdown.push_str(&table_head(&["parameter", "default", "allowed", "description"]));
        for name in parameters {
            let parameter = template.parameters.get(name);
            let parameter = parameter.ok_or_else(|| invalid(format!("a group has the unknown parameter {name}")))?;
            markdown.push_str(&row(name, parameter));
        }
        markdown.push('\n');
    }
    let listed = template.metadata.interface.parameter_groups.iter().flat_map(|group| &group.parameters);
    let listed: Vec<&String> = listed.collect();
    match template.parameters.keys().find(|name| !listed.contains(name)) {
        Some(name) => Err(invalid(format!("the parameter {name} is in no group"))),
        None => Ok(MarkedPart { name: "template parameters", markdown }),
    }
}

fn row(name: &str, parameter: &Parameter) -> String {
    let code = |text: &str| if text.is_empty() { "empty".to_owned() } else { format!("`{text}`") };
    let allowed = match (&parameter.min_value, &parameter.max_value) {
        _ if !parameter.allowed_values.is_empty() => {
            let values = parameter.allowed_values.iter().map(|value| code(&value.text()));
            values.collect::<Vec<_>>().join(", ")
        }
        (Some(min), Some(max)) => format!("{} to {}", min.text(), max.text()),
        (Some(min), None) => format!("at least {}", min.text()),
        (None, Some(max)) => format!("at most {}", max.text()),
        (None, None) => String::new(),
    };
    let (name, default) = (format!("`{name}`"), code(&parameter.default.text()));
    table_row([name.as_str(), &default, &allowed, &cell_text(&parameter.description)])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "
Metadata:
  AWS::CloudFormation::Interface:
    ParameterGroups:
      - Label: { default: Keys }
        Parameters: [Mode, AgeSeconds, Url]
Parameters:
  Mode: { Type: String, Default: 'on', AllowedValues: ['on', 'off'], Description: \"Whether <keys> | are used.\" }
  AgeSeconds: { Type: Number, Default: 300, MinValue: 30, MaxValue: 3600, Description: The age. }
  Url:
    Type: String
    Default: ''
    Description: >-
      The
      URL.
Conditions:
  IsOn: !Equals [!Ref Mode, 'on']
Resources:
  Function:
    Properties:
      Role: !GetAtt Role.Arn
      Url: !Sub
        - ${Url}x
        - { Url: !If [IsOn, !Ref Url, !Ref AWS::NoValue] }
";

    #[test]
    fn a_group_is_a_table_and_the_tags_of_other_sections_are_skipped() {
        let expected = "## Keys\n\n| parameter | default | allowed | description |\n|---|---|---|---|\n\
             | `Mode` | `on` | `on`, `off` | Whether &lt;keys> \\| are used. |\n\
             | `AgeSeconds` | `300` | 30 to 3600 | The age. |\n\
             | `Url` | empty | | The URL. |\n\n";
        assert_eq!(tables(TEMPLATE).expect("valid").markdown, expected);
    }

    #[test]
    fn a_parameter_without_a_group_and_a_group_without_its_parameter_are_errors() {
        let error = |template: String| tables(&template).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error(TEMPLATE.replace(", Url]", "]")).contains("Url is in no group"));
        assert!(error(TEMPLATE.replace("[Mode,", "[Mode, Other,")).contains("unknown parameter Other"));
    }
}

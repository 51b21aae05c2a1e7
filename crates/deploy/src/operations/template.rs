//! GetTemplate and ValidateTemplate, and where a template comes from.

use ::template::ParameterDefinition;
use control::Ctx;
use model::Snapshot;
use shapes::cloudformation::{
    GetTemplateInput, GetTemplateOutput, TemplateParameter, ValidateTemplateInput,
    ValidateTemplateOutput,
};
use wire::Fault;

use super::create::fault;
use super::existing_id;

/// The text of a stack's template.
///
/// # Errors
/// `ValidationError`: no such stack.
pub fn get_template(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetTemplateInput,
) -> Result<GetTemplateOutput, Fault> {
    if input.change_set_name.is_some() {
        return Err(Fault::validation("Change sets are not supported by Breezeway yet."));
    }
    let name = input.stack_name.unwrap_or_default();
    if name.is_empty() {
        return Err(Fault::validation("StackName is required if ChangeSetName is not specified."));
    }
    let stack = existing_id(ctx, state, &name)?;
    // AWS: both stages are always listed; without transforms they are the same.
    let stages = ["Original", "Processed"].map(String::from).to_vec();
    let template_body = Some(stack.template.clone());
    Ok(GetTemplateOutput { template_body, stages_available: Some(stages) })
}

/// What a template says of itself.
///
/// # Errors
/// `ValidationError`: whatever is wrong with it that needs no parameter values to see.
pub fn validate_template(
    _: &Ctx<'_>,
    _: &Snapshot,
    input: ValidateTemplateInput,
) -> Result<ValidateTemplateOutput, Fault> {
    let text = body(input.template_body.as_deref(), input.template_url.as_deref())?;
    let template = ::template::parse(&text).map_err(fault)?;
    let capability = template.capability();
    let parameter = |definition: &ParameterDefinition| TemplateParameter {
        parameter_key: Some(definition.name.clone()),
        default_value: definition.default.clone(),
        no_echo: Some(definition.no_echo),
        description: definition.description.clone(),
    };
    Ok(ValidateTemplateOutput {
        parameters: Some(template.parameters.iter().map(parameter).collect()),
        description: template.description.clone(),
        capabilities: capability.map(|name| vec![name.to_string()]),
        capabilities_reason: capability.map(|_| reason(&template)),
        declared_transforms: None,
    })
}

fn reason(template: &::template::Template) -> String {
    let is_iam = |kind: &&str| kind.starts_with("AWS::IAM::");
    let kinds = template.resources.iter().map(|r| r.kind.as_str()).filter(is_iam);
    let kinds: std::collections::BTreeSet<&str> = kinds.collect();
    let kinds: Vec<&str> = kinds.into_iter().collect();
    format!("The following resource(s) require capabilities: [{}]", kinds.join(", "))
}

/// The text of a template that a request gives.
///
/// # Errors
/// `ValidationError`: none or two given, or at a URL.
// DEVIATION: TemplateURL is refused, because there is no S3 to read a template from.
// DEVIATION: a template in TemplateBody may have 1,000,000 bytes; AWS takes 51,200 there and longer
// ones from S3 only.
pub fn body(body: Option<&str>, url: Option<&str>) -> Result<String, Fault> {
    let text = match (body, url) {
        (Some(text), None) => text,
        (None, Some(_)) => {
            let text = "TemplateURL is not supported by Breezeway: give the template inline.";
            return Err(Fault::validation(text));
        }
        _ => {
            let text = "Either Template URL or Template Body must be specified.";
            return Err(Fault::validation(text));
        }
    };
    Ok(text.to_string())
}

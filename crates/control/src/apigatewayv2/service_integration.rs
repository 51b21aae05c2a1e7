//! `AWS_PROXY`: Lambda functions and AWS services. AWS's own checks come first, so that a mistake
//! is called by its name; then the integration is refused, since nothing here could run it.

use model::gateway::Integration;
use wire::Fault;

use super::fault;

/// Subtypes and the parameters that each needs.
const SUBTYPES: [(&str, &[&str]); 10] = [
    ("EventBridge-PutEvents", &["Detail", "DetailType", "Source"]),
    ("SQS-SendMessage", &["QueueUrl", "MessageBody"]),
    ("SQS-ReceiveMessage", &["QueueUrl"]),
    ("SQS-DeleteMessage", &["ReceiptHandle", "QueueUrl"]),
    ("SQS-PurgeQueue", &["QueueUrl"]),
    ("AppConfig-GetConfiguration", &["Application", "Environment", "Configuration", "ClientId"]),
    ("Kinesis-PutRecord", &["StreamName", "Data", "PartitionKey"]),
    ("StepFunctions-StartExecution", &["StateMachineArn"]),
    ("StepFunctions-StartSyncExecution", &["StateMachineArn"]),
    ("StepFunctions-StopExecution", &["ExecutionArn"]),
];

/// Passes HTTP proxy integrations and refuses all others.
pub(super) fn check(record: &Integration) -> Result<(), Fault> {
    match (record.integration_type.as_str(), &record.subtype) {
        ("AWS_PROXY", None) => Err(fault::not_built("Lambda integrations (AWS_PROXY) are")),
        ("AWS_PROXY", Some(subtype)) => {
            check_subtype(record, subtype)?;
            Err(fault::not_built("AWS service integrations (AWS_PROXY with a subtype) are"))
        }
        (_, Some(_)) => Err(Fault::bad_request(
            "IntegrationSubtype can only be specified for integrations of type AWS_PROXY",
        )),
        (_, None) => Ok(()),
    }
}

fn check_subtype(record: &Integration, subtype: &str) -> Result<(), Fault> {
    let known = SUBTYPES.iter().find(|(name, _)| *name == subtype);
    // AWS: service integrations know payload version 1.0 only.
    let Some((_, required)) = known.filter(|_| record.payload_format_version == "1.0") else {
        return Err(Fault::bad_request(format!("Operation: {subtype} is not supported.")));
    };
    if required.iter().any(|name| !record.request_parameters.contains_key(*name)) {
        return Err(Fault::bad_request(format!(
            "Operation: {subtype} requires enabling passthrough, or defining all of the following \
             parameters: [{}]",
            required.join(", ")
        )));
    }
    if record.credentials_arn.is_none() {
        return Err(Fault::bad_request(format!(
            "Role ARN must be specified for AWS integration configuration with Subtype: {subtype}"
        )));
    }
    Ok(())
}

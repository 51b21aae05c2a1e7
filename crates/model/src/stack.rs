//! Records of CloudFormation stacks: stack, resource, event.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::table::Key;
use crate::{Scope, StackId, Tags, Timestamp};

/// Logical id of a resource in its template.
pub type LogicalId = crate::table::TextKey;

/// Number of an event within its stack, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventNumber(pub u64);

impl Key for EventNumber {
    fn text(&self) -> String {
        format!("{:012}", self.0)
    }

    fn least() -> Self {
        Self(0)
    }
}

/// A stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stack {
    /// Account and region.
    pub scope: Scope,
    /// `arn:…:stack/NAME/UUID`.
    pub id: StackId,
    /// Unique among stacks that are not deleted.
    pub name: String,
    /// `Description` of the template.
    pub description: Option<String>,
    /// The template as given.
    pub template: String,
    /// Values of all parameters.
    pub parameters: BTreeMap<String, StackParameter>,
    /// `CREATE_IN_PROGRESS` and the like.
    pub status: String,
    /// Why, for failures.
    pub status_reason: Option<String>,
    /// Output name to (value, description, export name).
    pub outputs: BTreeMap<String, StackOutput>,
    /// Names of other stacks' exports that this one uses.
    pub imports: BTreeSet<String>,
    /// `CAPABILITY_IAM` and the like, as given.
    pub capabilities: Vec<String>,
    /// `NotificationARNs` as given; nothing is sent there.
    pub notification_arns: Vec<String>,
    /// `ROLLBACK` (default), `DO_NOTHING` or `DELETE`.
    pub on_failure: String,
    /// Refuses deletion.
    pub termination_protection: bool,
    /// `RetainResources` of the deletion that is running.
    pub retain: BTreeSet<LogicalId>,
    /// How many events there are; the number of the last one.
    pub events: u64,
    /// Tags.
    pub tags: Tags,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Option<Timestamp>,
    /// When it was deleted.
    pub deleted: Option<Timestamp>,
}

/// A parameter of a stack.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StackParameter {
    /// As given or defaulted.
    pub value: String,
    /// What the parameter store held, for its types.
    pub resolved: Option<String>,
    /// Describe calls show `****`.
    pub no_echo: bool,
}

/// An output of a stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StackOutput {
    /// The value.
    pub value: String,
    /// Free text.
    pub description: Option<String>,
    /// Name that other stacks import it by.
    pub export: Option<String>,
}

/// A resource of a stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StackResource {
    /// The stack.
    pub stack: StackId,
    /// Its name in the template.
    pub logical_id: LogicalId,
    /// What `Ref` of it answers; empty until it is made.
    pub physical_id: String,
    /// `AWS::EC2::VPC` and the like.
    pub resource_type: String,
    /// `CREATE_COMPLETE` and the like.
    pub status: String,
    /// Why, for failures.
    pub status_reason: Option<String>,
    /// Properties as they were applied, JSON text (for deletion and diffs).
    pub properties: String,
    /// The resources that it refers to or depends on.
    pub needs: BTreeSet<LogicalId>,
    /// `DeletionPolicy`: `Delete`, `Retain`, ….
    pub deletion_policy: String,
    /// `UpdateReplacePolicy`
    pub update_replace_policy: String,
    /// When work on it began, to give up waiting for it.
    pub started: Timestamp,
    /// When the status last changed.
    pub updated: Timestamp,
}

/// An event of a stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StackEvent {
    /// The stack.
    pub stack: StackId,
    /// Its place in the order of events.
    pub number: EventNumber,
    /// `EventId`
    pub id: String,
    /// The resource, or the stack's name.
    pub logical_id: String,
    /// Empty until known.
    pub physical_id: String,
    /// `AWS::CloudFormation::Stack` for the stack itself.
    pub resource_type: String,
    /// `CREATE_IN_PROGRESS` and the like.
    pub status: String,
    /// Why.
    pub reason: Option<String>,
    /// Resolved properties, JSON text.
    pub properties: Option<String>,
    /// When.
    pub at: Timestamp,
}

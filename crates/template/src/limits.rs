//! Every limit on a template, with its unit. Source: AWS "CloudFormation quotas", unless noted.

/// Bytes of a template from any source. AWS: 51,200 in the request itself, this many from S3.
pub const TEMPLATE_BYTES: usize = 1_000_000;
/// Resources per template.
pub const RESOURCES: usize = 500;
/// Parameters per template.
pub const PARAMETERS: usize = 200;
/// Outputs per template.
pub const OUTPUTS: usize = 200;
/// Mappings per template.
pub const MAPPINGS: usize = 200;
/// Attributes per mapping.
pub const MAPPING_ATTRIBUTES: usize = 200;
/// Bytes of a template's description.
pub const DESCRIPTION_BYTES: usize = 1024;
/// Bytes of a parameter value.
pub const PARAMETER_BYTES: usize = 4096;
/// Characters of a logical id (parameters, resources, outputs, mappings).
pub const NAME_CHARACTERS: usize = 255;
/// Maps and lists inside one another (ours: keeps every walk over a template shallow).
pub const DEPTH: usize = 100;
/// Nodes of a template after YAML aliases are expanded (ours: stops alias bombs).
pub const NODES: usize = 200_000;
/// Bytes of one evaluated string, and elements of one evaluated list (ours: stops growth by
/// nested `Fn::Join` and `Fn::Split`).
pub const EVALUATED_BYTES: usize = 1_000_000;

//! Property tables: what is refused before anything is made, and what operations get.

use template::Value;
use wire::Node;

use crate::handlers::{self, TYPES};
use crate::job::{Job, Subject};
use crate::properties::{self, Spelling};

/// The refusal of a template with these resources, separated by semicolons; empty when there is
/// none.
fn refusal(resources: &str) -> String {
    let template =
        template::parse(&format!("Resources:\n  {}", resources.replace("; ", "\n  "))).unwrap();
    let empty = std::collections::BTreeMap::new();
    let exists = |_: &str, _: &str| true;
    let inputs = template::ParameterInputs { given: &empty, stored: &empty, exists: &exists };
    let scope = super::scope();
    let subject = Subject { scope: &scope, name: "s", id: "arn:s", notification_arns: &[] };
    let job = Job::new(template, &inputs, &subject, &model::Snapshot::default());
    job.err().map(|error| error.message).unwrap_or_default()
}

#[test]
#[allow(clippy::too_many_lines)] // A table.
fn refused_up_front() {
    let failed = "Properties validation failed for resource A with message: #";
    let rows = [
        ("A: {Type: AWS::EC2::InternetGateway}", String::new()),
        (
            "A: {Type: AWS::Foo::Bar}; B: {Type: AWS::ECS::Cluster}; C: {Type: AWS::Foo::Bar}",
            "Template format error: Unrecognized resource types: [AWS::ECS::Cluster, \
             AWS::Foo::Bar] (first: A, line 2)"
                .to_string(),
        ),
        (
            "A: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16, Colour: red}}",
            format!(
                "{failed}: extraneous key [Colour] is not permitted, or not supported by \
                 Breezeway (line 2, column 65)"
            ),
        ),
        (
            "A: {Type: AWS::EC2::VPC}",
            format!("{failed}: required key [CidrBlock] not found (line 2, column 3)"),
        ),
        (
            "A: {Type: AWS::EC2::VPC, Properties: {CidrBlock: [a]}}",
            format!(
                "{failed}/CidrBlock: expected type: String, found: JSONArray (line 2, column 52)"
            ),
        ),
        (
            "A: {Type: AWS::EC2::VPC, Properties: {CidrBlock: a, EnableDnsSupport: maybe}}",
            format!(
                "{failed}/EnableDnsSupport: expected type: Boolean, found: String (line 2, \
                 column 73)"
            ),
        ),
        (
            "A: {Type: AWS::EC2::VPC, Properties: {CidrBlock: a, EnableDnsSupport: 'TRUE'}}",
            String::new(),
        ),
        (
            "A: {Type: AWS::EC2::VPC, Properties: {CidrBlock: a, Tags: [{Key: k}]}}",
            format!("{failed}/Tags/0: required key [Value] not found (line 2, column 62)"),
        ),
        (
            "A: {Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {Port: x}}",
            format!("{failed}/Port: expected type: Integer, found: String (line 2, column 74)"),
        ),
        (
            "A: {Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {Port: '80'}}",
            String::new(),
        ),
        (
            "A: {Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {Matcher: 200}}",
            format!(
                "{failed}/Matcher: expected type: JSONObject, found: Number (line 2, column 77)"
            ),
        ),
        (
            "A: {Type: AWS::EC2::InternetGateway}; B: {Type: AWS::EC2::EIP, Metadata: {m: \
             !GetAtt A.Foo}}; C: {Type: AWS::EC2::VPC, Properties: {CidrBlock: !GetAtt A.Foo}}",
            "Template error: resource A does not support attribute type Foo in Fn::GetAtt"
                .to_string(),
        ),
        (
            "A: {Type: AWS::EC2::EIP}; B: {Type: AWS::EC2::VPC, Properties: {CidrBlock: !Sub \
             '${A.Foo}'}}",
            "Template error: resource A does not support attribute type Foo in Fn::GetAtt"
                .to_string(),
        ),
        (
            "A: {Type: AWS::EC2::EIP, DependsOn: B}; B: {Type: AWS::EC2::EIP, DependsOn: A}",
            "Circular dependency between resources: [A, B]".to_string(),
        ),
    ];
    for (resources, expected) in rows {
        assert_eq!(refusal(resources), expected, "{resources}");
    }
}

#[test]
fn operations_get_typed_members() {
    let members = |name: &str, json: serde_json::Value| {
        let known = handlers::find(name).unwrap();
        properties::members(known.properties, &Value::from_json(&json), known.spelling)
    };
    let json = serde_json::json!({"ApiId": "a", "RouteKey": "GET /", "ApiKeyRequired": "False"});
    let node = members("AWS::ApiGatewayV2::Route", json).unwrap();
    assert_eq!(node.get("apiId"), Some(&Node::text("a")));
    assert_eq!(node.get("apiKeyRequired"), Some(&Node::Bool(false)));
    let json = serde_json::json!({
        "StageName": "$default",
        "StageVariables": {"Url": 7},
        "RouteSettings": {"GET /A": {"ThrottlingBurstLimit": "5", "ThrottlingRateLimit": 2}},
    });
    let node = members("AWS::ApiGatewayV2::Stage", json).unwrap();
    // Keys of maps are the user's, names of members are not.
    assert_eq!(node.get("stageVariables").unwrap().get("Url"), Some(&Node::text("7")));
    let settings = node.get("routeSettings").unwrap().get("GET /A").unwrap();
    assert_eq!(settings.get("throttlingBurstLimit"), Some(&Node::Int(5)));
    assert_eq!(settings.get("throttlingRateLimit"), Some(&Node::Float(2.0)));
    let json = serde_json::json!({"AssumeRolePolicyDocument": {"Statement": []}});
    let node = members("AWS::IAM::Role", json).unwrap();
    let document = node.get("AssumeRolePolicyDocument");
    assert_eq!(document, Some(&Node::text(r#"{"Statement":[]}"#)));
    let json = serde_json::json!({"CidrBlock": ["x"]});
    let fault = members("AWS::EC2::VPC", json).unwrap_err();
    assert_eq!(fault.message, "Value of property CidrBlock must be of type String");
}

#[test]
fn types_are_listed_once_and_in_order() {
    let names: Vec<&str> = TYPES.iter().map(|known| known.name).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(names, sorted);
    for known in TYPES {
        let camel = known.name.starts_with("AWS::ApiGatewayV2::");
        assert_eq!(known.spelling == Spelling::Camel, camel, "{}", known.name);
    }
}

//! One resource, several outputs: the model gives each operation its own copy of a structure.

use shapes::apigatewayv2::{
    Api, CreateApiOutput, CreateDeploymentOutput, CreateIntegrationOutput, CreateRouteOutput,
    CreateStageOutput, CreateVpcLinkOutput, Deployment, GetApiOutput, GetDeploymentOutput,
    GetIntegrationOutput, GetRouteOutput, GetStageOutput, GetVpcLinkOutput, Integration, Route,
    Stage, UpdateApiOutput, UpdateDeploymentOutput, UpdateIntegrationOutput, UpdateRouteOutput,
    UpdateStageOutput, UpdateVpcLinkOutput, VpcLink,
};

/// Functions from a structure to outputs with the same members; a member that only one side has
/// does not compile.
macro_rules! outputs {
    ($from:ident $members:tt => $($function:ident: $to:ident),+ $(,)?) => {
        $(outputs!(@one $from $members $function $to);)+
    };
    (@one $from:ident { $($member:ident),+ $(,)? } $function:ident $to:ident) => {
        pub(super) fn $function($from { $($member),+ }: $from) -> $to {
            $to { $($member),+ }
        }
    };
}

outputs!(Api {
    api_endpoint, api_gateway_managed, api_id, api_key_selection_expression, cors_configuration,
    created_date, description, disable_schema_validation, disable_execute_api_endpoint,
    import_info, ip_address_type, name, protocol_type, route_selection_expression, tags, version,
    warnings,
} => api_created: CreateApiOutput, api_got: GetApiOutput, api_updated: UpdateApiOutput);

outputs!(Route {
    api_gateway_managed, api_key_required, authorization_scopes, authorization_type,
    authorizer_id, model_selection_expression, operation_name, request_models,
    request_parameters, route_id, route_key, route_response_selection_expression, target,
} => route_created: CreateRouteOutput, route_got: GetRouteOutput,
    route_updated: UpdateRouteOutput);

outputs!(Integration {
    api_gateway_managed, connection_id, connection_type, content_handling_strategy,
    credentials_arn, description, integration_id, integration_method,
    integration_response_selection_expression, integration_subtype, integration_type,
    integration_uri, passthrough_behavior, payload_format_version, request_parameters,
    request_templates, response_parameters, template_selection_expression, timeout_in_millis,
    tls_config,
} => integration_created: CreateIntegrationOutput, integration_got: GetIntegrationOutput,
    integration_updated: UpdateIntegrationOutput);

outputs!(Stage {
    access_log_settings, api_gateway_managed, auto_deploy, client_certificate_id, created_date,
    default_route_settings, deployment_id, description, last_deployment_status_message,
    last_updated_date, route_settings, stage_name, stage_variables, tags,
} => stage_created: CreateStageOutput, stage_got: GetStageOutput,
    stage_updated: UpdateStageOutput);

outputs!(Deployment {
    auto_deployed, created_date, deployment_id, deployment_status, deployment_status_message,
    description,
} => deployment_created: CreateDeploymentOutput, deployment_got: GetDeploymentOutput,
    deployment_updated: UpdateDeploymentOutput);

outputs!(VpcLink {
    created_date, name, security_group_ids, subnet_ids, tags, vpc_link_id, vpc_link_status,
    vpc_link_status_message, vpc_link_version,
} => vpc_link_created: CreateVpcLinkOutput, vpc_link_got: GetVpcLinkOutput,
    vpc_link_updated: UpdateVpcLinkOutput);

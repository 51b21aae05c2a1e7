//! Operations of apigatewayv2: HTTP APIs with their routes, integrations, stages and deployments,
//! VPC links, and tags.
//!
//! Not here yet: authorizers, custom domains, import and export, Lambda integrations.
//! WebSocket APIs are not built; what belongs to them only is refused by name.

use crate::operations::{Operation, operations};

pub mod api;
pub mod auto_deploy;
mod check;
mod connection;
mod cors;
pub mod deployment;
mod fault;
mod find;
pub mod integration;
mod list;
mod outputs;
pub(crate) mod parameters;
mod quick_create;
pub mod route;
pub(crate) mod route_key;
mod service_integration;
pub mod stage;
mod stage_settings;
pub mod tags;
pub mod vpc_link;

#[cfg(test)]
mod tests;

/// The operations of this service.
pub const OPERATIONS: &[Operation] = operations!("apigatewayv2", shapes::decode::Style::RestJson;
    write CreateApi => api::create_api,
    read GetApi => api::get_api,
    read GetApis => api::get_apis,
    write UpdateApi => api::update_api,
    write DeleteApi => api::delete_api,
    write DeleteCorsConfiguration => api::delete_cors_configuration,
    write CreateRoute => route::create_route,
    read GetRoute => route::get_route,
    read GetRoutes => route::get_routes,
    write UpdateRoute => route::update_route,
    write DeleteRoute => route::delete_route,
    write DeleteRouteRequestParameter => route::delete_route_request_parameter,
    write CreateIntegration => integration::create_integration,
    read GetIntegration => integration::get_integration,
    read GetIntegrations => integration::get_integrations,
    write UpdateIntegration => integration::update_integration,
    write DeleteIntegration => integration::delete_integration,
    write CreateStage => stage::create_stage,
    read GetStage => stage::get_stage,
    read GetStages => stage::get_stages,
    write UpdateStage => stage::update_stage,
    write DeleteStage => stage::delete_stage,
    write DeleteRouteSettings => stage::delete_route_settings,
    write DeleteAccessLogSettings => stage::delete_access_log_settings,
    write CreateDeployment => deployment::create_deployment,
    read GetDeployment => deployment::get_deployment,
    read GetDeployments => deployment::get_deployments,
    write UpdateDeployment => deployment::update_deployment,
    write DeleteDeployment => deployment::delete_deployment,
    write CreateVpcLink => vpc_link::create_vpc_link,
    read GetVpcLink => vpc_link::get_vpc_link,
    read GetVpcLinks => vpc_link::get_vpc_links,
    write UpdateVpcLink => vpc_link::update_vpc_link,
    write DeleteVpcLink => vpc_link::delete_vpc_link,
    write TagResource => tags::tag_resource,
    write UntagResource => tags::untag_resource,
    read GetTags => tags::get_tags,
);

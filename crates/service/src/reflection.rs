//! Server reflection: what a tool like grpcurl can learn from the port itself.
//!
//! Listed are the services that this port has, and no others of the contract. Beside the contract
//! it knows the standard error details, so that tools can show what errors carry.

use crate::grpc::ShellError;
use tonic::service::Routes;
use tonic_reflection::server::Builder;

/// The services that every port has.
const EVERYWHERE: [&str; 3] = [
    tonic_health::pb::health_server::SERVICE_NAME,
    tonic_reflection::pb::v1::server_reflection_server::SERVICE_NAME,
    tonic_reflection::pb::v1alpha::server_reflection_server::SERVICE_NAME,
];

/// Adds both versions of reflection to `routes`; the older one is what many tools still ask for.
/// `services` are the names of the port's own services.
pub(crate) fn add_to(routes: Routes, services: &[&'static str]) -> Result<Routes, ShellError> {
    Ok(routes
        .add_service(builder(services).build_v1()?)
        .add_service(builder(services).build_v1alpha()?))
}

fn builder(services: &[&'static str]) -> Builder<'static> {
    let all = Builder::configure()
        .register_encoded_file_descriptor_set(tandem_proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET);
    EVERYWHERE.iter().chain(services).fold(all, |builder, name| builder.with_service_name(*name))
}

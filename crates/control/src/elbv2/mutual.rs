//! Mutual authentication of listeners: what clients' certificates are held to.

// DEVIATION: The names of authorities that clients are told may have any length; AWS allows 10,000
// bytes in all.

use model::Snapshot;
use model::balancer::{Listener, MutualAuthentication, VerifyClients};
use model::limits::VERIFYING_LISTENERS_PER_LOAD_BALANCER;
use shapes::elbv2::MutualAuthenticationAttributes;
use wire::Fault;

use super::{fault, find};
use crate::Ctx;

/// What a request asks for. Errors: `ValidationError`, `TrustStoreNotFound`.
pub(super) fn read(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    protocol: &str,
    asked: Option<MutualAuthenticationAttributes>,
) -> Result<MutualAuthentication, Fault> {
    let asked = asked.unwrap_or_default();
    let mode = asked.mode.as_deref().unwrap_or("off");
    if mode != "off" && protocol != "HTTPS" {
        let message = "Mutual authentication can be specified only for HTTPS listeners";
        return Err(Fault::validation(message));
    }
    // Terraform's provider sends an empty one for the mode that has none.
    let store = asked.trust_store_arn.as_deref().filter(|arn| !arn.is_empty());
    let of_verify = store.is_some()
        || asked.ignore_client_certificate_expiry == Some(true)
        || asked.advertise_trust_store_ca_names.as_deref() == Some("on");
    match mode {
        "verify" => {
            let arn = store.ok_or_else(|| {
                Fault::validation("A trust store ARN must be specified for mode 'verify'")
            })?;
            Ok(MutualAuthentication::Verify(VerifyClients {
                trust_store: find::trust_store(ctx, state, arn)?.arn.clone(),
                ignore_expiry: asked.ignore_client_certificate_expiry.unwrap_or(false),
                advertise: asked.advertise_trust_store_ca_names.as_deref() == Some("on"),
            }))
        }
        "off" | "passthrough" if of_verify => Err(Fault::validation(format!(
            "Attributes of a trust store cannot be specified for mode '{mode}'"
        ))),
        "off" => Ok(MutualAuthentication::Off),
        "passthrough" => Ok(MutualAuthentication::Passthrough),
        other => {
            let message = format!(
                "Mutual authentication mode '{other}' must be one of 'off, passthrough, verify'"
            );
            Err(Fault::validation(message))
        }
    }
}

/// AWS: at most two listeners of a load balancer verify clients.
pub(super) fn check_room(state: &Snapshot, listener: &Listener) -> Result<(), Fault> {
    if listener.mutual.trust_store().is_none() {
        return Ok(());
    }
    let others = state.listeners.under(&listener.load_balancer);
    let verifying =
        others.filter(|one| one.arn != listener.arn && one.mutual.trust_store().is_some());
    if verifying.count() < VERIFYING_LISTENERS_PER_LOAD_BALANCER {
        return Ok(());
    }
    let message = format!(
        "At most '{VERIFYING_LISTENERS_PER_LOAD_BALANCER}' listeners of a load balancer can have \
         the mutual authentication mode 'verify'"
    );
    Err(fault::configuration(message))
}

/// As the API shows it.
pub(super) fn show(mutual: &MutualAuthentication) -> MutualAuthenticationAttributes {
    let mode = |mode: &str| MutualAuthenticationAttributes {
        mode: Some(mode.to_owned()),
        ..MutualAuthenticationAttributes::default()
    };
    match mutual {
        MutualAuthentication::Off => mode("off"),
        MutualAuthentication::Passthrough => mode("passthrough"),
        MutualAuthentication::Verify(verify) => MutualAuthenticationAttributes {
            trust_store_arn: Some(verify.trust_store.to_string()),
            ignore_client_certificate_expiry: Some(verify.ignore_expiry),
            trust_store_association_status: Some("active".to_owned()),
            advertise_trust_store_ca_names: Some(
                if verify.advertise { "on" } else { "off" }.to_owned(),
            ),
            ..mode("verify")
        },
    }
}

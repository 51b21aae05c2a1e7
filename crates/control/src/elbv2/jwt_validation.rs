//! The action that lets through requests with good tokens.

use model::authentication::{ClaimFormat, JwtValidation, RequiredClaim};
use shapes::elbv2 as out;
use wire::Fault;

use super::{endpoint, fault};

/// AWS: characters of the issuer, the endpoint and a value of a claim.
const TEXT_CHARACTERS: usize = 256;
/// AWS: additional claims of an action.
const CLAIMS: usize = 10;
/// AWS: values of a claim.
const VALUES: usize = 10;
/// AWS: what is always checked is no additional claim.
const STANDARD: [&str; 4] = ["exp", "iss", "nbf", "iat"];

/// Reads a `jwt-validation` action.
pub fn read(config: out::JwtValidationActionConfig) -> Result<JwtValidation, Fault> {
    let out::JwtValidationActionConfig { jwks_endpoint, issuer, additional_claims } = config;
    endpoint::check_within("JwksEndpoint", &jwks_endpoint, TEXT_CHARACTERS)?;
    check_text("Issuer", &issuer)?;
    let given = additional_claims.unwrap_or_default();
    if given.len() > CLAIMS {
        return Err(fault::action(format!(
            "At most '{CLAIMS}' additional claims can be specified"
        )));
    }
    let claims: Vec<RequiredClaim> = given.into_iter().map(claim).collect::<Result<_, _>>()?;
    Ok(JwtValidation { jwks_endpoint, issuer, claims })
}

fn claim(given: out::JwtValidationActionAdditionalClaim) -> Result<RequiredClaim, Fault> {
    let out::JwtValidationActionAdditionalClaim { format, name, values } = given;
    check_text("Name", &name)?;
    if STANDARD.contains(&name.as_str()) {
        return Err(fault::action(format!(
            "'{name}' cannot be an additional claim; it is always validated"
        )));
    }
    let format = match format.as_str() {
        "single-string" => ClaimFormat::SingleString,
        "string-array" => ClaimFormat::StringArray,
        // The model has checked the words.
        _ => ClaimFormat::SpaceSeparated,
    };
    if values.is_empty() || values.len() > VALUES {
        return Err(fault::action(format!("The claim '{name}' must have 1 to {VALUES} values")));
    }
    for value in &values {
        check_text("Values", value)?;
        // AWS: a value of a list that is separated by spaces has none itself.
        if format == ClaimFormat::SpaceSeparated && value.contains(' ') {
            return Err(fault::action(format!(
                "The value '{value}' of the claim '{name}' cannot contain spaces"
            )));
        }
    }
    Ok(RequiredClaim { name, format, values })
}

fn check_text(name: &str, text: &str) -> Result<(), Fault> {
    if text.is_empty() {
        return Err(fault::action(format!("A '{name}' must be specified")));
    }
    if text.chars().count() > TEXT_CHARACTERS {
        let message = format!("The '{name}' value is too long; the limit is '{TEXT_CHARACTERS}'");
        return Err(Fault::validation(message));
    }
    Ok(())
}

/// A `jwt-validation` action as the API shows it.
pub fn show(jwt: &JwtValidation) -> out::JwtValidationActionConfig {
    let JwtValidation { jwks_endpoint, issuer, claims } = jwt;
    let claim = |claim: &RequiredClaim| out::JwtValidationActionAdditionalClaim {
        format: claim.format.as_str().to_owned(),
        name: claim.name.clone(),
        values: claim.values.clone(),
    };
    out::JwtValidationActionConfig {
        jwks_endpoint: jwks_endpoint.clone(),
        issuer: issuer.clone(),
        additional_claims: Some(claims.iter().map(claim).collect())
            .filter(|c: &Vec<_>| !c.is_empty()),
    }
}

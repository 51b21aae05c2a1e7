//! What the families of services call the same refusal.

use crate::Fault;

/// A family of services by their authentication errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// elbv2, iam, sts, cloudformation.
    Query,
    /// ec2.
    Ec2,
    /// apigatewayv2 and the JSON 1.1 services.
    Json,
}

/// AWS: an authentication fault with the code and status of a service's family. Faults are made
/// with the query services' codes; others pass unchanged.
pub fn spell(mut fault: Fault, family: Family) -> Fault {
    let (status, code) = match (family, &*fault.code) {
        (Family::Ec2, "InvalidClientTokenId") => (401, "AuthFailure"),
        (Family::Json, "SignatureDoesNotMatch" | "RequestExpired") => {
            (403, "InvalidSignatureException")
        }
        (Family::Json, "IncompleteSignature") => (403, "IncompleteSignatureException"),
        (Family::Json, "MissingAuthenticationToken") => {
            (403, "MissingAuthenticationTokenException")
        }
        (Family::Json, "InvalidClientTokenId") => (403, "UnrecognizedClientException"),
        _ => return fault,
    };
    fault.status = status;
    fault.code = code.into();
    fault
}

/// `MissingAuthenticationToken`, 403: the request carries no signature.
pub fn missing_token() -> Fault {
    let message = "Missing Authentication Token";
    Fault::new(403, "MissingAuthenticationToken", message)
}

/// `InvalidClientTokenId`, 403: nobody has this access key or session token.
pub fn unknown_key() -> Fault {
    let message = "The security token included in the request is invalid.";
    Fault::new(403, "InvalidClientTokenId", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        let rows = [
            (unknown_key(), Family::Query, (403, "InvalidClientTokenId")),
            (unknown_key(), Family::Ec2, (401, "AuthFailure")),
            (unknown_key(), Family::Json, (403, "UnrecognizedClientException")),
            (missing_token(), Family::Ec2, (403, "MissingAuthenticationToken")),
            (missing_token(), Family::Json, (403, "MissingAuthenticationTokenException")),
            (Fault::validation("x"), Family::Json, (400, "ValidationError")),
        ];
        for (fault, family, expect) in rows {
            let fault = spell(fault, family);
            assert_eq!((fault.status, &*fault.code), expect);
        }
    }
}

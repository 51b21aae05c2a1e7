//! `ClientToken`: a call that is sent again with the token that it had is answered as before and
//! makes nothing.

use model::token::ClientToken;
use sha2::{Digest, Sha256};
use store::Txn;
use wire::{Fault, Node};

use super::fault::{invalid, refuse};
use crate::Ctx;

/// Longest token, in characters. AWS: 64.
const MAX_TOKEN: usize = 64;

/// Runs an operation, unless its token says that this was done before.
///
/// AWS: the same token with other parameters is an `IdempotentParameterMismatch`.
pub(super) fn once(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    operation: &'static str,
    input: &Node,
    run: impl FnOnce(&mut Txn) -> Result<Node, Fault>,
) -> Result<Node, Fault> {
    let token = input.get("ClientToken").and_then(Node::as_text).filter(|token| !token.is_empty());
    let Some(token) = token else { return run(txn) };
    if token.chars().count() > MAX_TOKEN {
        return Err(invalid(format!(
            "Value ({token}) for parameter clientToken is invalid. Must be {MAX_TOKEN} or fewer \
             characters."
        )));
    }
    let digest = digest(input);
    let key = ClientToken::key_of(&ctx.scope, operation, token);
    if let Some(known) = txn.get::<ClientToken>(&key) {
        if known.digest != digest {
            let message = "The request uses the same client token as a previous, but non-identical \
                request. Do not reuse a client token with different requests, unless the requests \
                are identical.";
            return Err(refuse("IdempotentParameterMismatch", message));
        }
        return serde_json::from_str(&known.answer).map_err(|error| unreadable(&error));
    }
    let output = run(txn)?;
    txn.put(ClientToken {
        scope: ctx.scope.clone(),
        operation: operation.to_owned(),
        token: token.to_owned(),
        digest,
        answer: serde_json::to_string(&output).map_err(|error| unreadable(&error))?,
        used: ctx.now,
    });
    Ok(output)
}

/// Equal for equal requests, whatever the order of their parameters.
fn digest(input: &Node) -> String {
    let mut members = match input {
        Node::Struct(members) => members.iter().map(|(n, v)| format!("{n} {v:?}")).collect(),
        other => vec![format!("{other:?}")],
    };
    members.sort_unstable();
    let hash = Sha256::digest(members.join("\n"));
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unreadable(error: &serde_json::Error) -> Fault {
    Fault::internal(format!("The answer for the client token cannot be kept: {error}"))
}

//! The `state` of a log-in: where the client wanted to go, and that it is the client that was sent
//! away. Sealed, so that nobody else can make one.

use model::Timestamp;

use super::keyring::{Entropy, Keyring, Purpose};
use super::{Login, pack};

/// Between the redirect to the provider and the client's return. AWS: 15 minutes.
pub const WINDOW_MS: i64 = 15 * 60 * 1000;
const VERSION: u8 = 1;
/// Characters of a log-in's id in front of the seal.
const ID: usize = 16;

/// What comes back with a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// When it was sent away.
    pub begun: Timestamp,
    /// What its browser was given to show on its return.
    pub nonce: String,
    /// The host that it asked, with its port.
    pub host: String,
    /// The path and query that it asked for.
    pub target: String,
}

impl State {
    /// The text for the provider.
    pub fn seal(&self, login: &Login, keyring: &Keyring, entropy: &Entropy) -> Option<String> {
        let Self { begun, nonce, host, target } = self;
        let mut out = vec![VERSION];
        pack::number(&mut out, begun.0);
        for text in [nonce, host, target] {
            pack::text(&mut out, text)?;
        }
        let sealed = keyring.seal(Purpose::State, &login.id, entropy, out)?;
        Some(format!("{}{sealed}", hex(&login.id)))
    }

    /// Whose text it is, of these log-ins, and what it says.
    pub fn open<'l>(
        text: &str,
        logins: impl IntoIterator<Item = &'l Login>,
        keyring: &Keyring,
    ) -> Option<(&'l Login, State)> {
        let (id, sealed) = text.split_at_checked(ID)?;
        let login = logins.into_iter().find(|login| hex(&login.id) == id)?;
        let plain = keyring.open(Purpose::State, &login.id, sealed)?;
        let mut rest = pack::Unpack(&plain);
        if rest.bytes(1)? != [VERSION] {
            return None;
        }
        let begun = Timestamp(rest.number()?);
        let state = State { begun, nonce: rest.text()?, host: rest.text()?, target: rest.text()? };
        Some((login, state))
    }
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

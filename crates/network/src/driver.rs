//! Which driver carries private networks, and why. Choosing happens once, when a node starts.

use std::fmt;

/// A VPC driver: what a private address is on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// Private addresses are addresses that this machine can reach itself.
    Host,
}

/// A driver was asked for that does not exist here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown network driver {0:?}: this build has \"host\" (and \"auto\", which picks it)")]
pub struct UnknownDriver(String);

impl Driver {
    /// The driver for a `--network` value: `auto` or `host`.
    pub fn choose(wanted: &str) -> Result<Self, UnknownDriver> {
        match wanted {
            "auto" | "host" => Ok(Self::Host),
            other => Err(UnknownDriver(other.to_owned())),
        }
    }

    /// The name in settings, logs and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
        }
    }

    /// What the driver means for isolation, one sentence for the start-up log and the console.
    pub fn why(self) -> &'static str {
        match self {
            Self::Host => {
                "private addresses are this machine's own or in the address book; \
                 security groups are checked before each connection, not by the kernel"
            }
        }
    }
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Driver;

    #[test]
    fn auto_and_host_are_host_and_others_say_what_there_is() {
        let check = |wanted: &str, expect: Option<&str>| {
            let chosen = Driver::choose(wanted);
            assert_eq!(chosen.as_ref().ok().map(|d| d.name()), expect, "{wanted}");
            if let Err(error) = chosen {
                assert!(error.to_string().contains(wanted) && error.to_string().contains("host"));
            }
        };
        check("auto", Some("host"));
        check("host", Some("host"));
        check("netns", None);
        check("", None);
        assert!(!Driver::Host.why().is_empty());
        assert_eq!(Driver::Host.to_string(), "host");
    }
}

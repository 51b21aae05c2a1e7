//! A request on the control port, whole: operations are small, so the body is in memory.

/// A request, without the HTTP library that read it.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// HTTP method.
    pub method: String,
    /// Path as sent, percent-encoded.
    pub path: String,
    /// Query string as sent, without the `?`.
    pub query: String,
    /// Headers in order; HTTP/2's `:authority` comes as `host`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Call {
    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

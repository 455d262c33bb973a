//! The words of EXPOSE as BuildKit cuts them (`dockerfile2llb/convert_expose.go`).

use std::ops::Range;

/// `[ip:][host-port:]port[/protocol]`, each piece as a byte range of the word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Port {
    /// All before the container's port, `:` included; empty where nothing is written.
    pub(super) host: Range<usize>,
    /// Behind the `/`; `None` where nothing is written.
    pub(super) protocol: Option<Range<usize>>,
}

impl Port {
    /// Cuts a word; `None` where BuildKit would reject it for a missing port or an unknown protocol.
    pub(super) fn parse(text: &str) -> Option<Port> {
        let host = 0..text.rfind(':').map_or(0, |at| at + 1);
        let rest = text.get(host.end..)?;
        let (port, protocol) = match rest.split_once('/') {
            Some((port, protocol)) => (port, Some(protocol)),
            None => (rest, None),
        };
        let known = ["", "tcp", "udp", "sctp"];
        if port.is_empty() || !known.contains(&protocol.unwrap_or_default().to_ascii_lowercase().as_str()) {
            return None;
        }
        let protocol = protocol.filter(|it| !it.is_empty()).map(|it| text.len() - it.len()..text.len());
        Some(Port { host, protocol })
    }

    /// Whether an address or a host's port is written; a lone `:` is none.
    pub(super) fn has_host(&self, text: &str) -> bool {
        text.get(self.host.clone()).is_some_and(|it| !it.trim_matches(':').is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::Port;

    #[test]
    fn a_port_has_up_to_four_pieces() {
        let pieces = |text: &str| {
            let port = Port::parse(text)?;
            let protocol = port.protocol.clone().and_then(|it| text.get(it)).unwrap_or("-").to_owned();
            Some((text.get(port.host.clone()).unwrap_or_default().to_owned(), protocol, port.has_host(text)))
        };
        let is = |host: &str, protocol: &str, has: bool| Some((host.to_owned(), protocol.to_owned(), has));
        assert_eq!(pieces("80"), is("", "-", false));
        assert_eq!(pieces("80/TCP"), is("", "TCP", false));
        assert_eq!(pieces("80:90/udp"), is("80:", "udp", true));
        assert_eq!(pieces("127.0.0.1:80:90"), is("127.0.0.1:80:", "-", true));
        assert_eq!(pieces("[::1]::90"), is("[::1]::", "-", true));
        assert_eq!(pieces(":90"), is(":", "-", false));
        assert_eq!(pieces("80:"), None);
        assert_eq!(pieces("80/http"), None);
    }
}

//! Sockets are bound before anything else starts, so that a taken port is the first thing to be
//! heard of and not the last.

use std::{io, net::SocketAddr};
use tokio::net::TcpListener;

/// The address can't be listened on. The operator has to act; the text says how, in one line.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Something listens there already.
    #[error(
        "{address} is taken by another process: stop it or pass {flag} \
         (port 0 picks a free one)"
    )]
    Taken {
        /// The address as it was asked for.
        address: String,
        /// The setting that gives the address.
        flag: &'static str,
    },
    /// Anything else: a name that is not known here, an address of another machine, a port that
    /// needs rights.
    #[error("can't listen on {address}: {source}; pass another {flag}")]
    Refused {
        /// The address as it was asked for.
        address: String,
        /// The setting that gives the address.
        flag: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// Listens on `address` (`host:port`), which came from the setting `flag`.
///
/// # Errors
/// [`BindError`], for the operator.
pub async fn bind(address: &str, flag: &'static str) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|source| {
        let address = address.to_owned();
        match source.kind() {
            io::ErrorKind::AddrInUse => BindError::Taken { address, flag },
            _ => BindError::Refused { address, flag, source },
        }
    })
}

/// The address that was bound, with the port that the system picked for port 0.
///
/// # Errors
/// [`BindError::Refused`] if the system can't tell, which no system is known to do.
pub fn local_addr(listener: &TcpListener, flag: &'static str) -> Result<SocketAddr, BindError> {
    listener.local_addr().map_err(|source| BindError::Refused {
        address: "the bound socket".into(),
        flag,
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_said_in_one_line() {
        let first = bind("127.0.0.1:0", "--command-addr").await.unwrap();
        let address = local_addr(&first, "--command-addr").unwrap().to_string();
        let text = bind(&address, "--command-addr").await.unwrap_err().to_string();
        assert_eq!(
            text,
            format!(
                "{address} is taken by another process: stop it or pass --command-addr \
                 (port 0 picks a free one)"
            )
        );
    }

    #[tokio::test]
    async fn other_refusals_name_the_setting_too() {
        let text = bind("127.0.0.1:notaport", "--query-addr").await.unwrap_err().to_string();
        assert!(text.starts_with("can't listen on 127.0.0.1:notaport: "), "{text}");
        assert!(text.ends_with("; pass another --query-addr"), "{text}");
    }
}

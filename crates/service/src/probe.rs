//! Asks a service that runs elsewhere for its health, for those who can only start a program and
//! look at its exit code: a container's health check has no gRPC client.

use clap::Args;
use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tonic::transport::Endpoint;
use tonic_health::{
    ServingStatus,
    pb::{HealthCheckRequest, health_client::HealthClient},
};

/// How long the service may take to answer.
const WITHIN: Duration = Duration::from_secs(5);

/// The flag, to be flattened into a process's settings. It has no variable in the environment,
/// which a health check shares with the service it asks.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Probe {
    /// Start nothing: ask the service that runs at the configured address for its health. Exit
    /// code 0 says that it serves; 1, with a line why, that it doesn't.
    #[arg(long)]
    pub check_health: bool,
}

/// Why a service doesn't count as healthy.
#[derive(Debug, thiserror::Error)]
pub enum Unhealthy {
    /// The setting doesn't say where the service is.
    #[error("{address} can't be asked: {reason}; give the {flag} that the service was given")]
    Address {
        /// The address as it was given.
        address: String,
        /// The setting that gives it.
        flag: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// It can't be reached, or answers otherwise than a service of Tandem's.
    #[error("{service} at {address} does not answer: {reason}")]
    Unreachable {
        /// Which service.
        service: &'static str,
        /// Where it was looked for.
        address: String,
        /// What went wrong.
        reason: String,
    },
    /// It says that it can't do its work.
    #[error("{service} at {address} is NOT_SERVING; its log says what it waits for")]
    NotServing {
        /// Which service.
        service: &'static str,
        /// Where it is.
        address: String,
    },
}

/// Asks `service` at `address` (`host:port`, what `flag` says) whether it is SERVING.
///
/// # Errors
/// [`Unhealthy`], which is one line.
pub async fn check(
    address: &str,
    flag: &'static str,
    service: &'static str,
) -> Result<(), Unhealthy> {
    let fault = |reason| Unhealthy::Address { address: address.to_owned(), flag, reason };
    let address = reachable(address).map_err(&fault)?;
    let endpoint =
        Endpoint::from_shared(format!("http://{address}")).map_err(|e| fault(words(&e)))?;
    let silent = format!("no answer within {} s", WITHIN.as_secs());
    let status = match tokio::time::timeout(WITHIN, ask(&endpoint, service)).await {
        Ok(answer) => answer.map_err(|e| words(&*e)),
        Err(_) => Err(silent),
    };
    match status {
        Ok(status) if status == ServingStatus::Serving as i32 => Ok(()),
        Ok(_) => Err(Unhealthy::NotServing { service, address }),
        Err(reason) => Err(Unhealthy::Unreachable { service, address, reason }),
    }
}

async fn ask(endpoint: &Endpoint, service: &str) -> Result<i32, Box<dyn Error>> {
    let mut client = HealthClient::new(endpoint.connect().await?);
    let answer = client.check(HealthCheckRequest { service: service.to_owned() }).await?;
    Ok(answer.into_inner().status)
}

/// Where to ask a service that listens on `address`: one that listens on every address of the
/// machine is asked on the machine itself.
fn reachable(address: &str) -> Result<String, String> {
    let port = address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    match port {
        None => return Err("it is not HOST:PORT".to_owned()),
        Some(0) => return Err("port 0 is another one at each start".to_owned()),
        Some(1..=u16::MAX) => {}
    }
    let Ok(mut socket) = address.parse::<SocketAddr>() else { return Ok(address.to_owned()) };
    if socket.ip().is_unspecified() {
        socket.set_ip(match socket.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    Ok(socket.to_string())
}

/// An error on one line, with its causes: the transport hides the useful part (refused, timed
/// out) some causes down.
fn words(error: &(dyn Error + 'static)) -> String {
    let mut words = Vec::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        words.push(error.to_string());
        cause = error.source();
    }
    // Some say their cause in their own words already.
    words.dedup_by(|next, said| said.contains(&**next));
    words.join(": ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_on_every_address_is_asked_here() {
        let table = [
            ("0.0.0.0:8090", "127.0.0.1:8090"),
            ("[::]:8090", "[::1]:8090"),
            ("10.1.2.3:8090", "10.1.2.3:8090"),
            ("commands.internal:8090", "commands.internal:8090"),
        ];
        for (configured, asked) in table {
            assert_eq!(reachable(configured).as_deref(), Ok(asked));
        }
        for wrong in ["127.0.0.1:0", "127.0.0.1", "host:", "host:99999"] {
            assert!(reachable(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn why_not_is_said_in_one_line() {
        // Bound and not listening: connections are refused, and the port stays ours.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap().to_string();
        let text = check(&address, "--addr", "x.Y").await.unwrap_err().to_string();
        assert!(text.starts_with(&format!("x.Y at {address} does not answer: ")), "{text}");
        assert!(text.contains("refused") && !text.contains('\n'), "{text}");
        let text = check("here:0", "--addr", "x.Y").await.unwrap_err().to_string();
        assert!(text.starts_with("here:0 can't be asked: port 0"), "{text}");
        assert!(text.ends_with("give the --addr that the service was given"), "{text}");
    }
}

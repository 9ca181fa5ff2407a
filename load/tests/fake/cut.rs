//! A wire that breaks.

use super::Fake;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};

/// Stands before `to`; cuts the first `times` connections after so many bytes of requests, in the
/// middle of whatever is under way. Returns its address.
pub(crate) async fn wire(to: &Fake, times: u32, after: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = to.url.strip_prefix("http://").unwrap().to_owned();
    tokio::spawn(async move {
        for nth in 0.. {
            let (client, _) = listener.accept().await.unwrap();
            let server = TcpStream::connect(&server).await.unwrap();
            let most = if nth < times { after } else { u64::MAX };
            tokio::spawn(carry(client, server, most));
        }
    });
    url
}

async fn carry(client: TcpStream, server: TcpStream, most: u64) {
    let (requests, mut answers) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let mut requests = requests.take(most);
    tokio::select! {
        _ = tokio::io::copy(&mut requests, &mut to_server) => {}
        _ = tokio::io::copy(&mut from_server, &mut answers) => {}
    }
}

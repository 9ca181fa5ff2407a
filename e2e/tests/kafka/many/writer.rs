//! A customer in each shard that is written again and again: what answers are held against.

use std::{sync::Arc, time::Duration};
use tandem_e2e::wire::customer;
use tandem_eventlog::partition_for;
use tandem_proto::v1::command_service_client::CommandServiceClient;
use tokio::{sync::watch, task::JoinHandle, time::sleep};
use tonic::transport::Channel;

use super::{SHARDS, ground::Ground};

/// Often enough that most reads which show a receipt show another one than the last did.
const EVERY: Duration = Duration::from_millis(50);

/// What was acknowledged last: its first name is this number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Written {
    pub(crate) number: u64,
    pub(crate) receipt: String,
}

/// Such a customer.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) written: watch::Receiver<Written>,
}

/// Writes until it is told to stop.
pub(crate) struct Writer {
    /// One in each shard, in order.
    pub(crate) rows: Vec<Row>,
    writing: JoinHandle<()>,
}

type Tells = Vec<(String, watch::Sender<Written>)>;

impl Writer {
    /// Each row has been written once when this returns: an instance that is started then is never
    /// without it.
    pub(crate) async fn start(ground: &Ground) -> Self {
        let row = |shard| {
            let (tell, written) = watch::channel(Written::default());
            let id = id_in(shard);
            ((id.clone(), tell), Row { id, written })
        };
        let (tells, rows): (Tells, Vec<_>) = (0..SHARDS).map(row).unzip();
        let (commands, tells) = (ground.commands(), Arc::new(tells));
        write_all(commands.clone(), &tells, 1).await;
        let writing = tokio::spawn(async move {
            for number in 2.. {
                sleep(EVERY).await;
                write_all(commands.clone(), &tells, number).await;
            }
        });
        Self { rows, writing }
    }

    /// All of its commands have been taken.
    pub(crate) async fn stop(self) {
        self.writing.abort();
        if let Err(ended) = self.writing.await {
            assert!(ended.is_cancelled(), "{ended}");
        }
    }
}

async fn write_all(mut commands: CommandServiceClient<Channel>, rows: &Tells, number: u64) {
    for (id, tell) in rows {
        let asked = customer(id, &number.to_string());
        let receipt = commands.create_customer(asked).await.unwrap().into_inner().receipt;
        tell.send_replace(Written { number, receipt });
    }
}

fn id_in(shard: u32) -> String {
    let mut ids = (0..).map(|n| format!("probed-{n}"));
    ids.find(|id| partition_for(id.as_bytes(), SHARDS).0 == shard).unwrap()
}

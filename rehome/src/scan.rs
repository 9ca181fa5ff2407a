//! Reads what there is on some partitions, from an offset to the end of now.

use std::{error::Error, time::Duration};
use tandem_eventlog::{
    Bounds, Log, LogError, Offset, Partition, Position, Record, TopicName, TopicPartition,
};

/// How long the log may give nothing before the scan gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the partitions of a topic, as many as there are, start and end now.
pub(crate) async fn bounds(log: &Log, topic: &TopicName) -> Result<Vec<Bounds>, LogError> {
    let mut all = Vec::new();
    loop {
        let partition = Partition(u32::try_from(all.len()).unwrap_or(u32::MAX));
        let at = TopicPartition { topic: topic.clone(), partition };
        match log.bounds(&[at]).await {
            Ok(bounds) => all.extend(bounds),
            // The first partition that is not there; a topic has at least one.
            Err(LogError::Unsuitable(_)) if !all.is_empty() => return Ok(all),
            Err(error) => return Err(error),
        }
    }
}

/// Shows each record from `from` up to `end`, in order.
pub(crate) async fn scan(
    log: &Log,
    from: Position,
    end: Offset,
    mut show: impl FnMut(Record),
) -> Result<(), Box<dyn Error>> {
    if from.offset >= end {
        return Ok(());
    }
    let at = from.at.clone();
    let mut reader = log.read(&[from]).await?;
    loop {
        let batch = reader.next(PATIENCE).await?;
        let next = batch.next.first().copied().unwrap_or_default();
        let was_silent = batch.records.is_empty() && next < end;
        batch.records.into_iter().filter(|record| record.offset < end).for_each(&mut show);
        if next >= end {
            return Ok(());
        }
        if was_silent {
            let seconds = PATIENCE.as_secs();
            return Err(format!("{at}: the log gave nothing for {seconds} s; try again").into());
        }
    }
}

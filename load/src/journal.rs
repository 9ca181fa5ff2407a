//! The journal of acknowledged commands: what has to be in the view whatever happened since.
//!
//! A text file: a head with the format and the scale, then a line for each acknowledgement,
//! `customer 1` or `order 7`, by TPC-H number. Each line is one write to the operating system
//! (about a microsecond), with no buffer in between, so the journal is complete however the load
//! ends, kill -9 included. It is not synced: a machine that loses power may lose the last lines.

use crate::fault::Fault;
use crate::scale::Scale;
use crate::tpch::Row;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

const HEAD: &str = "tandem-load journal 1, scale ";

/// A journal that is being written.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    path: PathBuf,
}

impl Journal {
    /// Starts a journal; one that was there is begun anew, since a new run sends and checks
    /// everything again.
    pub(crate) fn start(path: &Path, scale: Scale) -> Result<Self, Fault> {
        let fault = |source| Fault::JournalIo { path: path.to_owned(), source };
        let mut file = File::create(path).map_err(fault)?;
        file.write_all(format!("{HEAD}{scale}\n").as_bytes()).map_err(fault)?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Notes that the row's command was acknowledged.
    pub(crate) fn note(&mut self, row: &Row) -> Result<(), Fault> {
        let line = match row {
            Row::Customer(customer) => format!("customer {}\n", customer.number),
            Row::Order(order) => format!("order {}\n", order.number),
        };
        self.file
            .write_all(line.as_bytes())
            .map_err(|source| Fault::JournalIo { path: self.path.clone(), source })
    }
}

/// What a journal says was acknowledged, by TPC-H number.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Acknowledged {
    pub(crate) customers: HashSet<i64>,
    pub(crate) orders: HashSet<i64>,
    /// When the last line was written, as far as the file system knows.
    pub(crate) last: Option<SystemTime>,
}

/// Reads a journal of the tables at `scale`. A last line without an end was being written when
/// the load died and is left out: the command may or may not have been acknowledged.
pub(crate) fn read(path: &Path, scale: Scale) -> Result<Acknowledged, Fault> {
    let fault = |source| Fault::JournalIo { path: path.to_owned(), source };
    let damaged = |line| Fault::JournalFormat { path: path.to_owned(), line };
    let file = File::open(path).map_err(fault)?;
    let last = file.metadata().and_then(|about| about.modified()).ok();
    let mut reader = BufReader::new(file);
    let head = whole_line(&mut reader).map_err(fault)?.ok_or_else(|| damaged(1))?;
    let written = head.strip_prefix(HEAD).ok_or_else(|| damaged(1))?;
    if written.parse() != Ok(scale) {
        let (path, written) = (path.to_owned(), written.to_owned());
        return Err(Fault::JournalScale { path, written, asked: scale });
    }
    let mut acknowledged = Acknowledged { last, ..Acknowledged::default() };
    let mut number = 1;
    while let Some(line) = whole_line(&mut reader).map_err(fault)? {
        number += 1;
        acknowledged.take(&line).ok_or_else(|| damaged(number))?;
    }
    Ok(acknowledged)
}

impl Acknowledged {
    fn take(&mut self, line: &str) -> Option<()> {
        let (kind, number) = line.split_once(' ')?;
        let number = number.parse().ok()?;
        match kind {
            "customer" => self.customers.insert(number),
            "order" => self.orders.insert(number),
            _ => return None,
        };
        Some(())
    }
}

fn whole_line(reader: &mut BufReader<File>) -> io::Result<Option<String>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    Ok(line.strip_suffix('\n').map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tpch::Tables;
    use std::fs;

    fn written(folder: &tempfile::TempDir) -> PathBuf {
        let path = folder.path().join("journal");
        let mut journal = Journal::start(&path, Scale::default()).unwrap();
        let rows = Tables::new(Scale::default()).rows().take(3);
        rows.for_each(|row| journal.note(&row).unwrap());
        path
    }

    #[test]
    fn round_trip_without_a_torn_last_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(&folder);
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"order 3").unwrap();
        let read = read(&path, Scale::default()).unwrap();
        assert_eq!(read.customers, HashSet::from([1]));
        assert_eq!(read.orders, HashSet::from([1, 2]));
        assert!(read.last.is_some());
    }

    #[test]
    fn a_new_run_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(&folder);
        Journal::start(&path, Scale::default()).unwrap();
        assert!(read(&path, Scale::default()).unwrap().orders.is_empty());
    }

    #[test]
    fn what_is_no_journal_of_these_tables_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(&folder);
        let scale = "0.02".parse().unwrap();
        let other = read(&path, scale).unwrap_err().to_string();
        assert!(other.contains("--scale 0.01, this is --scale 0.02"), "{other}");
        fs::write(&path, "id,name\n1,2\n").unwrap();
        assert!(matches!(read(&path, scale), Err(Fault::JournalFormat { line: 1, .. })));
        fs::write(&path, format!("{HEAD}0.02\norder 1\norder x\n")).unwrap();
        assert!(matches!(read(&path, scale), Err(Fault::JournalFormat { line: 3, .. })));
        fs::remove_file(&path).unwrap();
        assert!(matches!(read(&path, scale), Err(Fault::JournalIo { .. })));
    }
}

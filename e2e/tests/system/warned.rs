//! What was warned of in this process, by whichever test: ask for what only one can have caused.

use std::{
    io,
    sync::{Mutex, OnceLock, PoisonError},
};

static LOGGED: OnceLock<Mutex<Vec<u8>>> = OnceLock::new();

struct Logged;

impl io::Write for Logged {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        logged().lock().unwrap_or_else(PoisonError::into_inner).extend(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn logged() -> &'static Mutex<Vec<u8>> {
    LOGGED.get_or_init(|| {
        let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(|| Logged);
        lines.with_max_level(tracing_subscriber::filter::LevelFilter::WARN).init();
        Mutex::default()
    })
}

/// Keeps warnings from now on.
pub(crate) fn listen() {
    logged();
}

/// The warnings so far that have these words.
pub(crate) fn of(words: &str) -> Vec<String> {
    let logged = logged().lock().unwrap_or_else(PoisonError::into_inner);
    let logged = String::from_utf8_lossy(&logged);
    logged.lines().filter(|line| line.contains(words)).map(str::to_owned).collect()
}

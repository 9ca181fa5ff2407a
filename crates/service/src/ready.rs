//! Waits for what a service needs from elsewhere, and says each time what it waits for.

use std::{fmt::Display, time::Duration};

/// The first pause between tries; each one is twice the last.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest pause: what an operator mended is noticed within it.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long one try may take. Something that hangs is then named in the log and asked anew.
const ONE_TRY: Duration = Duration::from_secs(30);

/// Tries until it succeeds, however long that takes. It never gives up, not even on what only the
/// operator can mend, because the mending needs no restart then. `of` is what is waited for.
pub async fn until_done<T, F, E>(of: &'static str, attempt: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T, E>>,
    E: Display,
{
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match tokio::time::timeout(ONE_TRY, attempt()).await {
            Ok(Ok(done)) => return done,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", ONE_TRY.as_secs()),
        };
        tracing::warn!(waiting_for = of, %error, retry_in_ms = pause.as_millis(), "not ready");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn it_pauses_longer_and_longer_and_never_gives_up() {
        let (tries, started) = (AtomicU32::new(0), Instant::now());
        let attempt = || async {
            let n = tries.fetch_add(1, Ordering::Relaxed);
            if n == 0 {
                std::future::pending::<()>().await;
            }
            if n < 9 { Err("not yet") } else { Ok(n) }
        };
        assert_eq!(until_done("it", attempt).await, 9);
        let pauses = 0.25 + 0.5 + 1.0 + 2.0 + 4.0 + 5.0 * 4.0;
        assert_eq!(started.elapsed(), ONE_TRY + Duration::from_secs_f64(pauses));
    }
}

//! A running `tandem`: where it is, how to ask it, how it ends.

use std::{
    ops::Deref,
    process::{Child, Command},
};

use crate::{
    eventually::eventually,
    launch::Output,
    process::assert_quiet,
    services::{Services, Urls, queries_in},
};

/// The running binary; killed when dropped.
pub struct Tandem {
    child: Child,
    output: Output,
    services: Services,
}

/// It is asked as its services are.
impl Deref for Tandem {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}

impl Tandem {
    pub fn new(child: Child, output: Output, urls: Urls) -> Self {
        Self { child, output, services: Services::at(urls) }
    }

    /// Each of its query services by itself, once it serves.
    pub async fn instances(&self) -> Vec<Services> {
        let at = |query| Services::at(Urls { query, ..self.urls.clone() });
        let instances: Vec<_> = queries_in(&self.output.stdout()).into_iter().map(at).collect();
        for instance in &instances {
            instance.serving().await;
        }
        instances
    }

    /// Ends it as a power cut would. What it had logged by then has to be clean.
    pub fn kill9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        assert_quiet(&self.stderr(), &[]);
    }

    /// Asks it politely to end.
    pub fn ask_to_end(&self) {
        self.signal("TERM");
    }

    /// Ends it as Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal("INT");
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Ends it politely; as [`Self::ended_well`].
    pub async fn stop(self, expected: &[&str]) {
        self.ask_to_end();
        self.ended_well(expected).await;
    }

    /// Waits until it has ended. It has to have ended well, and to have logged no warnings or
    /// errors but those that contain one of `expected`.
    pub async fn ended_well(mut self, expected: &[&str]) {
        let status = eventually("tandem ends", async || self.child.try_wait().unwrap()).await;
        assert_eq!(status.code(), Some(0), "{status}");
        assert_quiet(&self.stderr(), expected);
    }

    pub fn stderr(&self) -> String {
        self.output.stderr()
    }
}

impl Drop for Tandem {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- tandem logged:\n{}---", self.stderr());
        }
    }
}

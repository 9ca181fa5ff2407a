//! Plain HTTP beside gRPC: commands as forms and JSON, the view as JSON, the page, and what each of
//! them refuses, asked as curl and browsers ask.

mod commands;
mod lists;
mod page;
mod queries;
mod refused;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

/// An answer, read to its end.
struct Answer {
    status: StatusCode,
    headers: reqwest::header::HeaderMap,
    body: String,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, body: response.text().await.unwrap() }
    }

    /// Of an answer that is no text.
    async fn of_bytes(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        assert!(!response.bytes().await.unwrap().is_empty());
        Self { status, headers, body: String::new() }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        let kind = self.header("content-type");
        assert!(kind.ends_with("json"), "{kind}: {}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }

    /// The answer is a problem of that status and reason; gives it.
    fn problem(&self, status: u16, reason: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["reason"], reason, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert_ne!(problem["detail"], "", "{problem}");
        problem
    }
}

fn ask(method: Method, url: &str) -> RequestBuilder {
    reqwest::Client::new().request(method, url)
}

async fn get(url: &str) -> Answer {
    Answer::of(ask(Method::GET, url).send().await.unwrap()).await
}

async fn post(url: &str, kind: &str, body: impl Into<String>) -> Answer {
    let request = ask(Method::POST, url).header("content-type", kind).body(body.into());
    Answer::of(request.send().await.unwrap()).await
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

//! The conformance driver: does what it is told on standard input through the client, and says on
//! standard output what came of it. It decides nothing.

use futures::{StreamExt as _, TryStreamExt as _};
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::error::Error as StdError;
use std::io::Write as _;
use std::time::Duration;
use tandem_client::{
    Certificate, Client, ClientTlsConfig, Error, Kind, List, Misconfigured, Session, Watch,
    code_name, v1,
};
use tonic::{Request, Status};

/// A line that can't be done is the end: the driver, or what drives it, is wrong.
type Broken = Box<dyn StdError>;

/// What came of a line: the answer, or the error that the client gave.
type Outcome = Result<Value, Value>;

struct Driver {
    pool: DescriptorPool,
    clients: HashMap<String, Client>,
    /// Each with its client's name: whoever closes a client lets its sessions and watches go.
    sessions: HashMap<String, (String, Session)>,
    /// None once cancelled.
    watches: HashMap<String, (String, Option<Watch<v1::WatchCustomerOrdersResponse>>)>,
}

#[tokio::main]
async fn main() -> Result<(), Broken> {
    let mut driver = Driver {
        pool: DescriptorPool::decode(tandem_proto::FILE_DESCRIPTOR_SET)?,
        clients: HashMap::new(),
        sessions: HashMap::new(),
        watches: HashMap::new(),
    };
    let mut out = std::io::stdout();
    for line in std::io::stdin().lines() {
        let line: Value = serde_json::from_str(&line?)?;
        let answer = match driver.take(&line).await? {
            Ok(answer) => answer,
            Err(error) => json!({ "error": error }),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn text<'a>(line: &'a Value, field: &str) -> Result<&'a str, Broken> {
    line[field].as_str().ok_or_else(|| format!("{field} is missing in {line}").into())
}

fn texts(line: &Value, field: &str) -> Vec<String> {
    let texts = line[field].as_array().into_iter().flatten();
    texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

fn millis(line: &Value, field: &str) -> Option<Duration> {
    line[field].as_u64().map(Duration::from_millis)
}

/// An error as the table wants it.
fn told(error: &Error) -> Value {
    let kind = match error.kind() {
        Kind::Other => "Other".to_owned(),
        kind => format!("{kind:?}"),
    };
    let violations: Map<_, _> = error
        .violations()
        .iter()
        .map(|violation| (violation.field.clone(), violation.description.clone().into()))
        .collect();
    let mut told = json!({
        "type": kind,
        "grpc": error.source().is_some_and(<dyn StdError>::is::<Status>),
        "code": code_name(error.code()),
        "reason": error.reason(),
        "message": error.message(),
        "metadata": error.metadata(),
        "violations": violations,
    });
    if let Some(delay) = error.retry_delay() {
        told["retryDelayMs"] = json!(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
    }
    told
}

fn misconfigured(error: &Misconfigured) -> Value {
    json!({ "type": "Configuration", "grpc": false, "message": error.to_string() })
}

impl Driver {
    async fn take(&mut self, line: &Value) -> Result<Outcome, Broken> {
        let done = || Ok(Ok(json!({ "ok": true })));
        match text(line, "op")? {
            "client" => return self.client(line),
            "session" => {
                let client = text(line, "client")?;
                let session = self.clients.get(client).ok_or("no such client")?.session();
                session.keep(texts(line, "receipts"));
                let name = text(line, "name")?.to_owned();
                self.sessions.insert(name, (client.to_owned(), session));
            }
            "receipts" => {
                return Ok(Ok(json!({ "receipts": self.session(line)?.1.receipts() })));
            }
            "call" => return self.call(line).await,
            "rows" | "pages" => return self.list(line).await,
            "watch" => {
                let (client, session) = self.session(line)?;
                let request = self.request(line, "WatchCustomerOrdersRequest")?;
                let watch = session.watch_customer_orders(request);
                let name = text(line, "name")?.to_owned();
                self.watches.insert(name, (client.clone(), Some(watch)));
            }
            "next" => return self.next(line).await,
            "cancel" => {
                self.watches.get_mut(text(line, "watch")?).ok_or("no such watch")?.1 = None;
            }
            "close" => {
                let client = text(line, "client")?;
                self.clients.remove(client).ok_or("no such client")?;
                self.sessions.retain(|_, (of, _)| of != client);
                self.watches.retain(|_, (of, _)| of != client);
            }
            op => return Err(format!("op {op} is not known").into()),
        }
        done()
    }

    fn client(&mut self, line: &Value) -> Result<Outcome, Broken> {
        let mut builder = Client::builder(text(line, "command")?, texts(line, "query"));
        if let Some(ca) = line["tls"]["ca"].as_str() {
            let ca = Certificate::from_pem(std::fs::read(ca)?);
            builder = builder.tls_with(ClientTlsConfig::new().ca_certificate(ca));
        }
        if let Some(token) = line["token"].as_str() {
            builder = builder.token(token);
        }
        if let Some(timeout) = millis(line, "timeoutMs") {
            builder = builder.timeout(timeout);
        }
        match builder.build() {
            Ok(client) => self.clients.insert(text(line, "name")?.to_owned(), client),
            Err(error) => return Ok(Err(misconfigured(&error))),
        };
        Ok(Ok(json!({ "ok": true })))
    }

    fn session(&self, line: &Value) -> Result<&(String, Session), Broken> {
        self.sessions.get(text(line, "session")?).ok_or_else(|| "no such session".into())
    }

    fn request<M: prost::Message + Default>(
        &self,
        line: &Value,
        message: &str,
    ) -> Result<Request<M>, Broken> {
        let asked = match &line["request"] {
            Value::Null => json!({}),
            asked => asked.clone(),
        };
        let descriptor = self.descriptor(message)?;
        let dynamic = DynamicMessage::deserialize(descriptor, asked)?;
        let mut request = Request::new(dynamic.transcode_to::<M>()?);
        if let Some(timeout) = millis(line, "timeoutMs") {
            request.set_timeout(timeout);
        }
        Ok(request)
    }

    fn answer(&self, message: &str, answer: &impl prost::Message) -> Result<Value, Broken> {
        let descriptor = self.descriptor(message)?;
        let dynamic = DynamicMessage::decode(descriptor, &*answer.encode_to_vec())?;
        Ok(serde_json::to_value(dynamic)?)
    }

    fn descriptor(&self, message: &str) -> Result<prost_reflect::MessageDescriptor, Broken> {
        let name = format!("tandem.v1.{message}");
        self.pool.get_message_by_name(&name).ok_or_else(|| format!("no message {name}").into())
    }

    /// In Rust, a call is cancelled by dropping its future, and nothing is given back then: that it
    /// was cancelled is said here.
    async fn cancelling<T>(
        line: &Value,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let Some(after) = millis(line, "cancelAfterMs") else { return call.await };
        tokio::select! {
            answer = call => answer,
            () = tokio::time::sleep(after) => Err(Status::cancelled("dropped by the caller").into()),
        }
    }

    async fn call(&self, line: &Value) -> Result<Outcome, Broken> {
        macro_rules! call {
            ($($method:literal $name:ident $request:ident;)*) => {
                match text(line, "method")? {
                    $($method => {
                        let request: Request<v1::$request> =
                            self.request(line, stringify!($request))?;
                        let call = self.session(line)?.1.$name(request);
                        match Self::cancelling(line, call).await {
                            Ok(answer) => {
                                let answer = self.answer(concat!($method, "Response"), &answer)?;
                                Ok(Ok(json!({ "response": answer })))
                            }
                            Err(error) => Ok(Err(told(&error))),
                        }
                    })*
                    method => Err(format!("method {method} is not known").into()),
                }
            };
        }
        call! {
            "CreateCustomer" create_customer CreateCustomerRequest;
            "UpdateCustomer" update_customer UpdateCustomerRequest;
            "RemoveCustomer" remove_customer RemoveCustomerRequest;
            "PlaceOrder" place_order PlaceOrderRequest;
            "UpdateOrder" update_order UpdateOrderRequest;
            "CancelOrder" cancel_order CancelOrderRequest;
            "SendGreeting" send_greeting SendGreetingRequest;
            "GetCustomer" get_customer GetCustomerRequest;
            "GetOrder" get_order GetOrderRequest;
            "GetCustomerOrders" get_customer_orders GetCustomerOrdersRequest;
            "ListCustomers" list_customers ListCustomersRequest;
            "ListOrders" list_orders ListOrdersRequest;
            "ListCustomerOrders" list_customer_orders ListCustomerOrdersRequest;
            "ListGreetings" list_greetings ListGreetingsRequest;
            "ListInstances" list_instances ListInstancesRequest;
            "ListRejects" list_rejects ListRejectsRequest;
        }
    }

    async fn list(&self, line: &Value) -> Result<Outcome, Broken> {
        let method = text(line, "method")?;
        match method {
            "GetCustomerOrders" => self.taken::<v1::GetCustomerOrdersRequest>(line, "Order").await,
            "ListCustomers" => self.taken::<v1::ListCustomersRequest>(line, "Customer").await,
            "ListOrders" => self.taken::<v1::ListOrdersRequest>(line, "Order").await,
            "ListCustomerOrders" => {
                self.taken::<v1::ListCustomerOrdersRequest>(line, "CustomerOrder").await
            }
            "ListGreetings" => self.taken::<v1::ListGreetingsRequest>(line, "Greeting").await,
            "ListRejects" => self.taken::<v1::ListRejectsRequest>(line, "Reject").await,
            method => Err(format!("method {method} is not known").into()),
        }
    }

    async fn taken<L: List<Row: prost::Message>>(
        &self,
        line: &Value,
        row: &str,
    ) -> Result<Outcome, Broken> {
        let session = &self.session(line)?.1;
        let request: Request<L> = self.request(line, &format!("{}Request", L::NAME))?;
        let limit = line["limit"].as_u64().map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(0));
        if text(line, "op")? == "rows" {
            let rows = session.rows::<L>(request).take(limit).try_collect::<Vec<_>>();
            let rows = match Self::cancelling(line, rows).await {
                Ok(rows) => rows,
                Err(error) => return Ok(Err(told(&error))),
            };
            let rows = rows.iter().map(|found| self.answer(row, found));
            return Ok(Ok(json!({ "rows": rows.collect::<Result<Vec<_>, _>>()? })));
        }
        let pages = session.pages::<L>(request).take(limit).try_collect::<Vec<_>>();
        let pages = match Self::cancelling(line, pages).await {
            Ok(pages) => pages,
            Err(error) => return Ok(Err(told(&error))),
        };
        let page = format!("{}Response", L::NAME);
        let pages = pages.iter().map(|found| self.answer(&page, found));
        Ok(Ok(json!({ "pages": pages.collect::<Result<Vec<_>, _>>()? })))
    }

    async fn next(&mut self, line: &Value) -> Result<Outcome, Broken> {
        let watch = self.watches.get_mut(text(line, "watch")?).ok_or("no such watch")?;
        let Some(watch) = &mut watch.1 else { return Ok(Ok(json!({ "ended": true }))) };
        let within = millis(line, "withinMs").ok_or("withinMs is missing")?;
        match tokio::time::timeout(within, watch.next()).await {
            Err(_) => Ok(Ok(json!({ "nothing": true }))),
            Ok(None) => Ok(Ok(json!({ "ended": true }))),
            Ok(Some(Err(error))) => Ok(Err(told(&error))),
            Ok(Some(Ok(document))) => {
                let document = self.answer("WatchCustomerOrdersResponse", &document)?;
                Ok(Ok(json!({ "response": document })))
            }
        }
    }
}

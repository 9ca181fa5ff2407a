//! Asks for single documents all the time and holds each answer against the plain fold of exactly
//! the records that it says it was made from.

use std::{rc::Rc, time::Duration};
use tandem_domain::Topic;
use tandem_proto::v1;
use tokio::time::{Instant, sleep};
use tonic::{Code, Request, Response, Status};

use crate::{ledger::Rows, lists, wire, world::World, writer::CUSTOMERS};

/// How long a client waits for an answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// What a call may take beyond that on its way.
const WAY: Duration = Duration::from_millis(100);

/// Reads until all is over.
pub(crate) async fn read(world: Rc<World>, nth: u32) {
    let mut rng = world.rng(&format!("reader {nth}"));
    loop {
        sleep(Duration::from_millis(rng.u64(5..150))).await;
        let asked = match rng.u32(0..12) {
            0..6 => document(&world, &mut rng).await,
            6 => customer(&world, &mut rng).await,
            7..9 => order(&world, &mut rng).await,
            _ => lists::list(&world, &mut rng).await,
        };
        world.answers.set(world.answers.get() + 1);
        if let Err(what) = asked {
            world.found(what);
            return;
        }
    }
}

/// What a call came to: an answer, an error that is one, or nothing, for which there was a reason.
pub(crate) enum Came<A> {
    Answer(A),
    Error(Status),
    Nothing,
}

/// Calls, and judges a failure. `shards` are those whose rows were asked for.
pub(crate) async fn call<A>(
    world: &World,
    contact: &str,
    shards: &[u32],
    what: &str,
    calling: impl Future<Output = Result<Response<A>, Status>>,
) -> Result<Came<A>, String> {
    let answered = tokio::time::timeout(PATIENCE + WAY, calling).await;
    let status = match answered {
        Ok(Ok(answer)) => {
            world.note(&format!("{contact} answers {what}"));
            return Ok(Came::Answer(answer.into_inner()));
        }
        Ok(Err(status)) => status,
        Err(_) => return Err(format!("{contact} let the deadline pass for {what}")),
    };
    world.note(&format!("{contact} says {:?} to {what}", status.code()));
    // A client asks another then, as it does of an instance that isn't there at all.
    let is_cut = ["connection refused", "connection lost"].contains(&status.message());
    match status.code() {
        Code::NotFound | Code::FailedPrecondition => Ok(Came::Error(status)),
        Code::Unavailable | Code::DeadlineExceeded if is_cut => Ok(Came::Nothing),
        Code::Unavailable | Code::DeadlineExceeded
            if !shards.iter().all(|shard| world.had_to_answer(contact, *shard)) =>
        {
            Ok(Came::Nothing)
        }
        _ => Err(format!("{contact} answers {what} with {status:?}")),
    }
}

pub(crate) fn request<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(PATIENCE);
    request
}

/// How fresh an answer about `shard` has to be, this time.
fn freshness(world: &World, rng: &mut fastrand::Rng, shard: u32) -> v1::Freshness {
    let mut freshness = v1::Freshness::default();
    match rng.u32(0..6) {
        0 | 1 => {}
        2 => {
            let ms = Duration::from_millis(rng.u64(100..2_000));
            freshness.max_staleness = ms.try_into().ok();
        }
        _ => {
            let topic = rng.choice([Topic::Customer, Topic::Order]).unwrap_or(Topic::Order);
            let end = world.ledger.borrow().ends(shard)[topic as usize];
            let position = end.saturating_sub(rng.u64(0..3));
            freshness.receipts = vec![world.receipt(topic, shard, position)];
        }
    }
    freshness
}

/// The rows that an answer about one shard has to be of.
fn rows(
    world: &World,
    shard: u32,
    served: Option<v1::Served>,
    asked: Instant,
    freshness: &v1::Freshness,
) -> Result<Rows, String> {
    let served = served.ok_or("an answer that doesn't say who served it")?;
    let positions = world.positions(shard, &served, asked, freshness)?;
    Ok(world.ledger.borrow().fold(shard, positions))
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: &T, expected: &T) -> Result<(), String> {
    match got == expected {
        true => Ok(()),
        false => Err(format!("{what} is {got:?}, a plain fold gives {expected:?}")),
    }
}

async fn document(world: &World, rng: &mut fastrand::Rng) -> Result<(), String> {
    let Some((contact, address)) = world.contact(rng) else { return Ok(()) };
    let id = format!("c{}", rng.u32(0..CUSTOMERS));
    let shard = world.shard_of(&id);
    let freshness = freshness(world, rng, shard);
    let asked = Instant::now();
    let mut client = world.client(&address);
    let calling = client.get_customer_orders(request(v1::GetCustomerOrdersRequest {
        customer_id: id.clone(),
        page_size: 1000,
        freshness: Some(freshness.clone()),
        ..v1::GetCustomerOrdersRequest::default()
    }));
    let what = format!("the document of {id}");
    let answer = match call(world, &contact, &[shard], &what, calling).await? {
        Came::Answer(answer) => answer,
        // Its position isn't told, so there is nothing to hold it against.
        Came::Error(_) | Came::Nothing => return Ok(()),
    };
    let rows = rows(world, shard, answer.served, asked, &freshness)?;
    let got = (answer.customer.unwrap_or_default(), answer.registered, answer.orders);
    same(&what, &got, &wire::document(&rows, &id))
}

async fn customer(world: &World, rng: &mut fastrand::Rng) -> Result<(), String> {
    let Some((contact, address)) = world.contact(rng) else { return Ok(()) };
    let id = format!("c{}", rng.u32(0..CUSTOMERS));
    let shard = world.shard_of(&id);
    let freshness = freshness(world, rng, shard);
    let asked = Instant::now();
    let mut client = world.client(&address);
    let calling = client.get_customer(request(v1::GetCustomerRequest {
        customer_id: id.clone(),
        freshness: Some(freshness.clone()),
    }));
    let what = format!("customer {id}");
    let Came::Answer(answer) = call(world, &contact, &[shard], &what, calling).await? else {
        return Ok(());
    };
    let rows = rows(world, shard, answer.served, asked, &freshness)?;
    same(&what, &answer.customer, &rows.customers.get(&id).map(wire::customer))
}

/// An order, by its customer's id too or by its own alone.
async fn order(world: &World, rng: &mut fastrand::Rng) -> Result<(), String> {
    let Some((contact, address)) = world.contact(rng) else { return Ok(()) };
    let of = format!("c{}", rng.u32(0..CUSTOMERS));
    let id = format!("o{}", rng.u32(0..6));
    let is_alone = rng.bool();
    let shards: Vec<u32> =
        if is_alone { (0..crate::ledger::SHARDS).collect() } else { vec![world.shard_of(&of)] };
    let asked = Instant::now();
    let mut client = world.client(&address);
    let calling = client.get_order(request(v1::GetOrderRequest {
        customer_id: if is_alone { String::new() } else { of },
        order_id: id.clone(),
        freshness: None,
    }));
    let what = format!("order {id}");
    let Came::Answer(answer) = call(world, &contact, &shards, &what, calling).await? else {
        return Ok(());
    };
    let order = answer.order.ok_or("an order without an order")?;
    let shard = world.shard_of(&order.customer_id);
    let rows = rows(world, shard, answer.served, asked, &v1::Freshness::default())?;
    let expected = rows.orders.get(&(order.customer_id.clone(), id)).map(wire::order);
    same(&what, &Some(order), &expected)
}

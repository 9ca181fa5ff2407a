//! Lists over the whole view: a page, or everything in one answer.

use axum::{extract::State, response::Response};
use http::{HeaderValue, Uri, header::LINK};
use serde::Serialize;
use std::{collections::BTreeSet, sync::Arc};
use tandem_proto::v1::{self, query_service_server::QueryService as _};
use tandem_service::problem::Problem;
use tokio::sync::Semaphore;
use tonic::Status;

use super::{
    WHOLE,
    given::{self, Given},
    json, problem,
    sheets::{self, Frame, Sheet},
    told,
};
use crate::{api::Api, list::Listed};

/// A handler of a list: the contract's method and request, the name of its rows in JSON.
macro_rules! listed {
    ($(#[$about:meta])* $name:ident, $path:literal, $method:ident, $request:ident -> $answer:ident,
     $rows:literal $(, $($more:tt)*)?) => {
        $(#[$about])*
        #[utoipa::path(
            get,
            path = $path,
            params(given::Paged, $($($more)*,)? given::Fresh),
            responses(
                (status = 200, body = v1::$answer,
                    headers(("Link" = Option<String>, description = "The next page, if there is one."))),
                given::Refused,
            )
        )]
        pub(super) async fn $name(
            State(api): State<Api>,
            given: Given,
            uri: Uri,
        ) -> Result<Response, Problem> {
            const FRAME: Frame = Frame { open: concat!("{\"", $rows, "\":["), close };
            let (asked, long_answers) = (given.clone(), api.long_answers.clone());
            let page = move |page_token| {
                let (api, given) = (api.clone(), asked.clone());
                async move {
                    let mut request = v1::$request::default();
                    request.page_size = given.page_size.unwrap_or(WHOLE);
                    request.page_token = page_token;
                    request.freshness = given.freshness();
                    request.allow_partial = given.allow_partial;
                    listed!(@sort request, given $(, $($more)*)?);
                    let answer = api.$method(given.request(request)).await?;
                    sheet(answer.into_inner().into())
                }
            };
            list(FRAME, &given, &uri, &long_answers, page).await
        }
    };
    (@sort $request:ident, $given:ident) => {};
    (@sort $request:ident, $given:ident, $($more:tt)*) => {
        $request.sort = $given.sort.into();
    };
}

listed! {
    /// All customers, by customer id.
    customers, "/store/customers", list_customers, ListCustomersRequest -> ListCustomersResponse,
    "customers"
}
listed! {
    /// All orders.
    orders, "/store/orders", list_orders, ListOrdersRequest -> ListOrdersResponse, "orders",
    given::Sorted
}
listed! {
    /// All orders joined with their customers, by customer id and order id.
    customer_orders, "/store/customer-order/all", list_customer_orders,
    ListCustomerOrdersRequest -> ListCustomerOrdersResponse, "customerOrders"
}
listed! {
    /// All greetings, by greeting id.
    greetings, "/store/greetings", list_greetings, ListGreetingsRequest -> ListGreetingsResponse,
    "greetings"
}

fn sheet<W: Serialize>(listed: Listed<W>) -> Result<Sheet, Status> {
    let mut rows = Vec::new();
    listed.rows.iter().try_for_each(|row| sheets::row(&mut rows, row))?;
    let Listed { next_page_token: next, unreachable_shards: missing, served, .. } = listed;
    Ok(Sheet { rows, next, missing, served, ..Sheet::default() })
}

/// The rest of the contract's answer, behind the rows.
fn close(last: &Sheet, missing: &BTreeSet<u32>) -> Result<Vec<u8>, serde_json::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Rest<'a> {
        next_page_token: &'a str,
        unreachable_shards: &'a BTreeSet<u32>,
        served: &'a Option<v1::Served>,
    }
    let (next_page_token, served) = (&*last.next, &last.served);
    let rest = serde_json::to_vec(&Rest { next_page_token, unreachable_shards: missing, served })?;
    // Its opening brace is where the list ends.
    Ok([b"],", &rest[1..]].concat())
}

async fn list<P, F>(
    frame: Frame,
    given: &Given,
    uri: &Uri,
    long_answers: &Arc<Semaphore>,
    page: P,
) -> Result<Response, Problem>
where
    P: Fn(String) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Sheet, Status>> + Send,
{
    let problem = |status| problem(&status);
    let first = page(given.page_token.clone()).await.map_err(problem)?;
    let mut headers = told(first.served.as_ref());
    let body = match given.page_size {
        None => sheets::all(frame, first, long_answers, page),
        Some(_) => {
            if let Some(link) = link(uri, &first.next) {
                headers.insert(LINK, link);
            }
            sheets::one(&frame, first)
        }
    };
    Ok(json(headers, body.map_err(problem)?))
}

/// The next page as RFC 8288 says: the same request with another token.
fn link(uri: &Uri, next: &str) -> Option<HeaderValue> {
    if next.is_empty() {
        return None;
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    let given = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    query.extend_pairs(given.filter(|(name, _)| name != "page_token"));
    query.append_pair("page_token", next);
    let link = format!("<{}?{}>; rel=\"next\"", uri.path(), query.finish());
    HeaderValue::from_str(&link).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_the_same_request_with_another_token() {
        let uri: Uri = "/store/orders?page_size=2&page_token=old&sort=order_id".parse().unwrap();
        let expected = "</store/orders?page_size=2&sort=order_id&page_token=new>; rel=\"next\"";
        assert_eq!(link(&uri, "new").unwrap(), expected);
        assert_eq!(link(&uri, ""), None);
    }
}

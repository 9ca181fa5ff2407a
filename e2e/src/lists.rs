//! The lists, page by page: how a test walks them.

use std::ops::AsyncFnMut;
use tandem_proto::v1::{
    Customer, CustomerOrder, Freshness, GetCustomerOrdersRequest, Greeting,
    ListCustomerOrdersRequest, ListCustomersRequest, ListGreetingsRequest, ListOrdersRequest,
    ListRejectsRequest, Order, OrderSort, Reject,
};

use crate::services::Services;

/// More pages than any list of these tests has.
const MOST_PAGES: usize = 10_000;

/// All rows of a list, each page asked for with the token of the one before.
async fn walk<R>(size: i32, mut page: impl AsyncFnMut(String) -> (Vec<R>, String)) -> Vec<R> {
    let mut rows = Vec::new();
    let mut token = String::new();
    for _ in 0..MOST_PAGES {
        let (more, next) = page(token).await;
        assert!(more.len() <= usize::try_from(size).unwrap(), "{} rows", more.len());
        rows.extend(more);
        if next.is_empty() {
            return rows;
        }
        token = next;
    }
    panic!("pages without end");
}

macro_rules! list {
    ($(#[$doc:meta])* $name:ident, $row:ty, $method:ident, $rows:ident, $request:ident $(, $field:ident: $type:ty)*) => {
        $(#[$doc])*
        #[allow(clippy::needless_update)] // some requests have fields that no test sets
        pub async fn $name(&self, page_size: i32, fresh: &Option<Freshness> $(, $field: $type)*) -> Vec<$row> {
            walk(page_size, async |page_token| {
                let freshness = fresh.clone();
                let asked = $request {
                    page_size, page_token, freshness, $($field: $field.into(),)*
                    ..$request::default()
                };
                let answer = self.queries().$method(asked).await.unwrap().into_inner();
                (answer.$rows, answer.next_page_token)
            })
            .await
        }
    };
}

impl Services {
    list!(all_customers, Customer, list_customers, customers, ListCustomersRequest);
    list!(all_orders, Order, list_orders, orders, ListOrdersRequest, sort: OrderSort);
    list!(
        all_joined,
        CustomerOrder,
        list_customer_orders,
        customer_orders,
        ListCustomerOrdersRequest
    );
    list!(all_greetings, Greeting, list_greetings, greetings, ListGreetingsRequest);
    list!(all_rejects, Reject, list_rejects, rejects, ListRejectsRequest);
    list!(
        all_orders_of,
        Order,
        get_customer_orders,
        orders,
        GetCustomerOrdersRequest,
        customer_id: &str
    );
}

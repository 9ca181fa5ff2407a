//! Lists as streams, which ask for the next page when it is needed.

use crate::calls::List;
use crate::error::Error;
use crate::session::Session;
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use tonic::{Extensions, Request};

/// Pages of a list, each the contract's response. An error is the last item.
pub type Pages<P> = BoxStream<'static, Result<P, Error>>;
/// Rows of a list. An error is the last item.
pub type Rows<R> = BoxStream<'static, Result<R, Error>>;

pub(crate) fn pages<L: List>(session: Session, request: Request<L>) -> Pages<L::Response> {
    let (metadata, _, message) = request.into_parts();
    let pages = stream::try_unfold(Some(message), move |message| {
        let (session, metadata) = (session.clone(), metadata.clone());
        async move {
            let Some(mut message) = message else { return Ok(None) };
            let request = Request::from_parts(metadata, Extensions::default(), message.clone());
            let page = session.query(request).await?;
            let token = L::next_page_token(&page);
            let more = !token.is_empty();
            token.clone_into(message.page_token());
            Ok(Some((page, more.then_some(message))))
        }
    });
    pages.boxed()
}

pub(crate) fn rows<L: List>(session: Session, request: Request<L>) -> Rows<L::Row> {
    let rows = |page| stream::iter(L::into_rows(page).into_iter().map(Ok));
    pages(session, request).map_ok(rows).try_flatten().boxed()
}

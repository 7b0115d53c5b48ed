//! ListTransactions, key 66, versions 0 to 2.
//!
//! Lists transactional ids, filtered by state and producer id, from version 1 by how long their transaction is open, from
//! version 2 by a regular expression.

use futures::future::{Either, ready};
use groups::transactions::{Filter, State};
use protocol::messages::list_transactions::TransactionState;
use protocol::messages::{ListTransactionsRequest, ListTransactionsResponse};
use protocol::{ErrorCode, StrBytes};
use regex::Regex;

use crate::context::Context;

pub(crate) fn handle(
    context: &Context,
    request: ListTransactionsRequest,
) -> impl Future<Output = ListTransactionsResponse> + Send + use<> {
    let pattern = request.transactional_id_pattern.filter(|pattern| !pattern.is_empty());
    let pattern = pattern.map(|pattern| Regex::new(&format!("^(?:{})$", &*pattern))).transpose();
    let Ok(pattern) = pattern else {
        return Either::Left(ready(failed(ErrorCode::InvalidRegularExpression)));
    };
    let (known, unknown): (Vec<StrBytes>, Vec<StrBytes>) =
        request.state_filters.into_iter().partition(|name| State::from_name(name).is_some());
    // States that do not exist let nothing through, unlike no states at all.
    let nothing = known.is_empty() && !unknown.is_empty();
    let listing = context.transactions().list(Filter {
        states: known.iter().filter_map(|name| State::from_name(name)).collect(),
        producer_ids: request.producer_id_filters,
        open_for_ms: (request.duration_filter >= 0).then_some(request.duration_filter),
    });
    Either::Right(async move {
        let Ok(listed) = listing.await else { return failed(ErrorCode::CoordinatorNotAvailable) };
        let wanted = |id: &str| !nothing && pattern.as_ref().is_none_or(|pattern| pattern.is_match(id));
        let transaction_states = listed
            .into_iter()
            .filter(|one| wanted(&one.transactional_id))
            .map(|one| TransactionState {
                transactional_id: StrBytes::from(one.transactional_id),
                producer_id: one.producer_id,
                transaction_state: StrBytes::from_static(one.state.name()),
            })
            .collect();
        ListTransactionsResponse { unknown_state_filters: unknown, transaction_states, ..Default::default() }
    })
}

fn failed(error: ErrorCode) -> ListTransactionsResponse {
    ListTransactionsResponse { error_code: error.code(), ..Default::default() }
}

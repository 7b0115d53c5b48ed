//! Drops rules about who may do what.

use crate::StrBytes;

messages! {
    /// Rules to drop.
    request DeleteAclsRequest (DeleteAcls, 0..=3, flexible 2) {
        /// Which; any of these may fit.
        filters: Vec<DeleteAclsFilter> = 0..;
    }

    /// Which rules.
    part DeleteAclsFilter {
        /// The kind of thing: 1 for any, 2 for topics, 3 for groups, 4 for the cluster ...
        resource_type_filter: i8 = 0..;
        /// Its name; absent means any.
        resource_name_filter: Option<StrBytes> = 0.., nullable 0..;
        /// 1 for any rule, 2 for all that apply to the name, 3 for exactly the name, 4 for prefixes
        /// of it.
        pattern_type_filter: i8 = 1.., default 3;
        /// Who; absent means anybody.
        principal_filter: Option<StrBytes> = 0.., nullable 0..;
        /// From where; absent means anywhere.
        host_filter: Option<StrBytes> = 0.., nullable 0..;
        /// What: 1 for anything, 3 for reading, 4 for writing ...
        operation: i8 = 0..;
        /// 1 for both, 2 for denied, 3 for allowed.
        permission_type: i8 = 0..;
    }

    /// What was dropped, in the order of the request.
    response DeleteAclsResponse (DeleteAcls, 0..=3, flexible 2) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// The filters.
        filter_results: Vec<DeleteAclsFilterResult> = 0..;
    }

    /// What was dropped by one filter.
    part DeleteAclsFilterResult {
        /// Why nothing was.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
        /// The rules that fit.
        matching_acls: Vec<DeleteAclsMatchingAcl> = 0..;
    }

    /// A rule.
    part DeleteAclsMatchingAcl {
        /// Why it was not dropped.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
        /// The kind of thing: 2 for topics, 3 for groups, 4 for the cluster ...
        resource_type: i8 = 0..;
        /// Its name.
        resource_name: StrBytes = 0..;
        /// 3 for exactly this name, 4 for a prefix of it.
        pattern_type: i8 = 1.., default 3;
        /// Who: `User:alice`.
        principal: StrBytes = 0..;
        /// From where; `*` for anywhere.
        host: StrBytes = 0..;
        /// What: 2 for everything, 3 for reading, 4 for writing ...
        operation: i8 = 0..;
        /// 2 for denied, 3 for allowed.
        permission_type: i8 = 0..;
    }
}

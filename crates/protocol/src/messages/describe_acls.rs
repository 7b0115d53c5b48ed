//! Who may do what.

use crate::StrBytes;

messages! {
    /// Asks for rules.
    request DescribeAclsRequest (DescribeAcls, 0..=3, flexible 2) {
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

    /// The rules.
    response DescribeAclsResponse (DescribeAcls, 0..=3, flexible 2) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Why there is no answer.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
        /// The things they are about.
        resources: Vec<DescribeAclsResource> = 0..;
    }

    /// The rules about one thing.
    part DescribeAclsResource {
        /// The kind of thing: 2 for topics, 3 for groups, 4 for the cluster ...
        resource_type: i8 = 0..;
        /// Its name.
        resource_name: StrBytes = 0..;
        /// 3 for exactly this name, 4 for a prefix of it.
        pattern_type: i8 = 1.., default 3;
        /// The rules.
        acls: Vec<AclDescription> = 0..;
    }

    /// A rule.
    part AclDescription {
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

//! New rules about who may do what.

use crate::StrBytes;

messages! {
    /// Rules to create.
    request CreateAclsRequest (CreateAcls, 0..=3, flexible 2) {
        /// The rules.
        creations: Vec<AclCreation> = 0..;
    }

    /// A rule.
    part AclCreation {
        /// The kind of thing: 2 for topics, 3 for groups, 4 for the cluster ...
        resource_type: i8 = 0..;
        /// Its name.
        resource_name: StrBytes = 0..;
        /// 3 for exactly this name, 4 for a prefix of it.
        resource_pattern_type: i8 = 1.., default 3;
        /// Who: `User:alice`.
        principal: StrBytes = 0..;
        /// From where; `*` for anywhere.
        host: StrBytes = 0..;
        /// What: 2 for everything, 3 for reading, 4 for writing ...
        operation: i8 = 0..;
        /// 2 for denied, 3 for allowed.
        permission_type: i8 = 0..;
    }

    /// What became of the rules, in the order of the request.
    response CreateAclsResponse (CreateAcls, 0..=3, flexible 2) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// The rules.
        results: Vec<AclCreationResult> = 0..;
    }

    /// What became of one rule.
    part AclCreationResult {
        /// Why it was not created.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
    }
}

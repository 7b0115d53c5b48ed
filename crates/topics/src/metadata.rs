//! The rules of topic names.

use crate::CreateError;

const NAME_BYTES_MAX: usize = 249;

/// Checks a name against Kafka's rules.
pub(crate) fn check_name(name: &str) -> Result<(), CreateError> {
    let rule = if name.is_empty() {
        "it must not be empty"
    } else if name == "." || name == ".." {
        "it must not be . or .."
    } else if name.len() > NAME_BYTES_MAX {
        "it must not be longer than 249 characters"
    } else if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
        "it may hold ASCII letters, digits, '.', '_' and '-' only"
    } else {
        return Ok(());
    };
    Err(CreateError::InvalidName { name: name.to_owned(), rule })
}

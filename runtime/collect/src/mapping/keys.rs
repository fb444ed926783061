//! How keys are renamed.

use std::borrow::Cow;

/// `createdOn` as `created_on`: a capital that follows a small letter gets a line before it, and capitals become small.
pub fn snake_case(key: &str) -> Cow<'_, str> {
    if key.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(key);
    }
    let mut made = String::with_capacity(key.len() + 4);
    let mut before = None;
    for letter in key.chars() {
        if letter.is_uppercase() {
            if before.is_some_and(char::is_lowercase) {
                made.push('_');
            }
            made.extend(letter.to_lowercase());
        } else {
            made.push(letter);
        }
        before = Some(letter);
    }
    Cow::Owned(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_before_a_capital_behind_a_small_letter() {
        for (key, wanted) in [
            ("displayName", "display_name"),
            ("_beginOn", "_begin_on"),
            ("_integrationDefinitionId", "_integration_definition_id"),
            ("tag.AccountName", "tag.account_name"),
            ("tag.Owner.Team", "tag.owner.team"),
            ("remediationSLA", "remediation_sla"),
            ("raw_severity", "raw_severity"),
            ("cvssV3Score", "cvss_v3score"),
            ("deviceMACAddress", "device_macaddress"),
            ("s3BucketARN", "s3bucket_arn"),
            ("isIPv4", "is_ipv4"),
            ("URL", "url"),
            ("aBC", "a_bc"),
            ("x9Y", "x9y"),
            ("tag.aws:cloudformation:stackName", "tag.aws:cloudformation:stack_name"),
            ("größeÜber", "größe_über"),
            ("", ""),
        ] {
            assert_eq!(snake_case(key), wanted);
        }
    }
}

//! What targets found, each as a test of its own.

use connectome_core::decode::decode;
use connectome_core::names::NameRule;
use connectome_core::shape::{Record, Rules, Shape, Variant};
use serde_json::json;

/// Found by `answers`: the first of two such keys was lost.
#[test]
fn a_record_with_two_keys_of_a_variant_keeps_both() {
    const VARIANT: Variant =
        Variant { name: "type", value: "value", of: &[("ip", Rules::NONE), ("fileSha1", Rules::NONE)] };
    const ENTRY: Record = Record { variant: Some(&VARIANT), ..Record::named("entry") };
    let answer = json!({ "ip": "192.0.2.7", "fileSha1": "da39" });
    let shown = decode(NameRule::CamelCase, &Shape::Record(&ENTRY), answer);
    assert_eq!(shown, json!({ "type": "ip", "value": "192.0.2.7", "file_sha1": "da39" }));
}

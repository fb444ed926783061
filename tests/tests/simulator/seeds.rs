//! Records: the same from the same seed.

use connectome_tests::simulated::vision_one;
use jiff::Timestamp;

use crate::{all, get};

#[tokio::test]
async fn the_same_seed_makes_the_same_records_and_another_seed_makes_others() {
    let start: Timestamp = "2024-06-11T07:00:00Z".parse().unwrap();
    let read = async |seed: u64| {
        let service = vision_one(|options| (options.seed, options.start) = (seed, start)).await;
        let mut every = Vec::new();
        for path in [
            "/workbench/alerts",
            "/iam/apiKeys",
            "/oat/detections",
            "/threatintel/suspiciousObjects",
            "/response/customScripts",
        ] {
            every.extend(all(&service, path, &[]).await.0);
        }
        every
    };
    let (one, again, other) = (read(1).await, read(1).await, read(2).await);
    assert_eq!(one, again);
    assert_eq!(one.len(), other.len());
    assert_ne!(one, other);
}

#[tokio::test]
async fn the_scale_multiplies_the_records_that_are_made() {
    let count = async |scale: usize| {
        let service = vision_one(|options| options.scale = scale).await;
        get(&service, "/workbench/alerts").await.json()["totalCount"].as_u64().expect("a count")
    };
    let (one, two, three) = (count(1).await, count(2).await, count(3).await);
    assert_eq!(three - two, two - one);
    assert!(two > one);
}

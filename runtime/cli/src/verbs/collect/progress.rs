//! A line on the terminal while events are collected: how many, how fast, how far behind.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use connectome_collect::collector::Meter;

use super::status::lag;
use crate::print;

/// Shows how the streams are getting on, once a second, until it is dropped. Nothing where nobody looks.
pub async fn show(meters: Vec<(&'static str, Arc<Meter>)>) {
    if !std::io::stderr().is_terminal() {
        return std::future::pending().await;
    }
    let started = Instant::now();
    let mut before = 0;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let all: u64 = meters.iter().map(|(_, meter)| meter.delivered.load(Ordering::Relaxed)).sum();
        let behind = meters.iter().map(|(name, meter)| {
            let (now, fresh) = (meter.now.load(Ordering::Relaxed), meter.fresh.load(Ordering::Relaxed));
            let pages = meter.pages.load(Ordering::Relaxed);
            if fresh == 0 && now > 0 {
                format!("{name} page {pages}")
            } else if fresh == 0 {
                format!("{name} waits")
            } else {
                format!("{name} {} behind", lag(now - fresh))
            }
        });
        let behind: Vec<String> = behind.collect();
        let seconds = started.elapsed().as_secs();
        print::ask(&format!("\r\x1b[K{all} events · {}/s · {} · {seconds}s", all - before, behind.join(", ")));
        before = all;
    }
}

/// Takes the line away.
pub fn clear() {
    if std::io::stderr().is_terminal() {
        print::ask("\r\x1b[K");
    }
}

//! What is known of an image: the first look-up of a process, and those that follow.
//!
//! The tables are brought into memory when they are opened, so opening is timed too.

// A table for people on standard output.
#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use plimsoll::images::ImageBook;
use plimsoll::model::{ImageRef, Platform};

/// Rows of the table, other names, near relatives, far ones, and what nobody knows.
const NAMES: [&str; 10] = [
    "node:20",
    "python:3.12-slim",
    "golang:1.22-alpine",
    "node:20.11.1",
    "nginx",
    "maven:3.8-openjdk-18",
    "openjdk:8u212-jre-slim-stretch",
    "gcr.io/distroless/static",
    "mcr.microsoft.com/dotnet/sdk:8.0",
    "registry.example/team/app:1",
];

fn main() {
    let images: Vec<ImageRef> = NAMES.iter().filter_map(|name| ImageRef::parse(name)).collect();
    let platform = Platform::default();
    let start = Instant::now();
    let book = black_box(ImageBook::embedded());
    let opened = start.elapsed();
    let once = |image: &ImageRef| {
        let start = Instant::now();
        black_box(book.look_up(black_box(image), &platform));
        start.elapsed()
    };
    let firsts: Vec<Duration> = images.iter().map(once).collect();
    println!("opening the tables {:.1} µs", micros(opened));
    println!("{:<36} {:>9} {:>9}", "µs", "first", "median");
    for (image, first) in images.iter().zip(firsts) {
        let mut times: Vec<Duration> = (0..1_001).map(|_| once(image)).collect();
        times.sort_unstable();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        println!("{:<36} {:>9.1} {:>9.1}", image.text, micros(first), micros(median));
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

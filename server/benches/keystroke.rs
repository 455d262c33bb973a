//! From a keystroke to its findings: a character typed inside a RUN near the start of a Dockerfile.
//!
//! Two kinds of files of 20, 200, 2,000 and 20,000 lines: stages of real-looking files put together, and every line a RUN
//! of its own. For each, criterion measures the whole way (the edit of the buffer, the syntax tree's incremental
//! reparse, the analysis), the reparse alone, and an analysis from nothing. Before that a table says what a keystroke
//! costs, tree-sitter's share of it, how often the shell parser ran for it, and what the hints and lenses cost that
//! editors ask for after it.

// The doc comments that criterion's macros lack, and a table for people on standard output.
#![allow(missing_docs, clippy::print_stdout)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use plimsoll::analysis::{Analysis, Inputs};
use plimsoll::config::Config;
use plimsoll::context::BuildContext;
use plimsoll::date::Date;
use plimsoll::document::{Change, Document};
use plimsoll::images::ImageBook;
use plimsoll::shell;
use plimsoll::text::position::{Encoding, LineCol};
use plimsoll::text::{TextRange, TextSize};

const N_LINES: [usize; 4] = [20, 200, 2_000, 20_000];

/// Stages as people write them, about twenty lines each.
const STAGES: [&str; 3] = [
    r#"FROM node:22-bookworm AS web
WORKDIR /srv/web
ENV NODE_ENV=production PORT=3000
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl git \
    && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json ./
RUN npm ci --omit=dev && npm cache clean --force
COPY . .
RUN npm run build
HEALTHCHECK --interval=30s CMD curl -fsS http://127.0.0.1:3000/health || exit 1
USER node
EXPOSE 3000
CMD ["node", "dist/server.js"]
"#,
    r#"FROM python:3.12-slim AS worker
# The wheels are built here, so that the runtime needs no compiler.
ARG PIP_INDEX_URL
ENV PYTHONUNBUFFERED=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
RUN set -eux; \
    apt-get update; \
    apt-get install -y --no-install-recommends \
        gcc \
        libpq-dev \
    ; \
    rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt
COPY worker ./worker
RUN if [ "$TARGETARCH" = arm64 ]; then echo arm > /etc/arch; else echo other > /etc/arch; fi
CMD ["python", "-m", "worker"]
"#,
    r#"FROM golang:1.23-alpine AS api
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/api ./cmd/api
RUN <<EOF
set -e
mkdir -p /out/etc
printf 'api:x:10001:10001::/:/sbin/nologin\n' > /out/etc/passwd
EOF
FROM scratch
COPY --from=api /out /
USER 10001
ENTRYPOINT ["/api"]
"#,
];

fn stages(n_lines: usize) -> String {
    let mut res = String::new();
    let mut n_stages = 0;
    let mut lines = 0;
    while lines < n_lines {
        let stage = STAGES[n_stages % STAGES.len()];
        n_stages += 1;
        // Every stage has a name of its own, as in a real file.
        let numbered = stage.replace(" AS api", &format!(" AS api{n_stages}"));
        let numbered = numbered.replace("--from=api", &format!("--from=api{n_stages}"));
        let numbered = numbered.replace(" AS web", &format!(" AS web{n_stages}"));
        let numbered = numbered.replace(" AS worker", &format!(" AS worker{n_stages}"));
        lines += numbered.lines().count();
        res.push_str(&numbered);
    }
    res
}

fn runs(n_lines: usize) -> String {
    let mut res = "FROM debian:bookworm-slim\n".to_owned();
    for line in 1..n_lines {
        res.push_str(&format!("RUN mkdir -p /srv/part-{line} && cp -r /usr/share/doc \"/srv/part-{line}\" || true\n"));
    }
    res
}

/// A document with its analysis, and the place in a RUN near the start where a character comes and goes.
struct Session {
    document: Document,
    analysis: Analysis,
    place: LineCol,
    typed: bool,
}

impl Session {
    fn open(text: &str) -> Session {
        let mut document = Document::open(0, text);
        document.tree();
        let line = text.lines().position(|line| line.starts_with("RUN ")).expect("the texts have a RUN");
        let analysis = Analysis::of(inputs(document.text()), None);
        Session { document, analysis, place: LineCol { line: line as u32, column: 8 }, typed: false }
    }

    /// Types a character, or takes it back.
    fn edit(&mut self) {
        let end = LineCol { column: self.place.column + u32::from(self.typed), ..self.place };
        let text = if self.typed { String::new() } else { "x".to_owned() };
        self.typed = !self.typed;
        let change = Change { range: Some(self.place..end), text };
        self.document.change(0, &[change], Encoding::Utf16);
    }

    fn analyse(&mut self) {
        self.analysis = Analysis::of(inputs(self.document.text()), Some(&self.analysis));
    }

    fn keystroke(&mut self) {
        self.edit();
        self.document.tree();
        self.analyse();
    }
}

fn inputs(text: Arc<str>) -> Inputs {
    thread_local! {
        static REST: (Arc<Config>, Arc<BuildContext>, Arc<ImageBook>) =
            (Arc::default(), Arc::default(), Arc::new(ImageBook::embedded()));
    }
    let (config, context, images) = REST.with(Clone::clone);
    Inputs { text, config, context, images, today: Date::parse("2026-11-21"), ..Inputs::default() }
}

/// The median of some runs, in microseconds.
fn median(n_runs: usize, mut run: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..n_runs)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn table() {
    println!("\nA keystroke in a RUN near the start, medians in µs:");
    println!("kind    lines  keystroke  tree-sitter  share  analysis  from nothing  shell parses  hints and lenses");
    for (kind, make) in [("stages", stages as fn(usize) -> String), ("runs", runs)] {
        for n_lines in N_LINES {
            let mut session = Session::open(&make(n_lines));
            let n_runs = (400_000 / n_lines).clamp(11, 2_001);
            let keystroke = median(n_runs, || session.keystroke());
            let reparse = median(n_runs, || {
                session.edit();
                session.document.tree();
            });
            session.analyse();
            let parses_before = shell::parses();
            session.keystroke();
            let n_parses = shell::parses() - parses_before;
            let analysis = median(n_runs, || {
                session.edit();
                session.analyse();
            });
            let fresh = median(n_runs.min(51), || {
                black_box(Analysis::of(inputs(session.document.text()), None));
            });
            // What editors ask for after it: the hints of the whole file, and the lenses.
            let figures = median(n_runs, || {
                let analysis = &session.analysis;
                let all = TextRange::up_to(TextSize::of(&*analysis.file.text));
                black_box((analysis.inlays(all, false), analysis.lenses()));
            });
            let share = 100.0 * reparse / keystroke;
            println!(
                "{kind:6} {n_lines:6} {keystroke:10.1} {reparse:12.1} {share:5.0}% {analysis:9.1} {fresh:13.1} {n_parses:13} {figures:17.1}"
            );
        }
    }
    println!();
}

fn keystroke(criterion: &mut Criterion) {
    table();
    for (kind, make) in [("stages", stages as fn(usize) -> String), ("runs", runs)] {
        let mut group = criterion.benchmark_group(format!("keystroke/{kind}"));
        for n_lines in N_LINES {
            let text = make(n_lines);
            if n_lines > 2_000 {
                group.sample_size(10);
            }
            let mut session = Session::open(&text);
            group.bench_function(BenchmarkId::new("edit to findings", n_lines), |it| it.iter(|| session.keystroke()));
            group.bench_function(BenchmarkId::new("reparse alone", n_lines), |it| {
                it.iter(|| {
                    session.edit();
                    session.document.tree();
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, keystroke);
criterion_main!(benches);

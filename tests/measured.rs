//! Measured mode, against a Docker Engine of the test's own.

#[path = "engine/mod.rs"]
mod engine;

use engine::engine;

#[test]
fn an_image_can_be_built_and_run() {
    let Some(engine) = engine() else { return };
    let context = tempfile::tempdir().expect("a folder");
    engine.build(
        "# syntax=docker/dockerfile:1\nFROM busybox\nRUN echo hello > /greeting\n",
        context.path(),
        "greeting",
    );
    assert_eq!(engine.docker(&["run", "--rm", "--network=none", "greeting", "cat", "/greeting"]), "hello\n");
}

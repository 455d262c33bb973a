//! Registries that do what they should not: each gives a plain answer in time, costs little memory, and is not asked again
//! at once.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plimsoll::images::ImageBook;
use plimsoll::images::answers::Answer;
use plimsoll::model::{ImageRef, Platform};
use plimsoll::registry::{Options, Registry, Trouble, TroubleKind};
use tempfile::TempDir;

use crate::folder::Folder;
use crate::server::{Image, OCI, Request, Server, Shelf, digest, reply, wait_for_end};

/// An hour of a day, in seconds since 1970.
const NOW: u64 = 1_795_000_000;

/// How long those are waited for that never answer.
const SHORT: Duration = Duration::from_millis(800);

/// A user, with a clock that the test sets.
struct User {
    folder: TempDir,
    now: Arc<AtomicU64>,
    deadline: Duration,
}

impl User {
    fn new() -> User {
        let now = Arc::new(AtomicU64::new(NOW));
        User { folder: tempfile::tempdir().expect("a folder"), now, deadline: Duration::from_secs(60) }
    }

    fn registry(&self) -> Arc<Registry> {
        let path = |name: &str| Some(self.folder.path().join(name));
        let options = Options { folder: path("cache"), docker: path("docker"), mirror: None, deadline: self.deadline };
        let now = Arc::clone(&self.now);
        Arc::new(Registry::new(options, Arc::new(move || now.load(Ordering::SeqCst))))
    }

    /// Asks in a run of its own: what is known of before, the disk knows.
    fn ask(&self, image: &str) -> Result<Answer, Trouble> {
        let image = ImageRef::parse(image).expect("a reference");
        ask(&self.registry(), &[image]).remove(0)
    }

    fn later(&self, seconds: u64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    fn docker_config(&self, text: &str) {
        std::fs::create_dir_all(self.folder.path().join("docker")).expect("a folder");
        std::fs::write(self.folder.path().join("docker/config.json"), text).expect("a file");
    }
}

fn ask(registry: &Arc<Registry>, images: &[ImageRef]) -> Vec<Result<Answer, Trouble>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let images: Vec<_> = images.iter().map(|image| (image.clone(), Platform::default())).collect();
    runtime.block_on(registry.ask(&images))
}

/// Asks a server twice, in two runs: the first trouble, and nothing is sent for the second. When its time is over it is
/// asked again.
fn check_by(user: &User, answer: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static) -> (Trouble, Vec<Request>) {
    let server = Server::start(answer);
    let image = format!("{}/team/app:1", server.host());
    let trouble = user.ask(&image).expect_err("it is no answer");
    let requests = server.requests();
    assert!(user.ask(&image).is_err());
    assert_eq!(server.requests().len(), requests.len(), "the second time nothing is sent");
    let lasts = match trouble.kind {
        TroubleKind::Image => 600,
        TroubleKind::Host | TroubleKind::Limit => 3_600,
        kind => panic!("{kind:?} {trouble}"),
    };
    user.later(lasts - 1);
    assert!(user.ask(&image).is_err());
    assert_eq!(server.requests().len(), requests.len(), "it is left alone to the end");
    user.later(1);
    assert!(user.ask(&image).is_err());
    assert!(server.requests().len() > requests.len(), "then it is asked again");
    (trouble, requests)
}

fn check(words: &str, kind: TroubleKind, answer: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static) {
    let (trouble, _) = check_by(&User::new(), answer);
    assert_eq!(trouble.kind, kind, "{trouble}");
    assert!(trouble.words.contains(words), "{trouble}");
}

fn check_slow(answer: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static) {
    let (trouble, _) = check_by(&User { deadline: SHORT, ..User::new() }, answer);
    assert_eq!(trouble, Trouble { kind: TroubleKind::Host, words: "no answer within 800ms".to_owned() });
}

fn image() -> Image {
    Image::of(OCI, "linux/amd64", &[1_000])
}

fn shelf() -> Shelf {
    Shelf::default().with("team/app", "1", &image())
}

/// Answers the HEAD as it should be, and the rest by this.
fn after_head(
    answer: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static,
) -> impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static {
    move |request, stream| {
        if request.method == "HEAD" { shelf().reply(request, stream) } else { answer(request, stream) }
    }
}

/// The head of an answer that is said to have this length.
fn head(stream: &mut TcpStream, length: usize) {
    let digest = digest(&image().manifest);
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nDocker-Content-Digest: {digest}\r\nContent-Length: {length}\r\n\r\n",
        OCI[0]
    );
}

#[test]
fn one_that_behaves_is_answered() {
    let server = Server::start(|request, stream| shelf().reply(request, stream));
    let user = User::new();
    let answer = user.ask(&format!("{}/team/app:1", server.host())).expect("an answer");
    assert_eq!((answer.pull, answer.layers, answer.asked.to_string().as_str()), (1_000, 1, "2026-11-18"));
    assert_eq!(answer.digest, digest(&image().manifest));
    assert_eq!(server.requests().len(), 3);
    // A day later the tag may be another image; its manifest is known if it is not.
    user.later(24 * 3_600);
    let answer = user.ask(&format!("{}/team/app:1", server.host())).expect("an answer");
    assert_eq!(answer.asked.to_string(), "2026-11-19");
    assert_eq!(server.requests().len(), 4);
    assert_eq!(server.requests()[3].method, "HEAD");
}

#[test]
fn one_that_never_answers() {
    check_slow(|_, stream| wait_for_end(stream));
}

#[test]
fn one_whose_answer_trickles_without_end() {
    check_slow(after_head(|_, stream| {
        head(stream, 1_000_000);
        // One byte at a time is no progress: only the whole counts.
        while stream.write_all(b" ").is_ok() {
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }));
}

#[test]
fn one_whose_answer_is_endless() {
    static SENT: AtomicU64 = AtomicU64::new(0);
    check(
        "an answer of more than 4096 KiB",
        TroubleKind::Image,
        after_head(|_, stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            let piece = [b' '; 64 << 10];
            SENT.store(0, Ordering::SeqCst);
            while stream.write_all(&piece).is_ok() {
                SENT.fetch_add(piece.len() as u64, Ordering::SeqCst);
            }
        }),
    );
    // What lies in the pipes of the system was sent and never read.
    assert!(SENT.load(Ordering::SeqCst) < 24 << 20, "{SENT:?}");
}

#[test]
fn one_with_a_manifest_of_50_mib() {
    static SENT: AtomicU64 = AtomicU64::new(0);
    check(
        "an answer of more than 4096 KiB",
        TroubleKind::Image,
        after_head(|_, stream| {
            head(stream, 50 << 20);
            let piece = [b' '; 64 << 10];
            SENT.store(0, Ordering::SeqCst);
            while SENT.load(Ordering::SeqCst) < 50 << 20 && stream.write_all(&piece).is_ok() {
                SENT.fetch_add(piece.len() as u64, Ordering::SeqCst);
            }
        }),
    );
    assert!(SENT.load(Ordering::SeqCst) < 20 << 20, "{SENT:?}");
}

#[test]
fn one_whose_headers_are_endless() {
    check("its answer cannot be read", TroubleKind::Image, |_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"X-And-So-On: yes\r\n").is_ok() {}
    });
}

#[test]
fn one_that_says_its_answer_is_shorter_than_it_is() {
    check(
        "the manifest is not what its digest says",
        TroubleKind::Image,
        after_head(|_, stream| {
            head(stream, 20);
            let _ = stream.write_all(&image().manifest);
        }),
    );
}

#[test]
fn one_that_says_its_answer_is_longer_than_it_is() {
    check(
        "its answer cannot be read",
        TroubleKind::Image,
        after_head(|_, stream| {
            head(stream, image().manifest.len() + 20);
            let _ = stream.write_all(&image().manifest);
        }),
    );
    check_slow(after_head(|_, stream| {
        head(stream, image().manifest.len() + 20);
        let _ = stream.write_all(&image().manifest);
        wait_for_end(stream);
    }));
}

#[test]
fn one_that_hangs_up() {
    check("its answer cannot be read", TroubleKind::Image, |_, _| {});
    check(
        "its answer cannot be read",
        TroubleKind::Image,
        after_head(|_, stream| {
            head(stream, 1_000);
            let _ = stream.write_all(b"{");
        }),
    );
}

#[test]
fn one_whose_manifest_is_another_than_its_digest_says() {
    check(
        "the manifest is not what its digest says",
        TroubleKind::Image,
        after_head(|_, stream| {
            let other = Image::of(OCI, "linux/amd64", &[5]);
            reply(stream, "200 OK", &[("Content-Type", OCI[0])], &other.manifest);
        }),
    );
    // Nor does it help to name the digest of what is sent.
    check(
        "the manifest is not what its digest says",
        TroubleKind::Image,
        after_head(|_, stream| {
            let other = Image::of(OCI, "linux/amd64", &[5]);
            let digest = digest(&other.manifest);
            let headers = [("Content-Type", OCI[0]), ("Docker-Content-Digest", digest.as_str())];
            reply(stream, "200 OK", &headers, &other.manifest);
        }),
    );
}

#[test]
fn one_that_answers_with_a_page() {
    let page = |stream: &mut TcpStream| {
        reply(stream, "200 OK", &[("Content-Type", "text/html")], b"<!DOCTYPE html><title>Sign in</title>");
    };
    check("something that is no manifest", TroubleKind::Image, move |_, stream| page(stream));
}

#[test]
fn one_that_leads_round_in_a_circle() {
    check("it leads elsewhere in vain: too many redirects", TroubleKind::Image, |request, stream| {
        reply(stream, "307 Temporary Redirect", &[("Location", &request.path)], b"");
    });
    let user = User::new();
    let (_, requests) = check_by(&user, |request, stream| {
        reply(stream, "302 Found", &[("Location", &format!("{}x", request.path))], b"");
    });
    assert!(requests.len() <= 6, "{}", requests.len());
}

#[test]
fn one_that_never_likes_what_it_is_shown() {
    let user = User::new();
    let (trouble, requests) = check_by(&user, |request, stream| {
        let realm = format!("Bearer realm=\"http://{}/token\"", request.header("host").expect("a host"));
        match request.path.starts_with("/token") {
            true => reply(stream, "200 OK", &[], b"{\"token\": \"t0\"}"),
            false => reply(stream, "401 Unauthorized", &[("WWW-Authenticate", &realm)], b""),
        }
    });
    assert_eq!(trouble.words, "the registry does not show it to us (401)");
    assert_eq!(requests.len(), 3, "asked, a token, asked again");
    // The token itself is refused, or none, or endless.
    for answer in ["401 Unauthorized", "200 OK"] {
        let (_, requests) = check_by(&User::new(), move |request, stream| {
            let realm = format!("Bearer realm=\"http://{}/token\"", request.header("host").expect("a host"));
            let status = if request.path.starts_with("/token") { answer } else { "401 Unauthorized" };
            reply(stream, status, &[("WWW-Authenticate", &realm)], &[b'x'; 100_000]);
        });
        assert_eq!(requests.len(), 2);
    }
}

#[test]
fn one_that_wants_to_be_left_alone() {
    check("too many requests (429)", TroubleKind::Limit, |_, stream| {
        reply(stream, "429 Too Many Requests", &[("Retry-After", "60")], b"");
    });
    // Some say it in the text.
    check(
        "too many requests (429)",
        TroubleKind::Limit,
        after_head(|_, stream| {
            reply(
                stream,
                "403 Forbidden",
                &[],
                b"{\"errors\":[{\"code\":\"TOOMANYREQUESTS\",\"message\":\"pull rate\"}]}",
            );
        }),
    );
    let server = Server::start(|_, stream| reply(stream, "429 Too Many Requests", &[], b""));
    let user = User::new();
    assert!(user.ask(&format!("{}/a:1", server.host())).is_err());
    let other = user.ask(&format!("{}/b:1", server.host())).expect_err("its host is left alone");
    assert!(other.words.contains("is left alone for 60 min"), "{other}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn one_that_is_broken() {
    check("it answers with status 500", TroubleKind::Image, |_, stream| {
        reply(stream, "500 Internal Server Error", &[], b"oops");
    });
    check(
        "it answers with status 503",
        TroubleKind::Image,
        after_head(|_, stream| {
            reply(stream, "503 Service Unavailable", &[], &vec![b'x'; 1 << 20]);
        }),
    );
}

#[test]
fn one_that_is_not_there() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let trouble = User::new().ask(&format!("127.0.0.1:{port}/a")).expect_err("nobody listens");
    assert_eq!(trouble.kind, TroubleKind::Host);
    assert!(trouble.words.contains("it cannot be reached"), "{trouble}");
}

#[test]
fn an_index_that_leads_nowhere() {
    let digest = digest(&image().manifest);
    let nested = format!(
        "{{\"schemaVersion\":2,\"manifests\":[{{\"mediaType\":\"{}\",\"digest\":\"{digest}\",\"size\":1,\
         \"platform\":{{\"os\":\"linux\",\"architecture\":\"amd64\"}}}}]}}",
        OCI[1]
    );
    // The image that it names is not there.
    check("the registry does not have it (404)", TroubleKind::Image, move |request, stream| {
        let is_tag = request.path.ends_with("/1");
        let status = if is_tag { "200 OK" } else { "404 Not Found" };
        let body = if request.method == "HEAD" { "" } else { nested.as_str() };
        reply(stream, status, &[], body.as_bytes());
    });
}

#[test]
fn the_table_stands_in_where_docker_hub_does_not_answer() {
    let server = Server::start(|_, stream| reply(stream, "502 Bad Gateway", &[], b""));
    let options = Options { mirror: Some(server.host()), ..Options::default() };
    let registry = Arc::new(Registry::new(options, Arc::new(|| NOW)));
    let node = ImageRef::parse("node:22").expect("a reference");
    assert!(ask(&registry, std::slice::from_ref(&node))[0].is_err());
    assert!(ImageBook::embedded().look_up(&node, &Platform::default()).is_some_and(|facts| facts.pull.is_some()));
    assert_eq!(server.requests()[0].path, "/v2/library/node/manifests/22");
}

#[test]
fn a_dead_registry_costs_the_command_line_its_deadline_once() {
    let server = Server::start(|_, stream| wait_for_end(stream));
    let from = |number: u32| format!("FROM {}/team/app:{number}\nRUN apt-get update\n", server.host());
    let folder = Folder::of(&(1..=12).map(from).collect::<String>());
    let run = folder.run(&["check", "--online", "Dockerfile"]);
    assert_eq!(run.code, 1, "its findings are the same: {run:?}");
    assert!(run.err.contains("no answer within 5s"), "{run:?}");
    assert_eq!(server.requests().len(), 4, "four at once, then it is left alone");
    assert!(folder.run(&["check", "--online", "Dockerfile"]).err.contains("is left alone"));
    assert_eq!(server.requests().len(), 4);
    assert_eq!(folder.run(&["check", "Dockerfile"]).out, run.out);
}

#[test]
fn an_image_is_asked_for_once_however_many_want_it() {
    let server = Server::start(|request, stream| shelf().reply(request, stream));
    let registry = User::new().registry();
    let image = ImageRef::parse(&format!("{}/team/app:1", server.host())).expect("a reference");
    let answers = ask(&registry, &vec![image; 20]);
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn no_more_than_four_are_asked_for_at_once() {
    static NOW_AND_MOST: Mutex<(usize, usize)> = Mutex::new((0, 0));
    let change = |by: isize| {
        let mut counts = NOW_AND_MOST.lock().unwrap_or_else(PoisonError::into_inner);
        counts.0 = counts.0.wrapping_add_signed(by);
        counts.1 = counts.1.max(counts.0);
    };
    let server = Server::start(move |_, stream| {
        change(1);
        std::thread::park_timeout(Duration::from_millis(30));
        change(-1);
        reply(stream, "404 Not Found", &[], b"");
    });
    let reference = |number: u32| ImageRef::parse(&format!("{}/app:{number}", server.host())).expect("a reference");
    let images: Vec<ImageRef> = (0..24).map(reference).collect();
    assert!(ask(&User::new().registry(), &images).iter().all(Result::is_err));
    let (_, most) = *NOW_AND_MOST.lock().unwrap_or_else(PoisonError::into_inner);
    assert!((2..=4).contains(&most), "{most}");
}

#[test]
fn a_look_up_ends_when_nobody_wants_it() {
    let server = Server::start(|_, stream| wait_for_end(stream));
    let image = (ImageRef::parse(&format!("{}/app:1", server.host())).expect("a reference"), Platform::default());
    let registry = User::new().registry();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let images = [image.clone()];
        let asked = registry.ask(&images);
        tokio::select! {
            _ = asked => panic!("it never answers"),
            () = async { while server.requests().is_empty() { tokio::task::yield_now().await; } } => {}
        }
    });
    // It was nobody's fault: the next one asks anew.
    assert_eq!(registry.known(&image.0, &image.1), None);
}

/// `sailor:secret-word`
const SAILOR: &str = "c2FpbG9yOnNlY3JldC13b3Jk";

fn authorizations(server: &Server) -> Vec<Option<String>> {
    server.requests().iter().map(|it| it.header("authorization").map(str::to_owned)).collect()
}

#[test]
fn credentials_do_not_follow_to_another_host() {
    let other = Server::start(|request, stream| shelf().reply(request, stream));
    let elsewhere = other.host();
    let server = Server::start(move |request, stream| match request.header("authorization") {
        None => reply(stream, "401 Unauthorized", &[("WWW-Authenticate", "Basic realm=\"a\"")], b""),
        Some(_) => {
            let place = format!("http://{elsewhere}{}", request.path);
            reply(stream, "307 Temporary Redirect", &[("Location", &place)], b"");
        }
    });
    let user = User::new();
    let auths = [&server, &other].map(|it| format!("\"{}\": {{\"auth\": \"{SAILOR}\"}}", it.host())).join(",");
    user.docker_config(&format!("{{\"auths\": {{{auths}}}}}"));
    let answer = user.ask(&format!("{}/team/app:1", server.host())).expect("an answer");
    assert_eq!(answer.pull, 1_000);
    assert!(authorizations(&server).contains(&Some(format!("Basic {SAILOR}"))));
    assert_eq!(authorizations(&other), [None, None, None]);
}

/// A registry that wants a token of `realm`, and takes `token`.
fn bearer(realm: impl Fn(&Request) -> String + Send + Sync + 'static, token: &'static str) -> Server {
    Server::start(move |request, stream| {
        if request.path.starts_with("/token") {
            return reply(stream, "200 OK", &[], format!("{{\"access_token\": \"{token}\"}}").as_bytes());
        }
        if request.header("authorization") == Some(&format!("Bearer {token}")) {
            return shelf().reply(request, stream);
        }
        let challenge = format!("Bearer realm=\"{}\",service=\"reg\",scope=\"repository:x:push\"", realm(request));
        reply(stream, "401 Unauthorized", &[("WWW-Authenticate", &challenge)], b"");
    })
}

fn own_realm(request: &Request) -> String {
    format!("http://{}/token", request.header("host").expect("a host"))
}

#[test]
fn a_token_is_fetched_once_and_shown_from_then_on() {
    let server = bearer(own_realm, "t1");
    let user = User::new();
    user.docker_config(&format!("{{\"auths\": {{\"{}\": {{\"auth\": \"{SAILOR}\"}}}}}}", server.host()));
    assert!(user.ask(&format!("{}/team/app:1", server.host())).is_ok());
    let requests = server.requests();
    let paths: Vec<&str> = requests.iter().map(|it| it.path.split('?').next().unwrap_or_default()).collect();
    assert_eq!((paths[0], paths[1], paths.len()), ("/v2/team/app/manifests/1", "/token", 5));
    assert_eq!(requests[1].path, "/token?scope=repository%3Ateam%2Fapp%3Apull&service=reg");
    let shown = authorizations(&server);
    assert_eq!((shown[0].as_deref(), shown[1].clone()), (None, Some(format!("Basic {SAILOR}"))));
    assert!(shown[2..].iter().all(|it| it.as_deref() == Some("Bearer t1")), "{shown:?}");
}

#[test]
fn an_identity_token_is_traded_for_one_of_the_registry() {
    let server = bearer(own_realm, "t2");
    let user = User::new();
    let auth = "{\"auth\": \"\", \"identitytoken\": \"refresh me\"}";
    user.docker_config(&format!("{{\"auths\": {{\"{}\": {auth}}}}}", server.host()));
    assert!(user.ask(&format!("{}/team/app:1", server.host())).is_ok());
    let token = &server.requests()[1];
    assert_eq!((token.method.as_str(), token.path.as_str()), ("POST", "/token"));
    assert!(token.body.contains("grant_type=refresh_token") && token.body.contains("refresh_token=refresh+me"));
}

#[test]
fn a_host_of_tokens_elsewhere_is_shown_no_credential() {
    let tokens = Server::start(|_, stream| reply(stream, "200 OK", &[], b"{\"token\": \"t3\"}"));
    let realm = format!("http://{}/token", tokens.host());
    let server = bearer(move |_| realm.clone(), "t3");
    let user = User::new();
    user.docker_config(&format!("{{\"auths\": {{\"{}\": {{\"auth\": \"{SAILOR}\"}}}}}}", server.host()));
    assert!(user.ask(&format!("{}/team/app:1", server.host())).is_ok());
    assert_eq!(authorizations(&tokens), [None]);
    assert!(authorizations(&server).iter().all(|it| it.as_ref().is_none_or(|it| !it.contains(SAILOR))));
}

#[test]
fn a_mirror_of_docker_hub_is_shown_no_credential_of_docker_hub() {
    let server = Server::start(|_, stream| {
        reply(stream, "401 Unauthorized", &[("WWW-Authenticate", "Basic realm=\"a\"")], b"");
    });
    let user = User::new();
    user.docker_config(&format!("{{\"auths\": {{\"https://index.docker.io/v1/\": {{\"auth\": \"{SAILOR}\"}}}}}}"));
    let docker = Some(user.folder.path().join("docker"));
    let options = Options { docker, mirror: Some(server.host()), ..Options::default() };
    let registry = Arc::new(Registry::new(options, Arc::new(|| NOW)));
    let node = ImageRef::parse("node:22").expect("a reference");
    assert!(ask(&registry, std::slice::from_ref(&node))[0].is_err());
    assert_eq!(authorizations(&server), [None]);
}

#[test]
fn an_image_without_credentials_is_asked_for_without_a_name() {
    let server = bearer(own_realm, "t4");
    let user = User::new();
    user.docker_config(&format!("{{\"auths\": {{\"other.example\": {{\"auth\": \"{SAILOR}\"}}}}}}"));
    assert!(user.ask(&format!("{}/team/app:1", server.host())).is_ok());
    assert_eq!(authorizations(&server)[1], None);
}

#[test]
fn a_broken_cache_is_no_trouble() {
    let server = Server::start(|request, stream| shelf().reply(request, stream));
    let user = User::new();
    let file: &Path = &user.folder.path().join("cache/registry.json");
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    std::fs::write(file, "{\"version\":1,\"manifests\":7").expect("a file");
    assert!(user.ask(&format!("{}/team/app:1", server.host())).is_ok());
    assert!(std::fs::read_to_string(file).expect("a file").contains("team/app:1"));
}

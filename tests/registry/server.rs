//! Registries as a test wants them: small servers on this machine that answer with whatever they are told to, and remember
//! what they were asked.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use sha2::{Digest, Sha256};

/// What a client asked for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    /// A header, named in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn read(stream: &TcpStream) -> Option<Request> {
        let mut reader = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim_end() {
                "" => break,
                text => lines.push(text.to_owned()),
            }
        }
        let (first, rest) = lines.split_first()?;
        let mut words = first.split(' ').map(str::to_owned);
        let headers = rest.iter().filter_map(|line| line.split_once(": "));
        let headers: Vec<_> = headers.map(|(key, value)| (key.to_ascii_lowercase(), value.to_owned())).collect();
        let mut res = Request { method: words.next()?, path: words.next()?, headers, body: String::new() };
        let length = res.header("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        res.body = String::from_utf8(body).ok()?;
        Some(res)
    }
}

/// A server; it lives until the program ends.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers each connection once; it is closed behind the answer. What cannot be written nobody wanted.
    pub(crate) fn start(answer: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let res = Server { port, requests: Arc::clone(&requests) };
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (requests, answer) = (Arc::clone(&requests), Arc::clone(&answer));
                thread::spawn(move || {
                    let mut stream = stream;
                    let Some(request) = Request::read(&stream) else { return };
                    requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
                    answer(&request, &mut stream);
                });
            }
        });
        res
    }

    /// What it was asked, in order.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The host as images name it.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

/// Writes a whole answer.
pub(crate) fn reply(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)], body: &[u8]) {
    let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

/// Waits until the client goes away.
pub(crate) fn wait_for_end(stream: &mut TcpStream) {
    let mut byte = [0];
    while stream.read(&mut byte).is_ok_and(|n_bytes| n_bytes > 0) {}
}

/// The digest of some bytes.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let digits: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// An image of some layers and what belongs to it.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) manifest: Vec<u8>,
    pub(crate) config: Vec<u8>,
    pub(crate) layers: Vec<Vec<u8>>,
    pub(crate) media_type: &'static str,
}

/// The words of the two families of media types: manifest, index, configuration, layer.
pub(crate) const OCI: [&str; 4] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.oci.image.layer.v1.tar+gzip",
];
pub(crate) const DOCKER: [&str; 4] = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
];

impl Image {
    /// An image for a platform whose layers have so many bytes.
    pub(crate) fn of(family: [&'static str; 4], platform: &str, layers: &[usize]) -> Image {
        let (os, architecture) = platform.split_once('/').expect("a platform");
        let layer = |(idx, length): (usize, &usize)| vec![u8::try_from(idx).expect("few layers"); *length];
        let layers: Vec<Vec<u8>> = layers.iter().enumerate().map(layer).collect();
        let diffs: Vec<String> = layers.iter().map(|layer| digest(layer)).collect();
        let config = format!(
            "{{\"os\":\"{os}\",\"architecture\":\"{architecture}\",\"created\":\"2026-11-01T00:00:00Z\",\
             \"config\":{{}},\"rootfs\":{{\"type\":\"layers\",\"diff_ids\":{diffs:?}}}}}"
        );
        let descriptor = |media_type: &str, bytes: &[u8]| {
            let digest = digest(bytes);
            format!("{{\"mediaType\":\"{media_type}\",\"digest\":\"{digest}\",\"size\":{}}}", bytes.len())
        };
        let described: Vec<String> = layers.iter().map(|layer| descriptor(family[3], layer)).collect();
        let manifest = format!(
            "{{\"schemaVersion\":2,\"mediaType\":\"{}\",\"config\":{},\"layers\":[{}]}}",
            family[0],
            descriptor(family[2], config.as_bytes()),
            described.join(",")
        );
        Image { manifest: manifest.into_bytes(), config: config.into_bytes(), layers, media_type: family[0] }
    }
}

/// An index of images, each for the platform beside it.
pub(crate) fn index(family: [&'static str; 4], images: &[(&str, &Image)]) -> Vec<u8> {
    let entries: Vec<String> = images
        .iter()
        .map(|(platform, image)| {
            let parts: Vec<&str> = platform.split('/').collect();
            let variant = parts.get(2).map(|it| format!(",\"variant\":\"{it}\"")).unwrap_or_default();
            format!(
                "{{\"mediaType\":\"{}\",\"digest\":\"{}\",\"size\":{},\"platform\":{{\"os\":\"{}\",\
                 \"architecture\":\"{}\"{variant}}}}}",
                image.media_type,
                digest(&image.manifest),
                image.manifest.len(),
                parts[0],
                parts[1],
            )
        })
        .collect();
    let (media_type, entries) = (family[1], entries.join(","));
    format!("{{\"schemaVersion\":2,\"mediaType\":\"{media_type}\",\"manifests\":[{entries}]}}").into_bytes()
}

/// What a well-behaved registry would answer: manifests and configurations by path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf(HashMap<String, (&'static str, Vec<u8>)>);

impl Shelf {
    /// An image under this repository and tag.
    pub(crate) fn with(mut self, repository: &str, tag: &str, image: &Image) -> Shelf {
        for reference in [tag, &digest(&image.manifest)] {
            let path = format!("/v2/{repository}/manifests/{reference}");
            self.0.insert(path, (image.media_type, image.manifest.clone()));
        }
        let path = format!("/v2/{repository}/blobs/{}", digest(&image.config));
        self.0.insert(path, ("application/json", image.config.clone()));
        self
    }

    /// Answers a request.
    pub(crate) fn reply(&self, request: &Request, stream: &mut TcpStream) {
        let Some((media_type, body)) = self.0.get(&request.path) else {
            return reply(stream, "404 Not Found", &[], b"{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\"}]}");
        };
        let digest = digest(body);
        let headers = [("Content-Type", *media_type), ("Docker-Content-Digest", digest.as_str())];
        reply(stream, "200 OK", &headers, if request.method == "HEAD" { &[] } else { body });
    }
}

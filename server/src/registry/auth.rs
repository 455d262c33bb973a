//! How a registry is answered that wants to know who asks: its challenge, the token it points to, the credential it gets.
//!
//! **Invariant:** a credential is sent to the registry's own host, or to the host of its tokens where both lie in one
//! domain; whatever else a challenge names is asked without a name.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Mutex;

use http_auth::ChallengeRef;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Method, RequestBuilder, Url};
use serde::Deserialize;

use crate::registry::credentials::{self, Credential};
use crate::registry::http::{self, Clients};
use crate::registry::names::{Place, is_local};
use crate::registry::{Trouble, locked};

/// A longer answer holds no token.
const LONGEST_TOKEN: usize = 64 << 10;

/// What registries were shown, to be shown again: by host and path.
#[derive(Debug, Default)]
pub(super) struct Passes(Mutex<HashMap<(String, String), HeaderValue>>);

impl Passes {
    /// The request with what this registry accepted before.
    pub(super) fn show(&self, request: RequestBuilder, place: &Place) -> RequestBuilder {
        match locked(&self.0).get(&key(place)) {
            Some(pass) => request.header(AUTHORIZATION, pass.clone()),
            None => request,
        }
    }

    /// Gets what the challenge of a registry demands. Whether there is something new to show.
    pub(super) async fn obtain(
        &self,
        clients: &Clients,
        place: &Place,
        registry: &str,
        docker: Option<&PathBuf>,
        headers: &HeaderMap,
    ) -> Result<bool, Trouble> {
        let Some(challenge) = Challenge::of(headers) else { return Ok(false) };
        let credential = credential(docker, registry).await;
        let pass = match challenge {
            Challenge::Basic => match credential {
                Some(Credential::Password(name, word)) => basic(clients, place, &name, &word)?,
                Some(Credential::Refresh(_)) | None => None,
            },
            Challenge::Bearer { realm, service } => {
                let own = is_own(&realm, place);
                if credential.is_some() && !own {
                    tracing::debug!(registry, "its tokens come from another domain, which gets no credential");
                }
                token(clients, place, realm, service, credential.filter(|_| own)).await?
            }
        };
        let Some(mut pass) = pass else { return Ok(false) };
        pass.set_sensitive(true);
        let before = locked(&self.0).insert(key(place), pass.clone());
        Ok(before != Some(pass))
    }
}

fn key(place: &Place) -> (String, String) {
    (place.host.clone(), place.path.clone())
}

/// What a registry wants.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Challenge {
    /// Name and password.
    Basic,
    /// A token that `realm` gives.
    Bearer { realm: Url, service: Option<String> },
}

impl Challenge {
    /// The strongest challenge of an answer that is understood.
    fn of(headers: &HeaderMap) -> Option<Challenge> {
        let texts = headers.get_all(WWW_AUTHENTICATE).into_iter().filter_map(|value| value.to_str().ok());
        let challenges: Vec<ChallengeRef<'_>> =
            texts.filter_map(|text| http_auth::parse_challenges(text).ok()).flatten().collect();
        let bearer = challenges.iter().find(|it| it.scheme.eq_ignore_ascii_case("bearer")).and_then(|bearer| {
            let value = |name: &str| {
                let found = bearer.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.to_unescaped())
            };
            Some(Challenge::Bearer { realm: Url::parse(&value("realm")?).ok()?, service: value("service") })
        });
        let basic = || challenges.iter().any(|it| it.scheme.eq_ignore_ascii_case("basic"));
        bearer.or_else(|| basic().then_some(Challenge::Basic))
    }
}

/// The client writes the header; it is taken out of a request that is never sent.
fn basic(clients: &Clients, place: &Place, name: &str, word: &str) -> Result<Option<HeaderValue>, Trouble> {
    let request = clients.request(Method::GET, place.url("blobs", "none")?)?.basic_auth(name, Some(word)).build();
    Ok(request.ok().and_then(|request| request.headers().get(AUTHORIZATION).cloned()))
}

/// Helpers are programs and may take long.
async fn credential(docker: Option<&PathBuf>, registry: &str) -> Option<Credential> {
    let (folder, registry) = (docker?.clone(), registry.to_owned());
    tokio::task::spawn_blocking(move || credentials::of(&folder, &registry)).await.ok().flatten()
}

/// Whether the host of the tokens is the registry's own or lies in its domain (`auth.docker.io` and
/// `registry-1.docker.io`), and is spoken to as safely.
fn is_own(realm: &Url, place: &Place) -> bool {
    let Some(host) = realm.host_str() else { return false };
    let Ok(own) = Url::parse(&format!("{}://{}/", if place.local { "http" } else { "https" }, place.host)) else {
        return false;
    };
    if place.local {
        return own.host_str() == Some(host) && own.port_or_known_default() == realm.port_or_known_default();
    }
    let Some(own) = own.host_str().filter(|_| realm.scheme() == "https") else { return false };
    own == host || domain(own).is_some_and(|domain| host == domain || host.ends_with(&format!(".{domain}")))
}

/// The domain that a host lies in, if that belongs to somebody: not `io`, not `co.uk`, nothing for an address.
fn domain(host: &str) -> Option<&str> {
    let (_, domain) = host.split_once('.')?;
    let (second, top) = domain.split_once('.')?;
    let is_shared = !top.contains('.') && top.len() == 2 && second.len() <= 3;
    let is_address = host.ends_with(|it: char| it.is_ascii_digit() || it == ']');
    (!is_shared && !is_address).then_some(domain)
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// Asks for a token to pull this repository.
async fn token(
    clients: &Clients,
    place: &Place,
    mut realm: Url,
    service: Option<String>,
    credential: Option<Credential>,
) -> Result<Option<HeaderValue>, Trouble> {
    let is_plain = realm.scheme() == "http" && place.local && realm.host_str().is_some_and(is_local);
    if realm.scheme() != "https" && !is_plain {
        return Err(Trouble::image("its tokens are given without encryption"));
    }
    let mut fields = vec![("scope", format!("repository:{}:pull", place.path))];
    fields.extend(service.map(|service| ("service", service)));
    let request = match &credential {
        Some(Credential::Refresh(token)) => {
            // The OAuth2 way of https://distribution.github.io/distribution/spec/auth/oauth/
            fields.push(("grant_type", "refresh_token".to_owned()));
            fields.push(("client_id", "plimsoll".to_owned()));
            fields.push(("refresh_token", token.clone()));
            let mut form = realm.clone();
            form.query_pairs_mut().clear().extend_pairs(&fields);
            let body = form.query().unwrap_or_default().to_owned();
            clients.request(Method::POST, realm)?.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
        }
        Some(Credential::Password(name, word)) => {
            realm.query_pairs_mut().extend_pairs(&fields);
            clients.request(Method::GET, realm)?.basic_auth(name, Some(word))
        }
        None => {
            realm.query_pairs_mut().extend_pairs(&fields);
            clients.request(Method::GET, realm)?
        }
    };
    let answer = http::send(request.header(ACCEPT, "application/json")).await?;
    if !answer.status.is_success() {
        return Err(super::fetch::refusal(answer.status, "its tokens"));
    }
    let body = answer.body(LONGEST_TOKEN).await?;
    let token: Token = serde_json::from_slice(&body).map_err(|_| Trouble::image("it gives no token"))?;
    let token = token.token.or(token.access_token).filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| Trouble::image("it gives no token"))?;
    Ok(HeaderValue::from_str(&format!("Bearer {token}")).ok())
}

#[cfg(test)]
mod tests {
    use reqwest::Url;
    use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};

    use super::{Challenge, is_own};
    use crate::registry::names::{Place, is_local};

    fn own(host: &str, realm: &str) -> bool {
        let place = Place { host: host.to_owned(), local: is_local(host), path: "a".to_owned() };
        is_own(&Url::parse(realm).expect("an address"), &place)
    }

    #[test]
    fn a_credential_goes_to_the_registry_and_to_tokens_of_its_domain() {
        assert!(own("registry-1.docker.io", "https://auth.docker.io/token"));
        assert!(own("registry.gitlab.com", "https://gitlab.com/jwt/auth"));
        assert!(own("ghcr.io", "https://ghcr.io/token"));
        assert!(own("127.0.0.1:5000", "http://127.0.0.1:5000/token"));
        let elsewhere = [
            ("registry-1.docker.io", "http://auth.docker.io/token"),
            ("registry-1.docker.io", "https://evildocker.io/token"),
            ("ghcr.io", "https://evil.io/token"),
            ("acme.co.uk", "https://evil.co.uk/token"),
            ("127.0.0.1:5000", "http://127.0.0.1:5001/token"),
            ("10.0.0.1", "https://10.0.0.2/token"),
        ];
        for (host, realm) in elsewhere {
            assert!(!own(host, realm), "{host} {realm}");
        }
    }

    #[test]
    fn a_token_is_preferred_to_a_password() {
        let mut headers = HeaderMap::new();
        assert_eq!(Challenge::of(&headers), None);
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"x\""));
        assert_eq!(Challenge::of(&headers), Some(Challenge::Basic));
        let bearer = "Bearer realm=\"https://a.example/token\",service=\"s\"";
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(bearer));
        let realm = Url::parse("https://a.example/token").expect("an address");
        assert_eq!(Challenge::of(&headers), Some(Challenge::Bearer { realm, service: Some("s".to_owned()) }));
    }
}

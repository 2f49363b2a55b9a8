//! The service's settings, from environment variables.

use std::fmt;

use axum::http::Uri;

/// Nobody listens there; a ranker that is down is a normal case.
const NOBODY: &str = "http://127.0.0.1:9";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub host: String,
    pub http_port: u16,
    pub grpc_port: u16,
    pub ranker_url: Uri,
    pub ranker_grpc_url: Uri,
    /// Where `RecommendationServed` is posted; None: nowhere.
    pub events_url: Option<Uri>,
    pub provider_states: bool,
}

impl Config {
    /// `lookup` gives a variable's value; an empty one counts as unset.
    ///
    /// # Errors
    /// Names the first variable that is missing or makes no sense.
    pub fn from_variables(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let value = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let url = |name| value(name).map(|text| parse_url(name, &text)).transpose();
        Ok(Config {
            host: value("HOST").unwrap_or_else(|| "127.0.0.1".to_owned()),
            http_port: port("PORT", value("PORT"), "PORT=4002")?,
            grpc_port: port("GRPC_PORT", value("GRPC_PORT"), "GRPC_PORT=5002")?,
            ranker_url: url("RANKER_URL")?.unwrap_or_else(|| Uri::from_static(NOBODY)),
            ranker_grpc_url: url("RANKER_GRPC_URL")?.unwrap_or_else(|| Uri::from_static(NOBODY)),
            events_url: url("EVENTS_URL")?,
            provider_states: switch("PROVIDER_STATES", value("PROVIDER_STATES").as_deref())?,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    variable: String,
    problem: String,
    example: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}; for example {}", self.variable, self.problem, self.example)
    }
}

impl std::error::Error for ConfigError {}

fn invalid(variable: &str, problem: String, example: &str) -> ConfigError {
    ConfigError { variable: variable.to_owned(), problem, example: example.to_owned() }
}

fn port(name: &str, value: Option<String>, example: &str) -> Result<u16, ConfigError> {
    let text = value.ok_or_else(|| invalid(name, "is not set".to_owned(), example))?;
    text.parse().map_err(|_| invalid(name, format!("must be a port from 0 to 65535, not {text:?}"), example))
}

fn parse_url(name: &str, text: &str) -> Result<Uri, ConfigError> {
    let problem =
        || invalid(name, format!("must be an http:// URL, not {text:?}"), &format!("{name}=http://127.0.0.1:4003"));
    let url: Uri = text.parse().map_err(|_| problem())?;
    if url.scheme_str() != Some("http") || url.host().is_none_or(str::is_empty) {
        return Err(problem());
    }
    Ok(url)
}

fn switch(name: &str, value: Option<&str>) -> Result<bool, ConfigError> {
    match value {
        None | Some("0") => Ok(false),
        Some("1") => Ok(true),
        Some(other) => Err(invalid(name, format!("must be 1 or 0, not {other:?}"), "PROVIDER_STATES=1")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
        let ports = [("PORT", "4002"), ("GRPC_PORT", "5002")];
        let found = |name: &str| variables.iter().chain(&ports).find(|(key, _)| *key == name);
        Config::from_variables(|name| found(name).map(|(_, value)| (*value).to_owned()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn only_the_ports_are_required() {
        let config = read(&[]).expect("valid");
        assert_eq!((config.host.as_str(), config.http_port, config.grpc_port), ("127.0.0.1", 4002, 5002));
        assert_eq!((config.events_url, config.provider_states), (None, false));
        assert_eq!(read(&[("PORT", "")]), Err("PORT is not set; for example PORT=4002".to_owned()));
        assert_eq!(read(&[("GRPC_PORT", "")]), Err("GRPC_PORT is not set; for example GRPC_PORT=5002".to_owned()));
    }

    #[test]
    fn values_that_make_no_sense_are_named() {
        let error = read(&[("PORT", "65536")]).expect_err("no port");
        assert_eq!(error, "PORT must be a port from 0 to 65535, not \"65536\"; for example PORT=4002");
        for url in ["ranker", "https://ranker", "http://", "/v1/scores", "ftp://ranker"] {
            let error = read(&[("RANKER_URL", url)]).expect_err(url);
            assert!(error.starts_with(&format!("RANKER_URL must be an http:// URL, not {url:?}")), "{error}");
        }
        assert!(read(&[("PROVIDER_STATES", "yes")]).is_err());
    }

    #[test]
    fn addresses_are_taken_over() {
        let config = read(&[("EVENTS_URL", "http://ranker:4003/v1/events"), ("PROVIDER_STATES", "1")]).expect("valid");
        assert_eq!(config.events_url.expect("set").path(), "/v1/events");
        assert!(config.provider_states);
    }
}

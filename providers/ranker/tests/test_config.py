"""Settings: defaults, and a one-line message for each that is wrong."""

import pytest
from ranker.config import Config, ConfigError, load_config

PORTS = {"PORT": "4003", "GRPC_PORT": "5003"}


def test_needs_only_the_ports() -> None:
    assert load_config(PORTS) == Config("127.0.0.1", 4003, 5003, "http://127.0.0.1:9", provider_states=False)


def test_reads_everything() -> None:
    env = {**PORTS, "HOST": "::1", "STOREFRONT_URL": "http://storefront:80/", "PROVIDER_STATES": "1"}
    assert load_config(env) == Config("::1", 4003, 5003, "http://storefront:80", provider_states=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"PORT": ""}, "PORT is missing"),
        ({"GRPC_PORT": ""}, "GRPC_PORT is missing"),
        ({"PORT": "http"}, "PORT='http' is not a port"),
        ({"PORT": "65536"}, "is not a port"),
        ({"PORT": "0"}, "is not a port"),
        ({"PORT": "9" * 9999}, "is not a port"),
        ({"PORT": "²"}, "is not a port"),
        ({"STOREFRONT_URL": "storefront:80"}, "is not an http URL"),
        ({"STOREFRONT_URL": "http://"}, "is not an http URL"),
        ({"STOREFRONT_URL": "http://host:99999"}, "is not an http URL"),
        ({"PROVIDER_STATES": "yes"}, "is neither 0 nor 1"),
    ],
)
def test_says_which_variable_is_wrong_and_gives_an_example(change: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match="for example") as caught:
        load_config({**PORTS, **change})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)

"""The checks of the providers of OpenFeature: of its remote evaluation protocol, and Flagsmith's own."""

import requests
from flagsmith import Flagsmith
from openfeature import api as openfeature
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature_flagsmith.provider import FlagsmithProvider
from stack import CLIENT_KEY, SERVER_KEY, TRAITS, Instance, await_counts, counted, identities, stored


def use(provider) -> OpenFeatureClient:
    openfeature.set_provider(provider)
    return openfeature.get_client()


def remote(api: Instance, key: str = CLIENT_KEY) -> OpenFeatureClient:
    return use(OFREPProvider(api.url, headers_factory=lambda: {"X-Environment-Key": key}))


def own(api: Instance, key: str = CLIENT_KEY, **settings) -> OpenFeatureClient:
    return use(FlagsmithProvider(client=Flagsmith(
        environment_key=key, api_url=f"{api.url}/api/v1/", retries=requests.adapters.Retry(total=0), **settings)))


def price(client: OpenFeatureClient, identifier: str = "", name: str = "free_shipping_from", **attributes) -> int:
    return client.get_integer_value(name, 7, EvaluationContext(identifier or None, attributes))


def returns(api: Instance, client: OpenFeatureClient, identifier: str) -> None:
    assert price(client, identifier) == 40
    api.stop()
    assert price(client, identifier) == 7
    api.start()
    assert price(client, identifier) == 40


def remote_environment_flags(api: Instance) -> None:
    assert price(remote(api), "x") == 40


def remote_identity_traits(api: Instance) -> None:
    assert price(remote(api), "x", **TRAITS) == 0


def remote_anonymous(api: Instance) -> None:
    before = identities()
    assert price(remote(api), plan="pro") == 0
    assert identities() == before


def remote_wrong_key(api: Instance) -> None:
    assert price(remote(api, "no-such-key"), "x") == 7


def remote_server_returns(api: Instance) -> None:
    returns(api, remote(api), "x")


OFREP = {
    "environment_flags": remote_environment_flags,
    "identity_traits": remote_identity_traits,
    "transient_identity": "OFREP stores nothing",
    "transient_trait": "OFREP stores nothing",
    "trait_removed": "OFREP stores nothing",
    "anonymous": remote_anonymous,
    "local_evaluation": "OFREP asks for each flag",
    "analytics_once": "OFREP does not count",
    "wrong_key": remote_wrong_key,
    "server_returns": remote_server_returns,
    "realtime": "OFREP asks for each flag",
}


def environment_flags(api: Instance) -> None:
    assert price(own(api)) == 40
    assert price(own(api), name="fraud_score_limit") == 7
    assert price(own(api, SERVER_KEY), name="fraud_score_limit") == 70


def identity_traits(api: Instance) -> None:
    assert price(own(api), "py-of-traits", **TRAITS) == 0
    assert stored("py-of-traits") == TRAITS, stored("py-of-traits")


def transient_identity(api: Instance) -> None:
    assert price(own(api), "py-of-transient", transient=True, **TRAITS) == 0
    assert stored("py-of-transient") is None


def transient_trait(api: Instance) -> None:
    price(own(api), "py-of-mixed", traits={"plan": "pro", "orders": {"value": 3, "transient": True}})
    assert stored("py-of-mixed") == {"plan": "pro"}, stored("py-of-mixed")


def trait_removed(api: Instance) -> None:
    price(own(api), "py-of-removed", **TRAITS)
    price(own(api), "py-of-removed", plan=None)
    assert "plan" not in stored("py-of-removed") and stored("py-of-removed")["orders"] == 73


def anonymous(api: Instance) -> None:
    before = identities()
    assert price(own(api), plan="pro") == 40
    assert identities() == before


def local_evaluation(api: Instance) -> None:
    answers = []
    for local in (True, False):
        client, found = own(api, SERVER_KEY, enable_local_evaluation=local), []
        for n in range(1000):
            context = EvaluationContext(f"py-of-{n}", {"orders": n, "country": ("SE", "NL", "FI")[n % 3], "transient": True})
            found.append((client.get_boolean_value("express_checkout", False, context), client.get_string_value("checkout_button", "", context)))
        answers.append(found)
    assert answers[0] == answers[1]
    assert len(set(answers[0])) == 6  # two states, three values


def analytics_once(api: Instance) -> None:
    before = counted()
    sdk = Flagsmith(environment_key=CLIENT_KEY, api_url=f"{api.url}/api/v1/", enable_analytics=True)
    client = use(FlagsmithProvider(client=sdk))
    for _ in range(7):
        client.get_boolean_value("photo_search", False)
    sdk._analytics_processor.flush()
    await_counts(before)


def wrong_key(api: Instance) -> None:
    assert price(own(api, "no-such-key")) == 7


def server_returns(api: Instance) -> None:
    returns(api, own(api, request_timeout_seconds=5), "")


FLAGSMITH = {check.__name__: check for check in (
    environment_flags, identity_traits, transient_identity, transient_trait, trait_removed, anonymous,
    local_evaluation, analytics_once, wrong_key, server_returns)} | {
    "realtime": "it is the SDK's, told above"}

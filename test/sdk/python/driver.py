#!/usr/bin/env python3
"""Drives the official Python SDK and the providers of OpenFeature; test/sdk/README.md says how the checks are told."""

import json
import os
import time
from importlib.metadata import version

import openfeature_checks
import requests
from flagsmith import Flagsmith
from flagsmith.exceptions import FlagsmithAPIError
from stack import CLIENT_KEY, SERVER_KEY, TRAITS, Instance, await_counts, counted, identities, sql, stored

IDENTITIES = 1000


def flags_of(flags) -> dict:
    return {f.feature_name: (f.enabled, f.value) for f in flags.all_flags()}


def client(instance: Instance, key: str = CLIENT_KEY, **settings) -> Flagsmith:
    return Flagsmith(environment_key=key, api_url=f"{instance.url}/api/v1/", **settings)


def environment_flags(api: Instance) -> None:
    flags = flags_of(client(api).get_environment_flags())
    assert flags["free_shipping_from"] == (True, 40), flags
    assert "fraud_score_limit" not in flags and "fraud_score_limit" in flags_of(client(api, SERVER_KEY).get_environment_flags())


def identity_traits(api: Instance) -> None:
    flags = client(api).get_identity_flags("py-traits", traits=TRAITS)
    assert stored("py-traits") == TRAITS, stored("py-traits")
    expected = sql("SELECT enabled::text || ' ' || (value #>> '{}') FROM flagsmith.get_identity_flags(" + f"'{CLIENT_KEY}', 'py-traits') WHERE feature = 'courier_delivery'")
    found = flags.get_flag("courier_delivery")
    assert f"{str(found.enabled).lower()} {found.value}" == expected, (found, expected)


def transient_identity(api: Instance) -> None:
    client(api).get_identity_flags("py-transient", traits=TRAITS, transient=True)
    assert stored("py-transient") is None


def transient_trait(api: Instance) -> None:
    client(api).get_identity_flags("py-mixed", traits={"plan": "pro", "orders": {"value": 3, "transient": True}})
    assert stored("py-mixed") == {"plan": "pro"}, stored("py-mixed")


def trait_removed(api: Instance) -> None:
    client(api).get_identity_flags("py-removed", traits=TRAITS)
    client(api).get_identity_flags("py-removed", traits={"plan": None})
    assert "plan" not in stored("py-removed") and stored("py-removed")["orders"] == 73


def anonymous(api: Instance) -> None:
    before = identities()
    assert flags_of(client(api).get_identity_flags("", traits={"plan": "pro"}, transient=True))
    assert identities() == before


def local_evaluation(api: Instance) -> None:
    local, remote = client(api, SERVER_KEY, enable_local_evaluation=True), client(api, SERVER_KEY)
    for n in range(IDENTITIES):
        traits = {"plan": "pro" if n % 3 else "free", "country": ("SE", "NL", "FI")[n % 3], "orders": n, "beta": n % 2 == 0}
        a = flags_of(local.get_identity_flags(f"py-local-{n}", traits=traits))
        b = flags_of(remote.get_identity_flags(f"py-local-{n}", traits=traits, transient=True))
        assert a == b, (n, {k: (a.get(k), b.get(k)) for k in {**a, **b} if a.get(k) != b.get(k)})
    local.event_stream_thread = None


def analytics_once(api: Instance) -> None:
    before = counted()
    counting = client(api, enable_analytics=True)
    flags = counting.get_environment_flags()
    for _ in range(7):
        flags.is_feature_enabled("photo_search")
    counting._analytics_processor.flush()
    await_counts(before)


def wrong_key(api: Instance) -> None:
    try:
        client(api, "no-such-key").get_environment_flags()
    except FlagsmithAPIError:
        return
    raise AssertionError("no error")


def server_returns(api: Instance) -> None:
    sdk = client(api, request_timeout_seconds=5, retries=requests.adapters.Retry(total=0))
    sdk.get_environment_flags()
    api.stop()
    try:
        sdk.get_environment_flags()
        raise AssertionError("no error while the server was away")
    except FlagsmithAPIError:
        pass
    api.start()
    assert flags_of(sdk.get_environment_flags())["free_shipping_from"] == (True, 40)


def realtime(api: Instance) -> None:
    def change(enabled: bool) -> None:
        sql(f"UPDATE flagsmith.feature_state s SET enabled = {enabled} FROM flagsmith.feature f WHERE f.id = s.feature_id AND name = 'stock_editor'")

    def await_change(enabled: bool) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if sdk.get_environment_flags().is_feature_enabled("stock_editor") == enabled:
                return
            time.sleep(0.1)
        raise AssertionError(f"not seen: {enabled}")

    change(False)
    sdk = client(api, SERVER_KEY, enable_local_evaluation=True, enable_realtime_updates=True, realtime_api_url=f"{api.url}/")
    await_change(False)
    time.sleep(1)
    change(True)
    await_change(True)
    api.stop()
    change(False)  # while the stream is down
    api.start()
    await_change(False)


CHECKS = {check.__name__: check for check in (
    environment_flags, identity_traits, transient_identity, transient_trait, trait_removed, anonymous,
    local_evaluation, analytics_once, wrong_key, server_returns, realtime)}


def main() -> None:
    api = Instance()
    for sdk, package, checks in (
            ("Python flagsmith", "flagsmith", CHECKS),
            ("OFREP provider (Python)", "openfeature-provider-ofrep", openfeature_checks.OFREP),
            ("OpenFeature flagsmith provider (Python)", "openfeature-provider-flagsmith", openfeature_checks.FLAGSMITH)):
        for name, check in checks.items():
            result, note = "ok", ""
            if isinstance(check, str):
                result, note = "none", check
            else:
                try:
                    api.start()
                    check(api)
                except Exception as error:
                    result, note = "failed", f"{type(error).__name__}: {error}"[:300]
            print(json.dumps({"sdk": sdk, "version": version(package), "check": name, "result": result, "note": note}), flush=True)
    api.stop()
    os._exit(0)  # the SDK's threads go on


main()

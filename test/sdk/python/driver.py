#!/usr/bin/env python3
"""Drives the official Python SDK; test/sdk/README.md says how the checks are told."""

import json
import os
import re
import signal
import subprocess
import time
from importlib.metadata import version

import requests
from flagsmith import Flagsmith
from flagsmith.exceptions import FlagsmithAPIError

CLIENT_KEY, SERVER_KEY = os.environ["CLIENT_KEY"], os.environ["SERVER_KEY"]
IDENTITIES = 1000
TRAITS = {"plan": "pro", "orders": 73, "rating": 4.5, "newsletter": True}


class Instance:
    """An API instance of this driver's own, which can go away and come back at the same port."""

    def __init__(self) -> None:
        self.port = "0"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [os.environ["API_PROGRAM"], "--port", self.port, "--database", os.environ["API_DATABASE"]],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        for line in self.process.stderr:
            found = re.search(r'"event":"listening","port":(\d+)', line)
            if found:
                self.port = found[1]
                break
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self.process.stderr.close()


def sql(query: str) -> str:
    return subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", query], check=True, capture_output=True, text=True).stdout.strip()


def flags_of(flags) -> dict:
    return {f.feature_name: (f.enabled, f.value) for f in flags.all_flags()}


def client(instance: Instance, key: str = CLIENT_KEY, **settings) -> Flagsmith:
    return Flagsmith(environment_key=key, api_url=f"{instance.url}/api/v1/", **settings)


def stored(identifier: str) -> dict:
    return json.loads(sql(f"SELECT coalesce((SELECT traits FROM flagsmith.identity WHERE identifier = '{identifier}'), 'null')"))


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
    before = sql("SELECT count(*) FROM flagsmith.identity")
    assert flags_of(client(api).get_identity_flags("", traits={"plan": "pro"}, transient=True))
    assert sql("SELECT count(*) FROM flagsmith.identity") == before


def local_evaluation(api: Instance) -> None:
    local, remote = client(api, SERVER_KEY, enable_local_evaluation=True), client(api, SERVER_KEY)
    for n in range(IDENTITIES):
        traits = {"plan": "pro" if n % 3 else "free", "country": ("SE", "NL", "FI")[n % 3], "orders": n, "beta": n % 2 == 0}
        a = flags_of(local.get_identity_flags(f"py-local-{n}", traits=traits))
        b = flags_of(remote.get_identity_flags(f"py-local-{n}", traits=traits, transient=True))
        assert a == b, (n, {k: (a.get(k), b.get(k)) for k in {**a, **b} if a.get(k) != b.get(k)})
    local.event_stream_thread = None


def counted() -> int:
    return int(sql("SELECT coalesce(sum(count), 0) FROM flagsmith.feature_evaluation e JOIN flagsmith.feature f ON f.id = e.feature_id WHERE name = 'photo_search'"))


def analytics_once(api: Instance) -> None:
    before = counted()
    counting = client(api, enable_analytics=True)
    flags = counting.get_environment_flags()
    for _ in range(7):
        flags.is_feature_enabled("photo_search")
    counting._analytics_processor.flush()
    deadline = time.monotonic() + 15
    while counted() < before + 7 and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(1)
    assert counted() == before + 7, counted() - before


def wrong_key(api: Instance) -> None:
    try:
        client(api, "no-such-key").get_environment_flags()
    except FlagsmithAPIError:
        return
    raise AssertionError("no error")


def server_returns(api: Instance) -> None:
    sdk = client(api, request_timeout_seconds=2, retries=requests.adapters.Retry(total=0))
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
        deadline = time.monotonic() + 10
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


CHECKS = [environment_flags, identity_traits, transient_identity, transient_trait, trait_removed, anonymous,
          local_evaluation, analytics_once, wrong_key, server_returns, realtime]


def main() -> None:
    api = Instance()
    for check in CHECKS:
        result, note = "ok", ""
        try:
            check(api)
        except Exception as error:
            result, note = "failed", f"{type(error).__name__}: {error}"[:300]
        print(json.dumps({"sdk": "Python flagsmith", "version": version("flagsmith"), "check": check.__name__, "result": result, "note": note}), flush=True)
    api.stop()
    os._exit(0)  # the SDK's threads go on


main()

#!/usr/bin/env python3
"""Makes an environment document for the measurements.

The same options always give the same document: nothing in it is random.  Overrides go to the
first features, multivariate are the last ones, so that a feature is not both; segments take
turns in overriding, so that with one size the others can grow.
"""

import argparse
import json

COUNTRIES = ["AT", "CH", "DE", "DK", "FI", "FR", "NL", "NO", "PL", "SE"]
PLANS = ["free", "pro", "business"]


def conditions(n, args):
    """Three conditions of segment n, over the traits that bench/sql/identities.sql gives."""
    if n == 0:
        return [
            ("plan", "EQUAL", "pro"),
            ("age", "GREATER_THAN", "30"),
            ("country", "IN", "DK,FI,NO,SE"),
        ]
    start = n % len(COUNTRIES)
    some = (COUNTRIES + COUNTRIES)[start : start + 3 + n % 4]
    first = [
        ("plan", "EQUAL", PLANS[n % 3]),
        ("country", "IN", ",".join(some)),
        ("plan", "NOT_EQUAL", PLANS[n % 3]),
        ("email", "CONTAINS", str(n % 10)),
    ]
    second = [
        ("age", "GREATER_THAN", str(20 + n % 40)),
        ("age", "LESS_THAN_INCLUSIVE", str(30 + n % 40)),
        ("score", "GREATER_THAN_INCLUSIVE", f"{5 + n % 80}.5"),
        ("app_version", "GREATER_THAN", f"{1 + n % 4}.{n % 7}.0:semver"),
        ("age", "MODULO", f"{2 + n % 3}|1"),
    ]
    third = [
        ("country", "IN", ",".join(COUNTRIES[n % 5 :])),
        ("$.identity.key", "PERCENTAGE_SPLIT", str(20 + n % 60)),
        ("email", "REGEX", rf"^user\d*{n % 10}\d*@") if args.regex else ("email", "NOT_CONTAINS", f"{n % 10}@"),
        ("score", "LESS_THAN", f"{95 - n % 50}.0"),
    ]
    return [first[n % 4], second[n % 5], third[(n // 2) % 4]]


def rules(n, args):
    given = [{"property_": p, "operator": o, "value": v} for p, o, v in conditions(n, args)]
    inner = {"type": "ALL", "rules": [], "conditions": given}
    return [{"type": "ALL", "rules": [inner], "conditions": []}]


def value(n, suffix=""):
    """Of text, numbers and null, as environments have them."""
    return [f"value-{n}{suffix}", n * 10 + len(suffix), None, f'{{"layout": "{n}{suffix}"}}'][n % 4]


def feature(n, args):
    kind = "MULTIVARIATE" if n >= args.features - args.multivariate else "STANDARD"
    return {"id": 1000 + n, "name": f"feature_{n}", "type": kind}


def feature_state(n, key, args, override=None):
    state = {
        "feature": feature(n, args),
        "enabled": (n + (override is not None)) % 3 != 0,
        "django_id": key,
        "featurestate_uuid": f"00000000-0000-4000-8000-{key:012d}",
        "feature_state_value": value(n, "" if override is None else "-x" * (1 + override % 3)),
        "multivariate_feature_state_values": [],
    }
    if override is not None:
        state["feature_segment"] = {"priority": override}
    elif state["feature"]["type"] == "MULTIVARIATE":
        state["multivariate_feature_state_values"] = [
            {
                "id": key * 10 + i,
                "mv_fs_value_uuid": f"00000000-0000-4000-9000-{key * 10 + i:012d}",
                "percentage_allocation": 25.0,
                "multivariate_feature_option": {"id": n * 10 + i, "value": f"variant-{n}" + "-y" * i},
            }
            for i in range(3)
        ]
    return state


def document(args):
    segments = [
        {"id": 100 + n, "name": f"segment_{n}", "rules": rules(n, args), "feature_states": []}
        for n in range(args.segments)
    ]
    # the i-th override: feature by feature, again and again, each time of another segment
    for i in range(args.overrides):
        n, turn = i % args.overridden, i // args.overridden
        segment = segments[(n * 2 + turn) % args.segments]
        segment["feature_states"].append(feature_state(n, 500000 + i, args, turn))
    return {
        "id": 1,
        "api_key": args.key,
        "name": args.key,
        "updated_at": "2026-01-01T00:00:00+00:00",
        "project": {
            "id": 1,
            "name": args.key,
            "hide_disabled_flags": False,
            "organisation": {
                "id": 1,
                "name": "bench",
                "feature_analytics": False,
                "stop_serving_flags": False,
                "persist_trait_data": True,
            },
            "segments": segments,
        },
        "feature_states": [feature_state(n, 100000 + n, args) for n in range(args.features)],
        "identity_overrides": [],
    }


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--key", default="bench", help="client-side key, and name")
    parser.add_argument("--features", type=int, default=50)
    parser.add_argument("--multivariate", type=int, default=5, help="so many of the features, the last ones")
    parser.add_argument("--overridden", type=int, default=10, help="so many of the features, the first ones")
    parser.add_argument("--overrides", type=int, default=20, help="by segments, over all")
    parser.add_argument("--segments", type=int, default=20)
    parser.add_argument("--regex", action="store_true", help="a regular expression in every fourth segment")
    return parser


def generate(**sizes):
    """The document as text; sizes are named as the options."""
    args = options().parse_args([])
    vars(args).update(sizes)
    if args.overridden + args.multivariate > args.features or args.overrides > args.overridden * args.segments:
        raise ValueError("more overrides or multivariate features than there is room for")
    return json.dumps(document(args))


if __name__ == "__main__":
    print(generate(**vars(options().parse_args())))

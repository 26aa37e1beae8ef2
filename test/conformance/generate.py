#!/usr/bin/env python3
"""Random evaluation contexts, nasty on purpose; each is told by its seed and number alone.

usage: generate.py [--seed SEED] [--count N] [--first I]      prints one context a line
"""

import argparse
import random
from typing import Any, Dict, List, Tuple

import pools
from conditions import MISSING, Conditions
from jsontext import Again, Spelled, clone, write

MALFORMED = 0.03  # of all contexts lose a random member, or get a wrong type somewhere

IDENTIFIERS = ["user-123", "alice", "42", "007", "1.0", "é🛒", "", "a,b", "pro"]


class Generator(Conditions):
    """Makes one context; all choices come from one random.Random."""

    def context(self) -> Dict[str, Any]:
        self.names = self.feature_names()
        self.damaged = False
        context: Dict[str, Any] = {"environment": self.environment()}
        identity = self.identity(context["environment"])
        if identity is not MISSING:
            context["identity"] = identity
        context["features"] = {name: self.feature(name, override=False) for name in self.names}
        context["segments"] = self.segments()
        if self.chance(0.3) and self.names:
            self.add_dependencies(context["segments"])
        self.leave_out(context)
        if self.chance(0.05):
            context["flags"] = {"f1": {"enabled": True, "value": 1}}
        context = clone(self.shuffle(context))
        return self.damage(context) if self.chance(MALFORMED) else context

    def feature_names(self) -> List[str]:
        names = ["f1", "f2", "f3", "f4", "f5", "ünï flag", "it's", "f-6"]
        return names[: self.rng.choice([0, 1, 2, 3, 4, 5, 5, 8])]

    def environment(self) -> Dict[str, Any]:
        return {"key": self.pick("env", "WoLTx7Z8", "é", ""), "name": self.pick("Production", "Test", "pro", "")}

    # --- identity

    def identity(self, environment: Dict[str, Any]) -> Any:
        kind = self.rng.random()
        if kind < 0.06:
            return MISSING
        if kind < 0.12:
            return self.pick(None, {})
        identity: Dict[str, Any] = {
            "identifier": self.pick(*IDENTIFIERS, str(self.rng.random())),
        }
        if self.chance(0.4):
            identity["key"] = self.pick("", None, "key-1", "env_alice", str(self.rng.randrange(10**6)), 7)
        if self.chance(0.95):
            identity["traits"] = {} if self.chance(0.05) else self.make_traits()
        self.know(environment, identity)
        return identity

    def make_traits(self) -> Dict[str, Any]:
        names = self.rng.sample(pools.TRAIT_NAMES[:10], 5) + self.rng.sample(pools.TRAIT_NAMES, 4)
        self.traits = {name: self.scalar() for name in names}
        if self.chance(0.3):
            self.traits["list"] = self.rng.choice(pools.NESTED)
        if self.chance(0.3):
            self.traits["obj"] = self.rng.choice(pools.NESTED)
        if self.chance(0.03):
            self.traits[Again(self.rng.choice(names))] = self.scalar()
        return self.traits

    def know(self, environment: Dict[str, Any], identity: Dict[str, Any]) -> None:
        """Notes properties together with the value that they have."""
        for name, value in self.traits.items():
            self.known.append((str(name), value))
            if name in ("plan", "age", "score", "beta", "version", "email", "サイズ", "foo-bar"):
                self.known.append((f"$.identity.traits.{name}", value))
            if name in ("plan", "ünï", "a b", "with.dot", "🛒"):
                self.known.append((f"$.identity.traits['{name}']", value))
        key = identity.get("key") or f"{environment['key']}_{identity['identifier']}"
        self.known += [
            ("$.identity.identifier", identity["identifier"]),
            ("$.identity.key", key),
            ("$.environment.name", environment["name"]),
        ]

    def scalar(self) -> Any:
        kind = self.rng.random()
        if kind < 0.24:
            return self.rng.choice(pools.WORDS)
        if kind < 0.40:
            return self.rng.choice(pools.NUMBER_LIKE)
        if kind < 0.58:
            return self.rng.choice(pools.INTEGERS[:12] if self.chance(0.6) else pools.INTEGERS)
        if kind < 0.72:
            return self.rng.choice(pools.FLOATS)
        if kind < 0.86:
            return self.rng.choice(pools.VERSIONS if self.chance(0.8) else pools.BAD_VERSIONS)
        if kind < 0.93:
            return self.pick(True, False)
        if kind < 0.96:
            return self.rng.choice(pools.IN_ECHOES)
        if kind < 0.98:
            return None
        return self.huge()

    def huge(self) -> Any:
        """Numbers around the 4300 digits at which Python stops to read integers."""
        digits = self.rng.choice([50, 309, 1000, 4299, 4300])
        number = self.rng.choice([1, -1]) * (10 ** (digits - 1) + self.rng.randrange(1000))
        return self.pick(number, str(number), str(number) + "0", f"{number}.0", "0" * 4300 + "1")

    # --- features

    def feature(self, name: str, override: bool) -> Dict[str, Any]:
        feature: Dict[str, Any] = {
            "key": self.pick("1", "12", "101", name, str(self.rng.randrange(10**6)), self.pick("7", 7)),
            "name": name,
            "enabled": self.chance(0.5),
            "value": self.value(),
        }
        if self.chance(0.35):
            feature["variants"] = self.variants()
        if override and self.chance(0.8):
            feature["priority"] = self.rng.choice([0, 1, 2] if self.chance(0.6) else pools.PRIORITIES)
        self.add_metadata(feature)
        return feature

    def value(self) -> Any:
        return self.rng.choice(pools.NESTED) if self.chance(0.1) else self.scalar()

    def variants(self) -> List[Dict[str, Any]]:
        variants = []
        for number in range(self.rng.choice([0, 1, 2, 2, 3, 5])):
            variant: Dict[str, Any] = {
                "value": self.value(),
                "weight": self.rng.choice(pools.WEIGHTS[2:12] if self.chance(0.7) else pools.WEIGHTS),
                "priority": number if self.chance(0.5) else self.rng.choice(pools.PRIORITIES),
            }
            if self.chance(0.7):
                variant["key"] = self.pick(f"v{number}", "control", "", None, "é")
            variants.append(variant)
        return variants

    def add_metadata(self, target: Dict[str, Any]) -> None:
        if self.chance(0.4):
            target["metadata"] = self.rng.choice(pools.METADATA)

    # --- segments

    def segments(self) -> Dict[str, Any]:
        count = self.rng.choice([0, 1, 1, 2, 3, 4, 6, 10])
        segments: Dict[str, Any] = {}
        for number in range(1, count + 1):
            key = str(number)
            segments[key if self.chance(0.9) else f"map-{key}"] = self.segment(key)
        return segments

    def segment(self, key: str) -> Dict[str, Any]:
        segment: Dict[str, Any] = {
            "key": key if self.chance(0.9) else self.pick("", 5, "same"),
            "name": f"s{key}" if self.chance(0.9) else self.pick("same", "", "é"),
            "rules": [self.rule(0) for _ in range(self.rng.choice([0, 1, 1, 1, 1, 1, 1, 2, 2]))],
        }
        if self.chance(0.85):
            names = self.names + ["unknown"] if self.chance(0.1) else self.names
            segment["overrides"] = [
                self.feature(self.rng.choice(names), override=True)
                for _ in range(self.rng.choice([0, 1, 1, 1, 2, 3]) if names else 0)
            ]
        self.add_metadata(segment)
        return segment

    def rule(self, depth: int) -> Dict[str, Any]:
        rule: Dict[str, Any] = {"type": self.pick("ALL", "ALL", "ANY", "ANY", "NONE")}
        if self.chance(0.9):
            rule["conditions"] = [self.condition() for _ in range(self.rng.choice([0, 1, 1, 2, 3]))]
        if self.chance(0.5):
            below = 0 if depth > 2 else self.rng.choice([0, 0, 1, 1, 2])
            rule["rules"] = [self.rule(depth + 1) for _ in range(below)]
        if self.chance(0.02):
            rule[self.pick("conditions", "rules")] = None
        if self.chance(0.002):
            rule["type"] = self.pick("XOR", "all", "", None)
        return rule

    # --- flags that depend on flags

    def add_dependencies(self, segments: Dict[str, Any]) -> None:
        """A chain, a diamond or a cycle over the features, as segments that read flags."""
        names = self.rng.sample(self.names, min(len(self.names), self.pick(1, 2, 3, 4)))
        edges = list(zip(names, names[1:]))
        shape = self.pick("chain", "chain", "cycle", "diamond")
        if shape == "cycle":
            edges.append((names[-1], names[0]))
        elif shape == "diamond":
            edges += [(a, b) for a in names for b in names if a < b and self.chance(0.5)]
        if self.chance(0.3):
            edges.append((self.rng.choice(self.names), self.rng.choice(self.names)))
        self.rng.shuffle(edges)
        for number, (read, overridden) in enumerate(edges):
            segments[f"dep{number}"] = self.dependency(f"dep{number}", read, overridden)

    def dependency(self, key: str, read: str, overridden: str) -> Dict[str, Any]:
        path = self.flag_path(read)
        condition = {
            "property": path,
            "operator": self.pick("EQUAL", "EQUAL", "NOT_EQUAL", "IS_SET", "IS_NOT_SET", "REGEX", "IN"),
            "value": self.flag_value(path),
        }
        conditions = [condition]
        if self.chance(0.3):
            conditions.insert(self.pick(0, 1), self.condition())
        rule: Dict[str, Any] = {"type": self.pick("ALL", "ALL", "ANY", "NONE"), "conditions": conditions}
        if self.chance(0.2):
            rule["rules"] = [self.rule(2)]
        segment = {"key": key, "name": key, "rules": [rule], "overrides": [self.feature(overridden, override=True)]}
        if self.chance(0.2):
            segment["overrides"].append(self.feature(self.rng.choice(self.names), override=True))
        return segment

    def flag_value(self, path: str) -> str:
        if path.endswith("enabled"):
            return self.pick("true", "false", "True", "False")
        if path.endswith("reason"):
            return self.pick("STATIC", "DEFAULT", "SPLIT", "TARGETING_MATCH; segment=dep0")
        if path.endswith("name"):
            return self.pick(*self.names)
        return self.pick("", "pro", "1", "control", "v0", "v1", "2")

    # --- the whole

    def leave_out(self, context: Dict[str, Any]) -> None:
        for member in ("features", "segments"):
            if self.chance(0.02):
                context[member] = self.pick(None, {}, {})
            elif self.chance(0.01):
                del context[member]

    def shuffle(self, context: Dict[str, Any]) -> Dict[str, Any]:
        """Another order of the top members: features after segments, identity last."""
        members = list(context.items())
        self.rng.shuffle(members)
        return dict(members)

    def damage(self, context: Dict[str, Any]) -> Dict[str, Any]:
        """Takes one random member or element away, or puts a wrong type in its place."""
        self.damaged = True
        places = [(c, k) for c in containers(context) for k in (list(c) if isinstance(c, dict) else range(len(c)))]
        container, key = self.rng.choice(places)
        if self.chance(0.5):
            del container[key]
        else:
            container[key] = self.pick(None, 0, "", "x", True, [], {}, [None], Spelled("1.5"))
        return context


def containers(tree: Any) -> List[Any]:
    found, queue = [], [tree]
    while queue:
        node = queue.pop()
        if isinstance(node, (dict, list)):
            found.append(node)
            queue += node.values() if isinstance(node, dict) else node
    return found


def tree(seed: int, number: int) -> Tuple[Dict[str, Any], bool]:
    """The context with that number, whatever others are made; and whether it was damaged."""
    generator = Generator(random.Random(f"{seed}:{number}"))
    return generator.context(), generator.damaged


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    for number in range(arguments.first, arguments.first + arguments.count):
        print(write(tree(arguments.seed, number)[0]))


if __name__ == "__main__":
    main()

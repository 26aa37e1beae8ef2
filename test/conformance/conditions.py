"""Conditions that are aimed.

A property whose value is known mostly gets a condition value made from that
value, and sometimes one from the pools, so that some four in ten match.
Without that nearly everything would be false on both sides and prove nothing.
"""

import random
from typing import Any, Dict, List, Tuple

import pools
from jsontext import Spelled, write

MISSING = object()


class Conditions:
    """Makes conditions about the properties noted in `known` and the features in `names`."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.traits: Dict[str, Any] = {}
        self.known: List[Tuple[str, Any]] = []
        self.names: List[str] = []

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def pick(self, *options: Any) -> Any:
        return self.rng.choice(options)

    def scalar(self) -> Any:
        raise NotImplementedError

    def condition(self) -> Dict[str, Any]:
        operator = self.rng.choice(pools.OPERATORS)
        name, known = self.property(operator)
        condition = {"property": name, "operator": operator, "value": self.condition_value(operator, known)}
        if self.chance(0.01):
            condition["operator"] = self.rng.choice(pools.ODD_OPERATORS)
        if self.chance(0.015):
            condition["value"] = self.rng.choice(pools.NOT_STRINGS)
        if self.chance(0.0015):
            del condition[self.pick("value", "property", "operator")]
        if operator in ("IS_SET", "IS_NOT_SET") and self.chance(0.5):
            condition["value"] = self.pick("", None, "x")
        return condition

    def property(self, operator: str) -> Tuple[Any, Any]:
        """A property, and its value where that is known."""
        if operator == "PERCENTAGE_SPLIT" and self.chance(0.5):
            return self.pick("", "", None), MISSING
        if self.known and self.chance(0.8):
            return self.rng.choice(self.fitting(operator) if self.chance(0.9) else self.known)
        if self.names and self.chance(0.25):
            return self.flag_path(self.rng.choice(self.names)), self.pick(True, False, "pro", 1)
        if self.chance(0.02):
            return self.pick(None, 1, [], ""), MISSING
        return self.rng.choice(pools.PATHS if self.chance(0.8) else pools.TRAIT_NAMES), MISSING

    def fitting(self, operator: str) -> List[Tuple[str, Any]]:
        """The known properties whose value the operator can be true of."""
        if operator == "MODULO":
            fitting = [(p, v) for p, v in self.known if numeric(v) is not None]
        elif operator in ("CONTAINS", "NOT_CONTAINS"):
            fitting = [(p, v) for p, v in self.known if isinstance(v, str) and v and numeric(v) is None]
        elif operator == "IN":
            fitting = [(p, v) for p, v in self.known if isinstance(v, (str, int)) and not isinstance(v, bool)]
        else:
            fitting = [(p, v) for p, v in self.known if v is not None]
        return fitting or self.known

    def flag_path(self, name: str) -> str:
        member = self.pick("enabled", "enabled", "enabled", "value", "variant", "reason", "name", "metadata.id")
        if self.chance(0.3) or not name.isalnum():
            quoted = name.replace("'", "\\'")
            return f"$.flags['{quoted}'].{member}"
        return f"$.flags.{name}.{member}"

    def condition_value(self, operator: str, known: Any) -> Any:
        if operator == "PERCENTAGE_SPLIT":
            return self.rng.choice(pools.SPLITS)
        if known is MISSING or known is None or not self.chance(0.9):
            return self.from_pool(operator)
        text = python_text(known)
        if operator == "IN":
            return self.in_list(str(numeric(known)) if isinstance(numeric(known), int) else text)
        if operator == "REGEX":
            return self.pattern(text)
        if operator == "MODULO":
            return self.modulo(known)
        if operator in ("CONTAINS", "NOT_CONTAINS") and text:
            start = self.rng.randrange(len(text))
            part = text[start : start + self.rng.randrange(1, 4)]
            absent = self.pick("zz", text + "x", part.swapcase())
            return part if operator == "CONTAINS" or self.chance(0.3) else absent
        if isinstance(known, str) and known in pools.VERSIONS and self.chance(0.7):
            return self.rng.choice(pools.VERSION_VALUES) if self.chance(0.5) else known + ":semver"
        if operator in ("GREATER_THAN", "LESS_THAN", "NOT_EQUAL") or self.chance(0.2):
            fitting = -1 if "GREATER" in operator else 1
            return self.near(text, self.pick(1, -1) if self.chance(0.3) else fitting)
        return self.respell(text)

    def modulo(self, known: Any) -> str:
        value = numeric(known)
        if value is None or abs(value) > 10**300 or self.chance(0.3):
            return self.rng.choice(pools.MODULOS)
        divisor = self.pick(1, 2, 3, 4, -3, 2.5, 0.1, 1e3, 7)
        return self.pick("{}|{}", " {} | {} ", "{}|+{}").format(divisor, value % divisor)

    def from_pool(self, operator: str) -> Any:
        if operator == "IN":
            lists = [value for value in pools.NOT_STRINGS if isinstance(value, list)]
            return self.rng.choice(lists if self.chance(0.2) else pools.IN_TEXTS)
        if operator == "REGEX":
            return self.rng.choice(pools.PATTERNS)
        if operator == "MODULO":
            return self.rng.choice(pools.MODULOS)
        if self.chance(0.2):
            return self.rng.choice(pools.VERSION_VALUES)
        value = self.scalar()
        return value if isinstance(value, str) else python_text(value)

    def in_list(self, text: str) -> Any:
        members: List[Any] = [text, *self.rng.sample(["a", "pro", "1", "7", "x", "é"], 2)]
        self.rng.shuffle(members)
        if self.chance(0.25):
            return members + self.rng.choice([[], [1, None], [True, Spelled("1.0")]])
        return write(members) if self.chance(0.4) else ",".join(members)

    def pattern(self, text: str) -> str:
        if self.chance(0.3):
            return self.rng.choice(pools.PATTERNS)
        escaped = "".join("\\" + c if c in r"\.+*?()[]{}|^$" else c for c in text[:30])
        start = escaped[:1] + ".*" if text[:1].isalnum() else escaped
        return self.pick(escaped, start, f"({escaped}|x)", escaped + "$", f"(?i){escaped}")

    def near(self, text: str, step: int) -> str:
        """The number one lower or higher, or a text that comes before or after in order."""
        value = numeric(text)
        if isinstance(value, int):
            return str(value + step) if abs(value) < 10**400 else text
        if value is not None:
            return repr(value + step * self.pick(0.5, 1.0, abs(value)))
        return text + self.pick("a", " ", "\U0010ffff") if step > 0 else text[:-1]

    def respell(self, text: str) -> str:
        """The same number as Python's int() and float() also read it; most texts as they are."""
        if numeric(text) is None or self.chance(0.4):
            return text
        if text.isdecimal() and self.chance(0.3):
            return "".join(chr(ord("０") + int(c)) if c.isascii() else c for c in text)
        signed = text.replace("-", "-0") if text[0] == "-" else f"+0{text}"
        spaced = [f" {text}", f"{text}\n", f"\u00a0{text}\u2003"]
        other = [text[:1] + "_" + text[1:], text + ".0", text + "e0", text + ":semver"]
        return self.pick(*spaced, signed, signed, *other)


def python_text(value: Any) -> str:
    """What Python's str() makes of a trait, roughly: it only serves to aim."""
    return repr(float(value)) if isinstance(value, Spelled) else str(value)


def numeric(value: Any) -> Any:
    """The int or float that a trait counts as, None if it is neither."""
    if isinstance(value, (int, float)):
        return value
    for kind in (int, float) if isinstance(value, str) and value.isascii() else ():
        try:
            return kind(value)
        except ValueError:
            pass
    return None

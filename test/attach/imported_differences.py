"""Where an imported environment answers otherwise than Flagsmith, on purpose or for want of knowledge.

A document knows less than Flagsmith's tables do. Each rule says by what a single difference of
two answers is known to be, as exactly as the recorded database can tell; docs/http.md gives the
same list to users. A rule that fits no recorded request any more fails the test.
"""

import json
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Tuple
from urllib.parse import parse_qs, urlsplit

from recording import MISSING, Answer, diff, headers_of, parse

# What Flagsmith says of a flag, and documents do not.
LEFT_OUT = {"feature.created_date", "feature.description", "feature.initial_value", "feature.default_enabled", "environment", "identity"}
# What an evaluation decides of a flag; presence is whether there is one at all.
TIED = {"enabled", "feature_state_value", "id", "feature_segment"}
# What was changed after the session, before the documents were taken.
CHANGED = {("Staging", "live_chat"), ("Cloned", "welcome_text")}
EVALUATED = TIED | {"variant", "presence"}

ENVIRONMENTS = """SELECT api_key, api_key FROM flagsmith.environment
    UNION ALL SELECT k.key, e.api_key FROM flagsmith.environment_key k JOIN flagsmith.environment e ON e.id = k.environment_id"""
OVERRIDES = """SELECT r.api_key, i.identifier, f.name
    FROM public.features_featurestate s JOIN public.features_feature f ON f.id = s.feature_id
        JOIN public.environments_environment r ON r.id = s.environment_id JOIN public.environments_identity i ON i.id = s.identity_id
    WHERE s.deleted_at IS NULL"""


class Difference(NamedTuple):
    part: str  # flag, trait, order, status, error or body
    name: str  # of the flag or trait
    member: str
    wanted: Any
    got: Any


class Recorded:
    """What the recorded database tells beyond the documents."""

    def __init__(self, connection, documents: Dict[str, Any]) -> None:
        def pairs(query: str) -> Dict[Any, Any]:
            return dict(connection.execute(query).fetchall())

        self.documents = documents
        self.environments = pairs(ENVIRONMENTS)
        self.segments = pairs("SELECT id, segment_id FROM public.features_featuresegment")
        self.salts = pairs("SELECT id, coalesce(nullif(mv_hashing_salt::text, ''), id::text)::bigint FROM public.features_featurestate")
        self.overrides = set(connection.execute(OVERRIDES).fetchall())
        self.in_session = True
        self.contested: Dict[Tuple[str, str], str] = {}  # traits that Flagsmith stored otherwise, by identifier and name

    def contest(self, request: Dict[str, Any], wanted: Answer, got: Answer) -> None:
        """Notes which traits of a request Flagsmith has not stored as they are stored here."""
        traits = traits_of(request)
        for trait in traits:
            if wanted.status == 500 and got.status == 200:
                self.contested[trait] = FAILED
            elif wanted.status == got.status == 400 and len(traits) > 1:
                self.contested[trait] = HALF
            elif traits.count(trait) > 1:
                self.contested[trait] = TWICE

    def document(self, record: Dict[str, Any]) -> Dict[str, Any]:
        """That of the record's environment; none if its key opens none."""
        return self.documents.get(self.environments.get(headers_of(record["request"]).get("x-environment-key", "").strip(), ""), {})


def overrides_of(document: Dict[str, Any], feature: str) -> List[Tuple[Dict[str, Any], Dict[str, Any]]]:
    """Segments that override a feature, each with its state."""
    return [(segment, state) for segment in document["project"]["segments"] for state in segment["feature_states"]
            if state["feature"]["name"] == feature]


def is_tied(recorded: Recorded, document: Dict[str, Any], d: Difference) -> bool:
    """Whether segments override the feature with equal priorities, and what differs is of one and of another."""
    wanted = {"id": recorded.salts, "feature_segment": recorded.segments}.get(d.member, {}).get(d.wanted, d.wanted)
    groups: Dict[int, List[Any]] = {}
    for segment, state in overrides_of(document, d.name):
        members = {**state, "id": state["django_id"], "feature_segment": segment["id"]}
        groups.setdefault(state["feature_segment"]["priority"], []).append(members.get(d.member, MISSING))
    return any(len(group) > 1 and wanted in group and d.got in group for group in groups.values())


def is_hashed(document: Dict[str, Any], feature: str) -> bool:
    """Whether a hash of the identity decides on a flag: by its variants, or by a segment."""
    states = [s for s in document["feature_states"] if s["feature"]["name"] == feature]
    overrides = overrides_of(document, feature)
    return (any(s["multivariate_feature_state_values"] for s in states + [s for _, s in overrides])
            or any("PERCENTAGE_SPLIT" in json.dumps(segment["rules"]) for segment, _ in overrides))


def hides_disabled(document: Dict[str, Any]) -> bool:
    own = document.get("hide_disabled_flags")
    return document["project"]["hide_disabled_flags"] if own is None else own


def traits_of(request: Dict[str, Any]) -> List[Tuple[str, str]]:
    """The traits that a request would store, as pairs of identifier and name."""
    body = parse(request.get("body"))
    items = body if isinstance(body, list) else body.get("traits") or [body] if isinstance(body, dict) else []
    return [(identifier_in(item) or identifier_in(body), str(item["trait_key"])) for item in items
            if isinstance(item, dict) and "trait_key" in item]


def identifier_in(body: Any) -> str:
    if not isinstance(body, dict):
        return ""
    identity = body.get("identity")
    return str(body.get("identifier") or (identity.get("identifier") if isinstance(identity, dict) else "") or "")


def identifier_of(request: Dict[str, Any]) -> str:
    if request["method"] == "GET":
        return parse_qs(urlsplit(request["path"]).query).get("identifier", [""])[0]
    return identifier_in(parse(request["body"]))


def is_random(record: Dict[str, Any], document: Dict[str, Any]) -> bool:
    """Whether an identity gets a new identifier: it has none, nor traits that one is made of."""
    body = parse(record["request"].get("body"))
    counts = document["allow_client_traits"] or record["key_kind"] == "server"
    return record["request"]["method"] == "POST" and not identifier_in(body) and not (counts and body and body.get("traits"))


class Rule(NamedTuple):
    reason: str
    fits: Callable[[Recorded, Dict[str, Any], Dict[str, Any], Difference], bool]  # (recorded, record, document, difference)


FAILED = "what Flagsmith fails to store (500) is stored, such as an integer beyond int4"
TWICE = "of a trait that is given twice the last value is stored"
HALF = "traits of a request that is refused are not stored, not even the valid ones"


def contested(reason: str) -> Rule:
    return Rule(reason, lambda t, r, e, d: d.part == "trait" and t.contested.get((identifier_of(r["request"]), d.name)) == reason)


RULES: List[Rule] = [
    contested(FAILED),
    contested(TWICE),
    contested(HALF),
    Rule("an identity without identifier and traits is a new one each time",
         lambda t, r, e, d: is_random(r, e) and (d.member == "$.identifier" or (d.part == "flag" and d.member in EVALUATED and is_hashed(e, d.name)))),
    Rule("(recorded before a change that the documents have)",
         lambda t, r, e, d: t.in_session and ((r["environment"], d.name) in CHANGED or (
             "/environment-document" in r["request"]["path"] and r["environment"] in dict(CHANGED)))),
    Rule("flags are without what documents do not say, or no SDK reads",
         lambda t, r, e, d: d.part == "flag" and d.member in LEFT_OUT and d.got == MISSING),
    Rule("traits have no id",
         lambda t, r, e, d: d.part == "trait" and d.member == "id" and isinstance(d.wanted, int) and d.got is None),
    Rule("flags and traits have another order",
         lambda t, r, e, d: d.part == "order" and in_order(e, d)),
    Rule("feature_segment is the segment's id, not that of its override",
         lambda t, r, e, d: d.part == "flag" and d.member == "feature_segment" and d.wanted is not None and t.segments.get(d.wanted) == d.got),
    Rule("a flag's id is the one that variants are drawn with: of the state that it was cloned from, or was a version of",
         lambda t, r, e, d: d.part == "flag" and d.member == "id" and t.salts.get(d.wanted) == d.got != d.wanted),
    Rule("GET flags without disabled flags leaves out flags for servers, and those that are disabled now",
         lambda t, r, e, d: r["request"]["path"].startswith("/api/v1/flags/") and hides_disabled(e)
         and ((d.part == "status" and (d.wanted, d.got) == (200, 404)) or (d.member == "presence" and d.got == MISSING))),
    Rule("of segments with equal priority the first counts, as in SDKs, not that of the latest state",
         lambda t, r, e, d: d.part == "flag" and d.member in TIED and is_tied(t, e, d)),
    Rule("an environment without composite keys draws by the identity's id in Flagsmith's database",
         lambda t, r, e, d: d.part == "flag" and d.member in EVALUATED and not e["use_identity_composite_key_for_hashing"] and is_hashed(e, d.name)),
    Rule("an environment without overrides in local evaluation has none in its document",
         lambda t, r, e, d: d.part == "flag" and d.member in EVALUATED and not e["use_identity_overrides_in_local_eval"]
         and (e["api_key"], identifier_of(r["request"]), d.name) in t.overrides),
]


def in_order(document: Dict[str, Any], d: Difference) -> bool:
    """Whether flags come as in the document; traits have no order."""
    return d.name == "trait" or d.got == [s["feature"]["name"] for s in document.get("feature_states", []) if s["feature"]["name"] in d.got]


def flags_of(body: Any) -> Any:
    """The flags of an answer: of an environment, of an identity, or the only one that was asked for."""
    if isinstance(body, dict) and "feature_state_value" in body:
        return [body]
    return body.get("flags") if isinstance(body, dict) else body


def named(items: List[Dict[str, Any]]) -> Dict[str, Dict[str, Any]]:
    return {item["trait_key"] if "trait_key" in item else item["feature"]["name"]: item for item in items}


def is_answer(body: Any) -> bool:
    """Whether a body is of flags."""
    flags = flags_of(body)
    return isinstance(flags, list) and all(isinstance(f, dict) and "feature" in f for f in flags)


def differences(wanted: Answer, got: Answer) -> Iterator[Difference]:
    """The single differences of two answers; flags and traits are told by their names."""
    a, b = parse(wanted.body), parse(got.body)
    if wanted.status != got.status:
        yield Difference("status", "", "", wanted.status, got.status)
    elif wanted.status >= 400:
        yield from (Difference("error", "", *found) for found in diff(a, b))
    elif not is_answer(a) or not is_answer(b):
        yield from (Difference("body", "", *found) for found in diff(a, b))
    else:
        yield from of_lists("flag", flags_of(a), flags_of(b))
        if isinstance(a, dict) and "traits" in a:
            yield from of_lists("trait", a["traits"], b["traits"])
            rest = [{k: v for k, v in body.items() if k not in ("flags", "traits")} for body in (a, b)]
            yield from (Difference("body", "", *found) for found in diff(*rest))


def of_lists(part: str, wanted: List[Any], got: List[Any]) -> Iterator[Difference]:
    a, b = named(wanted), named(got)
    for name in {**a, **b}:
        if name not in a or name not in b:
            yield Difference(part, name, "presence", a.get(name, MISSING), b.get(name, MISSING))
        else:
            yield from (Difference(part, name, path[2:], x, y) for path, x, y in diff(a[name], b[name]))
    common = [[name for name in names if name in a and name in b] for names in (a, b)]
    if common[0] != common[1]:
        yield Difference("order", part, "", *common)

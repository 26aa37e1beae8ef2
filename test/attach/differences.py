"""Where an attached environment answers otherwise than Flagsmith, on purpose.

Each rule says by what the answers of Flagsmith are known to differ; docs/attach.md gives
the same list to users. A rule that fits no recorded request any more fails the test.
"""

from typing import Any, Callable, Dict, List, NamedTuple

from recording import Answer, Differences, headers_of, parse


class Rule(NamedTuple):
    reason: str
    fits: Callable[[Dict[str, Any], Answer, Answer, Differences], bool]


def is_html(answer: Answer) -> bool:
    return answer.body.lstrip()[:1] == "<"


def detail_differs(wanted: Answer, got: Answer, differences: Differences) -> bool:
    return wanted.status == got.status >= 400 and isinstance(parse(got.body), dict)


RULES: List[Rule] = [
    Rule("a server-side key that is inactive or has expired is refused",
         lambda r, w, g, d: r.get("key_kind") in ("inactive", "expired") and w.status == 200 and g.status == 403),
    Rule("what makes Flagsmith fail (500) is answered: a condition that cannot be evaluated is false, what cannot be stored is a 400",
         lambda r, w, g, d: w.status == 500 and g.status in (200, 400)),
    Rule("an identifier that is missing is a 400",
         lambda r, w, g, d: w.status == 200 and g.status == 400 and parse(w.body) == {"detail": "Missing identifier"}),
    Rule("an identifier of more than 2000 characters is a 400 for transient identities as well",
         lambda r, w, g, d: w.status in (200, 400, 500) and g.status == 400 and "2000" in g.body),
    Rule("JSON is the only language of bodies and answers, whatever Accept or Content-Type ask for",
         lambda r, w, g, d: (w.status in (404, 406, 415) and g.status in (200, 204, 415)) or g.status == 415
         or (is_html(w) and w.status == g.status and not is_html(g))),
    Rule("the slash at the end of a path may be left out",
         lambda r, w, g, d: w.status == 301),
    Rule("paths outside of the SDK API, among them the deprecated ones, are not there",
         lambda r, w, g, d: g.status == 404 and not is_html(g) and r["scenario"] in ("deprecated", "paths", "methods", "sdk-label")),
    Rule("a PUT reaches the same function as a POST",
         lambda r, w, g, d: w.status == 405 and r["request"]["method"] == "PUT"),
    Rule("an error's text is our own where only its wording differs",
         lambda r, w, g, d: detail_differs(w, g, d)),
    Rule("a trait without a value is removed, as one with null: JSON writers leave nulls out",
         lambda r, w, g, d: w.status == 400 and g.status == 200 and '"trait_value"' in w.body and "required" in w.body),
    Rule("dates of If-Modified-Since may have any zone and form that HTTP libraries send",
         lambda r, w, g, d: w.status == 200 and g.status == 304),
    Rule("If-Unmodified-Since is not looked at",
         lambda r, w, g, d: w.status == 412),
    Rule("analytics are answered with an empty object, and counts below one are refused",
         lambda r, w, g, d: "/analytics/" in r["request"]["path"] and ((w.status == 200 and w.body == "" and g.body == "{}")
                                                                         or (w.status == 204 and g.status == 400))),
    Rule("text that is no Unicode (a lone surrogate) is a 400",
         lambda r, w, g, d: w.status == 200 and g.status == 400 and "surrogate" in r["name"]),
]


def explain(record, wanted: Answer, got: Answer, differences: Differences) -> str:
    """The reason for the difference, or '' if there is none."""
    return next((rule.reason for rule in RULES if rule.fits(record, wanted, got, differences)), "")

"""The values that random contexts are made of.

Traits, condition values, segment keys and feature values are drawn from the
same pools, so that conditions meet values that they can match.
"""

from jsontext import Spelled

INTEGERS = [
    0, 1, -1, 2, 3, 4, 7, 10, 42, 100, -5, 1000, 2**31 - 1, 2**31, -(2**31), 2**53 - 1, 2**53,
    2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 10**22, 10**23, 10**30, 10**308, 10**309, -(10**400),
]

FLOATS = [
    Spelled(text)
    for text in (
        "0.0", "-0.0", "1.0", "1.5", "-1.5", "2.0", "4.0", "7.0", "42.0", "0.1", "0.30000000000000004",
        "1e2", "1E5", "1.50", "1e15", "1e16", "123456789012345678.0", "9007199254740992.0",
        "9007199254740993.0", "1e22", "1e23", "1e308", "1.7976931348623157e308", "1e-4", "1e-5", "1e-7",
        "5e-324", "1e-400", "1e400", "-1e400", "2.5e-1", "100.0", "1e0", "-4.5", "3.3",
    )
]

NUMBER_LIKE = [
    "0", "1", "-1", "7", "42", "007", "01", "-0", "-007", "1.0", "1.50", "-1.5", "00.10", "-0.0", "+5",
    "+1.0", " 1", "1 ", "\t7\n", "1_000", "1__0", "_1", "1_", "1.", ".5", "1e5", "1E2", "1e400", "0x10",
    "0b1", "1,000", "1.5.2", "--1", "- 1", "1-", "9007199254740993", "9007199254740993.0", "1" * 30,
    "9" * 310 + ".0", "0." + "1" * 40, "1.7976931348623159e308", "nan", "NaN", "-nan", "inf", "+Infinity",
    "-inf", "infinit", "١٢٣", "１２", "१.५", "1\u00a0", "\u20031", "\u30007", "\x1f7", "\x857", "²", "½", "१_०",
    "−7", "1\n", "1.0\n", "\ufeff1",
]

WORDS = [
    "", " ", "a", "b", "pro", "Pro", "free", "enterprise", "admin@example.com", "de", "DE", "true", "True",
    "TRUE", "false", "False", "FALSE", "null", "None", "é", "e\u0301", "ß", "İ", "ﬁ", "ǆ", "日本", "サイズ", "🛒",
    "👩\u200d👩\u200d👧", "\U0010ffff", "\uffff", "\ufeff", "it's", '"quoted"', "'single'", "back\\slash",
    "new\nline", "tail\n", "tail\r\n", "tab\there", "a,b", "a,b,c", ",", "[", "]", "[]", '["a"]', '["a", "b"]',
    "[1, 2]", "[1, 'a']", "{}", '{"a": 1}', "{'a': 1}", "['a', None]", "$.identity.key", "a|b", "x" * 100,
    "\x7f", "\u2028", "aaab", "user-123", "2023-12-31", "foo.bar", "foobar", "abc", "ABC",
]

VERSIONS = [
    "1.2.3", "1.2.4", "1.0.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2",
    "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0+a", "1.0.0+b", "1.0.0-rc.1+x.y", "2.0.0", "10.0.0", "0.0.0",
    "1.2.3-0", "1.2.3--", "1.2.3-a-b", "1.2.3-0a", "1.2.3+001", "99999999999999999999.0.0",
    "1.0.0-99999999999999999999", "1.0.0-9999999999999999999", "1.0.0-A", "1.0.0-a",
]

BAD_VERSIONS = [
    "1.2", "1", "v1.2.3", "01.2.3", "1.02.3", "1.2.3-01", "1.2.3-", "1.2.3+", "1.2.3-a..b", "1.2.3 ",
    " 1.2.3", "1.2.3.4", "1.2.3-é", "1.2.3\n", "1.2.3\n\n", "1.2.3\r\n", "", "-1.2.3", "1.2.３", "1.2.3-a_b",
    "1.2.3-１", "1.2.3+a+b", "1.2.3-a１",
]

VERSION_VALUES = (
    [version + ":semver" for version in VERSIONS + BAD_VERSIONS]
    + ["1.2.3:semver ", "1.2.3:SEMVER", "1.2.3:semver:semver", "semver", ":semver", "alpha:semver", "a:semver"]
)

IN_TEXTS = [
    "", ",", "a,b", "a, b", "pro,free", "1,7,42", "01,007", "1.0,1.5", "True,False", "true,false", "None",
    "[]", "[", '["a"', '["a", "b"]', "[1, 2, 7]", "[1.0, 1e2, 1.5]", "[true, false, null]", '[[1, "a"]]',
    '[{"a": 1}]', '[["a", null]]', ' ["a"]', '["a"] ', '["a"]\n', "[1,]", '["\\u0061"]', "[NaN]", "[Infinity]",
    "[-Infinity]", '["it\'s", "\\"quoted\\""]', '[["it\'s"]]', '[["\\u00e9\\u0007"]]', "[1]x", "[01]", "[+1]",
    '["a" "b"]', "['a']", '["tab\there"]', '[{"a": 1, "a": 2}]', "[1e400, -0, -0.0]", "[\u00a01]", '["🛒"]',
    "[1, [2, [3]]]", '[{"a": [true, null, 1.0]}]', "[1" + "0" * 40 + "]", '["a",,"b"]', "[.5]", "[1.]",
    '["\\ud83d\\uded2"]', '["\\/"]', '["\\x41"]', "[tru]", "user-123,admin@example.com",
]

# What list members look like once Python has made strings of them.
IN_ECHOES = ["[1, 'a']", "{'a': 1}", "['a', None]", "None", "True", "False", "nan", "inf", "{'a': 2}",
             "[\"it's\"]", "['é\\x07']", "[2, [3]]", "{'a': [True, None, 1.0]}"]

PATTERNS = [
    "", ".", "a", "^a", "a$", "a+b", "[a-z]+", r"\d+", r"\d{2,}", r"\w+", r"\s", r"\S+@\S+\.com", "pro|free",
    "(?i)PRO", "(?i:pro)", "p(?=r)", "p(?!x)", "(?<=p)r", "(?P<first>a)(?P=first)", "(a)\\1", "(?:a|b)*c",
    ".*bar", "foo.bar", r"foo\.bar", r"^\d+$", "tail$", r"tail\Z", r"\Atail", "new.line", "(?s)new.line",
    "(?m)^line", ".*(?m:^line)", "[^a]", r"[\d.]+", "é", "日", r"\u00e9", r"\x61",
    "True", "1", r"1\.5", r"1e\+22", "(?x) a  # comment", r"\bpro\b", "a{2}", "a{,2}", "a{,2}b", "a{1", "x{1,100}",
    r"[\w-]+", "[]a]", "[^]a]", "[[:alpha:]]", "[a-", "(", ")", "*", "a**", "a++", "(?>a+)b", "(?#note)a", "(?z)a",
    "(?P<n>a)(?(n)a|b)", r"\p{L}", r"\R", r"\h", r"\K", r"\Q.\E", "(?R)", "(?|a|b)", r"\Z", r"\z", r"\G", r"\8",
    r"\07", r"\0", "[z-a]", "(?<n>a)", "(?P<n>a)(?P<n>b)", r"(?<=a+)b", r"\e", r"\c", r"\cA", r"\y", "a|", "|a", "()",
    "(?:)", "[", "]", "}", "{", "{1}", r"\\", "\\", "(?i)straße", "(?i)ﬁ", "(?i)İ", "(?a)\\w", "(?a)\\d+", "(?u)\\d+",
    "(?L)a", "a(?i)b", "(?-i:a)", "(?i-s:A.)", r"\D", r"\W", r"[^\W\d]", r"[\s\S]*line", ".{3}", "(?s).{1,}\n", "$", "^$",
    "\n", "aaa?b", "(a|aa)+b", "(a*)*b", "(?=.*b)a", r"\u12", r"\U0001F6D2", "🛒", "[🛒]", "[a-🛒]", "#", "a b",
    "(*UTF)a", "(*ACCEPT)", "(?C1)a", "(?'n'a)", "(?&n)", r"\g{1}", r"(a)\g<1>", r"(?P>n)", "a*?b", "a*+b", "a{1,2}+b",
]

MODULOS = [
    "2|0", "2|1", "3|2", "3|0", "4|2", "1|0", "0|0", "-3|-2", "-3|0", "2.5|0", "0.1|0", "1.5|0.0", "2|", "|", "2",
    "a|b", "2|1|0", " 2 | 1 ", "1e3|42", "inf|7", "inf|1", "-inf|7", "nan|0", "2|nan", "1_0|2", "２|1", "", "0.0|0",
    "-0.0|0", "1e-320|0", "9007199254740993|0", "1e308|1e308", "7|-0", "10|10", "+2|+1", "2\n|\t1", "0x2|0",
]

SPLITS = ["0", "0.0", "100", "100.0", "50", "30", "10.5", "99.99", "-1", "1e2", "inf", "nan", "-inf", "", "abc", "50%",
          " 50 ", "5_0", "５０", "1e400", "25"]

NOT_STRINGS = [None, 0, 1, 7, 50, True, False, Spelled("1.0"), Spelled("1e2"), [], ["a"], ["pro", "free"],
               [1, 7, True, None, Spelled("1.0"), Spelled("1e2"), "1", ["a", None], {"a": 1}], [[]], {}, {"a": 1}]

NESTED = [[], [1, "a"], ["a", None], {}, {"a": 1}, {"a": [True, None, Spelled("1.0")]}, [[1], {"b": "it's"}],
          ["\x07", '"', "é"], {"inner": "pro"}, [Spelled("1e22"), Spelled("-0.0")]]

METADATA = [{"id": 1}, {"id": 2, "source": "api"}, {}, None, {"deep": {"a": [1, Spelled("1.0")]}}, [], [0], 0, "x",
            False]

TRAIT_NAMES = [
    "plan", "age", "score", "beta", "version", "email", "list", "obj", "ünï", "サイズ", "foo-bar", "a b", "with.dot",
    "it's", "", "9lives", "$", "$.", "$.plan", "$.identity.key", "$.identity.traits.plan", "$.[", "$..", "key",
    "True", "🛒", "__class__",
]

PATHS = [
    "$.identity.key", "$.identity.identifier", "$.environment.name", "$.environment.key", "$.identity['identifier']",
    "$.identity[\"key\"]", "$['identity']['key']", "$.identity", "$.environment", "$.environment.*", "$.identity.*",
    "$.identity.traits", "$.identity.traits.*", "$.identity.traits[*]", "$.identity.traits[0]", "$..plan", "$..key",
    "$..name", "$..*", "$..[0]", "$.identity..*", "$.identity.traits.list[0]", "$.identity.traits.list[-1]",
    "$.identity.traits.list[1:]", "$.identity.traits.list[::-1]", "$.identity.traits.list[::0]",
    "$.identity.traits.list[5:0:-2]", "$.identity.traits.list[0,1]", "$.identity.traits.obj.a",
    "$.identity.traits.obj.inner", "$.identity.traits.obj..*", "$.identity.traits['plan','age']",
    "$.identity.traits.foo-bar", "$.identity.traits.9lives", "$.identity.traits.サイズ", "$.identity.traits.🛒",
    "$.identity.traits['🛒']", "$.identity.traits['a b']", "$.identity.traits.a b", "$.identity.traits['it\\'s']",
    "$.identity.traits[\"it's\"]", "$.identity.traits['']", "$.identity.traits['\\u00fcn\\u00ef']",
    "$.identity.traits['\\ud83d\\uded2']", "$.identity.traits[\"pl\\u0061n\"]", "$.identity.traits['$.plan']",
    "$.identity.traits[?@ == 'pro']", "$.identity.traits[?@ == 1]", "$.identity.traits[?@ > 1]",
    "$.identity.traits[?@ == null]", "$.identity.traits[?@ == true]", "$.identity.traits[?@ != 1.0]",
    "$.identity.traits[?@ >= 'a' && @ <= 'q']", "$.identity.traits[?!(@ == 1) || @ == 2]",
    "$.identity.traits[?length(@) > 2]", "$.identity.traits[?match(@, 'p.*')]", "$.identity.traits[?search(@, 'r')]",
    "$.identity.traits[?count(@.*) == 1]", "$.identity.traits[?value(@.a) == 1]", "$.identity.traits[?length(@)]",
    "$.identity.traits[?nope(@)]", "$.identity.traits[?match(@)]", "$.identity.traits[?@.*]", "$.identity.traits[?@.* == 1]",
    "$.identity.traits[?@ == $.identity.key]", "$[?@.key].key", "$[?@.name == 'Production'].key",
    "$.features.*.value", "$.features.f1.enabled", "$.features['f1'].value", "$.features.f2.variants[0].value",
    "$.features.f2.variants[-1].key", "$.features.*.variants[?@.weight > 10].key", "$.features[?@.enabled == true].name",
    "$.features.f1.metadata.id", "$.features.f1.key", "$.features..weight", "$.segments.*.name", "$.segments['1'].key",
    "$.segments..operator", "$.segments..value", "$.segments[?@.name == 's1'].key", "$.segments.*.overrides[0].name",
    "$.flags", "$.flags.*", "$.flags.*.enabled", "$.flags..value", "$.flags[*].name", "$.flags[?@.enabled == true].name",
    "$.flags.nosuch.enabled", "$.flags['f1','f2'].enabled", "$.flags.f1", "$.flags[0]", "$.flags.f1['value']", "$..enabled",
    "$.flags.f1..reason", "$[?@.f1].f1.enabled", "$.flags[?@ == $.flags.f2.enabled].name",
    "$.identity.traits[?$.flags.f1.enabled == true]", "$.identity.traits[?$.flags.f2.value == @]",
    "$", "$.", "$..", "$.identity.", "$.identity..", "$.['identity']", "$.identity[", "$.identity[']", "$.identity ['key']",
    "$.identity .key", "$.identity. key", "$.identity.key ", " $.identity.key", "$ .identity.key", "$.identity\n.key",
    "$.identity[ 'key' ]", "$.identity[key]", "$.identity[01]", "$.identity[-0]", "$.identity[9007199254740991]",
    "$.identity[9007199254740992]", "$.identity[::9007199254740992]", "$.IDENTITY.key", "$.nosuch", "$.nosuch.key",
    "$.identity.traits.nosuch", "$.identity.traits[?]", "$.identity.traits[?@ = 1]", "$.identity.traits[?1 == 1]",
    "$.identity.traits[?(@ == 'pro')]", "$.identity.traits[?@.a && @.b]", "$.identity.traits[?@ == 1e0]",
    "$.identity.traits[?@ == -0]", "$.identity.traits[?@ < 'pro']", "$.identity.traits[?@ == \"pro\"]",
    "$.identity.traits[?@ == '\\u0070ro']", "$.identity.traits[?@['a'] == 1]", "$.identity.traits[?@[0] == 1]",
    "$.identity.traits[?length(@.a) == 1]", "$.identity.traits[?length('ab') == 2]",
    "$.identity.traits[?count($..*) > 1]", "$.identity.traits[?match(@, '[')]", "$.identity.traits[?match(@, '(?i)p.*')]",
]

OPERATORS = [
    "EQUAL", "NOT_EQUAL", "GREATER_THAN", "GREATER_THAN_INCLUSIVE", "LESS_THAN", "LESS_THAN_INCLUSIVE", "CONTAINS",
    "NOT_CONTAINS", "REGEX", "MODULO", "PERCENTAGE_SPLIT", "IN", "IS_SET", "IS_NOT_SET",
]
ODD_OPERATORS = ["", "equal", "NOT_IN", None, "IS_SET "]

WEIGHTS = [0, Spelled("0.0"), 10, Spelled("10.0"), 25, 30, Spelled("33.3"), Spelled("33.333333333333336"), 50,
           Spelled("50.0"), Spelled("1e2"), 100, Spelled("0.1"), -5, 10**20, Spelled("1e22"), Spelled("1e-7")]
PRIORITIES = [0, 1, 1, 2, Spelled("0.0"), Spelled("1.0"), Spelled("1.5"), -1, 10**30, 2**53, 2**53 + 1,
              Spelled("9007199254740992.0"), Spelled("1e308"), Spelled("-1e400"), Spelled("1e400"), 10**400]

"""The CEL evaluator: the language's own rules, what Kubernetes adds, and agreement with an independent evaluator."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeanswers.cel import CelCostError, CelError, CelSyntaxError, CelUndecidedError, Interpreter, parse
from kubeanswers.cel.authorizer import Check
from kubeanswers.cel.values import Optional, Timestamp


def evaluate(text: str, **variables: Any) -> Any:
    return Interpreter().run(parse(text), variables)


OBJECT = {
    "metadata": {"name": "x", "labels": {"a.b/c": "1", "team": "blue"}},
    "spec": {"replicas": 3, "items": [1, 2, 3]},
}

HOLDS = [
    # operators and precedence: https://github.com/google/cel-spec/blob/master/doc/langdef.md
    "1 + 2 * 3 == 7",
    "-7 / 2 == -3 && -7 % 2 == -1",
    "7u / 2u == 3u",
    "1 == 1.0 && 1u == 1",
    "dyn('1') != dyn(1)",
    "'a' + 'b' == 'ab' && b'a' + b'b' == b'ab'",
    "[1] + [2] == [1, 2]",
    "true ? 1 == 1 : 1 / 0 == 1",
    "!(1 > 2) && 2 >= 2",
    "'b' in {'a': 1, 'b': 2} && 2 in [1, 2]",
    "has(object.spec.replicas) && !has(object.spec.nothing)",
    "object.metadata.labels['a.b/c'] == '1'",
    "object.metadata.labels.`a.b/c` == '1'",
    # errors are absorbed by the other side where it decides
    "object.nothing == 1 || true",
    "!(false && object.nothing == 1)",
    "[1, 0].exists(i, 1 / i == 1)",
    "![0, 2].all(i, 4 / i == 99)",
    # macros
    "object.spec.items.all(i, i > 0) && object.spec.items.exists_one(i, i == 2)",
    "object.spec.items.filter(i, i > 1).map(i, i * 2) == [4, 6]",
    "[1, 2, 3].map(i, i > 1, i * 10) == [20, 30]",
    "{'a': 1, 'b': 2}.all(k, v, k != '' && v > 0)",
    "{'a': 1}.transformMap(k, v, v + 1) == {'a': 2}",
    "[5, 6].transformList(i, v, i + v) == [5, 7]",
    "{'a': 1}.transformMapEntry(k, v, {v: k}) == {1: 'a'}",
    # optionals: https://kubernetes.io/docs/reference/using-api/cel/
    "object.?spec.?replicas.orValue(0) == 3",
    "object.?spec.?nothing.?deeper.orValue('none') == 'none'",
    "object.metadata.?labels[?'team'].orValue('') == 'blue'",
    "!object.?nothing.hasValue()",
    "object.?nothing.or(optional.of(4)).value() == 4",
    "optional.of(2).optMap(x, x + 1).orValue(0) == 3",
    "[1, ?optional.none()] == [1]",
    "{?'a': optional.of(1), ?'b': optional.none()} == {'a': 1}",
    "optional.ofNonZeroValue('') == optional.none()",
    "[1, 2][?5].orValue(9) == 9",
    # strings
    "'Grüße'.size() == 5",
    "'a,b,c'.split(',').join('-') == 'a-b-c'",
    "'abc'.substring(1) == 'bc' && 'abc'.charAt(1) == 'b'",
    "'tacocat'.replace('c', 'k', 1) == 'takocat'",
    "'hello'.indexOf('l') == 2 && 'hello'.lastIndexOf('l') == 3",
    "'Ab'.lowerAscii() == 'ab' && ' x '.trim() == 'x'",
    "'%s has %d (%.1f)'.format(['x', 2, 1.25]) == 'x has 2 (1.2)'",
    "'abc 123'.find('[0-9]+') == '123' && 'a1b2'.findAll('[0-9]') == ['1', '2']",
    "!'a\\n'.matches('^a$')",
    # conversions
    "int('-3') == -3 && string(1.5) == '1.5' && double('2') == 2.0 && uint(3) == 3u",
    "bool('true') && type(1) == int && type([]) == list",
    "duration('90m') == duration('1h30m') && duration('1h').getMinutes() == 60",
    "timestamp('2026-02-03T04:05:06Z').getMonth() == 1",
    "timestamp('2026-01-01T00:00:00Z') + duration('24h') == timestamp('2026-01-02T00:00:00Z')",
    "timestamp('2026-01-01T00:30:00Z').getHours('+02:00') == 2",
    # Kubernetes' libraries
    "quantity('1Gi') == quantity('1024Mi') && quantity('500m').isLessThan(quantity('1'))",
    "quantity('2').add(quantity('500m')).compareTo(quantity('2500m')) == 0 && !isQuantity('banana')",
    "quantity('3').asInteger() == 3 && sign(quantity('-1')) == -1",
    "ip('::1').isLoopback() && ip('10.0.0.1').family() == 4 && !isIP('10.0.0.01')",
    "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.0.0.0/8').containsIP('11.0.0.1')",
    "url('https://example.com:8443/a?b=c').getPort() == '8443' && !isURL('not a url')",
    "semver('1.10.0').isGreaterThan(semver('1.9.9')) && semver('1.0.0-rc.1').isLessThan(semver('1.0.0'))",
    "isSemver('v1.2', true) && !isSemver('v1.2')",
    "!format.dns1123Label().validate('ok').hasValue() && format.named('dns1123Label').hasValue()",
    "[3, 1, 2].sort() == [1, 2, 3] && [1, 2].isSorted() && [1, 2].sum() == 3 && [4, 7].max() == 7",
    "sets.contains([1, 2], [1]) && sets.intersects([1], [1, 2])",
]


@pytest.mark.parametrize("text", HOLDS)
def test_expression_holds(text: str) -> None:
    assert evaluate(text, object=OBJECT) is True


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("object.spec.nothing", "no such key: nothing"),
        ("1 / 0", "division by zero"),
        ("9223372036854775807 + 1", "overflow"),
        ("'a' + 1", "no such overload"),
        ("[1][2]", "out of bounds"),
        ("int('0x10')", "type conversion error from 'string' to 'int'"),
        ("duration('1d')", "type conversion error"),
        ("quantity('x')", "quantities must match"),
        ("optional.none().value()", "dereference"),
        ("1 && true", "no such overload"),
    ],
)
def test_evaluation_fails_for_the_reason_cel_gives(text: str, why: str) -> None:
    with pytest.raises(CelError, match=why):
        evaluate(text, object=OBJECT)


@pytest.mark.parametrize("text", ["1 +", "a b", "'open", "[1", "{1}", "for", "1 ? 2", "'\\q'", "((((", "@"])
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(CelSyntaxError):
        parse(text)


def test_nesting_without_end_is_refused_and_not_a_crash() -> None:
    with pytest.raises(CelSyntaxError, match="deeply"):
        parse("(" * 5000 + "1" + ")" * 5000)


@pytest.mark.parametrize("text", ["images.containers()", "'x'.matches('\\\\pL')", "unknownFunction(1)"])
def test_what_is_not_known_here_is_undecided_and_never_allowed(text: str) -> None:
    with pytest.raises(CelUndecidedError):
        evaluate(text, images={})


def test_an_expression_that_costs_more_than_is_granted_fails_and_nothing_absorbs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kubeanswers.cel.interpret._MAX_COST", 10_000)
    numbers = list(range(200))
    with pytest.raises(CelCostError, match="cost limit"):
        evaluate("l.all(a, l.all(b, l.all(c, a + b + c >= 0))) || true", l=numbers)


@pytest.mark.parametrize(
    "text",
    [
        "url('https://example.com:80/a b/').getEscapedPath() == '/a%20b/'",
        "url('https://[::1]:80/').getHostname() == '::1' && url('https://[::1]:80/').getPort() == '80'",
        "url('https://u:p@example.com/').getHost() == 'example.com'",
        "url('HTTPS://example.com').getScheme() == 'https' && url('/a').getScheme() == ''",
        "url('/a?k=1&k=2&b%20c=+d').getQuery() == {'k': ['1', '2'], 'b c': [' d']}",
        "url('https://u@a/') != url('https://a/') && url('/a') == url('/a')",
        "isURL('mailto:a@b') && isURL('/a') && isURL('https://a/b c?d e#f')",
        "!['', 'a', '../a', 'https://a b/', 'https://a:b:c/', 'https://a/%zz', ':x'].exists(u, isURL(u))",
        "string(1000000.0) == '1e+06' && string(123456.0) == '123456' && string(0.00001) == '1e-05'",
        "string(timestamp('2026-01-01T00:00:00+01:00')) == '2026-01-01T00:00:00+01:00'",
        "timestamp('2026-01-01T00:00:00+01:00') == timestamp('2025-12-31T23:00:00Z')",
        "int(duration('1s')) == 1000000000",
        "'%s'.format([['a', 'b']]) == '[\"a\", \"b\"]' && '%s'.format([{'k': 1.5}]) == '{\"k\":1.500000}'",
        "'%.1f'.format([1234.56]) == '1,234.6'",
        "type(ip('10.0.0.1')) == net.IP && type(quantity('1')) == kubernetes.Quantity",
        "quantity('99999999999999999999999999999999999').add(1).isGreaterThan(quantity('99999999999999999999999999999999999'))",
        "format.dns1123SubdomainPrefix().validate('a.b-').hasValue() == false",
        "format.datetime().validate('2026-01-32T00:00:00Z').hasValue()",
    ],
)
def test_the_library_answers_as_the_api_servers_does(text: str) -> None:
    assert evaluate(text) is True


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("a(?i)b|c", "aB", True),
        ("a(?i)b|c", "C", True),
        ("a(?i)b|c", "Ab", False),
        ("^[[:alpha:]_]+$", "ab_", True),
        ("^a$", "a\n", False),
        (r"\s", "\v", False),
        (r"\x{41}", "A", True),
        ("(?<n>a)", "a", True),
        ("a{,2}", "a{,2}", True),
        ("[[]", "[", True),
        ("[]a]+", "]", True),
    ],
)
def test_patterns_mean_what_re2_means(pattern: str, text: str, *, found: bool) -> None:
    assert evaluate("t.matches(p)", t=text, p=pattern) is found


@pytest.mark.parametrize(
    "pattern", ["a(?=b)", "(?<!a)b", r"(a)\1", "a++", "(?>a)", r"a\Z", "a{1001}", "a**", "(", "[a", r"\y"]
)
def test_patterns_re2_does_not_take_are_errors(pattern: str) -> None:
    with pytest.raises(CelError, match="regexp"):
        evaluate("t.matches(p)", t="a", p=pattern)


@pytest.mark.parametrize(
    "text",
    [
        "{1.5: 'a'}",
        "'abc'.charAt(true)",
        "'abc'.substring(0u)",
        "{null: 'a'}",
        "timestamp(253402300800)",
        "timestamp('9999-12-31T23:59:59Z') + duration('1s')",
        "object.a.reverse()",
        "[1].flatten(-1)",
        "authorizer.path(' ')",
        "quantity('1').sign()",
        "{'a': dyn(null)}.?a.b.hasValue()",
        "'%a'.format([1])",
    ],
)
def test_what_fails_in_the_api_server_fails_here(text: str) -> None:
    with pytest.raises(CelError):
        evaluate(text, object={"a": "x"}, authorizer=Check(lambda _: (True, "")))


def test_timestamps_keep_nanoseconds() -> None:
    assert evaluate("timestamp('1970-01-01T00:00:00.000000001Z')") == Timestamp(1)
    assert evaluate("optional.of(1)") == Optional(present=True, value=1)


small = st.integers(-20, 20)
texts = st.text("ab", max_size=3).map(repr)
atoms = st.one_of(small.map(lambda n: f"({n})"), st.just("x"), st.just("y"))
numbers = st.recursive(
    atoms,
    lambda inner: st.builds(lambda a, op, b: f"({a} {op} {b})", inner, st.sampled_from(["+", "-", "*"]), inner),
    max_leaves=5,
)
comparisons = st.builds(
    lambda a, op, b: f"({a} {op} {b})", numbers, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), numbers
)
text_tests = st.builds(
    lambda a, m, b: f"({a}.{m}({b}))", texts, st.sampled_from(["contains", "startsWith", "endsWith"]), texts
)
list_tests = st.builds(
    lambda items, macro, n: f"([{', '.join(map(str, items))}].{macro}(i, i > {n}))",
    st.lists(small, max_size=4),
    st.sampled_from(["all", "exists", "exists_one"]),
    st.integers(-20, 20),
)
expressions = st.recursive(
    st.one_of(comparisons, text_tests, list_tests),
    lambda inner: st.one_of(
        st.builds(lambda a, op, b: f"({a} {op} {b})", inner, st.sampled_from(["&&", "||"]), inner),
        inner.map(lambda a: f"(!{a})"),
        st.builds(lambda a, b, c: f"({a} ? {b} : {c})", inner, inner, inner),
    ),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(expressions, small, small)
def test_agrees_with_cel_python_on_what_both_know(text: str, x: int, y: int) -> None:
    celpy = pytest.importorskip("celpy", reason="cel-python is not installed")
    limit = sys.getrecursionlimit()  # cel-python raises it and leaves it raised
    environment = celpy.Environment()
    program = environment.program(environment.compile(text))
    expected = program.evaluate({"x": celpy.celtypes.IntType(x), "y": celpy.celtypes.IntType(y)})
    sys.setrecursionlimit(limit)
    assert evaluate(text, x=x, y=y) is bool(expected)

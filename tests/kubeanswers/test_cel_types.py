"""The type checker: what the API server refuses before it evaluates anything, and what type it gives the rest."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeanswers.cel import (
    CelCostError,
    CelError,
    CelSyntaxError,
    CelUndecidedError,
    Interpreter,
    Type,
    parse,
    result_type,
)
from kubeanswers.cel.declarations import AUTHORIZER, FUNCTIONS, NAMESPACE, REQUEST
from kubeanswers.cel.types import BOOL, DYN, INT
from kubeanswers.cel.values import type_name

KNOWN = {
    "object": DYN,
    "request": REQUEST,
    "namespaceObject": NAMESPACE,
    "authorizer": AUTHORIZER,
    "variables": Type("own.variables"),
}
FIELDS = {"own.variables": {"count": INT, "flag": BOOL}}


def kind_of(text: str) -> str:
    return str(result_type(parse(text), KNOWN, FIELDS))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("object.spec.x > 1 && has(object.y)", "bool"),
        ("object.spec.x", "dyn"),
        ("'a' + object.x", "string"),
        ("object.x + object.y", "dyn"),
        ("object.?x.orValue(true)", "dyn"),
        ("object.?x", "optional(dyn)"),
        ("size(object.l)", "int"),
        ("object.l.map(x, x.name)", "list(dyn)"),
        ("[1, 2].map(x, x * 2)", "list(int)"),
        ("['a'].filter(x, x == 'b')", "list(string)"),
        ("{'a': 1}.map(k, k)", "list(string)"),
        ("{'a': 1}.transformMap(k, v, v > 0)", "map(string, bool)"),
        ("['a'].transformList(i, v, i)", "list(int)"),
        ("[]", "list(dyn)"),
        ("[[], [1]]", "list(list(int))"),
        ("object.flag ? 1 : object.n", "dyn"),
        ("object.flag ? 1 : 2", "int"),
        ("object.n - 1", "int"),
        ("object.l.sum()", "dyn"),
        ("[1.5].sum()", "double"),
        ("optional.of('a').optMap(v, v.size())", "optional(int)"),
        ("namespaceObject.metadata.labels['a']", "string"),
        ("request.userInfo.groups", "list(string)"),
        ("authorizer.group('').resource('pods').check('get').allowed()", "bool"),
        ("authorizer.requestResource.check('get').reason()", "string"),
        ("quantity('1').add(1)", "kubernetes.Quantity"),
        ("format.dns1123Label().validate('a')", "optional(list(string))"),
        ("url('https://a').getQuery()", "map(string, list(string))"),
        ("'%s has %d'.format([object.a, 1])", "string"),
        ("type(1) == int", "bool"),
        ("namespaceObject == null", "bool"),
        ("variables.count", "int"),
    ],
)
def test_types_are_what_the_api_server_infers(text: str, kind: str) -> None:
    assert kind_of(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        "nosuch.x",
        "1 + 'a'",
        "1 == 1.0",
        "true && 1",
        "'a' < 1",
        "!1",
        "variables.late",
        "variables.count.x",
        "request.object",
        "request.name + 1",
        "namespaceObject.metadata.managedFields",
        "namespaceObject.metadata.labels.a > 1",
        "authorizer.check('get').allowed()",
        "authorizer.group('').check('get')",
        "object.x ? 1 : 'a'",
        "[1, 'a']",
        "[1, object.x]",
        "{'a': 1, 'b': 'c'}",
        "'abc'.all(x, x == 'a')",
        "[1].all(x, x)",
        "[1].map(object.x, 1)",
        "has(object)",
        "1 in 2",
        "'a' in [1]",
        "'x'.reverse()",
        "math.greatest(1, 2)",
        "cel.bind(x, 1, x)",
        "quantity('1').sign()",
        "isQuantity([1])",
        "duration('soon') > duration('1s')",
        "timestamp('today') == timestamp('today')",
        "object.x.matches('(')",
        "object.x.matches('a(?=b)')",
        "'%d'.format(['a'])",
        "'%s %s'.format(['a'])",
        "'%s'.format(['a', 'b'])",
        "optional.of(1).orValue('a')",
        "object.a.noSuchFunction()",
        "[1, 2].sortBy(x)",
    ],
)
def test_what_the_api_server_refuses_is_found_before_evaluation(text: str) -> None:
    with pytest.raises(CelSyntaxError):
        kind_of(text)


ATOMS = (
    *("1", "0", "-9223372036854775808", "2u", "1.5", "'a'", "''", "b'x'", "true", "null", "[]", "{}", "[1, 2]"),
    *("['a', 'b']", "{'a': 1}", "object", "object.a", "object.?b", "object.l", "request.name", "'%d %s'", "'(a'"),
    *("duration('1h')", "timestamp('2026-01-01T00:00:00Z')", "quantity('1Gi')", "ip('10.0.0.1')", "int", "'1.2.3'"),
    *("cidr('10.0.0.0/8')", "url('https://a:1/b?c=d')", "semver('1.2.3')", "optional.of(1)", "format.uri()"),
)
CALLS = sorted(name for name in FUNCTIONS if name[0] == "." or (name[0].isalpha() and name != "in"))
MACROS = ("all", "exists", "exists_one", "map", "filter", "sortBy", "optMap", "transformList", "transformMap")


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["+", "-", "*", "/", "%", "==", "<", "in", "&&", "||"])
    arguments = st.lists(inner, max_size=3).map(", ".join)
    return st.one_of(
        st.builds(lambda a, op, b: f"({a} {op} {b})", inner, operators, inner),
        st.builds(lambda a, b, c: f"({a} ? {b} : {c})", inner, inner, inner),
        st.builds(lambda a, b, mark: f"{a}[{mark}{b}]", inner, inner, st.sampled_from(["", "?"])),
        st.builds(lambda a, b: f"[{a}, {b}]", inner, inner),
        st.builds(lambda a, b: f"{{{a}: {b}}}", inner, inner),
        st.builds(lambda a, m, v, b: f"{a}.{m}({v}, {b})", inner, st.sampled_from(MACROS), st.just("x"), inner),
        st.builds(
            lambda name, whole, more: f"{whole}{name}({more})" if name[0] == "." else f"{name}({more})",
            st.sampled_from(CALLS),
            inner,
            arguments,
        ),
    )


ANY_EXPRESSION = st.recursive(st.sampled_from(ATOMS), _compound, max_leaves=6)
SHOWN = {
    "optional": "optional_type",
    "null": "null_type",
    "duration": "google.protobuf.Duration",
    "timestamp": "google.protobuf.Timestamp",
}


@settings(max_examples=300, deadline=None)
@given(ANY_EXPRESSION)
def test_whatever_is_written_fails_as_an_expression_does_or_has_the_type_it_was_given(text: str) -> None:
    scope = {"object": {"a": 1, "b": "x", "l": [1, {"a": True}]}, "request": {"name": "n"}}
    node, kind = parse(text), DYN
    with suppress(CelSyntaxError):
        kind = result_type(node, KNOWN)
    try:
        value = Interpreter().run(node, scope)
    except (CelError, CelCostError, CelUndecidedError):
        return
    if kind != DYN and value is not None and kind.name != "null":
        assert type_name(value) == SHOWN.get(kind.name, kind.name) or "." in kind.name


@settings(max_examples=100, deadline=None)
@given(st.text("ab.?[](){}'\"\\0123 +-*/%<>=!&|,:\n", max_size=20))
def test_text_that_is_no_expression_is_only_ever_refused(text: str) -> None:
    with suppress(CelSyntaxError, CelError, CelUndecidedError):
        node = parse(text)
        result_type(node, KNOWN)
        Interpreter().run(node, {})

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenancykit.conditions import Condition, parse_condition


@pytest.mark.parametrize(
    ("text", "facts", "holds"),
    [
        ("a and b or c", {"c"}, True),
        ("a and (b or c)", {"c"}, False),
        ("not a and not b", set(), True),
        ("gpu-model:A100-80GB", {"gpu-model:A100-80GB"}, True),
        ("always", set(), True),
        ("never or a", set(), False),
    ],
)
def test_and_binds_closer_than_or_and_not_closest(text: str, facts: set[str], holds: bool) -> None:
    assert parse_condition(text).holds(facts) is holds


@pytest.mark.parametrize(
    "text", ["", "a and", "a b", "(a", "a)", "and a", "a & b", "__import__('os')", "not", "a or or b"]
)
def test_what_is_not_of_the_grammar_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="condition"):
        parse_condition(text)


conditions = st.recursive(
    st.sampled_from("abcd").map(lambda atom: Condition("atom", atom=atom)),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Condition("and", parts=tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Condition("or", parts=tuple(parts))),
        inner.map(lambda part: Condition("not", parts=(part,))),
    ),
    max_leaves=8,
)


@given(conditions, st.lists(st.sets(st.sampled_from("abcd")), min_size=1, max_size=8))
def test_text_arrays_and_single_designs_agree(condition: Condition, designs: list[set[str]]) -> None:
    again = parse_condition(str(condition))
    arrays = {atom: np.array([atom in facts for facts in designs]) for atom in "abcd"}
    assert [again.holds(facts) for facts in designs] == condition.holds_over(arrays, len(designs)).tolist()
    assert again.atoms() == condition.atoms()


@given(conditions, st.sets(st.sampled_from("abcd")))
def test_a_condition_holds_only_where_what_it_requires_is_there(condition: Condition, facts: set[str]) -> None:
    assert condition.required() <= facts or not condition.holds(facts)
    assert parse_condition("a and (b and c or c and d) and not e").required() == {"a", "c"}

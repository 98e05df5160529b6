"""Rules of our own for the source, small enough to read: each says what it forbids, where, and why."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

TOOLKIT: Final = Path(__file__).parents[1] / "toolkit"
WRITER: Final = frozenset(
    {"kubeanswers/writing.py", "tenancykit/manifests/output.py", "tenancykit/manifests/exchange.py"}
)
READERS: Final = frozenset(
    {
        "kubeanswers/inputs.py",
        "kubeanswers/writing.py",
        "tenancykit/scenario/trace_rows.py",
        "tenancykit/manifests/output.py",
    }
)


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Yield every call with the last part of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            yield (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")), node


def runs_text(tree: ast.AST, file: str) -> Iterator[int]:
    """Text is never run as code (but where classes are made, of their fields' names), unpickled or given to a shell."""
    for name, call in calls(tree):
        bare = isinstance(call.func, ast.Name) and file != "kubeanswers/records.py"
        pickled = isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") in (
            "pickle",
            "marshal",
            "shelve",
        )
        shell = any(k.arg == "shell" and getattr(k.value, "value", None) is not False for k in call.keywords)
        if (
            (bare and name in ("eval", "exec", "compile", "__import__"))
            or pickled
            or shell
            or name in ("system", "popen")
        ):
            yield call.lineno


def loads_types(tree: ast.AST, _: str) -> Iterator[int]:
    """YAML is read by safe loaders, arrays without objects and never through NumPy's own file reader."""
    for name, call in calls(tree):
        owner = getattr(getattr(call.func, "value", None), "id", "")
        loader = next((ast.unparse(k.value) for k in call.keywords if k.arg == "Loader"), "")
        safe = "Safe" in loader or loader in ("_LOADER", "_Loader")
        if (owner == "yaml" and name in ("load", "unsafe_load", "full_load") and not safe) or (
            owner == "np" and name in ("load", "loadtxt")
        ):
            yield call.lineno


def writes_aside(tree: ast.AST, file: str) -> Iterator[int]:
    """Files are written by the one writer."""
    if file in WRITER:
        return
    for name, call in calls(tree):
        mode = [a.value for a in (*call.args, *(k.value for k in call.keywords)) if isinstance(a, ast.Constant)]
        opened = name == "open" and any(isinstance(m, str) and set(m) & set("wax+") and len(m) <= 3 for m in mode)
        if opened or (
            name in ("write_text", "write_bytes", "mkstemp", "NamedTemporaryFile")
            and isinstance(call.func, ast.Attribute)
        ):
            yield call.lineno


def reads_unbounded(tree: ast.AST, file: str) -> Iterator[int]:
    """Files of others are read by the bounded reader; the package's own data may be read as it is."""
    if file in READERS:
        return
    for name, call in calls(tree):
        if name == "read_text" and isinstance(call.func, ast.Attribute) and not _own(file):
            yield call.lineno


def _own(file: str) -> bool:
    return file.endswith(
        (
            "default_roles.py",
            "kubeanswers/kinds.py",
            "access/powers.py",
            "validation/built_in.py",
            "workshop/checks.py",
            "schemas/__init__.py",
        )
    )


def takes_other_digits(tree: ast.AST, file: str) -> Iterator[int]:
    """Digits are those of ASCII: superscripts and other scripts' are for Python's own tests and patterns digits too."""
    if file == "kubeanswers/scalars.py":
        return
    plain = {
        id(argument)
        for _, call in calls(tree)
        if any("ASCII" in ast.unparse(one) for one in (*call.args, *(k.value for k in call.keywords)))
        for argument in ast.walk(call)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("isdigit", "isdecimal", "isnumeric"):
            yield node.lineno
        if isinstance(node, ast.Constant) and "\\d" in str(node.value) and id(node) not in plain:
            yield node.lineno


RULES: Final[tuple[Callable[[ast.AST, str], Iterator[int]], ...]] = (
    runs_text,
    loads_types,
    writes_aside,
    reads_unbounded,
    takes_other_digits,
)


@cache
def source() -> tuple[tuple[str, ast.AST], ...]:
    """Return every file of the toolkit, parsed."""
    files = sorted(TOOLKIT.rglob("*.py"))
    return tuple((f.relative_to(TOOLKIT).as_posix(), ast.parse(f.read_text(encoding="utf-8"))) for f in files)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_source_keeps_the_rule(rule: Callable[[ast.AST, str], Iterator[int]]) -> None:
    found = [f"{file}:{line}: {rule.__doc__}" for file, tree in source() for line in rule(tree, file)]
    assert found == []


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (runs_text, "eval(x)"),
        (runs_text, "pickle.loads(x)"),
        (runs_text, "subprocess.run(x, shell=True)"),
        (loads_types, "yaml.load(x)"),
        (loads_types, "np.load(x)"),
        (writes_aside, "open(x, 'w')"),
        (writes_aside, "path.write_text(x)"),
        (reads_unbounded, "path.read_text()"),
        (takes_other_digits, "text.isdigit()"),
        (takes_other_digits, r"re.compile(r'\d+')"),
        (takes_other_digits, r"Field(pattern=r'\d+')"),
    ],
)
def test_the_rule_sees_what_it_forbids(rule: Callable[[ast.AST, str], Iterator[int]], text: str) -> None:
    assert list(rule(ast.parse(text), "x.py")) == [1]

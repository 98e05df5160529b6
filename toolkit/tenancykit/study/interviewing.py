"""The questions a new scenario begins with, each with why it is asked; a terminal and the studio ask the same ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import Final, Literal

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.records import dataclass
from kubeanswers.scalars import whole_number
from tenancykit.catalogue.price_entries import Price
from tenancykit.catalogue.prices import PriceBook, load_prices
from tenancykit.catalogue.reading import Catalogue

Answers = Mapping[str, str]
"""What was answered, as text, by the question's id; what is missing takes the question's default."""
Kind = Literal["number", "choice", "several", "text"]
MOST: Final = 1_000_000

LEVELS: Final = (
    ("none", "no level demanded; the comparison weighs isolation"),
    ("L1", "L1: a mistake of one stays inside it"),
    ("L2", "L2: at least one barrier on every path to another's data"),
    ("L3", "L3: at least two barriers on every path"),
    ("L4", "L4: no shared kernel, GPU or control plane"),
    ("L5", "L5: physically separate hosts"),
)
TRUST: Final = (
    ("trusted", "as one: they would share a password"),
    ("semi-trusted", "as colleagues: no malice, but mistakes"),
    ("untrusted", "not at all: competitors, strangers"),
)
WORK: Final = (
    ("training", "training jobs on GPUs"),
    ("notebook", "notebooks"),
    ("inference", "models that serve requests"),
    ("batch", "batch jobs without GPUs"),
    ("service", "ordinary services"),
)
REGIMES: Final = (("none", "none"), ("hipaa", "HIPAA"), ("pci-dss", "PCI DSS"), ("iso27001", "ISO 27001"))
EMPHASIS: Final = (
    ("equal", "all four alike"),
    ("isolation", "isolation"),
    ("effort", "little effort to build"),
    ("operations", "little work to run"),
    ("cost", "low cost"),
)
YES: Final = (("yes", "yes"), ("no", "no"))
_NOWHERE: Final = "none"


def _always(_: Answers) -> bool:
    return True


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        id: its name, and that of its option on the command line.
        ask: the question.
        why: what the answer decides.
        kind: ``number`` (zero or more), ``choice``, ``several`` (choices, separated by commas) or ``text``.
        default: the answer where nothing is said.
        choices: what may be chosen, each with what it means.
        asked_if: whether the answers so far make the question one.
    """

    id: str
    ask: str
    why: str
    kind: Kind = "choice"
    default: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    asked_if: Callable[[Answers], bool] = field(default=_always, repr=False)

    def checked(self, answer: str) -> str:
        """Return an answer as it is kept.

        Raises:
            InputError: it is no answer to the question.
        """
        text = answer.strip()
        place = f"--{self.id}"
        if self.kind == "text":
            return text or self.default
        if self.kind == "number":
            if not text and not self.default:
                return ""
            found = text or self.default
            value = whole_number(found, most=MOST)
            if value is None:
                raise InputError(Fault(place, f"{answer!r} is not a number", f"a whole number from 0 to {MOST:,}"))
            return str(value)
        known = [value for value, _ in self.choices]
        parts = [part.strip() for part in text.split(",")] if self.kind == "several" else [text]
        wanted = [part for part in dict.fromkeys(parts) if part] or self.default.split(",")
        for part in wanted:
            if part not in known:
                raise InputError(Fault(place, f"unknown answer {part!r}", ", ".join(known), did_you_mean(part, known)))
        return ",".join(wanted)


def several(answers: Answers, name: str) -> tuple[str, ...]:
    """Return what was chosen of several; nothing where "none" was."""
    return tuple(part for part in answers.get(name, "").split(",") if part and part != _NOWHERE)


def number(answers: Answers, name: str) -> int:
    """Return a number that was answered; 0 where none was."""
    return int(answers.get(name) or 0)


def _some(name: str) -> Callable[[Answers], bool]:
    return lambda answers: number(answers, name) > 0


def _does(group: str, *work: str) -> Callable[[Answers], bool]:
    return lambda answers: number(answers, group) > 0 and bool({*several(answers, f"{group}-work")} & {*work})


def interview(found: dict[str, str], catalogue: Catalogue) -> Iterator[Question]:
    """Yield the questions in order; whoever asks puts each answer into ``found`` before going on to the next.

    What is asked later, and what may be chosen, follows from the answers before it.
    """
    return (question for question in _all(found, load_prices(catalogue)) if question.asked_if(found))


def _all(answers: Answers, book: PriceBook) -> Iterator[Question]:
    yield Question(
        "title", "What is the platform called?", "It stands over the comparison and the record.", "text", "Our platform"
    )
    yield from _team_questions()
    yield from _customer_questions()
    yield from _machine_questions(answers, book)
    yield Question(
        "engineers",
        "How many platform engineers build and run it?",
        "They set how many weeks an amount of work takes, and whether a rota around the clock can be filled.",
        "number",
        "3",
    )
    yield Question(
        "automation",
        "How do changes reach clusters?",
        "What is done by hand is done once per cluster, so many clusters cost most where nothing is automated.",
        default="gitops",
        choices=(("gitops", "from a repository (GitOps)"), ("scripts", "by scripts"), ("manual", "by hand")),
    )
    yield Question(
        "weeks",
        "Within how many weeks must it serve? Empty: no limit",
        "A design that takes longer is not admitted, however good it is; so a limit is for what is really fixed.",
        "number",
    )
    yield Question(
        "budget",
        "What may it cost a month in USD, people included? Empty: no limit",
        "As above: a dearer design is not admitted, and how far it is beyond the limit is said.",
        "number",
    )
    yield Question(
        "emphasis",
        "What matters most?",
        "A first guess at the weights (an assumption: half more than a quarter for it); `tenancykit weigh` and the "
        "studio's tab Weigh ask properly, against the figures.",
        default="equal",
        choices=EMPHASIS,
    )


def _team_questions() -> Iterator[Question]:
    yield Question(
        "teams",
        "How many teams of your own organisation share it?",
        "Teams hold rights on the cluster's API, which is what namespaces, virtual clusters and clusters of their own "
        "separate.",
        "number",
        "4",
    )
    some = _some("teams")
    yield Question(
        "teams-work",
        "What do they run?",
        "Each becomes a workload with usual sizes, which are assumptions to correct.",
        "several",
        "training,notebook",
        WORK,
        some,
    )
    yield Question(
        "teams-gpus",
        "How many GPUs does a team's training use at once?",
        "They size the machines, and parts of a job that start together ask for a queue.",
        "number",
        "8",
        asked_if=_does("teams", "training"),
    )
    yield Question(
        "teams-trust",
        "How far do teams trust each other?",
        "It decides who counts as an attacker of whom, and how often.",
        default="semi-trusted",
        choices=TRUST,
        asked_if=some,
    )
    yield Question(
        "teams-isolation",
        "Which isolation must teams have at least?",
        "Designs below it are not admitted; leave it open to let the weights decide.",
        default="none",
        choices=LEVELS,
        asked_if=some,
    )
    yield Question(
        "teams-crds",
        "Do teams bring operators or resource definitions of their own?",
        "These hold for a whole cluster, so a shared one cannot give them to each team.",
        default="no",
        choices=YES,
        asked_if=some,
    )


def _customer_questions() -> Iterator[Question]:
    yield Question(
        "customers",
        "How many customers does it serve?",
        "Customers never touch the API; something is run for each of them, and they need not trust each other.",
        "number",
        "0",
    )
    some = _some("customers")
    yield Question(
        "customers-work",
        "What is run for each of them?",
        "As above.",
        "several",
        "inference,service",
        WORK,
        some,
    )
    yield Question(
        "customers-gpu",
        "How much GPU does a customer's model take?",
        "Shares of a GPU are cheap and need a way to divide it; whole ones strand what is idle.",
        default="0.25",
        choices=(("0.25", "a quarter"), ("0.5", "half"), ("1", "one"), ("2", "two"), ("4", "four"), ("8", "eight")),
        asked_if=_does("customers", "inference"),
    )
    yield Question(
        "customers-isolation",
        "Which isolation must customers have at least?",
        "As for teams.",
        default="none",
        choices=LEVELS,
        asked_if=some,
    )
    yield Question(
        "compliance",
        "Which regimes do customers fall under?",
        "Regimes ask for logs that are kept, and make a breach dearer.",
        "several",
        "none",
        REGIMES,
        some,
    )


def _machine_questions(answers: Answers, book: PriceBook) -> Iterator[Question]:
    nodes = [p for p in book.of_kind("node") if p.node is not None and (p.amount is not None or p.own is not None)]
    providers = sorted({p.provider for p in nodes if p.node is not None and p.node.gpus})
    yield Question(
        "provider",
        "Whose machines are they?",
        "Prices, managed control planes and who else shares the hosts follow from it.",
        default="aws" if "aws" in providers else providers[0],
        choices=tuple((name, "your own" if name == "own" else name) for name in providers),
    )
    provider = answers.get("provider", "aws")
    gpu = [p for p in nodes if p.provider == provider and p.node is not None and p.node.gpus]
    cpu = [p for p in nodes if p.provider == provider and p.node is not None and not p.node.gpus]
    if gpu:
        yield Question(
            "gpu-node",
            "Which GPU machine?",
            "GPUs a machine holds decide how much is stranded when tenants keep machines for themselves.",
            default=_usual(gpu),
            choices=tuple((p.id, machine(p)) for p in gpu),
        )
        yield Question(
            "gpu-nodes",
            "How many of them are there? 0: bought as needed",
            "A fleet that exists bounds what fits; where machines are bought as needed, designs differ in price.",
            "number",
            "0",
        )
    if cpu:
        yield Question(
            "cpu-node",
            "Which machine without GPUs?",
            "Control planes, gateways and services stand there.",
            default=_smallest(cpu),
            choices=tuple((p.id, machine(p)) for p in cpu),
        )
        yield Question(
            "cpu-nodes",
            "How many of them are there?",
            "As for GPU machines.",
            "number",
            "4",
            asked_if=_some("gpu-nodes"),
        )
    yield Question(
        "buying",
        "If a design needs more machines than there are, may they be bought?",
        "If not, such a design is not admitted; if so, the machines it lacks are in its price.",
        default="yes",
        choices=YES,
        asked_if=_some("gpu-nodes"),
    )


def machine(price: Price) -> str:
    """Return a machine type in words: its own name, GPUs, size and price an hour where it is listed."""
    node = price.node
    if node is None:
        return price.name or price.id
    gpus = f"{node.gpus} x {node.gpu_model}, " if node.gpus else ""
    listed = f", {price.amount:.2f} {price.currency} an hour" if price.amount is not None else ""
    name = price.sku or price.name or price.id
    return f"{name}: {gpus}{node.cpu / 1000:g} CPU, {node.memory / 2**30:g} GiB{listed}"


def _usual(prices: list[Price]) -> str:
    """Return the machine to suggest: eight H100 where they are on offer, else the first of eight, else the first."""
    eight = [p for p in prices if p.node is not None and p.node.gpus == 8]
    h100 = [p for p in eight if p.node is not None and p.node.gpu_model.startswith("H100")]
    return (h100 or eight or prices)[0].id


def _smallest(prices: list[Price]) -> str:
    """Return the machine to suggest: the smallest of 16 CPUs or more, else the largest."""
    sizes = sorted((p.node.cpu, p.id) for p in prices if p.node is not None)
    return next((name for cpu, name in sizes if cpu >= 16_000), sizes[-1][1])


def completed_answers(given: Answers, catalogue: Catalogue) -> dict[str, str]:
    """Return the answer to every question that is asked, defaults where nothing was said.

    Raises:
        InputError: every answer that is none, and answers to questions that are not asked.
    """
    faults: list[Fault] = []
    found: dict[str, str] = {}
    for question in interview(found, catalogue):
        try:
            found[question.id] = question.checked(given.get(question.id, ""))
        except InputError as error:
            faults += error.faults
            found[question.id] = question.default
    idle = [name for name, answer in given.items() if answer and name not in found]
    faults += [Fault(f"--{name}", "is not asked after the other answers", cure="leave it out") for name in idle]
    if not number(found, "teams") and not number(found, "customers"):
        faults.append(Fault("--teams", "nobody shares the platform", "teams or customers, one at least"))
    if faults:
        raise InputError(faults)
    return found

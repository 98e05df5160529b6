"""The functions, types and typed variables that expressions in Kubernetes 1.36 policies may use.

Sources: https://kubernetes.io/docs/reference/using-api/cel/ (which libraries, at which versions) and
https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from kubeanswers.cel.types import Type
from kubeanswers.records import dataclass

COMPARABLE: Final = ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes")
_SUMMABLE: Final = ("int", "uint", "double", "duration")
_SHORT: Final = {
    "Quantity": "kubernetes.Quantity",
    "IP": "net.IP",
    "CIDR": "net.CIDR",
    "URL": "kubernetes.URL",
    "Semver": "kubernetes.Semver",
    "Format": "kubernetes.NamedFormat",
    "Authorizer": "kubernetes.authorization.Authorizer",
    "PathCheck": "kubernetes.authorization.PathCheck",
    "GroupCheck": "kubernetes.authorization.GroupCheck",
    "ResourceCheck": "kubernetes.authorization.ResourceCheck",
    "Decision": "kubernetes.authorization.Decision",
}
RESOURCE_CHECK: Final = Type(_SHORT["ResourceCheck"])
AUTHORIZER: Final = Type(_SHORT["Authorizer"])

_TABLE: Final = """
! = bool>bool
?: = bool,A,A>A
== = A,A>bool
!= = A,A>bool
+ = int,int>int uint,uint>uint double,double>double string,string>string bytes,bytes>bytes list(A),list(A)>list(A)
+ = duration,duration>duration duration,timestamp>timestamp timestamp,duration>timestamp
- = int,int>int uint,uint>uint double,double>double duration,duration>duration timestamp,duration>timestamp
- = timestamp,timestamp>duration
* = int,int>int uint,uint>uint double,double>double
/ = int,int>int uint,uint>uint double,double>double
% = int,int>int uint,uint>uint
-_ = int>int double>double duration>duration
in = A,list(A)>bool A,map(A,B)>bool
[] = list(A),int>A map(A,B),A>B optional(list(A)),int>optional(A) optional(map(A,B)),A>optional(B)
[?] = list(A),int>optional(A) optional(list(A)),int>optional(A)
[?] = map(A,B),A>optional(B) optional(map(A,B)),A>optional(B)
size = string>int bytes>int list(A)>int map(A,B)>int
.size = string>int bytes>int list(A)>int map(A,B)>int
type = A>type
dyn = A>dyn
bool = bool>bool string>bool
bytes = bytes>bytes string>bytes
double = double>double int>double string>double uint>double
duration = duration>duration string>duration
int = int>int double>int duration>int string>int timestamp>int uint>int
string = string>string bool>string bytes>string double>string duration>string int>string timestamp>string uint>string
string = IP>string CIDR>string
timestamp = timestamp>timestamp int>timestamp string>timestamp
uint = uint>uint double>uint int>uint string>uint
.contains = string,string>bool
.startsWith = string,string>bool
.endsWith = string,string>bool
matches = string,string>bool
.matches = string,string>bool
.charAt = string,int>string
.indexOf = string,string>int string,string,int>int list(A),A>int
.lastIndexOf = string,string>int string,string,int>int list(A),A>int
.lowerAscii = string>string
.upperAscii = string>string
.trim = string>string
.replace = string,string,string>string string,string,string,int>string
.split = string,string>list(string) string,string,int>list(string)
.substring = string,int>string string,int,int>string
.join = list(string)>string list(string),string>string
.format = string,list(dyn)>string
strings.quote = string>string
.find = string,string>string
.findAll = string,string>list(string) string,string,int>list(string)
.slice = list(A),int,int>list(A)
.flatten = list(list(A))>list(A) list(dyn),int>list(dyn)
.reverse = list(A)>list(A)
.distinct = list(A)>list(A)
lists.range = int>list(int)
sets.contains = list(A),list(A)>bool
sets.equivalent = list(A),list(A)>bool
sets.intersects = list(A),list(A)>bool
optional.of = A>optional(A)
optional.ofNonZeroValue = A>optional(A)
optional.none = >optional(A)
optional.unwrap = list(optional(A))>list(A)
.unwrapOpt = list(optional(A))>list(A)
.first = list(A)>optional(A)
.last = list(A)>optional(A)
.value = optional(A)>A
.hasValue = optional(A)>bool
.or = optional(A),optional(A)>optional(A)
.orValue = optional(A),A>A
quantity = string>Quantity
isQuantity = string>bool
sign = Quantity>int
.isGreaterThan = Quantity,Quantity>bool Semver,Semver>bool
.isLessThan = Quantity,Quantity>bool Semver,Semver>bool
.compareTo = Quantity,Quantity>int Semver,Semver>int
.asApproximateFloat = Quantity>double
.asInteger = Quantity>int
.isInteger = Quantity>bool
.add = Quantity,Quantity>Quantity Quantity,int>Quantity
.sub = Quantity,Quantity>Quantity Quantity,int>Quantity
semver = string>Semver string,bool>Semver
isSemver = string>bool string,bool>bool
.major = Semver>int
.minor = Semver>int
.patch = Semver>int
ip = string>IP
isIP = string>bool
ip.isCanonical = string>bool
.family = IP>int
.isUnspecified = IP>bool
.isLoopback = IP>bool
.isLinkLocalMulticast = IP>bool
.isLinkLocalUnicast = IP>bool
.isGlobalUnicast = IP>bool
cidr = string>CIDR
isCIDR = string>bool
.containsIP = CIDR,string>bool CIDR,IP>bool
.containsCIDR = CIDR,string>bool CIDR,CIDR>bool
.ip = CIDR>IP
.prefixLength = CIDR>int
.masked = CIDR>CIDR
url = string>URL
isURL = string>bool
.getScheme = URL>string
.getHost = URL>string
.getHostname = URL>string
.getPort = URL>string
.getEscapedPath = URL>string
.getQuery = URL>map(string,list(string))
format.named = string>optional(Format)
.validate = Format,string>optional(list(string))
.path = Authorizer,string>PathCheck
.group = Authorizer,string>GroupCheck
.serviceAccount = Authorizer,string,string>Authorizer
.resource = GroupCheck,string>ResourceCheck
.subresource = ResourceCheck,string>ResourceCheck
.namespace = ResourceCheck,string>ResourceCheck
.name = ResourceCheck,string>ResourceCheck
.fieldSelector = ResourceCheck,string>ResourceCheck
.labelSelector = ResourceCheck,string>ResourceCheck
.check = PathCheck,string>Decision ResourceCheck,string>Decision
.allowed = Decision>bool
.reason = Decision>string
.errored = Decision>bool
.error = Decision>string
"""
"""Per line a name (methods begin with a dot) and its overloads: what it takes, what it returns."""

_FORMATS: Final = (
    *("dns1123Label", "dns1123Subdomain", "dns1035Label", "dns1123LabelPrefix", "dns1123SubdomainPrefix"),
    *("dns1035LabelPrefix", "qualifiedName", "labelValue", "uri", "uuid", "byte", "date", "datetime"),
)
_PARTS: Final = "FullYear Month DayOfYear DayOfMonth Date DayOfWeek Hours Minutes Seconds Milliseconds".split()  # noqa: SIM905 - reads as what is asked of a moment


@dataclass(frozen=True, slots=True)
class Overload:
    """One way to call a function; a method's first argument is what it is called on."""

    takes: tuple[Type, ...]
    returns: Type


def _type(text: str) -> Type:
    match = re.fullmatch(r"(\w+)(?:\((.*)\))?", text)
    assert match is not None  # noqa: S101 - the table is ours
    name = f"${match[1]}" if match[1] in ("A", "B") else _SHORT.get(match[1], match[1])
    return Type(name, tuple(map(_type, _split(match[2] or ""))))


def _split(text: str) -> list[str]:
    """Split at the commas that stand in no parentheses."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts if text else []


def _overload(text: str) -> Overload:
    takes, _, returns = text.rpartition(">")
    return Overload(tuple(map(_type, _split(takes))), _type(returns))


def _lines() -> Iterator[tuple[str, str]]:
    for line in _TABLE.strip().splitlines():
        name, _, overloads = line.partition(" = ")
        yield from ((name, text) for text in overloads.split())
    for sign in ("<", "<=", ">", ">="):
        yield from ((sign, f"{kind},{kind}>bool") for kind in COMPARABLE)
        numbers = ("int", "uint", "double")
        yield from ((sign, f"{a},{b}>bool") for a in numbers for b in numbers if a != b)
    for kind in COMPARABLE:
        yield from ((f".{name}", f"list({kind})>{kind}") for name in ("min", "max"))
        yield from ((".isSorted", f"list({kind})>bool"), (".sort", f"list({kind})>list({kind})"))
    yield from ((".sum", f"list({kind})>{kind}") for kind in _SUMMABLE)
    yield from ((f"format.{name}", ">Format") for name in _FORMATS)
    for part in _PARTS:
        yield from ((f".get{part}", text) for text in ("timestamp>int", "timestamp,string>int"))
        if part in ("Hours", "Minutes", "Seconds", "Milliseconds"):
            yield f".get{part}", "duration>int"


def _declared() -> dict[str, tuple[Overload, ...]]:
    found: dict[str, tuple[Overload, ...]] = {}
    for name, text in _lines():
        found[name] = (*found.get(name, ()), _overload(text))
    return found


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = _declared()
"""Overloads by name; methods begin with a dot."""

TYPE_NAMES: Final = frozenset(
    {*COMPARABLE, "list", "map", "null_type", "type", "optional_type", *_SHORT.values()} - {"duration", "timestamp"}
    | {"google.protobuf.Duration", "google.protobuf.Timestamp"}
)
"""Names that mean a type."""

_FIELDS_TABLE: Final = """
request: kind=GVK resource=GVR requestKind=GVK requestResource=GVR userInfo=User dryRun=bool options=dyn
request: subResource=string requestSubResource=string name=string namespace=string operation=string
GVK: group=string version=string kind=string
GVR: group=string version=string resource=string
User: username=string uid=string groups=list(string) extra=map(string,list(string))
namespace: metadata=NamespaceMetadata spec=NamespaceSpec status=NamespaceStatus
NamespaceSpec: finalizers=list(string)
NamespaceStatus: conditions=list(NamespaceCondition) phase=string
NamespaceCondition: status=string type=string lastTransitionTime=timestamp message=string reason=string
NamespaceMetadata: name=string generateName=string namespace=string UID=string resourceVersion=string
NamespaceMetadata: labels=map(string,string) annotations=map(string,string) finalizers=list(string) generation=int
NamespaceMetadata: creationTimestamp=timestamp deletionTimestamp=timestamp deletionGracePeriodSeconds=int
"""


def _structures() -> dict[str, dict[str, Type]]:
    rows = [line.partition(": ") for line in _FIELDS_TABLE.strip().splitlines()]
    _SHORT.update({name: f"kubernetes.{name}" for name, _, _ in rows})
    found: dict[str, dict[str, Type]] = {}
    for name, _, fields in rows:
        pairs = (item.partition("=") for item in fields.split())
        found.setdefault(_SHORT[name], {}).update({field: _type(kind) for field, _, kind in pairs})
    return found


STRUCTURES: Final[Mapping[str, Mapping[str, Type]]] = _structures()
"""The fields of the objects whose fields are known."""

REQUEST: Final = Type("kubernetes.request")
NAMESPACE: Final = Type("kubernetes.namespace")

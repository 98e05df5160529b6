"""What an audit says of whose the namespaces are: how tenants were found, how to name them, what belongs to nobody."""

from __future__ import annotations

from collections.abc import Iterator

from kubeanswers.access.rbac import Grant
from tenancykit.auditing.findings import Finding, Severity, about
from tenancykit.auditing.tenant_signs import candidates, is_platform_namespace
from tenancykit.auditing.tenants import Tenancy

_MOST = 5


def told(tenancy: Tenancy) -> Iterator[str]:
    """Yield how tenants were found; where none was, how to name them."""
    found = tenancy.found
    if tenancy.tenants:
        yield f"tenants: {', '.join(found.how)}" + ("; name them with --tenant if that is wrong" if found.weak else "")
        return
    names, keys = candidates(tenancy.objects)
    if not names:
        yield "no tenant was found, and no namespace that may be one's: nothing is said about tenants"
        return
    shown = ", ".join(names[:_MOST]) + (f" and {len(names) - _MOST} more" if len(names) > _MOST else "")
    yield f"NO TENANT WAS FOUND, so nothing below is about tenants. Namespaces that may be tenants': {shown}"
    lines = " ".join(f"--tenant {name}={name}" for name in names[:_MOST])
    yield f"name them: {lines}" + ("" if len(names) <= _MOST else " ..., or by a glob: --tenant '*=*'")
    if keys:
        yield f"or by a label they carry: {' '.join(f'--tenant-label {key}' for key in keys[:3])}"


def unowned_findings(tenancy: Tenancy) -> Iterator[Finding]:
    """Yield namespaces in which somebody is bound and which belong to no tenant and, by their names, to no platform."""
    if not tenancy.tenants:
        return
    bound: dict[str, list[Grant]] = {}
    for grant in tenancy.access.grants:
        space = grant.namespace
        if not space or space in tenancy.by_namespace or grant.subject.kind not in ("User", "Group"):
            continue
        if not is_platform_namespace(space, tenancy.objects.namespaces.get(space, {})):
            bound.setdefault(space, []).append(grant)
    for space, grants in sorted(bound.items()):
        owners = sorted({tenant for grant in grants for tenant in tenancy.tenants_of(grant) if tenant != "*"})
        subject, where = about(grants[0].binding)
        who = ", ".join(dict.fromkeys(str(grant.subject) for grant in grants[:3]))
        yield Finding(
            "namespace-unowned",
            Severity.LOW,
            subject,
            where,
            f"{who} is bound in namespace {space}, which belongs to no tenant that is known",
            "",
            f"say whose it is: --tenant {space}={owners[0] if len(owners) == 1 else space}",
        )

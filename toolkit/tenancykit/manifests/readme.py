"""The operator's README of an export: what is in it, what to install, what to fill in, in which order to apply."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tenancykit.design.model import ClassDesign, ResolvedDesign
from tenancykit.labels import POOL_LABEL
from tenancykit.manifests import charts
from tenancykit.manifests.assemble import plain_files, sides_of
from tenancykit.manifests.plan import ClusterPlan, Role, is_per_tenant
from tenancykit.manifests.registry import build_of
from tenancykit.manifests.scope import ClassScope
from tenancykit.scenario.model import Scenario

Missing = Callable[[str], tuple[str, ...]]
"""Returns the namespaces that have to be there before a folder is applied."""
_ROLES = {
    "shared": "runs the pods of many tenants",
    "hub": "runs or defines the tenants' clusters",
    "logical": "serves the tenants' workspaces; runs no pods",
    "tenant": "one tenant's cluster",
    "virtual": "one tenant's virtual cluster; its pods run in the shared cluster",
    "workspace": "one tenant's workspace",
}


_INTRODUCTION = (
    "Manifests for Kubernetes {version}, written by tenancykit. `index.yaml` lists folders and tenants for machines, "
    "`trace.yaml` which objects carry which requirement, `.tenancykit.json` the files written.\n"
)
_CHANGING = (
    "Change the scenario and export again: the tree is replaced as a whole, files you added are kept, and a file you "
    "edited is kept beside the new one as `<name>.changed-by-hand`. Put your own objects into files of your own and "
    "list them in a Kustomization of your own that uses these folders as bases.\n"
)
_REPORTS = (
    "**Nothing is refused:** the scenario has `team.admission: audit`, so admission policies and Pod Security levels "
    "warn and report only, and `prove` finds what that leaves open. Policies that fill in values still do.\n"
)
_SECRETS = (
    "- No Secret is written. Certificates, pull secrets and keys come from your secret store; TLS secrets for the "
    "gateways are `public-tls` and `internal-tls` in `tenancykit-ingress`."
)

_ARGO = (
    "- Argo CD signs people in by your identity provider; the client's secret is key `oidc.clientSecret` of "
    "`argocd-secret`."
)


def steps(
    scopes: dict[str, ClassScope], plans: Sequence[ClusterPlan], own_classes: Iterable[ClassDesign], missing: Missing
) -> Iterator[dict[str, Any]]:
    """Yield what to apply, in order: charts before the objects that need their kinds, hubs before what they make."""
    for plan, root in [*_common(plans), *_of_classes(own_classes)]:
        step = _step(plan, scopes, root, missing)
        if root.startswith("classes/"):
            step["cluster"] = f"each cluster of class {plan.name}"
            step["kustomize"] = "clusters/<tenant>"
        yield step


def _common(plans: Sequence[ClusterPlan]) -> Iterator[tuple[ClusterPlan, str]]:
    for plan in plans:
        yield plan, f"clusters/{plan.name}"


def _of_classes(classes: Iterable[ClassDesign]) -> Iterator[tuple[ClusterPlan, str]]:
    for found in classes:
        role: Role = "tenant" if is_per_tenant(found) else "virtual"
        if found.cluster.control_plane == "logical":
            role = "workspace"
        yield ClusterPlan(found.tenant_class.id, role, (found,)), f"classes/{found.tenant_class.id}"


def _step(plan: ClusterPlan, scopes: dict[str, ClassScope], root: str, missing: Missing) -> dict[str, Any]:
    return {
        "cluster": plan.name,
        "role": _ROLES[plan.role],
        "byHand": [component.name for component in charts.by_hand(plan, scopes)],
        **({"namespaces": list(missing(root))} if missing(root) else {}),
        "helm": [f"{root}/helm/{release.name}" for release in charts.releases(plan, scopes)],
        "kustomize": root,
        **({"tenantHelm": f"{root}/tenants/<tenant>/helm/<tenant>"} if charts.has_tenant_releases(plan) else {}),
    }


def readme(
    design: ResolvedDesign,
    scenario: Scenario,
    scopes: dict[str, ClassScope],
    plans: Sequence[ClusterPlan],
    missing: Missing,
) -> str:
    """Return the README of an export in Markdown."""
    own = [
        found
        for found in design.classes
        if is_per_tenant(found) or found.cluster.control_plane in ("virtual", "logical")
    ]
    parts = [
        f"# {design.name} ({design.id}) for {scenario.title or scenario.name}\n",
        _INTRODUCTION.format(version=scenario.kubernetes),
        *_violations(design),
        *([_REPORTS] if scenario.team.admission == "audit" else []),
        "## Before you apply\n",
        *_fill_in(design, scenario),
        "\n## Apply\n",
        *_apply(scopes, plans, own, missing),
        "\n## Tenant classes\n",
        *_classes(design),
        "\n## Options without objects\n",
        *_without_objects(design),
        "\n## Changing it\n",
        _CHANGING,
    ]
    return "\n".join(parts)


def _violations(design: ResolvedDesign) -> list[str]:
    if not design.violations:
        return []
    lines = "\n".join(f"- {reason}" for reason in design.violations)
    return [f"**This design breaks rules of the catalogue for this scenario:**\n\n{lines}\n"]


def _fill_in(design: ResolvedDesign, scenario: Scenario) -> list[str]:
    lines = [
        "- Values in angle brackets are yours to fill in: `grep -rnE '<[a-z-]+>' clusters classes`.",
        "- `example.com` names (identity provider, tenants' domain, Git repository) are placeholders.",
        _SECRETS,
        "- Sizes come from the scenario's demand with the headroom stated in the objects' builders (assumption: 25 %).",
    ]
    if any("argo-cd" in option.components for found in design.classes for option in found.options):
        lines.append(_ARGO)
    pools = sorted(
        {f.placement.domain for f in design.classes if f.placement.domain != "fleet" and not is_per_tenant(f)}
    )
    if pools:
        value = "the class's id" if pools == ["class"] else "`t-<tenant>`"
        text = f"- Nodes of a pool register with the label and the NoSchedule taint `{POOL_LABEL}` = {value} "
        lines.append(text + "(ConfigMaps `node-pool-*` in `tenancykit-system` state the contract).")
    if any("gpu" in found.facts for found in design.classes):
        lines.append("- GPU nodes need a driver the GPU operator supports; MIG layouts apply to idle GPUs only.")
    lines.append(f"- The API server must be Kubernetes {scenario.kubernetes} or newer for the API versions used.")
    return lines


_LIVE = (
    "With the `live` extra, `tenancykit apply . --context CLUSTER=CONTEXT` tries all of a cluster's objects on its API "
    "server first and writes with `--yes` only; `tenancykit verify SCENARIO .` asks it afterwards whether it enforces "
    "what this design claims. By hand:\n"
)
_TWICE = "   - the same command again once Gatekeeper serves the constraints' kinds, which its templates define"


def _apply(
    scopes: dict[str, ClassScope], plans: Sequence[ClusterPlan], own: Sequence[ClassDesign], missing: Missing
) -> list[str]:
    lines: list[str] = [_LIVE]
    for number, (plan, root) in enumerate([*_common(plans), *_of_classes(own)], start=1):
        step = _step(plan, scopes, root, missing)
        each = root.startswith("classes/")
        title = f"each cluster of class {plan.name}" if each else plan.name
        lines.append(f"{number}. **{title}** - {step['role']}")
        ready = [*step["byHand"], *(f"namespace `{name}`" for name in step.get("namespaces", ()))]
        if ready:
            lines.append(f"   - have ready: {', '.join(ready)}")
        for release in charts.releases(plan, scopes):
            lines.append(f"   - `{charts.install_command(release, f'{root}/helm/{release.name}/')}`")
            if release.note:
                lines.append(f"     ({release.note})")
        lines += [f"   - `{root}/{file.path}`: {file.purpose}" for file in plain_files(plan)]
        lines.append(f"   - `kubectl apply --server-side -k {'clusters/<tenant>' if each else root}`")
        if "pol_gatekeeper" in plan.options and "pods" in {side for f in plan.classes for side in sides_of(f, plan)}:
            lines.append(_TWICE)
        if charts.has_tenant_releases(plan):
            folder = f"{root}/tenants/<tenant>/helm/<tenant>"
            lines.append(f"   - for each tenant the release in `{folder}`; its `chart.yaml` holds the command")
    return lines


def _classes(design: ResolvedDesign) -> list[str]:
    lines = ["| class | kind | options |", "|---|---|---|"]
    for found in design.classes:
        options = ", ".join(f"`{option}`" for option in found.choice.options)
        lines.append(f"| {found.tenant_class.id} | {found.tenant_class.kind} | {options} |")
    return lines


def _without_objects(design: ResolvedDesign) -> list[str]:
    chosen = {option.id: option for found in design.classes for option in found.options}
    reasons = [(identifier, build_of(option).reason) for identifier, option in chosen.items()]
    return [f"- `{option}`: {reason}" for option, reason in reasons if reason] or ["None."]

from tenancykit.manifests.counting import ObjectCounts, count_objects
from tenancykit.manifests.output import Change, Changes
from tenancykit.manifests.tree import ExportResult, digests, export

__all__ = ["Change", "Changes", "ExportResult", "ObjectCounts", "count_objects", "digests", "export"]

"""arXiv as a source of works, as every provider's records of its preprints name it."""

from works.ingest.records import SourceRef

ARXIV = SourceRef(
    display_name="arXiv",
    openalex="S4306400194",
    type="repository",
    host_organization_name="Cornell University",
)

from trust.models.evidence import Evidence, EvidenceDetail
from trust.models.score import TrustScore

__all__ = ["Evidence", "EvidenceDetail", "TrustScore"]

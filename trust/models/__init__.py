from trust.models.evidence import Evidence, EvidenceDetail
from trust.models.score import TrustChange, TrustScore, VouchSeed

__all__ = ["Evidence", "EvidenceDetail", "TrustChange", "TrustScore", "VouchSeed"]

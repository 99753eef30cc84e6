"""What exists: collections, who may read them, assets, their segments, vectors, words and the work on them."""

from kb.models.asset import Asset, AssetState, AssetVersion, Document, Image, Video
from kb.models.audience import Audience, AudienceMember, Role
from kb.models.audit import ApiToken, AuditEvent, Feedback, PinnedResult, QueryLog, Synonym
from kb.models.collection import Collection
from kb.models.ingest import IngestItem, IngestRun, IngestStep, Outcome, RunState, StepName, StepState
from kb.models.segment import Segment, SegmentKind
from kb.models.source import Source, SourceEntry, SourceFolder, SourceKind, SourceState
from kb.models.tus import TusPiece, TusUpload
from kb.models.vector import SetState, StagedVector, Vector, VectorSet
from kb.models.words import AudienceWordTotals, Lexeme, LexemeStats, SegmentWords

__all__ = [
    "ApiToken",
    "Asset",
    "AssetState",
    "AssetVersion",
    "Audience",
    "AudienceMember",
    "AudienceWordTotals",
    "AuditEvent",
    "Collection",
    "Document",
    "Feedback",
    "Image",
    "IngestItem",
    "IngestRun",
    "IngestStep",
    "Lexeme",
    "LexemeStats",
    "Outcome",
    "PinnedResult",
    "QueryLog",
    "Role",
    "RunState",
    "Segment",
    "SegmentKind",
    "SegmentWords",
    "SetState",
    "Source",
    "SourceEntry",
    "SourceFolder",
    "SourceKind",
    "SourceState",
    "StagedVector",
    "StepName",
    "StepState",
    "Synonym",
    "TusPiece",
    "TusUpload",
    "Vector",
    "VectorSet",
    "Video",
]

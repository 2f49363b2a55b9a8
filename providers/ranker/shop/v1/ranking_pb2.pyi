from google.protobuf import wrappers_pb2 as _wrappers_pb2
from shop.v1 import catalog_pb2 as _catalog_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Candidate(_message.Message):
    __slots__ = ("product_id", "category", "price", "discount", "availability")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    DISCOUNT_FIELD_NUMBER: _ClassVar[int]
    AVAILABILITY_FIELD_NUMBER: _ClassVar[int]
    product_id: int
    category: str
    price: _catalog_pb2.Money
    discount: float
    availability: _catalog_pb2.Availability
    def __init__(self, product_id: _Optional[int] = ..., category: _Optional[str] = ..., price: _Optional[_Union[_catalog_pb2.Money, _Mapping]] = ..., discount: _Optional[float] = ..., availability: _Optional[_Union[_catalog_pb2.Availability, str]] = ...) -> None: ...

class ScoreCandidatesRequest(_message.Message):
    __slots__ = ("user_id", "candidates")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    user_id: _wrappers_pb2.Int64Value
    candidates: _containers.RepeatedCompositeFieldContainer[Candidate]
    def __init__(self, user_id: _Optional[_Union[_wrappers_pb2.Int64Value, _Mapping]] = ..., candidates: _Optional[_Iterable[_Union[Candidate, _Mapping]]] = ...) -> None: ...

class ScoredCandidate(_message.Message):
    __slots__ = ("product_id", "score", "confidence", "explanation")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    product_id: int
    score: float
    confidence: float
    explanation: str
    def __init__(self, product_id: _Optional[int] = ..., score: _Optional[float] = ..., confidence: _Optional[float] = ..., explanation: _Optional[str] = ...) -> None: ...

class ScoreCandidatesResponse(_message.Message):
    __slots__ = ("model_version", "scores")
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    model_version: str
    scores: _containers.RepeatedCompositeFieldContainer[ScoredCandidate]
    def __init__(self, model_version: _Optional[str] = ..., scores: _Optional[_Iterable[_Union[ScoredCandidate, _Mapping]]] = ...) -> None: ...

import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from shop.v1 import catalog_pb2 as _catalog_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UserContext(_message.Message):
    __slots__ = ("user_id", "locale", "attributes")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    locale: str
    attributes: _containers.ScalarMap[str, str]
    def __init__(self, user_id: _Optional[int] = ..., locale: _Optional[str] = ..., attributes: _Optional[_Mapping[str, str]] = ...) -> None: ...

class GetRecommendationsRequest(_message.Message):
    __slots__ = ("user_context", "limit", "categories")
    USER_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    user_context: UserContext
    limit: int
    categories: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, user_context: _Optional[_Union[UserContext, _Mapping]] = ..., limit: _Optional[int] = ..., categories: _Optional[_Iterable[str]] = ...) -> None: ...

class Recommendation(_message.Message):
    __slots__ = ("product", "score", "confidence", "reason")
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    product: _catalog_pb2.Product
    score: float
    confidence: float
    reason: str
    def __init__(self, product: _Optional[_Union[_catalog_pb2.Product, _Mapping]] = ..., score: _Optional[float] = ..., confidence: _Optional[float] = ..., reason: _Optional[str] = ...) -> None: ...

class GetRecommendationsResponse(_message.Message):
    __slots__ = ("request_id", "recommendations", "generated_at")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RECOMMENDATIONS_FIELD_NUMBER: _ClassVar[int]
    GENERATED_AT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    recommendations: _containers.RepeatedCompositeFieldContainer[Recommendation]
    generated_at: _timestamp_pb2.Timestamp
    def __init__(self, request_id: _Optional[str] = ..., recommendations: _Optional[_Iterable[_Union[Recommendation, _Mapping]]] = ..., generated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

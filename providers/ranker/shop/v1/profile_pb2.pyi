import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import wrappers_pb2 as _wrappers_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Tier(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIER_UNSPECIFIED: _ClassVar[Tier]
    TIER_STANDARD: _ClassVar[Tier]
    TIER_PREMIUM: _ClassVar[Tier]
TIER_UNSPECIFIED: Tier
TIER_STANDARD: Tier
TIER_PREMIUM: Tier

class UserProfile(_message.Message):
    __slots__ = ("id", "display_name", "nickname", "tier", "price_sensitivity", "category_affinity", "member_since", "last_order_id", "email", "phone")
    class CategoryAffinityEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    NICKNAME_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    PRICE_SENSITIVITY_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_AFFINITY_FIELD_NUMBER: _ClassVar[int]
    MEMBER_SINCE_FIELD_NUMBER: _ClassVar[int]
    LAST_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    id: int
    display_name: str
    nickname: _wrappers_pb2.StringValue
    tier: Tier
    price_sensitivity: float
    category_affinity: _containers.ScalarMap[str, float]
    member_since: _timestamp_pb2.Timestamp
    last_order_id: _wrappers_pb2.Int64Value
    email: str
    phone: str
    def __init__(self, id: _Optional[int] = ..., display_name: _Optional[str] = ..., nickname: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., tier: _Optional[_Union[Tier, str]] = ..., price_sensitivity: _Optional[float] = ..., category_affinity: _Optional[_Mapping[str, float]] = ..., member_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_order_id: _Optional[_Union[_wrappers_pb2.Int64Value, _Mapping]] = ..., email: _Optional[str] = ..., phone: _Optional[str] = ...) -> None: ...

"""The SDK for service stubs in Python. It needs nothing but protobuf.

    from counterfoil.stub import Stub

    stub = Stub(language="python", runtime="pydantic", version=pydantic.VERSION)
    stub.json("shop.v1.UserProfile", decode=read_profile, encode=write_message)
    stub.run()

A decoder refuses a payload by raising; what it returns is observed as it is: dataclasses, pydantic models and the like
field by field. `protos/counterfoil/stub/v1/stub.proto` describes the protocol.
"""

from counterfoil.stub.sdk import Stub

__all__ = ["Stub"]

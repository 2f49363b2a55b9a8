"""The stub protocol's messages, written by `nox -s codegen` from protos/counterfoil/stub/v1/stub.proto."""

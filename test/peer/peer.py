"""A gRPC client that is not ours: Google's C core, stubs made from proto/ alone, client certificates.

    python3 -m pip install -r test/peer/requirements.txt
    python3 -m grpc_tools.protoc -I proto/third_party -I proto --python_out=STUBS --grpc_python_out=STUBS \\
        $(find proto -name '*.proto')
    PYTHONPATH=STUBS python3 test/peer/peer.py HOST:PORT FOLDER

FOLDER has ca.crt, and NAME.crt and NAME.key of the callers login (permission register), orders (introspect, batch) and
security (may revoke tokens). Prints a line for every answer, and ends with 1 at the first that is wrong.
"""

from __future__ import annotations

import secrets
import sys
import time
from pathlib import Path

import grpc
from google.rpc import error_details_pb2, status_pb2
from introspectd.v1 import introspection_service_pb2 as api
from introspectd.v1 import introspection_service_pb2_grpc, token_claims_pb2
from introspectd.v1 import token_registry_service_pb2 as registry
from introspectd.v1 import token_registry_service_pb2_grpc

ISSUER = "https://login.example"
AUDIENCE = "https://orders.example"
DEADLINE_S = 10


class Caller:
    """The stubs of one client certificate, or of a client without one."""

    def __init__(self, target: str, folder: Path, name: str | None) -> None:
        key, chain = ((folder / f"{name}.{part}").read_bytes() if name else None for part in ("key", "crt"))
        credentials = grpc.ssl_channel_credentials((folder / "ca.crt").read_bytes(), key, chain)
        channel = grpc.secure_channel(target, credentials)
        self.introspection = introspection_service_pb2_grpc.IntrospectionServiceStub(channel)
        self.registry = token_registry_service_pb2_grpc.TokenRegistryServiceStub(channel)
        # Without a stub: package grpc.health would have to stand inside the installed package grpc.
        self.health = channel.unary_unary("/grpc.health.v1.Health/Check")


def expect(step: str, found: object, wanted: object) -> None:
    if found != wanted:
        sys.exit(f"FAIL {step}: {found!r} is not {wanted!r}")
    print(f"ok   {step}: {found!r}", flush=True)


def refusal(method: grpc.UnaryUnaryMultiCallable, request: object) -> tuple[str, str | None]:
    """The code of a call that fails, and "domain/reason" of the ErrorInfo in its trailers."""
    try:
        method(request, timeout=DEADLINE_S)
    except grpc.RpcError as error:
        trailers = dict(error.trailing_metadata() or ())
        status = status_pb2.Status.FromString(trailers.get("grpc-status-details-bin", b""))
        info = error_details_pb2.ErrorInfo()
        told = any(detail.Unpack(info) for detail in status.details)
        return error.code().name, f"{info.domain}/{info.reason}" if told else None
    return "OK", None


def main(target: str, folder: Path) -> None:
    login, orders, security, nobody = (Caller(target, folder, name) for name in ("login", "orders", "security", None))
    token, unknown = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    now_s = int(time.time())
    claims = token_claims_pb2.TokenClaims(
        iss=ISSUER, aud=[AUDIENCE], sub="alice", scope="read", iat=now_s, exp=now_s + 600,
        token_use=token_claims_pb2.TOKEN_USE_ACCESS_TOKEN,
    )  # fmt: skip

    def introspect(of: str) -> api.IntrospectResponse:
        return orders.introspection.Introspect(api.IntrospectRequest(token=of), timeout=DEADLINE_S)

    def batch(*tokens: str) -> list[str]:
        request = api.BatchIntrospectRequest(items=[api.TokenItem(token=of) for of in tokens])
        results = orders.introspection.BatchIntrospect(request, timeout=DEADLINE_S).results
        return [
            f"error {result.error.code}" if result.HasField("error") else f"active={result.response.active}"
            for result in results
        ]

    serving = b"\x08\x01"  # HealthCheckResponse{status: SERVING}
    expect("health", orders.health(b"", timeout=DEADLINE_S), serving)

    entries = [registry.TokenEntry(token=token, claims=claims)]
    registered = login.registry.RegisterTokens(registry.RegisterTokensRequest(entries=entries), timeout=DEADLINE_S)
    expect("register", [result.status.code for result in registered.results], [0])

    answer = introspect(token)
    expect("introspect", (answer.active, answer.claims.iss, answer.claims.sub), (True, ISSUER, "alice"))
    expect("batch", batch(token, unknown, "not a token"), ["active=True", "active=False", "error 3"])

    revoked = security.introspection.Revoke(api.RevokeRequest(token=token, reason="peer test"), timeout=DEADLINE_S)
    expect("revoke", revoked.revision != "", True)
    expect("introspect the revoked", introspect(token).active, False)
    same = introspect(token).SerializeToString() == introspect(unknown).SerializeToString()
    expect("revoked and unknown are the same bytes", same, True)
    expect("batch with the revoked", batch(token, unknown), ["active=False", "active=False"])

    revoke, ask = orders.introspection.Revoke, orders.introspection.Introspect
    denied = ("PERMISSION_DENIED", "introspectd/PERMISSION_MISSING")
    expect("revoke without the permission", refusal(revoke, api.RevokeRequest(token=token)), denied)
    missing = ("INVALID_ARGUMENT", "introspectd/TOKEN_REQUIRED")
    expect("introspect nothing", refusal(ask, api.IntrospectRequest()), missing)
    code, _ = refusal(nobody.introspection.Introspect, api.IntrospectRequest(token=token))
    expect("no client certificate", code, "UNAVAILABLE")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

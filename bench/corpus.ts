// The tokens of the benchmark and the requests about them, framed, with slots for the numbers that tell them apart.
import { AttributeContext, AttributeContext_HttpRequest } from '../src/gen/envoy/service/auth/v3/attribute_context.js';
import { CheckRequest } from '../src/gen/envoy/service/auth/v3/external_auth.js';
import {
  BatchIntrospectRequest,
  IntrospectRequest,
  RevokeRequest,
  StreamIntrospectRequest,
} from '../src/gen/introspectd/v1/introspection_service.js';
import type { TokenClaims } from '../src/gen/introspectd/v1/token_claims.js';
import { RegisterTokensRequest } from '../src/gen/introspectd/v1/token_registry_service.js';
import { toGrpcFrame } from '../src/grpc/grpc-frame.js';
import type { LoadCall } from './http2-load.js';
import { formatNumber, NUMBER_SLOT, type Numbering } from './numbered-body.js';

export const ISSUER = 'https://login.example';
export const AUDIENCE = 'https://orders.example';

/** Tokens that questions are about. */
export const ASKED = { first: 0, count: 100_000 } as const;
/** Half of these were never registered. */
export const HALF_UNKNOWN = { first: ASKED.count / 2, count: ASKED.count } as const;
/** Tokens that are there to be revoked. */
export const REVOKED = { first: 200_000, count: 10_000 } as const;
/** Tokens that all belong to one user. */
export const OWNED = { first: 300_000, count: 100_000 } as const;
/** Tokens that the row RegisterTokens makes: far more than it can. */
const MADE = { first: 1_000_000, count: 1_000_000_000 } as const;

/** 43 characters, as 32 random bytes in base64url have. */
export const TOKEN = `bench-token-${NUMBER_SLOT}-abcdefghijklmnopqrst`;
/** Longer than the longest run. */
const TTL_SECONDS = 3n * 3600n;
/** Next to a prime: neighbours in time are not neighbours in the store. */
const READ_STRIDE = 7919;
const SLOTS_OF_ENTRY = 3;
const SLOTS_OF_OWNED_ENTRY = 2;
const OWNER = 'user-of-many-tokens';

export interface NumberRange {
  readonly first: number;
  readonly count: number;
}

export const PATHS = {
  introspect: '/introspectd.v1.IntrospectionService/Introspect',
  batch: '/introspectd.v1.IntrospectionService/BatchIntrospect',
  stream: '/introspectd.v1.IntrospectionService/StreamIntrospect',
  revoke: '/introspectd.v1.IntrospectionService/Revoke',
  watch: '/introspectd.v1.IntrospectionService/WatchRevocations',
  register: '/introspectd.v1.TokenRegistryService/RegisterTokens',
  check: '/envoy.service.auth.v3.Authorization/Check',
} as const;

/** The first of those that questions are about. */
export function askedTokens(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => toToken(ASKED.first + index));
}

/** The text of the token with this number. */
export function toToken(number: number): string {
  return TOKEN.replace(NUMBER_SLOT, formatNumber(number));
}

export function introspectCall(range: NumberRange = ASKED): LoadCall {
  const request = { token: TOKEN, tokenTypeHint: '', audiences: [], includeTags: false };
  return toCall(PATHS.introspect, IntrospectRequest.encode(request).finish(), readNumbers(range));
}

/** Also for what caches need to know. */
export function introspectWithTagsCall(): LoadCall {
  const request = { token: TOKEN, tokenTypeHint: '', audiences: [], includeTags: true };
  return toCall(PATHS.introspect, IntrospectRequest.encode(request).finish(), readNumbers(ASKED));
}

/** As Envoy asks with the configuration of examples/envoy. */
export function checkCall(): LoadCall {
  const value = Buffer.from(`Bearer ${TOKEN}`);
  const http = {
    ...AttributeContext_HttpRequest.decode(new Uint8Array()),
    id: '1f5c1d6e-3b6f-4b7a-9d52-0d6f3b1f8c11',
    method: 'GET',
    headerMap: { headers: [{ key: 'authorization', value: '', rawValue: value }] },
    path: '/orders/17?page=2',
    host: 'orders.example',
    scheme: 'https',
    protocol: 'HTTP/2',
  };
  const attributes = {
    ...AttributeContext.decode(new Uint8Array()),
    request: { time: { seconds: 1_800_000_000n, nanos: 7 }, http },
    contextExtensions: { scopes_any: 'orders.read orders.write' },
  };
  return toCall(PATHS.check, CheckRequest.encode({ attributes }).finish(), readNumbers(ASKED));
}

export function batchCall(tokens: number): LoadCall {
  const items = Array.from({ length: tokens }, () => ({ token: TOKEN, tokenTypeHint: '' }));
  const message = BatchIntrospectRequest.encode({ items, audiences: [], includeTags: false }).finish();
  return toCall(PATHS.batch, message, readNumbers(ASKED));
}

/** One chunk of a stream. */
export function streamCall(tokens: number): LoadCall {
  const items = Array.from({ length: tokens }, () => ({ token: TOKEN, tokenTypeHint: '' }));
  const request = { chunkId: 1, batch: { items, audiences: [], includeTags: false } };
  return toCall(PATHS.stream, StreamIntrospectRequest.encode(request).finish(), readNumbers(ASKED));
}

export function revokeCall(): LoadCall {
  const target = { $case: 'token' as const, value: TOKEN };
  const request = { target, issuedBefore: undefined, reason: '', waitForCaches: false };
  return toCall(PATHS.revoke, RevokeRequest.encode(request).finish(), inOrder(REVOKED, 1));
}

/** The next user, who has one token. */
export function revokeUserCall(): LoadCall {
  return toCall(PATHS.revoke, encodeRevokeUser(`user-${NUMBER_SLOT}`), inOrder(REVOKED, 1));
}

/** The user of all of OWNED. */
export function revokeOwnerCall(): LoadCall {
  return toCall(PATHS.revoke, encodeRevokeUser(OWNER), inOrder(OWNED, 1));
}

/** Each call registers the next so many tokens. */
export function registerCall(tokens: number, range: NumberRange = MADE): LoadCall {
  return toCall(PATHS.register, encodeRegister(tokens, makeClaims()), inOrder(range, SLOTS_OF_ENTRY));
}

/** Each call registers the next so many tokens of OWNED. */
export function registerOwnedCall(tokens: number): LoadCall {
  const claims = { ...makeClaims(), sub: OWNER };
  return toCall(PATHS.register, encodeRegister(tokens, claims), inOrder(OWNED, SLOTS_OF_OWNED_ENTRY));
}

function encodeRegister(tokens: number, claims: TokenClaims): Uint8Array {
  const entry = { credential: { $case: 'token' as const, value: TOKEN }, claims, issuedAtMs: undefined };
  return RegisterTokensRequest.encode({ entries: Array.from({ length: tokens }, () => entry) }).finish();
}

function encodeRevokeUser(sub: string): Uint8Array {
  const target = { $case: 'selector' as const, value: { iss: ISSUER, by: { $case: 'sub' as const, value: sub } } };
  return RevokeRequest.encode({ target, issuedBefore: undefined, reason: '', waitForCaches: false }).finish();
}

/** What a caller with the default claims sees whole; "jti" and "sub" have a slot each. */
function makeClaims(): TokenClaims {
  const nowSeconds = BigInt(Math.floor(Date.now() / 1000));
  return {
    iss: ISSUER,
    aud: [AUDIENCE],
    sub: `user-${NUMBER_SLOT}`,
    clientId: 'web-shop',
    scope: 'orders.read orders.write',
    jti: `jti-${NUMBER_SLOT}`,
    tokenUse: 1,
    iat: nowSeconds,
    exp: nowSeconds + TTL_SECONDS,
    authorizationDetails: [],
  };
}

function toCall(path: string, message: Uint8Array, numbering: Numbering): LoadCall {
  return { path, frame: toGrpcFrame(message), numbering };
}

function readNumbers({ first, count }: NumberRange): Numbering {
  return { slotsPerNumber: 1, first, stride: READ_STRIDE, size: count };
}

function inOrder({ first, count }: NumberRange, slotsPerNumber: number): Numbering {
  return { slotsPerNumber, first, stride: 1, size: count };
}

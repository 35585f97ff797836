// Response messages as bytes, also such as no correct server sends.
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { Struct_FieldsEntry } from '@introspectd/client/gen/google/protobuf/struct';
import {
  BatchIntrospectResponse,
  IntrospectResponse,
  type IntrospectResult,
  RevokeResponse,
} from '@introspectd/client/gen/introspectd/v1/introspection_service';
import { TokenClaims, TokenUse } from '@introspectd/client/gen/introspectd/v1/token_claims';

/** What every active answer has. */
export const MINIMAL_CLAIMS: TokenClaims = {
  iss: 'https://login.example',
  exp: 2_000_000_000n,
  tokenUse: TokenUse.ACCESS_TOKEN,
  aud: [],
  authorizationDetails: [],
};

/** The same, as a result. */
export const MINIMAL_RESULT = {
  active: true,
  iss: 'https://login.example',
  exp: 2_000_000_000,
  token_use: 'access_token',
} as const;

export function response(fields: Partial<IntrospectResponse>): IntrospectResponse {
  return { active: false, claims: undefined, inactiveReason: 0, tags: Buffer.alloc(0), cacheMs: 0n, ...fields };
}

export function introspectBytes(fields: Partial<IntrospectResponse>): Uint8Array {
  return IntrospectResponse.encode(response(fields)).finish();
}

export function activeBytes(claims: Partial<TokenClaims> = {}): Uint8Array {
  return introspectBytes({ active: true, claims: { ...MINIMAL_CLAIMS, ...claims } });
}

export function batchBytes(outcomes: readonly IntrospectResult['outcome'][]): Uint8Array {
  return BatchIntrospectResponse.encode({ results: outcomes.map((outcome) => ({ outcome })) }).finish();
}

export function revokeBytes(revision: string): Uint8Array {
  return RevokeResponse.encode({ revision }).finish();
}

/** An active answer with an `extra` whose keys ts-proto would not write. */
export function activeBytesWithRawExtra(entries: readonly (readonly [key: string, value: unknown])[]): Uint8Array {
  const extra = entries.map(([key, value]) => field(1, Struct_FieldsEntry.encode({ key, value }).finish()));
  const claims = Buffer.concat([TokenClaims.encode(MINIMAL_CLAIMS).finish(), field(20, Buffer.concat(extra))]);
  return Buffer.concat([introspectBytes({ active: true }), field(2, claims)]);
}

function field(number: number, bytes: Uint8Array): Uint8Array {
  return new BinaryWriter()
    .uint32((number << 3) | 2)
    .bytes(bytes)
    .finish();
}

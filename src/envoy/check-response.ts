// The only place that knows Envoy's answers. A CheckResponse without a status lets the request pass, so all of them are
// made by one constructor, which cannot leave it out.
import { status as Code } from '@grpc/grpc-js';
import { AUTHORIZATION, type CredentialPlace, withoutCookie } from '../core/bearer.js';
import type { CheckedRequest } from '../core/check.js';
import { type HeaderValueOption, HeaderValueOption_HeaderAppendAction } from '../gen/envoy/config/core/v3/base.js';
import { CheckResponse } from '../gen/envoy/service/auth/v3/external_auth.js';
import type { VisibleClaims } from './claims.js';
import type { Refusal } from './denials.js';
import { type IdentityHeaderNames, toIdentityHeaders } from './identity-headers.js';

export interface AllowSettings {
  readonly place: CredentialPlace;
  readonly headers: IdentityHeaderNames;
  /** "strip": the credential goes no further. */
  readonly credential: 'strip' | 'pass';
}

type NonEmptyCode =
  | typeof Code.OK
  | typeof Code.UNAUTHENTICATED
  | typeof Code.PERMISSION_DENIED
  | typeof Code.UNAVAILABLE;
type Header = readonly [name: string, value: string];

const CODES: Readonly<Record<Refusal['httpStatus'], NonEmptyCode>> = {
  401: Code.UNAUTHENTICATED,
  403: Code.PERMISSION_DENIED,
  503: Code.UNAVAILABLE,
};
const JSON_HEADERS: readonly Header[] = [
  ['content-type', 'application/json'],
  ['cache-control', 'no-store'],
];
const NO_BYTES = Buffer.alloc(0);

/** Claims are those that the caller may see; none for an anonymous request. */
export function encodeAllowed(claims: VisibleClaims, request: CheckedRequest, settings: AllowSettings): Buffer {
  const identity = toIdentityHeaders(claims, settings.headers);
  const credential = settings.credential === 'strip' ? stripCredential(request, settings.place) : NOTHING;
  return encode(Code.OK, {
    dynamicMetadata: claims,
    httpResponse: {
      $case: 'okResponse',
      value: {
        headers: [...identity.set, ...credential.set].map(overwrite),
        headersToRemove: [...identity.remove, ...credential.remove],
        responseHeadersToAdd: [],
        queryParametersToSet: [],
        queryParametersToRemove: [],
        dynamicMetadata: undefined,
      },
    },
  });
}

export function encodeRefusal({ httpStatus, error, headers }: Refusal): Buffer {
  return encode(CODES[httpStatus], {
    dynamicMetadata: undefined,
    httpResponse: {
      $case: 'deniedResponse',
      value: {
        status: { code: httpStatus },
        headers: [...headers, ...JSON_HEADERS].map(overwrite),
        body: JSON.stringify({ error }),
      },
    },
  });
}

function encode(code: NonEmptyCode, rest: Omit<CheckResponse, 'status'>): Buffer {
  const status = { code, message: '', details: [] };
  return Buffer.from(CheckResponse.encode({ ...rest, status }).finish());
}

/** Envoy's default for what is not told is to append: then a header of the client would stand beside ours. */
function overwrite([key, value]: Header): HeaderValueOption {
  return {
    header: { key, value, rawValue: NO_BYTES },
    append: undefined,
    appendAction: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
    keepEmptyValue: false,
  };
}

interface Stripped {
  readonly set: readonly Header[];
  readonly remove: readonly string[];
}

const NOTHING: Stripped = { set: [], remove: [] };

function stripCredential({ headers }: CheckedRequest, place: CredentialPlace): Stripped {
  switch (place.kind) {
    case 'bearer':
      return { set: [], remove: [AUTHORIZATION] };
    case 'header':
      return { set: [], remove: [place.name] };
    case 'cookie': {
      if (!headers.has('cookie')) return NOTHING;
      const rest = withoutCookie(headers, place.name);
      return rest === undefined ? { set: [], remove: ['cookie'] } : { set: [['cookie', rest]], remove: [] };
    }
  }
}

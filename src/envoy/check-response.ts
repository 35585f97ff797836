// The only place that knows Envoy's answers. A CheckResponse without a status lets the request pass, so all of them are
// made by one constructor, which cannot leave it out.
import { status as Code } from '@grpc/grpc-js';
import { AUTHORIZATION, type CredentialPlace, withoutCookie } from '../core/bearer.js';
import type { CheckedRequest } from '../core/check.js';
import { HeaderValueOption_HeaderAppendAction } from '../gen/envoy/config/core/v3/base.js';
import type { VisibleClaims } from './claims.js';
import type { Refusal } from './denials.js';
import { type IdentityHeaderNames, toIdentityHeaders } from './identity-headers.js';
import { createMessageWriter, type MessageWriter, writeStruct } from './message-writer.js';

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

// Field numbers of CheckResponse; those inside are of OkHttpResponse, DeniedHttpResponse and HeaderValueOption.
const STATUS = 1;
const DENIED_RESPONSE = 2;
const OK_RESPONSE = 3;
const DYNAMIC_METADATA = 4;

/** Claims are those that the caller may see; none for an anonymous request. */
export function encodeAllowed(claims: VisibleClaims, request: CheckedRequest, settings: AllowSettings): Buffer {
  const identity = toIdentityHeaders(claims, settings.headers);
  const credential = settings.credential === 'strip' ? stripCredential(request, settings.place) : NOTHING;
  return encode(Code.OK, (writer) => {
    writeStruct(writer, DYNAMIC_METADATA, claims);
    writer.message(OK_RESPONSE, () => {
      for (const name of [...identity.remove, ...credential.remove].reverse()) writer.string(5, name);
      writeHeaders(writer, [...identity.set, ...credential.set]);
    });
  });
}

export function encodeRefusal({ httpStatus, error, headers }: Refusal): Buffer {
  return encode(CODES[httpStatus], (writer) =>
    writer.message(DENIED_RESPONSE, () => {
      writer.string(3, JSON.stringify({ error }));
      writeHeaders(writer, [...headers, ...JSON_HEADERS]);
      writer.message(1, () => writer.varint(1, httpStatus));
    }),
  );
}

function encode(code: NonEmptyCode, writeRest: (writer: MessageWriter) => void): Buffer {
  const writer = createMessageWriter();
  writeRest(writer);
  writer.message(STATUS, () => writer.varint(1, code));
  return writer.finish();
}

/**
 * Field 2 of both kinds of response. Envoy's default for what is not told is to append: then a header of the client would
 * stand beside ours.
 */
function writeHeaders(writer: MessageWriter, headers: readonly Header[]): void {
  for (const [key, value] of headers.toReversed()) {
    writer.message(2, () => {
      writer.varint(3, HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD);
      writer.message(1, () => {
        writer.string(2, value);
        writer.string(1, key);
      });
    });
  }
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

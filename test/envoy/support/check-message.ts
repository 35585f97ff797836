// CheckRequests as Envoy makes them, and answers read by the generated decoder.
import {
  AttributeContext,
  AttributeContext_HttpRequest,
} from '../../../src/gen/envoy/service/auth/v3/attribute_context.js';
import { CheckRequest, CheckResponse } from '../../../src/gen/envoy/service/auth/v3/external_auth.js';

export const CHECK = '/envoy.service.auth.v3.Authorization/Check';

export interface CheckParts {
  readonly headers?: Readonly<Record<string, string>>;
  /** In order, as with encode_raw_headers. */
  readonly rawHeaders?: readonly (readonly [name: string, value: string])[];
  readonly path?: string;
  readonly extensions?: Readonly<Record<string, string>>;
  /** As Envoy sends it. */
  readonly certificate?: string;
}

export function encodeCheck(parts: CheckParts): Buffer {
  const { headers = {}, rawHeaders, path = '/', extensions = {}, certificate = '' } = parts;
  const http: AttributeContext_HttpRequest = {
    ...AttributeContext_HttpRequest.decode(new Uint8Array()),
    id: '7',
    method: 'GET',
    headers: { ':path': path, ...headers },
    headerMap: rawHeaders && {
      headers: rawHeaders.map(([key, value]) => ({ key, value: '', rawValue: Buffer.from(value, 'latin1') })),
    },
    path,
    host: 'orders.example',
    size: -1n,
  };
  const attributes: AttributeContext = {
    ...AttributeContext.decode(new Uint8Array()),
    source: { address: undefined, service: '', labels: { app: 'web' }, principal: '', certificate },
    request: { time: undefined, http },
    contextExtensions: extensions,
  };
  return Buffer.from(CheckRequest.encode({ attributes }).finish());
}

export interface CheckAnswer {
  readonly code: number | undefined;
  readonly httpStatus: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly removed: readonly string[];
  readonly body: string | undefined;
  readonly metadata: unknown;
  readonly response: CheckResponse;
}

/** Undefined code = the status is not set, which Envoy takes for OK. */
export function decodeAnswer(bytes: Uint8Array): CheckAnswer {
  const response = CheckResponse.decode(bytes);
  const { status, httpResponse, dynamicMetadata: metadata } = response;
  const isDenied = httpResponse?.$case === 'deniedResponse';
  const headers = (httpResponse?.value.headers ?? []).map(({ header }) => [header?.key ?? '', header?.value ?? '']);
  return {
    code: status?.code,
    httpStatus: isDenied ? httpResponse.value.status?.code : undefined,
    headers: Object.fromEntries(headers),
    removed: httpResponse?.$case === 'okResponse' ? httpResponse.value.headersToRemove : [],
    body: isDenied ? httpResponse.value.body : undefined,
    metadata,
    response,
  };
}

// Who is asked in the rows about Introspect, over both transports: the same names everywhere.
import type { BenchContext } from '../bench-context.js';
import { HALF_UNKNOWN, ISSUER, introspectCall, introspectWithTagsCall, TOKEN } from '../corpus.js';
import { toEchoPath } from '../echo-path.js';
import type { LoadCall } from '../http2-load.js';
import { ACTIVE, ANY, toWireCall } from '../load/wire-call.js';
import type { WireCall } from '../load/wire-load.js';
import type { Side } from '../load/wire-rows.js';
import type { ReaderName } from '../site.js';

export type Transport = 'plaintext' | 'mutual TLS';
export const TRANSPORTS: readonly Transport[] = ['plaintext', 'mutual TLS'];

/** Of rows, and what ratios are to. */
export const SIDES = {
  echo: 'grpc-js echo',
  get: 'grpc-js, one GET a call',
  oidc: 'oidc-provider',
  whole: 'Introspect',
  filtered: 'Introspect, claims filtered',
  tagged: 'Introspect, with tags',
  unknown: 'Introspect, half unknown',
} as const;

export function toRowName(side: keyof typeof SIDES, transport: Transport): string {
  return `${SIDES[side]}, ${transport}`;
}

export type FindSide = (side: keyof typeof SIDES, transport: Transport) => Side | undefined;

/** Undefined where that peer cannot be there. */
export function createSides({ site, answers, servers }: BenchContext): FindSide {
  const { echo, get, oidc, plaintext } = servers;
  const ask = introspectCall();
  const echoCall = toWireCall({ ...ask, path: toEchoPath(answers.whole) }, ANY);

  function toPeer(peer: { readonly pid: number; readonly plaintext: number; readonly mtls: number }, call: WireCall) {
    return (transport: Transport) => ({
      pid: peer.pid,
      port: transport === 'plaintext' ? peer.plaintext : peer.mtls,
      tls: transport === 'plaintext' ? undefined : site.workspace.tls('whole'),
      call,
    });
  }

  function toOurs(caller: ReaderName, call: LoadCall, prefix: readonly number[]) {
    return (transport: Transport) => ({
      ...(transport === 'plaintext'
        ? { pid: plaintext.pid, port: plaintext.ports[caller], tls: undefined }
        : { pid: site.daemon.pid, port: site.port, tls: site.workspace.tls(caller) }),
      call: toWireCall(call, prefix),
    });
  }

  const sides = {
    echo: toPeer(echo, echoCall),
    get: get && toPeer(get, toWireCall(ask, ACTIVE)),
    oidc: toPeer(oidc, toOidcCall(oidc)),
    whole: toOurs('whole', ask, ACTIVE),
    filtered: toOurs('filtered', ask, ACTIVE),
    tagged: toOurs('whole', introspectWithTagsCall(), ACTIVE),
    unknown: toOurs('whole', introspectCall(HALF_UNKNOWN), ANY),
  };
  return (side, transport) => {
    const found = sides[side]?.(transport);
    return found && { name: toRowName(side, transport), ...found };
  };
}

/** RFC 7662 §2.1, with the hint that spares it a lookup. */
function toOidcCall({ clientId, clientSecret }: { readonly clientId: string; readonly clientSecret: string }) {
  const body = `token=${TOKEN}&token_type_hint=access_token`;
  const head = [
    'POST /token/introspection HTTP/1.1',
    `host: ${new URL(ISSUER).host}`,
    `authorization: Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
    'content-type: application/x-www-form-urlencoded',
    `content-length: ${body.length}`,
  ];
  return {
    protocol: 'http/1.1',
    frame: Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1'),
    numbering: introspectCall().numbering,
    answerText: '"active":true',
  } as const;
}

// Connections that never became one: grpc-js tells nobody of them. Counted by a closed set of reasons; nothing that a peer
// sent is told.
import type { Http2SecureServer } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Server } from '@grpc/grpc-js';
import type { Logger } from '../telemetry/logger.js';
import { getListeningServers } from './listening-servers.js';

export const HANDSHAKE_FAILURES = [
  'no_certificate',
  'certificate_revoked',
  'certificate_expired',
  'certificate_untrusted',
  'server_untrusted',
  'not_tls_1_3',
  'timeout',
  'closed',
  'other',
] as const;
export type HandshakeFailure = (typeof HANDSHAKE_FAILURES)[number];

export interface HandshakeDependencies {
  readonly logger: Logger;
  /** Never throws. */
  readonly observer: { observeHandshakeFailure(reason: HandshakeFailure): void };
}

/** By OpenSSL's reason, or by that of X.509 verification. */
const REASONS: ReadonlyMap<string, HandshakeFailure> = new Map([
  ['ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', 'no_certificate'],
  ['CERT_REVOKED', 'certificate_revoked'],
  ['CERT_HAS_EXPIRED', 'certificate_expired'],
  ['CERT_NOT_YET_VALID', 'certificate_expired'],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'server_untrusted'],
  ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'server_untrusted'],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'server_untrusted'],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN', 'server_untrusted'],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'not_tls_1_3'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'not_tls_1_3'],
  ['ERR_SSL_HTTP_REQUEST', 'not_tls_1_3'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'not_tls_1_3'],
  ['ERR_TLS_HANDSHAKE_TIMEOUT', 'timeout'],
  ['ECONNRESET', 'closed'],
]);
/** Whoever hammers the port gets no more of the log than this. */
const LOG_EVERY_MS = 1000;

/** For what the server listens on now; call it once, when it is bound. */
export function watchHandshakes(server: Server, { logger, observer }: HandshakeDependencies): void {
  const log = createHandshakeLog(logger);
  for (const listening of getListeningServers(server)) watch(listening);

  function watch(listening: Http2SecureServer): void {
    listening.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
      const reason = toReason(error, socket);
      observer.observeHandshakeFailure(reason);
      // Probes of the port come and go; what they leave in the log would hide the rest.
      if (reason !== 'closed') log(reason);
    });
  }
}

function toReason({ code }: NodeJS.ErrnoException, socket: TLSSocket): HandshakeFailure {
  // A certificate that was refused ends the connection without an error of its own. (It is the code, not an Error.)
  const refused = socket.authorizationError as unknown;
  if (typeof refused === 'string') return REASONS.get(refused) ?? 'certificate_untrusted';
  return REASONS.get(code ?? '') ?? 'other';
}

/** The first at once, then what came in a second together. */
function createHandshakeLog(logger: Logger): (reason: HandshakeFailure) => void {
  let counts = new Map<HandshakeFailure, number>();
  let timer: NodeJS.Timeout | undefined;
  const write = (): void => {
    timer = undefined;
    if (counts.size === 0) return;
    logger.write('info', 'handshakes_failed', Object.fromEntries(counts));
    counts = new Map();
    timer = setTimeout(write, LOG_EVERY_MS).unref();
  };
  return (reason) => {
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
    if (timer === undefined) write();
  };
}

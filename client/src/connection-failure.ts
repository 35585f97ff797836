// grpc-js says why there is no connection in several layers of text. This says it in one line, and whose side it is on.

// grpc-js 1.14: a layer for the balancer, one for the endpoint, then the error of the last attempt.
const NO_CONNECTION =
  /^(?:round_robin: )?(?:No connection established\. Last error: )+(.*?)\s*\.?\s*Resolution note:.*$/s;
const ERROR_NAME = /^Error(?: \[\w+\])?: /;
// "80EC…:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/…:350:"
const OPENSSL = /^\w+:error:\w+:SSL routines:[^:]*:([^:]+):.*$/s;
const ATTEMPTED_AT = / \(\d{4}-\d\d-[^)]*\)$/;

// First match wins. The texts are those of Node and OpenSSL; test/client/tls.test.ts provokes them in real handshakes.
const EXPLANATIONS: readonly (readonly [cause: RegExp, explanation: string])[] = [
  [/unsupported protocol|alert protocol version/, 'the server does not speak TLS 1.3'],
  [/wrong version number/, 'the server does not speak TLS on this port'],
  [/\balert\b/, "the server refuses this client's certificate"],
  [/altnames/, "the server's certificate is for another name than the target's; tls.serverName can name it"],
  [/certificate has expired|certificate is not yet valid/, "the server's certificate is not valid now"],
  [/certificate/, "this client does not trust the server's certificate: is it from the authority in tls.ca?"],
  // A server that refuses a client's certificate in TLS 1.3 closes after the client's side of the handshake is done;
  // which of these the client sees of it is a race.
  [
    /^Failed to connect|^(?:read|write) (?:ECONNRESET|EPIPE)/,
    "the server closed the connection after the handshake: it may refuse this client's certificate",
  ],
];

/** `details` of a status that was made on this side; comes back as it is when it is not about a connection. */
export function explainConnectionFailure(details: string): string {
  const text = NO_CONNECTION.exec(details)?.[1];
  if (text === undefined) return details;
  const cause = text.replace(ERROR_NAME, '').replace(OPENSSL, '$1').replace(ATTEMPTED_AT, '');
  const explanation = EXPLANATIONS.find(([pattern]) => pattern.test(cause))?.[1];
  return explanation === undefined ? `no connection: ${cause}` : `TLS: ${explanation} (${cause})`;
}

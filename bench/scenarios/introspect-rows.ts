/** Names of rows, the same over both transports. */
export const ECHO = 'grpc-js echo';
export const PASSED_THROUGH = 'Introspect, claims passed through';
export const FILTERED = 'Introspect, claims filtered';

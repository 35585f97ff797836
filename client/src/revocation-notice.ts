/**
 * What `watchRevocations` tells, in the order of the daemon's log.
 *
 * - `started`: the watch stands, also again after a connection was lost; nothing was missed in between.
 * - `revoked`: everything that carries this tag, and was issued at or before this instant, is dead.
 * - `reset`: notices may have been missed. Whatever you derived from earlier ones, such as a cache, must be emptied.
 */
export type RevocationNotice =
  | { readonly kind: 'started'; readonly revision: string }
  | {
      readonly kind: 'revoked';
      /** base64url of the 16 bytes, as in `IntrospectResponse.tags` of this caller. Means nothing to others. */
      readonly tag: string;
      /** Milliseconds since the epoch. */
      readonly before_ms: number;
      /** Where the notice, or the last that came together with it, stands in the log. Opaque: not to be compared. */
      readonly revision: string;
    }
  | { readonly kind: 'reset'; readonly revision: string; readonly reason: string };

/** Log entries in one read: what a read may cost is bounded; `more` says that there may be others. */
export const LOG_PAGE = 1000;

/** Live revocations in one chunk. */
export const LIVE_CHUNK = 1000;

// One place that turns what ioredis and Redis throw into what an operator can act on. Texts are fixed: an error of
// ioredis carries the arguments of its command, and an error of a script its keys, so none of them may go any further.
import { StoreUnavailable } from '../core/errors.js';

/** By the first word of Redis's reply, or by the code of a socket's or of a certificate's error. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ['NOAUTH', 'Redis asks for a password: set store.password_file'],
  ['WRONGPASS', 'Redis refuses the password: check store.username and store.password_file'],
  ['NOPERM', 'Redis refuses a command to this user: give it the commands and the keys that the documentation lists'],
  ['OOM', 'Redis is full (maxmemory): give it more memory'],
  ['READONLY', 'this Redis is a replica: name the master in store.url'],
  ['MASTERDOWN', 'this Redis is a replica: name the master in store.url'],
  ['LOADING', 'Redis is still loading its data'],
  ['MISCONF', 'Redis cannot save its data: check its disk'],
  ['BUSY', 'Redis is busy with a script of somebody else'],
  ['WRONGTYPE', 'a key of the store holds something else: is store.key_prefix shared with another program?'],
  ['ECONNREFUSED', 'Redis refuses connections: is it running where store.url says?'],
  ['ENOENT', 'there is no socket where store.url says'],
  ['EACCES', 'the socket of store.url may not be used by this user'],
  ['ENOTFOUND', 'the host of store.url is not known'],
  ['ECONNRESET', 'Redis closed the connection'],
  ['EPIPE', 'Redis closed the connection'],
  ['ETIMEDOUT', 'Redis gives no answer to a connection'],
]);
const NOT_REACHED = 'Redis cannot be reached';

/** What is a StoreUnavailable already stays it. */
export function toRedisFault(error: unknown): StoreUnavailable {
  if (error instanceof StoreUnavailable) return error;
  const code = findCode(error);
  if (code === undefined) return new StoreUnavailable(NOT_REACHED);
  return new StoreUnavailable(ADVICE.get(code) ?? `${NOT_REACHED}, or not be used (${code})`);
}

/** Whether the server itself said that the data are not its own any more, or not ours. */
export function isDistrust(error: unknown): boolean {
  return ['READONLY', 'MASTERDOWN', 'NOAUTH', 'LOADING'].includes(findReplyCode(error) ?? '');
}

export function isNoScript(error: unknown): boolean {
  return findReplyCode(error) === 'NOSCRIPT';
}

function findCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  // Only what is a code by its form: everything else could be text of an input.
  return code !== undefined && /^[A-Z][A-Z0-9_]{2,40}$/.test(code) ? code : findReplyCode(error);
}

/** A reply that is an error begins with a word in capitals; a script's own errors are fixed text of ours. */
function findReplyCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const word = /^(?:-)?([A-Z]{3,20})\b/.exec(error.message)?.[1];
  if (word !== undefined && word !== 'ERR') return word;
  // Redis 7 says so in words.
  if (error.message.includes('The user executing the script')) return 'NOPERM';
  // A command that fails inside a script is named in the text of the script's error.
  return [...ADVICE.keys()].find((code) => /^[A-Z]+$/.test(code) && error.message.includes(`${code} `));
}

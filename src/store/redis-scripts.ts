// The two scripts that write. Both are one atomic step, and both compare before they write: what the rules
// (store-rules.ts) decided holds only while what they looked at is still there.
import { createHash } from 'node:crypto';

export interface RedisScript {
  readonly text: string;
  readonly sha1: string;
}

// KEYS  1 meta, 2 log, 3 live, 4 live expiry, 5 unknown; from 6: the entries that were looked at
// ARGV  1 settings as they were read   2 store time, ms   3 latest Redis time at which this may run, ms
//       4 entries the log keeps   5 tombstones of unknown tokens that may be there, or "" when none is added
//       6 number of live revocations that were looked at
//       then the value of each entry as it was read ("" = none)
//       then tag and value of each live revocation as they were read ("" = none)
//       then the writes: g VALUE (log) | l TAG VALUE EXPIRES_AT (live) |
//         e INDEX VALUE PXAT UNKNOWN (entry; UNKNOWN is its end for an unknown tombstone, "-" to forget one, "" else)
// Returns  ["ok", id of each log entry] | ["conflict"] | ["full"] | ["late"]
// The log is written first: a script that fails half way has announced what did not happen, never the reverse.
const COMMIT = `
local now = redis.call('TIME')
if now[1] * 1000 + math.floor(now[2] / 1000) > tonumber(ARGV[3]) then return {'late'} end
if redis.call('HGET', KEYS[1], 'settings') ~= ARGV[1] then return {'conflict'} end
local at = 7
for i = 6, #KEYS do
  if (redis.call('GET', KEYS[i]) or '') ~= ARGV[at] then return {'conflict'} end
  at = at + 1
end
for _ = 1, tonumber(ARGV[6]) do
  if (redis.call('HGET', KEYS[3], ARGV[at]) or '') ~= ARGV[at + 1] then return {'conflict'} end
  at = at + 2
end
if ARGV[5] ~= '' and redis.call('ZCOUNT', KEYS[5], '(' .. ARGV[2], '+inf') >= tonumber(ARGV[5]) then return {'full'} end
local result = {'ok'}
while at <= #ARGV do
  if ARGV[at] == 'g' then
    result[#result + 1] = redis.call('XADD', KEYS[2], 'MAXLEN', '=', ARGV[4], '*', 'r', ARGV[at + 1])
    at = at + 2
  elseif ARGV[at] == 'l' then
    redis.call('HSET', KEYS[3], ARGV[at + 1], ARGV[at + 2])
    redis.call('ZADD', KEYS[4], ARGV[at + 3], ARGV[at + 1])
    at = at + 4
  else
    local key = KEYS[5 + ARGV[at + 1]]
    if ARGV[at + 4] == '-' then redis.call('ZREM', KEYS[5], key)
    elseif ARGV[at + 4] ~= '' then redis.call('ZADD', KEYS[5], ARGV[at + 4], key) end
    redis.call('SET', key, ARGV[at + 2], 'PXAT', ARGV[at + 3])
    at = at + 5
  end
end
if tonumber(ARGV[2]) > tonumber(redis.call('HGET', KEYS[1], 'time') or 0) then redis.call('HSET', KEYS[1], 'time', ARGV[2]) end
for _, tag in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', ARGV[2], 'LIMIT', 0, 32)) do
  redis.call('HDEL', KEYS[3], tag)
  redis.call('ZREM', KEYS[4], tag)
end
for _, key in ipairs(redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', ARGV[2], 'LIMIT', 0, 32)) do redis.call('ZREM', KEYS[5], key) end
return result
`;

// KEYS  1 meta, 2 log
// ARGV  1 settings as they were read ("" = none)   2 settings to have   3 store time of a new store, ms   4 a first log entry
// Returns 1 when the settings are set and the log is not empty, 0 when other settings were there.
const SETTLE = `
if (redis.call('HGET', KEYS[1], 'settings') or '') ~= ARGV[1] then return 0 end
if redis.call('XLEN', KEYS[2]) == 0 then redis.call('XADD', KEYS[2], '*', 'r', ARGV[4]) end
redis.call('HSET', KEYS[1], 'settings', ARGV[2])
local last = tonumber(redis.call('HGET', KEYS[1], 'time') or -1)
if ARGV[1] == '' and tonumber(ARGV[3]) > last then redis.call('HSET', KEYS[1], 'time', ARGV[3]) end
return 1
`;

/** Refused when Redis is full. */
export const COMMIT_SCRIPT = toScript('#!lua', COMMIT);
/** Runs when Redis is full: a revocation takes back what was granted, and that must not wait for room. */
export const COMMIT_ALWAYS_SCRIPT = toScript('#!lua flags=allow-oom', COMMIT);
/** Runs when Redis is full: a revocation may have to reserve its key first. */
export const SETTLE_SCRIPT = toScript('#!lua flags=allow-oom', SETTLE);

function toScript(header: string, body: string): RedisScript {
  const text = header + body;
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}

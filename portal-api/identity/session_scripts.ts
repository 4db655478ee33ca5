/**
 * What Redis does in one step, as another command between two of them would leave a session that nobody sees any more. Instead of another
 * one it is no younger than that one was, and who it is was proven when it was proven there: to act for another account proves nothing.
 *
 * KEYS: the new session, all of its user, the mark of the last revocation, the session that it is instead of.
 * ARGV: the mark as it was when all of this began, the session but for when it began and when it was proven, the time, its id, how long one
 * lives unused, how long one lives at most, the id of the session that it is instead of, or nothing. Times are in milliseconds. Says when
 * the session began; 0 where there is none.
 */
export const BEGIN_SESSION = `
if (redis.call('get', KEYS[3]) or '') ~= ARGV[1] then return 0 end
local now, created, proven = tonumber(ARGV[3]), tonumber(ARGV[3]), tonumber(ARGV[3])
if ARGV[7] ~= '' then
  local former = redis.call('get', KEYS[4])
  if redis.call('srem', KEYS[2], ARGV[7]) == 0 then return 0 end
  if redis.call('del', KEYS[4]) == 0 then return 0 end
  local read = cjson.decode(former)
  created, proven = read.created_at_ms, read.proven_at_ms
end
local left = math.min(tonumber(ARGV[5]), created + tonumber(ARGV[6]) - now)
if left < 1 then return 0 end
local times = string.format(',"created_at_ms":%.0f,"proven_at_ms":%.0f}', created, proven)
redis.call('set', KEYS[1], string.sub(ARGV[2], 1, -2) .. times, 'PX', string.format('%.0f', left))
redis.call('sadd', KEYS[2], ARGV[4])
redis.call('pexpire', KEYS[2], ARGV[6])
return created
`;

/**
 * KEYS: all sessions of a user, the mark of the last revocation, what is remembered of this one.
 * ARGV: another mark, how long it is kept, how the key of a session begins, the one that stays, the account whose sessions alone are meant,
 * whether this one is carried out once alone; the last three may be nothing. Says how many have ended.
 */
export const REVOKE_SESSIONS = `
if ARGV[6] ~= '' and not redis.call('set', KEYS[3], '1', 'PX', ARGV[2], 'NX') then return 0 end
redis.call('set', KEYS[2], ARGV[1], 'PX', ARGV[2])
local revoked = 0
for _, id in ipairs(redis.call('smembers', KEYS[1])) do
  local key = ARGV[3] .. id
  local text = redis.call('get', key)
  local is_meant = id ~= ARGV[4]
  if text and is_meant and ARGV[5] ~= '' then is_meant = cjson.decode(text).account_id == ARGV[5] end
  if not text then
    redis.call('srem', KEYS[1], id)
  elseif is_meant then
    redis.call('srem', KEYS[1], id)
    revoked = revoked + redis.call('del', key)
  end
end
return revoked
`;

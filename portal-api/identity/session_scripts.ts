/**
 * What Redis does in one step, as another command between two of them would leave a session that nobody sees any more.
 *
 * KEYS: the new session, all of its user, the mark of the last revocation, the session that it is instead of.
 * ARGV: the mark as it was when all of this began, the session, how long it lives unused, its id, how long one lives at most, the id of the
 * session that it is instead of, or nothing.
 */
export const BEGIN_SESSION = `
if (redis.call('get', KEYS[3]) or '') ~= ARGV[1] then return 0 end
if ARGV[6] ~= '' then
  if redis.call('srem', KEYS[2], ARGV[6]) == 0 then return 0 end
  if redis.call('del', KEYS[4]) == 0 then return 0 end
end
redis.call('set', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('sadd', KEYS[2], ARGV[4])
redis.call('pexpire', KEYS[2], ARGV[5])
return 1
`;

/**
 * KEYS: all sessions of a user, the mark of the last revocation.
 * ARGV: another mark, how long it is kept, how the key of a session begins, the one that stays, the account whose sessions alone are meant;
 * the last two may be nothing. Says how many have ended.
 */
export const REVOKE_SESSIONS = `
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

-- holder, microseconds, microseconds without asking after which one is out of the queue
local holder, lasts, patience = ARGV[GIVEN + 1], tonumber(ARGV[GIVEN + 2]), tonumber(ARGV[GIVEN + 3])
if not is_there() then
  return { 'gone' }
end
local time = now()
local at = redis.call('HMGET', META, 'holder', 'held_until', 'fence')
local held = at[1] and tonumber(at[2]) > time
if held and at[1] == holder then
  return { 'held', at[3] } -- asked for twice, since the answer was lost
end
for _, silent in ipairs(redis.call('ZRANGEBYSCORE', ASKING, '-inf', whole(time - patience))) do
  redis.call('ZREM', TURNS, silent)
  redis.call('ZREM', ASKING, silent)
end
redis.call('ZADD', TURNS, 'NX', whole(time), holder)
redis.call('ZADD', ASKING, whole(time), holder)
if held or redis.call('ZRANGE', TURNS, 0, 0)[1] ~= holder then
  redis.call('PEXPIRE', TURNS, whole(patience / 1000))
  redis.call('PEXPIRE', ASKING, whole(patience / 1000))
  return { 'wait' }
end
redis.call('ZREM', TURNS, holder)
redis.call('ZREM', ASKING, holder)
-- No fence comes twice, even when the server has lost the last ones: it is the time, unless the clock went back.
local fence = whole(math.max(tonumber(at[3]) + 1, time))
redis.call('HSET', META, 'fence', fence, 'holder', holder, 'held_until', whole(time + lasts))
return { 'held', fence }

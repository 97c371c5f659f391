-- fence, microseconds
local at = redis.call('HMGET', META, 'fence', 'holder')
if at[1] ~= ARGV[GIVEN + 1] or not at[2] then
  return { 'lost' }
end
redis.call('HSET', META, 'held_until', whole(now() + tonumber(ARGV[GIVEN + 2])))
return { 'held' }

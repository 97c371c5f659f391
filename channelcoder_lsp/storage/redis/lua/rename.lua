-- new name, stale
local new, stale = unpack(ARGV, GIVEN + 1)
local name = redis.call('HGET', META, 'name')
if name == new then
  return { 'done' } -- asked for twice, since the answer was lost
end
if name ~= NAME then
  return { 'gone' }
end
local taken = take(new, stale)
if taken then
  return { 'taken', taken }
end
leave(NAME)
redis.call('HSET', META, 'name', new)
stay()
tell_free(NAME)
tell()
return { 'done' }

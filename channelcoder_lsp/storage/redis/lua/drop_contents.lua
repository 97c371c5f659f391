-- microseconds, digest to keep...
local keep = {}
for index = GIVEN + 2, #ARGV do
  keep[ARGV[index]] = true
end
local before = whole(now() - tonumber(ARGV[GIVEN + 1]))
for _, digest in ipairs(redis.call('ZRANGEBYSCORE', WANTED, '-inf', '(' .. before)) do
  if not keep[digest] then
    redis.call('HDEL', CONTENTS, digest)
    redis.call('ZREM', WANTED, digest)
  end
end
return { 'done' }

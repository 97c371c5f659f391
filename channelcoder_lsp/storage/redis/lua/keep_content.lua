-- digest, data
if not is_there() then
  return { 'gone' }
end
redis.call('HSETNX', CONTENTS, ARGV[GIVEN + 1], ARGV[GIVEN + 2])
redis.call('ZADD', WANTED, whole(now()), ARGV[GIVEN + 1])
stay()
return { 'done' }

-- fence
if redis.call('HGET', META, 'fence') == ARGV[GIVEN + 1] then
  redis.call('HDEL', META, 'holder', 'held_until')
end
return { 'done' }

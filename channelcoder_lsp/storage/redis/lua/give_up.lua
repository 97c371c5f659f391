-- holder
redis.call('ZREM', TURNS, ARGV[GIVEN + 1])
redis.call('ZREM', ASKING, ARGV[GIVEN + 1])
return { 'done' }

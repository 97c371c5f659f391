-- base, head, seq, row
if not is_there() then
  return { 'gone' }
end
local base, head, seq, row = unpack(ARGV, GIVEN + 1)
redis.call('DEL', RECORDS)
redis.call('HINCRBY', META, 'generation', 1)
redis.call('HSET', META, 'seq', seq, 'row', row)
redis.call('HSET', BASE, 'text', base, 'seq', seq)
redis.call('HSET', HEAD, 'text', head, 'seq', seq)
stay()
tell()
return { 'done' }

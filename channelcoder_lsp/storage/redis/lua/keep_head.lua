-- generation, seq, text, number of a record to drop...
local generation, seq, text = unpack(ARGV, GIVEN + 1, GIVEN + 3)
if not is_there() then
  return { 'gone' }
end
local at = redis.call('HMGET', META, 'generation', 'seq')
if at[1] ~= generation or tonumber(at[2]) < tonumber(seq) then
  return { 'done' }
end
if tonumber(redis.call('HGET', HEAD, 'seq')) < tonumber(seq) then
  redis.call('HSET', HEAD, 'text', text, 'seq', seq)
end
for index = GIVEN + 4, #ARGV do
  redis.call('XDEL', RECORDS, ARGV[index] .. '-0')
end
stay()
return { 'done' }

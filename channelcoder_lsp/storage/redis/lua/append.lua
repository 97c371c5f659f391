-- generation, seq, fence, row, token, text...
local generation, seq, fence, row, token = unpack(ARGV, GIVEN + 1, GIVEN + 5)
local first, number = GIVEN + 6, tonumber(seq)
local at = redis.call('HMGET', META, 'name', 'generation', 'seq', 'fence')
if at[1] ~= NAME then
  return { 'gone' }
end
local is_at = at[2] == generation and at[3] == seq
if at[2] == generation and not is_at then
  local there = redis.call('XRANGE', RECORDS, whole(number + 1), whole(number + 1))[1]
  if there and there[2][4] == token then
    return { 'done' } -- sent twice, since the answer was lost
  end
end
if fence ~= '0' and fence ~= at[4] then
  return { 'lost' }
end
if not is_at then
  return { 'behind' }
end
for index = first, #ARGV do
  number = number + 1
  redis.call('XADD', RECORDS, whole(number) .. '-0', 'text', ARGV[index], 'by', index == first and token or '')
end
redis.call('HSET', META, 'seq', whole(number), 'row', row)
stay()
tell()
return { 'done' }

-- base, head, seq, row, stale
local base, head, seq, row, stale = unpack(ARGV, GIVEN + 1)
if is_there() then
  return { 'done' } -- asked for twice, since the answer was lost; somebody may have recorded in it meanwhile
end
local taken = take(NAME, stale)
if taken then
  return { 'taken', taken }
end
redis.call('HSET', META, 'name', NAME, 'generation', '0', 'seq', seq, 'row', row, 'fence', '0')
redis.call('HSET', BASE, 'text', base, 'seq', seq)
redis.call('HSET', HEAD, 'text', head, 'seq', seq)
stay()
tell()
return { 'done' }

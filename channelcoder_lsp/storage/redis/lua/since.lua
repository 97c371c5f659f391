-- generation, seq
if not is_there() then
  return { 'gone' }
end
local at = redis.call('HMGET', META, 'generation', 'seq')
if at[1] ~= ARGV[GIVEN + 1] then
  return { 'anew' }
end
local seq = tonumber(ARGV[GIVEN + 2])
if tonumber(at[2]) < seq then
  -- The server has lost what it had told: from here on this is another history, for everybody.
  redis.call('HINCRBY', META, 'generation', 1)
  tell()
  return { 'anew' }
end
return { 'is', lines_after(seq) }

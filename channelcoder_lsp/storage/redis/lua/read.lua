-- "base" or "head"
local kept = redis.call('HMGET', ARGV[GIVEN + 1] == 'base' and BASE or HEAD, 'text', 'seq')
if not is_there() or not kept[1] then
  return { 'gone' }
end
return { 'is', redis.call('HGET', META, 'generation'), kept[2], kept[1], lines_after(kept[2]) }

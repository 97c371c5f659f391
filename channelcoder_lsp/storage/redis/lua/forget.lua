-- Drop the name of a session that has expired.
if redis.call('EXISTS', META) == 0 then
  leave(NAME)
end
return { 'done' }

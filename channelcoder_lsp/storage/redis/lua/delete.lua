if not is_there() then
  return { 'gone' }
end
redis.call('DEL', META, BASE, HEAD, RECORDS, CONTENTS, WANTED, TURNS, ASKING)
leave(NAME)
tell_free(NAME)
return { 'done' }

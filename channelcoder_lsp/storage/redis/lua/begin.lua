-- What every script begins with. What a script returns begins with a word; "gone" is: there is no such session.
local META, BASE, HEAD, RECORDS, CONTENTS, WANTED, TURNS, ASKING, NAMES = unpack(KEYS)
local KEY, NAME, CHANNEL, RETENTION = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local GIVEN = 4 -- the script's own arguments come after these

local function is_there()
  return redis.call('HGET', META, 'name') == NAME
end

-- The server's clock, in microseconds: what leases are measured with, whatever the machines' clocks say.
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua writes large numbers with an exponent, unless it is told not to.
local function whole(number)
  return string.format('%.0f', number)
end

-- Whoever changes a session says how long it stays without a change.
local function stay()
  if RETENTION == '0' and redis.call('PTTL', META) == -1 then
    return
  end
  for _, key in ipairs({ META, BASE, HEAD, RECORDS, CONTENTS, WANTED }) do
    if RETENTION == '0' then
      redis.call('PERSIST', key)
    else
      redis.call('PEXPIRE', key, RETENTION)
    end
  end
end

local function tell()
  local at = redis.call('HMGET', META, 'generation', 'seq', 'name')
  redis.call('PUBLISH', CHANNEL, table.concat({ KEY, at[1], at[2], at[3] }, ' '))
end

local function tell_free(name)
  redis.call('PUBLISH', CHANNEL, table.concat({ KEY, '-', '-', name }, ' '))
end

-- The records after one, as seq, text, seq, text...
local function lines_after(seq)
  local lines = {}
  for _, entry in ipairs(redis.call('XRANGE', RECORDS, whole(tonumber(seq) + 1), '+')) do
    lines[#lines + 1] = string.match(entry[1], '^%d+')
    lines[#lines + 1] = entry[2][2]
  end
  return lines
end

-- Give the session a name, unless another one has it. An entry of a session that has expired may be `stale`.
local function take(name, stale)
  local taken = redis.call('HGET', NAMES, name)
  if taken and taken ~= KEY and taken ~= stale then
    return taken
  end
  redis.call('HSET', NAMES, name, KEY)
  return nil
end

local function leave(name)
  if redis.call('HGET', NAMES, name) == KEY then
    redis.call('HDEL', NAMES, name)
  end
end

--- What is heard of questions on their way: answers stream to those who listen, the statusline says how far they are.
local text = require('channelcoder.text')

local M = {}

---@class channelcoder.Heard
---@field client_id integer
---@field state string
---@field since integer milliseconds of the loop's clock
---@field text string all of the answer so far
---@field message? string

---@alias channelcoder.Listener fun(heard: channelcoder.Heard, turn: channelcoder.TurnNotification)

local OVER = { done = true, failed = true, cancelled = true }
local SECOND = 1000

---@type table<string, channelcoder.Heard>
local under_way = {}
---@type table<string, channelcoder.Listener>
local listeners = {}
---@type uv.uv_timer_t?
local clock

--- Draw the statusline anew, and once a second as long as something is under way.
local function tick()
  vim.cmd.redrawstatus({ bang = true })
  if next(under_way) and not clock then
    clock = assert(vim.uv.new_timer())
    clock:start(SECOND, SECOND, vim.schedule_wrap(tick))
  elseif not next(under_way) and clock then
    clock:close()
    clock = nil
  end
end

--- Call `listener` with all that is heard of a turn, from what was heard already to its end.
---@param turn_id string
---@param listener channelcoder.Listener
function M.listen(turn_id, listener)
  listeners[turn_id] = listener
  local heard = under_way[turn_id]
  if heard and heard.text ~= '' then
    listener(heard, { turnId = turn_id, session = '', state = heard.state, text = heard.text, replace = true })
  end
end

--- `channelcoder/turn`.
---@param turn channelcoder.TurnNotification
---@param client_id integer
function M.heard(turn, client_id)
  local id = turn.turnId
  local heard = under_way[id] or { client_id = client_id, state = turn.state, since = vim.uv.now(), text = '' }
  under_way[id] = not OVER[turn.state] and heard or nil
  heard.state = turn.state
  heard.message = turn.message or heard.message
  if turn.text then
    heard.text = turn.replace and turn.text or heard.text .. turn.text
  end
  local listener = listeners[id]
  if OVER[turn.state] then
    listeners[id] = nil
  end
  if listener then
    listener(heard, turn)
  end
  if turn.state == 'done' and turn.leftIn then
    text.say(('Claude answered in %s; :ChannelCoder switch %s goes there.'):format(turn.session, turn.session))
  end
  tick()
end

--- A client's server ended: nothing more is heard of what was under way.
---@param client_id integer
function M.forget(client_id)
  for id, heard in pairs(under_way) do
    if heard.client_id == client_id then
      M.heard({ turnId = id, session = '', state = 'failed', message = 'The server ended.' }, client_id)
    end
  end
end

--- Whether a turn is waiting or being answered.
---@param turn_id string
---@return boolean
function M.under_way(turn_id)
  return under_way[turn_id] ~= nil
end

--- How far what is being asked is; nil when nothing is.
---@return string?
function M.doing()
  local count, oldest = 0, nil
  for _, heard in pairs(under_way) do
    count = count + 1
    if not oldest or heard.since < oldest.since then
      oldest = heard
    end
  end
  if not oldest then
    return
  end
  local doing = oldest.state == 'queued' and 'waiting' or oldest.text ~= '' and 'answering' or 'thinking'
  local seconds = math.floor((vim.uv.now() - oldest.since) / SECOND)
  return ('%s %d s%s'):format(doing, seconds, count > 1 and (' +%d'):format(count - 1) or '')
end

return M

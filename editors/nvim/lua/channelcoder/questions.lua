--- What the server asks in between: whether to compact the session, whether Claude may run something.
---
--- Neovim would put a list before whoever is typing. Here it is said, and answered when they want to.
local text = require('channelcoder.text')

local M = {}

---@class channelcoder.Question
---@field client_id integer
---@field message string
---@field actions lsp.MessageActionItem[]
---@field answer fun(chosen: lsp.MessageActionItem|vim.NIL)

---@type channelcoder.Question[] oldest first
local waiting = {}

---@param client_id? integer
---@return channelcoder.Question[]
local function of(client_id)
  return vim.tbl_filter(function(question)
    return not client_id or question.client_id == client_id
  end, waiting)
end

---@param question channelcoder.Question
---@param chosen lsp.MessageActionItem|vim.NIL
local function answer(question, chosen)
  for place, one in ipairs(waiting) do
    if one == question then
      table.remove(waiting, place)
      vim.cmd.redrawstatus({ bang = true })
      return question.answer(chosen)
    end
  end
end

---@param question channelcoder.Question
---@return string[]
local function titles(question)
  return vim.tbl_map(function(action)
    return text.line(action.title)
  end, question.actions)
end

--- `window/showMessageRequest`. It is answered once the user has; nothing waits for that but the server.
---@param params lsp.ShowMessageRequestParams
---@param client_id integer
---@return lsp.MessageActionItem|vim.NIL
function M.asked(params, client_id)
  local actions = params.actions or {}
  if #actions == 0 then
    text.say(params.message)
    return vim.NIL
  end
  local asking = coroutine.running()
  local question = {
    client_id = client_id,
    message = params.message,
    actions = actions,
    answer = function(chosen)
      coroutine.resume(asking, chosen)
    end,
  }
  table.insert(waiting, question)
  local choices = table.concat(titles(question), ', ')
  text.say(('%s\n:ChannelCoder answer (%s)'):format(params.message, choices), vim.log.levels.WARN)
  vim.cmd.redrawstatus({ bang = true })
  return coroutine.yield()
end

--- `$/cancelRequest`: the server waits no more. Which one it was is not told; several are left to be answered in vain.
---@param _ lsp.CancelParams
---@param client_id integer
function M.withdrawn(_, client_id)
  local questions = of(client_id)
  if #questions == 1 then
    answer(questions[1], vim.NIL)
  end
end

--- A server ended: nobody waits for an answer any more.
---@param client_id integer
function M.forget(client_id)
  waiting = vim.tbl_filter(function(question)
    return question.client_id ~= client_id
  end, waiting)
end

--- Whether a server waits for an answer.
---@param client_id integer
---@return boolean
function M.waits(client_id)
  return #of(client_id) > 0
end

--- What the oldest question can be answered with.
---@param client? vim.lsp.Client
---@return string[]
function M.choices(client)
  local question = of(client and client.id)[1]
  return question and titles(question) or {}
end

--- Answer the oldest question: with what was given, else with what is chosen of its list; with a bang with nothing.
---@param client vim.lsp.Client
---@param rest string
---@param given channelcoder.Given
function M.run(client, rest, given)
  local question = of(client.id)[1] or waiting[1]
  if not question then
    return text.say('nothing is asked.')
  elseif given.bang then
    return answer(question, vim.NIL)
  end
  for _, action in ipairs(question.actions) do
    if rest ~= '' and text.line(action.title):lower() == rest:lower() then
      return answer(question, action)
    end
  end
  if rest ~= '' then
    local choices = table.concat(titles(question), ', ')
    return text.say(("'%s' is no answer; there are %s."):format(rest, choices), vim.log.levels.WARN)
  end
  local options = {
    prompt = text.line(question.message),
    kind = 'channelcoder.answer',
    format_item = function(action)
      return text.line(action.title)
    end,
  }
  vim.ui.select(question.actions, options, function(chosen)
    if chosen then
      answer(question, chosen)
    end
  end)
end

return M

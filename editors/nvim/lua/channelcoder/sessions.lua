--- All sessions: picked from a list, found by what was said in them.
local client_of = require('channelcoder.client')
local session_of = require('channelcoder.session')
local text = require('channelcoder.text')

local M = {}

---@param session channelcoder.SessionRow
---@return string
local function row(session)
  local question = session.firstQuestion
  local parts = {
    (session.active and '● ' or '  ') .. text.line(session.name, 32),
    text.age(session.lastActive),
    text.count(session.messageCount, 'message'),
    text.usd(session.costUsd),
    question and text.line(question, 48) or 'no question yet',
  }
  return table.concat(parts, ' · ')
end

---@param hit channelcoder.SearchHit
---@return string
local function found(hit)
  local who = hit.role == 'user' and 'asked' or 'answered'
  return ('%s · %s %s · %s'):format(text.line(hit.session, 32), who, text.age(hit.at), text.line(hit.excerpt, 96))
end

--- The session that is named, else one that is picked.
---@param client vim.lsp.Client
---@param name string
---@param prompt string
---@param picked fun(name: string)
local function pick(client, name, prompt, picked)
  if name ~= '' then
    return picked(name)
  end
  client_of.execute(client, 'channelcoder.session.list', { folder = client.root_dir }, function(rows)
    ---@cast rows channelcoder.SessionRows
    if #rows.sessions == 0 then
      return text.say('no sessions yet; :ChannelCoder ask begins one.')
    end
    local options = { prompt = prompt, kind = 'channelcoder.session', format_item = row }
    vim.ui.select(rows.sessions, options, function(session)
      if session then
        picked(session.name)
      end
    end)
  end)
end

--- The names of all sessions.
---@param client vim.lsp.Client
---@return string[]
function M.names(client)
  local rows = client_of.wait_for(client, 'channelcoder.session.list', { folder = client.root_dir })
  local names = {}
  for _, session in ipairs(rows and rows.sessions or {}) do
    table.insert(names, session.name)
  end
  return names
end

--- Show the transcript of a session; without a name that of the project's.
---@param client vim.lsp.Client
---@param name string
---@param at? string what to go to in it
function M.transcript(client, name, at)
  local argument = { name = name ~= '' and name or nil, folder = client.root_dir }
  local go_on = {
    key = 'r',
    does = 'continue',
    run = function()
      require('channelcoder.ask').continue(client, '')
    end,
  }
  local title = 'Claude: ' .. (name ~= '' and name or 'session')
  require('channelcoder.answer').document(client, title, 'channelcoder.session.show', argument, { go_on }, at)
end

--- Pick a session, and show its transcript.
---@param client vim.lsp.Client
function M.browse(client)
  pick(client, '', 'Show session', function(name)
    M.transcript(client, name)
  end)
end

--- Make a session the project's.
---@param client vim.lsp.Client
---@param given string
function M.switch(client, given)
  pick(client, given, 'Switch to session', function(name)
    local argument = { name = name, folder = client.root_dir }
    client_of.execute(client, 'channelcoder.session.switch', argument, session_of.say_active)
  end)
end

--- Remove a session, once that was confirmed.
---@param client vim.lsp.Client
---@param given string
function M.remove(client, given)
  pick(client, given, 'Remove session', function(name)
    session_of.confirm(('Remove %s and all that belongs to it?'):format(name), 'Remove', function()
      client_of.execute(client, 'channelcoder.session.remove', { name = name }, function()
        text.say(('%s is removed.'):format(name))
      end)
    end)
  end)
end

--- Pick among the messages of all sessions that have a text in them, and show it in its session.
---@param client vim.lsp.Client
---@param rest string
function M.search(client, rest)
  session_of.typed({ prompt = 'Search sessions: ' }, rest, function(wanted)
    client_of.execute(client, 'channelcoder.session.search', { text = wanted }, function(result)
      ---@cast result channelcoder.SearchHits
      if #result.hits == 0 then
        return text.say(('%s was not said in any session.'):format(wanted))
      end
      local options = { prompt = 'Found', kind = 'channelcoder.hit', format_item = found }
      vim.ui.select(result.hits, options, function(hit)
        if hit then
          M.transcript(client, hit.session, wanted)
        end
      end)
    end)
  end)
end

return M

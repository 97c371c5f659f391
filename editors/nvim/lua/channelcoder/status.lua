--- How it stands with the projects: what is being asked, what the session cost, how full Claude's context is.
local client_of = require('channelcoder.client')
local text = require('channelcoder.text')

local M = {}

---@type table<integer, channelcoder.Status> by client
local known = {}

--- Ask the server how it stands, and show that.
---@param client vim.lsp.Client
function M.refresh(client)
  if client:is_stopped() then
    return
  end
  client_of.execute(client, 'channelcoder.status', { folder = client.root_dir }, function(status)
    known[client.id] = status
    vim.cmd.redrawstatus({ bang = true })
  end, function(message)
    vim.lsp.log.warn('channelcoder: cost and context are not shown', message)
  end)
end

--- `channelcoder/changed`.
---@param _ channelcoder.ChangedNotification
---@param client_id integer
function M.changed(_, client_id)
  local client = vim.lsp.get_client_by_id(client_id)
  if client then
    M.refresh(client)
  end
end

--- Nothing is known any more of a client whose server ended.
---@param client_id integer
function M.forget(client_id)
  known[client_id] = nil
end

--- What a session cost and may cost, and how full the context is.
---@param status channelcoder.Status
---@return string[]
function M.facts(status)
  local limit, share = status.spendingLimitUsd, status.contextShare
  local facts = { text.usd(status.costUsd) .. (limit and ' of ' .. text.usd(limit) or '') }
  if share then
    table.insert(facts, ('context %d%%'):format(math.max(1, math.floor(share * 100 + 0.5))))
  end
  return facts
end

--- Why the place where sessions are kept can't be reached; nil: it can be, or that isn't known.
---@param status channelcoder.Status
---@return string?
function M.away(status)
  return status.away and status.away ~= vim.NIL and text.line(status.away) or nil
end

---@return string
function M.statusline()
  local parts = { require('channelcoder.turns').doing() }
  local client = client_of.of(vim.api.nvim_get_current_buf())
  local status = client and known[client.id]
  if status and (status.costUsd > 0 or status.spendingLimitUsd) then
    vim.list_extend(parts, M.facts(status))
  end
  if client and require('channelcoder.questions').waits(client.id) then
    table.insert(parts, 1, ':ChannelCoder answer')
  end
  if status and M.away(status) then
    table.insert(parts, 'storage away')
  end
  return #parts > 0 and 'Claude: ' .. table.concat(parts, ' · ') or ''
end

return M

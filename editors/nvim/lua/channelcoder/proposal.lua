--- Proposed edits: looked at as a diff, then applied or discarded.
local client_of = require('channelcoder.client')
local text = require('channelcoder.text')

local M = {}

--- Apply an edit: the server sends it, and one undo per file takes it back.
---@param client vim.lsp.Client
---@param id string
function M.apply(client, id)
  client_of.execute(client, 'channelcoder.proposal.apply', { proposalId = id }, function(result)
    ---@cast result channelcoder.Applied
    if result.applied then
      return text.say('applied; u takes it back.')
    end
    local reason = result.reason or 'the edit was not applied.'
    text.say(reason, vim.log.levels.WARN)
  end)
end

---@param client vim.lsp.Client
---@param id string
function M.discard(client, id)
  client_of.execute(client, 'channelcoder.proposal.discard', { proposalId = id }, function()
    text.say('discarded.')
  end)
end

--- Show an edit as a diff, with keys to apply and to discard it.
---@param client vim.lsp.Client
---@param id string
function M.look(client, id)
  client_of.execute(client, 'channelcoder.proposal.preview', { proposalId = id }, function(shown)
    ---@cast shown channelcoder.Shown
    local window
    local function closing(run)
      return function()
        window:close()
        run(client, id)
      end
    end
    window = require('channelcoder.window').open('Claude: proposed edit', client.id, {
      { key = 'a', does = 'apply', run = closing(M.apply) },
      { key = 'd', does = 'discard', run = closing(M.discard) },
    })
    window:set(shown.markdown)
  end)
end

return M

--- Reviews: each finding becomes a thread, and the server says when all is done.
local client_of = require('channelcoder.client')
local text = require('channelcoder.text')

local M = {}

M.SCOPES = { 'selection', 'file', 'changes', 'branch' }

--- Have code reviewed: a selection, the file, what is not committed, the branch.
---@param client vim.lsp.Client
---@param rest string
---@param given channelcoder.Given
function M.run(client, rest, given)
  local scope = rest ~= '' and rest or given.range > 0 and 'selection' or 'file'
  local argument = { scope = scope, resume = given.bang or nil }
  if scope == 'changes' or scope == 'branch' then
    argument.folder = client.root_dir
  else
    argument.uri = vim.uri_from_bufnr(0)
    argument.range = scope == 'selection' and client_of.range(client, given) or nil
  end
  client_of.execute(client, 'channelcoder.review', argument, function(review)
    ---@cast review channelcoder.Reviewing
    local notes = vim.list_extend({ ('reviewing %s.'):format(text.count(#review.files, 'file')) }, review.notes or {})
    text.say(table.concat(notes, ' '))
  end)
end

return M

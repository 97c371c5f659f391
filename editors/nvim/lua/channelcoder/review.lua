--- Reviews: each finding becomes a thread.
local client_of = require('channelcoder.client')
local text = require('channelcoder.text')
local turns = require('channelcoder.turns')

local M = {}

M.SCOPES = { 'selection', 'file', 'changes', 'branch' }

--- Say when all turns of a review are over.
---@param review channelcoder.Reviewing
local function watch(review)
  local left, not_done = #review.turnIds, 0
  for _, turn in ipairs(review.turnIds) do
    turns.listen(turn, function(heard)
      if turns.under_way(turn) then
        return
      end
      left = left - 1
      not_done = not_done + (heard.state == 'done' and 0 or 1)
      if left == 0 then
        local how = not_done == 0 and 'the review is done'
          or ('the review ended with %s not reviewed'):format(text.count(not_done, 'file'))
        text.say(how .. '; :ChannelCoder threads lists what was found.')
      end
    end)
  end
end

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
    text.say(('reviewing %s.'):format(text.count(#review.files, 'file')))
    watch(review)
  end)
end

return M

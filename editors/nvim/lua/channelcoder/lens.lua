--- Commands of code lenses and code actions: what is missing is typed, what comes of it is shown here.
local M = {}

local DOCUMENTS = { ['channelcoder.turn.show'] = true, ['channelcoder.session.show'] = true }

---@param command lsp.Command
---@param context { client_id: integer }
function M.run(command, context)
  local client = vim.lsp.get_client_by_id(context.client_id)
  if not client then
    return
  end
  local name = command.command --[[@as channelcoder.Command]]
  local argument = vim.deepcopy((command.arguments or {})[1] or {})
  local ask = require('channelcoder.ask')
  if name == 'channelcoder.thread.show' then
    return require('channelcoder.threads').show(client, argument.threadId)
  elseif DOCUMENTS[name] then
    return require('channelcoder.answer').document(client, 'Claude', name, argument)
  elseif name == 'channelcoder.proposal.preview' then
    return require('channelcoder.proposal').look(client, argument.proposalId)
  elseif name == 'channelcoder.retry' then
    return ask.send(client, name, argument, command.title)
  elseif argument.prompt then
    return ask.send(client, name, argument, argument.prompt)
  end
  ask.typed('Ask Claude: ', argument.question or '', function(question)
    argument.question = question
    ask.send(client, name, argument, question)
  end)
end

return M

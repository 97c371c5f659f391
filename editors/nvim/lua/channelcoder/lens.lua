--- Commands of code lenses and code actions: what is missing is typed, what comes of it is shown here.
local M = {}

local PROMPTS = {
  ['channelcoder.ask'] = 'Ask Claude: ',
  ['channelcoder.continue'] = 'Continue: ',
  ['channelcoder.thread.reply'] = 'Reply: ',
}
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
  elseif name == 'channelcoder.thread.list' then
    return require('channelcoder.threads').list(client, argument.uri ~= nil)
  elseif name == 'channelcoder.proposal.preview' then
    return require('channelcoder.proposal').look(client, argument)
  elseif name == 'channelcoder.proposal.apply' then
    if argument.done then -- Neovim has applied the code action's edit
      return require('channelcoder.client').execute(client, name, argument)
    end
    return require('channelcoder.proposal').apply(client, argument)
  elseif name == 'channelcoder.retry' then
    return ask.send(client, name, argument, command.title)
  elseif argument.prompt or argument.question then
    argument.context = select(2, require('channelcoder.context').take(''))
    return ask.send(client, name, argument, argument.question or argument.prompt)
  end
  ask.typed(PROMPTS[name], '', argument, function(question)
    ask.send(client, name, argument, question)
  end)
end

return M

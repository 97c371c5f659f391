vim.lsp.config('channelcoder', {
  cmd = { 'channelcoder-lsp' },
  root_markers = { '.git' },
  capabilities = { experimental = { channelcoder = { input = true } } },
  -- One server for each project; a file outside of all, such as an answer's own, goes to one that runs.
  reuse_client = function(client, config)
    return client.name == config.name and (not config.root_dir or client.root_dir == config.root_dir)
  end,
})
vim.lsp.enable('channelcoder')

-- "Ask Claude…" and "Reply" come without a question: have it typed.
local function ask(command, context)
  local argument = vim.deepcopy(command.arguments[1])
  local function send(question)
    argument.question = question
    local client = vim.lsp.get_client_by_id(context.client_id)
    client:request('workspace/executeCommand', { command = command.command, arguments = { argument } })
  end
  if argument.question or argument.prompt then
    return send(argument.question)
  end
  vim.ui.input({ prompt = 'Ask Claude: ' }, function(question)
    return question and question ~= '' and send(question)
  end)
end
for _, name in ipairs({ 'ask', 'continue', 'thread.reply' }) do
  vim.lsp.commands['channelcoder.' .. name] = ask
end

-- Show how far an answer is, and keep the code lenses fresh.
vim.api.nvim_create_autocmd('LspProgress', {
  callback = function()
    local status = vim.fn.strcharpart(vim.lsp.status(), 0, vim.v.echospace)
    if vim.api.nvim_get_mode().mode == 'n' then
      vim.api.nvim_echo({ { status } }, false, {})
    end
  end,
})
vim.api.nvim_create_autocmd({ 'LspAttach', 'LspProgress', 'TextChanged', 'InsertLeave', 'CursorHold' }, {
  callback = function()
    vim.lsp.codelens.refresh()
  end,
})

-- Keys, as you like them. Neovim has `gra` for code actions and `K` for hover already.
local function run(command, argument)
  return function()
    for _, client in ipairs(vim.lsp.get_clients({ bufnr = 0, name = 'channelcoder' })) do
      client:exec_cmd({ title = command, command = command, arguments = { argument and argument() } })
    end
  end
end
local function here()
  return { uri = vim.uri_from_bufnr(0) }
end
vim.keymap.set('x', 'gra', function()
  vim.lsp.buf.code_action()
  vim.api.nvim_input('<Esc>') -- else Neovim waits some seconds after its list of choices
end, { desc = 'Code actions on the selection' })
vim.keymap.set('n', 'grl', vim.lsp.codelens.run, { desc = 'Run the code lens of this line' })
vim.keymap.set('n', 'grc', run('channelcoder.continue', here), { desc = "Go on with the project's session" })
vim.keymap.set('n', 'grs', run('channelcoder.session.show'), { desc = 'Show the whole session' })
vim.keymap.set('n', 'grq', run('channelcoder.cancel'), { desc = 'Cancel what is being answered' })

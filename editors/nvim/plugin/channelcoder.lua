-- Loaded at start: nothing of the plugin is required before it is used.
if vim.g.loaded_channelcoder then
  return
end
vim.g.loaded_channelcoder = true

if vim.fn.has('nvim-0.11') == 0 then
  vim.notify('channelcoder: Neovim 0.11 or newer is needed.', vim.log.levels.ERROR)
  return
end

vim.api.nvim_create_user_command('ChannelCoder', function(given)
  require('channelcoder.command').run(given)
end, {
  nargs = '*',
  range = true,
  bang = true,
  desc = 'Ask Claude about code, in a session of the project folder',
  complete = function(lead, line, at)
    return require('channelcoder.command').complete(lead, line:sub(1, at))
  end,
})

-- `:` and not `<Cmd>`, so that a selection becomes the command's range.
local function plug(modes, name, description)
  local keys = (':ChannelCoder %s<CR>'):format(name)
  vim.keymap.set(modes, ('<Plug>(channelcoder-%s)'):format(name), keys, { silent = true, desc = description })
end
plug({ 'n', 'x' }, 'ask', 'Ask Claude about the line or the selection')
plug({ 'n', 'x' }, 'add', 'Send the file or the selection along with the next question')
plug({ 'n', 'x' }, 'prompts', 'Choose what Claude is to do with the line or the selection')
plug({ 'n', 'x' }, 'review', 'Have the file or the selection reviewed')
plug('n', 'continue', "Go on with the project's session")
plug('n', 'transcript', "Show the project's session")
plug('n', 'threads', 'List the threads of the project')
plug('n', 'show', 'Show the thread on this line')
plug('n', 'reply', 'Reply in the thread on this line')
plug('n', 'resolve', 'Resolve the thread on this line')
plug('n', 'apply', 'Look at the proposed edit of the thread on this line, and apply it')
plug('n', 'next', 'Go to the next thread')
plug('n', 'prev', 'Go to the previous thread')
plug('n', 'cancel', 'Cancel what is being answered')
plug('n', 'answer', 'Answer what the server asks')
plug('n', 'retry', 'Ask the question of the thread on this line again')

-- Code lenses and code actions run these: what is missing is typed, and what comes of it is shown here.
for _, name in ipairs({
  'ask',
  'continue',
  'retry',
  'thread.list',
  'thread.reply',
  'thread.show',
  'turn.show',
  'session.show',
  'proposal.apply',
  'proposal.preview',
}) do
  vim.lsp.commands['channelcoder.' .. name] = function(command, context)
    require('channelcoder.lens').run(command, context)
  end
end

if (vim.g.channelcoder or {}).enable ~= false then
  vim.lsp.enable('channelcoder')
end

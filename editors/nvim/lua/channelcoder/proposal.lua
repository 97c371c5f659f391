--- Proposed edits: looked at as a diff against the code as it is, then applied or discarded.
local client_of = require('channelcoder.client')
local text = require('channelcoder.text')

local M = {}

local NAME_CELLS = 6
local WORDS = {
  edit = 'Claude proposes',
  create = 'Claude proposes a new file',
  delete = 'Claude proposes to delete it',
}

--- Apply an edit: the server sends it, and one undo for each file takes it back.
---@param client vim.lsp.Client
---@param which channelcoder.ProposalArguments
function M.apply(client, which)
  client_of.execute(client, 'channelcoder.proposal.apply', which, function(result)
    ---@cast result channelcoder.Applied
    if not result.applied then
      return text.say(result.reason or 'the edit was not applied.', vim.log.levels.WARN)
    end
    text.say(result.reason or 'applied; u takes it back.')
    -- The server was told of the new text a moment after that of the edit: have it look again.
    local done = vim.tbl_extend('force', which, { done = true })
    client_of.execute(client, 'channelcoder.proposal.apply', done)
  end)
end

--- Apply an edit that the user has looked at: nobody need ask once more.
---@param client vim.lsp.Client
---@param which channelcoder.ProposalArguments
local function apply_looked(client, which)
  M.apply(client, vim.tbl_extend('force', which, { looked = true }))
end

---@param client vim.lsp.Client
---@param which channelcoder.ProposalArguments
function M.discard(client, which)
  client_of.execute(client, 'channelcoder.proposal.discard', which, function()
    text.say('discarded.')
  end)
end

--- A buffer for one side of a diff.
---@param content string?
---@param file channelcoder.ProposedFileContent
---@param name string
---@return integer
local function side(content, file, name)
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(buffer, name)
  vim.bo[buffer].bufhidden = 'wipe'
  vim.bo[buffer].modeline = false
  local lines = content and vim.split(content, '\n', { plain = true }) or {}
  if lines[#lines] == '' then
    table.remove(lines) -- what ends the last line
  end
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  vim.bo[buffer].modifiable = false
  vim.bo[buffer].filetype = vim.filetype.match({ filename = vim.uri_to_fname(file.uri) }) or ''
  return buffer
end

--- Show in a tab page of its own what becomes of a file.
---@param file channelcoder.ProposedFileContent
---@param name string of the proposed side
---@return integer tab, integer buffer the proposed side
local function compare(file, name)
  local function bar(words)
    vim.wo[0][0].winbar = words:gsub('%%', '%%%%')
  end
  vim.cmd('tab split')
  local now
  if file.kind == 'create' then
    now = side(nil, file, name .. ' (none yet)')
  else
    now = vim.uri_to_bufnr(file.uri)
    vim.fn.bufload(now)
    vim.bo[now].buflisted = true
  end
  vim.api.nvim_win_set_buf(0, now)
  vim.cmd.diffthis()
  bar(text.line(file.path or file.uri))
  local proposed = side(file.after, file, name)
  vim.api.nvim_open_win(proposed, true, { split = 'right' })
  vim.cmd.diffthis()
  local reason = file.reason and (' · not all can be applied: ' .. text.line(file.reason)) or ''
  bar(('%s%s · a apply · d discard · q close'):format(WORDS[file.kind], reason))
  vim.cmd('silent! normal! gg]c')
  return vim.api.nvim_get_current_tabpage(), proposed
end

---@param tabs integer[]
local function close(tabs)
  for _, tab in ipairs(tabs) do
    if vim.api.nvim_tabpage_is_valid(tab) then
      vim.cmd.tabclose(vim.api.nvim_tabpage_get_number(tab))
    end
  end
end

--- Close what shows the same edit already.
---@param name string of the proposed side of one of its files
local function close_shown(name)
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_buf_get_name(vim.api.nvim_win_get_buf(window)) == name then
      return close({ vim.api.nvim_win_get_tabpage(window) })
    end
  end
end

--- Show an edit as a diff of each file, with keys to apply and to discard it. Single changes can be taken with `do`.
---@param client vim.lsp.Client
---@param which channelcoder.ProposalArguments
function M.look(client, which)
  client_of.execute(client, 'channelcoder.proposal.read', which, function(proposal)
    ---@cast proposal channelcoder.ProposalContent
    local differing = vim.tbl_filter(function(file)
      return file.before ~= file.after
    end, proposal.files)
    if #differing == 0 then
      local reason = proposal.files[1] and proposal.files[1].reason
      return text.say(reason and ('it can not be applied: %s.'):format(reason) or 'it is applied already.')
    end
    local tabs, buffers = {}, {}
    for _, file in ipairs(differing) do
      local name = ('channelcoder://%s/%s'):format(which.proposalId:sub(-NAME_CELLS), file.path or file.uri)
      close_shown(name)
      local tab, buffer = compare(file, name)
      table.insert(tabs, tab)
      table.insert(buffers, buffer)
    end
    vim.api.nvim_set_current_tabpage(tabs[1])
    local keys = { a = apply_looked, d = M.discard, q = function() end }
    for _, buffer in ipairs(buffers) do
      for key, run in pairs(keys) do
        vim.keymap.set('n', key, function()
          close(tabs)
          run(client, which)
        end, { buffer = buffer, nowait = true, desc = 'the proposed edit' })
      end
    end
  end)
end

return M

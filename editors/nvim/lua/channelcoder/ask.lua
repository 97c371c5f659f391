--- Questions: about code, in a thread, in the session.
local client_of = require('channelcoder.client')

local M = {}

--- Where a prompt comes from, if it is not the package.
local ORIGINS = { user = ' (your own)', project = " (the project's)" }

--- Complete the argument of a command with the question, which is asked for with `vim.ui.input` if it was not given,
--- and with what goes along with it.
---@param prompt string
---@param given string
---@param argument table
---@param send fun(question: string)
function M.typed(prompt, given, argument, send)
  local function take(typed)
    local question, context = require('channelcoder.context').take(typed)
    if question and question ~= '' then
      argument.question, argument.context = question, context
      send(question)
    end
  end
  if given ~= '' then
    return take(given)
  end
  vim.ui.input({ prompt = prompt }, function(typed)
    if typed and vim.trim(typed) ~= '' then
      take(typed)
    end
  end)
end

--- Tell the server what it has no request for and Claude may ask for: the cursor, what checkers say.
---@param client vim.lsp.Client
local function tell(client)
  local active = vim.lsp.buf_is_attached(0, client.id) and vim.uri_from_bufnr(0) or nil
  local documents = {}
  for buffer in pairs(client.attached_buffers) do
    local found = vim.tbl_filter(function(diagnostic)
      return diagnostic.source ~= 'channelcoder'
    end, vim.diagnostic.get(buffer))
    local diagnostics = vim.lsp.diagnostic.from(found)
    table.insert(documents, { uri = vim.uri_from_bufnr(buffer), diagnostics = diagnostics })
  end
  ---@type channelcoder.EditorNotification
  local told = {
    activeUri = active,
    selection = active and vim.lsp.util.make_range_params(0, client.offset_encoding).range or nil,
    diagnostics = documents,
  }
  client:notify('channelcoder/editor', told)
end

--- Send a question, and show its answer as it comes.
---@param client vim.lsp.Client
---@param command channelcoder.Command
---@param argument table
---@param question string what to call it
---@param quietly? boolean whether the answer is not shown
function M.send(client, command, argument, question, quietly)
  tell(client)
  client_of.execute(client, command, argument, function(asked)
    if not quietly then
      require('channelcoder.answer').stream(client, question, asked)
    end
  end)
end

--- The names of the prompts.
---@param client vim.lsp.Client
---@return string[]
function M.prompt_names(client)
  local rows = client_of.wait_for(client, 'channelcoder.prompts', { folder = client.root_dir })
  local names = {}
  for _, prompt in ipairs(rows and rows.prompts or {}) do
    table.insert(names, prompt.name)
  end
  return names
end

--- Have one of the prompts chosen.
---@param client vim.lsp.Client
---@param chosen fun(prompt: channelcoder.PromptRow)
local function choose_prompt(client, chosen)
  client_of.execute(client, 'channelcoder.prompts', { folder = client.root_dir }, function(rows)
    ---@cast rows channelcoder.PromptRows
    vim.ui.select(rows.prompts, {
      prompt = 'Claude',
      kind = 'channelcoder.prompt',
      format_item = function(prompt)
        local parts = { prompt.title, prompt.description ~= vim.NIL and prompt.description or nil }
        local origin = ORIGINS[prompt.origin]
        return require('channelcoder.text').line(table.concat(parts, ' · ') .. (origin or ''))
      end,
    }, function(prompt)
      if prompt then
        chosen(prompt)
      end
    end)
  end)
end

--- What is asked about, with what checkers say about it.
---@param client vim.lsp.Client
---@param given channelcoder.Given
---@return channelcoder.AskArguments
local function about(client, given)
  local found = vim.tbl_filter(function(diagnostic)
    local last = diagnostic.end_lnum or diagnostic.lnum
    return diagnostic.lnum < given.line2 and last >= given.line1 - 1 and diagnostic.source ~= 'channelcoder'
  end, vim.diagnostic.get(0))
  return {
    uri = vim.uri_from_bufnr(0),
    range = client_of.range(client, given),
    diagnostics = #found > 0 and vim.lsp.diagnostic.from(found) or nil,
  }
end

--- Ask about the line or the selection.
---@param client vim.lsp.Client
---@param rest string
---@param given channelcoder.Given
function M.ask(client, rest, given)
  local argument = about(client, given)
  M.typed('Ask Claude: ', rest, argument, function(question)
    M.send(client, 'channelcoder.ask', argument, question, given.bang)
  end)
end

--- Ask about the line or the selection with a prompt, and what more is to be said about it.
---@param client vim.lsp.Client
---@param rest string
---@param given channelcoder.Given
function M.prompt(client, rest, given)
  local argument = about(client, given)
  local name, more = rest:match('^(%S*)%s*(.*)$')
  local function send(prompt, title)
    local question, context = require('channelcoder.context').take(more)
    if question then
      argument.prompt, argument.question, argument.context = prompt, question ~= '' and question or nil, context
      M.send(client, 'channelcoder.ask', argument, title, given.bang)
    end
  end
  if name ~= '' then
    return send(name, rest)
  end
  choose_prompt(client, function(prompt)
    send(prompt.name, prompt.title)
  end)
end

--- Go on with the session of the project.
---@param client vim.lsp.Client
---@param rest string
function M.continue(client, rest)
  local of_file = vim.bo.buftype == '' and vim.api.nvim_buf_get_name(0) ~= ''
  local argument = { uri = of_file and vim.uri_from_bufnr(0) or nil, folder = not of_file and client.root_dir or nil }
  M.typed('Continue: ', rest, argument, function(question)
    M.send(client, 'channelcoder.continue', argument, question)
  end)
end

--- Reply in a thread.
---@param client vim.lsp.Client
---@param thread_id string
---@param rest string
---@param quietly? boolean
function M.reply(client, thread_id, rest, quietly)
  local argument = { threadId = thread_id }
  M.typed('Reply: ', rest, argument, function(question)
    M.send(client, 'channelcoder.thread.reply', argument, question, quietly)
  end)
end

--- Go on after an answer: in its thread, else in the session.
---@param client vim.lsp.Client
---@param asked channelcoder.Asked
function M.go_on(client, asked)
  if asked.threadId then
    return M.reply(client, asked.threadId, '')
  end
  M.continue(client, '')
end

return M

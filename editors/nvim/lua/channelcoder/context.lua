--- What else goes along with a question: files and parts of them, selections, what checkers say.
local text = require('channelcoder.text')

local M = {}

local NAMESPACE = vim.api.nvim_create_namespace('channelcoder.context')
local DIAGNOSTICS = 'diagnostics'
local CHANGES = 'changes'
local SEVERITIES = { 'error', 'warning', 'information', 'hint' }

---@class channelcoder.Along
---@field label string
---@field entry channelcoder.ClientContext
---@field buffer? integer of lines that are sent as they are by the time of the question
---@field mark? integer

---@type channelcoder.Along[] what goes with the next question
local added = {}

--- Whole lines.
---@param first integer from 1
---@param last integer
---@return channelcoder.ClientRange
local function lines(first, last)
  return { start = { line = first - 1, character = 0 }, ['end'] = { line = last, character = 0 } }
end

--- All that checkers say about the buffer.
---@return channelcoder.Along?
local function diagnostics()
  local name, found = vim.fn.expand('%:.'), {}
  for _, diagnostic in ipairs(vim.diagnostic.get(0)) do
    if diagnostic.source ~= 'channelcoder' then
      local where = ('%s:%d:%d'):format(name, diagnostic.lnum + 1, diagnostic.col + 1)
      local message = text.line(diagnostic.message)
      table.insert(found, ('%s: %s: %s'):format(where, SEVERITIES[diagnostic.severity], message))
    end
  end
  local label = 'diagnostics of ' .. name
  return found[1] and { label = label, entry = { label = label, text = table.concat(found, '\n') } }
end

---@param path string
---@return boolean
local function is_there(path)
  return vim.fn.filereadable(path) == 1 or vim.fn.bufloaded(path) == 1
end

--- What a word names: `path`, `path:12`, `path:12-30`, `path#definition`, `diagnostics` or `changes`. Nothing is said.
---@param word string
---@return channelcoder.Along?
local function find(word)
  local path, entry = vim.fs.normalize(word), {}
  if not is_there(path) then
    local file, first, last = path:match('^(.+):(%d+)%-?(%d*)$')
    if file then
      entry.range = lines(tonumber(first), tonumber(last) or tonumber(first))
    else
      file, entry.symbol = path:match('^(.+)#(.+)$')
    end
    path = file
  end
  if path and is_there(path) then
    entry.uri = vim.uri_from_fname(vim.fn.fnamemodify(path, ':p'))
    return { label = word, entry = entry }
  end
  if word == CHANGES then
    return { label = word, entry = { changes = true } }
  end
  return word == DIAGNOSTICS and diagnostics() or nil
end

--- What the words name; nil when one names nothing, which is said.
---@param words string[]
---@return channelcoder.Along[]?
local function find_all(words)
  local all = {}
  for _, word in ipairs(words) do
    local found = find(word)
    if not found then
      local what = word == DIAGNOSTICS and 'checkers say nothing about this file'
        or ("there is no file '%s' to send along"):format(word)
      return text.say(what .. '.', vim.log.levels.WARN)
    end
    table.insert(all, found)
  end
  return all
end

--- The lines of the range.
---@param given channelcoder.Given
---@return channelcoder.Along
local function selection(given)
  local first, last = given.line1, given.line2
  return {
    label = ('%s:%d-%d'):format(vim.fn.expand('%:.'), first, last),
    entry = { uri = vim.uri_from_bufnr(0), range = lines(first, last) },
    buffer = vim.api.nvim_get_current_buf(),
    mark = vim.api.nvim_buf_set_extmark(0, NAMESPACE, first - 1, 0, { end_row = last - 1 }),
  }
end

--- Have something go along with the next question: what the words name, else the range, else this file.
---@param _ vim.lsp.Client
---@param rest string
---@param given channelcoder.Given
function M.add(_, rest, given)
  if given.bang then
    added = {}
    return text.say('nothing goes along with the next question.')
  end
  local words = rest ~= '' and vim.split(rest, '%s+') or { vim.fn.expand('%:.') }
  local found = rest == '' and given.range > 0 and { selection(given) } or find_all(words)
  if not found then
    return
  end
  vim.list_extend(added, found)
  local labels = vim.tbl_map(function(along)
    return along.label
  end, added)
  text.say(('with the next question: %s.'):format(table.concat(labels, ', ')))
end

--- Part a question from the words before it that begin with `@`; take what those name, and what was added.
---@param question string
---@return string? question nil when a word names nothing, which was said
---@return channelcoder.ClientContext[]? context
function M.take(question)
  local words, rest = {}, vim.trim(question)
  while vim.startswith(rest, '@') do
    words[#words + 1], rest = rest:match('^@(%S*)%s*(.*)$')
  end
  local found = find_all(words)
  if not found then
    return
  end
  local context = {}
  for _, along in ipairs(vim.list_extend(added, found)) do
    if along.mark and vim.api.nvim_buf_is_loaded(along.buffer) then
      local at = vim.api.nvim_buf_get_extmark_by_id(along.buffer, NAMESPACE, along.mark, { details = true })
      along.entry.range = at[1] and lines(at[1] + 1, at[3].end_row + 1) or along.entry.range
    end
    table.insert(context, along.entry)
  end
  added = {}
  return rest, #context > 0 and context or nil
end

--- Names that complete a word.
---@param lead string
---@return string[]
function M.complete(lead)
  return vim.list_extend(vim.fn.getcompletion(lead, 'file'), { CHANGES, DIAGNOSTICS })
end

return M

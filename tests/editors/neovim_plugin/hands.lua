-- What a person at the keyboard would do, and what they would have seen.
-- luacheck: globals seen vim
_G.seen = {}

function seen.anew()
  seen.said, seen.offered, seen.prompts = {}, {}, {}
  seen.typed, seen.choice = nil, nil
end
seen.anew()

vim.notify = function(message, level)
  table.insert(seen.said, { message, level or vim.log.levels.INFO })
end
vim.notify_once = vim.notify

vim.ui.select = function(items, options, choose)
  seen.offered = vim.tbl_map(options.format_item or tostring, items)
  for number, title in ipairs(seen.offered) do
    if seen.choice and seen.choice ~= vim.NIL and title:find(seen.choice, 1, true) then
      return choose(items[number], number)
    end
  end
  choose(nil, nil)
end

vim.ui.input = function(options, answer)
  table.insert(seen.prompts, options.prompt)
  answer(seen.typed ~= vim.NIL and seen.typed or nil)
end

local function plain(chunks)
  local texts = vim.tbl_map(function(chunk)
    return chunk[1]
  end, chunks or {})
  return table.concat(texts)
end

-- The window that the plugin opened last: its text, title and footer.
function seen.window()
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    local buffer = vim.api.nvim_win_get_buf(window)
    if vim.b[buffer].channelcoder_client then
      local config = vim.api.nvim_win_get_config(window)
      return {
        text = table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), '\n'),
        title = plain(config.title),
        footer = plain(config.footer),
        floats = config.relative ~= '',
        conceal = vim.wo[window].conceallevel,
        modeline = vim.bo[buffer].modeline,
        filetype = vim.bo[buffer].filetype,
      }
    end
  end
end

-- The signs and what stands behind lines in the current buffer: { line, sign, text }, lines from 1.
function seen.marks(buffer)
  local namespace = vim.api.nvim_get_namespaces().channelcoder
  if not namespace then
    return {}
  end
  local found = {}
  for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(buffer or 0, namespace, 0, -1, { details = true })) do
    if not mark[4].invalid and (mark[4].sign_text or mark[4].virt_text) then
      table.insert(found, { mark[2] + 1, vim.trim(mark[4].sign_text or ''), vim.trim(plain(mark[4].virt_text)) })
    end
  end
  return found
end

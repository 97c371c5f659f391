std = 'luajit'
cache = false
max_line_length = 120
max_comment_line_length = false
local set = { read_only = false, other_fields = true }
read_globals = {
  vim = {
    other_fields = true,
    -- What is assigned: options and variables of buffers and windows, handlers of commands.
    fields = { b = set, bo = set, g = set, wo = set, lsp = { other_fields = true, fields = { commands = set } } },
  },
}

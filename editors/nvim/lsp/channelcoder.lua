-- `vim.lsp.enable('channelcoder')` finds this file on the runtime path; plugin/channelcoder.lua calls it.
return require('channelcoder.lsp').config()

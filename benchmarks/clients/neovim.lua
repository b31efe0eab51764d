-- Asks a server all of features.json through Neovim's own client. The environment has the server's
-- command (SERVER), the directory of the module (MODULE) and of this file (HERE).
local dir, here = os.getenv('MODULE'), os.getenv('HERE')
local function read(name)
  local f = assert(io.open(name))
  local text = f:read('*a')
  f:close()
  return text
end
local decode = vim.json and vim.json.decode or vim.fn.json_decode
local features = decode(read(here .. '/features.json'))
local failed = 0
local function say(name, verdict)
  if verdict ~= 'ok' and verdict ~= 'not announced' then failed = failed + 1 end
  io.stdout:write('neovim\t' .. name .. '\t' .. verdict .. '\n')
end

vim.cmd('edit ' .. dir .. '/main.go')
local text = read(dir .. '/main.go')
local function position(mark)
  local bar = mark:find('|', 1, true)
  local at = text:find((mark:gsub('|', '')), 1, true) + bar - 2
  local before = text:sub(1, at)
  local _, line = before:gsub('\n', '')
  return { line = line, character = at - #before:match('.*\n') }
end

local id = vim.lsp.start_client({
  name = 'cytisus', cmd = { os.getenv('SERVER'), 'serve', '--memory', '--root', dir }, root_dir = dir,
  settings = { cytisus = { hints = { parameterNames = true } } },
})
vim.lsp.buf_attach_client(0, id)
vim.wait(30000, function() return vim.lsp.get_client_by_id(id).initialized end, 20)
local client = vim.lsp.get_client_by_id(id)
client.notify('workspace/didChangeConfiguration', { settings = client.config.settings }) -- older ones leave it to plugins
local seen = vim.wait(60000, function()
  for _, d in ipairs(vim.diagnostic.get(0)) do
    if d.message:find('unknown', 1, true) then return true end
  end
end, 20)
say('diagnostics', seen and 'ok' or 'FAILED: none')
for _, f in ipairs(features) do
  local provider = client.server_capabilities[f.capability]
  if not provider then
    say(f.name, 'not announced')
  else
    local params = f.params or {}
    if f.method:find('^textDocument/') then params.textDocument = { uri = vim.uri_from_bufnr(0) } end
    if f.at then
      local at = position(f.at)
      if f.several then params.positions = { at }
      elseif f.ranged then params.range = { start = at, ['end'] = { line = at.line, character = at.character + (f.length or 1) } }
      else params.position = at end
    end
    local answer, err = client.request_sync(f.method, params, 60000, 0)
    local said = answer and answer.result and vim.fn.json_encode(answer.result):gsub('": ', '":'):gsub('\\/', '/') or ''
    if said:find(f.want, 1, true) then say(f.name, 'ok')
    else say(f.name, 'FAILED: ' .. vim.inspect(err or answer.err or said):sub(1, 200)) end
  end
end

-- What the editor makes of the answers.
if vim.lsp.buf.format then vim.lsp.buf.format({ async = false, timeout_ms = 60000 })
else vim.lsp.buf.formatting_sync({}, 60000) end -- before 0.8
local after = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\n')
say('the text is laid out', after:find('return "Hello, " + full', 1, true) and 'ok' or 'FAILED: ' .. after)
if client.server_capabilities.renameProvider then
  vim.fn.search('type \\zsPolite')
  vim.lsp.buf.rename('Kind')
  local done = vim.wait(60000, function()
    local now = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\n')
    return now:find('Greeter = Kind{', 1, true) and now:find('type Kind struct', 1, true)
  end, 20)
  say('the name is another', done and 'ok' or 'FAILED')
end
client.stop()
vim.wait(5000, function() return client.is_stopped() end, 20)
vim.cmd(failed > 0 and 'cquit 1' or 'quitall!')

-- Run by run.sh inside Neovim, with the configuration that is shipped. Any failure leaves with `cquit 1`.
local patience = tonumber(vim.env.E2E_TIMEOUT or '20000')
local function say(...) io.stdout:write(table.concat(vim.tbl_map(tostring, { ... }), ' ') .. '\n') end
local function wait(what, cond)
  if not vim.wait(patience, cond, 20) then error('timeout: ' .. what, 0) end
  say('ok', what)
end

local function float_text()
  for _, win in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(win).relative ~= '' then
      return table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(win), 0, -1, false), '\n')
    end
  end
  return ''
end

-- Asks for the actions at the cursor the way a user does, and applies the first whose title matches.
local function apply_action(buf, pattern)
  local tick, titles = vim.b[buf].changedtick, {}
  vim.lsp.buf.code_action({ apply = true, filter = function(action)
    titles[#titles + 1] = action.title .. (action.disabled and ' (disabled: ' .. action.disabled.reason .. ')' or '')
    return not action.disabled and action.title:match(pattern) ~= nil
  end })
  wait('code action applied: ' .. pattern, function() return vim.b[buf].changedtick ~= tick end)
  say('  offered:', table.concat(titles, ' / '))
end

local function diagnostic(buf, code)
  local found
  wait('diagnostic ' .. code, function()
    found = vim.iter(vim.diagnostic.get(buf)):find(function(it) return it.code == code end)
    return found
  end)
  say('  line', found.lnum + 1, found.message)
  return found
end

local function main()
  vim.lsp.enable('plimsoll')
  local buf = vim.api.nvim_get_current_buf()
  local client
  wait('client attached', function()
    client = vim.lsp.get_clients({ bufnr = buf, name = 'plimsoll' })[1]
    return client and client.initialized
  end)
  say('  root', client.root_dir, 'encoding', client.offset_encoding)
  assert(client.offset_encoding == 'utf-8', 'UTF-8 is what Neovim prefers')

  local lists = diagnostic(buf, 'apt-lists-left')
  assert(lists.message:match('MB'), 'the weight stands in the message')
  assert(lists.source == 'plimsoll')

  vim.api.nvim_win_set_cursor(0, { 1, 6 })
  vim.lsp.buf.hover()
  wait('hover over the base image', function()
    local text = float_text()
    return text:match('linux/amd64: pull [%d.]+ MB') and text:match('node:22%-slim')
  end)
  say(float_text())
  vim.cmd('fclose!')

  vim.lsp.inlay_hint.enable(true, { bufnr = buf })
  wait('inlay hints behind instructions', function()
    local shown = {}
    for _, it in ipairs(vim.lsp.inlay_hint.get({ bufnr = buf })) do
      shown[it.inlay_hint.position.line + 1] = it.inlay_hint.label
    end
    return (shown[1] or ''):match('^pull %d+') and (shown[lists.lnum + 1] or ''):match('^≈ %d+ MB$')
  end)
  wait('the hint is drawn at the end of its line', function()
    vim.cmd('redraw')
    local marks = vim.api.nvim_buf_get_extmarks(buf, -1, { lists.lnum, 0 }, { lists.lnum, -1 }, { details = true })
    return vim.iter(marks):any(function(mark)
      local drawn = vim.iter(mark[4].virt_text or {}):map(function(chunk) return chunk[1] end):join('')
      return drawn:match('≈ %d+ MB') and mark[3] == #vim.fn.getline(lists.lnum + 1)
    end)
  end)

  vim.lsp.codelens.enable(true, { bufnr = buf })
  wait('code lens above the stage', function()
    return vim.iter(vim.lsp.codelens.get({ bufnr = buf })):any(function(it)
      local lens = it.lens or it
      return lens.command and lens.command.title:match('^final stage .*B, pulled .*B$') ~= nil
    end)
  end)

  vim.api.nvim_win_set_cursor(0, { lists.lnum + 1, lists.col })
  apply_action(buf, '^Remove the lists')
  wait('the finding is gone after its fix', function()
    return not vim.iter(vim.diagnostic.get(buf)):find(function(it) return it.code == 'apt-lists-left' end)
  end)
  vim.cmd('silent undo')
  diagnostic(buf, 'apt-lists-left')

  local reason
  vim.api.nvim_win_set_cursor(0, { vim.fn.search([[^RUN cd /tmp]], 'w'), 0 })
  local params = vim.lsp.util.make_range_params(0, client.offset_encoding)
  params.context = { diagnostics = {}, triggerKind = vim.lsp.protocol.CodeActionTriggerKind.Invoked }
  local reply = client:request_sync('textDocument/codeAction', params, patience, buf)
  for _, action in ipairs(reply and reply.result or {}) do
    if action.data and action.data.id == 'merge-runs' and action.disabled then reason = action.disabled.reason end
  end
  assert(reason and reason:match('no effect'), 'a refusal says why: ' .. tostring(reason))
  say('  refused:', reason)

  vim.api.nvim_win_set_cursor(0, { vim.fn.search([[^RUN mkdir /data]], 'w'), 0 })
  apply_action(buf, '^Merge')
  vim.cmd('silent write')

  client:stop()
  wait('server gone', function() return #vim.lsp.get_clients() == 0 end)
end

vim.schedule(function()
  local ok, err = xpcall(main, function(e) return type(e) == 'string' and e:match('^timeout') and e or debug.traceback(e) end)
  if ok then vim.cmd('qall!') end
  say('FAIL', err)
  vim.cmd('cquit 1')
end)

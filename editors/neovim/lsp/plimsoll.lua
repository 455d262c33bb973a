---@brief
---
--- https://github.com/plimsoll-dev/plimsoll
---
--- What every line of a Dockerfile weighs, and what would make it lighter.
---
--- Put this file into `lsp/` of a folder on 'runtimepath' (Neovim 0.11 or newer) and say `vim.lsp.enable('plimsoll')`.

---@type vim.lsp.Config
return {
  cmd = { 'plimsoll', 'lsp' },
  filetypes = { 'dockerfile' },
  root_markers = { 'plimsoll.toml', 'docker-bake.hcl', 'compose.yaml', 'docker-compose.yml', '.dockerignore', '.git' },
}

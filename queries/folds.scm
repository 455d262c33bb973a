; What an editor may fold: instructions of several lines, heredocs in them, and runs of comment lines.
; Read by the server (server/src/syntax.rs) and usable in editors as it is; folds of one line are dropped by both.

[
  (from_instruction)
  (run_instruction)
  (cmd_instruction)
  (label_instruction)
  (expose_instruction)
  (env_instruction)
  (add_instruction)
  (copy_instruction)
  (entrypoint_instruction)
  (volume_instruction)
  (user_instruction)
  (workdir_instruction)
  (arg_instruction)
  (onbuild_instruction)
  (stopsignal_instruction)
  (healthcheck_instruction)
  (shell_instruction)
  (maintainer_instruction)
  (heredoc_block)
] @fold

((comment)+ @fold)

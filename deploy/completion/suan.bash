# bash completion for suan. Source it, or install it as
# /usr/share/bash-completion/completions/suan. All it knows it asks of `suan __complete`.
_suan() {
  local line
  local words=("${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("${line%%$'\t'*}")
  done < <("${COMP_WORDS[0]}" __complete "${words[@]}" 2>/dev/null)
  if ((${#COMPREPLY[@]} == 0)); then
    compopt -o default 2>/dev/null
  fi
}
complete -F _suan suan

/**
 * Scripts that tell a shell to ask `testfleet completion SHELL -- WORD…` for candidates. Its answer has the kind in the
 * first line, then a candidate a line, with its help after a tab. The scripts never evaluate a candidate, and quote what
 * they insert.
 */
export const scripts = {
  bash: `# Completion of testfleet for bash: source <(testfleet completion bash)
_testfleet() {
  local program=testfleet line word kind=
  [[ $1 == */* ]] && program=\${1/#~\\//$HOME/}
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ -z $kind ]]; then
      kind=$line
      continue
    fi
    printf -v word %q "\${line%%$'\\t'*}"
    COMPREPLY+=("$word")
  done < <(command "$program" completion bash -- "\${COMP_WORDS[@]:1:COMP_CWORD-1}" "$2" 2>/dev/null)
  case $kind in
    file) compopt -o default ;;
    directory) compopt -o dirnames ;;
    program)
      local at=1
      while [[ \${COMP_WORDS[at]} != -- ]]; do ((at++)); done
      if declare -F _command_offset >/dev/null; then
        _command_offset $((at + 1))
      elif ((COMP_CWORD == at + 1)); then
        while IFS= read -r line; do
          printf -v word %q "$line"
          COMPREPLY+=("$word")
        done < <(compgen -c -- "$2")
      else
        compopt -o default
      fi
      ;;
  esac
}
complete -F _testfleet testfleet
`,
  zsh: `#compdef testfleet
# Completion of testfleet for zsh: source <(testfleet completion zsh), after compinit
_testfleet() {
  local program=\${(Q)words[1]} line
  local -a answer values shown
  [[ $program == */* ]] || program=testfleet
  answer=("\${(@f)$(command \${program/#\\~\\//$HOME/} completion zsh -- "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  case $answer[1] in
    words)
      for line in "\${(@)answer[2,-1]}"; do
        values+=("\${line%%$'\\t'*}")
        shown+=("\${line/$'\\t'/  -- }")
      done
      compadd -l -d shown -a -- values
      ;;
    file) compset -P '--*=' ; _files ;;
    directory) compset -P '--*=' ; _files -/ ;;
    program)
      local at=\${words[(i)--]}
      words=("\${(@)words[at+1,-1]}")
      ((CURRENT -= at))
      _normal
      ;;
  esac
}
if [[ \${funcstack[1]} == _testfleet ]]; then
  _testfleet "$@"
else
  compdef _testfleet testfleet
fi
`,
  fish: `# Completion of testfleet for fish: testfleet completion fish | source
function __testfleet_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l program testfleet
  string match -q '*/*' -- $words[1]; and set program $words[1]
  set -e words[1]
  set -l answer (command $program completion fish -- $words "$current" 2>/dev/null)
  switch "$answer[1]"
    case words
      set -e answer[1]
      printf '%s\\n' $answer
    case file directory
      set -l option (string match -r -- '^--[^=]*=' $current)
      for path in (__fish_complete_path (string replace -r -- '^--[^=]*=' '' $current))
        printf '%s\\n' "$option$path"
      end
    case program
      set -l at (contains -i -- -- $words)
      complete -C (string join ' ' -- (string escape -- $words[(math $at + 1)..-1]) "$current")
  end
end
complete -c testfleet -f -a '(__testfleet_complete)'
`,
} as const

export type Shell = keyof typeof scripts

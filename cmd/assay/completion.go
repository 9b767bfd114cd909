package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/meshassay/assay/runner/document"
)

// shells are those that can be taught to complete, and how.
var shells = []struct {
	name   string
	script func(root *cobra.Command, to io.Writer) error
}{
	{"bash", func(root *cobra.Command, to io.Writer) error { return root.GenBashCompletionV2(to, true) }},
	{"zsh", (*cobra.Command).GenZshCompletion},
	{"fish", func(root *cobra.Command, to io.Writer) error { return root.GenFishCompletion(to, true) }},
	{"powershell", (*cobra.Command).GenPowerShellCompletionWithDesc},
}

func completionCommand() *cobra.Command {
	var names []string
	for _, s := range shells {
		names = append(names, s.name)
	}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Teach your shell to complete commands, scenarios and environments",
		Long: `Print a script by which a shell completes what you begin to type and press Tab behind: commands, flags, the names
of scenarios (with their titles), environments, outcomes, contexts, records of past runs.

It completes the program assay, wherever that is found by $PATH; go install ./cmd/assay puts it there.`,
		Example: `  source <(assay completion bash)              # for this shell; in ~/.bashrc for every one
  source <(assay completion zsh)               # in ~/.zshrc, behind autoload -U compinit && compinit
  assay completion fish > ~/.config/fish/completions/assay.fish
  assay completion powershell | Out-String | Invoke-Expression   # in $PROFILE`,
		ValidArgs: names,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("want one shell: %s", document.And(names))
			}
			if !slices.Contains(names, args[0]) {
				return fmt.Errorf("unknown shell %q (%s)", args[0], document.OneOf(args[0], names))
			}
			return nil
		},
		DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, args []string) error {
			i := slices.Index(names, args[0])
			return notWell(shells[i].script(c.Root(), c.OutOrStdout()))
		},
	}
}

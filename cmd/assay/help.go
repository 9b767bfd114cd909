package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// explain makes all commands below root explain themselves in one way: what it
// is for, examples, and only then the rest.
func explain(root *cobra.Command) {
	cobra.AddTemplateFunc("opening", func(long string) string { first, _ := paragraphs(long); return first })
	cobra.AddTemplateFunc("rest", func(long string) string { _, rest := paragraphs(long); return rest })
	cobra.EnableCommandSorting = false // they are in the order in which one comes to need them
	root.SetHelpTemplate(helpTemplate)
}

// paragraphs are the first paragraph of a text, and what follows.
func paragraphs(text string) (first, rest string) {
	first, rest, _ = strings.Cut(strings.TrimSpace(text), "\n\n")
	return first, rest
}

const helpTemplate = `{{with (or .Long .Short)}}{{opening .}}
{{end}}{{if .HasExample}}
Examples:
{{.Example}}
{{end}}{{with rest .Long}}
{{.}}
{{end}}
Usage:{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND
{{else}}
  {{.UseLine}}
{{end}}{{$all := .Commands}}{{range $group := .Groups}}
{{.Title}}
{{range $all}}{{if and (eq .GroupID $group.ID) .IsAvailableCommand}}  {{rpad .Name .NamePadding}} {{.Short}}
{{end}}{{end}}{{end}}{{if .HasAvailableSubCommands}}{{if .Groups}}
Besides:
{{else}}
Commands:
{{end}}{{range $all}}{{if and (eq .GroupID "") (or .IsAvailableCommand (eq .Name "help"))}}  {{rpad .Name .NamePadding}} {{.Short}}
{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}
Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}
{{end}}{{if .HasAvailableSubCommands}}
More about a command: {{.CommandPath}} COMMAND --help
{{end}}`

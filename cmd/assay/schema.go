package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meshassay/assay/scenarios"
)

// schemas are the JSON Schemas by what they are for.
var schemas = []struct{ kind, text string }{
	{"scenario", scenarios.ScenarioSchema},
	{"environment", scenarios.EnvironmentSchema},
}

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [scenario|environment]",
		Short: "Print the JSON Schema by which an editor checks and completes scenarios",
		Long: `Schema prints the JSON Schema of scenarios, or that of environments.

An editor that has it completes keys, shows what they mean, and marks mistakes while you type. Begin a file with a
comment that leads from it to the schema; VS Code needs the extension YAML for it, other editors yaml-language-server:

  # yaml-language-server: $schema=../scenario.schema.json`,
		Example: `  assay schema > scenario.schema.json
  assay schema environment > environment.schema.json`,
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"scenario", "environment"},
		RunE: func(c *cobra.Command, args []string) error {
			kind := "scenario"
			if len(args) > 0 {
				kind = args[0]
			}
			for _, s := range schemas {
				if s.kind == kind {
					fmt.Fprint(c.OutOrStdout(), s.text)
				}
			}
			return nil
		},
	}
}

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/scenario"
)

// completion is what a shell asks when somebody presses Tab: what can stand in
// the place of toComplete. A TAB in an answer parts a word from what it means.
type completion = func(c *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective)

// completes makes a flag of a command completed.
func completes(c *cobra.Command, flag string, by completion) {
	if err := c.RegisterFlagCompletionFunc(flag, by); err != nil {
		panic(err) // the flag is not there: no user can cause it
	}
}

// completeScenarios completes names of scenarios, with their titles; behind a
// slash, files.
func completeScenarios(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if strings.ContainsRune(toComplete, filepath.Separator) {
		return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
	}
	set, err := scenario.Load(defaultScenarios)
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var found []string
	for _, s := range set.Scenarios {
		found = append(found, s.Name+"\t"+s.Title)
	}
	return begun(found, args, toComplete), cobra.ShellCompDirectiveDefault
}

// completePaths completes files of scenarios, and folders.
func completePaths(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

// completeEnvironments completes names of environments, and files.
func completeEnvironments(_ *cobra.Command, _ []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if strings.ContainsRune(toComplete, filepath.Separator) {
		return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
	}
	folder := environment.Folder(defaultScenarios)
	var found []string
	for _, name := range environment.Names(folder) {
		found = append(found, name+"\t"+aboutEnvironment(name, folder))
	}
	return begun(found, nil, toComplete), cobra.ShellCompDirectiveDefault
}

// aboutEnvironment says in a few words where an environment is: a ${NAME} that
// is not defined shall not keep it from being offered.
func aboutEnvironment(name, folder string) string {
	e, _ := environment.Load(name, folder, lenient)
	if e == nil {
		return filepath.Join(folder, name+".yaml")
	}
	return count(len(e.Clusters), "cluster") + ", " + count(len(e.Gateways), "gateway") + " (" + e.File + ")"
}

// begun are the words that begin with what is there already, without those that
// were given before.
func begun(words, given []string, toComplete string) []string {
	var all []string
	for _, w := range words {
		word, _, _ := strings.Cut(w, "\t")
		if strings.HasPrefix(word, toComplete) && !slices.Contains(given, word) {
			all = append(all, w)
		}
	}
	return all
}

// completeRecords completes files that hold records, those of past runs first:
// ./.assay holds a folder for each run.
func completeRecords(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	folders, _ := filepath.Glob(filepath.Join(runner.OutFolder, "*", record.FileName)) // it fails for a bad pattern only
	var found []string
	for i := len(folders) - 1; i >= 0; i-- { // the latest first: their names are times
		info, err := os.Stat(folders[i])
		if err == nil && info.Mode().IsRegular() {
			found = append(found, folders[i])
		}
	}
	if matching := begun(found, args, toComplete); len(matching) > 0 {
		return matching, cobra.ShellCompDirectiveKeepOrder | cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
}

// completeContexts completes NAME=CONTEXT with the contexts of the kubeconfig.
func completeContexts(_ *cobra.Command, _ []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	name, _, given := strings.Cut(toComplete, "=")
	if !given {
		return begun([]string{"mgmt=", "cluster1=", "cluster2="}, nil, toComplete), cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	}
	contexts, _ := kube.Contexts("") // without a kubeconfig nothing is offered
	var found []string
	for _, context := range contexts {
		found = append(found, name+"="+context)
	}
	return begun(found, nil, toComplete), cobra.ShellCompDirectiveNoFileComp
}

// completeShares completes NAME=SHARE with the outcomes of the environment that
// the command is given, behind a comma too.
func completeShares(c *cobra.Command, _ []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	name := environment.Sandbox
	if flag := c.Flags().Lookup("environment"); flag != nil {
		name = flag.Value.String()
	}
	e, _ := environment.Load(name, environment.Folder(defaultScenarios), lenient)
	if e == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	before := toComplete[:strings.LastIndex(toComplete, ",")+1]
	var found []string
	for _, outcome := range e.Outcomes() {
		found = append(found, before+outcome+"=")
	}
	return begun(found, nil, toComplete), cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/scenario"
)

func newCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "new",
		Short: "Write a first scenario, or an environment, to start from",
		Long: `Write a scenario, or an environment, to start from: every line is explained, and it is right as it stands.
Nothing that is there is overwritten.`,
		Example: `  assay new scenario halves --expect blue=50%,green=50%
  assay new environment staging --cluster mgmt=admin@staging --cluster cluster1=east --cluster cluster2=west`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newScenarioCommand(), newEnvironmentCommand())
	return c
}

// created is a file that is to be written.
type created struct {
	path, text string
	// beside says what the file is for, other than what was asked for. One that
	// is there already stays as it is.
	beside string
}

// write writes files, those that were asked for or none: it looks first whether
// one of them is there. It returns those that it wrote.
func write(files []created) ([]created, error) {
	var there []string
	var missing []created
	for _, f := range files {
		_, err := os.Lstat(f.path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, f)
		case f.beside == "":
			there = append(there, f.path)
		}
	}
	if len(there) > 0 {
		return nil, fmt.Errorf("%s: there already, and nothing is overwritten; choose another name, or another folder with --dir", document.And(there))
	}
	for _, f := range missing {
		if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
			return nil, err
		}
		file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return nil, err
		}
		_, err = file.WriteString(f.text)
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, err
		}
	}
	return missing, nil
}

// told lists what was written.
func told(files []created) string {
	var b strings.Builder
	var whats []string
	besides := make(map[string][]string)
	for _, f := range files {
		if f.beside == "" {
			fmt.Fprintf(&b, "wrote %s\n", f.path)
			continue
		}
		if besides[f.beside] == nil {
			whats = append(whats, f.beside)
		}
		besides[f.beside] = append(besides[f.beside], f.path)
	}
	for _, what := range whats {
		which := besides[what][0]
		if n := len(besides[what]); n > 1 {
			which = count(n, "file") + " beside it"
		}
		fmt.Fprintf(&b, "wrote %s: %s\n", which, what)
	}
	return b.String()
}

// next tells what to do next: commands, and what each is for.
func next(commands ...[2]string) string {
	width := 0
	for _, c := range commands {
		width = max(width, len(c[0]))
	}
	b := "\nnext:\n"
	for _, c := range commands {
		b += fmt.Sprintf("  %s%s   # %s\n", c[0], strings.Repeat(" ", width-len(c[0])), c[1])
	}
	return b
}

// self is how this program was called, for commands that a reader shall type:
// by its name, or by go run, whose binary lies where nobody would look for it.
func self() string {
	program, err := os.Executable()
	if err != nil || !strings.Contains(filepath.ToSlash(program), "/go-build") && !strings.HasSuffix(program, ".test") {
		return "assay"
	}
	return "go run ./cmd/assay"
}

// place is the project that something new is written into.
type place struct {
	folder       string // of what is new
	environments string // the folder in which they are looked for
	set          scenario.Set
}

func placeAt(folder string) (place, error) {
	p := place{folder: folder, environments: environment.Folder(folder)}
	home := filepath.Dir(p.environments)
	if _, err := os.Stat(home); errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	set, err := scenario.Load(home)
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return p, err
	}
	p.set = set // empty where there is none: that is no error here
	return p, nil
}

// lenient stands in for the process environment where only names matter.
func lenient(name string) (string, bool) {
	if value, ok := os.LookupEnv(name); ok && value != "" {
		return value, true
	}
	return name, true
}

// schemaFile is the schema of a kind, which is written where it is not there
// yet, so that the line that leads to it leads somewhere.
func schemaFile(home, kind, text string) created {
	return created{path: filepath.Join(home, kind+".schema.json"), text: text, beside: "by it an editor checks and completes files of the kind " + kind}
}

// schemaLine leads an editor from a file to the schema of its kind.
func schemaLine(folder, home, kind string) string {
	relative, err := filepath.Rel(absolute(folder), filepath.Join(absolute(home), kind+".schema.json"))
	if err != nil {
		return ""
	}
	return "# yaml-language-server: $schema=" + filepath.ToSlash(relative) + "\n"
}

// named reads the NAME of what is new.
func named(args []string, otherwise, what string) (string, document.Mistakes) {
	name := otherwise
	switch len(args) {
	case 0:
	case 1:
		name = args[0]
	default:
		return "", document.Mistakes{{Path: strings.Join(args, " "), Text: "want one name"}}
	}
	if strings.ContainsAny(name, `/\`) || slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(name)) {
		return "", document.Mistakes{{Path: name, Text: "want the name of the " + what + ", not of its file", Hint: "for example " + self() + " new " + what + " " + strings.TrimSuffix(filepath.Base(name), filepath.Ext(name)) + " --dir " + filepath.Dir(name)}}
	}
	if text, hint := document.BadName(name); text != "" {
		return "", document.Mistakes{{Path: name, Text: text, Hint: hint}}
	}
	return name, nil
}

// say writes a text, and marks an error of writing as one that is none of usage.
func say(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return notWell(err)
}

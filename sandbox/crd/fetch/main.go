// Command fetch writes the CustomResourceDefinitions of Istio that the sandbox
// honours into crd/upstream, out of the module istio.io/api at the version that
// go.mod pins. It is a build step: run it in the folder of the sandbox's module,
// `go run ./crd/fetch`, before `go build`.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	// Keeps the module in go.mod; nothing of it is linked but names of labels.
	_ "istio.io/api/label"
	"sigs.k8s.io/yaml"
)

const (
	module = "istio.io/api"
	source = "kubernetes/customresourcedefinitions.gen.yaml" // in the module
	target = "crd/upstream"
)

// honoured are the kinds that the sandbox does something with. An object of
// any other kind shall be refused, not accepted and ignored.
var honoured = []string{
	"authorizationpolicies.security.istio.io",
	"destinationrules.networking.istio.io",
	"gateways.networking.istio.io",
	"peerauthentications.security.istio.io",
	"serviceentries.networking.istio.io",
	"virtualservices.networking.istio.io",
	"workloadentries.networking.istio.io",
}

func main() {
	if err := fetch(); err != nil {
		fmt.Fprintln(os.Stderr, "fetch:", err)
		os.Exit(1)
	}
}

func fetch() error {
	dir, err := moduleDir()
	if err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(source)))
	if err != nil {
		return err
	}
	definitions, err := Select(data, honoured)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", source, module, err)
	}
	old, err := filepath.Glob(filepath.Join(target, "*.yaml"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if _, stays := definitions[strings.TrimSuffix(filepath.Base(path), ".yaml")]; !stays {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	for name, definition := range definitions {
		path := filepath.Join(target, name+".yaml")
		// An unchanged file keeps its time, and with it the build's cache.
		if now, err := os.ReadFile(path); err == nil && bytes.Equal(now, definition) {
			continue
		}
		if err := os.WriteFile(path, definition, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Select returns the wanted definitions of a file of several YAML documents,
// by name and as they are written there. All must be found.
func Select(data []byte, wanted []string) (map[string][]byte, error) {
	found := map[string][]byte{}
	for document := range bytes.SplitSeq(data, []byte("\n---\n")) {
		var head struct {
			Kind     string
			Metadata struct{ Name string }
		}
		if err := yaml.Unmarshal(document, &head); err != nil {
			return nil, err
		}
		if head.Kind == "CustomResourceDefinition" && slices.Contains(wanted, head.Metadata.Name) {
			found[head.Metadata.Name] = append(bytes.TrimSpace(document), '\n')
		}
	}
	for _, name := range wanted {
		if found[name] == nil {
			return nil, fmt.Errorf("no CustomResourceDefinition %s", name)
		}
	}
	return found, nil
}

// moduleDir is where the module's sources are, downloaded if need be.
func moduleDir() (string, error) {
	var listed struct{ Dir string }
	if err := goCommand(&listed, "list", "-m", "-json", module); err != nil {
		return "", err
	}
	if listed.Dir != "" {
		return listed.Dir, nil
	}
	if err := goCommand(&listed, "mod", "download", "-json", module); err != nil {
		return "", err
	}
	return listed.Dir, nil
}

func goCommand(into any, args ...string) error {
	command := exec.Command("go", args...)
	out, err := command.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
		}
		return fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return json.Unmarshal(out, into)
}

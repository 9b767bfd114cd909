// Package assay_test keeps the plan of the house: which package may import which.
package assay_test

import (
	"encoding/json"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const (
	module  = "github.com/meshassay/assay"
	sandbox = module + "/sandbox"
)

// mayImport lists, for every package of the root module, the packages of this project that it may import.
// A package that is not listed here is refused, so that a new one is placed on purpose.
var mayImport = map[string][]string{
	"scenarios":          {}, // files that are built in
	"runner/document":    {},
	"runner/chapter":     {"runner/document"},
	"runner/proofread":   {"runner/chapter", "runner/document", "runner/environment", "runner/kube", "runner/scenario"},
	"runner/scenario":    {"runner/document"},
	"runner/environment": {"runner/document", "scenarios"},
	"runner/route":       {},
	"runner/kube":        {},
	"runner/sample":      {},
	"runner/verdict":     {},
	"runner/record":      {"runner/verdict"},
	"runner/report":      {"runner/record", "runner/verdict"},
	"runner/launch":      {},
	"runner": {"runner/chapter", "runner/document", "runner/scenario", "runner/environment", "runner/route", "runner/kube",
		"runner/sample", "runner/verdict", "runner/record", "runner/report"},
	"suites": {"runner", "runner/document", "runner/scenario", "runner/environment", "runner/launch",
		"runner/record", "runner/report", "runner/verdict"},
	"cmd/assay": {"scenarios", "runner", "runner/chapter", "runner/proofread", "runner/document", "runner/scenario", "runner/environment", "runner/launch",
		"runner/kube", "runner/sample", "runner/verdict", "runner/record", "runner/report"},
}

// onlyIn lists the imports that only some packages may have. A key that ends in "/" stands for all below it.
var onlyIn = []struct {
	imported string
	allowed  func(pkg string) bool
	why      string
}{
	{"testing", func(p string) bool { return !within(p, "runner") },
		"the library returns errors and a record; tests are a thin adapter above it"},
	{"github.com/onsi/", func(p string) bool { return within(p, "suites") },
		"Ginkgo and Gomega are for the suites"},
	{"sigs.k8s.io/e2e-framework/", func(p string) bool { return within(p, "runner/kube") },
		"kube is the only package that speaks to an API server"},
	{"k8s.io/client-go/", func(p string) bool { return within(p, "runner/kube") || within(p, "runner/launch") },
		"kube is the only package that speaks to an API server; launch reads a kubeconfig"},
	{sandbox, func(string) bool { return false },
		"the suite never links the sandbox: it is a program of its own"},
}

type goPackage struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func TestImportsPointInOneDirection(t *testing.T) {
	for _, p := range list(t, ".") {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		if p.ImportPath == module {
			continue // this very test
		}
		allowed, known := mayImport[name]
		if !known && !strings.HasPrefix(name, "internal/") && !within(name, "suites") {
			t.Errorf("%s: a package that the plan does not know: add it to mayImport", name)
			continue
		}
		if !known {
			allowed = slices.AppendSeq([]string{"internal/gateways"}, maps.Keys(mayImport))
		}
		for _, i := range p.Imports {
			if ours, ok := strings.CutPrefix(i, module+"/"); ok && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s; it may import %s", name, ours, strings.Join(allowed, ", "))
			}
			for _, rule := range onlyIn {
				if matches(i, rule.imported) && !rule.allowed(name) {
					t.Errorf("%s imports %s: %s", name, i, rule.why)
				}
			}
		}
	}
}

func TestVerdictNeedsNothingButTheStandardLibrary(t *testing.T) {
	for _, p := range list(t, ".") {
		if p.ImportPath != module+"/runner/verdict" {
			continue
		}
		for _, i := range p.Imports {
			if first, _, _ := strings.Cut(i, "/"); strings.Contains(first, ".") {
				t.Errorf("verdict imports %s", i)
			}
		}
		return
	}
	t.Error("there is no package verdict")
}

// One of them writes a TrafficPolicy and the other reads it: if they shared code, one bug would hide itself.
func TestTheSandboxSharesNoCodeWithTheRunner(t *testing.T) {
	servers := []string{"sandbox/apiserver", "sandbox/controllers"}
	for _, p := range list(t, "sandbox") {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, i := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if matches(i, module+"/") && !matches(i, sandbox+"/") {
				t.Errorf("%s imports %s of the root module", name, i)
			}
			if matches(i, "k8s.io/kubernetes/") && !slices.Contains(servers, name) {
				t.Errorf("%s imports %s: only %s may, everything else must build in seconds", name, i, strings.Join(servers, " and "))
			}
		}
	}
}

// matches says whether an import is the one meant, or below it where that ends in "/".
func matches(imported, meant string) bool {
	return imported == strings.TrimSuffix(meant, "/") || strings.HasPrefix(imported, strings.TrimSuffix(meant, "/")+"/")
}

func within(pkg, folder string) bool { return pkg == folder || strings.HasPrefix(pkg, folder+"/") }

func list(t *testing.T, dir string) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list in %s: %v\n%s", dir, err, stderr.String())
	}
	var packages []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	if len(packages) < 5 {
		t.Fatalf("only %d packages in %s", len(packages), dir)
	}
	return packages
}

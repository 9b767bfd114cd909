package launch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
)

// module is the project's module; the sandbox is nested in it.
const (
	module        = "github.com/meshassay/assay"
	sandboxModule = module + "/sandbox"
)

// source is where the sandbox's Go files are.
type source struct {
	dir      string
	readOnly bool // in the module cache: a build needs a copy
}

// builtFrom is this file as the compiler saw it: in a clone when the program was
// built there, wherever it is used now. With -trimpath it is not absolute.
var builtFrom = func() string { _, file, _, _ := runtime.Caller(0); return file }()

// findSource finds the sandbox's sources: in the clone that dir lies in, in the
// clone in which this program was built, or else in the module cache, in the
// version that it was built with.
// A module with replace lines cannot be installed by go install, which is why
// it is not simply that.
func findSource(ctx context.Context, dir string) (source, error) {
	root, err := cloneAbove(dir)
	if err != nil {
		return source{}, err
	}
	if root == "" && filepath.IsAbs(builtFrom) {
		root, _ = cloneAbove(filepath.Dir(builtFrom)) // no longer there: it does not count
	}
	if root != "" {
		return source{dir: filepath.Join(root, "sandbox")}, nil
	}
	info, _ := debug.ReadBuildInfo()
	version, replaced := builtVersion(info)
	if version == "" && replaced == "" {
		// A test binary does not know what it was built of; its module does.
		version, replaced = requiredVersion(ctx, dir)
	}
	switch {
	case replaced != "":
		return source{dir: filepath.Join(replaced, "sandbox")}, nil
	case version != "":
		return download(ctx, version)
	}
	return source{}, fmt.Errorf("no sources of the sandbox: %s is neither inside a clone of %s nor in a module that requires it "+
		"(start one in a clone, by assay sandbox, and set %s to its kubeconfig)", absolute(dir), module, Attach)
}

func absolute(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}

// requiredVersion says which version of the project the module requires that
// dir lies in, or the folder that replaces it. Both are empty when there is no
// such module.
func requiredVersion(ctx context.Context, dir string) (version, replacedBy string) {
	cmd := exec.CommandContext(ctx, "go", "list", "-mod=mod", "-m", "-json=Version,Replace", module)
	cmd.Dir = dir
	out, err := cmd.Output()
	var required struct {
		Version string
		Replace *struct{ Version, Dir string }
	}
	if err != nil || json.Unmarshal(out, &required) != nil {
		return "", ""
	}
	if r := required.Replace; r != nil {
		if r.Version == "" {
			return "", r.Dir
		}
		required.Version = r.Version
	}
	return query(required.Version), ""
}

var moduleLine = regexp.MustCompile(`(?m)^module\s+"?([^\s"]+)"?`)

// cloneAbove returns the nearest folder above dir (or dir) that holds the
// project's go.mod beside a sandbox, or "" when there is none.
func cloneAbove(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil {
			name := moduleLine.FindSubmatch(text)
			_, missing := os.Stat(filepath.Join(dir, "sandbox", "go.mod"))
			if name != nil && string(name[1]) == module && missing == nil {
				return dir, nil
			}
		} else if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, os.ErrPermission) {
			return "", err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", nil
		}
		dir = parent
	}
}

// builtVersion says which version of the project is built into a program, or
// the folder that replaces it.
func builtVersion(info *debug.BuildInfo) (version, replacedBy string) {
	if info == nil {
		return "", ""
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path != module {
			continue
		}
		if m.Replace != nil {
			if m.Replace.Version == "" {
				return "", m.Replace.Path
			}
			m = m.Replace
		}
		return query(m.Version), ""
	}
	return "", ""
}

var pseudoVersion = regexp.MustCompile(`[.-]\d{14}-([0-9a-f]{12})$`)

// query turns the version of the outer module into one that is good for the
// nested module too: tags are given to both alike, but a version that Go made
// from a commit differs as soon as one of them has more tags, so the commit is
// asked for.
func query(version string) string {
	version, _, _ = strings.Cut(version, "+")
	if version == "(devel)" {
		return ""
	}
	if commit := pseudoVersion.FindStringSubmatch(version); commit != nil {
		return commit[1]
	}
	return version
}

// download fetches the nested module into the module cache.
func download(ctx context.Context, version string) (source, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", sandboxModule+"@"+version)
	// Outside of any module, else that module's go.mod would have a say.
	cmd.Dir = os.TempDir()
	cmd.Env = goEnv()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var got struct{ Dir, Error string }
	if json.Unmarshal(out, &got) == nil && got.Error != "" {
		return source{}, fmt.Errorf("download the sandbox's sources: %s", got.Error)
	}
	if err != nil {
		return source{}, fmt.Errorf("download the sandbox's sources: %w\n%s", withHint(err), bytes.TrimSpace(stderr.Bytes()))
	}
	return source{dir: got.Dir, readOnly: true}, nil
}

// goEnv is the environment of the go commands that are run here: a go.work of
// the caller's knows nothing of the nested module.
func goEnv() []string { return append(os.Environ(), "GOWORK=off") }

// withHint explains the one mistake that everybody makes.
func withHint(err error) error {
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%w (the sandbox is built from its sources, which needs Go: https://go.dev/dl)", err)
	}
	return err
}

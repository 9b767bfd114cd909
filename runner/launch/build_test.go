package launch

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"
)

// write puts files, name to text, below a new folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var sources = map[string]string{
	"go.mod": "module m\n", "main.go": "package main\n", "crd/upstream/README.md": "what for\n", "crd/faults.yaml": "kind: X\n",
}

func TestCacheKey(t *testing.T) {
	key := func(toolchain, name, text string) string {
		dir := write(t, sources)
		if name != "" {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		k, err := cacheKey(dir, toolchain)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	first := key("go1.26", "", "")
	tests := []struct {
		reason, toolchain, file, text string
		same                          bool
	}{
		{"nothing differs", "go1.26", "", "", true},
		{"another Go", "go1.27", "", "", false},
		{"a changed file", "go1.26", "main.go", "package main // changed\n", false},
		{"a new file", "go1.26", "mesh/mesh.go", "package mesh\n", false},
		{"an embedded file", "go1.26", "crd/faults.yaml", "kind: Y\n", false},
		{"a test", "go1.26", "main_test.go", "package main\n", true},
		{"test data", "go1.26", "gateway/testdata/a.golden", "x", true},
		{"what the build fetches", "go1.26", "crd/upstream/istio.yaml", "kind: Z\n", true},
		{"an editor's file", "go1.26", ".main.go.swp", "x", true},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			if got := key(tt.toolchain, tt.file, tt.text); (got == first) != tt.same {
				t.Errorf("key %s, first %s, want the same: %v", got, first, tt.same)
			}
		})
	}
}

// fakeBuilder compiles by writing a text; calls counts how often.
func fakeBuilder(t *testing.T, cache string, calls *int) builder {
	t.Helper()
	var mu sync.Mutex
	return builder{
		source: source{dir: write(t, sources)}, cache: cache, key: "k1", log: t.Output(),
		compile: func(_ context.Context, dir, out string, _ io.Writer) error {
			mu.Lock()
			defer mu.Unlock()
			*calls++
			if err := os.WriteFile(filepath.Join(dir, "crd", "upstream", "istio.yaml"), nil, 0o644); err != nil {
				return err
			}
			return os.WriteFile(out, []byte("binary"), 0o755)
		},
	}
}

func TestBuildsOnceThoughManyAsk(t *testing.T) {
	calls := 0
	b := fakeBuilder(t, t.TempDir(), &calls)
	var wait sync.WaitGroup
	for range 5 {
		wait.Go(func() {
			file, err := b.binary(t.Context())
			if err != nil {
				t.Error(err)
			}
			if text, _ := os.ReadFile(file); string(text) != "binary" {
				t.Errorf("%s holds %q", file, text)
			}
		})
	}
	wait.Wait()
	if calls != 1 {
		t.Errorf("compiled %d times, want once", calls)
	}
}

func TestReadOnlySourcesAreCopied(t *testing.T) {
	calls := 0
	b := fakeBuilder(t, t.TempDir(), &calls)
	b.source.readOnly = true
	if _, err := b.binary(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(b.source.dir, "crd", "upstream", "istio.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the build wrote into the sources (%v)", err)
	}
}

func TestFailedBuildLeavesNothing(t *testing.T) {
	calls := 0
	b := fakeBuilder(t, t.TempDir(), &calls)
	b.compile = func(_ context.Context, _, out string, _ io.Writer) error {
		_ = os.WriteFile(out, []byte("half"), 0o755)
		return errors.New("exit status 1")
	}
	if _, err := b.binary(t.Context()); err == nil || err.Error() != "build the sandbox: exit status 1" {
		t.Errorf("got %v", err)
	}
	left, err := os.ReadDir(filepath.Join(b.cache, b.key))
	if err != nil || len(left) > 0 {
		t.Errorf("left %v (%v)", left, err)
	}
}

func TestWaitingForABuildCanBeEnded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), file, func() { t.Error("nobody else holds it") })
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancelCause(t.Context())
	told := 0
	_, err = lock(ctx, file, func() { told++; cancel(errors.New("Ctrl-C")) })
	if err == nil || err.Error() != "Ctrl-C" || told != 1 {
		t.Errorf("got %v, told %d times", err, told)
	}
}

func TestPruneKeepsTheLastUsed(t *testing.T) {
	cache := write(t, map[string]string{
		"lock": "", "now/sandbox": "", "a/sandbox": "", "b/sandbox": "", "c/sandbox": "", "broken/other": "",
	})
	for i, key := range []string{"b", "now", "c", "a"} { // the first is the oldest
		at := time.Date(2026, 1, 1+i, 0, 0, 0, 0, time.UTC)
		if err := os.Chtimes(filepath.Join(cache, key, binaryName), at, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := prune(cache, "now"); err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(cache)
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if want := "a c lock now"; strings.Join(got, " ") != want {
		t.Errorf("kept %v, want %s", got, want)
	}
}

func TestFindSource(t *testing.T) {
	files := map[string]string{
		"go.mod": "// the project\nmodule github.com/meshassay/assay\n", "sandbox/go.mod": "module github.com/meshassay/assay/sandbox\n",
		"suites/deep/x.go": "package deep\n", "other/go.mod": "module example.com/other\n", "other/sandbox/go.mod": "module example.com/other/sandbox\n",
	}
	root := write(t, files)
	for _, from := range []string{".", "suites/deep", "other/sandbox", "sandbox"} {
		got, err := findSource(t.Context(), filepath.Join(root, from))
		if want := filepath.Join(root, "sandbox"); err != nil || got.dir != want || got.readOnly {
			t.Errorf("from %s: got %+v, %v, want %s", from, got, err, want)
		}
	}
	// A program that was built in a clone, and is used in somebody's own repository.
	defer func(was string) { builtFrom = was }(builtFrom)
	builtFrom = filepath.Join(root, "runner", "launch", "source.go")
	if got, err := findSource(t.Context(), t.TempDir()); err != nil || got.dir != filepath.Join(root, "sandbox") || got.readOnly {
		t.Errorf("built in a clone: got %+v, %v", got, err)
	}
	builtFrom = "github.com/meshassay/assay/runner/launch/source.go" // by -trimpath
	if _, err := findSource(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "neither inside a clone") {
		t.Errorf("outside of a clone: got %v", err)
	}
	// Somebody's own suite, in a module that requires the project.
	suite := write(t, map[string]string{
		"go.mod": "module example.com/mesh\n\ngo 1.26\n\nrequire github.com/meshassay/assay v0.0.0\n\nreplace github.com/meshassay/assay => " + root + "\n",
	})
	got, err := findSource(t.Context(), suite)
	if want := filepath.Join(root, "sandbox"); err != nil || got.dir != want || got.readOnly {
		t.Errorf("from a module that requires it: got %+v, %v, want %s", got, err, want)
	}
}

// serve makes a folder that go takes for a module proxy, with one version of a
// module, which a commit stands for too.
func serve(t *testing.T, proxy, module, version, commit string, files map[string]string) {
	t.Helper()
	dir := filepath.Join(proxy, module, "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for name, text := range files {
		w, err := z.Create(module + "@" + version + "/" + name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	info := `{"Version": "` + version + `"}`
	for name, text := range map[string]string{
		version + ".info": info, commit + ".info": info, version + ".mod": files["go.mod"], version + ".zip": archive.String(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Somebody's own suite, with the project from a module proxy.
func TestFindSourceInTheModuleCache(t *testing.T) {
	defer func(was string) { builtFrom = was }(builtFrom)
	builtFrom = "" // not in this clone
	const outer, inner, commit = "v0.2.1-0.20261123032200-0123456789ab", "v0.0.0-20261123032200-0123456789ab", "0123456789ab"
	proxy := t.TempDir()
	serve(t, proxy, module, outer, commit, map[string]string{"go.mod": "module " + module + "\n"})
	serve(t, proxy, sandboxModule, inner, commit, map[string]string{"go.mod": "module " + sandboxModule + "\n", "main.go": "package main\n"})
	t.Setenv("GOPROXY", "file://"+filepath.ToSlash(proxy))
	t.Setenv("GONOSUMDB", "*")
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOFLAGS", "-modcacherw") // else the test's folder cannot be removed
	suite := write(t, map[string]string{"go.mod": "module example.com/mesh\n\ngo 1.26\n\nrequire " + module + " " + outer + "\n"})
	got, err := findSource(t.Context(), suite)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(got.dir, "main.go")); err != nil || string(text) != "package main\n" || !got.readOnly {
		t.Errorf("got %+v, %v with %q", got, err, text)
	}
	if _, err := download(t.Context(), "v9.9.9"); err == nil || !strings.Contains(err.Error(), "v9.9.9") {
		t.Errorf("a version that does not exist: got %v", err)
	}
}

func TestBuiltVersion(t *testing.T) {
	as := func(version string) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Path: module, Version: version}}
	}
	tests := []struct {
		reason       string
		info         *debug.BuildInfo
		want, folder string
	}{
		{"nothing is known", nil, "", ""},
		{"built in a folder", as("(devel)"), "", ""},
		{"a release", as("v1.2.3"), "v1.2.3", ""},
		{"a changed checkout", as("v1.2.3+dirty"), "v1.2.3", ""},
		{"a commit before any tag", as("v0.0.0-20261123032200-0123456789ab"), "0123456789ab", ""},
		{"a commit after a tag", as("v1.2.4-0.20261123032200-0123456789ab"), "0123456789ab", ""},
		{"another module", &debug.BuildInfo{Main: debug.Module{Path: "example.com/suite"}}, "", ""},
		{"a dependency", &debug.BuildInfo{Deps: []*debug.Module{{Path: module, Version: "v1.0.0"}}}, "v1.0.0", ""},
		{"replaced by a folder", &debug.BuildInfo{Deps: []*debug.Module{{Path: module, Version: "v1.0.0", Replace: &debug.Module{Path: "../assay"}}}}, "", "../assay"},
		{"replaced by a version", &debug.BuildInfo{Deps: []*debug.Module{{Path: module, Version: "v1.0.0", Replace: &debug.Module{Path: module, Version: "v1.1.0"}}}}, "v1.1.0", ""},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			if got, folder := builtVersion(tt.info); got != tt.want || folder != tt.folder {
				t.Errorf("got %q, %q, want %q, %q", got, folder, tt.want, tt.folder)
			}
		})
	}
}

func TestProgressLines(t *testing.T) {
	p := &progress{of: 3}
	var got []string
	for _, named := range []string{"", "k8s.io/api\nk8s.io/", "apimachinery\n", "main\n"} {
		_, _ = io.WriteString(p, named)
		got = append(got, p.line(61*time.Second))
	}
	want := []string{
		"compiled 0 of 3 packages, 1m1s", "compiled 1 of 3 packages, 1m1s", "compiled 2 of 3 packages, 1m1s", "compiled all of 3 packages, linking, 1m1s",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	unknown := &progress{done: 7}
	if got, want := unknown.line(time.Second), "compiled 7 packages, 1s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The build of a small module that has what the sandbox's has: a fetching
// program and a file that this program makes and main embeds.
func TestCompile(t *testing.T) {
	dir := write(t, map[string]string{
		"go.mod":           "module example.com/small\n\ngo 1.26\n",
		"main.go":          "package main\n\nimport _ \"embed\"\n\n//go:embed crd/upstream/x.yaml\nvar text string\n\nfunc main() { print(text) }\n",
		"crd/fetch/a.go":   "package main\n\nimport \"os\"\n\nfunc main() {\n\tif err := os.WriteFile(\"crd/upstream/x.yaml\", []byte(\"x\"), 0o644); err != nil {\n\t\tpanic(err)\n\t}\n}\n",
		"crd/upstream/.md": "",
	})
	out := filepath.Join(t.TempDir(), "binary")
	if err := compile(t.Context(), dir, out, t.Output()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(out); err != nil || info.Mode()&0o111 == 0 {
		t.Errorf("%s: %v, %v", out, info, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() { undefined() }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	err := compile(t.Context(), dir, out, &log)
	if err == nil || !strings.Contains(err.Error(), "undefined: undefined") {
		t.Errorf("got %v, want what the compiler said", err)
	}
}

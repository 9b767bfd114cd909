package launch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// binaryName is the sandbox's file in the folder of its key.
const binaryName = "sandbox"

// kept is how many builds stay in the cache, 125 MB each: enough to go back
// and forth between branches.
const kept = 3

// Build returns the path of a sandbox built from its sources as they are now.
// It builds when the cache (the user's cache folder, assay/sandbox/KEY) does
// not hold it: minutes the first time, seconds when only the sandbox's own
// files have changed. Builds wait for each other.
func Build(ctx context.Context, o Options) (string, error) {
	o = o.withDefaults()
	src, err := findSource(ctx, o.Dir)
	if err != nil {
		return "", err
	}
	toolchain, err := goVersion(ctx)
	if err != nil {
		return "", err
	}
	key, err := cacheKey(src.dir, toolchain)
	if err != nil {
		return "", fmt.Errorf("read the sandbox's sources: %w", err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no place for the built sandbox: %w", err)
	}
	b := builder{source: src, cache: filepath.Join(cache, "assay", "sandbox"), key: key, log: o.Log, compile: compile}
	return b.binary(ctx)
}

// builder makes one entry of the cache.
type builder struct {
	source  source
	cache   string
	key     string
	log     io.Writer
	compile func(ctx context.Context, dir, out string, log io.Writer) error
}

// binary returns the cached binary, having built it when it was missing.
func (b builder) binary(ctx context.Context) (string, error) {
	file := filepath.Join(b.cache, b.key, binaryName)
	if use(file) {
		return file, nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(ctx, filepath.Join(b.cache, "lock"), func() {
		fmt.Fprintln(b.log, "another process is building a sandbox; waiting for it")
	})
	if err != nil {
		return "", fmt.Errorf("wait for another build of the sandbox: %w", err)
	}
	defer unlock()
	if use(file) { // somebody built it while we waited
		return file, nil
	}
	if err := b.build(ctx, file); err != nil {
		return "", fmt.Errorf("build the sandbox: %w", err)
	}
	return file, prune(b.cache, b.key)
}

// use reports whether the binary is there, and notes that it is in use, so
// that pruning spares it.
func use(file string) bool {
	now := time.Now()
	return os.Chtimes(file, now, now) == nil
}

// build compiles into a file beside the wanted one and renames it, so that the
// wanted name never holds half a binary.
func (b builder) build(ctx context.Context, file string) error {
	fmt.Fprintln(b.log, "building the sandbox: 4 to 7 minutes on two cores the first time, seconds afterwards")
	began := time.Now()
	dir := b.source.dir
	if b.source.readOnly {
		copied, err := os.MkdirTemp("", "assay-source-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(copied)
		if err := copyTree(copied, dir); err != nil {
			return err
		}
		dir = copied
	}
	part := fmt.Sprintf("%s.%d", file, os.Getpid())
	defer os.Remove(part)
	if err := b.compile(ctx, dir, part, b.log); err != nil {
		return err
	}
	if err := os.Rename(part, file); err != nil {
		return err
	}
	fmt.Fprintf(b.log, "built the sandbox in %s\n", time.Since(began).Round(time.Second))
	return nil
}

// goVersion says what compiles, for the key.
func goVersion(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "GOVERSION", "GOOS", "GOARCH", "CGO_ENABLED", "GOFLAGS", "GOEXPERIMENT")
	cmd.Env = goEnv()
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("ask go for its version: %w", withHint(err))
	}
	return string(out), nil
}

// cacheKey is a hash of everything that decides what the binary does: the
// files below dir (names and contents) and the toolchain.
func cacheKey(dir, toolchain string) (string, error) {
	files, err := sourceFiles(dir)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%q\n", toolchain)
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%q %x\n", filepath.ToSlash(name), sha256.Sum256(text))
	}
	return fmt.Sprintf("%x", sum.Sum(nil))[:16], nil
}

// sourceFiles lists what a build can depend on, sorted, relative to dir. Left
// out are tests, hidden files, and crd/upstream/*.yaml, which the build makes
// itself out of modules that go.sum pins.
func sourceFiles(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		switch base := d.Name(); {
		case path == dir:
		case strings.HasPrefix(base, "."), d.IsDir() && base == "testdata":
			if d.IsDir() {
				return filepath.SkipDir
			}
		case !d.Type().IsRegular(), strings.HasSuffix(base, "_test.go"):
		case filepath.Dir(name) == filepath.Join("crd", "upstream") && filepath.Ext(base) == ".yaml":
		default:
			files = append(files, name)
		}
		return nil
	})
	sort.Strings(files)
	return files, err
}

// copyTree copies the files that a build can depend on, writable.
func copyTree(to, from string) error {
	files, err := sourceFiles(from)
	if err != nil {
		return err
	}
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		target := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(target, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// prune removes the builds that were used longest ago. The caller holds the
// lock.
func prune(cache, key string) error {
	entries, err := os.ReadDir(cache)
	if err != nil {
		return err
	}
	type build struct {
		dir  string
		used time.Time
	}
	var others []build
	for _, e := range entries {
		if !e.IsDir() || e.Name() == key {
			continue
		}
		b := build{dir: filepath.Join(cache, e.Name())}
		if info, err := os.Stat(filepath.Join(b.dir, binaryName)); err == nil {
			b.used = info.ModTime()
		}
		others = append(others, b)
	}
	sort.Slice(others, func(i, j int) bool { return others[i].used.After(others[j].used) })
	var failed error
	for i := kept - 1; i < len(others); i++ {
		failed = errors.Join(failed, os.RemoveAll(others[i].dir))
	}
	return failed
}

// compile fetches the upstream CRDs into dir and builds the module there.
func compile(ctx context.Context, dir, out string, log io.Writer) error {
	if err := goCommand(ctx, dir, io.Discard, "run", "./crd/fetch"); err != nil {
		return err
	}
	flags := []string{"-trimpath", "-ldflags=-s -w"}
	p := &progress{log: log, of: stale(ctx, dir, flags)}
	defer p.every(10 * time.Second)()
	args := append([]string{"build", "-v", "-o", out}, flags...)
	return goCommand(ctx, dir, p, append(args, ".")...)
}

// goCommand runs go in dir. What it prints on standard error goes to watch
// too, and the end of it into the error.
func goCommand(ctx context.Context, dir string, watch io.Writer, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = goEnv()
	var said bytes.Buffer
	cmd.Stderr = io.MultiWriter(&said, watch)
	cmd.Stdout = cmd.Stderr
	// An interrupt and not a kill: go then waits for the compilers that it
	// started, which would live on without it.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), withHint(err), lastLines(said.String(), 30))
	}
	return nil
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return strings.Join(lines, "\n")
}

package kube

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// Kustomize builds a folder with a kustomization, as `kustomize build` does,
// and returns its objects, each document's text first changed by expand (nil
// leaves it). Nothing outside root is read, whatever the kustomization names,
// and nothing is fetched from elsewhere: a plan must mean the same tomorrow.
// Plugins that run programs are off. File names are told as name.
func Kustomize(root, folder, name string, expand func(string) (string, error)) ([]Manifest, error) {
	confined, err := confine(root)
	if err != nil {
		return nil, err
	}
	options := krusty.MakeDefaultOptions()
	options.LoadRestrictions = types.LoadRestrictionsNone // the whole root may be read; confined sees to it
	options.PluginConfig = types.DisabledPluginConfig()
	built, err := krusty.MakeKustomizer(options).Run(confined, folder)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, confined.reason(err))
	}
	var manifests []Manifest
	for _, r := range built.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		source := string(text)
		if expand != nil {
			if source, err = expand(source); err != nil {
				return nil, fmt.Errorf("%s: %s %s: %w", name, r.GetKind(), r.GetName(), err)
			}
		}
		found, problems := Decode(name, []byte(source))
		if len(problems) > 0 {
			return nil, fmt.Errorf("%s: %s %s: %s", name, r.GetKind(), r.GetName(), problems[0].Text)
		}
		for _, m := range found {
			manifests = append(manifests, Manifest{Object: m.Object, File: name})
		}
	}
	if len(manifests) == 0 {
		return nil, fmt.Errorf("%s: holds no object", name)
	}
	return manifests, nil
}

// confinedFS is the disk below one folder, to be read only.
type confinedFS struct {
	filesys.FileSystem
	root    string
	refused error // the first thing that was refused; kustomize hides reasons under its own
}

func confine(root string) (*confinedFS, error) {
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil, err
	}
	real, err = filepath.Abs(real)
	return &confinedFS{FileSystem: filesys.MakeFsOnDisk(), root: real}, err
}

// inside refuses a path that leaves the root, by ".." or by a symbolic link.
func (f *confinedFS) inside(path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		// What does not exist reveals nothing; kustomize asks for many such.
		real = filepath.Clean(path)
	}
	real, err = filepath.Abs(real)
	if err != nil {
		return err
	}
	if !Within(f.root, real) {
		return f.refuse(fmt.Errorf("%s is outside the root %s", path, f.root))
	}
	return nil
}

// Within reports whether path is root or below it; both absolute and clean.
func Within(root, path string) bool {
	rel, err := filepath.Rel(root, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

func (f *confinedFS) refuse(err error) error {
	if f.refused == nil {
		f.refused = err
	}
	return err
}

// tries is how kustomize explains that a resource is neither a file nor a folder.
var tries = regexp.MustCompile(`(?s)accumulating resources: accumulation err='(.*)': .*`)

// reason prefers what was refused here to kustomize's guesses about it.
func (f *confinedFS) reason(err error) error {
	if f.refused != nil {
		return f.refused
	}
	text := strings.ReplaceAll(err.Error(), f.root+string(filepath.Separator), "")
	if m := tries.FindStringSubmatch(text); m != nil {
		text = m[1]
	}
	return errors.New(strings.Join(strings.Fields(text), " "))
}

func (f *confinedFS) Open(path string) (filesys.File, error) {
	if err := f.inside(path); err != nil {
		return nil, err
	}
	return f.FileSystem.Open(path)
}

func (f *confinedFS) ReadDir(path string) ([]string, error) {
	if err := f.inside(path); err != nil {
		return nil, err
	}
	return f.FileSystem.ReadDir(path)
}

func (f *confinedFS) CleanedAbs(path string) (filesys.ConfirmedDir, string, error) {
	if err := f.inside(path); err != nil {
		return "", "", err
	}
	return f.FileSystem.CleanedAbs(path)
}

func (f *confinedFS) ReadFile(path string) ([]byte, error) {
	if err := f.inside(path); err != nil {
		return nil, err
	}
	source, err := f.FileSystem.ReadFile(path)
	if err == nil && slices.Contains(konfig.RecognizedKustomizationFileNames(), filepath.Base(path)) {
		err = f.local(path, source)
	}
	return source, err
}

// kustomization is what of a kustomization names files, as far as kustomize
// would fetch one that is not here.
type kustomization struct {
	Resources, Components, Bases, Crds, Configurations, Generators, Transformers, Validators []any

	Patches, PatchesJson6902, Replacements []struct{ Path string }
	PatchesStrategicMerge                  []string
	ConfigMapGenerator, SecretGenerator    []struct {
		Files, Envs []string
		Env         string
	}
	OpenAPI struct{ Path string }
}

// loads are the names of files that kustomize reads as they are, and downloads
// when they are addresses.
func (k *kustomization) loads() []string {
	names := append(slices.Clone(k.PatchesStrategicMerge), k.OpenAPI.Path)
	for _, p := range slices.Concat(k.Patches, k.PatchesJson6902, k.Replacements) {
		names = append(names, p.Path)
	}
	for _, g := range slices.Concat(k.ConfigMapGenerator, k.SecretGenerator) {
		names = append(append(names, g.Envs...), g.Env)
		for _, file := range g.Files {
			if key, name, named := strings.Cut(file, "="); named && !remote(key) {
				file = name
			}
			names = append(names, file)
		}
	}
	return names
}

// remote says whether kustomize takes a name for an address.
func remote(name string) bool {
	u, err := url.Parse(name)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https")
}

// local refuses a kustomization that names what is not there. kustomize would
// take it for an address and start git or a download.
func (f *confinedFS) local(path string, source []byte) error {
	var k kustomization
	if yaml.Unmarshal(source, &k) != nil {
		return nil // kustomize says it better
	}
	for _, name := range k.loads() {
		if remote(name) {
			return f.missing(path, name)
		}
	}
	for _, list := range [][]any{k.Resources, k.Components, k.Bases, k.Crds, k.Configurations, k.Generators, k.Transformers, k.Validators} {
		for _, entry := range list {
			name, _ := entry.(string)
			if name == "" || strings.Contains(name, "\n") { // an inline definition
				continue
			}
			at := filepath.Join(filepath.Dir(path), name)
			if filepath.IsAbs(name) {
				at = name
			}
			if err := f.inside(at); err != nil {
				return err
			}
			if _, err := os.Stat(at); err != nil {
				return f.missing(path, name)
			}
		}
	}
	return nil
}

func (f *confinedFS) missing(path, name string) error {
	rel, _ := filepath.Rel(f.root, path)
	return f.refuse(fmt.Errorf("%s names %s: no such file or folder (nothing is fetched from elsewhere)", rel, name))
}

// What would write or find paths on its own is not needed for a build.

func (f *confinedFS) Create(path string) (filesys.File, error) { return nil, f.readOnly(path) }
func (f *confinedFS) Mkdir(path string) error                  { return f.readOnly(path) }
func (f *confinedFS) MkdirAll(path string) error               { return f.readOnly(path) }
func (f *confinedFS) RemoveAll(path string) error              { return f.readOnly(path) }
func (f *confinedFS) WriteFile(path string, _ []byte) error    { return f.readOnly(path) }

func (f *confinedFS) readOnly(path string) error {
	return &fs.PathError{Op: "write", Path: path, Err: fs.ErrPermission}
}

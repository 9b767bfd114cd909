package chapter

import (
	"os"
	"path/filepath"
	"slices"

	"gopkg.in/yaml.v3"
)

// snippetFolders are the folders in which MkDocs looks for what a page
// includes: base_path of pymdownx.snippets in the nearest mkdocs.yml above the
// page. Of a configuration that is broken or says nothing of it there are none.
func snippetFolders(file, root string) []string {
	for _, folder := range foldersUp(filepath.Dir(file), root) {
		for _, name := range []string{"mkdocs.yml", "mkdocs.yaml"} {
			source, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil {
				continue
			}
			var all []string
			for _, path := range basePaths(source) {
				if !filepath.IsAbs(path) {
					path = filepath.Join(folder, filepath.FromSlash(path))
				}
				all = append(all, path)
			}
			return all
		}
	}
	return nil
}

// basePaths reads base_path, which is a text or a list of texts. The file is read
// as a tree, for it is full of tags that only Python knows.
func basePaths(source []byte) (all []string) {
	var file yaml.Node
	defer func() {
		if recover() != nil {
			all = nil // the parser gave up on it
		}
	}()
	if err := yaml.Unmarshal(source, &file); err != nil || len(file.Content) == 0 {
		return nil
	}
	docs := scalar(under(file.Content[0], "docs_dir"), "docs")
	extensions := []*yaml.Node{under(file.Content[0], "markdown_extensions")}
	if extensions[0] != nil && extensions[0].Kind == yaml.SequenceNode {
		extensions = extensions[0].Content
	}
	for _, e := range extensions {
		paths := []*yaml.Node{under(under(e, "pymdownx.snippets"), "base_path")}
		if paths[0] != nil && paths[0].Kind == yaml.SequenceNode {
			paths = paths[0].Content
		}
		for _, p := range paths {
			switch {
			case p == nil || p.Kind != yaml.ScalarNode:
			case p.Tag == "!relative" && p.Value == "$docs_dir":
				all = append(all, docs)
			case p.Tag == "!relative": // $config_dir, or the folder of the page itself
				all = append(all, ".")
			default:
				all = append(all, p.Value)
			}
		}
	}
	return slices.Compact(all)
}

// under is the value of a key; nil when there is none.
func under(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func scalar(n *yaml.Node, otherwise string) string {
	if n == nil || n.Kind != yaml.ScalarNode {
		return otherwise
	}
	return n.Value
}
